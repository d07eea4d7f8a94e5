"""What the optimizer is asked: a portfolio problem in numbers, checked at the border.

    maximize    mu'w - lambda CVaR_beta(-R w) - c'|w - w0|
    subject to  min_invested <= sum(w) <= 1 - min_cash,  0 <= w <= cap,  sector caps,  |w - w0|_1 <= turnover limit

The rest of the equity is cash, which earns and risks nothing here. All returns are simple returns of one and the same
period (a day, or the horizon of the decision); so are the objective and the CVaR.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import OptimizerError

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

LARGEST_RETURN = 1e6
"""A larger number in the scenarios or the expected returns is not a return but a mistake."""


@dataclass(frozen=True, eq=False)
class Problem:
    """One Mean-CVaR problem for N names and S scenarios; arrays are copied and made read-only.

    Raises:
        OptimizerError: a number that cannot be meant (NaN, wrong shape, beta outside (0, 1), a negative cap...).
    """

    tickers: tuple[str, ...]
    """Length N, no repeats; the order of all arrays."""
    scenarios: Matrix
    """(S, N) simple returns per period, one row per scenario."""
    expected_returns: Vector
    """(N,) mu, same unit as the scenarios."""
    risk_aversion: float
    """lambda >= 0: return given up per unit of CVaR."""
    costs: Vector
    """(N,) c, fraction of the traded value, >= 0 (0.001 is 10 bps)."""
    previous_weights: Vector
    """(N,) w0, fractions of equity held before the decision, >= 0."""
    caps: Vector
    """(N,) upper bounds of the weights, in [0, 1]."""
    min_cash: float
    """Fraction of equity that stays cash, in [0, 1]."""
    min_invested: float = 0.0
    """Smallest sum of the weights, in [0, 1]."""
    beta: float = 0.95
    """Level of the CVaR: the mean of the worst 1 - beta of the outcomes."""
    probabilities: Vector | None = None
    """(S,) of the scenarios, >= 0, summing to 1; None: all equal."""
    sectors: Mapping[str, str] = field(default_factory=dict)
    """Sector by ticker; needed for every ticker as soon as there is a sector cap."""
    sector_caps: Mapping[str, float] = field(default_factory=dict)
    """Largest total weight by sector, in [0, 1]; sectors without a member are ignored."""
    turnover_limit: float | None = None
    """Largest |w - w0|_1, buys plus sells (a full switch from one name to another is 2); None: no limit."""
    exclusions: frozenset[str] = frozenset()
    """Tickers whose weight must become 0."""

    def __post_init__(self) -> None:
        count = len(self.tickers)
        if count == 0 or len(set(self.tickers)) != count:
            raise OptimizerError("The optimizer needs at least one ticker and each only once: check the universe.")
        scenarios = _array(self.scenarios, "scenarios", None, count)
        if scenarios.ndim != 2 or scenarios.shape[0] == 0:
            raise OptimizerError("The optimizer needs at least one scenario: give a longer history.")
        for name in ("expected_returns", "costs", "previous_weights", "caps"):
            object.__setattr__(self, name, _array(getattr(self, name), name, count))
        object.__setattr__(self, "scenarios", scenarios)
        for name, values in (("scenarios", scenarios), ("expected_returns", self.expected_returns)):
            if np.abs(values).max() > LARGEST_RETURN:
                raise OptimizerError(f"The {name} hold a return beyond {LARGEST_RETURN:g}: give fractions, not prices.")
        self._check_limits()
        if self.probabilities is not None:
            chances = _array(self.probabilities, "probabilities", scenarios.shape[0])
            if chances.min() < 0 or abs(chances.sum() - 1) > 1e-9:
                raise OptimizerError("Scenario probabilities must be at least 0 and sum to 1: normalise them first.")
            object.__setattr__(self, "probabilities", _frozen(chances / chances.sum()))

    def _check_limits(self) -> None:
        if not 0 < self.beta < 1:
            raise OptimizerError(f"beta must lie between 0 and 1, not {self.beta}: 0.95 means the worst twentieth.")
        if not (np.isfinite(self.risk_aversion) and self.risk_aversion >= 0):
            raise OptimizerError(f"The risk aversion must be a number of at least 0, not {self.risk_aversion}.")
        if self.costs.min() < 0 or self.previous_weights.min() < 0:
            raise OptimizerError("Costs and previous weights must not be negative: short positions are not modelled.")
        if self.turnover_limit is not None and not (np.isfinite(self.turnover_limit) and self.turnover_limit >= 0):
            raise OptimizerError(f"The turnover limit must be at least 0, not {self.turnover_limit}.")
        bounds = {"min_cash": self.min_cash, "min_invested": self.min_invested}
        bounds |= {f"cap of {t}": float(cap) for t, cap in zip(self.tickers, self.caps, strict=True)}
        bounds |= {f"cap of sector {name}": cap for name, cap in self.sector_caps.items()}
        for name, bound in bounds.items():
            if not 0 <= bound <= 1:
                raise OptimizerError(f"The {name} must lie between 0 and 1, not {bound}: it is a fraction of equity.")
        unknown = sorted(self.exclusions - set(self.tickers))
        if unknown:
            raise OptimizerError(
                f"Excluded but not in the universe: {', '.join(unknown)}; drop it from the exclusions."
            )
        homeless = [name for name in self.tickers if name not in self.sectors] if self.sector_caps else []
        if homeless:
            raise OptimizerError(f"There are sector caps but no sector for {', '.join(homeless)}: give its sector.")

    @property
    def chances(self) -> Vector:
        """(S,) probabilities, equal ones where none were given."""
        if self.probabilities is not None:
            return self.probabilities
        return np.full(self.scenarios.shape[0], 1 / self.scenarios.shape[0])

    def upper_bounds(self) -> Vector:
        """(N,) caps with the excluded names at 0."""
        excluded = np.array([name in self.exclusions for name in self.tickers])
        return np.where(excluded, 0.0, self.caps)

    def capped_sectors(self) -> tuple[str, ...]:
        """Sectors that have both a cap and a member, sorted."""
        return tuple(
            sorted(set(self.sector_caps) & {self.sectors[name] for name in self.tickers if name in self.sectors})
        )

    def membership(self) -> Matrix:
        """(K, N) 1 where the name belongs to the k-th of `capped_sectors()`."""
        rows = [[float(self.sectors[name] == sector) for name in self.tickers] for sector in self.capped_sectors()]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(self.tickers))


def _array(values: object, name: str, *shape: int | None) -> Vector:
    """A read-only float copy; `shape` may leave a dimension open by None."""
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise OptimizerError(f"The {name} are not an array of numbers.") from None
    if array.ndim != len(shape) or any(want not in (None, have) for want, have in zip(shape, array.shape, strict=True)):
        wanted = "x".join("S" if size is None else str(size) for size in shape)
        raise OptimizerError(f"The {name} have shape {array.shape} where {wanted} is needed: one column per ticker.")
    if not np.isfinite(array).all():
        raise OptimizerError(f"The {name} hold a NaN or an infinity: drop names or periods without data first.")
    return _frozen(array)


def _frozen(array: Vector) -> Vector:
    array.setflags(write=False)
    return array
