"""The exact engine: the linear program over the tail's scenarios only, enlarged until no other scenario matters.

CVaR depends on the worst 1 - beta of the outcomes. The engine keeps a live linear program over some scenarios that
contains these (`restricted.py`), solves it, computes the losses of all scenarios at its solution, and adds those that
lie beyond the program's quantile. A restricted program is a relaxation, its optimum a lower bound, and the exact CVaR
of all scenarios at its solution gives an upper bound: when the two meet, or nothing is left to add, the solution is
that of the whole program; two or three rounds are usual. (Künzi-Bay and Mayer 2006 cut the same problem by one
aggregated row per round; here every scenario keeps a row of its own.)

Warm: the program survives to the next problem. Scenarios that left the window are switched off, changed costs and
sides are passed on, and simplex starts from the last basis.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import OptimizerError
from .engine import Optimum, Tail
from .form import Form
from .program import Program
from .restricted import DualProgram, PrimalProgram, Restricted, RestrictedOptimum
from .tail import worst_first
from .window import moved_by

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Places = NDArray[np.int32]

BORDER = 64
"""Up to so many assets the dual form is faster, beyond it the primal (benchmarks/optimizer.py)."""
FIRST_GUESS = 1.3
"""How much probability the first scenarios have, in tails."""
WORN = 3.0
"""A program is made anew when it holds so many times the scenarios that it began with."""
TOLERANCE = 1e-11
"""Bounds that are so near each other, relative to the objective's parts, are equal."""
ROUNDS = 200
"""A guard: three rounds are usual."""


@dataclass
class _Live:
    """A live program and what it holds."""

    program: Restricted
    shape: tuple[int, ...]
    scale: float
    weight: float
    kappa: float
    capped: float | None
    returns: Matrix
    slot_of: NDArray[np.int32]
    """(S,) slot of each scenario of the window, -1 where the program lacks it."""
    prices: Vector
    """(K,) kappa lambda p / m by slot, as the program has them."""
    began: int
    weights: Vector | None = None
    quantile: float = 0.0


class ScenarioSelection:
    """Exact and fast; see the module's text.

    Args:
        warm: start from the last problem's program. Then a problem with several optima may be answered by another of
            them than it would be alone; the objective is the same.
        border: number of assets up to which the dual form is used; for tests and benchmarks.
    """

    def __init__(self, *, warm: bool = False, border: int = BORDER) -> None:
        self._warm = warm
        self._border = border
        self._live: _Live | None = None

    def solve(self, program: Program, form: Form, tail: Tail) -> Optimum | None:
        """See `Engine.solve`."""
        return self.minimum(form, tail)

    def minimum(self, form: Form, tail: Tail) -> Optimum | None:
        """The minimum of a form's cost and its risk, None if infeasible."""
        live, self._live = self._live, None  # whatever breaks below leaves no half-changed program behind
        if live is not None and self._adapt(live, form, tail):
            try:
                found = self._search(live, form, tail)
            except OptimizerError:
                found = None  # the basis may be to blame: the cold start below decides
            if found is not None:
                return self._kept(live, found)
        guess = np.clip(1 / form.names, form.least[: form.names], form.most[: form.names])
        if live is not None and live.weights is not None and len(live.weights) == form.names:
            guess = live.weights
        fresh = self._build(form, tail, guess)
        found = self._search(fresh, form, tail)
        return None if found is None else self._kept(fresh, found)

    def _kept(self, live: _Live, found: Optimum) -> Optimum:
        if self._warm:
            self._live = live
        return found

    def _build(self, form: Form, tail: Tail, guess: Vector) -> _Live:
        """A program over the worst scenarios at `guess`."""
        kappa = tail.mass / float(tail.chances.mean())
        if tail.limit is None and tail.weight > 0 and form.names <= self._border:
            restricted: Restricted = DualProgram(form, tail.weight, kappa)
        else:
            restricted = PrimalProgram(form, tail.weight, kappa, tail.limit)
        live = _Live(
            program=restricted,
            shape=form.matrix.shape,
            scale=tail.scale,
            weight=tail.weight,
            kappa=kappa,
            capped=tail.limit,
            returns=tail.returns,
            slot_of=np.full(len(tail.chances), -1, dtype=np.int32),
            prices=np.zeros(0),
            began=1,
        )
        if tail.weight > 0 or tail.limit is not None:
            spare = (form.names + 5) * float(tail.chances.mean())
            self._add(live, tail, _worst(-tail.returns @ guess, tail.chances, FIRST_GUESS * tail.mass + spare))
        live.began = max(1, restricted.slots)
        return live

    def _adapt(self, live: _Live, form: Form, tail: Tail) -> bool:
        """Move a live program on to a new problem; False where it is better made anew."""
        same = (live.shape, live.scale, live.weight, live.capped) == (
            form.matrix.shape,
            tail.scale,
            tail.weight,
            tail.limit,
        )
        moved = moved_by(live.returns, tail.returns) if same and live.weights is not None else None
        if moved is None or live.program.slots > WORN * live.began:
            return False
        slot_of = np.full(len(tail.chances), -1, dtype=np.int32)
        common = min(len(live.slot_of) - moved, len(slot_of))
        slot_of[:common] = live.slot_of[moved : moved + common]
        gone = np.concatenate([live.slot_of[:moved], live.slot_of[moved + common :]])
        if (gone := gone[gone >= 0]).size:
            live.program.drop(gone)
        live.returns, live.slot_of = tail.returns, slot_of
        held = np.flatnonzero(slot_of >= 0)
        prices = self._prices(live, tail, held)
        stale = live.prices[slot_of[held]] != prices
        if stale.any():
            live.program.reprice(slot_of[held][stale], prices[stale])
            live.prices[slot_of[held]] = prices
        live.program.update(form)
        assert live.weights is not None
        losses = -tail.returns @ live.weights
        if float(tail.chances[held].sum()) < 1.05 * tail.mass:
            self._add(live, tail, _worst(losses, tail.chances, FIRST_GUESS * tail.mass))
        self._add(live, tail, np.flatnonzero(losses > live.quantile * tail.scale))
        return True

    @staticmethod
    def _prices(live: _Live, tail: Tail, which: NDArray[np.int64]) -> Vector:
        weight = 1.0 if tail.limit is not None else tail.weight
        return live.kappa * weight / tail.mass * tail.chances[which]

    def _add(self, live: _Live, tail: Tail, which: NDArray[np.int64]) -> None:
        """Take those of the scenarios that the program lacks."""
        if (new := which[live.slot_of[which] < 0]).size:
            prices = self._prices(live, tail, new)
            live.slot_of[new] = live.program.slots + np.arange(len(new), dtype=np.int32)
            live.program.add(tail.returns[new] / tail.scale, prices)
            live.prices = np.append(live.prices, prices)

    def _search(self, live: _Live, form: Form, tail: Tail) -> Optimum | None:
        """Solve, look for scenarios that matter and are missing, add them, again."""
        risky = tail.weight > 0 or tail.limit is not None
        for _ in range(ROUNDS):
            found = live.program.solve()
            if found is None:
                return None
            weights = found.x[: form.names]
            live.weights, live.quantile = weights, found.quantile
            if not risky:
                return self._optimum(live, found, tail)
            losses = (tail.returns @ weights) * (-1 / tail.scale)
            beyond = np.flatnonzero(losses > found.quantile + TOLERANCE * (1 + abs(found.quantile)))
            missing = beyond[live.slot_of[beyond] < 0]
            if not missing.size or self._closed(found.quantile, losses, beyond, missing, form, found.x, tail):
                return self._optimum(live, found, tail)
            self._add(live, tail, missing)
        raise OptimizerError(
            f"The optimizer found no end in {ROUNDS} rounds: look for scenarios of wildly different size."
        )

    @staticmethod
    def _closed(
        quantile: float,
        losses: Vector,
        beyond: NDArray[np.int64],
        missing: NDArray[np.int64],
        form: Form,
        x: Vector,
        tail: Tail,
    ) -> bool:
        """Whether what the missing scenarios add to the CVaR is rounding."""
        excess = (losses - quantile) * tail.chances / tail.mass
        added = float(excess[missing].sum())
        cvar = quantile + float(excess[beyond].sum())
        if tail.limit is not None:
            return added <= TOLERANCE * (1 + abs(tail.limit))
        return tail.weight * added <= TOLERANCE * (abs(float(form.cost @ x)) + tail.weight * abs(cvar))

    @staticmethod
    def _optimum(live: _Live, found: RestrictedOptimum, tail: Tail) -> Optimum:
        duals, by_slot = found.duals()
        measure = np.zeros(len(tail.chances))
        held = np.flatnonzero(live.slot_of >= 0)
        measure[held] = by_slot[live.slot_of[held]]
        return Optimum(found.x, duals, measure)


def _worst(losses: Vector, chances: Vector, mass: float) -> NDArray[np.int64]:
    """The worst scenarios that together have at least this probability, in their own order."""
    worst = worst_first(losses, chances, mass)
    count = int(np.searchsorted(np.cumsum(chances[worst]), mass)) + 1
    return np.sort(worst[:count])
