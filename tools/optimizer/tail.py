"""VaR and CVaR of a discrete distribution, exactly.

CVaR_beta(L) = min_a a + E[max(0, L - a)] / (1 - beta) (Rockafellar and Uryasev 2002, Theorem 10); for finitely many
scenarios that is the mean of the worst 1 - beta of the probability, the boundary scenario counting with what is left.
"""

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]

EPSILON = 1e-12
"""(1 - 0.95) * 1000 is 50.00000000000004 in floating point: probabilities are compared with this slack."""


def tail_weights(losses: Vector, probabilities: Vector, beta: float) -> Vector:
    """(S,) the probability with which each scenario counts in the tail, summing to 1: CVaR = weights @ losses."""
    worst_first = np.argsort(-losses, kind="stable")
    chances = probabilities[worst_first]
    before = np.cumsum(chances) - chances
    taken = np.clip((1 - beta) - before, 0.0, chances)
    weights = np.empty_like(taken)
    weights[worst_first] = taken / taken.sum()
    return weights


def conditional_value_at_risk(losses: Vector, probabilities: Vector, beta: float) -> float:
    """Mean loss in the worst 1 - beta of the outcomes; `losses` (S,), positive is bad."""
    return float(tail_weights(losses, probabilities, beta) @ losses)


def value_at_risk(losses: Vector, probabilities: Vector, beta: float) -> float:
    """The smallest loss that is not exceeded with probability beta (lower quantile)."""
    worst_first = np.argsort(-losses, kind="stable")
    chances = probabilities[worst_first]
    before = np.cumsum(chances) - chances
    place = int(np.flatnonzero(before <= (1 - beta) + EPSILON)[-1])
    return float(losses[worst_first[place]])
