"""Where an order meets a daily bar: at which price, in which part of the session, and how bad the price may become.

A daily bar says where a session opened and closed and how far it went, not in which order. What is assumed:

- What can trade at the open trades there: a limit that the open betters fills at the open, a stop that the open has
  jumped over fills at the open, which may be far beyond the stop.
- A price inside the day's range was traded; a limit that is touched is filled.
- What happens within the session happens after the open and before the close; stops come before limits there, which is
  the worse sequence for whoever has both.
- A stop-limit order whose stop is reached within the session fills at its limit only if the price is known to have come
  to the limit afterwards: the limit lies beyond the stop, or the close does.
"""

import math
from typing import NamedTuple

from ..protocol import OrderIntent

OPEN, STOPS, LIMITS, CLOSE = range(4)
"""The parts of a session, in the order in which they are executed."""


class Bar(NamedTuple):
    """One session of one name; `open` is NaN where nothing traded."""

    open: float
    high: float
    low: float
    close: float


class Match(NamedTuple):
    """An order that can trade."""

    part: int
    price: float
    """Before slippage and impact."""
    worst: float
    """What slippage and impact cannot go beyond: the limit; without one infinity for a purchase, 0 for a sale."""


class Miss(NamedTuple):
    """An order that the session did not reach."""

    reason: str
    triggered: bool = False
    """Whether its stop has been reached, so that it is a limit order from now on."""


def meet(order: OrderIntent, bar: Bar, *, triggered: bool = False) -> Match | Miss:
    """What becomes of an order in a session, volume, cash and margin aside.

    Args:
        order: any type.
        bar: the session's prices.
        triggered: that the stop of a stop-limit order was reached in a session before.
    """
    if not math.isfinite(bar.open):
        return Miss(f"{order.ticker} did not trade in this session", triggered)
    buys = order.side == "buy"
    anything = math.inf if buys else 0.0
    if order.order_type in ("market", "market_on_open"):
        return Match(OPEN, bar.open, anything)
    if order.order_type == "market_on_close":
        return Match(CLOSE, bar.close, anything)
    limit = anything if order.limit_price is None else order.limit_price
    if order.stop_price is None or triggered:
        return _limit(order, bar, limit, triggered)
    stop = order.stop_price
    if _past(bar.open, stop, buys):  # the open jumped over it
        return Match(OPEN, bar.open, anything) if order.limit_price is None else _limit(order, bar, limit, True)
    if not _past(bar.high if buys else bar.low, stop, buys):
        return Miss(f"the price did not reach the stop of {stop:g}")
    if _within(stop, limit, buys):
        return Match(STOPS, stop, limit)
    if _within(bar.close, limit, buys):
        return Match(STOPS, limit, limit)
    return Miss(
        f"the stop of {stop:g} was reached; the limit of {limit:g} was not, as far as a daily bar can say", True
    )


def _limit(order: OrderIntent, bar: Bar, limit: float, triggered: bool) -> Match | Miss:
    buys = order.side == "buy"
    if _within(bar.open, limit, buys):
        return Match(OPEN, bar.open, limit)
    if _within(bar.low if buys else bar.high, limit, buys):
        return Match(LIMITS, limit, limit)
    return Miss(f"the price did not come to the limit of {limit:g}", triggered)


def _past(price: float, stop: float, buys: bool) -> bool:
    """Whether a price sets a stop off."""
    return price >= stop if buys else price <= stop


def _within(price: float, limit: float, buys: bool) -> bool:
    """Whether a price is as good as a limit, or better."""
    return price <= limit if buys else price >= limit
