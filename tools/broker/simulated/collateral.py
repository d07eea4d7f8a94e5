"""How much of an account with short positions is free for new ones, while the orders of a session are executed."""

from collections.abc import Callable
from math import fsum
from typing import Any

from .margin import Margin


class Collateral:
    """Long and short market value during one session, kept up to date from execution to execution.

    Args:
        margin: the terms.
        held: shares by feed, negative where short.
        value_of: price of a feed's share now: its open, or the last close where it does not trade.
    """

    def __init__(self, margin: Margin, held: dict[Any, float], value_of: Callable[[Any], float]) -> None:
        self._margin, self._value_of = margin, value_of
        self._price = {data: value_of(data) for data in held}
        self._shares = dict(held)
        values = [shares * self._price[data] for data, shares in held.items()]
        self._long = fsum(value for value in values if value > 0)
        self._short = -fsum(value for value in values if value < 0)

    def free(self, cash: float, data: Any, price: float) -> float:
        """Equity beyond the initial margin, with one name valued at the price at which it trades now."""
        self._revalue(data, self._shares.get(data, 0.0), price)
        return cash + (1 - self._margin.initial_long) * self._long - (1 + self._margin.initial_short) * self._short

    def traded(self, data: Any, shares: float) -> None:
        """A position has changed to `shares`."""
        self._revalue(data, shares, self._price.get(data) or self._value_of(data))

    def _revalue(self, data: Any, shares: float, price: float) -> None:
        before = self._shares.get(data, 0.0) * self._price.get(data, 0.0)
        now = shares * price
        self._long += max(now, 0.0) - max(before, 0.0)
        self._short += max(-now, 0.0) - max(-before, 0.0)
        self._shares[data], self._price[data] = shares, price
