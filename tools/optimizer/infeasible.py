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
        suspects = elastic.suspects(elastic.duals())
        needed = _deleted(suspects, lambda kept: elastic.slacks(_others(elastic, kept)) is None)
        ways = [elastic.slacks([name]) for name in needed]
        if tail.limit is not None:
            # What resolves this conflict must not break the CVaR limit.
            risk_too = _Risk(elastic, tail)
            given, ways = risk_too.cheapest(), [risk_too.slacks([name]) for name in needed]
    else:
        given, needed, ways = _Risk(elastic, tail).conflict()
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


class _Risk:
    """The elastic program with the scenarios and a limit on the CVaR.

    Raises:
        OptimizerError: there is no such limit, so nothing can conflict with it.
    """

    def __init__(self, elastic: Elastic, tail: Tail) -> None:
        if tail.limit is None:
            raise OptimizerError(CONTRADICTION)
        self._elastic, self._tail, self._limit = elastic, tail, tail.limit
        self._engine = ScenarioSelection()

    def slacks(self, free: Sequence[str]) -> dict[str, float] | None:
        """The smallest slacks when only the limits of `free` may give; None if not enough."""
        found = self._engine.minimum(self._elastic.priced(free), replace(self._tail, weight=0.0))
        return None if found is None else self._elastic.given(found.x)

    def least(self, kept: Sequence[str]) -> tuple[float, Optimum]:
        """The least CVaR when only the limits of `kept` hold."""
        form = self._elastic.priced(_others(self._elastic, kept), prices={})
        found = self._engine.minimum(form, replace(self._tail, weight=1.0, limit=None))
        if found is None:
            raise OptimizerError(CONTRADICTION)
        losses = self._tail.returns @ found.x[: form.names] * (-1 / self._tail.scale)
        return risk(losses, self._tail.chances, 1 - self._tail.mass)[0], found

    def cheapest(self) -> dict[str, float]:
        """The smallest slacks when all limits may give, the CVaR's only if nothing else helps."""
        given = self.slacks(self._elastic.limits)
        if given is not None:
            return given
        least, optimum = self.least([])
        return self._elastic.given(optimum.x) | {"cvar": least - self._limit}

    def conflict(self) -> tuple[dict[str, float], list[str], list[dict[str, float] | None]]:
        """The cheapest relaxation, the conflict, and the ways out, where the other limits alone are possible."""
        least, optimum = self.least(self._elastic.limits)
        missing = least - self._limit
        if missing <= 0:
            raise OptimizerError(CONTRADICTION)
        suspects = self._elastic.suspects(optimum.duals)
        tolerance = NOTHING * max(1.0, abs(self._limit))
        needed = _deleted(suspects, lambda kept: self.least(kept)[0] > self._limit + min(tolerance, missing / 2))
        ways: list[dict[str, float] | None] = [{"cvar": missing}, *(self.slacks([name]) for name in needed)]
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
