"""Figures from prices: momentum, trend, volatility, market risk, volume. All known at the close of the view's session.

Returns and risk use total returns (dividends on their ex-date); levels against averages, RSI and MACD use the
split-adjusted closes, as charts do. Every figure rests on the last `LOOKBACK` sessions at most, so it does not depend
on how much older history a data set happens to hold. The market of beta is the benchmark, or without one the equally
weighted universe; over a halt both returns cover the halt.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import NamedTuple
from weakref import WeakKeyDictionary

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
class _Past:
    """The past of instruments that traded in the same sessions, oldest first: a row each, (n, T)."""

    close: Vector
    """Split-adjusted with the splits known today."""
    total: Vector
    """Close with all earlier dividends reinvested; equals 1 at the start."""
    volume: Vector
    returns: Vector
    """Of `total`: one column fewer."""
    market: risk.MarketModel
    """Over the last year; undefined with less than a year in common."""


@dataclass(frozen=True, slots=True)
class _Row:
    measure: str
    sessions: int
    """How many sessions the figure needs; with fewer it is absent."""
    period: str
    compute: Callable[[_Past], Vector]
    """(n,), not finite where the figure is undefined."""


def _change(series: Vector, sessions: int) -> Vector:
    """Return over the last `sessions`; by way of per cents, as TA-Lib's ROC says it, for the last digit."""
    change: Vector = (series[:, -1] / series[:, -1 - sessions] - 1) * 100 / 100
    return change


def _distance(close: Vector, sessions: int) -> Vector:
    return close[:, -1] / _last("SMA", close, timeperiod=sessions) - 1


def _rsi(close: Vector) -> Vector:
    """Wilder (1978), 14 sessions, 0..100; undefined where the price never moved (TA-Lib says 0)."""
    rsi = _last("RSI", close, timeperiod=14)
    still = np.minimum.reduce(close, axis=1) == np.maximum.reduce(close, axis=1)
    return np.where(still & (rsi <= 0), nan, rsi)


def _macd_histogram(close: Vector) -> Vector:
    """Appel's 12-26-9 histogram over the close, so that it compares across prices."""
    return _last("MACD", close, fastperiod=12, slowperiod=26, signalperiod=9) / close[:, -1]


def _last(function: str, series: Vector, **periods: int) -> Vector:
    """The last value of a function of TA-Lib, of the last of its series where it gives several; (n,)."""
    # talib is imported here because it brings its C library and a second of loading; most commands never need it
    import talib

    # without the wrapper, which looks for data frames among the arguments in as much time as the function takes
    of_row = getattr(talib, function).__wrapped__
    found = (of_row(row, **periods) for row in series)
    return np.array([(values[-1] if isinstance(values, tuple) else values)[-1] for values in found])


def _volume_ratio(volume: Vector) -> Vector:
    """Undefined without volume, and where it never changed: then it was assumed, not traded (the market sp20)."""
    recent = volume[:, -60:]
    still = np.minimum.reduce(recent, axis=1) == np.maximum.reduce(recent, axis=1)
    whole = np.where(still, nan, np.add.reduce(recent, axis=1))
    ratio: Vector = np.add.reduce(recent[:, -20:], axis=1) / 20 / (whole / 60)
    return ratio


_ROWS = (
    _Row("return_1m", MONTH + 1, "21 sessions", lambda s: _change(s.total, MONTH)),
    _Row("momentum_3m", QUARTER + 1, "63 sessions", lambda s: _change(s.total, QUARTER)),
    _Row(
        "momentum_12_1",
        YEAR + 1,
        "252 sessions but the last 21",
        lambda s: _change(s.total[:, :-MONTH], YEAR - MONTH),
    ),
    _Row("distance_sma_50", 50, "50 sessions", lambda s: _distance(s.close, 50)),
    _Row("distance_sma_200", 200, "200 sessions", lambda s: _distance(s.close, 200)),
    # 15 and 34 would do arithmetically, but the first values still hang on the start of the series
    _Row("rsi_14", QUARTER, "14 sessions", lambda s: _rsi(s.close)),
    _Row("macd_histogram", QUARTER, "12, 26 and 9 sessions", lambda s: _macd_histogram(s.close)),
    _Row("volatility_1m", MONTH + 1, "21 sessions", lambda s: risk.annual_volatility(s.returns[:, -MONTH:])),
    _Row("volatility_3m", QUARTER + 1, "63 sessions", lambda s: risk.annual_volatility(s.returns[:, -QUARTER:])),
    _Row(
        "drawdown_12m",
        YEAR,
        "252 sessions",
        lambda s: s.close[:, -1] / np.maximum.reduce(s.close[:, -YEAR:], axis=1) - 1,
    ),
    _Row("max_drawdown_12m", YEAR + 1, "252 sessions", lambda s: risk.max_drawdown(s.total[:, -YEAR - 1 :])),
    _Row("beta_12m", YEAR + 1, "252 sessions", lambda s: s.market.beta),
    _Row("idiosyncratic_volatility_12m", YEAR + 1, "252 sessions", lambda s: s.market.idiosyncratic_volatility),
    _Row("volume_ratio", 60, "60 sessions", lambda s: _volume_ratio(s.volume)),
)


INDICATORS = tuple(row.measure for row in _ROWS)
"""The measures that `indicators` gives, in its order."""
_OF_MARKET = frozenset({"beta_12m", "idiosyncratic_volatility_12m"})
"""Undefined of the market itself."""


class _Known(NamedTuple):
    """The figures of one instrument."""

    last: int
    """Row of its last trade."""
    figures: list[tuple[str, str, str, float]]
    """Measure, period, unit, value."""


_KNOWN: WeakKeyDictionary[MarketView, dict[str, _Known]] = WeakKeyDictionary()
"""By view and ticker: whoever asks for one company asks for all, and those that traded alike are computed at once."""


def indicators(view: MarketView, ticker: str) -> list[Evidence]:
    """The price-based figures of `tools.measures` for one instrument.

    A figure whose history is too short, or that is undefined (no volume at all, the market's beta to itself), is
    absent; never a zero in its place.

    Raises:
        InputError: unknown ticker.
    """
    kept = _KNOWN.setdefault(view, {})
    if ticker not in kept:
        kept |= _computed(view, [name for name in dict.fromkeys((*view.tickers, ticker)) if name not in kept])
    known = kept[ticker]
    if not known.figures:
        return []
    session = view.sessions[known.last]
    available_at, last = view.calendar.close_of(session), str(session)
    rows = [
        FigureRow(f"{ticker}/{measure}/{last}", measure, available_at, f"{period} to {last}", value, unit, SOURCE)
        for measure, period, unit, value in known.figures
    ]
    return Evidence.figures("indicator", ticker, view.as_of, rows)


def _computed(view: MarketView, tickers: Iterable[str]) -> dict[str, _Known]:
    """The figures of instruments by ticker: those that traded in the same sessions share their arithmetic."""
    alike: dict[bytes, dict[str, PriceArrays]] = {}
    for ticker in tickers:
        past = view.arrays(ticker, LOOKBACK)
        alike.setdefault(past.rows.tobytes(), {})[ticker] = past
    found = {}
    for group in alike.values():
        rows = next(iter(group.values())).rows
        values = _figures(view, rows, list(group.values())) if len(rows) else []
        for place, ticker in enumerate(group):
            of_market = ticker == view.benchmark or (view.benchmark is None and view.tickers == (ticker,))
            absent = _OF_MARKET if of_market else ()
            figures = [
                (row.measure, row.period, MEASURES[row.measure].unit, column[place])
                for row, column in values
                if isfinite(column[place]) and row.measure not in absent
            ]
            found[ticker] = _Known(int(rows[-1]) if len(rows) else -1, figures)
    return found


def _figures(view: MarketView, rows: Rows, group: Sequence[PriceArrays]) -> list[tuple[_Row, list[float]]]:
    close = np.array([past.close for past in group])
    dividend = np.array([past.dividend for past in group])
    volume = np.array([past.volume for past in group])
    growth = np.ones_like(close)
    np.divide(close[:, 1:] + dividend[:, 1:], close[:, :-1], out=growth[:, 1:])
    total = np.cumprod(growth, axis=1)
    returns = risk.changes(total)
    past = _Past(close, total, volume, returns, _market_model(view, rows, total, returns))
    return [(row, row.compute(past).tolist()) for row in _ROWS if len(rows) >= row.sessions]


def _market_model(view: MarketView, rows: Rows, total: Vector, returns: Vector) -> risk.MarketModel:
    """The market model over the last year of returns between sessions at which both traded."""
    level = view.market_level[rows]
    known = np.isfinite(level)
    if not known.all():
        # in C's order, which a selection of columns need not have: sums run along a row
        level, returns = level[known], risk.changes(np.ascontiguousarray(total[:, known]))
    if returns.shape[1] < YEAR:
        return risk.undefined(returns)
    return risk.market_model(returns[:, -YEAR:], risk.changes(level[-YEAR - 1 :]))
