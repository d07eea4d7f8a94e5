"""The figures of a track, each with the interval in which chance could have left it.

Every figure is computed for many histories at once: rows of a (B, T) matrix of daily simple returns, the first of which
is what happened and the others are drawn from it in blocks. 252 sessions a year, risk-free rate 0. A figure that does
not exist for a history is NaN there; one that does not exist for the track itself is absent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from ...tools.frozen import Frozen
from .metrics import SESSIONS_PER_YEAR, DegenerateTrack
from .resampling import Places, interval

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
_FLAT = 1e-12
TAIL = 0.95
"""Level of the CVaR of daily returns."""


class Estimate(Frozen):
    """A figure and the interval that holds it in 95 % of resampled histories."""

    value: float
    low: float | None = None
    """None where too few histories have the figure."""
    high: float | None = None


@dataclass(frozen=True)
class Figure:
    """A figure of returns."""

    name: str
    meaning: str
    """One line, with the source of the formula."""
    compute: Callable[[Matrix], Vector]
    """(B, T) returns to (B,) values, NaN where undefined."""
    per_cent: bool = True


def estimate(figure: Callable[[Matrix], Vector], returns: Vector, places: Places, level: float = 0.95) -> Estimate:
    """A figure of (T,) returns with its interval over the histories (B, T).

    Raises:
        DegenerateTrack: the track has no such figure.
    """
    return _estimate(float(figure(returns[None, :])[0]), figure(returns[places]), level)


def _estimate(value: float, resampled: Vector, level: float) -> Estimate:
    if not np.isfinite(value):
        raise DegenerateTrack("The track has no such figure: show a dash.")
    try:
        low, high = interval(resampled, level)
    except DegenerateTrack:
        return Estimate(value=value)
    return Estimate(value=value, low=low, high=high)


def total_return(returns: Matrix) -> Vector:
    """What the whole track earned."""
    return np.asarray(np.prod(1 + returns, axis=1) - 1)


def annual_return(returns: Matrix) -> Vector:
    """Compound: (end / start) ** (252 / T) - 1."""
    return np.asarray(np.prod(1 + returns, axis=1) ** (SESSIONS_PER_YEAR / returns.shape[1]) - 1)


def volatility(returns: Matrix) -> Vector:
    """Standard deviation (ddof 1) x sqrt(252)."""
    return np.asarray(returns.std(axis=1, ddof=1) * sqrt(SESSIONS_PER_YEAR))


def sharpe(returns: Matrix) -> Vector:
    """Sharpe (1994): mean over standard deviation x sqrt(252)."""
    return _ratio(returns.mean(axis=1) * SESSIONS_PER_YEAR, np.where(_flat(returns), 0.0, volatility(returns)))


def sortino(returns: Matrix) -> Vector:
    """Sortino and Price (1994), target 0: annual mean over the annual root mean square of negative returns."""
    downside = np.sqrt((np.minimum(returns, 0.0) ** 2).mean(axis=1) * SESSIONS_PER_YEAR)
    return _ratio(returns.mean(axis=1) * SESSIONS_PER_YEAR, downside)


def max_drawdown(returns: Matrix) -> Vector:
    """The deepest fall from an earlier high (the start included), <= 0."""
    return np.asarray(_below_high(returns).min(axis=1))


def longest_drawdown(returns: Matrix) -> Vector:
    """The most sessions in a row below an earlier high."""
    under = _below_high(returns) < -_FLAT
    count = np.arange(1, returns.shape[1] + 1)
    since = np.maximum.accumulate(np.where(under, 0, count), axis=1)
    return np.asarray((np.where(under, count - since, 0)).max(axis=1), dtype=float)


def calmar(returns: Matrix) -> Vector:
    """Young (1991): annual return over the size of the maximum drawdown."""
    return _ratio(annual_return(returns), -max_drawdown(returns))


def cvar(returns: Matrix) -> Vector:
    """Mean daily loss in the worst 5 % of sessions, the boundary session counting in part, positive is bad.

    Rockafellar and Uryasev (2002); the same figure as `tools.optimizer.tail` for equal probabilities.
    """
    tail = (1 - TAIL) * returns.shape[1]
    whole = int(tail + 1e-9)
    losses = -np.sort(returns, axis=1)
    rest = max(0.0, tail - whole)
    edge = losses[:, whole] * rest if rest > 0 and whole < returns.shape[1] else 0.0
    return np.asarray((losses[:, :whole].sum(axis=1) + edge) / tail)


def hit_rate(returns: Matrix) -> Vector:
    """Share of sessions that ended higher, of those that ended higher or lower."""
    up, down = (returns > _FLAT).sum(axis=1), (returns < -_FLAT).sum(axis=1)
    return _ratio(up.astype(float), (up + down).astype(float))


FIGURES: tuple[Figure, ...] = (
    Figure("return", "compound, a year", annual_return),
    Figure("volatility", "a year", volatility),
    Figure("Sharpe", "annual mean over volatility, risk-free rate 0 (Sharpe 1994)", sharpe, per_cent=False),
    Figure("Sortino", "annual mean over downside deviation (Sortino and Price 1994)", sortino, per_cent=False),
    Figure("Calmar", "annual return over the deepest drawdown (Young 1991)", calmar, per_cent=False),
    Figure("max drawdown", "deepest fall from an earlier high", max_drawdown),
    Figure("longest drawdown", "sessions below an earlier high", longest_drawdown, per_cent=False),
    Figure("CVaR 95 %", "mean loss in the worst 5 % of sessions (Rockafellar and Uryasev 2002)", cvar),
    Figure("hit rate", "share of sessions that ended higher", hit_rate),
)


def market_model(returns: Matrix, market: Matrix) -> tuple[Vector, Vector]:
    """Beta, and alpha a year (252 times the daily intercept), by least squares on the market (Jensen 1968)."""
    own, common = returns - returns.mean(axis=1, keepdims=True), market - market.mean(axis=1, keepdims=True)
    beta = _ratio((own * common).sum(axis=1), np.where(_flat(market), 0.0, (common**2).sum(axis=1)))
    return beta, (returns.mean(axis=1) - beta * market.mean(axis=1)) * SESSIONS_PER_YEAR


def against(returns: Vector, market: Vector, places: Places, level: float = 0.95) -> tuple[Estimate, Estimate]:
    """Alpha a year and beta against a market, both series resampled together.

    Raises:
        DegenerateTrack: the market does not vary.
    """
    beta, alpha = market_model(returns[None, :], market[None, :])
    betas, alphas = market_model(returns[places], market[places])
    return _estimate(float(alpha[0]), alphas, level), _estimate(float(beta[0]), betas, level)


def residual(returns: Vector, market: Vector) -> Vector:
    """(T,) what is left of the returns after their beta to the market: mean alpha, no market in it.

    Raises:
        DegenerateTrack: the market does not vary.
    """
    beta = float(market_model(returns[None, :], market[None, :])[0][0])
    if not np.isfinite(beta):
        raise DegenerateTrack("A constant market has no beta: compare with something that moves.")
    return returns - beta * market


def _below_high(returns: Matrix) -> Matrix:
    wealth = np.cumprod(1 + returns, axis=1)
    high = np.maximum(np.maximum.accumulate(wealth, axis=1), 1.0)
    return np.asarray(wealth / high - 1)


def _flat(returns: Matrix) -> NDArray[np.bool_]:
    return np.asarray(np.ptp(returns, axis=1) <= _FLAT)


def _ratio(above: Vector, below: Vector) -> Vector:
    return np.asarray(np.where(below > _FLAT, above / np.where(below > _FLAT, below, 1.0), np.nan))
