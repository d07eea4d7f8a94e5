"""The problem with some limits relaxed: what whoever asked can do with an `Infeasible`."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ..errors import ProblemError
from .goal import MaximumReturn, MinimumCVaR
from .problem import Problem
from .solution import Relaxation

MARGIN = 1e-7
"""Given beyond what is asked, so that rounding does not make the relaxed problem impossible again."""


def relaxed(problem: Problem, relaxations: Iterable[Relaxation]) -> Problem:
    """A problem whose named limits give by the named amounts, and a ten-millionth more.

    Raises:
        ProblemError: the problem has no such limit.
    """
    for row in relaxations:
        problem = _with_more(problem, row.limit, row.amount + MARGIN)
    return problem


def _with_more(problem: Problem, limit: str, more: float) -> Problem:
    kind, _, name = limit.partition(":")
    if kind in ("cap", "floor", "exclusion") and name in problem.tickers:
        return _for_name(problem, kind, name, more)
    if kind == "sector" and name in problem.sector_caps:
        return replace(problem, sector_caps={**problem.sector_caps, name: problem.sector_caps[name] + more})
    if kind == "limit":
        return replace(
            problem,
            limits=tuple(
                replace(
                    row,
                    most=None if row.most is None else row.most + more,
                    least=None if row.least is None else row.least - more,
                )
                if row.name == name
                else row
                for row in problem.limits
            ),
        )
    single = {"turnover": "turnover_limit", "gross": "max_gross", "short": "max_short"}.get(kind)
    if single is not None and (value := getattr(problem, single)) is not None:
        return replace(problem, **{single: value + more})
    if kind in ("cash", "invested"):
        field = "min_cash" if kind == "cash" else "min_invested"
        return replace(problem, **{field: getattr(problem, field) - more})
    goal = problem.goal
    if kind == "cvar" and isinstance(goal, MaximumReturn):
        return replace(problem, goal=MaximumReturn(goal.cvar_limit + more))
    if kind == "return" and isinstance(goal, MinimumCVaR) and goal.target_return is not None:
        return replace(problem, goal=MinimumCVaR(goal.target_return - more))
    raise ProblemError("relaxations", f"The problem has no limit '{limit}': relax one that its answer names.")


def _for_name(problem: Problem, kind: str, name: str, more: float) -> Problem:
    """A cap raised, a floor lowered, or an excluded name let in up to `more`, from 0."""
    place = problem.tickers.index(name)
    caps, floors = np.array(problem.caps), np.array(problem.floors)
    if kind == "cap":
        caps[place] += more
    elif kind == "floor":
        floors[place] -= more
    else:
        caps[place] = more
        floors[place] = -more if floors[place] < 0 else 0.0
        return replace(problem, caps=caps, floors=floors, exclusions=problem.exclusions - {name})
    return replace(problem, caps=caps, floors=floors)
