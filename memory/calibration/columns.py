"""The outcomes of one agent with one mind as arrays, in the order in which they became known."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from ..outcome import DIRECTIONS, Key, Outcome, directional

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

Row = tuple[datetime, Key, str, float, float, float, tuple[float, float, float], int]
"""Known at, key, regime, score, surprise, weight, probabilities, direction that came: what a column is made of."""


def row_of(outcome: Outcome) -> Row:
    """What calibration takes from an outcome; rows sort by the time at which they became known, then by their keys."""
    return (
        outcome.available_at.astimezone(UTC),
        outcome.key(),
        outcome.regime,
        outcome.score,
        outcome.surprise,
        outcome.weight,
        directional(outcome.probabilities),
        DIRECTIONS.index(outcome.came),
    )


def turn_of(row: Row) -> tuple[datetime, Key]:
    """What rows are sorted by."""
    return row[:2]


@dataclass(frozen=True)
class Columns:
    """n outcomes."""

    known: tuple[datetime, ...]
    """(n,) when they became known, ascending (UTC)."""
    about: tuple[Hashable, ...]
    """(n,) market, ticker and session that they are about: the same for all agents."""
    regimes: NDArray[np.str_]
    """(n,) state of the market when they were issued."""
    scores: Floats
    surprises: Floats
    weights: Floats
    probabilities: Floats
    """(n, 3) in the order of `DIRECTIONS`."""
    came: Places
    """(n,) the direction that came, as its place in that order."""

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Columns":
        """The columns of rows in any order."""
        held = sorted(rows, key=turn_of)
        known, keys, regimes, scores, surprises, weights, probabilities, came = (
            zip(*held, strict=True) if held else [()] * 8
        )
        return cls(
            known=tuple(known),
            about=tuple((market, ticker, day) for market, _, _, ticker, day, _ in keys),
            regimes=np.array(regimes, dtype=np.str_),
            scores=np.array(scores, dtype=np.float64),
            surprises=np.array(surprises, dtype=np.float64),
            weights=np.array(weights, dtype=np.float64),
            probabilities=np.array(probabilities, dtype=np.float64).reshape(-1, 3),
            came=np.array(came, dtype=np.int64),
        )

    def followed_by(self, later: "Columns") -> "Columns":
        """These outcomes and others that became known after them."""
        return Columns(
            known=self.known + later.known,
            about=self.about + later.about,
            regimes=np.concatenate([self.regimes, later.regimes]),
            scores=np.concatenate([self.scores, later.scores]),
            surprises=np.concatenate([self.surprises, later.surprises]),
            weights=np.concatenate([self.weights, later.weights]),
            probabilities=np.concatenate([self.probabilities, later.probabilities]),
            came=np.concatenate([self.came, later.came]),
        )

    def chosen(self, rows: slice | NDArray[np.bool_]) -> "Columns":
        """Some of the outcomes, in the same order."""
        places = np.arange(len(self))[rows].tolist()
        return Columns(
            known=tuple(self.known[i] for i in places),
            about=tuple(self.about[i] for i in places),
            regimes=self.regimes[rows],
            scores=self.scores[rows],
            surprises=self.surprises[rows],
            weights=self.weights[rows],
            probabilities=self.probabilities[rows],
            came=self.came[rows],
        )
