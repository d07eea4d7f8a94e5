"""Which limits bound the solution, and what one more point of each is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .problem import Problem
from .solution import Binding

if TYPE_CHECKING:
    from .program import Price

NEGLIGIBLE = 1e-7
"""A dual below this, in solver units, is rounding."""


def bindings(problem: Problem, prices: Price, scale: float) -> tuple[Binding, ...]:
    """The limits with a positive dual, most valuable first.

    Args:
        problem: as solved.
        prices: duals in solver units.
        scale: objective units per solver unit.
    """
    found: list[tuple[str, float, str]] = []
    for name, dual in zip(problem.tickers, prices.caps, strict=True):
        if name in problem.exclusions:
            found.append((f"exclusion:{name}", dual, f"one point of {name}, which is excluded,"))
        else:
            found.append((f"cap:{name}", dual, f"one more point of {name}'s cap"))
    for sector, dual in zip(problem.capped_sectors(), prices.sectors, strict=True):
        found.append((f"sector:{sector}", dual, f"one more point of the {sector} cap"))
    found.append(("cash", prices.cash, "one point less of the cash floor"))
    found.append(("invested", prices.invested, "one point less of the invested floor"))
    if problem.turnover_limit is not None:
        found.append(("turnover", prices.turnover, "one more point of turnover"))
    ranked = sorted((row for row in found if row[1] > NEGLIGIBLE), key=lambda row: (-row[1], row[0]))
    return tuple(_binding(limit, float(dual) * scale, what) for limit, dual, what in ranked)


def _binding(limit: str, dual: float, what: str) -> Binding:
    # A point is 0.01 of equity and a basis point 0.0001 of return: their quotient is 100.
    sentence = f"{what} would add {dual * 100:.2g} bp per period (return after risk and cost)"
    return Binding(limit=limit, dual=dual, sentence=sentence)
