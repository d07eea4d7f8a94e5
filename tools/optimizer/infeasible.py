"""Why no portfolio satisfies all limits: an elastic program in which every limit may give, at a price of 1 per unit.

Its solution is the cheapest relaxation; the limits left after taking away every one that the conflict does not need
are an irreducible infeasible set (deletion filter, Chinneck and Dravnieks 1991). Imports cvxpy: import it when needed.
"""

from collections.abc import Callable, Collection

import cvxpy as cp
import numpy as np
from numpy.typing import NDArray

from ..errors import OptimizerError
from .problem import Problem
from .program import solve_linear
from .solution import Infeasible, Relaxation

Vector = NDArray[np.float64]
Slacks = Callable[[Collection[str]], Vector | None]
"""The smallest slacks, by limit, when only the named limits may give; None if that is not enough."""

NOTHING = 1e-7
"""Slack below this is rounding."""


def explain_conflict(problem: Problem) -> Infeasible:
    """Which limits of an infeasible problem conflict, and what would resolve it.

    Raises:
        OptimizerError: the problem is feasible after all (the solver contradicted itself), or the solver broke.
    """
    names = _limits(problem)
    slacks = _elastic(problem, names)
    cheapest = _relaxations(names, slacks(names))
    if not cheapest:
        raise OptimizerError("The solver HiGHS contradicted itself on feasibility: check limits that nearly conflict.")
    needed = list(names)
    for name in names:
        fewer = [other for other in needed if other != name]
        # Still impossible with `name` (and all dropped before it) out of the way: the conflict does not need it.
        if slacks([other for other in names if other not in fewer]) is None:
            needed = fewer
    alone = tuple(row for name in needed for row in _relaxations(names, slacks([name])) or ())
    ways = " or ".join(f"{_plain(row.limit)} by {row.amount * 100:.2f} points" for row in alone)
    ways = ways or " and ".join(f"{_plain(row.limit)} by {row.amount * 100:.2f} points" for row in cheapest)
    sentence = f"No portfolio satisfies {_listed([_plain(name) for name in needed])} together: relax {ways}."
    return Infeasible(conflict=tuple(needed), cheapest=cheapest, alone=alone, sentence=sentence)


def _limits(problem: Problem) -> tuple[str, ...]:
    caps = [f"{'exclusion' if name in problem.exclusions else 'cap'}:{name}" for name in problem.tickers]
    sectors = [f"sector:{name}" for name in problem.capped_sectors()]
    return (*caps, *sectors, "cash", "invested", *(["turnover"] if problem.turnover_limit is not None else []))


def _elastic(problem: Problem, names: tuple[str, ...]) -> Slacks:
    """Declare the elastic program once; the result says how much each limit gives if only some may."""
    count, groups = len(problem.tickers), len(problem.capped_sectors())
    weights = cp.Variable(count, nonneg=True)
    slack = cp.Variable(len(names), nonneg=True)
    allowed = cp.Parameter(len(names), nonneg=True)
    limits = [
        slack <= allowed,
        weights <= problem.upper_bounds() + slack[:count],
        weights.sum() <= 1 - problem.min_cash + slack[count + groups],
        weights.sum() >= problem.min_invested - slack[count + groups + 1],
    ]
    if groups:
        most = np.array([problem.sector_caps[name] for name in problem.capped_sectors()])
        limits.append(problem.membership() @ weights <= most + slack[count : count + groups])
    if problem.turnover_limit is not None:
        buys, sells = cp.Variable(count, nonneg=True), cp.Variable(count, nonneg=True)
        limits.append(weights - problem.previous_weights == buys - sells)
        limits.append(buys.sum() + sells.sum() <= problem.turnover_limit + slack[-1])
    elastic = cp.Problem(cp.Minimize(slack.sum()), limits)
    # No limit can need more room than everything held, bought and sold.
    ample = 4.0 + float(problem.previous_weights.sum())

    def slacks(free: Collection[str]) -> Vector | None:
        allowed.value = np.array([ample if name in free else 0.0 for name in names])
        return None if solve_linear(elastic) is None else np.asarray(slack.value, dtype=np.float64)

    return slacks


def _relaxations(names: tuple[str, ...], slacks: Vector | None) -> tuple[Relaxation, ...] | None:
    """What gives; empty where nothing has to, None where it is not enough."""
    if slacks is None:
        return None
    given = zip(names, slacks, strict=True)
    return tuple(Relaxation(limit=name, amount=float(amount)) for name, amount in given if amount > NOTHING)


def _plain(limit: str) -> str:
    kind, _, name = limit.partition(":")
    words = {"cap": f"the cap of {name}", "exclusion": f"the exclusion of {name}", "sector": f"the {name} sector cap"}
    return (
        words.get(kind)
        or {"cash": "the cash floor", "invested": "the invested floor", "turnover": "the turnover limit"}[kind]
    )


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
