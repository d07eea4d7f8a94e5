"""What the rules may look at: the account, the market and what is already under way, all as of the decision."""

from datetime import date
from typing import Self, cast

from pydantic import AwareDatetime, Field, PrivateAttr

from ..broker.protocol import OrderIntent, PortfolioSnapshot, Quote
from ..frozen import Frozen
from .activity import Activity
from .sums import Sums

UNCLASSIFIED = "unclassified"
"""The sector of names whose sector the market does not say; they count together."""


class LiveFacts(Frozen):
    """What only a live venue knows; None or an absent name says that it is not known, which blocks entries."""

    connected: bool | None
    latency_ms: float | None = Field(ge=0)
    """Of the broker's last answer."""
    self_test_at: AwareDatetime | None
    """When the desk last found itself in order."""
    minutes_to_close: float | None
    """Until the session's close; 0 or less: the market is closed."""
    quotes: dict[str, Quote]
    broker_positions: dict[str, float] | None
    """Shares as the broker counts them, to be compared with the desk's own ledger."""


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
    currency: str | None
    """What it is quoted in."""
    asset_class: str | None
    """`equity`, `fund`, ..., as the policy's permissions name them."""
    sector: str | None
    """`unclassified` where the market has none; such names count together."""
    newest_evidence_at: AwareDatetime | None
    """When the newest evidence on it became available."""
    edge_bps: float | None
    """Expected return of a purchase over its holding period, costs taken off."""
    cost_bps: float = Field(default=0.0, ge=0)
    """What was taken off for them; a short sale pays it too."""
    tick_size: float | None = Field(default=None, gt=0)
    """Smallest step of a price; only limit and stop orders need it."""
    borrowable_shares: float | None = Field(default=None, ge=0)
    """Shares located for a short sale; only short sales need it."""


class RuleContext(Frozen):
    """The state that all orders of one decision are judged in. Give each approved order back by `after`."""

    portfolio: PortfolioSnapshot
    equity_previous_close: float = Field(gt=0)
    """Equity at the close of the session before: the basis of the daily loss."""
    equity_peak: float = Field(gt=0)
    """Highest equity so far: the basis of the drawdown."""
    market: dict[str, MarketFacts]
    """By ticker; a ticker that is absent is unknown and cannot be traded."""
    activity: Activity
    """What the desk has done lately."""
    live: LiveFacts | None
    """Of a live venue; None in a simulation, where the rules about venues do not apply."""
    currency: str
    """The account's."""
    unsettled_cash: float = Field(default=0.0, ge=0)
    """Proceeds of sales that will not be settled when the order settles."""
    in_flight: tuple[OrderIntent, ...] = ()
    """Orders that may still fill: approved ones of this decision and open ones at the broker."""
    unknown_orders: tuple[str, ...] = ()
    """Client ids of orders to which the broker gave no clear answer yet."""
    known_client_ids: frozenset[str] = frozenset()
    """Client order ids that were ever sent."""
    fractional: bool
    """Whether the broker can hold parts of a share."""
    now: AwareDatetime

    _sums: tuple[PortfolioSnapshot, tuple[OrderIntent, ...], dict[str, MarketFacts], Sums] | None = PrivateAttr(None)

    def after(self, order: OrderIntent) -> Self:
        """The context for the next order: `order` is approved and in flight."""
        activity = self.activity.model_copy(
            update={
                "orders_last_minute": self.activity.orders_last_minute + 1,
                "orders_today": self.activity.orders_today + 1,
            }
        )
        following = self.model_copy(update={"in_flight": (*self.in_flight, order), "activity": activity})
        sums, self._sums = self.sums(), None  # handed on, not copied; should anyone ask here again, they are made anew
        sums.add(order, self)
        following._sums = (self.portfolio, following.in_flight, self.market, sums)
        return following

    def sums(self) -> Sums:
        """Totals of positions and of orders in flight; computed once."""
        known = (self.__pydantic_private__ or {}).get("_sums")  # some thirty times per order: the plain way is slow
        # A copy with another portfolio carries the old totals with it: they hold only for what they were made of.
        if known and known[0] is self.portfolio and known[1] is self.in_flight and known[2] is self.market:
            return cast(Sums, known[3])
        sums = Sums.of(self)
        self._sums = (self.portfolio, self.in_flight, self.market, sums)
        return sums

    @property
    def equity(self) -> float:
        """Equity at the decision."""
        return self.portfolio.equity

    def is_exit(self, order: OrderIntent) -> bool:
        """Whether the order makes a position smaller: a sale of what is held, a purchase of what is owed.

        That it does not go beyond the position is the business of the rule `holdings`, which applies to every order.
        """
        held = self.portfolio.positions.get(order.ticker, 0.0)
        return held > 0 if order.side == "sell" else held < 0

    def sector(self, ticker: str) -> str:
        """Sector of a name; `unclassified` where it is not known."""
        facts = self.market.get(ticker)
        return (facts.sector if facts else None) or UNCLASSIFIED

    def held(self, ticker: str) -> float:
        """Shares held now; negative where they are owed."""
        return self.portfolio.positions.get(ticker, 0.0)

    def flying(self, ticker: str, side: str) -> float:
        """Shares of a ticker in flight on one side."""
        return self.sums().shares.get((ticker, side), 0.0)

    def price(self, order: OrderIntent) -> float:
        """What a share of an order is valued at: the less favourable of its reference and the last close.

        A buy at the higher, a sell at the lower, so that neither figure can hide size; a sale that opens a short
        position at the higher for the same reason.

        Raises:
            KeyError: the instrument is unknown.
            ValueError: its last close is not known.
        """
        close = self.market[order.ticker].last_close
        if close is None:
            raise ValueError(f"no last close of {order.ticker}")
        reference = order.reference_price
        if order.side == "sell" and self.portfolio.positions.get(order.ticker, 0.0) > 0:
            return reference if reference < close else close
        return reference if reference > close else close

    def flying_value(self, side: str, ticker: str | None = None) -> float:
        """Value of the orders in flight on one side, of one ticker or of all."""
        sums = self.sums()
        return sums.side_value[side] if ticker is None else sums.value.get((ticker, side), 0.0)

    def worth(self, ticker: str) -> float:
        """Market value of a position at the last known close.

        Raises:
            KeyError: the position has no price.
        """
        return self.held(ticker) * self.portfolio.prices[ticker]

    def exposure(self, ticker: str, side: str = "buy") -> float:
        """Value of a name with its orders in flight on `side`, which grow it; others are not credited."""
        held = self.worth(ticker) if ticker in self.portfolio.positions else 0.0
        return (held if side == "buy" else -held) + self.flying_value(side, ticker)

    def available(self, ticker: str) -> float:
        """Shares by which a position can still be made smaller: held less what is in flight against it."""
        held = self.held(ticker)
        return abs(held) - self.flying(ticker, "sell" if held > 0 else "buy")
