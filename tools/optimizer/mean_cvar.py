"""Mean-CVaR portfolios: solve, tidy, verify, explain.

The solver sees returns divided by their root mean square (raw daily returns make it accept answers that are off by
per cents with status `optimal`). Whatever it says is then checked without it: the objective is computed exactly from
the scenarios, and bounded from above by duality,

    max_w mu'w - lambda CVaR(-Rw) - cost(w)  <=  max_w (mu + lambda R'q)'w - cost(w)

for every measure q with 0 <= q_s <= p_s / (1 - beta) and sum q = 1 (the dual of the CVaR), the right side being a tiny
linear program without scenarios. The difference is the reported gap; a gap that is not small is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import OptimizerError
from .explain import bindings
from .problem import Problem
from .solution import Infeasible, Solution
from .tail import conditional_value_at_risk, value_at_risk
from .tidy import tidied

if TYPE_CHECKING:
    from .engine import Engine, Optimum, Tail
    from .program import Program

Vector = NDArray[np.float64]

LARGEST_GAP = 1e-6
"""In units of the scale: beyond it the solver's answer is refused."""


class MeanCVaR:
    """The optimizer; keeps compiled programs from one call to the next. One object per thread."""

    def __init__(self, engine: Engine | None = None) -> None:
        self._engine = engine
        self._programs: dict[tuple[int, int], Program] = {}

    def solve(self, problem: Problem) -> Solution | Infeasible:
        """The best weights within the limits, or which limits conflict; the same answer for the same problem.

        Raises:
            OptimizerError: the solver broke, or its answer does not stand the exact check.
        """
        # cvxpy takes two seconds to import: only those who solve pay for it.
        from .engine import CvxpyEngine
        from .infeasible import explain_conflict
        from .program import Program

        if self._engine is None:
            self._engine = CvxpyEngine()
        size = (len(problem.tickers), len(problem.capped_sectors()))
        if size not in self._programs:
            self._programs[size] = Program(*size)
        program = self._programs[size]
        scale = _scale(problem)
        tail = _tail(problem, scale)
        program.load(problem, scale)
        optimum = self._engine.solve(program, tail)
        if optimum is None:
            return explain_conflict(problem)
        weights = tidied(problem, optimum.weights)
        bound = program.best_reward(tail.aversion * tail.returns.T @ _measure(optimum, tail)) * scale
        solution = _solution(problem, weights, bound, optimum, scale)
        if abs(solution.gap) > LARGEST_GAP * (scale + abs(solution.objective)):
            raise OptimizerError(
                f"The solver's answer is off by up to {solution.gap:.3g} and was refused: "
                "look for scenarios of wildly different size."
            )
        return solution


def _solution(problem: Problem, weights: Vector, bound: float, optimum: Optimum, scale: float) -> Solution:
    losses = -problem.scenarios @ weights
    cvar = conditional_value_at_risk(losses, problem.chances, problem.beta)
    trades = np.abs(weights - problem.previous_weights)
    cost = float(problem.costs @ trades)
    expected = float(problem.expected_returns @ weights)
    objective = expected - problem.risk_aversion * cvar - cost
    return Solution(
        weights={name: float(weight) for name, weight in zip(problem.tickers, weights, strict=True)},
        cash_weight=float(1 - weights.sum()),
        expected_return=expected,
        cvar=cvar,
        var=value_at_risk(losses, problem.chances, problem.beta),
        objective=objective,
        gap=bound - objective,
        turnover=float(trades.sum()),
        cost=cost,
        binding=bindings(problem, optimum.prices, scale),
        scenarios=int(np.count_nonzero(problem.chances)),
    )


def _scale(problem: Problem) -> float:
    """Unit of the objective: the root mean square of the risk term's returns, unless other terms dwarf it."""
    largest = float(np.abs(problem.scenarios).max())
    spread = largest * float(np.sqrt(np.mean((problem.scenarios / largest) ** 2))) if largest > 0 else 0.0
    spread *= max(1.0, problem.risk_aversion)
    others = max(float(np.abs(problem.expected_returns).max()), float(problem.costs.max()))
    scale = max(spread, 1e-6 * others)
    return scale if scale > 0 else 1.0


def _tail(problem: Problem, scale: float) -> Tail:
    """The risk term in solver units, aversion split so that neither factor is huge."""
    from .engine import Tail

    likely = problem.chances > 0
    factor = max(1.0, problem.risk_aversion)
    chances = problem.chances[likely]
    return Tail(
        returns=problem.scenarios[likely] * (factor / scale),
        probabilities=chances,
        # Below the smallest probability the CVaR is the worst loss whatever beta is, and 1 / mass would only hurt.
        mass=max(1 - problem.beta, float(chances.min())) if len(chances) > 1 else 0.5,
        aversion=problem.risk_aversion / factor,
    )


def _measure(optimum: Optimum, tail: Tail) -> Vector:
    """The engine's dual measure, forced to be a valid one: 0 <= q <= p / mass and sum q = 1."""
    most = tail.probabilities / tail.mass
    measure: Vector = np.clip(optimum.measure / max(float(optimum.measure.sum()), 1e-300), 0.0, most)
    missing = 1 - float(measure.sum())
    room = most - measure
    if missing > 0:
        measure += missing * room / room.sum()
    return measure / float(measure.sum())
