"""Invented words, tickers, codes and factors: each depends on the seed and on what it replaces, on nothing else.

So the same word has the same pseudonym in every text and every session with that seed, and what is published later
cannot change a pseudonym. Nothing here is a secret: whoever has the data set and the seed can invent the same again.
"""

import hashlib
import math
from collections.abc import Collection, Sequence

from .words import is_given, is_kept, is_ordinary

_BEGINNINGS = """
b br c cl d dr f fl g gl h j k l m n p pr qu r s st t tr v w z
"""
_ONSETS = tuple(_BEGINNINGS.split())
_NUCLEI = ("a", "e", "i", "o", "u", "ea", "ia")
_MIDDLES = ("", "", "l", "n", "r", "s")
_CODAS = ("", "l", "n", "r", "s", "x", "nd", "rt", "lm", "sk", "th")
_COARSE = (
    "ass",
    "cum",
    "cun",
    "dic",
    "fag",
    "fuc",
    "fuk",
    "fux",
    "kil",
    "naz",
    "nig",
    "pis",
    "rap",
    "sex",
    "shi",
    "sla",
    "tit",
    "wan",
)
"""Fragments that a reader would stumble over."""
_CONSONANTS = "BCDFGHJKLMNPQRSTVWXZ"
_TICKER_LETTERS = 4
_LEAST_LETTERS = 5

FACTOR_RANGE = (0.2, 5.0)
"""Least and greatest factor of a company's levels."""
_TOO_NEAR = 0.1
"""A factor this near to 1 would leave the levels what they were."""


def draw(seed: int, *what: str) -> int:
    """256 bits that depend on the seed and on `what` alone."""
    text = "\x1f".join((str(seed), *what))
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")


def invented_word(word: str, seed: int, taken: Collection[str] = ()) -> str:
    """A pronounceable lower-case word that is no ordinary word, no known name and none of `taken`.

    One of 2.6 million, or of 2.9 thousand million for a word of `taken`: the names of companies must not meet.
    """
    for attempt in range(1000):
        number = draw(seed, "word", word, str(attempt))
        syllables = []
        for middle in (True, False) if word not in taken else (True, True, False):
            for part in (_ONSETS, _NUCLEI, _MIDDLES if middle else _CODAS):
                number, choice = divmod(number, len(part))
                syllables.append(part[choice])
        found = "".join(syllables)
        real = found in taken or is_ordinary(found) or is_given(found) or is_kept(found)
        if len(found) >= _LEAST_LETTERS and not real and not any(part in found for part in _COARSE):
            return found
    raise AssertionError("a thousand invented words cannot all be taken")


def invented_code(code: str, seed: int, taken: Collection[str] = ()) -> str:
    """Another abbreviation or model number: consonants for letters, digits for digits, all else as it was."""
    for attempt in range(1000):
        number = draw(seed, "code", code, str(attempt))
        found = ""
        for sign in code:
            if sign.isalpha():
                number, choice = divmod(number, len(_CONSONANTS))
                found += _CONSONANTS[choice] if sign.isupper() else _CONSONANTS[choice].lower()
            elif sign.isdigit():
                number, choice = divmod(number, 9)
                found += str(choice + 1)
            else:
                found += sign
        if found != code and found not in taken and not is_kept(found) and not is_ordinary(found.lower()):
            return found
    raise AssertionError("a thousand invented codes cannot all be taken")


def invented_tickers(tickers: Sequence[str], seed: int, avoid: Collection[str]) -> dict[str, str]:
    """A ticker for each of `tickers`, in the same alphabetical order.

    The order is kept so that whatever is sorted by ticker stays in its place: a session that differs from another in
    its names alone then comes to the same orders.
    """
    found: set[str] = set()
    attempt = 0
    while len(found) < len(tickers):
        number, letters = draw(seed, "ticker", str(attempt)), ""
        attempt += 1
        for _ in range(_TICKER_LETTERS):
            number, choice = divmod(number, len(_CONSONANTS))
            letters += _CONSONANTS[choice]
        if letters not in avoid and letters not in tickers and not is_kept(letters):
            found.add(letters)
    return dict(zip(sorted(tickers), sorted(found), strict=True))


def invented_id(kind: str, original: str, seed: int) -> str:
    """An opaque id, such as `doc-4f1c09a2be77`."""
    return f"{kind}-{draw(seed, kind, original) % (1 << 48):012x}"


def level_factor(ticker: str, seed: int) -> float:
    """The factor of a company's levels: log-uniform over `FACTOR_RANGE`, not within a tenth of 1."""
    low, high = (math.log(edge) for edge in FACTOR_RANGE)
    for attempt in range(1000):
        share = draw(seed, "level", ticker, str(attempt)) / (1 << 256)
        factor = math.exp(low + share * (high - low))
        if abs(factor - 1) > _TOO_NEAR:
            return factor
    raise AssertionError("a thousand factors cannot all be near 1")
