"""Figures from prices: momentum, trend, volatility, volume. All known at the close of the view's session.

Returns and volatility use total returns (dividends on their ex-date); levels against averages, RSI and MACD use the
split-adjusted closes, as charts do. Every figure rests on the last `LOOKBACK` sessions at most, so it does not depend
on how much older history a data set happens to hold.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .evidence import Evidence
from .market.view import MarketView
from .measures import MEASURES

LOOKBACK = 300
"""Sessions read; RSI and MACD have forgotten their start after about 150."""
MONTH, QUARTER, YEAR = 21, 63, 252
"""Sessions."""

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class _Series:
    """One instrument's past, oldest first; arrays of equal length."""

    close: Vector
    """Split-adjusted with the splits known today."""
    total: Vector
    """Close with all earlier dividends reinvested; equals 1 at the start."""
    volume: Vector


@dataclass(frozen=True)
class _Row:
    measure: str
    sessions: int
    """How many sessions the figure needs; with fewer it is absent."""
    period: str
    compute: Callable[[_Series], float]


def _change(series: Vector, sessions: int) -> float:
    """Return over the last `sessions` (TA-Lib's ROC is in per cent)."""
    # talib is imported here because it brings its C library and a second of loading; most commands never need it
    import talib

    return float(talib.ROC(series, timeperiod=sessions)[-1]) / 100


def _distance(close: Vector, sessions: int) -> float:
    import talib

    return float(close[-1] / talib.SMA(close, timeperiod=sessions)[-1] - 1)


def _rsi(close: Vector) -> float:
    """Wilder (1978), 14 sessions, 0..100."""
    import talib

    return float(talib.RSI(close, timeperiod=14)[-1])


def _macd_histogram(close: Vector) -> float:
    """Appel's 12-26-9 histogram over the close, so that it compares across prices."""
    import talib

    _, _, histogram = talib.MACD(close, fastperiod=12, slowperiod=26, signalperiod=9)
    return float(histogram[-1] / close[-1])


def _volatility(total: Vector) -> float:
    """Standard deviation of the last 63 daily total returns (ddof 1), times sqrt(252)."""
    returns = np.diff(total[-QUARTER - 1 :]) / total[-QUARTER - 1 : -1]
    return float(np.std(returns, ddof=1) * np.sqrt(YEAR))


_ROWS = (
    _Row("return_1m", MONTH + 1, "21 sessions", lambda s: _change(s.total, MONTH)),
    _Row("momentum_3m", QUARTER + 1, "63 sessions", lambda s: _change(s.total, QUARTER)),
    _Row("momentum_12_1", YEAR + 1, "252 sessions but the last 21", lambda s: _change(s.total[:-MONTH], YEAR - MONTH)),
    _Row("distance_sma_50", 50, "50 sessions", lambda s: _distance(s.close, 50)),
    _Row("distance_sma_200", 200, "200 sessions", lambda s: _distance(s.close, 200)),
    # 15 and 34 would do arithmetically, but the first values still hang on the start of the series
    _Row("rsi_14", QUARTER, "14 sessions", lambda s: _rsi(s.close)),
    _Row("macd_histogram", QUARTER, "12, 26 and 9 sessions", lambda s: _macd_histogram(s.close)),
    _Row("volatility_3m", QUARTER + 1, "63 sessions", lambda s: _volatility(s.total)),
    _Row("drawdown_12m", YEAR, "252 sessions", lambda s: float(s.close[-1] / s.close[-YEAR:].max() - 1)),
    _Row("volume_ratio", 60, "60 sessions", lambda s: float(s.volume[-20:].mean() / s.volume[-60:].mean())),
)


def indicators(view: MarketView, ticker: str) -> list[Evidence]:
    """The price-based figures of `tools.measures` for one instrument.

    A figure whose history is too short, or that is undefined (no volume at all), is absent; never a zero in its place.

    Raises:
        InputError: unknown ticker.
    """
    history = view.history(ticker, sessions=LOOKBACK)
    if len(history) == 0:
        return []
    close = history["close"].to_numpy(dtype=np.float64)
    dividend = history["dividend"].to_numpy(dtype=np.float64)
    growth = np.concatenate([[1.0], (close[1:] + dividend[1:]) / close[:-1]])
    series = _Series(close, np.cumprod(growth), history["volume"].to_numpy(dtype=np.float64))
    last = history.index[-1].date()
    found = []
    for row in _ROWS:
        if len(close) < row.sessions or (row.measure == "volume_ratio" and not series.volume[-60:].any()):
            continue
        found.append(
            Evidence.of(
                id=f"{ticker}/{row.measure}/{last}",
                kind="indicator",
                measure=row.measure,
                ticker=ticker,
                as_of=view.as_of,
                available_at=view.calendar.close_of(last),
                period=f"{row.period} to {last}",
                value=row.compute(series),
                unit=MEASURES[row.measure].unit,
                source="prices",
            )
        )
    return found
