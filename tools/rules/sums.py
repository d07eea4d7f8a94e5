"""Totals of the account and of what is in flight, kept once for all rules and all orders of a decision.

Every rule about the portfolio asks for such totals; added up anew for each rule and order they would cost more than all
rules together.
"""

from dataclasses import dataclass, field
from math import fsum
from typing import TYPE_CHECKING

from ..broker.protocol import OrderIntent

if TYPE_CHECKING:
    from .context import RuleContext


@dataclass(slots=True)
class Sums:
    """All values are at `RuleContext.price`: an order at the less favourable of its reference and the last close."""

    long_value: float
    """Of the positions held, at last closes."""
    short_value: float
    """Of the short positions, as a positive number."""
    sector_value: dict[str, float]
    """Absolute value of the positions by sector."""
    unpriced: tuple[str, ...]
    """Positions without a price; they are in no total."""
    ids: set[str] = field(default_factory=set)
    terms: set[tuple[object, ...]] = field(default_factory=set)
    shares: dict[tuple[str, str], float] = field(default_factory=dict)
    """In flight, by (ticker, side)."""
    value: dict[tuple[str, str], float] = field(default_factory=dict)
    """In flight, by (ticker, side)."""
    orders: dict[tuple[str, str], int] = field(default_factory=dict)
    """How many are in flight, by (ticker, side)."""
    side_value: dict[str, float] = field(default_factory=lambda: {"buy": 0.0, "sell": 0.0})
    entry_value: dict[str, float] = field(default_factory=lambda: {"buy": 0.0, "sell": 0.0})
    """Of orders that open or grow a position."""
    sector_entries: dict[str, float] = field(default_factory=dict)
    opening: set[str] = field(default_factory=set)
    """Names in which an entry is in flight."""
    turned: float = 0.0
    """Buys and sells in flight, each at the higher of its two prices."""
    leaving_value: float = 0.0
    """Of what is being sold out of long positions, at last closes."""
    sector_leaving: dict[str, float] = field(default_factory=dict)
    closing: set[str] = field(default_factory=set)
    """Names whose whole position is on its way out."""

    @classmethod
    def of(cls, context: "RuleContext") -> "Sums":
        """The totals of a context. Positions without a price are left out: `ledger_complete` stops entries then."""
        book = context.portfolio
        worth = {name: shares * book.prices[name] for name, shares in book.positions.items() if name in book.prices}
        sectors: dict[str, float] = {}
        for name, value in worth.items():
            sector = context.sector(name)
            sectors[sector] = sectors.get(sector, 0.0) + abs(value)
        sums = cls(
            long_value=fsum(value for value in worth.values() if value > 0),
            short_value=-fsum(value for value in worth.values() if value < 0),
            sector_value=sectors,
            unpriced=tuple(sorted(book.positions.keys() - worth.keys())),
        )
        for order in context.in_flight:
            sums.add(order, context)
        return sums

    def add(self, order: OrderIntent, context: "RuleContext") -> None:
        """Count an order in flight."""
        known = context.market.get(order.ticker)
        price = context.price(order) if known and known.last_close is not None else order.reference_price
        key, value = (order.ticker, order.side), order.quantity * price
        self.ids.add(order.client_order_id)
        self.terms.add(terms_of(order))
        self.shares[key] = self.shares.get(key, 0.0) + order.quantity
        self.value[key] = self.value.get(key, 0.0) + value
        self.orders[key] = self.orders.get(key, 0) + 1
        self.side_value[order.side] += value
        self.turned += order.quantity * max(price, order.reference_price)
        sector = context.sector(order.ticker)
        if context.is_exit(order):
            self._leave(order, context, sector)
        else:
            self.entry_value[order.side] += value
            self.sector_entries[sector] = self.sector_entries.get(sector, 0.0) + value
            self.opening.add(order.ticker)

    def _leave(self, order: OrderIntent, context: "RuleContext", sector: str) -> None:
        """Count an exit, as far as it does not go beyond the position."""
        held, after = context.held(order.ticker), self.shares[order.ticker, order.side]
        if after >= abs(held):
            self.closing.add(order.ticker)
        if held > 0:
            leaving = min(after, held) - min(after - order.quantity, held)
            value = leaving * context.portfolio.prices.get(order.ticker, 0.0)
            self.leaving_value += value
            self.sector_leaving[sector] = self.sector_leaving.get(sector, 0.0) + value


def terms_of(order: OrderIntent) -> tuple[object, ...]:
    """What makes two orders the same order under two ids."""
    return (
        order.ticker,
        order.side,
        order.quantity,
        order.reference_price,
        order.order_type,
        order.limit_price,
        order.stop_price,
        order.time_in_force,
    )
