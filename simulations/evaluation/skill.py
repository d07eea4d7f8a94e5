"""How good each agent's signals were, once their horizon had passed; for people, while the desk has its calibration.

The outcome of a signal is the return over its horizon beyond the universe's mean. Its score, in [-1, 1], is what the
information coefficient correlates with it; its probability of a rise beyond the mean (buy and strong buy, and half of
hold) is what the Brier score and the calibration error judge. Intervals resample decisions, not signals, in blocks as
long as a horizon: what is said of eight names on one day, or of one name on overlapping months, is not independent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .document import Skill
from .figures import Estimate
from .metrics import DegenerateTrack
from .record import SessionRecord
from .resampling import interval, stationary_places

Vector = NDArray[np.float64]
BINS = 10
LEAST_DECISIONS = 4
"""Decisions with outcomes below which an interval would be invented."""


@dataclass(frozen=True)
class Judged:
    """Signals whose outcome is known, as columns of equal length."""

    decision: NDArray[np.int64]
    score: Vector
    probability: Vector
    """Of a return beyond the universe's mean."""
    outcome: Vector

    def __getitem__(self, rows: NDArray[np.int64]) -> "Judged":
        return Judged(self.decision[rows], self.score[rows], self.probability[rows], self.outcome[rows])


def skills_of(record: SessionRecord, draws: int, seed: int) -> tuple[Skill, ...]:
    """The record of every agent that spoke."""
    final = {(s.agent, s.ticker, s.decision): s for s in record.signals}
    agents = list(dict.fromkeys(s.agent for s in record.signals))
    found = []
    for agent in agents:
        mine = [s for key, s in final.items() if key[0] == agent]
        judged = judged_of(record, agent)
        horizon = next((s.signal["horizon_days"] for s in mine), 1)
        blocks = max(1.0, horizon * len(record.window.decisions) / len(record.window.sessions))
        estimates = estimates_of(judged, blocks, draws, seed)
        found.append(
            Skill(
                agent=agent,
                signals=sum(not s.abstained for s in mine),
                abstained=sum(s.abstained for s in mine),
                judged=len(judged.score),
                ic=estimates[0],
                hit_rate=estimates[1],
                brier=estimates[2],
                calibration_error=estimates[3],
            )
        )
    return tuple(found)


def judged_of(record: SessionRecord, agent: str) -> Judged:
    """An agent's signals with known outcomes, by decision."""
    final = {(s.ticker, s.decision): s.signal for s in record.signals if s.agent == agent}
    rows = [e for e in record.resolved if e.agent == agent]
    return Judged(
        decision=np.array([e.issued_in for e in rows], dtype=np.int64),
        score=np.array([e.score for e in rows], dtype=float),
        probability=np.array([_rise(final[e.ticker, e.issued_in]["probabilities"]) for e in rows], dtype=float),
        outcome=np.array([e.outcome for e in rows], dtype=float),
    )


def _rise(probabilities: dict[str, float]) -> float:
    return probabilities["buy"] + probabilities["strong_buy"] + probabilities["hold"] / 2


def estimates_of(judged: Judged, blocks: float, draws: int, seed: int) -> tuple[Estimate | None, ...]:
    """IC, hit rate, Brier score and calibration error with intervals; None where one does not exist.

    Args:
        judged: the signals.
        blocks: mean length of the blocks of decisions that are drawn together.
        draws: resampled histories.
        seed: of the resampling.
    """
    groups = decisions_of(judged.decision)
    drawn: list[Judged] = []
    if len(groups) >= LEAST_DECISIONS:
        places = stationary_places(len(groups), draws, blocks, np.random.default_rng(seed))
        drawn = [judged[np.concatenate([groups[i] for i in row])] for row in places]
    return tuple(_estimate(figure, judged, drawn) for figure in (correlation, hits, brier, calibration_error))


def decisions_of(decision: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The rows of each decision, ascending: what is drawn together."""
    return [np.flatnonzero(decision == each) for each in np.unique(decision)]


def _estimate(figure: Callable[[Judged], float], judged: Judged, drawn: Sequence[Judged]) -> Estimate | None:
    value = figure(judged) if len(judged.score) else float("nan")
    if not np.isfinite(value):
        return None
    try:
        low, high = interval(np.array([figure(sample) for sample in drawn]))
    except DegenerateTrack:
        return Estimate(value=value)
    return Estimate(value=value, low=low, high=high)


def correlation(judged: Judged) -> float:
    """Pearson's, NaN where scores or outcomes do not vary."""
    if len(judged.score) < 3 or np.ptp(judged.score) <= 1e-12 or np.ptp(judged.outcome) <= 1e-12:
        return float("nan")
    return float(np.corrcoef(judged.score, judged.outcome)[0, 1])


def hits(judged: Judged) -> float:
    """Share of scores with the outcome's sign, of those where both have one."""
    signs = np.sign(judged.score) * np.sign(judged.outcome)
    told = signs != 0
    return float((signs[told] > 0).mean()) if told.any() else float("nan")


def brier(judged: Judged) -> float:
    """Mean squared distance of the probability from what happened (1 for a rise, else 0)."""
    return float(((judged.probability - (judged.outcome > 0)) ** 2).mean())


def calibration_error(judged: Judged) -> float:
    """Distance of mean probability and frequency, weighted by how many signals fall into each tenth of [0, 1]."""
    bins = np.minimum((judged.probability * BINS).astype(int), BINS - 1)
    happened = (judged.outcome > 0).astype(float)
    gaps = [
        (bins == b).mean() * abs(judged.probability[bins == b].mean() - happened[bins == b].mean())
        for b in np.unique(bins)
    ]
    return float(np.sum(gaps))
