"""What becomes of orders: submitted, answered, filled, ended; the account after it; and what live trading adds."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime

from ...tools.broker.protocol import Fill, FillCause, OrderIntent
from .base_event import BaseEvent, Document


class OrderSubmitted(BaseEvent):
    """An order is about to leave: written before it is sent."""

    kind: Literal["order_submitted"] = "order_submitted"
    ticker: str
    order: OrderIntent
    reason: str
    """Why, in a sentence with the figures that led to it."""


class OrderAnswered(BaseEvent):
    """What the broker said to a submission."""

    kind: Literal["order_answered"] = "order_answered"
    ticker: str
    client_order_id: str
    status: Literal["accepted", "rejected", "unknown", "absent"]
    """`absent`: the answer was lost, and a look-up found that the order never arrived."""
    reason: str = ""


class OrderFilled(BaseEvent):
    """An execution."""

    kind: Literal["order_filled"] = "order_filled"
    ticker: str
    fill: Fill


class OrderEnded(BaseEvent):
    """An order ended without being filled in full."""

    kind: Literal["order_ended"] = "order_ended"
    ticker: str
    client_order_id: str
    status: Literal["cancelled", "rejected", "expired"]
    unfilled_quantity: float
    reason: str


class CorporateActionApplied(BaseEvent):
    """A payment that no order led to, a split, or the end of a position in a name that trades no more."""

    kind: Literal["corporate_action"] = "corporate_action"
    session: date
    ticker: str
    action: Literal["dividend", "split", "cash_in_lieu", "interest", "delisting", "borrow_fee", "buy_in"]
    amount: float
    """Cash received, negative where paid, or the split's ratio."""
    shares: float
    """Shares held before it, negative where owed; the money that interest or a borrow fee is on."""


class BarClosed(BaseEvent):
    """End of one exchange session: the ledger."""

    kind: Literal["bar_closed"] = "bar_closed"
    session: date
    cash: float
    equity: float
    positions: dict[str, float]
    prices: dict[str, float]
    """Closing (or last known) price of each position."""


class MarginCalled(BaseEvent):
    """At a close the equity was below the maintenance margin."""

    kind: Literal["margin_called"] = "margin_called"
    session: date
    equity: float
    requirement: float


class OrderForced(BaseEvent):
    """The broker ordered for the account what it has to close at the next open."""

    kind: Literal["order_forced"] = "order_forced"
    ticker: str
    cause: FillCause
    order: OrderIntent


class VenueChecked(BaseEvent):
    """Live trading looked at its venue before it sent anything: clock, connection, and who counts which shares."""

    kind: Literal["venue_checked"] = "venue_checked"
    session: date
    at: AwareDatetime
    """By our clock."""
    skew_seconds: float
    """The venue's clock less ours."""
    ledger: dict[str, float]
    """Shares as the journal counts them."""
    venue: dict[str, float]
    """Shares as the venue counts them."""


class OrderSent(BaseEvent):
    """Live trading: an order leaves now; written before it is sent."""

    kind: Literal["order_sent"] = "order_sent"
    ticker: str
    order: OrderIntent
    """As the rules let it through at the open."""
    at: AwareDatetime


class OrderWithheld(BaseEvent):
    """Live trading: an order for this open was not sent, and will not be."""

    kind: Literal["order_withheld"] = "order_withheld"
    ticker: str
    client_order_id: str
    quantity: float
    reason: str


class VenueReported(BaseEvent):
    """Live trading: what the venue and the data say of a session that has closed. All else is derived from it."""

    kind: Literal["venue_reported"] = "venue_reported"
    session: date
    at: AwareDatetime
    """When it was asked."""
    cash: float
    positions: dict[str, float]
    """Shares after the session, by our ledger."""
    venue: dict[str, float]
    """Shares by the venue's count."""
    prices: dict[str, float]
    """Last known close of every name of the universe."""
    actions: list[Document]
    fills: list[Fill]
    ended: list[Document]
    market: str
    """Fingerprint of the data that the desk will look at."""
    decide: bool
    """Whether the desk decides at this close."""
    owed: bool
    """Whether a decision is still due after it."""
    notes: list[str]
    """What a person should know."""
