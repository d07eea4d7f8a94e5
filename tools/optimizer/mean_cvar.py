"""Mean-CVaR portfolios: solve, tidy, verify, explain.

The solver sees returns in units of their root mean square (raw daily returns make it accept answers that are off by
per cents with status `optimal`). Whatever it says is then checked without it: the objective is computed exactly from
all scenarios, and bounded by duality. For the first goal, and alike for the others,

    max_w mu'w - lambda CVaR(-Rw) - cost(w)  <=  max_w (mu + lambda R'q)'w - cost(w)

for every measure q with 0 <= q_s <= p_s / (1 - beta) and sum q = 1 (the dual of the CVaR), the right side being a
linear program without scenarios, bounded in turn by any duals of its rows (`Form.bound`). The difference is the
reported gap; a gap that is not small is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import frexp
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import OptimizerError
from .goal import MaximumReturn, MinimumCVaR, Utility
from .problem import Problem
from .solution import Infeasible, Solution
from .tail import risk, tail_weights
from .tidy import ROUNDING, tidied

if TYPE_CHECKING:
    from .engine import Engine, Optimum, Tail
    from .form import Form, FormReader
    from .program import Program, Shape

Vector = NDArray[np.float64]

LARGEST_GAP = 1e-8
"""Relative; beyond it the solver's answer is refused."""


@dataclass(frozen=True)
class Units:
    """Powers of two, so that scaling rounds nothing."""

    scale: float
    """Of the scenarios: about their root mean square."""
    reward: float
    """Of returns and costs: about the largest term of the objective."""


@dataclass
class _Compiled:
    """A program of one shape, and its arrays as last read."""

    program: Program
    reader: FormReader
    form: Form | None = None


class MeanCVaR:
    """The optimizer; keeps compiled programs from one call to the next. One object per thread.

    Args:
        warm: start each problem from the one before, as the window moves: many times faster in a backtest. Then a
            problem with several optima may be answered by another of them than it would be alone; the objective is
            the same. Without it the answer depends on the problem alone, to the last bit.
        engine: another engine than `ScenarioSelection`, such as `CvxpyEngine`, the whole program through cvxpy.
    """

    def __init__(self, *, warm: bool = False, engine: Engine | None = None) -> None:
        self._warm = warm
        self._engine = engine
        self._programs: dict[Shape, _Compiled] = {}
        self._units: Units | None = None

    def solve(self, problem: Problem) -> Solution | Infeasible:
        """The best weights within the limits, or which limits conflict.

        Raises:
            OptimizerError: the solver broke, or its answer does not stand the exact check.
        """
        # cvxpy takes two seconds to import: only those who solve pay for it.
        from .selection import ScenarioSelection

        if self._engine is None:
            self._engine = ScenarioSelection(warm=self._warm)
        units = units_of(problem, self._units if self._warm else None)
        self._units = units
        program, form = self._loaded(problem, units)
        tail = tail_of(problem, units)
        optimum = self._engine.solve(program, form, tail)
        if optimum is None:
            from .infeasible import explain_conflict

            return explain_conflict(problem, form, tail, units)
        return _verified(problem, form, tail, optimum, units)

    def _loaded(self, problem: Problem, units: Units) -> tuple[Program, Form]:
        """The program of the problem's shape with its figures, and the same in arrays."""
        from .form import FormReader
        from .program import Program, shape_of

        shape = shape_of(problem)
        if shape not in self._programs:
            program = Program(shape)
            self._programs[shape] = _Compiled(program, FormReader(program))
        compiled = self._programs[shape]
        if compiled.program.load(problem, units.reward) or compiled.form is None:
            compiled.form = compiled.reader.read()
        return compiled.program, compiled.form


def _power_of_two(value: float) -> float:
    return 2.0 ** frexp(value)[1]


def _root_mean_square(values: NDArray[np.float64]) -> float:
    """Of all values, also where their squares underflow or overflow."""
    flat = values.reshape(-1)
    mean = float(np.einsum("i,i->", flat, flat)) / len(flat)  # not by BLAS, whose threads cost more than the sum
    if 1e-200 < mean < 1e200:
        return float(np.sqrt(mean))
    largest = float(np.abs(flat).max())
    return largest * float(np.sqrt(np.mean((flat / largest) ** 2))) if largest > 0 else 0.0


def units_of(problem: Problem, before: Units | None) -> Units:
    """The units of a problem; those of the problem before where they still fit within a factor of four."""
    spread = _root_mean_square(problem.scenarios)
    terms = max(float(np.abs(problem.expected_returns).max()), float(problem.costs.max()))
    if isinstance(problem.goal, Utility):
        terms = max(terms, problem.goal.risk_aversion * spread)

    def fitting(value: float, old: float | None) -> float:
        if old is not None and old / 4 <= value <= old * 4:
            return old
        return _power_of_two(value) if value > 0 else 1.0

    scale = fitting(spread, before.scale if before else None)
    return Units(scale, fitting(terms, before.reward if before else None))


def tail_of(problem: Problem, units: Units) -> Tail:
    """The risk term in solver units; scenarios of probability 0 are left out."""
    from .engine import Tail

    goal, chances, returns = problem.goal, problem.chances, problem.scenarios
    if problem.probabilities is not None and not chances.all():
        likely = chances > 0
        chances, returns = chances[likely], returns[likely]
    weight = {Utility: 0.0, MinimumCVaR: 1.0, MaximumReturn: 0.0}[type(goal)]
    if isinstance(goal, Utility):
        weight = goal.risk_aversion * units.scale / units.reward
    return Tail(
        returns=returns,
        chances=chances,
        # Below the smallest probability the CVaR is the worst loss whatever beta is, and 1 / mass would only hurt.
        mass=min(1.0, max(1 - problem.beta, float(chances.min()))),
        scale=units.scale,
        weight=weight,
        limit=goal.cvar_limit / units.scale if isinstance(goal, MaximumReturn) else None,
    )


def _verified(problem: Problem, form: Form, tail: Tail, optimum: Optimum, units: Units) -> Solution:
    """The solution with its exact figures, if it stands the check."""
    from .explain import bindings

    goal = problem.goal
    weights, over = tidied(problem, optimum.x[: form.names])
    losses = -(tail.returns @ weights)
    cvar, var = risk(losses, tail.chances, problem.beta)
    trades = np.abs(weights - problem.previous_weights)
    cost = float(problem.costs @ trades)
    expected = float(problem.expected_returns @ weights)
    measure = _valid(optimum.measure, tail)
    worst = np.flatnonzero(measure)
    measured = tail.returns[worst].T @ (measure[worst] / tail.scale)
    bound, reduced = form.bound(optimum.duals, measured)
    if isinstance(goal, Utility):
        objective = expected - goal.risk_aversion * cvar - cost
        gap = -bound * units.reward - objective
        size = abs(expected) + goal.risk_aversion * abs(cvar) + cost
    elif isinstance(goal, MinimumCVaR):
        objective, size = cvar, abs(cvar)
        gap = cvar - bound * units.scale
    else:
        objective, size = expected - cost, abs(expected) + cost
        assert tail.limit is not None
        gap = (float(measure.sum()) * tail.limit - bound) * units.reward - objective
    per = units.scale if isinstance(goal, MinimumCVaR) else units.reward
    if isinstance(goal, MaximumReturn):
        over = max(over, cvar - goal.cvar_limit)
    _refuse_if_wrong(gap, over, size, per)
    marginal = _marginal(measure, losses, cvar, tail, problem.beta)
    return Solution(
        weights=dict(zip(problem.tickers, weights.tolist(), strict=True)),
        cash_weight=float(1 - weights.sum()),
        expected_return=expected,
        cvar=cvar,
        var=var,
        objective=objective,
        gap=gap,
        relative_gap=gap / size if size > 0 else 0.0,
        turnover=float(trades.sum()),
        cost=cost,
        marginal_cvar=dict(zip(problem.tickers, marginal.tolist(), strict=True)),
        component_cvar=dict(zip(problem.tickers, (weights * marginal).tolist(), strict=True)),
        binding=bindings(problem, form, optimum, reduced, per, units.reward, units.scale),
        scenarios=len(tail.chances),
        window=problem.window,
    )


def _refuse_if_wrong(gap: float, over: float, size: float, unit: float) -> None:
    """A solver that says `optimal` is not believed.

    Raises:
        OptimizerError: the gap, or the violation of a limit, is more than rounding.
    """
    if abs(gap) > LARGEST_GAP * max(size, 1e-2 * unit):
        raise OptimizerError(
            f"The solver's answer is off by up to {gap:.3g} and was refused: "
            "look for scenarios of wildly different size."
        )
    if over > 10 * ROUNDING:
        raise OptimizerError(f"The solver's answer exceeds a limit by {over:.3g} and was refused: check their sizes.")


def _valid(measure: Vector, tail: Tail) -> Vector:
    """The engine's measure lambda q, forced to be a valid one: 0 <= lambda q <= lambda p / mass and sum lambda."""
    total = tail.weight if tail.limit is None else max(0.0, float(measure.sum()))
    if total == 0:
        return np.zeros_like(measure)
    most = tail.chances * (total / tail.mass)
    valid: Vector = np.minimum(np.maximum(measure, 0.0), most)
    missing = total - float(valid.sum())
    if missing > 0:
        room = most - valid
        valid += room * min(1.0, missing / float(room.sum()))
    elif missing < 0:
        valid *= total / float(valid.sum())
    return valid


def _marginal(measure: Vector, losses: Vector, cvar: float, tail: Tail, beta: float) -> Vector:
    """(N,) mean loss per unit of each name under the worst-case measure.

    The solver's measure where it gives the CVaR (where several scenarios lie at the VaR it is the one that supports the
    solution), else the tail in order.
    """
    total = float(measure.sum())
    weights = measure / total if total > 0 else measure
    if abs(float(weights @ losses) - cvar) > 1e-9 * max(abs(cvar), 1e-3 * tail.scale):
        weights = tail_weights(losses, tail.chances, beta)
    worst = np.flatnonzero(weights)
    return -(tail.returns[worst].T @ weights[worst])
