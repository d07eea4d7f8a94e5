"""How well a mind answers exercises: asked exactly as the desk asks, scored against what was right."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ...agents.models.core import ModelCore
from ...agents.signals import STANCE_SCORE, STANCES
from ...tools.frozen import Frozen
from .exercises import Exercise, refuse_poor, requests_of, targets_of

BINS = 10
"""Of the expected calibration error, equally wide."""
VALUES = np.array([STANCE_SCORE[stance] for stance in STANCES])
"""What the five stances count in a score."""


class Examined(Frozen):
    """Of a mind on exercises whose answer is known."""

    exercises: int
    abstained: int
    """Questions without an answer; they are in no figure below."""
    accuracy: float
    majority: float
    """Accuracy of always giving the most frequent answer."""
    macro_f1: float
    """Mean over the answers that occur or were given of 2 TP / (2 TP + FP + FN)."""
    brier: float
    """Mean of the sum over options of (p - y)^2, 0..2 (Brier 1950)."""
    base_brier: float
    """That of the answers' frequencies, which know nothing of the question."""
    ece: float
    """Expected calibration error over ten bins of the top probability (Guo et al. 2017, eq. 3)."""
    ic: float | None = Field(default=None)
    """Pearson correlation of scores (-1..1) with the figures behind the answers; None where one of them is constant."""


def examine(mind: ModelCore, exercises: Sequence[Exercise]) -> Examined:
    """The figures of a mind on exercises with the same options.

    Raises:
        TooLittleData: there are none.
        OneClass: all have the same answer.
    """
    refuse_poor(exercises, 1, "to be examined on")
    found = answers_of(mind, exercises)
    answered = np.isfinite(found).all(axis=1)
    return figures(
        found[answered],
        targets_of(exercises)[answered],
        np.array([exercise.rank for exercise in exercises])[answered],
        abstained=int((~answered).sum()),
    )


def answers_of(mind: ModelCore, exercises: Sequence[Exercise]) -> NDArray[np.float64]:
    """(n, options) the mind's distributions; a row of NaN where it abstained."""
    found = np.full((len(exercises), len(exercises[0].sheet.options)), np.nan)
    for request, places in requests_of(exercises):
        for place, answer in zip(places, mind.answer(request).answers, strict=True):
            if answer.failure is None:
                found[place] = [answer.probabilities[option] for option in request.options]
    return found


def figures(
    found: NDArray[np.float64], right: NDArray[np.float64], rank: NDArray[np.float64], *, abstained: int = 0
) -> Examined:
    """The figures of distributions.

    Args:
        found: (n, options) of the mind.
        right: (n, options) what was right.
        rank: (n,) the figures behind the answers.
        abstained: questions that were not answered.
    """
    count = len(found)
    truth, said = right.argmax(axis=1), found.argmax(axis=1)
    frequencies = right.mean(axis=0)
    sure, hit = found.max(axis=1), said == truth
    # a bin holds its upper border, as in the paper
    bins = np.clip(np.ceil(sure * BINS).astype(int) - 1, 0, BINS - 1)
    gaps = np.bincount(bins, weights=hit - sure, minlength=BINS)
    score = found @ VALUES if found.shape[1] == len(VALUES) else np.zeros(count)
    ic = float(np.corrcoef(score, rank)[0, 1]) if score.std() > 0 and rank.std() > 0 else None
    return Examined(
        exercises=count,
        abstained=abstained,
        accuracy=float(hit.mean()),
        majority=float(np.bincount(truth).max() / count),
        macro_f1=_macro_f1(truth, said, found.shape[1]),
        brier=float(((found - right) ** 2).sum(axis=1).mean()),
        base_brier=float(((frequencies - right) ** 2).sum(axis=1).mean()),
        ece=float(np.abs(gaps).sum() / count),
        ic=ic,
    )


def _macro_f1(truth: NDArray[np.intp], said: NDArray[np.intp], options: int) -> float:
    table = np.zeros((options, options))
    np.add.at(table, (truth, said), 1)
    hits, both = np.diag(table), table.sum(axis=0) + table.sum(axis=1)
    return float(np.mean(2 * hits[both > 0] / both[both > 0]))
