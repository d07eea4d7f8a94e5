"""What one step of the simulated broker reports."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from ..protocol import Fill, FillCause, OrderIntent
from .corporate_actions import CorporateAction
from .margin import MarginCall


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
    """Positions in names that have not traded for `STALE_AFTER` sessions or more, still valued at their last close."""
    margin_call: MarginCall | None = None
    """Where the equity at this close is less than the maintenance margin."""
    forced: tuple[ForcedOrder, ...] = ()
    """What the broker ordered at this close: for the margin call, and shares that a lender wants back."""
