"""How much of a Sharpe ratio is luck: its probability, what searching adds to it, and how long a record must be.

All Sharpe ratios here are per observation (not annual); skewness and kurtosis are those of the returns, kurtosis not in
excess: 0 and 3 for the normal distribution.

- SR standard error: Lo (2002), Mertens (2002), as used by Bailey and Lopez de Prado (2012), "The Sharpe ratio efficient
  frontier", equation 8: sqrt((1 - skew SR + (kurtosis - 1) / 4 SR^2) / (T - 1)).
- Deflation: Bailey and Lopez de Prado (2014), "The deflated Sharpe ratio", equations 6 and 9.
"""

from dataclasses import dataclass
from math import ceil, e, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from .metrics import DegenerateTrack, EvaluationError

Vector = NDArray[np.float64]
EULER = 0.5772156649015329


@dataclass(frozen=True)
class Moments:
    """What the formulas need of a track."""

    sharpe: float
    """Per observation."""
    skew: float
    kurtosis: float
    observations: int


def moments_of(returns: Vector) -> Moments:
    """The moments of (T,) returns; the standard deviation with ddof 1, skewness and kurtosis as of a population.

    Raises:
        DegenerateTrack: fewer than three returns, or they do not vary.
    """
    if len(returns) < 3 or float(np.ptp(returns)) <= 1e-12:
        raise DegenerateTrack("A constant track has no Sharpe ratio and no luck: show a dash.")
    centred = returns - returns.mean()
    spread = float(np.sqrt((centred**2).mean()))
    return Moments(
        sharpe=float(returns.mean() / returns.std(ddof=1)),
        skew=float(((centred / spread) ** 3).mean()),
        kurtosis=float(((centred / spread) ** 4).mean()),
        observations=len(returns),
    )


def standard_error(found: Moments) -> float:
    """Of the Sharpe ratio per observation.

    Raises:
        DegenerateTrack: the moments leave no variance, which no returns of more than two values have.
    """
    variance = 1 - found.skew * found.sharpe + (found.kurtosis - 1) / 4 * found.sharpe**2
    if variance <= 0:
        raise DegenerateTrack("These returns take two values only: their Sharpe ratio has no standard error.")
    return sqrt(variance / (found.observations - 1))


def probabilistic_sharpe(found: Moments, benchmark: float = 0.0) -> float:
    """Probability that the true Sharpe ratio is above `benchmark` (per observation)."""
    return float(norm.cdf((found.sharpe - benchmark) / standard_error(found)))


def expected_best(trials: float, spread: float) -> float:
    """The Sharpe ratio that the best of so many trials without skill is expected to show.

    spread x ((1 - g) Z(1 - 1 / N) + g Z(1 - 1 / (N e))), g Euler's constant, Z the normal quantile; 0 for one trial.

    Args:
        trials: N >= 1, independent ones.
        spread: standard deviation of Sharpe ratios between trials, per observation.

    Raises:
        EvaluationError: there is no such search.
    """
    if not (trials >= 1 and spread >= 0):
        raise EvaluationError(f"{trials} trials with a spread of {spread} cannot be: count from 1, spread from 0.")
    if trials == 1:
        return 0.0
    return float(spread * ((1 - EULER) * norm.ppf(1 - 1 / trials) + EULER * norm.ppf(1 - 1 / (trials * e))))


def deflated_sharpe(found: Moments, trials: float, spread: float) -> float:
    """Probability that the true Sharpe ratio is above 0 although the best of so many trials was looked at."""
    return probabilistic_sharpe(found, expected_best(trials, spread))


def minimum_track_length(found: Moments, benchmark: float = 0.0, confidence: float = 0.95) -> int:
    """Observations after which this Sharpe ratio would be above `benchmark` with so much confidence.

    Bailey and Lopez de Prado (2012), equation 11: 1 + variance x (Z / (SR - SR*))^2.

    Raises:
        DegenerateTrack: the Sharpe ratio is not above the benchmark; no length would show what is not there.
    """
    if found.sharpe <= benchmark:
        raise DegenerateTrack("A Sharpe ratio that is not above the benchmark is never shown to be: no track suffices.")
    variance = standard_error(found) ** 2 * (found.observations - 1)
    return ceil(1 + variance * (float(norm.ppf(confidence)) / (found.sharpe - benchmark)) ** 2)
