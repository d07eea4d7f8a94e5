"""Names in a text, replaced by invented ones.

What identifies the companies of the data set (`identity`) is always replaced. Beyond that every capitalised word that
is no ordinary word is taken for a name (a person, a place, a product, a partner), judged by static word lists and by
the document itself: a word that the document also writes in lower case is an ordinary one, and a capitalised ordinary
word after a given name is a surname in that document. No other document has a say, so masking is the same whatever is
published later.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from .edits import Edit, apply
from .identity import LEGAL, Identity, Token, name_words, tokens_of
from .invent import invented_code, invented_word
from .words import is_given, is_kept, is_ordinary

_ENDING = re.compile(
    r"\.(?:com|org|net|gov|io|ai|edu|tv|app|dev|info|biz|co\.\w\w|co|uk|de|eu|us)(?![\w-])(?P<path>/[^\s|)\]>\"\u201d,;]*)?",
    re.IGNORECASE,
)
"""The end of a host's name, and what follows it in an address."""
_HOST = re.compile(r"(?:https?://)?(?:[\w.+-]+@)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$", re.IGNORECASE)
_LONGEST_ADDRESS = 80
_FILING = re.compile(r"\d{10}(?:-?\d{2}-?\d{6})?")
"""An accession, or the number of a filer."""
_HONORIFICS = frozenset({"Mr", "Ms", "Mrs", "Dr", "Sir", "Messrs"})
_OFFICE = re.compile(
    r"(?:,|,?\s(?:is|as|our|its|the))?\s(?:(?:our|its|the|and|[A-Z]\w+\u2019s)\s){0,2}(?:Chief|CEO|CFO|COO|CTO|President|"
    r"Executive|Senior|Vice|Chair|General Counsel|founder|co-founder|director)"
)
_NAME = re.compile(r"[A-Z][a-z]+")
_PUBLIC_LABELS = frozenset({"www", "ir", "investor", "investors", "sec", "news", "com", "gov"})
_PERIOD = re.compile(r"H[12]|(?:Q[1-4]|[1-4]Q|[12]H|FY|CY)(?:FY)?\d*")
"""Q1, Q3FY24, FY24, and H1, but not H100."""


@dataclass
class Names:
    """Replaces names by invented ones; remembers which, for people.

    Args:
        identity: what is replaced in any case.
        tickers: original to invented.
        seed: of the invention.
    """

    identity: Identity
    tickers: dict[str, str]
    seed: int
    replaced: dict[str, str] = field(default_factory=dict)
    """Every spelling that was replaced, with what now stands for it."""

    def __post_init__(self) -> None:
        phrased = {word for first in self.identity.phrases.values() for phrase in first for word in phrase}
        self._taken = self.identity.words | self.identity.capitals | phrased | {t.lower() for t in self.tickers}
        names = {name.upper() for name in self._taken}
        self._codes = frozenset(self.tickers) | frozenset(self.tickers.values()) | names

    def pseudonym(self, word: str) -> str:
        """What stands for a word, in the same case."""
        if word in self.tickers and self.identity.plain_ticker(word):
            return self.tickers[word]
        found = self.replaced.get(word)
        if found is None:
            found = self._invented(word)
            self.replaced[word] = found
        return found

    def _invented(self, word: str) -> str:
        lower = word.lower()
        if any(sign.isdigit() for sign in word) or (word.isupper() and not _is_wordlike(lower)):
            return invented_code(word, self.seed, self._codes)
        if len(word) > 2 and word[:-1].isupper() and word.endswith("s"):
            return invented_code(word[:-1], self.seed, self._codes) + "s"
        if lower not in self._taken and len(lower) > 4 and lower.endswith("s") and not lower.endswith("ss"):
            return _cased(invented_word(lower[:-1], self.seed, self._taken) + "s", word)
        return _cased(invented_word(lower, self.seed, self._taken), word)

    def company_name(self, name: str) -> str:
        """A company's name with its telling words replaced; its line of business and its legal form stay."""
        telling = set(name_words(name))
        edits = [Edit(t.start, t.end, self.pseudonym(t.word)) for t in tokens_of(name) if t.word.lower() in telling]
        return apply(name, [*edits, *self._identifying(name, tokens_of(name))])

    def edits(self, text: str, document: "Reading") -> Iterator[Edit]:
        """The replacements in a text that is part of a document; of two that overlap the earlier one counts."""
        tokens = tokens_of(text)
        yield from self._addresses(text)
        yield from self._identifying(text, tokens)
        for given, name in _people(text, tokens):
            if document.is_surname(name.word):
                yield Edit(given.start, given.end, self.pseudonym(given.word))
        for token in tokens:
            if document.is_name(token.word):
                yield Edit(token.start, token.end, self.pseudonym(token.word))

    def _identifying(self, text: str, tokens: Sequence[Token]) -> Iterator[Edit]:
        for first, behind in self.identity.spans(text, tokens):
            for word, start, end in tokens[first:behind]:
                if behind - first == 1 and word in self.tickers and not self.identity.named(word):
                    yield Edit(start, end, self.tickers[word])
                elif word.lower() not in LEGAL:
                    yield Edit(start, end, self.pseudonym(word))

    def _addresses(self, text: str) -> Iterator[Edit]:
        for match in _addresses(text):
            host = ".".join(
                label if label.lower() in _PUBLIC_LABELS else self.pseudonym(label) for label in match.host.split(".")
            )
            local = f"{self.pseudonym(match.local)}@" if match.local else ""
            yield Edit(match.start, match.end, f"{match.scheme}{local}{host}{match.ending}")
        for found in _FILING.finditer(text):
            whole = (
                not (text[found.start() - 1 : found.start()] + text[found.end() : found.end() + 1])
                .strip("-_ ")
                .isalnum()
            )
            if whole and (found.group().startswith("0") or "-" in found.group()):
                yield Edit(*found.span(), invented_code(found.group(), self.seed))


class Reading:
    """What one document says about its own words; made from its whole text.

    Args:
        text: headline and body.
    """

    def __init__(self, text: str) -> None:
        tokens = tokens_of(text)
        plain = _without_addresses(text)
        written = tokens if plain == text else tokens_of(plain)
        self._lower = {word for word, _, _ in written if len(word) > 2 and word.islower()}
        self._surnames = {name.word.lower() for _, name in _people(text, tokens)}
        self._judged: dict[str, bool] = {}

    def is_surname(self, word: str) -> bool:
        """Whether the document has this as somebody's surname."""
        return word.lower() in self._surnames

    def is_name(self, word: str) -> bool:
        """Whether a word is taken for a name: capitalised, and no word of the language or of this document."""
        found = self._judged.get(word)
        if found is None:
            found = self._judged[word] = self._is_name(word)
        return found

    def _is_name(self, word: str) -> bool:
        if len(word) < 2 or word[0].isdigit() or word.islower() or is_kept(word) or _PERIOD.fullmatch(word):
            return False
        letters = word.rstrip("0123456789")
        if letters != word:
            # "revenue1", "ROTCE1": a footnote's mark, where slides were turned into text
            return not is_kept(letters) and not self._knows(letters.lower())
        lower = word.lower()
        if lower in self._surnames:
            return True
        if word[1:].islower() or word.isupper():
            return not self._knows(lower)
        # capitals inside: JPMorgan, iPhone; GPUs is judged as GPU
        stem = word[:-1]
        return not (word[-1] == "s" and stem.isupper() and (is_kept(stem) or self._knows(stem.lower())))

    def _knows(self, lower: str) -> bool:
        return is_ordinary(lower) or lower in self._lower


def _people(text: str, tokens: Sequence[Token]) -> Iterator[tuple[Token, Token]]:
    """Given names, or honorifics, with the surnames after them."""
    for i, token in enumerate(tokens):
        if not token.word[0].isupper():
            continue
        honorific = token.word in _HONORIFICS
        if not honorific and not _NAME.fullmatch(token.word):
            continue
        name = _surname_after(text, tokens, i)
        if name is None or is_kept(name.word) or (is_kept(token.word) and not honorific):
            continue
        lower = token.word.lower()
        if honorific or is_given(lower) or (not is_ordinary(lower) and _OFFICE.match(text, name.end)):
            yield token, name


def _surname_after(text: str, tokens: Sequence[Token], i: int) -> Token | None:
    """The capitalised word after a token, initials left out; None where something else follows."""
    place = tokens[i].end
    for token in tokens[i + 1 : i + 4]:
        if text[place : token.start] not in {" ", ". "}:
            return None
        if len(token.word) == 1 and token.word.isupper():
            place = token.end
            continue
        return token if _NAME.fullmatch(token.word) else None
    return None


class _Address(NamedTuple):
    start: int
    end: int
    scheme: str
    local: str
    host: str
    """Without its ending."""
    ending: str


def _addresses(text: str) -> Iterator[_Address]:
    """Web and mail addresses; found by their ends, which are rare, and read backwards."""
    for match in _ENDING.finditer(text):
        before = text[max(0, match.start() - _LONGEST_ADDRESS) : match.start()]
        found = _HOST.search(before)
        if found is None:
            continue
        scheme, _, rest = found.group().rpartition("://")
        local, _, host = rest.rpartition("@")
        ending = match.group().removesuffix(match["path"] or "")
        start = match.start() - len(found.group())
        yield _Address(start, match.end(), f"{scheme}://" if scheme else "", local, host, ending)


def _without_addresses(text: str) -> str:
    return apply(text, (Edit(found.start, found.end, " ") for found in _addresses(text)))


def _is_wordlike(lower: str) -> bool:
    """Whether a word in capitals is a name written large rather than an abbreviation."""
    return len(lower) > 3 and any(vowel in lower for vowel in "aeiouy")


def _cased(invented: str, like: str) -> str:
    if like.isupper():
        return invented.upper()
    return invented.capitalize() if any(sign.isupper() for sign in like) else invented
