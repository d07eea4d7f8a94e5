"""What a portfolio is asked for. Four forms, all of them linear programs over the scenarios.

With r(w) = mu'w - c'|w - w0| the expected return after costs and CVaR(w) = CVaR_beta(-R w):

    Utility(risk_aversion)          maximize  r(w) - lambda CVaR(w)
    MinimumCVaR()                   minimize  CVaR(w)
    MinimumCVaR(target_return)      minimize  CVaR(w)    subject to  r(w) >= target
    MaximumReturn(cvar_limit)       maximize  r(w)       subject to  CVaR(w) <= limit

The second and the third trace the same frontier as the first and the fourth (Krokhmal, Palmquist and Uryasev 2002,
Theorem 3), but each is the natural question of somebody.
"""

from dataclasses import dataclass
from math import isfinite

from ..errors import ProblemError


@dataclass(frozen=True)
class Utility:
    """Return after costs minus `risk_aversion` times CVaR."""

    risk_aversion: float
    """lambda >= 0: return given up per unit of CVaR."""

    def __post_init__(self) -> None:
        if not (isfinite(self.risk_aversion) and self.risk_aversion >= 0):
            raise ProblemError(
                "risk_aversion", f"The risk aversion must be a number of at least 0, not {self.risk_aversion}."
            )


@dataclass(frozen=True)
class MinimumCVaR:
    """The least CVaR, at a return after costs of at least `target_return` where one is given."""

    target_return: float | None = None
    """Per period, after costs; None: whatever it turns out to be."""

    def __post_init__(self) -> None:
        if self.target_return is not None and not isfinite(self.target_return):
            raise ProblemError("target_return", f"The target return must be a number, not {self.target_return}.")


@dataclass(frozen=True)
class MaximumReturn:
    """The most return after costs at a CVaR of at most `cvar_limit`."""

    cvar_limit: float
    """Largest CVaR of the loss per period, fraction of equity; may be negative (a gain is then demanded)."""

    def __post_init__(self) -> None:
        if not isfinite(self.cvar_limit):
            raise ProblemError("cvar_limit", f"The CVaR limit must be a number, not {self.cvar_limit}.")


Goal = Utility | MinimumCVaR | MaximumReturn
