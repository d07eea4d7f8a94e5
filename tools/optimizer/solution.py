"""What the optimizer answers: a solution with its certificate and what bound it, or which limits conflict."""

from typing import Literal

from ..frozen import Frozen


class Binding(Frozen):
    """A limit that the solution touches and that costs something."""

    limit: str
    """`cap:T`, `floor:T`, `exclusion:T`, `sector:S`, `limit:NAME`, `cash`, `invested`, `turnover`, `gross`, `short`,
    `return` (the target) or `cvar` (the limit)."""
    dual: float
    """Gain of the objective per unit by which the limit is relaxed (one-sided at a corner), >= 0: per unit of weight,
    for `return` and `cvar` per unit of return."""
    sentence: str


class Solution(Frozen):
    """Optimal weights; figures are of these very weights (tidied), computed exactly from the scenarios."""

    status: Literal["optimal"] = "optimal"
    weights: dict[str, float]
    """By ticker, every ticker of the problem; the rest of the equity is cash."""
    cash_weight: float
    expected_return: float
    """mu'w per period, before costs."""
    cvar: float
    """CVaR_beta of the loss per period, as a fraction of equity; positive is a loss."""
    var: float
    """VaR_beta of the loss per period."""
    objective: float
    """Of the goal: utility, the CVaR (which is minimized), or the return after costs."""
    gap: float
    """Proven distance to the best objective possible, >= 0 up to rounding, from a bound that needs no solver."""
    relative_gap: float
    """The gap in parts of |mu'w| + lambda |CVaR| + cost, or of |CVaR| where that is the goal."""
    turnover: float
    """|w - w0|_1."""
    cost: float
    """c'|w - w0|, fraction of equity."""
    marginal_cvar: dict[str, float]
    """By ticker: the loss of one unit of it in the worst case that supports the solution, a subgradient of the CVaR."""
    component_cvar: dict[str, float]
    """By ticker: weight times marginal CVaR; they add up to the CVaR."""
    binding: tuple[Binding, ...]
    """Most valuable first."""
    scenarios: int
    """How many scenarios of positive probability it rests on."""
    window: str = ""
    """Where they come from, in words."""


class Relaxation(Frozen):
    """By how much a limit would have to give: in units of weight, for `return` and `cvar` in units of return."""

    limit: str
    amount: float


class Infeasible(Frozen):
    """No weights satisfy all limits; nothing was optimized."""

    status: Literal["infeasible"] = "infeasible"
    conflict: tuple[str, ...]
    """The limits that cannot hold together; without any one of them the rest can."""
    cheapest: tuple[Relaxation, ...]
    """The smallest total relaxation that makes the problem solvable; see `relax.relaxed`."""
    alone: tuple[Relaxation, ...]
    """For each limit of the conflict that can resolve it by itself: how much it has to give."""
    sentence: str
