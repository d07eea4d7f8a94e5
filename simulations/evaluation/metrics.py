"""What a track of equity is worth: return, risk, their ratios, and what the trading cost.

A ratio that does not exist is not reported as 0 or infinity: the functions raise `DegenerateTrack`, and a `Performance`
holds None there, which tables show as a dash. All figures are from daily simple returns, 252 sessions a year, risk-free
rate 0.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import empyrical
import numpy as np
import pandas as pd

from ...tools.broker.protocol import Fill
from ...tools.errors import PaperDeskError
from ...tools.frozen import Frozen

SESSIONS_PER_YEAR = 252
_FLAT = 1e-12
"""Daily returns that vary by less than this are rounding noise around a constant."""


class EvaluationError(PaperDeskError):
    """A track cannot be evaluated."""


class DegenerateTrack(EvaluationError):
    """A figure does not exist for this track, such as the Sharpe ratio of a constant one."""


@dataclass(frozen=True)
class Trading:
    """What was traded and what it cost, in the account's currency."""

    traded: float
    """Shares times price over all executions, purchases and sales alike."""
    commission: float
    slippage: float
    """Difference to the market's opening price; positive is paid."""
    fills: int

    @property
    def costs(self) -> float:
        """Commission and slippage."""
        return self.commission + self.slippage


def trading_of(fills: Iterable[Fill]) -> Trading:
    """The sums over executions."""
    traded = commission = slippage = 0.0
    count = 0
    for fill in fills:
        direction = 1 if fill.side == "buy" else -1
        traded += fill.quantity * fill.price
        commission += fill.commission
        slippage += direction * fill.quantity * (fill.price - fill.open_price)
        count += 1
    return Trading(traded, commission, slippage, count)


class Performance(Frozen):
    """The figures of one track; None where a figure does not exist."""

    total_return: float
    annual_return: float
    """Compound: (end / start) ** (252 / returns) - 1."""
    annual_volatility: float | None
    """Standard deviation (ddof 1) of daily returns x sqrt(252); None with fewer than two returns."""
    sharpe: float | None
    """Sharpe (1994), risk-free rate 0: mean over standard deviation of daily returns x sqrt(252)."""
    sortino: float | None
    """Sortino and Price (1994), target 0: annual mean over the annual root mean square of the negative returns."""
    max_drawdown: float
    """Largest fall from an earlier high, as a fraction <= 0."""
    calmar: float | None
    """Annual return over the size of the maximum drawdown (Young 1991)."""
    turnover: float
    """Purchases and sales over mean equity, per year: 2.0 means all was sold and bought anew once a year."""
    costs: float
    """Commission and slippage in money."""
    costs_bps: float | None
    """The same in 1/10,000 of what was traded; None where nothing was."""
    fills: int
    sessions: int
    """Length of the track."""


def performance(equity: pd.Series, trading: Trading) -> Performance:
    """All figures of a track.

    Args:
        equity: value of the account at each session's close (currency), ascending by date, at least two.
        trading: what was traded on the way: `trading_of(fills)`.

    Raises:
        EvaluationError: the track is too short, out of order, or not positive and finite throughout.
    """
    returns = daily_returns(equity)
    years = len(returns) / SESSIONS_PER_YEAR
    return Performance(
        total_return=float(equity.iloc[-1] / equity.iloc[0]) - 1,
        annual_return=float(empyrical.annual_return(returns)),
        annual_volatility=float(empyrical.annual_volatility(returns)) if len(returns) > 1 else None,
        sharpe=_or_none(sharpe, returns),
        sortino=_or_none(sortino, returns),
        max_drawdown=float(empyrical.max_drawdown(returns)),
        calmar=_or_none(calmar, returns),
        turnover=trading.traded / float(equity.mean()) / years,
        costs=trading.costs,
        costs_bps=trading.costs / trading.traded * 10_000 if trading.traded > 0 else None,
        fills=trading.fills,
        sessions=len(equity),
    )


def daily_returns(equity: pd.Series) -> pd.Series:
    """Simple returns from one session to the next; one shorter than the track.

    Raises:
        EvaluationError: see `performance`.
    """
    values = equity.to_numpy(dtype=float)
    if len(values) < 2:
        raise EvaluationError(f"A track of {len(values)} sessions has no return; evaluate a longer one.")
    if not (np.isfinite(values).all() and (values > 0).all()):
        raise EvaluationError("A track must be positive and finite throughout; look at the ledger of the session.")
    if not (equity.index.is_monotonic_increasing and equity.index.is_unique):
        raise EvaluationError("The sessions of a track must ascend without repeats; sort it by date.")
    return pd.Series(values[1:] / values[:-1] - 1, index=equity.index[1:])


def sharpe(returns: pd.Series) -> float:
    """The Sharpe ratio of daily returns.

    Raises:
        DegenerateTrack: there are fewer than two returns, or they do not vary.
    """
    if len(returns) < 2 or float(np.ptp(returns.to_numpy())) <= _FLAT:
        raise DegenerateTrack("A constant track has no Sharpe ratio; show a dash.")
    return _finite(empyrical.sharpe_ratio(returns), "Sharpe")


def sortino(returns: pd.Series) -> float:
    """The Sortino ratio of daily returns.

    Raises:
        DegenerateTrack: there are fewer than two returns, or none is negative.
    """
    if len(returns) < 2 or float(returns.min()) >= -_FLAT:
        raise DegenerateTrack("A track that never falls has no Sortino ratio; show a dash.")
    return _finite(empyrical.sortino_ratio(returns), "Sortino")


def calmar(returns: pd.Series) -> float:
    """The Calmar ratio of daily returns.

    Raises:
        DegenerateTrack: the track never falls below an earlier high.
    """
    if float(empyrical.max_drawdown(returns)) >= -_FLAT:
        raise DegenerateTrack("A track without a drawdown has no Calmar ratio; show a dash.")
    return _finite(empyrical.calmar_ratio(returns), "Calmar")


def drawdowns(equity: pd.Series) -> pd.Series:
    """Distance of each session from the highest value so far, as fractions <= 0."""
    return equity / equity.cummax() - 1


def _finite(value: float, name: str) -> float:
    if not math.isfinite(value):
        raise DegenerateTrack(f"The track has no {name} ratio; show a dash.")
    return float(value)


def _or_none(ratio: Callable[[pd.Series], float], returns: pd.Series) -> float | None:
    try:
        return ratio(returns)
    except DegenerateTrack:
        return None
