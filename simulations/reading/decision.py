"""Decisions: a line of each for lists, and one of them in full."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby, islice
from math import fsum
from typing import Any

from ...memory.journal import Journal
from ...memory.journal.index import Index
from ...memory.journal.rows import Row, first_of, rows, rows_at, turns_of, values_of
from .debate import Debate, debates_of
from .orders import Ordered, orders_of
from .path import Step, path_of
from .statements import Statement, last_of_each, statements_of

MOST_AT_ONCE = 500
"""Openings fetched at once."""


@dataclass(frozen=True)
class DecisionLine:
    """One decision in a list."""

    number: int
    """From 0."""
    seq: int
    day: date
    regime: str
    equity: float
    counts: dict[str, int]
    """Of events by kind, and by kind and verdict (`audit_issued revise`)."""
    path: list[Step]
    orders: list[dict[str, Any]]
    """Submitted orders, as `OrderIntent`."""
    weights: dict[str, float]
    """As last proposed."""

    @property
    def largest(self) -> list[dict[str, Any]]:
        """The orders, those for the most money first."""
        return sorted(self.orders, key=lambda order: -order["quantity"] * order["reference_price"])

    @property
    def objections(self) -> int:
        """Signals that the auditor sent back or rejected."""
        return self.counts.get("audit_issued revise", 0) + self.counts.get("audit_issued reject", 0)

    @property
    def vetoes(self) -> int:
        """Orders that the rules stopped or cut."""
        return self.counts.get("rule_verdict veto", 0) + self.counts.get("rule_verdict clamp", 0)


def decision_lines(
    journal: Journal, index: Index | None, *, after: int, limit: int, newest_first: bool
) -> list[DecisionLine]:
    """A page of decisions; without an index their counts, paths and orders stay empty."""
    opened = list(islice(_opened(journal, after, limit, newest_first), limit))
    if not opened:
        return []
    numbers = sorted(row.decision or 0 for row in opened)
    first, last = numbers[0], numbers[-1]
    counts: dict[int, dict[str, int]] = {number: {} for number in numbers}
    paths: dict[int, list[Step]] = {}
    orders: dict[int, list[dict[str, Any]]] = {}
    weights: dict[int, dict[str, float]] = {}
    if index is not None:
        for number, kind, verdict, count in index.counts(first, last):
            of = counts.setdefault(number, {})
            of[kind] = of.get(kind, 0) + count
            if verdict is not None:
                of[f"{kind} {verdict}"] = count
        turns = sorted(index.turns(first, last))
        for number, some in groupby(turns, key=lambda turn: turn[0]):
            paths[number] = path_of([(seq, kind, agent) for _, seq, kind, agent, _ in some])
        for row in rows_at(journal, index.of_decisions("order_submitted", first, last)):
            orders.setdefault(row.decision or 0, []).append(row.document["order"])
        for row in rows_at(journal, index.of_decisions("proposal_made", first, last)):
            weights[row.decision or 0] = row.document["weights"]
    return [
        DecisionLine(
            number=(number := row.decision or 0),
            seq=row.seq,
            day=date.fromisoformat(row.document["session"]),
            regime=regime_words(row.document["regime"]),
            equity=row.document["portfolio"]["equity"],
            counts=counts[number],
            path=paths.get(number, []),
            orders=orders.get(number, []),
            weights=weights.get(number, {}),
        )
        for row in opened
    ]


def _opened(journal: Journal, after: int, limit: int, newest_first: bool) -> Iterator[Row]:
    """The openings beyond decision `after`, found by its first event: no page costs more than the first."""
    page = min(limit, MOST_AT_ONCE) + 1
    place = None if after < 0 else first_of(journal, after)
    if newest_first:
        found = rows(journal, ("decision_opened",), before=place, newest_first=True, page=page)
        return (row for row in found if after < 0 or (row.decision or 0) < after)
    found = rows(journal, ("decision_opened",), after=(place or 1) - 1, page=page)
    return (row for row in found if (row.decision or 0) > after)


def regime_words(regime: dict[str, Any]) -> str:
    """The regime as `decision_opened` has it, in words."""
    return " and ".join(str(regime[key]) for key in ("name", "drift") if key in regime) or "unknown"


@dataclass(frozen=True)
class Move:
    """What one decision did with one name."""

    ticker: str
    before: float
    """Weight at the decision."""
    after: float | None
    """Proposed weight; None where no proposal names it."""
    alpha: float | None
    """The desk's view, return per session beyond the reference; None where it has none."""
    parts: dict[str, float]
    """What each agent contributed to it."""
    reference: float | None
    """Return per session that its tail risk deserves."""
    excluded: str
    """Why it could not be considered; empty where it was."""
    statements: list[Statement]
    """The last statement of each agent."""
    ordered: Ordered | None


@dataclass(frozen=True)
class Decision:
    """One decision in full, as far as it has come."""

    number: int
    seq: int
    """Of its first event."""
    day: date
    as_of: datetime
    opened: dict[str, Any]
    """The event `decision_opened`."""
    universe: tuple[str, ...]
    agents: tuple[str, ...]
    """Analysts in the order in which they spoke."""
    moves: list[Move]
    """One per name of the universe."""
    proposal: dict[str, Any] | None
    """The last proposal; None where there is none (yet)."""
    proposals: int
    path: list[Step]
    closed: bool
    seconds: float | None
    """From its opening to its closing, by the clock on the wall; None while it is open."""
    prompt_tokens: int
    generated_tokens: int
    model_calls: int
    commission: float
    slippage: float
    weighed: list[dict[str, Any]] = field(default_factory=list)
    """What each analyst's voice counted for, an `AgentRecord` each."""
    changed: list[Row] = field(default_factory=list)
    """`desk_changed`: what a person set from this decision on, in a fork."""
    hands: list[Row] = field(default_factory=list)
    """`stance_set`: stances that a person put in the place of an analyst's."""
    debates: dict[str, Debate] = field(default_factory=dict)
    """By ticker, where the desk holds one."""
    risk: list[Row] = field(default_factory=list)
    """`risk_read`: the risk officer's reading of each proposal."""
    approvals: list[Row] = field(default_factory=list)
    """`approval_given`: what a person answered, or that nobody did."""
    venue: list[Row] = field(default_factory=list)
    """Of live trading: what its venue was asked and said, and which orders left or stayed."""
    following: list[Row] = field(default_factory=list)
    """What the market did with it until the next decision: fills, orders that ended, dividends, splits."""
    others: list[Row] = field(default_factory=list)
    """Events of kinds that have no place of their own above."""

    @property
    def regime(self) -> str:
        """In words."""
        return regime_words(self.opened["regime"])

    @property
    def cuts(self) -> int:
        """Proposals that the risk officer sent back."""
        return sum(
            bool(told.get("caps")) or told.get("aversion_factor", 1) > 1
            for told in (row.document["tightening"] for row in self.risk)
        )


_ELSEWHERE = ("tool_called", "model_called", "bar_closed", "signal_resolved")
"""Kinds that have pages of their own, and of which there are many."""
_FOLLOWING = frozenset({"order_filled", "order_ended", "order_forced", "margin_called", "corporate_action"})
_VENUE = frozenset({"venue_checked", "venue_reported", "order_sent", "order_withheld"})
_PLACED = (
    _FOLLOWING
    | _VENUE
    | {
        *("decision_opened", "desk_changed", "stance_set", "signal_issued", "audit_issued", "point_made"),
        *("debate_closed", "agent_weighed", "proposal_made", "risk_read", "rule_verdict", "approval_given"),
        *("order_submitted", "order_answered", "decision_closed"),
    }
)


def read_decision(journal: Journal, number: int, universe: Sequence[str]) -> Decision | None:
    """Decision `number` (from 0); None where the session has none."""
    events = list(rows(journal, but=_ELSEWHERE, decision=number))
    by_kind: dict[str, list[Row]] = {}
    for row in events:
        by_kind.setdefault(row.kind, []).append(row)
    if "decision_opened" not in by_kind:
        return None
    opened = by_kind["decision_opened"][0]
    closed = by_kind.get("decision_closed", [None])[-1]
    proposals = by_kind.get("proposal_made", [])
    statements = statements_of(events)
    orders = orders_of(events)
    calls = values_of(
        journal, "model_called", ("reply.usage.prompt_tokens", "reply.usage.generated_tokens"), decision=number
    )
    proposal = proposals[-1].document["proposal"] if proposals else None
    fills = [fill for ordered in orders.values() for fill in ordered.fills]
    return Decision(
        number=number,
        seq=opened.seq,
        day=date.fromisoformat(opened.document["session"]),
        as_of=datetime.fromisoformat(opened.document["as_of"]),
        opened=opened.document,
        universe=tuple(universe),
        agents=tuple(dict.fromkeys(statement.agent for statement in statements)),
        moves=[_move(ticker, opened, proposal, statements, orders.get(ticker)) for ticker in universe],
        proposal=proposal,
        proposals=len(proposals),
        path=path_of(turns_of(journal, number)),
        closed=closed is not None,
        seconds=(closed.written_at - opened.written_at).total_seconds() if closed else None,
        prompt_tokens=sum(row[2] or 0 for row in calls),
        generated_tokens=sum(row[3] or 0 for row in calls),
        model_calls=len(calls),
        commission=fsum(fill.commission for fill in fills),
        slippage=fsum(fill.slippage for fill in fills),
        weighed=[row.document["record"] for row in by_kind.get("agent_weighed", [])],
        changed=by_kind.get("desk_changed", []),
        hands=by_kind.get("stance_set", []),
        debates=debates_of(events, statements),
        risk=by_kind.get("risk_read", []),
        approvals=by_kind.get("approval_given", []),
        venue=[row for row in events if row.kind in _VENUE],
        following=[row for row in events if row.kind in _FOLLOWING],
        others=[row for row in events if row.kind not in _PLACED],
    )


def _move(
    ticker: str,
    opened: Row,
    proposal: dict[str, Any] | None,
    statements: Sequence[Statement],
    ordered: Ordered | None,
) -> Move:
    told = proposal or {}
    view: dict[str, Any] = next((view for view in told.get("views", ()) if view["ticker"] == ticker), {})
    return Move(
        ticker=ticker,
        before=weight_in(opened.document["portfolio"], ticker),
        after=told.get("weights", {}).get(ticker),
        alpha=view.get("alpha"),
        parts=view.get("parts", {}),
        reference=told.get("reference", {}).get(ticker),
        excluded=told.get("excluded", {}).get(ticker, ""),
        statements=last_of_each(statement for statement in statements if statement.ticker == ticker),
        ordered=ordered,
    )


def weight_in(portfolio: dict[str, Any], ticker: str) -> float:
    """Weight of a name in a `PortfolioSnapshot`."""
    shares = portfolio["positions"].get(ticker, 0.0)
    return float(shares * portfolio["prices"].get(ticker, 0.0) / portfolio["equity"]) if portfolio["equity"] else 0.0
