"""What happened in one exchange session, and the protocol of brokers that a session graph steps through time."""

from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple, Protocol

from .protocol import DeskBroker, Fill, FillCause, OrderIntent

Action = Literal["dividend", "split", "cash_in_lieu", "interest", "delisting", "borrow_fee", "buy_in"]


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """A payment that no order led to, a split, or the end of a position in a name that trades no more."""

    session: date
    ticker: str
    action: Action
    amount: float
    """Cash received, negative where paid, or the split's ratio of new to old shares."""
    shares: float
    """Shares held before it, negative where owed; the money that interest or a borrow fee is on. Cash in lieu pays the
    part that is no whole share."""


@dataclass(frozen=True, slots=True)
class OrderEnd:
    """An order that ended without being filled in full."""

    client_order_id: str
    ticker: str
    status: Literal["cancelled", "rejected", "expired"]
    unfilled_quantity: float
    """Shares that were ordered and not traded."""
    reason: str


class MarginCall(NamedTuple):
    """At a close the equity was less than the maintenance margin: positions are closed at the next open."""

    equity: float
    requirement: float
    """Maintenance margin, in currency."""


@dataclass(frozen=True, slots=True)
class ForcedOrder:
    """An order that the broker made for the account at a close; it is executed before those of the desk."""

    cause: FillCause
    order: OrderIntent


@dataclass(frozen=True, slots=True)
class StepReport:
    """All that happened in one exchange session, and the ledger at its close.

    `cash + sum(positions[t] * prices[t]) == equity` to 1e-6.
    """

    session: date
    actions: tuple[CorporateAction, ...]
    """Applied before the open; a delisting at the close."""
    fills: tuple[Fill, ...]
    """In order of execution: at the open, within the session, at the close; in each forced ones, sales, purchases."""
    ended: tuple[OrderEnd, ...]
    """Every order that ended unfilled, or filled in part, since the last report."""
    cash: float
    equity: float
    positions: dict[str, float]
    """Shares by ticker, negative where short; names without a position are absent."""
    prices: dict[str, float]
    """Last known close of each position, in the shares of this day."""
    stale: tuple[str, ...]
    """Positions in names that have not traded for many sessions, still valued at their last close."""
    margin_call: MarginCall | None = None
    """Where the equity at this close is less than the maintenance margin."""
    forced: tuple[ForcedOrder, ...] = ()
    """What the broker ordered at this close: for the margin call, and shares that a lender wants back."""


class SteppedBroker(DeskBroker, Protocol):
    """A desk's broker that the session graph moves from one close to the next: simulated, or paced by a live clock."""

    @property
    def report(self) -> StepReport:
        """What happened in the current session."""
        ...

    def waiting(self) -> tuple[OrderIntent, ...]:
        """The terms of the open orders, each with the quantity that is left of it."""
        ...

    def step(self) -> StepReport | None:
        """Move to the close of the next session; None when there is none."""
        ...

    def finish(self) -> tuple[OrderEnd, ...]:
        """End: open orders expire; the endings that no report holds."""
        ...
