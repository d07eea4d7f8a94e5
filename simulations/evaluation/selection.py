"""Many variants, one winner: how likely is it that the winner was only the luckiest?

- Probability of backtest overfitting by combinatorially symmetric cross-validation: Bailey, Borwein, Lopez de Prado and
  Zhu (2017), "The probability of backtest overfitting", section 2.
- Superior predictive ability: Hansen (2005), "A test for superior predictive ability", studentized, with the
  consistent centring; the variances are those of the stationary bootstrap (Politis and Romano 1994, equation 7).
  `arch.bootstrap.SPA` gives the same on differences that are divided by their deviation beforehand; asked to do that
  itself, its release 8.0.0 does not.
"""

from dataclasses import dataclass
from itertools import combinations
from math import log, sqrt

import numpy as np
from numpy.typing import NDArray

from .metrics import DegenerateTrack, EvaluationError
from .resampling import Places, block_length, stationary_places

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Overfitting:
    """What choosing the best of the variants is worth."""

    probability: float
    """Share of splits in which the winner of one half is in the lower half of the other."""
    logits: Vector
    """Of the winner's relative rank out of sample, one per split; below 0 is the lower half."""
    splits: int


def overfitting(returns: Matrix, parts: int = 10) -> Overfitting:
    """The probability that the variant with the best Sharpe ratio is below the median on data it was not chosen by.

    Args:
        returns: (T, N) returns of N variants over the same sessions.
        parts: S, even: the sessions are cut into so many parts, of which every half is once the past.

    Raises:
        EvaluationError: fewer than two variants, an odd number of parts, or fewer than two sessions in one.
        DegenerateTrack: a variant does not vary in a half.
    """
    sessions, variants = returns.shape
    if variants < 2 or parts < 2 or parts % 2 or sessions < 2 * parts:
        raise EvaluationError(
            f"{variants} variants over {sessions} sessions in {parts} parts cannot be compared: give at least two "
            "variants, an even number of parts, and two sessions for each."
        )
    blocks = np.array_split(np.arange(sessions), parts)
    logits = []
    for chosen in combinations(range(parts), parts // 2):
        inside = np.concatenate([blocks[i] for i in chosen])
        outside = np.concatenate([blocks[i] for i in range(parts) if i not in chosen])
        best = int(np.argmax(_sharpes(returns[inside])))
        after = _sharpes(returns[outside])
        # ties count half, so that equal variants say nothing in either direction
        rank = 1 + (after < after[best]).sum() + ((after == after[best]).sum() - 1) / 2
        share = rank / (variants + 1)
        logits.append(log(share / (1 - share)))
    found = np.array(logits)
    return Overfitting(float((found < 0).mean() + (found == 0).mean() / 2), found, len(found))


def _sharpes(returns: Matrix) -> Vector:
    spread = returns.std(axis=0, ddof=1)
    if (np.ptp(returns, axis=0) <= 1e-12).any():
        raise DegenerateTrack("A variant is constant over half of the sessions: leave it out of the comparison.")
    return np.asarray(returns.mean(axis=0) / spread)


@dataclass(frozen=True)
class Superiority:
    """Whether any variant is better than the benchmark, once it is counted how many were tried."""

    p_value: float
    """Consistent: variants that are hopeless do not count."""
    lower: float
    """p-value where every loser is dropped (liberal)."""
    upper: float
    """p-value where every variant counts (White's reality check, conservative)."""
    statistic: float
    best: int
    """Index of the variant with the largest studentized mean."""


def superiority(differences: Matrix, draws: int = 2000, seed: int = 0, places: Places | None = None) -> Superiority:
    """Hansen's test that no variant has a mean above 0.

    Args:
        differences: (T, K) return of each variant less the benchmark's, by session.
        draws: resampled histories.
        seed: of the resampling.
        places: (draws, T) histories to use instead, for comparison with other programs.

    Raises:
        EvaluationError: no variant.
        DegenerateTrack: too short, or a difference does not vary: leave a variant that equals the benchmark out.
    """
    sessions, variants = differences.shape
    if not variants:
        raise EvaluationError("There is no variant to test: give at least one column.")
    length = max(block_length(differences[:, k]) for k in range(variants))
    if places is None:
        places = stationary_places(sessions, draws, length, np.random.default_rng(seed))
    means = differences.mean(axis=0)
    deviations = np.sqrt(long_run_variance(differences, length))
    resampled = np.array([differences[row].mean(axis=0) for row in places])
    threshold = -deviations / sqrt(sessions) * sqrt(2 * log(log(sessions)))
    root = sqrt(sessions)
    statistic = max(0.0, float((root * means / deviations).max()))
    values = {}
    for name, centre in (
        ("lower", np.maximum(means, 0.0)),
        ("consistent", np.where(means >= threshold, means, 0.0)),
        ("upper", means),
    ):
        simulated = np.maximum((root * (resampled - centre) / deviations).max(axis=1), 0.0)
        values[name] = float((simulated >= statistic).mean()) if statistic > 0 else 1.0
    best = int(np.argmax(means / deviations))
    return Superiority(values["consistent"], values["lower"], values["upper"], statistic, best)


def long_run_variance(values: Matrix, length: float) -> Vector:
    """(K,) variance of sqrt(T) times the mean under the stationary bootstrap with this mean block length."""
    sessions = len(values)
    centred = values - values.mean(axis=0)
    keep = 1 - 1 / length
    variance = (centred**2).sum(axis=0) / sessions
    for lag in range(1, sessions):
        share = lag / sessions
        kernel = (1 - share) * keep**lag + share * keep ** (sessions - lag)
        variance += 2 * kernel * (centred[: sessions - lag] * centred[lag:]).sum(axis=0) / sessions
    if (variance <= 0).any():
        raise DegenerateTrack("A difference between a variant and the benchmark does not vary: leave that variant out.")
    return np.asarray(variance)
