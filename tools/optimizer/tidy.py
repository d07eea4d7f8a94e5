"""From the solver's weights to weights that are exactly what they nearly are, and the check of every limit."""

import numpy as np
from numpy.typing import NDArray

from .problem import Problem

Vector = NDArray[np.float64]

ROUNDING = 1e-9
"""Weights, and changes of weights, that differ by less are equal; limits may be exceeded by as much."""


def within_limits(problem: Problem, weights: Vector, tolerance: float = ROUNDING) -> bool:
    """Whether weights (N,) satisfy every limit on weights up to `tolerance`; not the goal's own limit."""
    return worst_violation(problem, weights) <= tolerance


def worst_violation(problem: Problem, weights: Vector) -> float:
    """By how much the limit that is exceeded most is exceeded, in units of weight; 0 where none is."""
    total = float(weights.sum())
    over = [
        float((problem.lower_bounds() - weights).max()),
        float((weights - problem.upper_bounds()).max()),
        total - (1 - problem.min_cash),
        problem.min_invested - total,
    ]
    sectors = problem.capped_sectors()
    if sectors:
        most = np.array([problem.sector_caps[name] for name in sectors])
        over.append(float((problem.membership() @ weights - most).max()))
    for limit, value in zip(problem.limits, problem.coefficients() @ weights, strict=True):
        over += [] if limit.most is None else [float(value) - limit.most]
        over += [] if limit.least is None else [limit.least - float(value)]
    if problem.turnover_limit is not None:
        over.append(float(np.abs(weights - problem.previous_weights).sum()) - problem.turnover_limit)
    if problem.max_gross is not None:
        over.append(float(np.abs(weights).sum()) - problem.max_gross)
    if problem.max_short is not None:
        over.append(float(np.maximum(-weights, 0).sum()) - problem.max_short)
    return max(0.0, *over)


def tidied(problem: Problem, weights: Vector) -> tuple[Vector, float]:
    """Weights (N,) exactly at 0, at a bound or unchanged where they differ by rounding, and their worst violation.

    Where that would break a limit beyond rounding they are left as the solver gave them, inside their bounds.
    """
    low, high = problem.lower_bounds(), problem.upper_bounds()
    inside: Vector = np.clip(weights, low, high)
    clean = inside
    for target in (np.zeros_like(inside), problem.previous_weights, low, high):
        near = (np.abs(clean - target) < ROUNDING) & (target >= low) & (target <= high)
        clean = np.where(near, target, clean)
    over = worst_violation(problem, clean)
    return (clean, over) if over <= ROUNDING else (inside, worst_violation(problem, inside))
