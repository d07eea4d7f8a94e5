"""The figures of a record: information coefficient, Brier score, calibration error, overconfidence.

n outcomes; probabilities of three directions (n, 3) in the order of `outcome.DIRECTIONS`; `came` (n,) the direction
that came, as its place in that order.
"""

from itertools import pairwise
from math import atanh, sqrt, tanh

import numpy as np
from numpy.typing import NDArray

from .record import Bin

Vector = NDArray[np.float64]
Places = NDArray[np.int64]

BINS = 10
NORMAL_95 = 1.959964
CHANCE = 1 / 3
"""Confidence of one who knows nothing about three directions."""
STILL = 1e-9
"""What differs by less does not vary: the rest is rounding."""
PRIOR_HITS = 10.0
"""Hits foretold that the prior belief in an agent's confidence is worth."""


def information_coefficient(scores: Vector, surprises: Vector) -> float | None:
    """Correlation of scores and standardised excess returns (Grinold 1994); None where one of them does not vary."""
    if len(scores) < 2 or not (varies(scores) and varies(surprises)):
        return None
    return correlation(scores, surprises)


def varies(values: Vector) -> bool:
    """Whether some of at least one value differ by more than rounding."""
    return float(values.max()) - float(values.min()) >= STILL


def correlation(one: Vector, other: Vector) -> float:
    """Pearson's, of two series that vary: `np.corrcoef(one, other)[0, 1]` to the last bit, in a third of its time."""
    both = np.array([one, other])
    both -= both.mean(axis=1)[:, None]
    products = np.dot(both, both.T) * np.true_divide(1, len(one) - 1)
    first, shared, _, second = products.ravel().tolist()
    return float(min(1.0, max(-1.0, shared / sqrt(first) / sqrt(second))))


def interval(ic: float, independent: float) -> tuple[float, float] | None:
    """95 % bounds of a correlation by Fisher's z (1921): tanh(atanh(r) +- 1.96 / sqrt(n - 3)); None for n <= 3.

    `independent` takes the place of n. Horizons that overlap make outcomes depend on each other; by Bayley and
    Hammersley (1946) n of them count for n / (1 + 2 sum_k (1 - k / n) rho_k), rho_k the product of both series'
    autocorrelations at lag k. With a horizon of h sessions observed every d, that of the returns falls as 1 - k d / h;
    taking the scores as if they never changed, which is the worst case, the sum comes to n d / h: each outcome counts
    for the part of its horizon that the one before does not cover. The weights of outcomes (`Outcome.weight`) add up to
    that.
    """
    if independent <= 3 or abs(ic) >= 1:
        return None
    half = NORMAL_95 / sqrt(independent - 3)
    return tanh(atanh(ic) - half), tanh(atanh(ic) + half)


def brier(probabilities: Vector, came: Places) -> float:
    """Mean over outcomes of the squared distance of the three probabilities from what came (Brier 1950), 0 to 2."""
    return float(np.square(probabilities - np.eye(3)[came]).sum(axis=1).mean())


def reliability(probabilities: Vector, came: Places) -> tuple[Bin, ...]:
    """Confidence and hit rate of the likeliest direction in ten equal bins of (0, 1]; empty bins are left out."""
    confidence, hit = foretold(probabilities, came)
    place = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    order = np.argsort(place, kind="stable")
    ends = np.cumsum(np.bincount(place, minlength=BINS)).tolist()
    confidence, hit = confidence[order], hit[order]
    return tuple(
        Bin(
            count=end - begin,
            confidence=float(confidence[begin:end].mean()),
            hit_rate=float(hit[begin:end].mean()),
        )
        for begin, end in pairwise([0, *ends])
        if end > begin
    )


def calibration_error(bins: tuple[Bin, ...]) -> float:
    """Mean distance of confidence and hit rate over bins, weighted by count (Naeini, Cooper and Hauskrecht 2015)."""
    total = sum(row.count for row in bins)
    return sum(row.count * abs(row.confidence - row.hit_rate) for row in bins) / total


def foretold(probabilities: Vector, came: Places) -> tuple[Vector, Vector]:
    """Confidence in the likeliest direction, and 1 where it came."""
    return probabilities.max(axis=1), (probabilities.argmax(axis=1) == came).astype(np.float64)


def deflation(confidence: Vector, hit: Vector, weights: Vector) -> float:
    """What an overconfident agent's confidence is multiplied by: min(1, (O + m) / (E + m)).

    O are the hits, E the hits that its confidences foretold, both over outcomes as if independent: the ratio of
    observed to expected is the standard measure of calibration in the large (Steyerberg 2019, section 15.3), shrunk
    towards 1 as a rate is by a gamma prior (Clayton and Kaldor 1987), here worth m = `PRIOR_HITS`. Modesty is not
    rewarded: it is never above 1.
    """
    observed, expected = float(weights @ hit), float(weights @ confidence)
    return min(1.0, (observed + PRIOR_HITS) / (expected + PRIOR_HITS))
