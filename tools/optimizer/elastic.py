"""The program in which limits may give: every limit gets a slack, and the slack a price.

Which limits may give, and at which price, is changed in place; the rest of the program is that of the problem.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from .form import Form
from .live import LiveModel, Program, places
from .problem import Problem
from .program import exposure_bounds

Vector = NDArray[np.float64]

NOTHING = 1e-7
"""Slack below this is rounding."""


@dataclass(frozen=True)
class _Side:
    """One side of one limit: coefficients'x <= most + slack, or >= least - slack."""

    limit: str
    coefficients: sp.csr_array
    """(1, n)."""
    upper: bool
    bound: float


class Elastic:
    """The elastic program of a problem; slacks are in units of the form: of weight, and of its unit for `return`."""

    def __init__(self, problem: Problem, form: Form) -> None:
        sides = list(_sides(problem, form))
        self.limits = tuple(dict.fromkeys(side.limit for side in sides))
        self._sides = sides
        self._columns = form.matrix.shape[1]
        reach = np.maximum(np.abs(form.least), np.abs(form.most))
        # No limit can need more room than everything held, bought and sold; a return no more than that many best ones.
        self.ample = 10.0 + 2 * float(reach.sum() + np.abs(problem.previous_weights).sum())
        self.ample += max((abs(side.bound) for side in sides), default=0.0)
        others = [row for row in range(form.matrix.shape[0]) if not form.exposures.start <= row < form.exposures.stop]
        rows = [form.matrix.tocsr()[others], *(side.coefficients for side in sides)]
        count = len(sides)
        signs = sp.diags_array([-1.0 if side.upper else 1.0 for side in sides])
        slacks = sp.vstack([sp.csr_array((len(others), count)), signs])
        upper = np.array([side.upper for side in sides], dtype=bool)
        bound = np.array([side.bound for side in sides])
        room = np.full(self._columns, self.ample)
        room[: form.names] = [self.ample if name in _giving(sides, form) else 0.0 for name in range(form.names)]
        # A floor of 0 is no limit of the user's: what may not be short stays so.
        held = np.array([_held_at_zero(problem, place) for place in range(form.names)])
        lower_room = np.where(held, 0.0, room[: form.names])
        least = form.least.copy()
        least[: form.names] -= lower_room
        self.form = Form(
            names=form.names,
            exposures=slice(0, 0),
            cost=np.zeros(self._columns + count),
            matrix=sp.csc_array(sp.hstack([sp.vstack(rows), slacks])),
            row_least=np.append(form.row_least[others], np.where(upper, -np.inf, bound)),
            row_most=np.append(form.row_most[others], np.where(upper, bound, np.inf)),
            least=np.append(least, np.zeros(count)),
            most=np.append(form.most + room, np.zeros(count)),
        )
        self._model: LiveModel | None = None

    def priced(self, free: Collection[str], prices: Mapping[str, float] | None = None) -> Form:
        """The program in which only the limits of `free` may give, at a price of 1 per unit, or at the given prices."""
        slack = np.array([self.ample if side.limit in free else 0.0 for side in self._sides])
        price = np.array([1.0 if prices is None else prices.get(side.limit, 0.0) for side in self._sides])
        form = self.form
        return Form(
            names=form.names,
            exposures=form.exposures,
            cost=np.append(np.zeros(self._columns), price),
            matrix=form.matrix,
            row_least=form.row_least,
            row_most=form.row_most,
            least=form.least,
            most=np.append(form.most[: self._columns], slack),
        )

    def slacks(self, free: Collection[str]) -> dict[str, float] | None:
        """The smallest slacks when only the limits of `free` may give, without the scenarios; None if not enough."""
        form = self.priced(free)
        if self._model is None:
            self._model = LiveModel(
                Program(form.cost, form.matrix, form.row_least, form.row_most, form.least, form.most)
            )
        slack = slice(self._columns, len(form.most))
        columns = places(len(self._sides), self._columns)
        self._model.set_bounds(columns, form.least[slack], form.most[slack])
        return self.given(self._model.columns()) if self._model.run() else None

    def given(self, x: Vector) -> dict[str, float]:
        """By how much each limit gives at a solution; those that do not are left out."""
        found: dict[str, float] = {}
        for side, amount in zip(self._sides, x[self._columns :].tolist(), strict=True):
            if amount > NOTHING:
                found[side.limit] = found.get(side.limit, 0.0) + amount
        return found

    def suspects(self, duals: Vector) -> list[str]:
        """The limits with a dual at a solution that is not possible without slack: together they conflict (Farkas)."""
        tail = duals[len(duals) - len(self._sides) :]
        return list(dict.fromkeys(side.limit for side, dual in zip(self._sides, tail, strict=True) if abs(dual) > 1e-7))

    def duals(self) -> Vector:
        """Of the rows at the last solution of `slacks`."""
        assert self._model is not None
        return self._model.duals()


def _held_at_zero(problem: Problem, place: int) -> bool:
    return bool(problem.floors[place] == 0)


def _giving(sides: list[_Side], form: Form) -> set[int]:
    """Names with a bound that may give."""
    return {
        int(side.coefficients.indices[0])
        for side in sides
        if side.limit.partition(":")[0] in ("cap", "floor", "exclusion")
    }


def _sides(problem: Problem, form: Form) -> list[_Side]:
    """All sides of all limits: caps, floors and exclusions, then the exposures."""
    count = form.matrix.shape[1]

    def of_name(limit: str, place: int, upper: bool, bound: float) -> _Side:
        return _Side(limit, sp.csr_array(([1.0], ([0], [place])), shape=(1, count)), upper, bound)

    found = []
    for place, name in enumerate(problem.tickers):
        excluded = name in problem.exclusions
        most, least = float(form.most[place]), float(form.least[place])
        found.append(of_name(f"exclusion:{name}" if excluded else f"cap:{name}", place, True, most))
        if not _held_at_zero(problem, place):
            found.append(of_name(f"exclusion:{name}" if excluded else f"floor:{name}", place, False, least))
    rows = form.matrix.tocsr()
    bounds = exposure_bounds(problem, 1.0)
    for row, (limit, least_asked, most_asked) in zip(
        range(form.exposures.start, form.exposures.stop), bounds, strict=True
    ):
        if most_asked is not None:
            upper = "cash" if limit == "invested" else limit
            found.append(_Side(upper, rows[[row]], True, float(form.row_most[row])))
        if least_asked is not None:
            found.append(_Side(limit, rows[[row]], False, float(form.row_least[row])))
    return found
