"""Invented names: companies, tickers, cities, people, products. Pronounceable, unique, and new with every seed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from .industries import SECTORS

INDEX_TICKER = "LABX"
"""The index fund of a laboratory's companies."""

_T = TypeVar("_T")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ONSETS = _words("b br c cl d dr f fl g gr h j k l m n p pr qu r s sk st t tr v w z")
_VOWELS = _words("a e i o u a e o ae ei io ou")
_MIDDLES = _words("l ld lm lt m mb n nd nt r rd rl rv rt sk st th v x z nn ll ss")
_ENDINGS = _words("an ar ax el en er eth ia ic iel im in is ix on or os oth um us wick ane iq ent")
_TOWNS = _words("ford ton mere stad burgh haven field wold port bridge dale holm")
_FIRST_ENDINGS = _words("a an e en ia in is o on us yn")


@dataclass(frozen=True)
class Identity:
    """Who a company is."""

    ticker: str
    name: str
    sector: str
    industry: str
    filer_id: str
    """Ten digits, the first part of its accession numbers."""
    city: str
    chief: str
    product: str
    market_served: str


class Namer:
    """Names companies one after another; a name depends on the ones before, never on those to come.

    Args:
        stream: the random numbers of the n-th company's names.
        sectors: how many sectors there are.
    """

    def __init__(self, stream: Callable[[int], np.random.Generator], sectors: int) -> None:
        self._stream = stream
        self._sectors = tuple(SECTORS)[:sectors]
        self._stems: set[str] = set()
        self._tickers = {INDEX_TICKER}

    def next(self, number: int) -> Identity:
        """The identity of company `number` (0, 1, ...); asked for in order."""
        rng = self._stream(number)
        sector = self._sectors[number % len(self._sectors)]
        industry = _pick(rng, SECTORS[sector])
        stem = self._unused(rng, self._stems, _stem)
        ticker = self._unused(rng, self._tickers, lambda rng: _ticker(stem, rng))
        return Identity(
            ticker=ticker,
            name=f"{stem} {_pick(rng, industry.suffixes)}",
            sector=sector,
            industry=industry.name,
            filer_id=f"00098{number + 1:05d}",
            city=_stem(rng)[:6].rstrip("aeiou") + _pick(rng, _TOWNS),
            chief=f"{_first_name(rng)} {_stem(rng)}",
            product=_pick(rng, industry.products),
            market_served=_pick(rng, industry.markets),
        )

    @staticmethod
    def _unused(rng: np.random.Generator, taken: set[str], draw: Callable[[np.random.Generator], str]) -> str:
        while (name := draw(rng)) in taken:
            pass
        taken.add(name)
        return name


def _pick(rng: np.random.Generator, choices: tuple[_T, ...]) -> _T:
    return choices[int(rng.integers(len(choices)))]


def _stem(rng: np.random.Generator) -> str:
    """Two or three syllables: `Brelvanax`, `Quoster`."""
    middle = _pick(rng, _VOWELS) + _pick(rng, _MIDDLES) if rng.random() < 0.35 else ""
    return (_pick(rng, _ONSETS) + _pick(rng, _VOWELS) + _pick(rng, _MIDDLES) + middle + _pick(rng, _ENDINGS)).title()


def _first_name(rng: np.random.Generator) -> str:
    return (_pick(rng, _ONSETS) + _pick(rng, _VOWELS) + _pick(rng, _MIDDLES)[0] + _pick(rng, _FIRST_ENDINGS)).title()


def _ticker(stem: str, rng: np.random.Generator) -> str:
    """Four letters: the first of the stem, then others in their order, consonants where there are enough."""
    letters = stem.upper()
    if rng.random() < 0.02:
        # a way out where all others are taken
        return letters[0] + "".join("BCDFGHJKLMNPQRSTVWXZ"[int(n)] for n in rng.integers(20, size=3))
    consonants = [i for i in range(1, len(letters)) if letters[i] not in "AEIOU"]
    usable = consonants if len(consonants) >= 3 and rng.random() < 0.9 else range(1, len(letters))
    kept = sorted(int(i) for i in rng.choice(np.array(usable), size=3, replace=False))
    return letters[0] + "".join(letters[i] for i in kept)
