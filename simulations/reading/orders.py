"""An order from the rules' verdict to its last fill."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ...memory.journal.rows import Row
from .series import Trade, trade_of


@dataclass
class Ordered:
    """What became of the desk's wish to trade one name."""

    ticker: str
    verdicts: list[Row] = field(default_factory=list)
    """`rule_verdict`, one per pass through the rules."""
    submitted: Row | None = None
    """`order_submitted`; None after a veto."""
    answers: list[Row] = field(default_factory=list)
    """`order_answered`."""
    fills: list[Trade] = field(default_factory=list)
    ended: list[Row] = field(default_factory=list)
    """`order_ended`: what was not filled, and why."""

    @property
    def asked(self) -> dict[str, Any]:
        """The order as last asked for, an `OrderIntent`."""
        if self.verdicts:
            order: dict[str, Any] = self.verdicts[-1].document["order"]
        else:
            order = self.submitted.document["order"] if self.submitted else {}
        return order

    @property
    def sent(self) -> dict[str, Any] | None:
        """The order as it left."""
        return self.submitted.document["order"] if self.submitted else None

    @property
    def given_up(self) -> bool:
        """Whether the rules let it through and it was not sent: a further pass came to other orders."""
        return self.submitted is None and self.verdict in ("approve", "clamp")

    @property
    def reason(self) -> str:
        """Why it was made, in the desk's words."""
        return str(self.submitted.document["reason"]) if self.submitted else ""

    @property
    def verdict(self) -> str | None:
        """The rules' last word."""
        return str(self.verdicts[-1].document["verdict"]) if self.verdicts else None

    @property
    def issues(self) -> list[dict[str, Any]]:
        """Findings of the last verdict that did not pass."""
        return [finding for finding in self.findings if finding.get("severity") != "pass"]

    @property
    def findings(self) -> list[dict[str, Any]]:
        """All findings of the last verdict, each with value and limit."""
        return list(self.verdicts[-1].document["report"].get("findings", ())) if self.verdicts else []

    @property
    def filled(self) -> float:
        """Shares."""
        return sum(fill.quantity for fill in self.fills)

    @property
    def costs(self) -> float:
        """Commission and slippage of all fills, in money."""
        return sum(fill.costs for fill in self.fills)


def orders_of(events: Iterable[Row]) -> dict[str, Ordered]:
    """The orders among the events of one decision, by ticker."""
    found: dict[str, Ordered] = {}
    for row in events:
        if row.kind not in _KINDS or row.ticker is None:
            continue
        ordered = found.setdefault(row.ticker, Ordered(row.ticker))
        match row.kind:
            case "rule_verdict":
                ordered.verdicts.append(row)
            case "order_submitted":
                ordered.submitted = row
            case "order_answered":
                ordered.answers.append(row)
            case "order_filled":
                ordered.fills.append(trade_of(row))
            case _:
                ordered.ended.append(row)
    return found


_KINDS = frozenset({"rule_verdict", "order_submitted", "order_answered", "order_filled", "order_ended"})
