"""The contract between the desk and whoever executes its orders.

`Broker` is what an adapter of a venue fulfils; `DeskBroker` is what a desk holds, and every order that goes through it
needs its verdict token (`tools.broker.guard` makes the one of the other). Quantities are shares (fractional where the
broker can), money is in the account's currency, times are UTC.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Literal, Protocol, Self, runtime_checkable

from pydantic import AwareDatetime, Field, ValidationError, model_validator

from ..frozen import Frozen, content_hash

Side = Literal["buy", "sell"]
OrderType = Literal["market", "limit", "stop", "stop_limit", "market_on_open", "market_on_close"]
TimeInForce = Literal["day", "gtc"]
FillCause = Literal["order", "margin_call", "buy_in"]

_WITH_LIMIT: frozenset[OrderType] = frozenset({"limit", "stop_limit"})
_WITH_STOP: frozenset[OrderType] = frozenset({"stop", "stop_limit"})


class OrderIntent(Frozen):
    """What the desk wants done, in full, before anything is sent."""

    client_order_id: str
    """Hash of (session, decision, symbol, leg): the same intent has the same id, however often it is derived."""
    ticker: str
    side: Side
    quantity: float = Field(gt=0)
    """Shares."""
    reference_price: float = Field(gt=0)
    """Last close known at the decision: the basis of notional and collar checks."""
    decided_at: AwareDatetime
    reduces: bool = False
    """True when the order only makes an existing position smaller."""
    order_type: OrderType = "market"
    """`market`: at the next price; `limit`: at `limit_price` or better; `stop`: market once `stop_price` trades;
    `stop_limit`: limit once `stop_price` trades; `market_on_open`, `market_on_close`: in that auction or not at all."""
    limit_price: float | None = Field(default=None, gt=0)
    """With `limit` and `stop_limit` only."""
    stop_price: float | None = Field(default=None, gt=0)
    """With `stop` and `stop_limit` only."""
    time_in_force: TimeInForce = Field(default="day", exclude_if=lambda value: value == "day")
    """`day`: what does not fill in the next session ends with it; `gtc`: good till cancelled."""
    replaces: str | None = None
    """Client order id of the open order whose place this one takes."""

    @model_validator(mode="after")
    def _prices_of_its_type(self) -> Self:
        if (self.limit_price is not None) != (self.order_type in _WITH_LIMIT):
            raise ValueError("a limit price belongs to a limit or stop-limit order and to no other")
        if (self.stop_price is not None) != (self.order_type in _WITH_STOP):
            raise ValueError("a stop price belongs to a stop or stop-limit order and to no other")
        return self

    @property
    def protects(self) -> bool:
        """Whether it is a protective stop: it waits to close a position that goes wrong."""
        return self.order_type in _WITH_STOP and self.reduces

    @property
    def notional(self) -> float:
        """Quantity at the reference price."""
        return self.quantity * self.reference_price

    def terms_hash(self) -> str:
        """Hash of all terms; a verdict token is bound to it."""
        return content_hash(self.model_dump(mode="json"))


def malformed(order: OrderIntent) -> str:
    """What is wrong with the fields of an order that was built past its validation; empty where nothing is."""
    try:
        OrderIntent.model_validate(dict(order.__dict__), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "its type"
        return f"The order is malformed at {place} ({first['msg']}): rebuild it."
    return "" if math.isfinite(order.notional) else "The order's notional is not a finite number: check its figures."


def client_order_id(session: str, decision: int, ticker: str, leg: int = 0) -> str:
    """Deterministic order id, 24 hex digits."""
    return content_hash([session, decision, ticker, leg])[:24]


class VerdictToken(Frozen):
    """Permission for exactly one submission, issued by the rule engine and checked by the broker layer."""

    terms: str
    """`OrderIntent.terms_hash()` of the order it permits."""
    policy: str
    """Hash of the policy under which the rules passed."""
    state_version: str
    """Hash of the portfolio snapshot that the rules saw."""
    expires_at: AwareDatetime
    mac: str
    """Keyed hash of the fields above: only who has the issuing engine's secret can make one."""


class Accepted(Frozen):
    """The broker has the order."""

    status: Literal["accepted"] = "accepted"
    client_order_id: str


class Rejected(Frozen):
    """The broker refused the order; nothing is outstanding."""

    status: Literal["rejected"] = "rejected"
    client_order_id: str
    reason: str


class Unknown(Frozen):
    """No answer: the order may or may not exist. Look it up before anything is sent again."""

    status: Literal["unknown"] = "unknown"
    client_order_id: str
    reason: str


Submission = Accepted | Rejected | Unknown


class Fill(Frozen):
    """One execution."""

    client_order_id: str
    ticker: str
    side: Side
    quantity: float
    price: float
    """Price per share actually paid or received, slippage included."""
    open_price: float
    """The market's price before slippage: the session's open; for a fill later in the session the price at which the
    order was met (its limit, its stop, the close)."""
    commission: float
    session: date
    cause: FillCause = Field(default="order", exclude_if=lambda value: value == "order")
    """Who wanted it: the desk by an order, or the broker by force."""


class OrderState(Frozen):
    """What the broker says about one order."""

    client_order_id: str
    ticker: str
    side: Side
    quantity: float
    filled_quantity: float
    status: Literal["open", "filled", "partially_filled", "cancelled", "rejected", "expired"]
    reason: str = ""
    lot: float = Field(default=0.0, ge=0)
    """Where the venue trades in lots: their size. It has cut what was ordered to a multiple of it."""


class PortfolioSnapshot(Frozen):
    """The account at one moment: `cash + sum(positions x prices) = equity`."""

    at: AwareDatetime
    cash: float
    equity: float
    positions: dict[str, float]
    """Shares by ticker; names without a position are absent."""
    prices: dict[str, float]
    """Last known close by ticker, for every name of the universe that has one."""

    @classmethod
    def valued(cls, at: datetime, cash: float, positions: Mapping[str, float], prices: Mapping[str, float]) -> Self:
        """The account with these shares at these prices; `prices` must hold every name with a position."""
        held = {name: float(shares) for name, shares in positions.items() if shares}
        equity = cash + math.fsum(shares * prices[name] for name, shares in held.items())
        return cls(at=at, cash=cash, equity=equity, positions=held, prices=dict(prices))

    def weights(self) -> dict[str, float]:
        """Market value of each position over equity."""
        return {name: shares * self.prices[name] / self.equity for name, shares in self.positions.items()}

    def version(self) -> str:
        """Hash of the snapshot; verdict tokens are bound to it."""
        return sha256(self.canonical().encode()).hexdigest()


class Execution(Frozen):
    """One execution as a venue reports it; an order that fills in parts has several."""

    execution_id: str
    """The venue's own id; the same execution has the same id, however often it is reported."""
    client_order_id: str
    ticker: str
    side: Side
    quantity: float = Field(gt=0)
    price: float = Field(gt=0)
    """Price per share."""
    commission: float = 0.0
    at: AwareDatetime


class BrokerClock(Frozen):
    """The venue's time, and its hours."""

    at: AwareDatetime
    is_open: bool
    """Whether orders are executed now."""
    next_open: AwareDatetime
    next_close: AwareDatetime


class Quote(Frozen):
    """Best prices of a live market and the shares shown at them."""

    bid: float = Field(gt=0)
    ask: float = Field(gt=0)
    bid_shares: float = Field(ge=0)
    ask_shares: float = Field(ge=0)
    at: AwareDatetime


class Capabilities(Frozen):
    """What a broker can do."""

    name: str
    paper: bool
    """True only where the endpoint is provably a paper account."""
    fractional: bool
    shorting: bool
    replaces: bool = False
    """Whether an open order can be replaced by another one in one step."""
    order_types: tuple[OrderType, ...] = ("market",)
    quotes: bool = False
    """Whether it knows the best prices of the market."""
    account: str = Field(default="", repr=False)
    """Number of the account, as the venue says it. An account that is not a paper account cannot do without."""
    in_flight_seconds: float = Field(default=0.0, ge=0)
    """How long an order without an answer may still arrive, at a venue that takes a second one under the same id. So
    long it is waited before an order that is not found counts as absent. 0 where such a second one is refused."""
    forgets_at_midnight: str = ""
    """Time zone at whose midnight the venue forgets orders that have ended; empty where it forgets none."""
    streams: bool = False
    """Whether the venue pushes news of orders: the adapter is `tools.broker.updates.Streaming` too."""


@runtime_checkable
class Broker(Protocol):
    """A venue: what an adapter fulfils. An error raises `BrokerError`; it is never an empty answer.

    An adapter knows nothing of verdicts: it is never used bare, but inside a guard (`tools.broker.guard`).
    """

    @property
    def capabilities(self) -> Capabilities:
        """What this broker can do; it does not change while it is open."""
        ...

    def clock(self) -> BrokerClock:
        """The venue's time and hours."""
        ...

    def account(self) -> PortfolioSnapshot:
        """Cash, positions and their prices at one moment."""
        ...

    def positions(self) -> dict[str, float]:
        """Shares by ticker; names without a position are absent."""
        ...

    def submit(self, order: OrderIntent) -> Submission:
        """Send one order. `Unknown` where no clear answer came; the same order under the same id twice is one order."""
        ...

    def order(self, client_order_id: str) -> OrderState | None:
        """The state of one order, None only if the venue never saw it.

        Where `capabilities.forgets_at_midnight` says so, also of an order that has ended on an earlier day.
        """
        ...

    def open_orders(self) -> list[OrderState]:
        """Orders that may still fill."""
        ...

    def cancel(self, client_order_id: str) -> OrderState:
        """Ask for what is left of an order to be cancelled; an order that has ended is returned as it is."""
        ...

    def replace(self, order: OrderIntent) -> Submission:
        """Put `order` in the place of the open order that its `replaces` names, in one step.

        Only where `capabilities.replaces` says so; what the old order has filled counts towards the new quantity.
        """
        ...

    def fills(self, since: datetime) -> list[Execution]:
        """Executions at or after a time, each once, in order of occurrence."""
        ...

    def quotes(self, tickers: Sequence[str]) -> dict[str, Quote]:
        """The best prices now; a name without a quote is absent. Only where `capabilities.quotes` says so."""
        ...

    def close(self) -> None:
        """Let go of connections; harmless to repeat."""
        ...


class DeskBroker(Protocol):
    """What a desk holds: an account and a way to send orders, each with the token of its verdict."""

    def account(self) -> PortfolioSnapshot:
        """Cash, positions and prices that the desk decides on."""
        ...

    def submit(self, order: OrderIntent, token: VerdictToken) -> Submission:
        """Send one order; without a valid, unused token it is refused."""
        ...

    def order(self, client_order_id: str) -> OrderState | None:
        """The state of one order, None if it never came."""
        ...

    def open_orders(self) -> list[OrderState]:
        """Orders that may still fill."""
        ...

    def cancel(self, client_order_id: str) -> OrderState:
        """Cancel what is left of an order."""
        ...
