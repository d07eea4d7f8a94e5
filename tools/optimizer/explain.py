"""Which limits bound the solution, and what one more point of each is worth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .goal import MinimumCVaR, Utility
from .problem import Problem
from .program import exposure_bounds
from .solution import Binding

if TYPE_CHECKING:
    from .engine import Optimum
    from .form import Form

Vector = NDArray[np.float64]

NEGLIGIBLE = 1e-7
"""A dual below this, in solver units, is rounding."""


def bindings(
    problem: Problem, form: Form, optimum: Optimum, reduced: Vector, objective: float, unit: float, scale: float
) -> tuple[Binding, ...]:
    """The limits with a positive dual, most valuable first.

    Args:
        problem: as solved.
        form: its program in arrays.
        optimum: what the engine found.
        reduced: (n,) reduced costs of the form's columns.
        objective: objective units per solver unit.
        unit: unit of returns in the form.
        scale: unit of the scenarios.
    """
    found: list[tuple[str, float, str]] = []
    for limit, dual in _priced(problem, form, optimum, reduced):
        if dual > NEGLIGIBLE:
            per = {"return": objective / unit, "cvar": objective / scale}.get(limit, objective)
            found.append((limit, float(dual) * per, limit))
    gain = {Utility: "add {} per period (return after risk and cost)", MinimumCVaR: "take {} from the CVaR per period"}
    words = gain.get(type(problem.goal), "add {} of return after cost per period")
    ranked = sorted(found, key=lambda row: (-row[1], row[0]))
    return tuple(
        Binding(limit=limit, dual=dual, sentence=_sentence(problem, limit, dual, words)) for limit, dual, _ in ranked
    )


def _priced(problem: Problem, form: Form, optimum: Optimum, reduced: Vector) -> Iterator[tuple[str, float]]:
    """Every limit with its dual in solver units, positive where relaxing it helps."""
    for place in np.flatnonzero(np.abs(reduced[: form.names]) > NEGLIGIBLE).tolist():
        name, price = problem.tickers[place], float(reduced[place])
        if name in problem.exclusions:
            # A name that may not be short is not kept from it by its exclusion.
            if price < 0 or problem.floors[place] < 0:
                yield f"exclusion:{name}", abs(price)
        elif price < 0:
            yield f"cap:{name}", -price
        elif problem.floors[place] != 0:
            yield f"floor:{name}", price
    duals = optimum.duals[form.exposures].tolist()
    for (limit, _, _), dual in zip(exposure_bounds(problem, 1.0), duals, strict=True):
        # The net exposure's two sides have names of their own.
        yield ("cash" if limit == "invested" and dual < 0 else limit), abs(dual)
    if not isinstance(problem.goal, Utility | MinimumCVaR):
        yield "cvar", float(optimum.measure.sum())


def _sentence(problem: Problem, limit: str, dual: float, words: str) -> str:
    # A point is 0.01 of equity and a basis point 0.0001 of return: their quotient is 100.
    if limit in ("return", "cvar"):
        what = "a target return lower by 1 bp" if limit == "return" else "a CVaR limit higher by 1 bp"
        return f"{what} would {words.format(f'{dual:.2g} bp')}"
    return f"{named(problem, limit)} would {words.format(f'{dual * 100:.2g} bp')}"


def named(problem: Problem, limit: str) -> str:
    """One point of room in a limit, in words."""
    kind, _, name = limit.partition(":")
    if kind == "limit":
        return f"one more point of room in the limit {name}"
    return {
        "cap": f"one more point of {name}'s cap",
        "floor": f"one point less of {name}'s floor",
        "exclusion": f"one point of {name}, which is excluded,",
        "sector": f"one more point of the {name} cap",
        "cash": "one point less of the cash floor",
        "invested": "one point less of the invested floor",
        "turnover": "one more point of turnover",
        "gross": "one more point of gross exposure",
        "short": "one more point of short positions",
    }[kind]
