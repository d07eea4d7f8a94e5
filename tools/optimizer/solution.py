"""What the optimizer answers: a solution with its certificate and what bound it, or which limits conflict."""

from typing import Literal

from ..frozen import Frozen


class Binding(Frozen):
    """A limit that the solution touches and that costs something."""

    limit: str
    """`cap:T`, `exclusion:T`, `sector:S`, `cash`, `invested` or `turnover`."""
    dual: float
    """Gain of the objective per unit of weight by which the limit is relaxed (one-sided at a corner)."""
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
    """mu'w - lambda CVaR - cost."""
    gap: float
    """Proven distance to the best objective possible, >= 0 up to rounding: the dual bound minus `objective`."""
    turnover: float
    """|w - w0|_1."""
    cost: float
    """c'|w - w0|, fraction of equity."""
    binding: tuple[Binding, ...]
    """Most valuable first."""
    scenarios: int
    """How many scenarios of positive probability it rests on."""


class Relaxation(Frozen):
    """By how much a limit would have to give, in units of weight."""

    limit: str
    amount: float


class Infeasible(Frozen):
    """No weights satisfy all limits; nothing was optimized."""

    status: Literal["infeasible"] = "infeasible"
    conflict: tuple[str, ...]
    """The limits that cannot hold together; without any one of them the rest can."""
    cheapest: tuple[Relaxation, ...]
    """The smallest total relaxation that makes the problem solvable."""
    alone: tuple[Relaxation, ...]
    """For each limit of the conflict that can resolve it by itself: how much it has to give."""
    sentence: str
