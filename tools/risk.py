"""Risk statistics of daily returns: volatility, drawdown, and an instrument's part in the market's moves.

Plain functions of arrays, NaN where a statistic is undefined. Returns are simple total returns from trade to trade;
a level is a price with its dividends reinvested. They are tested against empyrical, which answers the same in ten to
thirty times the time: an evidence pack asks for hundreds of them.
"""

from math import sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SESSIONS_PER_YEAR = 252
_YEAR_ROOT = sqrt(SESSIONS_PER_YEAR)

Vector = NDArray[np.float64]


class MarketModel(NamedTuple):
    """r = alpha + beta m + residual, fitted by least squares (Sharpe 1963)."""

    beta: float
    """Slope on the market's returns."""
    idiosyncratic_volatility: float
    """Annual volatility of the residuals, with n - 2 degrees of freedom."""


UNDEFINED = MarketModel(float("nan"), float("nan"))


def changes(levels: Vector) -> Vector:
    """Simple returns between consecutive levels: one element fewer."""
    earlier = levels[:-1]
    return (levels[1:] - earlier) / earlier


def annual_volatility(returns: Vector) -> float:
    """Standard deviation (ddof 1) of daily returns, times sqrt(252); NaN of fewer than two."""
    if len(returns) < 2:
        return float("nan")
    deviations = _deviations(returns)
    return sqrt(np.add.reduce(deviations * deviations) / (len(returns) - 1)) * _YEAR_ROOT


def max_drawdown(levels: Vector) -> float:
    """The deepest fall of a level from the highest one before it, in [-1, 0]; NaN of none."""
    if not len(levels):
        return float("nan")
    return float(np.minimum.reduce(levels / np.maximum.accumulate(levels))) - 1


def market_model(returns: Vector, market: Vector) -> MarketModel:
    """An instrument's returns explained by the market's over the same spans.

    Undefined (NaN) with fewer than three returns, and where the market did not move.
    """
    if len(returns) < 3:
        return UNDEFINED
    own, common = _deviations(returns), _deviations(market)
    variation = float(np.add.reduce(common * common))
    # below this the deviations of a constant are rounding errors
    if variation <= len(market) * (1e-15 * float(np.maximum.reduce(np.abs(market)))) ** 2:
        return UNDEFINED
    beta = float(np.add.reduce(own * common)) / variation
    residuals = own - beta * common
    return MarketModel(beta, sqrt(np.add.reduce(residuals * residuals) / (len(returns) - 2)) * _YEAR_ROOT)


def _deviations(values: Vector) -> Vector:
    deviations: Vector = values - np.add.reduce(values) / len(values)
    return deviations
