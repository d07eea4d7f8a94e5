"""What travels along the edges of the graph: small, typed, immutable values.

Texts and evidence stay in the casebook (`context.Casebook`) and in the journal.
"""

from datetime import date, datetime
from typing import TypedDict

from ..agents.debate.board import Board
from ..agents.portfolio_manager import Proposal
from ..agents.risk_officer import Tightening
from ..agents.signals import AuditReport, Signal
from ..tools.broker.protocol import OrderIntent, PortfolioSnapshot, VerdictToken
from ..tools.regime import Regime

Seat = tuple[str, str]
"""(agent, ticker)."""


class PermittedOrder(TypedDict):
    """An order that the rules let through, with its token and its reason."""

    order: OrderIntent
    token: VerdictToken
    reason: str


class DeskState(TypedDict, total=False):
    """The state of the desk between two nodes. A node returns the keys that it changes; nothing is mutated in place."""

    decision: int
    """Number of the current decision, from 0."""
    session: date
    as_of: datetime
    round: int
    """Audit round, from 0."""
    regime: Regime | None
    portfolio: PortfolioSnapshot
    signals: dict[Seat, Signal]
    """The last statement of each agent on each ticker."""
    reports: dict[Seat, AuditReport]
    """The last audit of each."""
    boards: dict[str, Board]
    """By ticker: the claims that are debated and the points that stand; empty on a desk without a debate."""
    debate_round: int
    """Of the debate, from 1; 0 before it."""
    proposal: Proposal
    tightened: Tightening | None
    """Limits that the risk officer has lowered in this decision."""
    barred: dict[str, str]
    """Names that the rules vetoed in this decision, and why; the next proposal leaves them as they are."""
    permitted: list[PermittedOrder]
