"""Figures from prices: momentum, trend, volatility, market risk, volume. All known at the close of the view's session.

Returns and risk use total returns (dividends on their ex-date); levels against averages, RSI and MACD use the
split-adjusted closes, as charts do. Every figure rests on the last `LOOKBACK` sessions at most, so it does not depend
on how much older history a data set happens to hold. The market of beta is the benchmark, or without one the equally
weighted universe; over a halt both returns cover the halt.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from . import risk
from .evidence import Evidence, FigureRow
from .market.trades import PriceArrays, Rows
from .market.view import MarketView
from .measures import MEASURES

SOURCE = "prices"
"""Of this evidence: it rests on no document."""
LOOKBACK = 300
"""Sessions read; RSI and MACD have forgotten their start after about 150."""
MONTH, QUARTER, YEAR = 21, 63, 252
"""Sessions."""

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Series:
    """One instrument's past, oldest first; `close`, `total` and `volume` are of equal length."""

    close: Vector
    """Split-adjusted with the splits known today."""
    total: Vector
    """Close with all earlier dividends reinvested; equals 1 at the start."""
    volume: Vector
    returns: Vector
    """Of `total`: one element fewer."""
    market: risk.MarketModel
    """Over the last year; undefined for the market itself, and with less than a year in common."""


@dataclass(frozen=True, slots=True)
class _Row:
    measure: str
    sessions: int
    """How many sessions the figure needs; with fewer it is absent."""
    period: str
    compute: Callable[[_Series], float]
    """Not finite where the figure is undefined."""


def _change(series: Vector, sessions: int) -> float:
    """Return over the last `sessions` (TA-Lib's ROC is in per cent)."""
    # talib is imported here because it brings its C library and a second of loading; most commands never need it
    import talib

    return float(talib.ROC(series, timeperiod=sessions)[-1]) / 100


def _distance(close: Vector, sessions: int) -> float:
    import talib

    return float(close[-1] / talib.SMA(close, timeperiod=sessions)[-1] - 1)


def _rsi(close: Vector) -> float:
    """Wilder (1978), 14 sessions, 0..100; undefined where the price never moved (TA-Lib says 0)."""
    import talib

    rsi = float(talib.RSI(close, timeperiod=14)[-1])
    return rsi if rsi > 0 or np.minimum.reduce(close) < np.maximum.reduce(close) else float("nan")


def _macd_histogram(close: Vector) -> float:
    """Appel's 12-26-9 histogram over the close, so that it compares across prices."""
    import talib

    _, _, histogram = talib.MACD(close, fastperiod=12, slowperiod=26, signalperiod=9)
    return float(histogram[-1] / close[-1])


def _volume_ratio(volume: Vector) -> float:
    """Undefined without volume, and where it never changed: then it was assumed, not traded (the market sp20)."""
    recent = volume[-60:]
    if recent.min() == recent.max():
        return float("nan")
    return float(np.add.reduce(recent[-20:]) / 20 / (np.add.reduce(recent) / 60))


_ROWS = (
    _Row("return_1m", MONTH + 1, "21 sessions", lambda s: _change(s.total, MONTH)),
    _Row("momentum_3m", QUARTER + 1, "63 sessions", lambda s: _change(s.total, QUARTER)),
    _Row("momentum_12_1", YEAR + 1, "252 sessions but the last 21", lambda s: _change(s.total[:-MONTH], YEAR - MONTH)),
    _Row("distance_sma_50", 50, "50 sessions", lambda s: _distance(s.close, 50)),
    _Row("distance_sma_200", 200, "200 sessions", lambda s: _distance(s.close, 200)),
    # 15 and 34 would do arithmetically, but the first values still hang on the start of the series
    _Row("rsi_14", QUARTER, "14 sessions", lambda s: _rsi(s.close)),
    _Row("macd_histogram", QUARTER, "12, 26 and 9 sessions", lambda s: _macd_histogram(s.close)),
    _Row("volatility_1m", MONTH + 1, "21 sessions", lambda s: risk.annual_volatility(s.returns[-MONTH:])),
    _Row("volatility_3m", QUARTER + 1, "63 sessions", lambda s: risk.annual_volatility(s.returns[-QUARTER:])),
    _Row("drawdown_12m", YEAR, "252 sessions", lambda s: float(s.close[-1] / np.maximum.reduce(s.close[-YEAR:])) - 1),
    _Row("max_drawdown_12m", YEAR + 1, "252 sessions", lambda s: risk.max_drawdown(s.total[-YEAR - 1 :])),
    _Row("beta_12m", YEAR + 1, "252 sessions", lambda s: s.market.beta),
    _Row(
        "idiosyncratic_volatility_12m",
        YEAR + 1,
        "252 sessions",
        lambda s: s.market.idiosyncratic_volatility,
    ),
    _Row("volume_ratio", 60, "60 sessions", lambda s: _volume_ratio(s.volume)),
)


INDICATORS = tuple(row.measure for row in _ROWS)
"""The measures that `indicators` gives, in its order."""


def indicators(view: MarketView, ticker: str) -> list[Evidence]:
    """The price-based figures of `tools.measures` for one instrument.

    A figure whose history is too short, or that is undefined (no volume at all, the market's beta to itself), is
    absent; never a zero in its place.

    Raises:
        InputError: unknown ticker.
    """
    past = view.arrays(ticker, LOOKBACK)
    if len(past) == 0:
        return []
    series = _series(view, ticker, past)
    session = view.sessions[past.rows[-1]]
    available_at, last = view.calendar.close_of(session), str(session)
    # all figures before any evidence: to alternate between the two kinds of work takes a sixth longer
    figures = [(row, row.compute(series)) for row in _ROWS if len(past) >= row.sessions]
    rows = [
        FigureRow(
            f"{ticker}/{row.measure}/{last}",
            row.measure,
            available_at,
            f"{row.period} to {last}",
            value,
            MEASURES[row.measure].unit,
            SOURCE,
        )
        for row, value in figures
        if isfinite(value)
    ]
    return Evidence.figures("indicator", ticker, view.as_of, rows)


def _series(view: MarketView, ticker: str, past: PriceArrays) -> _Series:
    growth = np.empty(len(past))
    growth[0] = 1.0
    np.divide(past.close[1:] + past.dividend[1:], past.close[:-1], out=growth[1:])
    total = np.cumprod(growth, dtype=np.float64)
    returns = risk.changes(total)
    is_market = ticker == view.benchmark or (view.benchmark is None and view.tickers == (ticker,))
    market = risk.UNDEFINED if is_market else _market_model(view, past.rows, total, returns)
    return _Series(past.close, total, past.volume, returns, market)


def _market_model(view: MarketView, rows: Rows, total: Vector, returns: Vector) -> risk.MarketModel:
    """The market model over the last year of returns between sessions at which both traded."""
    level = view.market_level[rows]
    known = np.isfinite(level)
    if not known.all():
        level, returns = level[known], risk.changes(total[known])
    if len(returns) < YEAR:
        return risk.UNDEFINED
    return risk.market_model(returns[-YEAR:], risk.changes(level[-YEAR - 1 :]))
