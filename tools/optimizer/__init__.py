"""Mean-CVaR optimization: `MeanCVaR().solve(Problem(...))` gives a `Solution` or an `Infeasible`."""

from .mean_cvar import MeanCVaR
from .problem import Problem
from .solution import Binding, Infeasible, Relaxation, Solution

__all__ = ["Binding", "Infeasible", "MeanCVaR", "Problem", "Relaxation", "Solution"]
