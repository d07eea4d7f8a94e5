"""Rules that people trade by, as opponents of the desk: each sees what the desk sees, at the same closes, and no more.

A rule turns a market view into target weights at the desk's own decision times. Those that watch prices daily (SMA,
MACD, KDJ and RSI, z-score) replay the last `LOOKBACK` sessions, so that a signal between two decisions is not missed;
what they do about it has to wait for the next decision, as the desk has to. A weight that is not given to a name is
cash. Prices are split-adjusted as of the view, returns include dividends.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...tools.market.trades import PriceArrays
from ...tools.market.view import Market, MarketView
from .metrics import SESSIONS_PER_YEAR

if TYPE_CHECKING:
    from ...tools.broker.simulated import SimulatedBroker
    from .baselines import Targets

LOOKBACK = 300
"""Sessions that a rule of daily prices looks back over."""
TARGET_VOLATILITY = 0.10
"""A year, of the rule that aims at one."""
MOMENTUM_SKIP, MOMENTUM_SESSIONS = 21, 252

Weights = Mapping[str, float]
Vector = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Strategy:
    """One rule."""

    name: str
    about: str
    """What it does, in a line."""
    weigh: Callable[[MarketView, Sequence[str]], Weights]
    """Target weights of the names that can be held, from what is known."""


def targets_of(strategy: Strategy, market: Market, tickers: Sequence[str]) -> "Targets":
    """The rule as targets of an account: 0 for every priced name that it does not want."""

    def targets(broker: "SimulatedBroker") -> Mapping[str, float]:
        account = broker.account()
        priced = [name for name in tickers if account.prices.get(name, 0.0) > 0]
        weights = strategy.weigh(market.view(account.at), priced)
        return {name: weights.get(name, 0.0) * account.equity for name in priced}

    return targets


def strategies(market: Market, beta: float) -> tuple[Strategy, ...]:
    """All rules that a market allows.

    Args:
        market: 60/40 needs an instrument that is a bond fund.
        beta: level of the CVaR of the rule that minimizes it.
    """
    found = [
        Strategy("volatility target", "equal parts, scaled to 10 % volatility a year, never above 100 %", _steady),
        Strategy("min CVaR", "the least tail risk over 500 sessions, no views", _least_tail(beta)),
        Strategy("momentum 12-1", "the best third by return of 12 months without the last", _momentum),
        Strategy("SMA cross", "names whose 50-session average is above that of 200", _each(_sma)),
        Strategy("MACD", "names whose MACD (12, 26) is above its signal (9)", _each(_macd)),
        Strategy("KDJ + RSI", "in when J < 20 and RSI < 50, out when J > 80 and RSI > 50", _each(_kdj)),
        Strategy("z-score", "in below -1 of the 20-session z-score, out above 0", _each(_reversion)),
    ]
    if bonds := bonds_of(market):
        found.insert(0, Strategy("60/40", f"60 % shares in equal parts, 40 % {', '.join(bonds)}", _sixty_forty(bonds)))
    return tuple(found)


def bonds_of(market: Market) -> tuple[str, ...]:
    """Companies or funds of the market that say of themselves that they are bonds."""
    return tuple(
        name
        for name, row in market.companies.items()
        if any(
            word in f"{row.name} {row.industry} {row.sector}".lower() for word in ("bond", "treasury", "fixed income")
        )
    )


def _steady(view: MarketView, tickers: Sequence[str]) -> Weights:
    returns = view.returns(tickers, 63).mean(axis=1).dropna()
    volatility = float(returns.std(ddof=1)) * sqrt(SESSIONS_PER_YEAR) if len(returns) > 20 else float("nan")
    invested = min(1.0, TARGET_VOLATILITY / volatility) if volatility > 0 else 1.0
    return {name: invested / len(tickers) for name in tickers}


def _least_tail(beta: float) -> Callable[[MarketView, Sequence[str]], Weights]:
    def weigh(view: MarketView, tickers: Sequence[str]) -> Weights:
        from ...tools.optimizer import Infeasible, MeanCVaR, MinimumCVaR, Problem
        from ...tools.optimizer.scenarios import known_scenarios

        past = known_scenarios(view, tickers, 500, 120)
        if not past.tickers or len(past.returns) < 120:
            return {name: 1 / len(tickers) for name in tickers}
        problem = Problem(past.tickers, past.returns, MinimumCVaR(), beta=beta, min_invested=1.0)
        answer = MeanCVaR().solve(problem)
        return {} if isinstance(answer, Infeasible) else answer.weights

    return weigh


def _momentum(view: MarketView, tickers: Sequence[str]) -> Weights:
    past = view.returns(tickers, MOMENTUM_SESSIONS).iloc[:-MOMENTUM_SKIP]
    known = past.notna().sum() >= MOMENTUM_SESSIONS - MOMENTUM_SKIP - 10
    growth = ((1 + past.fillna(0.0)).prod() - 1)[known].sort_values(ascending=False, kind="stable")
    best = [str(name) for name in growth.index[: max(1, round(len(growth) / 3))]]
    return {name: 1 / len(best) for name in best}


def _sixty_forty(bonds: tuple[str, ...]) -> Callable[[MarketView, Sequence[str]], Weights]:
    def weigh(view: MarketView, tickers: Sequence[str]) -> Weights:
        safe = [name for name in tickers if name in bonds]
        risky = [name for name in tickers if name not in bonds]
        return {name: 0.6 / len(risky) for name in risky} | {name: 0.4 / len(safe) for name in safe}

    return weigh


def _each(holds: Callable[[PriceArrays], bool]) -> Callable[[MarketView, Sequence[str]], Weights]:
    """An equal part for every name, in it or in cash by the name's own prices."""

    def weigh(view: MarketView, tickers: Sequence[str]) -> Weights:
        return {name: 1 / len(tickers) for name in tickers if holds(view.arrays(name, LOOKBACK))}

    return weigh


def _sma(past: PriceArrays) -> bool:
    return len(past) >= 200 and bool(past.close[-50:].mean() > past.close[-200:].mean())


def _macd(past: PriceArrays) -> bool:
    import talib

    if len(past) < 60:
        return False
    line, signal, _ = talib.MACD(past.close, fastperiod=12, slowperiod=26, signalperiod=9)
    return bool(line[-1] > signal[-1])


def _kdj(past: PriceArrays) -> bool:
    import talib

    if len(past) < 60:
        return False
    k, d = talib.STOCH(past.high, past.low, past.close, fastk_period=9, slowk_period=3, slowd_period=3)
    j, rsi = 3 * k - 2 * d, talib.RSI(past.close, timeperiod=14)
    return held((j < 20) & (rsi < 50), (j > 80) & (rsi > 50))


def _reversion(past: PriceArrays) -> bool:
    if len(past) < 60:
        return False
    windows = np.lib.stride_tricks.sliding_window_view(past.close, 20)
    spread = windows.std(axis=1, ddof=1)
    score = np.divide(past.close[19:] - windows.mean(axis=1), spread, out=np.zeros(len(spread)), where=spread > 0)
    return held(score < -1, score > 0)


def held(enter: Flags, leave: Flags) -> bool:
    """Whether a position that follows these signals is open at the end; it starts closed."""
    last_in, last_out = np.flatnonzero(enter), np.flatnonzero(leave)
    return bool(len(last_in) and (not len(last_out) or last_in[-1] > last_out[-1]))
