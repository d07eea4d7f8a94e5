"""VaR and CVaR of a discrete distribution, exactly.

CVaR_beta(L) = min_a a + E[max(0, L - a)] / (1 - beta) (Rockafellar and Uryasev 2002, Theorem 10); for finitely many
scenarios that is the mean of the worst 1 - beta of the probability, the boundary scenario counting with what is left.
"""

from math import ceil

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Places = NDArray[np.int64]

EPSILON = 1e-12
"""(1 - 0.95) * 1000 is 50.00000000000004 in floating point: probabilities are compared with this slack."""


def worst_first(losses: Vector, chances: Vector, mass: float) -> Places:
    """The worst scenarios, worst first, that together have more probability than `mass`; all if they have not.

    Only these are sorted: the tail is a small part of the scenarios.
    """
    size = len(losses)
    count = min(size, ceil(mass * size * 1.1) + 2)
    while count < size:
        worst = np.argpartition(losses, size - count)[size - count :]
        if float(chances[worst].sum()) > mass + 2 * EPSILON:
            return np.sort(worst)[np.argsort(-losses[np.sort(worst)], kind="stable")]
        count = min(size, 2 * count)
    return np.argsort(-losses, kind="stable")


def tail_weights(losses: Vector, chances: Vector, beta: float) -> Vector:
    """(S,) the probability with which each scenario counts in the tail, summing to 1: CVaR = weights @ losses."""
    worst = worst_first(losses, chances, 1 - beta)
    weights = np.zeros(len(losses))
    weights[worst] = _taken(chances[worst], beta)
    return weights


def _taken(chances: Vector, beta: float) -> Vector:
    """Shares of the tail of scenarios that are sorted, worst first."""
    taken: Vector = np.clip((1 - beta) - (np.cumsum(chances) - chances), 0.0, chances)
    return np.asarray(taken / taken.sum())


def conditional_value_at_risk(losses: Vector, chances: Vector, beta: float) -> float:
    """Mean loss in the worst 1 - beta of the outcomes; `losses` (S,), positive is bad."""
    return risk(losses, chances, beta)[0]


def value_at_risk(losses: Vector, chances: Vector, beta: float) -> float:
    """The smallest loss that is not exceeded with probability beta (lower quantile)."""
    return risk(losses, chances, beta)[1]


def risk(losses: Vector, chances: Vector, beta: float) -> tuple[float, float]:
    """CVaR and VaR of one distribution."""
    worst = worst_first(losses, chances, 1 - beta)
    sorted_losses, sorted_chances = losses[worst], chances[worst]
    before = np.cumsum(sorted_chances) - sorted_chances
    place = int(np.searchsorted(before, (1 - beta) + EPSILON, side="right")) - 1
    return float(_taken(sorted_chances, beta) @ sorted_losses), float(sorted_losses[place])
