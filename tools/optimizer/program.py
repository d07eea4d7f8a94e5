"""The scenario-free part of the problem, declared once in cvxpy: weights, trades, limits, expected return, costs.

    minimize    -(mu'w - c'(buys + sells))                     left out where the goal is the CVaR alone
    subject to  w - w0 = buys - sells,   w + shorts >= 0
                exposure = (sum w; sectors w; F w; sum buys + sells; sum w + 2 shorts; sum shorts; mu'w - c'trades)
                lower <= exposure <= upper,   floor <= w <= cap,   buys, sells, shorts >= 0

Every limit that is not a bound of one weight is a bound of one exposure, so all of them have two sides and a name.
Everything that changes from one rebalance to the next is a cvxpy `Parameter` and enters by the rules of disciplined
parametrized programming (DPP, Agrawal et al. 2019): a program of one shape is declared and compiled once. An engine
adds the scenarios. This module imports cvxpy (two seconds): import it at the first solve.
"""

from dataclasses import dataclass

import cvxpy as cp
import numpy as np
from cvxpy.atoms.affine.hstack import hstack
from numpy.typing import NDArray

from .goal import MaximumReturn, MinimumCVaR, Utility
from .problem import Problem

Vector = NDArray[np.float64]

SLACK = 1.0
"""How far beyond what is possible an absent side of a limit lies, so that it never binds."""


@dataclass(frozen=True)
class Shape:
    """What decides which variables and limits a program has; problems of one shape share it."""

    names: int
    sectors: int
    limits: int
    earns: bool
    """The objective holds the return after costs."""
    target: bool
    """There is a target return."""
    trades: bool
    """Costs or the turnover limit need buys and sells."""
    turnover: bool
    gross: bool
    short: bool


def shape_of(problem: Problem) -> Shape:
    """The shape of a problem's program."""
    goal = problem.goal
    target = isinstance(goal, MinimumCVaR) and goal.target_return is not None
    earns = isinstance(goal, Utility | MaximumReturn)
    costly = (earns or target) and bool(problem.costs.any())
    return Shape(
        names=len(problem.tickers),
        sectors=len(problem.capped_sectors()),
        limits=len(problem.limits),
        earns=earns,
        target=target,
        trades=costly or problem.turnover_limit is not None,
        turnover=problem.turnover_limit is not None,
        gross=problem.max_gross is not None,
        short=problem.max_short is not None,
    )


class Program:
    """Variables, parameters and limits of one shape; `load` sets the figures of one problem.

    Returns, costs and the target are in the unit given to `load`. Not safe to share between threads.
    """

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._loaded: tuple[object, ...] = ()
        count = shape.names
        self.weights = cp.Variable(count, name="weights")
        self._floors, self._caps = cp.Parameter(count), cp.Parameter(count)
        self._return, self._costs = cp.Parameter(count), cp.Parameter(count, nonneg=True)
        self._previous = cp.Parameter(count)
        self._rows = cp.Parameter((shape.sectors + shape.limits, count)) if shape.sectors + shape.limits else None
        self.balance: cp.Constraint | None = None
        bounds: list[tuple[cp.Variable, cp.Parameter | Vector, cp.Parameter]] = [
            (self.weights, self._floors, self._caps)
        ]
        earned = self._return @ self.weights if shape.earns or shape.target else cp.Constant(0.0)
        exposures = [self.weights.sum()]
        if self._rows is not None:
            exposures.append(self._rows @ self.weights)
        if shape.trades:
            buys, sells = cp.Variable(count, name="buys"), cp.Variable(count, name="sells")
            self._most_traded = cp.Parameter(count)
            bounds += [(side, np.zeros(count), self._most_traded) for side in (buys, sells)]
            self.balance = self.weights - self._previous == buys - sells
            earned = earned - self._costs @ (buys + sells)
        if shape.turnover:
            exposures.append(buys.sum() + sells.sum())
        self.cover: cp.Constraint | None = None
        if shape.gross or shape.short:
            shorts = cp.Variable(count, name="shorts")
            self._most_short = cp.Parameter(count)
            bounds.append((shorts, np.zeros(count), self._most_short))
            self.cover = self.weights + shorts >= 0
            exposures += [self.weights.sum() + 2 * shorts.sum()] if shape.gross else []
            exposures += [shorts.sum()] if shape.short else []
        if shape.target:
            exposures.append(earned)
        total = sum(expression.size for expression in exposures)
        self.exposure = cp.Variable(total, name="exposure")
        self._least, self._most = cp.Parameter(total), cp.Parameter(total)
        bounds.append((self.exposure, self._least, self._most))
        self.definition = self.exposure == hstack(exposures)
        self.bounds = bounds
        equalities = [self.definition] if self.balance is None else [self.balance, self.definition]
        self.constraints: list[cp.Constraint] = equalities + ([] if self.cover is None else [self.cover])
        self.constraints += [limit for variable, low, high in bounds for limit in (variable >= low, variable <= high)]
        self.loss = -earned if shape.earns else cp.Constant(0.0)
        """What is minimized beside the risk: the negative return after costs."""
        self.linear = cp.Problem(cp.Minimize(self.loss), self.constraints)

    def load(self, problem: Problem, unit: float) -> bool:
        """Set the figures of a problem, returns and costs in `unit`; whether any of them changed."""
        figures_of = _figures(problem, unit)
        if figures_of == self._loaded:
            return False
        self._loaded = figures_of
        lowest, highest = problem.lower_bounds(), problem.upper_bounds()
        figures = [(self._floors, lowest), (self._caps, highest)]
        if self.shape.earns or self.shape.target:
            figures.append((self._return, problem.expected_returns / unit))
        reach = np.maximum(np.abs(lowest), np.abs(highest))
        traded = reach + np.abs(problem.previous_weights)
        rows = np.vstack([problem.membership(), problem.coefficients()])
        if self._rows is not None:
            figures.append((self._rows, rows))
        if self.shape.trades:
            figures += [(self._previous, problem.previous_weights), (self._costs, problem.costs / unit)]
            figures.append((self._most_traded, traded + SLACK))
        if self.shape.gross or self.shape.short:
            figures.append((self._most_short, np.maximum(-lowest, 0) + SLACK))
        sides = exposure_bounds(problem, unit)
        most = float(reach.sum()) + SLACK
        implied = [most, *(np.abs(rows) @ reach + SLACK)]
        implied += [float(traded.sum()) + SLACK] if self.shape.turnover else []
        implied += [3 * most] * (self.shape.gross + self.shape.short)
        if self.shape.target:
            earned = np.abs(problem.expected_returns) @ reach + problem.costs @ traded
            implied.append(float(earned) / unit + SLACK)
        # An absent side lies just beyond what is possible: a finite bound that cannot bind.
        far = list(zip(sides, implied, strict=True))
        figures.append((self._least, np.array([-beyond if low is None else low for (_, low, _), beyond in far])))
        figures.append((self._most, np.array([beyond if high is None else high for (_, _, high), beyond in far])))
        changed = [(parameter, value) for parameter, value in figures if not _holds(parameter, value)]
        for parameter, value in changed:
            parameter.save_value(value)  # cvxpy's own check of it costs more than all else here; `Problem` has checked
        return bool(changed)


def _figures(problem: Problem, unit: float) -> tuple[object, ...]:
    """All that `Program.load` reads of a problem, quick to compare."""
    arrays = (problem.floors, problem.caps, problem.expected_returns, problem.costs, problem.previous_weights)
    singles = (problem.min_cash, problem.min_invested, problem.turnover_limit, problem.max_gross, problem.max_short)
    names = (problem.tickers, problem.exclusions, problem.sectors, problem.sector_caps, problem.limits)
    return (unit, problem.goal, *singles, *names, *(array.tobytes() for array in arrays))


def _holds(parameter: cp.Parameter, value: Vector) -> bool:
    return parameter.value is not None and np.array_equal(parameter.value, value)


def exposure_bounds(problem: Problem, unit: float) -> list[tuple[str, float | None, float | None]]:
    """Name, least and most of every exposure of the problem's program, in its order; None: no limit on that side."""
    goal = problem.goal
    sides: list[tuple[str, float | None, float | None]] = [("invested", problem.min_invested, 1 - problem.min_cash)]
    sides += [(f"sector:{name}", None, problem.sector_caps[name]) for name in problem.capped_sectors()]
    sides += [(f"limit:{limit.name}", limit.least, limit.most) for limit in problem.limits]
    if problem.turnover_limit is not None:
        sides.append(("turnover", None, problem.turnover_limit))
    if problem.max_gross is not None:
        sides.append(("gross", None, problem.max_gross))
    if problem.max_short is not None:
        sides.append(("short", None, problem.max_short))
    if isinstance(goal, MinimumCVaR) and goal.target_return is not None:
        sides.append(("return", goal.target_return / unit, None))
    return sides
