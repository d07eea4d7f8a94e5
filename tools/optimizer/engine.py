"""Engines: who adds the scenarios to the scenario-free program and solves.

An engine is exact: it may leave scenarios out while it works, not in what it returns. The caller verifies it anyway,
from the returned weights and measure alone.
"""

from dataclasses import dataclass
from typing import Protocol

import cvxpy as cp
import numpy as np
from numpy.typing import NDArray

from .program import Price, Program, solve_linear

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Tail:
    """The risk term in solver units: aversion * CVaR of -returns @ w."""

    returns: Matrix
    """(S, N) in units of the scale; rows of probability 0 are left out."""
    probabilities: Vector
    """(S,) positive, summing to 1."""
    mass: float
    """1 - beta, in (0, 1)."""
    aversion: float
    """lambda in units of the objective, >= 0."""


@dataclass(frozen=True)
class Optimum:
    """What an engine found."""

    weights: Vector
    """(N,) within the solver's tolerance of the limits."""
    measure: Vector
    """(S,) the dual of the scenario rows: the probabilities of the worst case that supports the solution."""
    prices: Price


class Engine(Protocol):
    """Solves a loaded program with a tail."""

    def solve(self, program: Program, tail: Tail) -> Optimum | None:
        """The optimum, None if the limits conflict.

        Raises:
            OptimizerError: the solver broke.
        """
        ...


class CvxpyEngine:
    """The reference: the whole linear program of Rockafellar and Uryasev (2002, eq. 17), through cvxpy and HiGHS."""

    def solve(self, program: Program, tail: Tail) -> Optimum | None:
        """See `Engine.solve`."""
        quantile = cp.Variable()
        excess = cp.Variable(len(tail.probabilities), nonneg=True)
        rows = cp.NonNeg(tail.returns @ program.weights + quantile + excess)
        cvar = quantile + (tail.probabilities / tail.mass) @ excess
        whole = cp.Problem(cp.Maximize(program.reward - tail.aversion * cvar), [*program.constraints, rows])
        if solve_linear(whole) is None:
            return None
        measure = np.asarray(rows.dual_value, dtype=np.float64) if tail.aversion > 0 else tail.probabilities
        return Optimum(np.array(program.weights.value, dtype=np.float64), measure, program.prices())
