"""Engines: who adds the scenarios to the scenario-free program and solves.

An engine is exact: it may leave scenarios out while it works, not in what it returns. The caller verifies it anyway,
from the returned weights and duals alone (`Form.bound`).
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .form import Form
from .program import Program

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Tail:
    """The risk: minimize the form's cost + weight * CVaR(-R w / scale), or keep that CVaR within a limit."""

    returns: Matrix
    """(S, N) as given; rows of probability 0 are left out."""
    chances: Vector
    """(S,) positive, summing to 1."""
    mass: float
    """1 - beta, in (0, 1]."""
    scale: float
    """One unit of the scenarios, about their root mean square."""
    weight: float
    """lambda in units of the objective, >= 0; 0 where there is a limit."""
    limit: float | None
    """Largest CVaR in units of `scale`."""


@dataclass(frozen=True)
class Optimum:
    """What an engine found."""

    x: Vector
    """(n,) of the form's columns, the weights first; within the solver's tolerance of the limits."""
    duals: Vector
    """(m,) of the form's rows: positive on the least side."""
    measure: Vector
    """(S,) lambda q: the worst case that supports the solution, summing to the weight or to the price of the limit."""


class Engine(Protocol):
    """Solves a loaded program with a tail."""

    def solve(self, program: Program, form: Form, tail: Tail) -> Optimum | None:
        """The optimum, None if the limits conflict.

        Args:
            program: loaded.
            form: the same program in arrays.
            tail: the risk.

        Raises:
            OptimizerError: the solver broke.
        """
        ...
