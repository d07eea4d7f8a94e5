"""Sentences of a release that are not about the issuer: a foreign body by their mood and topic, whoever wrote them.

A release tells of a business, in the third person or as `we`, by statements. A sentence that gives an order, speaks to
its reader or of its own text, uses the words of those who rate and trade, is code, a form or a heap of words, names the
company by its bare ticker, or is in another language than the rest, is no evidence about that business, even where it
means no harm. The rules are in `address.toml`; that a sentence means harm is the concern of `instructions`.

What a document does throughout is its style: letters say `you` and `I`, newswires name tickers. These three count only
where they are rare in their document.
"""

import re
import tomllib
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from ..names import short_name
from .instructions import narrowed, plain
from .passages import Piece, parts, trimmed

RARE_SENTENCES, RARE_SHARE = 2, 0.015
"""So many sentences of a document, or this share of them if that is more, are no style yet."""
NAME = "\ue000"
"""What stands for the company's name."""
_MARKS = 3
_YOU = re.compile(r"(?<!thank )\b(?:you(?! can see\b| know\b)|your|yours|yourself|yourselves)\b", re.I)
_MYSELF = re.compile(r"\bI(?:['\u2019](?:m|ve|d|ll)\b| (?!to\b|of\b|and\b|through\b)[a-z])|\b[Mm]y\b")
_QUOTED = re.compile('["\u201c\u201d]')
_LETTERS = re.compile(r"[^\W\d_]")
_STRANGE_LETTER = re.compile("[^\\W\\d_A-Za-z\u00c0-\u024f]")
_WORD = re.compile(r"[a-z\u00e0-\u024f]+")
ENGLISH_CHARACTERS = 4000
"""Of a text's beginning, by which its language is told."""
_ENGLISH_SHARE = 0.15
"""Of common words among all words, from which on a document is English."""
_FOREIGN_WORDS = 5
"""A sentence of so many words, none common in English, is in another language if words of that one are in it."""
_FOREIGN = re.compile(
    r"\b(?:der|die|das|und|ist|sehr|nicht|zu|mit|ein|eine|dieser|diese|dieses|le|la|les|des|du|est|un|une|cette|dans|pour|avec|el"
    r"|los|las|una|esta|este|muy|para|con|il|gli|questo|questa|molto|della|uma|muito)\b"
)


_CODE = re.compile(r"[{}=_<>\[:]|, \w+, \w+, ")


class _Rules(NamedTuple):
    triggers: frozenset[str]
    """Without any of these words, and without code, a sentence is not compared with the rules."""
    rules: tuple[re.Pattern[str], ...]
    boilerplate: tuple[re.Pattern[str], ...]
    common: frozenset[str]


@cache
def _rules() -> _Rules:
    """What `address.toml` says."""
    table = tomllib.loads(files(__package__).joinpath("address.toml").read_text(encoding="utf-8"))

    def compiled(pattern: str) -> re.Pattern[str]:
        for name, words in table["words"].items():
            pattern = pattern.replace(f"@{name}@", words)
        return re.compile(pattern, re.I)

    return _Rules(
        frozenset(table["triggers"].split()),
        tuple(compiled(pattern) for family in table["rules"].values() for pattern in family),
        tuple(compiled(pattern) for pattern in table["boilerplate"]["patterns"]),
        frozenset(table["english"]["common"].split()),
    )


def addresses_in(text: str, ticker: str = "", name: str = "") -> tuple[Piece, ...]:
    """Where the sentences stand that are not about the issuer, in the order of the text.

    Args:
        text: of a document about one company; nothing else decides.
        ticker: of the company; none to leave its bare mention alone.
        name: of the company: a ticker that is part of it, or its initials, is a name like any other.
    """
    found = [piece for part in parts(text, Piece(0, len(text))) if (piece := trimmed(text, part)).end > piece.start]
    seen = [_seen(text[start:end], name) for start, end in found]
    by_ticker = _by_ticker(ticker, name)
    marks = [_marks(said, by_ticker) for said in seen]
    most = max(RARE_SENTENCES, int(RARE_SHARE * len(seen)))
    rare = tuple(i for i in range(_MARKS) if sum(mark[i] for mark in marks) <= most)

    def is_marked(said: str) -> bool:
        mark = _marks(said, by_ticker)
        return any(mark[i] for i in rare)

    def tells(part: str) -> bool:
        said = _seen(part, name)
        return is_address(said) or is_marked(said)

    english = _is_english(text[:ENGLISH_CHARACTERS])
    told = []
    for i, (piece, said) in enumerate(zip(found, seen, strict=True)):
        if is_address(said) or any(marks[i][mark] for mark in rare):
            told.append(narrowed(text, piece, tells))
        elif english and _is_foreign(text[piece.start : piece.end]):
            told.append(piece)
    return tuple(told)


def _seen(text: str, name: str) -> str:
    """A sentence as a reader sees it, with a sign for the company's name."""
    said = " ".join(plain(text).split())
    short = short_name(name)
    return re.sub(rf"(?i)\b{re.escape(short)}\b", NAME, said) if short else said


@lru_cache(maxsize=65536)
def is_address(sentence: str) -> bool:
    """Whether a sentence speaks to its reader, of its text, or of rating and trading, whatever stands around it."""
    known = _rules()
    if known.triggers.isdisjoint(_WORD.findall(sentence.lower())) and not _CODE.search(sentence):
        return False
    return any(rule.search(sentence) for rule in known.rules)


def _is_boilerplate(sentence: str) -> bool:
    return any(pattern.search(sentence) for pattern in _rules().boilerplate)


def _marks(said: str, by_ticker: re.Pattern[str] | None) -> tuple[bool, bool, bool]:
    """Whether a sentence says `you`, `I` outside of a quotation, or the bare ticker."""
    return (
        _YOU.search(said) is not None and not _is_boilerplate(said),
        _MYSELF.search(said) is not None and _QUOTED.search(said) is None,
        by_ticker is not None and by_ticker.search(said) is not None,
    )


@lru_cache(maxsize=1024)
def _by_ticker(ticker: str, name: str) -> re.Pattern[str] | None:
    """The ticker used as a name, and not as `(NYSE: TICKER)`; None where it is one."""
    words = re.findall(r"\w+", name.upper())
    if len(ticker) < 2 or ticker.upper() in words or "".join(word[0] for word in words).startswith(ticker.upper()):
        return None
    return re.compile(rf"(?<![\w(:.@/|\u201c\"$-])(?<!: )(?<!\| )\b{re.escape(ticker)}\b(?!\s?[)|\u201d\"@;]|\w)")


def _is_english(text: str) -> bool:
    words = _WORD.findall(text.lower())
    return bool(words) and sum(word in _rules().common for word in words) >= _ENGLISH_SHARE * len(words)


def _is_foreign(sentence: str) -> bool:
    """Whether a sentence is in another language, by its letters or by its commonest words."""
    if not sentence.isascii():
        strange = len(_STRANGE_LETTER.findall(sentence))
        if strange > 5 and strange > len(_LETTERS.findall(sentence)) / 2:
            return True
    lower = sentence.lower()
    if len(_FOREIGN.findall(lower)) < 2:
        return False
    words = _WORD.findall(lower)
    return len(words) >= _FOREIGN_WORDS and _rules().common.isdisjoint(words)
