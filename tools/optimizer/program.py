"""The scenario-free part of the problem, declared once in cvxpy: weights, trades, limits, expected return, costs.

Everything that changes from one rebalance to the next is a cvxpy `Parameter` and enters by the rules of disciplined
parametrized programming (DPP, Agrawal et al. 2019), so that a program of N names and K capped sectors is declared and
compiled once. An engine adds the scenarios. This module imports cvxpy (two seconds): import it at the first solve.
"""

from dataclasses import dataclass

import cvxpy as cp
import numpy as np
from numpy.typing import NDArray

from ..errors import OptimizerError
from .problem import Problem

Vector = NDArray[np.float64]

OPTIONS = {
    "solver": cp.HIGHS,
    # The same problem must have the same answer to the last bit, whatever was solved before it.
    "warm_start": False,
    # `parallel=off` and not `threads=1`: the latter fails where something else in the process has started HiGHS before.
    "highs_options": {
        "parallel": "off",
        "solver": "simplex",
        "primal_feasibility_tolerance": 1e-9,
        "dual_feasibility_tolerance": 1e-9,
        "time_limit": 60.0,
    },
}
"""How HiGHS is called: cold, serial simplex, tight tolerances; the time limit is only a guard and ends in an error."""


def solve_linear(problem: cp.Problem) -> float | None:
    """Solve and return the optimal value, None if infeasible.

    Raises:
        OptimizerError: the solver broke or gave up.
    """
    try:
        problem.solve(**OPTIONS)  # type: ignore[no-untyped-call]
    except cp.SolverError as error:
        raise OptimizerError(f"The solver HiGHS broke ({error}): check the problem's numbers.") from error
    if problem.status in (cp.INFEASIBLE, cp.settings.INFEASIBLE_OR_UNBOUNDED):
        return None
    if problem.status != cp.OPTIMAL:
        raise OptimizerError(f"The solver HiGHS gave up with status {problem.status}: use fewer names or scenarios.")
    return float(problem.value)


@dataclass(frozen=True)
class Price:
    """The duals of all limits: what one unit of each is worth in the (scaled) objective."""

    caps: Vector
    sectors: Vector
    cash: float
    invested: float
    turnover: float


class Program:
    """Variables, parameters and limits for N names and K capped sectors; `load` sets the figures of one problem.

    Objectives are in units of `scale`, so that the solver sees numbers around 1. Not safe to share between threads.
    """

    def __init__(self, names: int, sectors: int) -> None:
        self.weights = cp.Variable(names, nonneg=True)
        self._buys = cp.Variable(names, nonneg=True)
        self._sells = cp.Variable(names, nonneg=True)
        self._return = cp.Parameter(names)
        self._costs = cp.Parameter(names, nonneg=True)
        self._previous = cp.Parameter(names)
        self._caps = cp.Parameter(names)
        self._most_invested = cp.Parameter()
        self._least_invested = cp.Parameter()
        self._turnover = cp.Parameter()
        self._membership = cp.Parameter((sectors, names)) if sectors else None
        self._sector_caps = cp.Parameter(sectors) if sectors else None

        self._cap_limit = self.weights <= self._caps
        self._cash_limit = self.weights.sum() <= self._most_invested
        self._invested_limit = self.weights.sum() >= self._least_invested
        self._turnover_limit = self._buys.sum() + self._sells.sum() <= self._turnover
        self.constraints: list[cp.Constraint] = [
            self.weights - self._previous == self._buys - self._sells,
            self._cap_limit,
            self._cash_limit,
            self._invested_limit,
            self._turnover_limit,
        ]
        self._sector_limit = None
        if self._membership is not None:
            self._sector_limit = self._membership @ self.weights <= self._sector_caps
            self.constraints.append(self._sector_limit)
        self.reward = self._return @ self.weights - self._costs @ (self._buys + self._sells)
        self._linear = cp.Problem(cp.Maximize(self.reward), self.constraints)

    def load(self, problem: Problem, scale: float) -> None:
        """Set the limits of a problem, and its expected returns and costs in units of `scale`."""
        self._return.value = problem.expected_returns / scale
        self._costs.value = problem.costs / scale
        self._previous.value = np.array(problem.previous_weights)
        self._caps.value = problem.upper_bounds()
        self._most_invested.value = 1 - problem.min_cash
        self._least_invested.value = problem.min_invested
        # Without a limit, what could at most be traded: everything sold and everything bought.
        most = 2.0 + float(problem.previous_weights.sum())
        self._turnover.value = most if problem.turnover_limit is None else problem.turnover_limit
        if self._membership is not None and self._sector_caps is not None:
            self._membership.value = problem.membership()
            self._sector_caps.value = np.array([problem.sector_caps[name] for name in problem.capped_sectors()])

    def best_reward(self, tilt: Vector) -> float:
        """The largest value of (expected return + tilt)'w - costs within the limits; the loaded figures stay.

        Args:
            tilt: (N,) in units of the scale.
        """
        untilted = np.asarray(self._return.value)
        self._return.value = untilted + tilt
        try:
            best = solve_linear(self._linear)
        finally:
            self._return.value = untilted
        if best is None:
            raise OptimizerError(
                "The solver HiGHS contradicted itself on feasibility: check limits that nearly conflict."
            )
        return best

    def prices(self) -> Price:
        """The duals of the limits at the last solution of a problem that holds `constraints`."""
        none = np.zeros(0)
        return Price(
            caps=np.asarray(self._cap_limit.dual_value, dtype=np.float64),
            sectors=none if self._sector_limit is None else np.atleast_1d(self._sector_limit.dual_value),
            cash=float(self._cash_limit.dual_value),
            invested=float(self._invested_limit.dual_value),
            turnover=float(self._turnover_limit.dual_value),
        )
