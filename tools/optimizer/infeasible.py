"""Why no portfolio satisfies all limits: a smallest set of limits that conflict, and what would resolve it.

The cheapest relaxation is the optimum of the elastic program. Its duals name a set of limits that conflict (Farkas);
those left after taking away every one that the conflict does not need are an irreducible infeasible set (deletion
filter, Chinneck and Dravnieks 1991).

A CVaR limit enters by the least CVaR that the other limits allow. Risk and weights have no common unit, so where it is
part of the conflict, the cheapest relaxation is that of the CVaR limit alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import OptimizerError
from .elastic import NOTHING, Elastic
from .engine import Optimum, Tail
from .form import Form
from .problem import Problem
from .selection import ScenarioSelection
from .solution import Infeasible, Relaxation
from .tail import risk

if TYPE_CHECKING:
    from .mean_cvar import Units

CONTRADICTION = "The solver HiGHS contradicted itself on feasibility: check limits that nearly conflict."


def explain_conflict(problem: Problem, form: Form, tail: Tail, units: Units) -> Infeasible:
    """Which limits of an infeasible problem conflict, and what would resolve it.

    Raises:
        OptimizerError: the problem is feasible after all (the solver contradicted itself), or the solver broke.
    """
    elastic = Elastic(problem, form)
    amounts = {"return": units.reward, "cvar": units.scale}

    def relaxations(given: dict[str, float]) -> tuple[Relaxation, ...]:
        return tuple(Relaxation(limit=name, amount=amount * amounts.get(name, 1.0)) for name, amount in given.items())

    given = elastic.slacks(elastic.limits)
    if given:
        needed = _deleted(
            elastic.suspects(elastic.duals()), lambda kept: elastic.slacks(_others(elastic, kept)) is None
        )
        ways = [elastic.slacks([name]) for name in needed]
    else:
        given, needed, ways = _risk_conflict(elastic, tail)
    cheapest = relaxations(given)
    alone = tuple(row for way in ways if way for row in relaxations(way))
    means = " or ".join(_give(row) for row in alone) or " and ".join(_give(row) for row in cheapest)
    sentence = f"No portfolio satisfies {_listed([_plain(name) for name in needed])} together: relax {means}."
    return Infeasible(conflict=tuple(needed), cheapest=cheapest, alone=alone, sentence=sentence)


def _others(elastic: Elastic, kept: Sequence[str]) -> list[str]:
    return [name for name in elastic.limits if name not in kept]


def _deleted(suspects: list[str], conflict: Callable[[list[str]], bool]) -> list[str]:
    """The suspects without each that the conflict does not need."""
    needed = list(suspects)
    for name in suspects:
        fewer = [other for other in needed if other != name]
        # Still impossible with `name` (and all dropped before it) out of the way: the conflict does not need it.
        if conflict(fewer):
            needed = fewer
    return needed


def _risk_conflict(elastic: Elastic, tail: Tail) -> tuple[dict[str, float], list[str], list[dict[str, float] | None]]:
    """The cheapest relaxation, the conflict, and the ways out, where only the CVaR limit makes it impossible."""
    limit = tail.limit
    if limit is None:
        raise OptimizerError(CONTRADICTION)
    engine = ScenarioSelection()

    def least_risk(kept: Sequence[str]) -> tuple[float, Optimum]:
        form = elastic.priced(_others(elastic, kept), prices={})
        found = engine.minimum(form, replace(tail, weight=1.0, limit=None))
        if found is None:
            raise OptimizerError(CONTRADICTION)
        losses = tail.returns @ found.x[: form.names] * (-1 / tail.scale)
        return risk(losses, tail.chances, 1 - tail.mass)[0], found

    least, optimum = least_risk(elastic.limits)
    missing = least - limit
    if missing <= 0:
        raise OptimizerError(CONTRADICTION)
    suspects = elastic.suspects(optimum.duals)
    needed = _deleted(suspects, lambda kept: least_risk(kept)[0] > limit + NOTHING * max(1.0, abs(limit)))
    ways: list[dict[str, float] | None] = [{"cvar": missing}]
    for name in needed:
        found = engine.minimum(elastic.priced([name]), replace(tail, weight=0.0))
        ways.append(None if found is None else elastic.given(found.x))
    return {"cvar": missing}, ["cvar", *needed], ways


def _plain(limit: str) -> str:
    kind, _, name = limit.partition(":")
    return {
        "cap": f"the cap of {name}",
        "floor": f"the floor of {name}",
        "exclusion": f"the exclusion of {name}",
        "sector": f"the {name} sector cap",
        "limit": f"the limit {name}",
        "cash": "the cash floor",
        "invested": "the invested floor",
        "turnover": "the turnover limit",
        "gross": "the gross limit",
        "short": "the short limit",
        "return": "the target return",
        "cvar": "the CVaR limit",
    }[kind]


def _give(row: Relaxation) -> str:
    amount = f"{row.amount * 1e4:.2f} bp" if row.limit in ("return", "cvar") else f"{row.amount * 100:.2f} points"
    return f"{_plain(row.limit)} by {amount}"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
