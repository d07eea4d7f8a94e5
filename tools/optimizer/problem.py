"""What the optimizer is asked: a portfolio problem in numbers, checked at the border.

    maximize    mu'w - lambda CVaR_beta(-R w) - c'|w - w0|            or another goal, see goal.py
    subject to  min_invested <= sum(w) <= 1 - min_cash                the net exposure; the rest of the equity is cash
                floor <= w <= cap                                     per name; w = 0 for excluded names
                sector weights <= sector caps,  least <= F w <= most  custom linear limits
                sum |w| <= max_gross,  sum max(-w, 0) <= max_short
                sum |w - w0| <= turnover_limit

Cash earns and risks nothing here. All returns are simple returns of one and the same period (a day, or the horizon of
the decision); so are the objective and the CVaR.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import ProblemError
from .checks import (
    check_limits,
    checked_chances,
    checked_matrix,
    checked_tickers,
    checked_vector,
)
from .goal import Goal

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


def _all(value: float) -> Vector:
    """One number for all names: it is spread over them when the problem is made."""
    return np.array(value)


@dataclass(frozen=True)
class Limit:
    """A custom linear limit: least <= sum of coefficient times weight <= most."""

    name: str
    coefficients: Mapping[str, float]
    """By ticker; others count 0."""
    most: float | None = None
    least: float | None = None


@dataclass(frozen=True, eq=False)
class Problem:
    """One Mean-CVaR problem for N names and S scenarios; arrays are copied and made read-only.

    A vector may be given as one number for all names.

    Raises:
        ProblemError: a number that cannot be meant (NaN, wrong shape, beta outside (0, 1), a floor above its cap...).
    """

    tickers: tuple[str, ...]
    """Length N, no repeats; the order of all arrays."""
    scenarios: Matrix
    """(S, N) simple returns per period, one row per scenario, S >= 2."""
    goal: Goal
    """What to maximize or minimize."""
    expected_returns: Vector = field(default_factory=lambda: _all(0.0))
    """(N,) mu, same unit as the scenarios."""
    costs: Vector = field(default_factory=lambda: _all(0.0))
    """(N,) c, fraction of the traded value, >= 0 (0.001 is 10 bps)."""
    previous_weights: Vector = field(default_factory=lambda: _all(0.0))
    """(N,) w0, fractions of equity held before the decision; negative where short."""
    floors: Vector = field(default_factory=lambda: _all(0.0))
    """(N,) lower bounds of the weights; negative ones allow short positions."""
    caps: Vector = field(default_factory=lambda: _all(1.0))
    """(N,) upper bounds of the weights."""
    min_cash: float = 0.0
    """Fraction of equity that stays cash: the net exposure is at most 1 - min_cash; negative: borrowed money."""
    min_invested: float = 0.0
    """Smallest net exposure, the sum of the weights; with min_cash = 1 - min_invested the budget is an equality."""
    beta: float = 0.95
    """Level of the CVaR, in (0, 1): the mean of the worst 1 - beta of the outcomes."""
    probabilities: Vector | None = None
    """(S,) of the scenarios, >= 0, summing to 1; None: all equal."""
    sectors: Mapping[str, str] = field(default_factory=dict)
    """Sector by ticker; needed for every ticker as soon as there is a sector cap."""
    sector_caps: Mapping[str, float] = field(default_factory=dict)
    """Largest total weight by sector; sectors without a member are ignored."""
    limits: tuple[Limit, ...] = ()
    """Custom linear limits."""
    max_gross: float | None = None
    """Largest sum of absolute weights; None: no limit."""
    max_short: float | None = None
    """Largest sum of short positions, as a positive number; None: no limit."""
    turnover_limit: float | None = None
    """Largest |w - w0|_1, buys plus sells (a full switch from one name to another is 2); None: no limit."""
    exclusions: frozenset[str] = frozenset()
    """Tickers whose weight must become 0."""
    window: str = ""
    """Where the scenarios come from, in words; the solution repeats it."""

    def __post_init__(self) -> None:
        count = checked_tickers(self.tickers)
        object.__setattr__(self, "scenarios", checked_matrix(self.scenarios, count))
        for name in ("expected_returns", "costs", "previous_weights", "floors", "caps"):
            object.__setattr__(self, name, checked_vector(getattr(self, name), name, count))
        check_limits(self)
        if self.probabilities is not None:
            chances = checked_chances(self.probabilities, self.scenarios.shape[0])
            object.__setattr__(self, "probabilities", chances)

    @property
    def chances(self) -> Vector:
        """(S,) probabilities, equal ones where none were given."""
        if self.probabilities is not None:
            return self.probabilities
        return np.full(self.scenarios.shape[0], 1 / self.scenarios.shape[0])

    def lower_bounds(self) -> Vector:
        """(N,) floors, 0 for excluded names."""
        return self._without_excluded(self.floors)

    def upper_bounds(self) -> Vector:
        """(N,) caps, 0 for excluded names."""
        return self._without_excluded(self.caps)

    def _without_excluded(self, bounds: Vector) -> Vector:
        if not self.exclusions:
            return bounds
        excluded = np.array([name in self.exclusions for name in self.tickers])
        return np.where(excluded, 0.0, bounds)

    def capped_sectors(self) -> tuple[str, ...]:
        """Sectors that have both a cap and a member, sorted."""
        members = {self.sectors[name] for name in self.tickers if name in self.sectors}
        return tuple(sorted(set(self.sector_caps) & members))

    def membership(self) -> Matrix:
        """(K, N) 1 where the name belongs to the k-th of `capped_sectors()`."""
        rows = {sector: row for row, sector in enumerate(self.capped_sectors())}
        member = np.zeros((len(rows), len(self.tickers)))
        for column, name in enumerate(self.tickers):
            if rows and (sector := self.sectors[name]) in rows:
                member[rows[sector], column] = 1.0
        return member

    def coefficients(self) -> Matrix:
        """(L, N) coefficients of the custom limits, in their order."""
        rows = [[limit.coefficients.get(name, 0.0) for name in self.tickers] for limit in self.limits]
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(self.tickers))


__all__ = ["Limit", "Matrix", "Problem", "ProblemError", "Vector"]
