"""The market as a whole as evidence: its regime, the benchmark's trend, rates where the market has them.

What is about the market carries the ticker `MARKET` and the kind `regime`, whichever company it is weighed for. One
figure is the company's own: its beta times the market's return, which is what the market's move alone would have done
to it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pandas as pd

from .evidence import Evidence, EvidenceKind
from .indicators import indicators
from .market.view import MarketView
from .measures import MEASURES
from .regime import Regime, regime

MARKET = "MARKET"
"""Ticker of evidence about the whole market."""

OF_BENCHMARK = {"momentum_3m": "market_return_3m", "distance_sma_200": "market_trend"}
"""Indicators of the benchmark, and what they are called as figures of the market."""

STATE = ("regime", *OF_BENCHMARK.values(), "rate_level", "rate_change_3m", "market_pull")
"""The measures that `market_state` gives, in its order."""

RATES = ("DGS10", "GS10", "DGS2", "GS2", "DFF", "FEDFUNDS", "DTB3", "TB3MS")
"""Series of `series.csv` that are yields in per cent, by their FRED names; the first one that is known is taken."""

RATE_STALE = timedelta(days=45)
"""A yield that is older than this is not the present one."""


def regime_evidence(view: MarketView, found: Regime | None) -> tuple[Evidence, ...]:
    """The regime in words; nothing where it is unknown."""
    if found is None:
        return ()
    text = f"{found.words} with probability {found.probability:.2f}"
    return (_of_market(view, "regime", f"to {view.session}", str(view.session), view.as_of, "prices", text=text),)


def market_state(view: MarketView, ticker: str) -> list[Evidence]:
    """What is known of the market, and what its move means for a company.

    Args:
        view: what is known.
        ticker: a company.

    Returns:
        Regime, return and trend of the benchmark, yield and its change, and the market's pull on the company; each
        where it is known.

    Raises:
        InputError: there is no such company.
    """
    own = {item.measure: item for item in indicators(view, ticker)}
    found = [*regime_evidence(view, regime(view))]
    market = {item.measure: item for item in (indicators(view, view.benchmark) if view.benchmark else ())}
    for measure, name in OF_BENCHMARK.items():
        if (item := market.get(measure)) is not None and item.value is not None:
            day = item.id.rsplit("/", 1)[1]
            found.append(_of_market(view, name, item.period, day, item.available_at, "prices", item.value))
    found += _rates(view)
    beta, moved = own.get("beta_12m"), market.get("momentum_3m")
    if beta is not None and moved is not None and beta.value is not None and moved.value is not None:
        known = max(beta.available_at, moved.available_at)
        pull = beta.value * moved.value
        day = moved.id.rsplit("/", 1)[1]
        found.append(_evidence(view, ticker, "indicator", "market_pull", moved.period, day, known, "prices", pull))
    return found


def _rates(view: MarketView) -> Iterable[Evidence]:
    name = next((name for name in RATES if name in view.series_names), None)
    if name is None:
        return
    values, known = view.series(name), view.series_released(name)
    last = values.index[-1]
    if view.as_of - known > RATE_STALE:
        return
    day = str(last.date())
    yield _of_market(view, "rate_level", f"at {day}", day, known, name, float(values.iloc[-1]) / 100)
    before = values[values.index <= last - pd.DateOffset(months=3)]
    if len(before):
        change = float(values.iloc[-1] - before.iloc[-1]) / 100
        yield _of_market(view, "rate_change_3m", f"3 months to {day}", day, known, name, change)


def _of_market(
    view: MarketView,
    measure: str,
    period: str,
    day: str,
    known: datetime,
    source: str,
    value: float | None = None,
    text: str | None = None,
) -> Evidence:
    return _evidence(view, MARKET, "regime", measure, period, day, known, source, value, text)


def _evidence(
    view: MarketView,
    ticker: str,
    kind: EvidenceKind,
    measure: str,
    period: str,
    day: str,
    known: datetime,
    source: str,
    value: float | None = None,
    text: str | None = None,
) -> Evidence:
    return Evidence.of(
        id=f"{ticker}/{measure}/{day}",
        kind=kind,
        measure=measure,
        ticker=ticker,
        as_of=view.as_of,
        available_at=known,
        period=period,
        value=value,
        text=text,
        unit=MEASURES[measure].unit if text is None else "",
        source=source,
    )
