"""Champion against challenger on the same questions: is one better beyond luck?

The figure is the mean difference of their Brier scores, question by question. Questions of one day share the market,
and outcomes of neighbouring days overlap, so days are resampled in blocks (stationary bootstrap, Politis and Romano
1994) no shorter than an outcome is long.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...agents.models.llama_cpp import LlamaCpp
from ...tools.frozen import Frozen
from ..evaluation.metrics import DegenerateTrack
from ..evaluation.resampling import LEAST, block_length, interval, stationary_places
from .examination import Examined, answers_of, figures
from .exercises import Exercise, TooLittleData, targets_of

DRAWS = 2000
"""Histories of the bootstrap."""
LEVEL = 0.95
"""Of its interval."""
Vector = NDArray[np.float64]


class Gain(Frozen):
    """A mean difference of Brier scores, positive where the challenger is better, with its interval."""

    gain: float
    low: float
    high: float
    days: int
    """Days that were resampled."""
    block: float
    """Mean length of a block, in days."""

    @property
    def better(self) -> bool:
        """Whether the challenger is better beyond noise."""
        return self.low > 0

    @property
    def worse(self) -> bool:
        """Whether it is worse beyond noise."""
        return self.high < 0


class Contest(Frozen):
    """Two adapters on the same questions."""

    before: dict[str, Examined]
    """By agent, the champion."""
    after: dict[str, Examined]
    """The challenger."""
    gain: Gain | None
    """Of all agents together; None where there are too few days to tell it from luck."""


@dataclass(frozen=True)
class Answers:
    """What a mind said to exercises."""

    by_agent: dict[str, Examined]
    losses: Vector
    """(n,) Brier score of each; NaN where it abstained."""


def contest(
    base: Path, champion: Path | None, challenger: Path | None, exam: Sequence[Exercise], *, threads: int, seed: int = 0
) -> Contest:
    """Both adapters of a base on an examination; None is the base as it is."""
    answers = []
    for adapter in (champion, challenger):
        with closing(LlamaCpp(base, threads=threads, adapter=adapter)) as mind:
            answers.append(answers_to(mind, exam))
    before, after = answers
    return Contest(before=before.by_agent, after=after.by_agent, gain=gain_of(exam, before.losses - after.losses, seed))


def answers_to(mind: LlamaCpp, exam: Sequence[Exercise]) -> Answers:
    """A mind's answers, agent by agent."""
    losses, found = np.full(len(exam), np.nan), {}
    for agent in sorted({exercise.sheet.agent for exercise in exam}):
        places = [i for i, exercise in enumerate(exam) if exercise.sheet.agent == agent]
        some = [exam[i] for i in places]
        said, right = answers_of(mind, some), targets_of(some)
        losses[places] = ((said - right) ** 2).sum(axis=1)
        there = np.isfinite(said).all(axis=1)
        if there.any():
            rank = np.array([exercise.rank for exercise in some])[there]
            found[agent] = figures(said[there], right[there], rank, abstained=int((~there).sum()))
    return Answers(found, losses)


def refuse_few_days(exam: Sequence[Exercise]) -> None:
    """Refuse an examination from which nobody could tell skill from luck.

    Raises:
        TooLittleData: it has too few days.
    """
    days = len({exercise.day for exercise in exam})
    if days < LEAST:
        raise TooLittleData(
            f"The examination has questions of {days} days and {LEAST} are needed to tell better from lucky: give "
            "longer sessions, sessions that decide more often, or a larger part to be examined on."
        )


def gain_of(exam: Sequence[Exercise], differences: Vector, seed: int = 0) -> Gain | None:
    """The mean of differences with its interval; None where there are too few days.

    Args:
        exam: what was asked.
        differences: (n,) of each question; NaN where there is none.
        seed: of the bootstrap.
    """
    known = np.isfinite(differences)
    some = [exercise for exercise, there in zip(exam, known, strict=True) if there]
    # what has no day is its own piece of news
    where_of = [(e.day, i if e.day == date.min else 0) for i, e in enumerate(some)]
    days = sorted(set(where_of))
    if len(days) < LEAST:
        return None
    place = {day: i for i, day in enumerate(days)}
    where = np.array([place[key] for key in where_of])
    sums = np.bincount(where, weights=differences[known], minlength=len(days))
    counts = np.bincount(where, minlength=len(days))
    length = _block(some, [day for day, _ in days], sums / counts)
    rows = stationary_places(len(days), DRAWS, length, np.random.default_rng(seed))
    drawn = sums[rows].sum(axis=1) / counts[rows].sum(axis=1)
    low, high = interval(drawn, LEVEL)
    return Gain(gain=float(sums.sum() / counts.sum()), low=low, high=high, days=len(days), block=round(length, 2))


def _block(exam: Sequence[Exercise], days: Sequence[date], means: Vector) -> float:
    """The block length that the data ask for, and at least the days that the longest outcome spans."""
    spans = {(exercise.day, exercise.known) for exercise in exam}
    longest = max(sum(day < other < known for other in days) + 1 for day, known in spans)
    try:
        asked = block_length(means)
    except DegenerateTrack:  # no difference on any day
        asked = 1.0
    return min(max(asked, float(longest)), len(days) / 3)
