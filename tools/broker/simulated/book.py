"""The order book of the simulated broker: what was asked, and what became of it."""

from dataclasses import dataclass
from math import fsum
from typing import Any, Literal

from ..protocol import Fill, FillCause, OrderIntent, OrderState, Side
from ..report import OrderEnd
from .ledger import DUST

Status = Literal["open", "filled", "cancelled", "rejected", "expired"]


@dataclass(slots=True)
class Entry:
    """One order; changes as it is executed."""

    intent: OrderIntent
    engine_order: Any = None
    """backtrader's order; None for one that was rejected before it got there."""
    filled: float = 0.0
    status: Status = "open"
    reason: str = ""
    cause: FillCause = "order"

    @property
    def unfilled(self) -> float:
        """Shares that have not traded; 0 where the rest is rounding."""
        rest = self.intent.quantity - self.filled
        return rest if rest > DUST else 0.0

    def state(self) -> OrderState:
        """The order as the protocol shows it."""
        order = self.intent
        return OrderState(
            client_order_id=order.client_order_id,
            ticker=order.ticker,
            side=order.side,
            quantity=order.quantity,
            filled_quantity=self.filled,
            status=self.status,
            reason=self.reason,
        )


class OrderBook:
    """All orders by client order id, all fills in order of occurrence, and the endings nobody has been told of yet."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.fills: list[Fill] = []
        self._open: dict[str, Entry] = {}
        self._ended: list[OrderEnd] = []

    def add(self, entry: Entry) -> None:
        """Take an order in; one that was rejected before may come again under its id."""
        key = entry.intent.client_order_id
        self.entries[key] = entry
        if entry.status == "open":
            self._open[key] = entry

    def open(self) -> list[Entry]:
        """Orders that may still fill, in order of submission."""
        return list(self._open.values())

    def promised(self, ticker: str, side: Side) -> float:
        """Shares of a name that open orders on a side may still trade."""
        return fsum(e.unfilled for e in self._open.values() if e.intent.ticker == ticker and e.intent.side == side)

    def record(self, fill: Fill) -> None:
        """Note an execution."""
        entry = self.entries[fill.client_order_id]
        entry.filled += fill.quantity
        self.fills.append(fill)
        if not entry.unfilled:
            entry.status = "filled"
            del self._open[fill.client_order_id]

    def end(self, entry: Entry, status: Literal["cancelled", "rejected", "expired"], reason: str) -> None:
        """Close an open order that was not filled in full."""
        order = entry.intent
        entry.status, entry.reason = status, reason
        del self._open[order.client_order_id]
        self._ended.append(OrderEnd(order.client_order_id, order.ticker, status, entry.unfilled, reason))

    def take_ended(self) -> tuple[OrderEnd, ...]:
        """The endings since the last call."""
        ended, self._ended = tuple(self._ended), []
        return ended
