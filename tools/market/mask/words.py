"""What is an ordinary word, a given name, a term to keep, whatever the text.

Ordinary are the frequent words of an installed dictionary (`dictionary.py`) but given names and other names, and words
of our own (`vocabulary.toml`).
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from .dictionary import capitalised_words, frequent_words

_ENDINGS = ("s", "es", "d", "ed", "ing", "ly", "er", "ers", "able", "ness", "wide", "less")
_BEGINNINGS = ("non", "un", "re", "pre", "multi", "sub", "over", "inter", "mis", "anti", "super", "micro", "cyber")
_SHORTEST_STEM = 4
"""Letters; shorter stems make almost anything an ordinary word."""


class _Lists(NamedTuple):
    ordinary: frozenset[str]
    given: frozenset[str]
    kept: frozenset[str]
    names: frozenset[str]


@cache
def _lists() -> _Lists:
    with (Path(__file__).parent / "vocabulary.toml").open("rb") as file:
        read = tomllib.load(file)
    return _Lists(*(frozenset(read[name].split()) for name in _Lists._fields))


@cache
def _ordinary() -> frozenset[str]:
    return (frequent_words() - _names()) | _lists().ordinary


@cache
def _names() -> frozenset[str]:
    return capitalised_words() | _lists().given | _lists().names


@cache
def is_ordinary(word: str) -> bool:
    """Whether a lower-case word belongs to the language, as it stands or by a common ending or beginning."""
    ordinary = _ordinary()
    if word in ordinary:
        return True
    if word in _names():
        return False
    stems = [word.removesuffix(end) for end in _ENDINGS if word.endswith(end)]
    stems += [stem + "e" for stem in stems] + [stem[:-1] for stem in stems if stem[-1:] == stem[-2:-1]]
    stems += [word[:-3] + "y"] if word.endswith("ies") else []
    stems += [word.removeprefix(start) for start in _BEGINNINGS if word.startswith(start)]
    return any(len(stem) >= _SHORTEST_STEM and stem in ordinary for stem in stems)


def is_given(word: str) -> bool:
    """Whether a lower-case word is a common given name."""
    return word in _lists().given


@cache
def is_kept(word: str) -> bool:
    """Whether a capitalised word or an abbreviation stays as it is, in this case or in capitals throughout."""
    kept = _lists().kept
    return word in kept or (word.isupper() and len(word) > 3 and word in _kept_capitals())


@cache
def _kept_capitals() -> frozenset[str]:
    return frozenset(word.upper() for word in _lists().kept)
