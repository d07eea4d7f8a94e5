"""What identifies the companies of a data set: names, tickers, brands, people, as words and phrases to look for.

A word that is no ordinary one counts in any case (nvidia, NVIDIA); an ordinary word (Apple, Chase) counts with a
capital only; a phrase of ordinary words (Best Buy) counts as a whole. A ticker counts in capitals, and where it is
short or an ordinary word (A, T, ALL) only where the text says that it is a ticker.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from ..records import Dataset
from .words import is_kept, is_ordinary

TOKEN = re.compile(r"[^\W_]+")
"""A run of letters and digits."""

_LEGAL = """
inc incorporated corp corporation co company companies com ltd limited plc llc lp llp sa ag se nv holding holdings group
trust the and of for de del la new class common stock etf fund a b c
"""
LEGAL = frozenset(_LEGAL.split())
"""Words of a company's name that say nothing about which company it is; in a phrase they may be in lower case."""
_SHORT_TICKER = 2
_SHORT_WORD = 3
"""Letters up to which an ordinary word (AT&T) is no name by itself."""
_WIDEST_GAP = 3
"""Characters between two words of a phrase: a space, `&` or a dot, an apostrophe, a hyphen."""
_SAID_TICKER = re.compile(
    r"(?:\b(?:NYSE|N[Aa][Ss][Dd][Aa][Qq]|AMEX|OTC\w*|LSE|[Tt]icker|[Ss]ymbols?)(?:\s\w+)?\s?[:\u201c\"(|]{1,2}\s?"
    r"[\u201c\"]?(?:[A-Z]+,\s)*|[A-Za-z.]\s\(|\$)$"
)
"""What stands before a ticker: `NYSE: `, a bracket after a name, `$`."""


class Token(NamedTuple):
    """A word of a text."""

    word: str
    start: int
    end: int


def tokens_of(text: str) -> list[Token]:
    """The runs of letters and digits of a text."""
    return [Token(match[0], *match.span()) for match in TOKEN.finditer(text)]


@dataclass(frozen=True)
class Identity:
    """Everything to look for."""

    tickers: frozenset[str]
    """All instruments of the data set."""
    words: frozenset[str]
    """Lower case; count in any case."""
    capitals: frozenset[str]
    """Lower case, ordinary; count with a capital first letter or in capitals throughout."""
    phrases: dict[str, tuple[tuple[str, ...], ...]]
    """Lower case, by first word, longest first; count as a whole, each word with a capital."""
    beginnings: frozenset[str]
    """Lower case: everything that anything to look for begins with."""

    def named(self, word: str) -> bool:
        """Whether a word by itself names a company, a brand or a person."""
        lower = word.lower()
        if lower in self.words or (lower in self.capitals and word[:1].isupper()):
            return True
        # iPhones
        return lower.endswith("s") and lower[:-1] in self.words

    def plain_ticker(self, word: str) -> bool:
        """Whether a word by itself is read as a ticker."""
        return word in self.tickers and _telling(word)

    def spans(self, text: str, tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
        """What of this stands in a text: indices of the first token and behind the last, longest first."""
        for i, token in enumerate(tokens):
            lower = token.word.lower()
            if lower not in self.beginnings and lower[:-1] not in self.words:
                continue
            width = self._phrase_at(text, tokens, i)
            if width:
                yield i, i + width
            elif self.plain_ticker(token.word) or self.named(token.word) or self._said_ticker(text, token):
                yield i, i + 1

    def found_in(self, text: str) -> list[str]:
        """What of this a text holds, in order of place, each spelling once."""
        tokens = tokens_of(text)
        return list(dict.fromkeys(text[tokens[i].start : tokens[j - 1].end] for i, j in self.spans(text, tokens)))

    def _said_ticker(self, text: str, token: Token) -> bool:
        return token.word in self.tickers and bool(_SAID_TICKER.search(text[max(0, token.start - 40) : token.start]))

    def _phrase_at(self, text: str, tokens: Sequence[Token], i: int) -> int:
        """How many tokens the longest phrase that begins at a token has; 0 for none."""
        for phrase in self.phrases.get(tokens[i].word.lower(), ()):
            part = tokens[i : i + len(phrase)]
            if tuple(token.word.lower() for token in part) != phrase:
                continue
            capital = all(t.word in LEGAL or not t.word[0].islower() for t in part)
            gaps = [text[a.end : b.start] for a, b in pairwise(part)]
            if capital and all(len(gap) <= _WIDEST_GAP and "|" not in gap for gap in gaps):
                return len(phrase)
        return 0


def identity_of(dataset: Dataset) -> Identity:
    """What identifies the companies and instruments of a data set.

    Reads the table of companies and the built-in aliases (`aliases.toml`), never the documents: what is published
    later cannot change it.
    """
    found = _Collected(set(), set(), set())
    for ticker, company in dataset.companies.items():
        if company.name != ticker:
            found.add_name(company.name)
        for alias in company.aliases:
            found.add_alias(alias)
    for ticker in dataset.bars.tickers:
        if TOKEN.fullmatch(ticker) is None:
            found.add_alias(ticker)  # BRK.B is two words
        for alias in _built_in().get(ticker, ()):
            found.add_alias(alias)
    phrases: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    for phrase in sorted(found.phrases, key=lambda words: (-len(words), words)):
        phrases[phrase[0]].append(phrase)
    return Identity(
        tickers=frozenset(dataset.bars.tickers),
        words=frozenset(found.words),
        capitals=frozenset(found.capitals),
        phrases={first: tuple(rest) for first, rest in phrases.items()},
        beginnings=frozenset(found.words | found.capitals | set(phrases) | {t.lower() for t in dataset.bars.tickers}),
    )


def name_words(name: str) -> list[str]:
    """The words of a company's name that tell which company it is, lower case: the strange ones, if there are any."""
    telling = [word for word in TOKEN.findall(name.lower()) if word not in LEGAL and len(word) > 1]
    return [word for word in telling if not is_ordinary(word)] or telling


class _Collected(NamedTuple):
    words: set[str]
    capitals: set[str]
    phrases: set[tuple[str, ...]]

    def add_name(self, name: str) -> None:
        telling = name_words(name)
        if telling and not any(is_ordinary(word) for word in telling):
            self.words.update(telling)
        elif len(telling) == 1 and len(telling[0]) > _SHORT_WORD:
            self.capitals.update(telling)
        else:
            whole = TOKEN.findall(name.lower())
            while len(whole) > 1 and whole[-1] in LEGAL:
                whole.pop()
            while len(whole) > 1 and whole[0] in LEGAL:
                whole.pop(0)
            if len(whole) > 1 or len(name) > _SHORT_WORD:
                self.phrases.add(tuple(whole))

    def add_alias(self, alias: str) -> None:
        words = TOKEN.findall(alias.lower())
        if len(words) == 1:
            (self.capitals if is_ordinary(words[0]) else self.words).add(words[0])
        elif words:
            self.phrases.add(tuple(words))


def _telling(ticker: str) -> bool:
    if len(ticker) <= _SHORT_TICKER or ticker.isdigit():  # 7203 can be any number
        return False
    return not is_ordinary(ticker.lower()) and not is_kept(ticker)


@cache
def _built_in() -> dict[str, tuple[str, ...]]:
    with (Path(__file__).parent / "aliases.toml").open("rb") as file:
        return {ticker: tuple(table["aliases"]) for ticker, table in tomllib.load(file).items()}
