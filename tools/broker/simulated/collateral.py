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
        value_of: price of a feed's share in this session: its open, or the last close where it does not trade.
    """

    def __init__(self, margin: Margin, held: dict[Any, float], value_of: Callable[[Any], float]) -> None:
        self._margin, self._value_of = margin, value_of
        self._worth = {data: shares * value_of(data) for data, shares in held.items()}
        self._long = fsum(value for value in self._worth.values() if value > 0)
        self._short = -fsum(value for value in self._worth.values() if value < 0)

    def free(self, cash: float, data: Any, shares: float, price: float) -> float:
        """Equity beyond the initial margin, with the `shares` held of one name at the price at which it trades now."""
        before, now = self._worth.get(data, 0.0), shares * price
        long = self._long + max(now, 0.0) - max(before, 0.0)
        short = self._short + max(-now, 0.0) - max(-before, 0.0)
        return cash + (1 - self._margin.initial_long) * long - (1 + self._margin.initial_short) * short

    def traded(self, data: Any, shares: float) -> None:
        """A position has changed to `shares`."""
        before, now = self._worth.get(data, 0.0), shares * self._value_of(data)
        self._long += max(now, 0.0) - max(before, 0.0)
        self._short += max(-now, 0.0) - max(-before, 0.0)
        self._worth[data] = now
