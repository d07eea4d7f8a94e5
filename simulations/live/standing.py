"""Where live trading stands: what is held, what is to be sent at the next open, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from ...memory.journal.events import OrderAnswered, OrderSent, OrderWithheld, RuleVerdict, VenueChecked
from ...tools.broker.protocol import OrderIntent, PortfolioSnapshot
from ...tools.errors import PaperDeskError
from ...tools.rules import ActivityLog

STEPS = (VenueChecked, RuleVerdict, OrderSent, OrderAnswered, OrderWithheld)
"""What is put on record between an open and its close, beside the report of the session."""


class TradingError(PaperDeskError):
    """Live trading cannot go on without a person; the message says what to look at."""


@dataclass
class Standing:
    """The state of one live session; every change of it follows from an event on record."""

    session: date = date.min
    """At whose close the desk stands."""
    closed_at: datetime | None = None
    shares: dict[str, float] = field(default_factory=dict)
    """Our own ledger."""
    cash: float = 0.0
    prices: dict[str, float] = field(default_factory=dict)
    queue: list[OrderIntent] = field(default_factory=list)
    """Orders of the last decision, for the next open, sells first."""
    sent: dict[str, OrderIntent] = field(default_factory=dict)
    """Of the current open, as they left."""
    sent_at: dict[str, datetime] = field(default_factory=dict)
    """When each of them left."""
    answered: dict[str, str] = field(default_factory=dict)
    """What the venue said to each of them."""
    withheld: dict[str, str] = field(default_factory=dict)
    """Orders that will not be sent, and why."""
    activity: ActivityLog = field(default_factory=ActivityLog)
    """What really went out, for the rules."""

    def remember(self, event: Any) -> None:
        """Take in what was put on record between an open and a close."""
        match event:
            case OrderSent():
                self.sent[event.order.client_order_id] = event.order
                self.sent_at[event.order.client_order_id] = event.at
                self.answered.pop(event.order.client_order_id, None)
                self.activity.sent(event.order, event.at)
            case OrderAnswered(status="absent"):
                if (order := self.sent.pop(event.client_order_id, None)) is not None:
                    self.activity.never_sent(order)
                self.answered.pop(event.client_order_id, None)
            case OrderAnswered():
                self.answered[event.client_order_id] = event.status
            case OrderWithheld():
                self.withheld[event.client_order_id] = event.reason
            case _:
                pass

    def unclear(self) -> list[str]:
        """Orders that left, and of which it is not known whether they arrived."""
        return [key for key in self.sent if self.answered.get(key, "unknown") == "unknown"]

    def to_send(self) -> list[OrderIntent]:
        """Orders that have neither left nor been withheld."""
        return [o for o in self.queue if o.client_order_id not in self.sent and o.client_order_id not in self.withheld]

    def portfolio(self, at: datetime, cash: float, shares: Mapping[str, float]) -> PortfolioSnapshot:
        """An account at the prices of the last close."""
        return PortfolioSnapshot.valued(at, cash, shares, self.prices)

    def next_day(self) -> None:
        """The session is over: nothing is queued any more."""
        self.queue, self.sent, self.sent_at, self.answered, self.withheld = [], {}, {}, {}, {}
