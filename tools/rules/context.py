"""What the rules may look at: the account, the market and what is already under way, all as of the decision."""

from datetime import date
from math import fsum
from typing import Self

from pydantic import AwareDatetime, Field

from ..broker.protocol import OrderIntent, PortfolioSnapshot
from ..frozen import Frozen


class MarketFacts(Frozen):
    """What is known of one instrument at the decision; None says that it is not known, which blocks."""

    last_close: float | None = Field(gt=0)
    """As traded, in the account's currency."""
    last_session: date | None
    """The session of the last close."""
    age_sessions: int | None = Field(ge=0)
    """Exchange sessions from the last close to the session of the decision; 0: it closed in that very session."""
    adv_shares: float | None = Field(ge=0)
    """Average daily volume in shares."""
    tradable: bool
    """Whether the instrument is expected to trade next (not halted, not delisted)."""


class RuleContext(Frozen):
    """The state that all orders of one decision are judged in. Give each approved order back by `after`."""

    portfolio: PortfolioSnapshot
    equity_previous_close: float = Field(gt=0)
    """Equity at the close of the session before: the basis of the daily loss."""
    equity_peak: float = Field(gt=0)
    """Highest equity so far: the basis of the drawdown."""
    market: dict[str, MarketFacts]
    """By ticker; a ticker that is absent is unknown and cannot be traded."""
    in_flight: tuple[OrderIntent, ...] = ()
    """Orders that may still fill: approved ones of this decision and open ones at the broker."""
    known_client_ids: frozenset[str] = frozenset()
    """Client order ids that were ever sent."""
    fractional: bool
    """Whether the broker can hold parts of a share."""
    now: AwareDatetime

    def after(self, order: OrderIntent) -> Self:
        """The context for the next order: `order` is approved and in flight."""
        return self.model_copy(
            update={
                "in_flight": (*self.in_flight, order),
                "known_client_ids": self.known_client_ids | {order.client_order_id},
            }
        )

    @property
    def equity(self) -> float:
        """Equity at the decision."""
        return self.portfolio.equity

    def held(self, ticker: str) -> float:
        """Shares held now."""
        return self.portfolio.positions.get(ticker, 0.0)

    def flying(self, ticker: str, side: str) -> float:
        """Shares of a ticker in flight on one side."""
        return fsum(order.quantity for order in self.in_flight if order.ticker == ticker and order.side == side)

    def price(self, order: OrderIntent) -> float:
        """What a share of an order is valued at: the less favourable of its reference and the last close.

        A buy at the higher, a sell at the lower, so that neither figure can hide size.

        Raises:
            KeyError: the instrument is unknown.
            ValueError: its last close is not known.
        """
        close = self.market[order.ticker].last_close
        if close is None:
            raise ValueError(f"no last close of {order.ticker}")
        worse = max if order.side == "buy" else min
        return worse(order.reference_price, close)

    def flying_value(self, side: str, ticker: str | None = None) -> float:
        """Value of the orders in flight on one side, of one ticker or of all."""
        orders = (order for order in self.in_flight if order.side == side and ticker in (None, order.ticker))
        return fsum(order.quantity * self.price(order) for order in orders)

    def worth(self, ticker: str) -> float:
        """Market value of a position at the last known close.

        Raises:
            KeyError: the position has no price.
        """
        return self.held(ticker) * self.portfolio.prices[ticker]

    def exposure(self, ticker: str) -> float:
        """Value of a name with its buys in flight; sells in flight are not credited."""
        held = self.worth(ticker) if ticker in self.portfolio.positions else 0.0
        return held + self.flying_value("buy", ticker)

    def available(self, ticker: str) -> float:
        """Shares that can still be sold: held less what is being sold already."""
        return self.held(ticker) - self.flying(ticker, "sell")
