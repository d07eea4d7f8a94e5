"""What happened in one exchange session, and the protocol of brokers that a session graph steps through time."""

from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

from .protocol import DeskBroker, Fill


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """A dividend or interest was paid, a split changed a position, or a delisting ended it."""

    session: date
    ticker: str
    action: Literal["dividend", "split", "cash_in_lieu", "interest", "delisting"]
    amount: float
    """Cash paid, or the split's ratio of new to old shares."""
    shares: float
    """Shares held before it; the cash that interest was paid on. Cash in lieu pays the part that is no whole share."""


@dataclass(frozen=True, slots=True)
class OrderEnd:
    """An order that ended without being filled in full."""

    client_order_id: str
    ticker: str
    status: Literal["cancelled", "rejected", "expired"]
    unfilled_quantity: float
    """Shares that were ordered and not traded."""
    reason: str


@dataclass(frozen=True, slots=True)
class StepReport:
    """All that happened in one exchange session, and the ledger at its close.

    `cash + sum(positions[t] * prices[t]) == equity` to 1e-6.
    """

    session: date
    actions: tuple[CorporateAction, ...]
    """Applied before the open; a delisting at the close."""
    fills: tuple[Fill, ...]
    """At the open, in order of execution: sales, then purchases."""
    ended: tuple[OrderEnd, ...]
    """Every order that ended unfilled, or filled in part, since the last report."""
    cash: float
    equity: float
    positions: dict[str, float]
    """Shares by ticker; names without a position are absent."""
    prices: dict[str, float]
    """Last known close of each position, in the shares of this day."""
    stale: tuple[str, ...]
    """Positions in names that have not traded for many sessions, still valued at their last close."""


class SteppedBroker(DeskBroker, Protocol):
    """A desk's broker that the session graph moves from one close to the next: simulated, or paced by a live clock."""

    @property
    def report(self) -> StepReport:
        """What happened in the current session."""
        ...

    def step(self) -> StepReport | None:
        """Move to the close of the next session; None when there is none."""
        ...

    def finish(self) -> tuple[OrderEnd, ...]:
        """End: open orders expire; the endings that no report holds."""
        ...
