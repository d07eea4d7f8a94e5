"""Risk statistics of daily returns: volatility, drawdown, and an instrument's part in the market's moves.

Plain functions of arrays whose last axis is time, (T,) or (instruments, T); NaN where a statistic is undefined. Returns
are simple total returns from trade to trade; a level is a price with its dividends reinvested. In C's
order an instrument's figure has the same bits alone as among others: sums run along its own row. They are tested
against empyrical, which answers the same in ten to thirty times the time: an evidence pack asks for hundreds of them.
"""

from math import nan, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SESSIONS_PER_YEAR = 252
_YEAR_ROOT = sqrt(SESSIONS_PER_YEAR)

Vector = NDArray[np.float64]


class MarketModel(NamedTuple):
    """r = alpha + beta m + residual, fitted by least squares (Sharpe 1963)."""

    beta: Vector
    """(instruments,), or a number: slope on the market's returns."""
    idiosyncratic_volatility: Vector
    """Annual volatility of the residuals, with n - 2 degrees of freedom."""


def changes(levels: Vector) -> Vector:
    """Simple returns between consecutive levels: one element fewer."""
    earlier = levels[..., :-1]
    return (levels[..., 1:] - earlier) / earlier


def annual_volatility(returns: Vector) -> Vector:
    """Standard deviation (ddof 1) of daily returns, times sqrt(252); NaN of fewer than two."""
    count = returns.shape[-1]
    if count < 2:
        return _undefined(returns)
    return _root_mean(_deviations(returns), count - 1)


def max_drawdown(levels: Vector) -> Vector:
    """The deepest fall of a level from the highest one before it, in [-1, 0]; NaN of none."""
    if not levels.shape[-1]:
        return _undefined(levels)
    deepest: Vector = np.minimum.reduce(levels / np.maximum.accumulate(levels, axis=-1), axis=-1) - 1
    return deepest


def market_model(returns: Vector, market: Vector) -> MarketModel:
    """Instruments' returns explained by the market's, (T,), over the same spans.

    Undefined (NaN) with fewer than three returns, and where the market did not move.
    """
    count = len(market)
    if count < 3:
        return undefined(returns)
    own, common = _deviations(returns), _deviations(market)
    variation = float(np.add.reduce(common * common))
    # below this the deviations of a constant are rounding errors
    if variation <= count * (1e-15 * float(np.maximum.reduce(np.abs(market)))) ** 2:
        return undefined(returns)
    beta = np.add.reduce(own * common, axis=-1) / variation
    return MarketModel(beta, _root_mean(own - np.expand_dims(beta, -1) * common, count - 2))


def undefined(returns: Vector) -> MarketModel:
    """The model of returns that nothing can be said about."""
    return MarketModel(_undefined(returns), _undefined(returns))


def _undefined(values: Vector) -> Vector:
    return np.full(values.shape[:-1], nan)


def _deviations(values: Vector) -> Vector:
    deviations: Vector = values - np.add.reduce(values, axis=-1, keepdims=True) / values.shape[-1]
    return deviations


def _root_mean(deviations: Vector, count: int) -> Vector:
    volatility: Vector = np.sqrt(np.add.reduce(deviations * deviations, axis=-1) / count) * _YEAR_ROOT
    return volatility
