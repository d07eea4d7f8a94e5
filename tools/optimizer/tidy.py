"""From the solver's weights to weights worth trading: inside the limits, without dust."""

import numpy as np
from numpy.typing import NDArray

from .problem import Problem

Vector = NDArray[np.float64]

DUST = 1e-6
"""A weight, or a change of a weight, below this (a millionth of equity) is not worth an order."""
TOLERANCE = 1e-9
"""By how much rounding may exceed a limit: a dollar in a billion."""


def within_limits(problem: Problem, weights: Vector) -> bool:
    """Whether weights (N,) satisfy every limit of the problem up to `TOLERANCE`."""
    turnover = problem.turnover_limit
    return bool(
        (weights >= 0).all()
        and (weights <= problem.upper_bounds() + TOLERANCE).all()
        and weights.sum() <= 1 - problem.min_cash + TOLERANCE
        and weights.sum() >= problem.min_invested - TOLERANCE
        and (turnover is None or np.abs(weights - problem.previous_weights).sum() <= turnover + TOLERANCE)
        and all(
            row @ weights <= problem.sector_caps[name] + TOLERANCE
            for row, name in zip(problem.membership(), problem.capped_sectors(), strict=True)
        )
    )


def tidied(problem: Problem, weights: Vector) -> Vector:
    """Weights (N,) with dust set to 0 and dust trades undone, each only where all limits still hold."""
    clean = np.clip(weights, 0.0, problem.upper_bounds())
    for target in (np.zeros_like(clean), problem.previous_weights, problem.upper_bounds()):
        near = (np.abs(clean - target) < DUST) & (clean != target)
        for place in np.flatnonzero(near):
            candidate = clean.copy()
            candidate[place] = target[place]
            if within_limits(problem, candidate):
                clean = candidate
    return clean
