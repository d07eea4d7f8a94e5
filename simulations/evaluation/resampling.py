"""How far chance reaches: the stationary bootstrap of Politis and Romano (1994), with its block length from the data.

Blocks of random, geometrically distributed length keep the dependence between neighbouring sessions; the series is
closed to a circle, so that every session is as likely as any other.
"""

from math import ceil, log10, sqrt

import numpy as np
from numpy.typing import NDArray

from .metrics import DegenerateTrack

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Places = NDArray[np.int64]

LEAST = 20
"""Observations below which nothing about dependence can be learnt."""


def block_length(values: Vector) -> float:
    """The mean block length at which the stationary bootstrap estimates the variance of the mean best.

    Politis and White (2004), "Automatic block-length selection for the dependent bootstrap", as corrected by Patton,
    Politis and White (2009), with autocovariances over the whole sample. Equal to `arch.bootstrap`'s.

    Args:
        values: (T,) one observation per session.

    Returns:
        Sessions, at least 1.

    Raises:
        DegenerateTrack: fewer than `LEAST` observations, or they do not vary.
    """
    count = len(values)
    if count < LEAST:
        raise DegenerateTrack(f"{count} returns say nothing about dependence: evaluate at least {LEAST}.")
    if float(np.ptp(values)) <= 1e-12:
        raise DegenerateTrack("A constant track has no spread to resample: show a dash.")
    centred = values - values.mean()
    runs = max(5, int(log10(count)))
    most = ceil(sqrt(count)) + runs
    covariance = np.array([centred[lag:] @ centred[: count - lag] / count for lag in range(most + 1)])
    bandwidth = min(2 * max(_last_correlated(centred, runs, most), 1), most)
    lags = np.arange(1, bandwidth + 1)
    window = np.where(lags / bandwidth <= 0.5, 1.0, 2 * (1 - lags / bandwidth))
    slope = float((2 * window * lags * covariance[1 : bandwidth + 1]).sum())
    long_run = float(covariance[0] + (2 * window * covariance[1 : bandwidth + 1]).sum())
    largest = ceil(min(3 * sqrt(count), count / 3))
    if long_run == 0:
        return float(largest)
    return float(max(1.0, min((slope**2 / long_run**2 * count) ** (1 / 3), largest)))


def _last_correlated(centred: Vector, runs: int, most: int) -> int:
    """The lag after which so many autocorrelations in a row are within chance; `most` where there is none such."""
    count = len(centred)
    band = 2 * sqrt(log10(count) / count)
    within = []
    for lag in range(most):
        ends = (centred[lag + 1 :] @ centred[lag + 1 :]) * (centred[: -(lag + 1)] @ centred[: -(lag + 1)])
        within.append(abs(centred[lag:] @ centred[: count - lag]) < band * sqrt(ends))
    for lag in range(most - runs + 1):
        if all(within[lag : lag + runs]):
            return lag
    return most


def stationary_places(count: int, draws: int, length: float, rng: np.random.Generator) -> Places:
    """(draws, count) places in the series: each row is one resampled history.

    Args:
        count: observations in the series and in each history.
        draws: histories.
        length: mean block length, at least 1.
        rng: draws everything.
    """
    starts = rng.integers(0, count, size=(draws, count))
    fresh = rng.random((draws, count)) < 1 / length
    fresh[:, 0] = True
    since = np.arange(count) - np.maximum.accumulate(np.where(fresh, np.arange(count), 0), axis=1)
    first = np.take_along_axis(starts, np.arange(count) - since, axis=1)
    return (first + since) % count


def interval(values: Vector, level: float = 0.95) -> tuple[float, float]:
    """The central part of a resampled figure: its percentiles (Efron and Tibshirani 1993, chapter 13).

    Args:
        values: (draws,) the figure in each history; NaN where it does not exist there.
        level: probability inside.

    Raises:
        DegenerateTrack: the figure exists in fewer than half of the histories.
    """
    known = values[np.isfinite(values)]
    if len(known) < max(2, len(values) / 2):
        raise DegenerateTrack("The figure does not exist in most resampled histories: show a dash.")
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
