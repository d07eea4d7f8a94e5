"""Mean-CVaR optimization: `MeanCVaR().solve(Problem(...))` gives a `Solution` or an `Infeasible`."""

from .goal import Goal, MaximumReturn, MinimumCVaR, Utility
from .mean_cvar import MeanCVaR
from .problem import Limit, Problem
from .solution import Binding, Infeasible, Relaxation, Solution

__all__ = [
    "Binding",
    "Goal",
    "Infeasible",
    "Limit",
    "MaximumReturn",
    "MeanCVaR",
    "MinimumCVaR",
    "Problem",
    "Relaxation",
    "Solution",
    "Utility",
]
