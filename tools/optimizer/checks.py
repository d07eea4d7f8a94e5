"""What a problem is refused for: every rule that a number must keep to be meant, as typed errors."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import ProblemError

if TYPE_CHECKING:
    from .problem import Problem

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

LARGEST_RETURN = 1e6
"""A larger number in the scenarios or the expected returns is not a return but a mistake."""
LARGEST_WEIGHT = 100.0
"""A weight or limit beyond a hundred times the equity is a mistake of units."""


def checked_tickers(tickers: tuple[str, ...]) -> int:
    """How many names; each must occur once."""
    if len(tickers) == 0 or len(set(tickers)) != len(tickers):
        raise ProblemError("tickers", "The optimizer needs at least one ticker and each only once: check the universe.")
    return len(tickers)


def checked_matrix(values: object, count: int) -> Matrix:
    """Scenarios (S, count) as a read-only copy, row by row in memory."""
    returns = _array(values, "scenarios", None, count)
    if returns.shape[0] < 2:
        raise ProblemError("scenarios", "The optimizer needs at least two scenarios: give a longer history.")
    _check_size(returns, "scenarios")
    return returns


def checked_vector(values: object, name: str, count: int) -> Vector:
    """A vector (count,) as a read-only copy; one number stands for all names."""
    if np.ndim(values) == 0:  # type: ignore[arg-type]
        values = np.full(count, values)
    vector = _array(values, name, count)
    _check_size(vector, name)
    return vector


def checked_chances(values: object, count: int) -> Vector:
    """Probabilities (count,), at least 0 and summing to 1."""
    chances = _array(values, "probabilities", count)
    if chances.min() < 0 or abs(chances.sum() - 1) > 1e-9:
        raise ProblemError(
            "probabilities", "Scenario probabilities must be at least 0 and sum to 1: normalise them first."
        )
    normal: Vector = np.divide(chances, chances.sum())
    normal.setflags(write=False)
    return normal


def check_limits(problem: Problem) -> None:
    """All rules about single numbers and about numbers that contradict each other whatever the weights are."""
    if not 0 < problem.beta < 1:
        raise ProblemError(
            "beta", f"beta must lie between 0 and 1, not {problem.beta}: 0.95 means the worst twentieth."
        )
    if problem.costs.min() < 0:
        raise ProblemError("costs", "Costs must not be negative: give the fraction of the traded value that is lost.")
    crossed = np.flatnonzero(problem.floors > problem.caps)
    if len(crossed):
        name = problem.tickers[int(crossed[0])]
        raise ProblemError("floors", f"The floor of {name} lies above its cap: exchange or correct the two.")
    for field, name, bound, least in _single_limits(problem):
        if not (least <= bound <= LARGEST_WEIGHT):
            what = "at least 0" if least == 0 else "a plausible fraction of equity"
            raise ProblemError(field, f"The {name} must be {what}, not {bound}: 1 is the whole equity.")
    unknown = sorted(problem.exclusions - set(problem.tickers))
    if unknown:
        text = f"Excluded but not in the universe: {', '.join(unknown)}; drop it from the exclusions."
        raise ProblemError("exclusions", text)
    homeless = [name for name in problem.tickers if name not in problem.sectors] if problem.sector_caps else []
    if homeless:
        text = f"There are sector caps but no sector for {', '.join(homeless)}: give its sector."
        raise ProblemError("sectors", text)
    _check_custom(problem)


def _single_limits(problem: Problem) -> Iterator[tuple[str, str, float, float]]:
    """Field, name, value and least plausible value of every limit that is one number."""
    yield "min_cash", "min_cash", problem.min_cash, -LARGEST_WEIGHT
    yield "min_invested", "min_invested", problem.min_invested, -LARGEST_WEIGHT
    yield from (("sector_caps", f"cap of sector {s}", cap, -LARGEST_WEIGHT) for s, cap in problem.sector_caps.items())
    for field in ("max_gross", "max_short", "turnover_limit"):
        value = getattr(problem, field)
        if value is not None:
            yield field, field.replace("_", " "), value, 0.0


def _check_custom(problem: Problem) -> None:
    if len({limit.name for limit in problem.limits}) != len(problem.limits):
        raise ProblemError("limits", "Two custom limits have the same name: rename one of them.")
    for limit in problem.limits:
        unknown = sorted(set(limit.coefficients) - set(problem.tickers))
        if unknown:
            text = f"The limit {limit.name} names {', '.join(unknown)}, not in the universe: drop it."
            raise ProblemError("limits", text)
        numbers = [*limit.coefficients.values(), *(b for b in (limit.least, limit.most) if b is not None)]
        if not all(isfinite(number) and abs(number) <= LARGEST_RETURN for number in numbers):
            text = f"The limit {limit.name} holds a number that is not finite or huge: correct it."
            raise ProblemError("limits", text)
        if limit.least is None and limit.most is None:
            raise ProblemError("limits", f"The limit {limit.name} bounds nothing: give least, most or both.")
        if limit.least is not None and limit.most is not None and limit.least > limit.most:
            raise ProblemError("limits", f"The limit {limit.name} has its least above its most: exchange the two.")


def _check_size(array: Vector, name: str) -> None:
    """Refuse what is too large to be meant."""
    weights = name in ("previous_weights", "floors", "caps")
    most = LARGEST_WEIGHT if weights else LARGEST_RETURN
    if max(float(array.max()), -float(array.min())) > most:
        hint = "1 is the whole equity" if weights else "give fractions, not prices"
        raise ProblemError(name, f"The {name} hold a number beyond {most:g}: {hint}.")


def _array(values: object, name: str, *shape: int | None) -> Vector:
    """A read-only float copy; `shape` may leave a dimension open by None."""
    try:
        array = np.array(values, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise ProblemError(name, f"The {name} are not an array of numbers.") from None
    if array.ndim != len(shape) or any(want not in (None, have) for want, have in zip(shape, array.shape, strict=True)):
        wanted = "x".join("S" if size is None else str(size) for size in shape)
        text = f"The {name} have shape {array.shape} where {wanted} is needed: one column per ticker."
        raise ProblemError(name, text)
    # The sum of finite numbers of plausible size is finite, and of others it is not: one pass without a temporary.
    with np.errstate(invalid="ignore", over="ignore"):
        total = float(array.sum())
    if not (isfinite(total) or np.isfinite(array).all()):
        raise ProblemError(name, f"The {name} hold a NaN or an infinity: drop names or periods without data first.")
    array.setflags(write=False)
    return array
