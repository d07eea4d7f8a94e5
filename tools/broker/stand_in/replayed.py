"""An exchange that trades at the prices of a market: the open within a session, the last close outside."""

from bisect import bisect_right
from collections.abc import Callable
from datetime import datetime

from ...market.view import Market
from .exchange import Exchange, Hours


def exchange_on(market: Market, now: datetime, cash: float = 1_000_000.0) -> Exchange:
    """An account on an exchange with a market's prices, hours and splits."""
    bars, calendar = market.dataset.bars, market.calendar
    closes = [calendar.close_of(day) for day in bars.sessions]

    def price(ticker: str, at: datetime) -> float | None:
        if ticker not in bars.tickers:
            return None
        row = bisect_right(closes, at)
        if row < len(closes) and at >= calendar.open_of(bars.sessions[row]):
            told = float(bars.open[row, bars.column(ticker)])
        else:
            told = float(bars.close[row - 1, bars.column(ticker)]) if row else float("nan")
        return told if told == told else None

    return Exchange(now, price, cash=cash, hours=_hours(market))


def _hours(market: Market) -> Callable[[datetime], Hours]:
    calendar = market.calendar
    sessions = calendar.sessions(calendar.start, calendar.end)
    closes = [calendar.close_of(day) for day in sessions]

    def hours(moment: datetime) -> Hours:
        day = sessions[bisect_right(closes, moment)]
        return Hours(calendar.open_of(day), calendar.close_of(day))

    return hours
