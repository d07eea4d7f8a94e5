"""What can happen in a session: one class per kind, together one union.

The journal stands below the rooms whose objects it records, so an event holds the columns that a reader filters by,
typed, and beside them the whole object as JSON, verbatim (`signal`, `report`, ...); the room that made it can parse it
back.
Nothing about a decision lives anywhere else.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from ...tools.broker.protocol import OrderIntent, PortfolioSnapshot
from ...tools.evidence import Evidence
from ...tools.written import Written
from ..calibration.record import AgentRecord
from ..outcome import Outcome
from .base_event import BaseEvent, Document
from .execution_events import (
    BarClosed,
    CorporateActionApplied,
    MarginCalled,
    OrderAnswered,
    OrderEnded,
    OrderFilled,
    OrderForced,
    OrderSent,
    OrderSubmitted,
    OrderWithheld,
    VenueChecked,
    VenueReported,
)

__all__ = [
    "EVENT",
    "AgentWeighed",
    "ApprovalGiven",
    "AuditIssued",
    "BarClosed",
    "BaseEvent",
    "CorporateActionApplied",
    "DebateClosed",
    "DecisionClosed",
    "DecisionOpened",
    "DeskChanged",
    "Document",
    "Event",
    "MarginCalled",
    "MemoryCarried",
    "ModelCalled",
    "OrderAnswered",
    "OrderEnded",
    "OrderFilled",
    "OrderForced",
    "OrderSent",
    "OrderSubmitted",
    "OrderWithheld",
    "PointMade",
    "ProposalMade",
    "RiskRead",
    "RuleVerdict",
    "SessionEnded",
    "SessionStarted",
    "SignalIssued",
    "SignalResolved",
    "StanceSet",
    "ToolCalled",
    "VenueChecked",
    "VenueReported",
]


class SessionStarted(BaseEvent):
    """The first event: everything that determines the rest."""

    kind: Literal["session_started"] = "session_started"
    config: Document
    market: str
    market_fingerprint: str
    universe: list[str]
    benchmark: str | None
    decisions: list[date] = Field(default_factory=list)
    """Sessions at whose close the desk will decide."""
    model: Document
    """The mind's `Fingerprint`."""
    prompts: str
    """Hash of all prompt files in use."""
    memory: list[Document] = Field(default_factory=list)
    """What was carried from each earlier session: its head, how many outcomes, their hash."""


class MemoryCarried(BaseEvent):
    """What an earlier session left: a copy, so that this one can be derived again without it."""

    kind: Literal["memory_carried"] = "memory_carried"
    head: str
    """Of the earlier session's journal."""
    outcomes: list[Outcome]
    """Each counts from its own `available_at` on."""


class DeskChanged(BaseEvent):
    """A person changed the desk from this decision on: what is earlier is the past of another session (its fork)."""

    kind: Literal["desk_changed"] = "desk_changed"
    parent_head: str
    """Head of the session whose past this one shares, as it was when the fork was made."""
    parent_count: int
    at: date
    """Session at whose close the desk decides otherwise, or as another desk."""
    by: str
    """Who set it, in the person's own words."""
    settings: list[str]
    """As given: `max_weight=0.2`, `signal:technical_analyst:NVDA=sell`."""
    config: Document
    """The choices that are other ones now, with their new values; places are recorded as what was found there."""
    mind: Document | None = None
    """The mind's `Fingerprint`, where it is another mind now."""
    policy: str | None = None
    """Hash of the pre-trade policy, where it is another one."""
    prompts: str | None = None
    """Hash of all prompt files in use, where the roster is another one."""


class DecisionOpened(BaseEvent):
    """A decision time was reached: the view, regime and portfolio are fixed."""

    kind: Literal["decision_opened"] = "decision_opened"
    as_of: AwareDatetime
    session: date
    regime: Document
    """`tools.regime.Regime`; empty where it is unknown."""
    portfolio: PortfolioSnapshot

    @property
    def market(self) -> str:
        """The regime in words: `calm and rising`, or `unknown`; journals from before there was a drift say `calm`."""
        return " and ".join(str(self.regime[key]) for key in ("name", "drift") if key in self.regime) or "unknown"


class ToolCalled(BaseEvent):
    """A role called a tool and got evidence (or none, with the reason)."""

    kind: Literal["tool_called"] = "tool_called"
    agent: str
    tool: str
    ticker: str
    arguments: Document
    evidence: list[Evidence]
    note: str = ""
    """Why the answer is empty or partial."""


class ModelCalled(BaseEvent):
    """A mind answered a request; `replay` reads it back by `request_key`."""

    kind: Literal["model_called"] = "model_called"
    agent: str
    task: str
    request_key: str
    request: Written | Document
    reply: Written | Document


class SignalIssued(BaseEvent):
    """An analyst stated its view of one ticker."""

    kind: Literal["signal_issued"] = "signal_issued"
    agent: str
    ticker: str
    round: int
    stance: str
    confidence: float
    abstained: bool
    rationale: str
    signal: Document


class StanceSet(BaseEvent):
    """A person put a stance in the place of an analyst's; the signal that follows says the same."""

    kind: Literal["stance_set"] = "stance_set"
    agent: str
    ticker: str
    stance: str
    """One of the five stances, or `abstain`."""
    probability: float
    """Given to the stance; 0 for `abstain`."""
    by: str
    replaced: Document
    """The signal that the analyst's mind had come to."""


class AuditIssued(BaseEvent):
    """The auditor judged a signal."""

    kind: Literal["audit_issued"] = "audit_issued"
    agent: str
    """Whose signal."""
    ticker: str
    round: int
    verdict: Literal["pass", "revise", "reject"]
    report: Document


class AgentWeighed(BaseEvent):
    """What an analyst's voice counts for in this decision, and the figures that this rests on."""

    kind: Literal["agent_weighed"] = "agent_weighed"
    agent: str
    record: AgentRecord


class PointMade(BaseEvent):
    """A debater answered a claim on a ticker, or said why it does not."""

    kind: Literal["point_made"] = "point_made"
    agent: str
    ticker: str
    round: int
    """Of the debate, from 1."""
    how: Literal["supports", "attacks", "silent"]
    answers: str
    """Id of the claim that it answers; empty where it is silent."""
    rationale: str
    """Its sentence, or why there is none."""
    stands: bool
    """Whether the auditor let it stand."""
    point: Document
    """The whole point; empty where there is none."""
    findings: list[Document] = Field(default_factory=list)
    """The auditor's, of a point that was struck."""


class DebateClosed(BaseEvent):
    """The debate on a ticker ended: what it left of the confidence of each analyst's signal."""

    kind: Literal["debate_closed"] = "debate_closed"
    ticker: str
    factors: dict[str, float]
    """By analyst, at most 1."""
    outcome: Document


class ProposalMade(BaseEvent):
    """The portfolio manager proposed target weights."""

    kind: Literal["proposal_made"] = "proposal_made"
    weights: dict[str, float]
    rationale: str
    proposal: Document


class RiskRead(BaseEvent):
    """The risk officer read a proposal: it accepted it, or tightened the limits under which it is made again."""

    kind: Literal["risk_read"] = "risk_read"
    agent: str
    reading: str
    rationale: str
    evidence: list[Evidence]
    """Figures of the proposal's risk."""
    tightening: Document


class RuleVerdict(BaseEvent):
    """The rule engine approved, clamped or vetoed one order."""

    kind: Literal["rule_verdict"] = "rule_verdict"
    ticker: str
    verdict: Literal["approve", "clamp", "veto"]
    order: OrderIntent
    report: Document


class ApprovalGiven(BaseEvent):
    """A person answered for the orders of a decision, or nobody did in time; `replay` reads it by `request_key`."""

    kind: Literal["approval_given"] = "approval_given"
    request_key: str
    """Hash of what was asked: the proposal and the orders, figure by figure."""
    verdict: Literal["approve", "reject", "veto", "unanswered"]
    stopped: list[str]
    """Tickers whose orders do not leave."""
    by: str
    reason: str
    reply: Document
    """The answer as it was given."""


class SignalResolved(BaseEvent):
    """A signal's horizon passed: what really happened."""

    kind: Literal["signal_resolved"] = "signal_resolved"
    agent: str
    ticker: str
    issued_in: int
    """The decision that issued the signal."""
    score: float
    outcome: float
    """Return over the horizon in excess of the universe's mean."""
    record: Outcome
    """The whole of it, as calibration and lessons take it."""


class DecisionClosed(BaseEvent):
    """Everything of this decision is on record."""

    kind: Literal["decision_closed"] = "decision_closed"
    session: date


class SessionEnded(BaseEvent):
    """The last event: the figures of the session."""

    kind: Literal["session_ended"] = "session_ended"
    metrics: Document


Event = Annotated[
    SessionStarted
    | MemoryCarried
    | DeskChanged
    | DecisionOpened
    | ToolCalled
    | ModelCalled
    | StanceSet
    | SignalIssued
    | AuditIssued
    | PointMade
    | DebateClosed
    | AgentWeighed
    | ProposalMade
    | RiskRead
    | RuleVerdict
    | ApprovalGiven
    | OrderSubmitted
    | OrderAnswered
    | OrderFilled
    | OrderEnded
    | CorporateActionApplied
    | BarClosed
    | MarginCalled
    | OrderForced
    | SignalResolved
    | DecisionClosed
    | VenueChecked
    | OrderSent
    | OrderWithheld
    | VenueReported
    | SessionEnded,
    Field(discriminator="kind"),
]
"""Any event."""

EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""Parses an event from JSON: `EVENT.validate_json(text)`."""
