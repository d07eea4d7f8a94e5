"""What the desk did and why, as lines for people.

Without details there is one line per signal and order; with them the claims, their evidence with source and time, every
audit finding, every rule, and the optimizer's reasons.
"""

import json as jsonlib
from collections.abc import Iterable, Iterator
from typing import Any

from ..agents.evidence_text import shown
from ..agents.portfolio_manager import figures_of, told
from ..agents.roles import title_of
from ..memory.calibration import AgentRecord
from ..memory.journal.events import (
    AgentWeighed,
    ApprovalGiven,
    AuditIssued,
    CorporateActionApplied,
    DebateClosed,
    DecisionOpened,
    DeskChanged,
    Event,
    MarginCalled,
    MemoryCarried,
    OrderAnswered,
    OrderEnded,
    OrderFilled,
    OrderForced,
    OrderSubmitted,
    OrderWithheld,
    PointMade,
    ProposalMade,
    RiskRead,
    RuleVerdict,
    SessionEnded,
    SessionStarted,
    SignalIssued,
    SignalResolved,
    StanceSet,
    ToolCalled,
    VenueReported,
)
from ..memory.journal.rows import Row
from ..memory.lessons.lesson import text_of
from ..tools.evidence import Evidence
from . import debate_screen
from .digest import answered_by, approval_words

VERDICTS = {"pass": "passed", "revise": "sent back", "reject": "rejected"}


Styled = tuple[str, str]
"""A line and its style."""


def transcript(chosen: Iterable[Row], *, detailed: bool) -> Iterator[Styled]:
    """The lines of a transcript."""
    evidence: dict[str, Evidence] = {}
    for row in chosen:
        event = row.event
        if event is None:  # of another version: shown as it is
            yield f"  {flat_line(row)}", "dim"
            continue
        if isinstance(event, DecisionOpened):
            evidence.clear()
        elif isinstance(event, ToolCalled):
            evidence |= {item.id: item for item in event.evidence}
        lines = list(_lines(event, evidence, detailed))
        if not lines and detailed and row.kind not in _QUIET:
            lines = [(f"  {flat_line(row)}", "dim")]  # a kind that has no words of its own here yet
        yield from lines


_QUIET = frozenset(
    {
        "bar_closed",
        "decision_closed",
        "model_called",
        "order_answered",
        "order_ended",
        "rule_verdict",
        "signal_resolved",
    }
)
"""Kinds of which a transcript may say nothing."""


def flat_line(row: Row) -> str:
    """An event in one line: number, kind, decision, who about whom, verdict, what was said."""
    document = row.document
    number = "" if row.decision is None else f"decision {row.decision + 1}"
    who = " on ".join(name for name in (row.agent, row.ticker) if name)
    parts = (
        f"{row.seq:>7}",
        row.kind,
        number,
        who,
        document.get("verdict") or document.get("status") or "",
        said_in(row),
    )
    return "  ".join(part for part in parts if part)


def said_in(row: Row) -> str:
    """What an event says in a few words; empty where it says nothing."""
    document = row.document
    match row.kind:
        case "tool_called":
            found = f"{document['tool'].replace('_', ' ')}: {len(document['evidence'])} pieces of evidence"
            return f"{found}; {document['note']}" if document["note"] else found
        case "model_called":
            return f"{document['task']}, {len(document['request']['questions'])} questions"
        case "audit_issued":
            return "; ".join(finding["message"] for finding in document["report"]["findings"])
        case "rule_verdict" | "order_submitted":
            order = document["order"]
            reason = document.get("reason") or _issues(document["report"])
            return f"{order['side']} {order['quantity']:,.6g}{': ' if reason else ''}{reason}"
        case "order_filled":
            fill = document["fill"]
            return f"{fill['side']} {fill['quantity']:,.6g} at {fill['price']:,.4f} on {fill['session']}"
        case "bar_closed":
            return f"{document['session']}: equity {document['equity']:,.2f}, cash {document['cash']:,.2f}"
        case "corporate_action":
            return f"{document['action'].replace('_', ' ')} of {document['amount']:,.4f} on {document['session']}"
        case "signal_resolved":
            return f"score {document['score']:+.2f}, then {document['outcome']:+.2%} beyond the universe"
        case "agent_weighed":
            return told(AgentRecord.model_validate(document["record"]))
        case "session_started":
            return f"{document['market']}, {document['model'].get('name')}, {len(document['universe'])} names"
        case "decision_opened":
            return f"{document['session']}: equity {document['portfolio']['equity']:,.2f}"
        case "desk_changed":
            return f"{document['by']} set {', '.join(document['settings'])}"
        case "stance_set":
            was = "an abstention" if document["replaced"]["abstained"] else document["replaced"]["stance"]
            return f"{document['by']} set {document['stance']} in the place of {was}".replace("_", " ")
        case "debate_closed":
            lowered = [f"{agent} x {factor:.2f}" for agent, factor in document["factors"].items() if factor < 0.995]
            return ", ".join(lowered).replace("_", " ") or "no confidence changes"
        case "approval_given":
            stopped = f"not sent: {', '.join(document['stopped'])}" if document["stopped"] else "all orders may leave"
            answer = answered_by(document["verdict"], document["by"])
            return f"{answer}, {stopped}{'; ' if document['reason'] else ''}{document['reason']}"
        case "memory_carried":
            return f"{len(document['outcomes'])} outcomes of the session {document['head'][:16]}"
        case _:
            return next((str(document[name]) for name in _SAID if document.get(name)), "")


def _issues(report: dict[str, Any]) -> str:
    return " ".join(finding["message"] for finding in report.get("findings", ()) if finding["severity"] != "pass")


_SAID = ("rationale", "reason", "text", "message", "note", "session")
"""Where an event says something in a few words; the first that it has is taken."""


def full_lines(row: Row) -> Iterator[Styled]:
    """One event in full: where it stands, then all of it as JSON."""
    yield flat_line(row), "bold"
    yield f"hash {row.hash}, written {row.written_at.isoformat()}", "dim"
    yield jsonlib.dumps(row.document, ensure_ascii=False, indent=2), ""


def _lines(event: Event, evidence: dict[str, Evidence], detailed: bool) -> Iterator[Styled]:
    match event:
        case SessionStarted():
            yield f"{event.market}: {', '.join(event.universe)}", "bold"
            yield (
                f"mind {event.model['name']}, data {event.market_fingerprint[:12]}, prompts {event.prompts[:12]}",
                "dim",
            )
        case DeskChanged():
            yield "", ""
            yield f"{event.at}  changed from here on by {event.by}: {', '.join(event.settings)}", "bold yellow"
            yield f"  until here the same as the session with head {event.parent_head[:16]}", "dim"
        case DecisionOpened():
            regime = f"{event.market} ({event.regime['probability']:.2f})" if event.regime else event.market
            yield "", ""
            number, equity = (event.decision or 0) + 1, event.portfolio.equity
            yield f"{event.session}  decision {number}, regime {regime}, equity {equity:,.2f}", "bold"
        case MemoryCarried():
            carried = f"{len(event.outcomes)} outcomes, each from its own time on"
            yield f"memory of the session {event.head[:16]}: {carried}", "dim"
        case SignalResolved() if detailed:
            outcome = event.record
            said = f"{_title(event.agent).lower()} on {event.ticker}, {outcome.issued_on}"
            yield f"  What followed the {said}: {text_of(outcome)} ({outcome.surprise:+.2f} of the usual size)", "dim"
        case AgentWeighed():
            yield f"  {told(event.record)}", "dim"
            if detailed and event.record.outcomes:
                yield f"      {figures_of(event.record)}", "dim"
        case ToolCalled() if detailed:
            wanted = event.arguments.get("measure") or event.arguments.get("query")
            about = f" for {wanted}" if wanted else ""
            yield f"  {_title(event.agent)} called {event.tool} on {event.ticker}{about}", "dim"
            yield from ((f"      {item.id}  {shown(item)}", "dim") for item in event.evidence)
            if event.note:
                yield f"      {event.note}", "dim"
        case StanceSet():
            chance = f" at {event.probability:.0%}" if event.probability else ""
            yield (
                f"  {event.by} set {_title(event.agent)} on {event.ticker}: {event.stance.replace('_', ' ')}{chance}",
                "yellow",
            )
            if detailed and event.replaced["rationale"]:
                yield f"      in place of {event.replaced['rationale']}", "dim"
        case SignalIssued():
            yield from _signal(event, evidence, detailed)
        case AuditIssued():
            yield from _audit(event, detailed)
        case PointMade():
            yield from debate_screen.point(event, evidence, detailed)
        case DebateClosed():
            yield from debate_screen.closed(event, detailed)
        case ProposalMade():
            yield from _proposal(event, detailed)
        case RiskRead():
            yield from debate_screen.risk(event, detailed)
        case RuleVerdict() if detailed or event.verdict != "approve":
            yield from _rules(event, detailed)
        case SessionEnded():
            yield "", ""
            yield f"end: {_performance(event.metrics)}", "bold"
        case _:
            yield from _traded(event)


def _traded(event: Event) -> Iterator[Styled]:
    """What became of a proposal: leave, orders, fills, and what the ledger and the venue did by themselves."""
    match event:
        case ApprovalGiven():
            yield f"  {approval_words(event)}", "cyan"
        case OrderSubmitted():
            order = event.order
            yield (
                f"  Order {order.side} {order.quantity:,.6g} {order.ticker} ({order.notional:,.0f} at the close)",
                "cyan",
            )
            yield f"      why: {event.reason}", ""
        case OrderAnswered() if event.status != "accepted":
            yield f"  Broker {event.status} {event.ticker}: {event.reason}", "yellow"
        case OrderWithheld():
            yield f"  Not sent {event.ticker}: {event.reason}", "yellow"
        case VenueReported() if event.notes:
            yield from ((f"  Look at this: {note}", "yellow") for note in event.notes)
        case OrderFilled():
            fill = event.fill
            filled = "Filled" if fill.cause == "order" else f"Filled by {fill.cause.replace('_', ' ')}"
            yield (
                (
                    f"  {filled} {fill.session} {fill.side} {fill.quantity:,.6g} {fill.ticker} at {fill.price:,.4f}"
                    f" (open {fill.open_price:,.4f}), commission {fill.commission:,.2f}"
                ),
                "green",
            )
        case OrderEnded() if event.unfilled_quantity > 0:
            yield (
                f"  Not traded: {event.unfilled_quantity:,.6g} {event.ticker}, {event.status}: {event.reason}",
                "yellow",
            )
        case CorporateActionApplied():
            what = f"{event.action.replace('_', ' ')} {event.ticker}"
            base = (
                f"{event.shares:,.2f}" if event.action in ("interest", "borrow_fee") else f"{event.shares:,.6g} shares"
            )
            yield f"  {event.session} {what}: {event.amount:,.4f} on {base}", "dim"
        case MarginCalled():
            yield (
                f"  Margin call {event.session}: equity {event.equity:,.2f}, needed {event.requirement:,.2f}",
                "red",
            )
        case OrderForced():
            order = event.order
            why = f"forced by a {event.cause.replace('_', ' ')}, at the next open"
            yield f"  Broker {order.side} {order.quantity:,.6g} {order.ticker}: {why}", "red"
        case _:
            pass


def _signal(event: SignalIssued, evidence: dict[str, Evidence], detailed: bool) -> Iterator[Styled]:
    again = f" (revision {event.round})" if event.round else ""
    if event.abstained:
        yield f"  {_title(event.agent)} on {event.ticker}{again}: abstains, {event.signal['reason']}", "dim"
        return
    yield f"  {_title(event.agent)} on {event.ticker}{again}: {event.rationale}  [{event.confidence:.0%}]", ""
    if not detailed:
        return
    chances = ", ".join(f"{name.replace('_', ' ')} {p:.0%}" for name, p in event.signal["probabilities"].items())
    yield f"      {chances}; uncertainty {event.signal['uncertainty']:.2f}", "dim"
    for claim in (*event.signal["claims"], *event.signal["against"]):
        cited = evidence.get(claim["evidence"])
        if cited is not None:
            where = f"{cited.source}[{cited.span.start}:{cited.span.end}]" if cited.span else cited.source
            known = f"known {cited.available_at:%Y-%m-%d %H:%M} UTC"
            yield f"      {claim['alias']} = {cited.id}: {cited.period}; {known}; {where}", "dim"


def _audit(event: AuditIssued, detailed: bool) -> Iterator[Styled]:
    findings: list[dict[str, Any]] = event.report["findings"]
    if not detailed and event.verdict == "pass":
        return
    factor = event.report["confidence_factor"]
    kept = f", confidence x {factor:.2f}" if factor < 0.995 else ""
    subject = f"{_title(event.agent).lower()} on {event.ticker}"
    yield (
        f"      Auditor on the {subject}: {VERDICTS[event.verdict]}{kept}",
        "yellow" if event.verdict != "pass" else "",
    )
    yield from ((f"        {f['rule']} ({f['severity']}): {f['message']}", "dim") for f in findings)


def _proposal(event: ProposalMade, detailed: bool) -> Iterator[Styled]:
    weights = ", ".join(f"{ticker} {weight:.1%}" for ticker, weight in event.weights.items() if weight)
    yield f"  Portfolio manager ({event.proposal['posture']['name']}): {weights or 'all cash'}", "magenta"
    if detailed:
        yield f"      {event.rationale}", ""


def _rules(event: RuleVerdict, detailed: bool) -> Iterator[Styled]:
    style = "" if event.verdict == "approve" else "yellow"
    yield f"  Rules: {event.verdict} {event.order.side} {event.order.quantity:,.6g} {event.ticker}", style
    for finding in event.report["findings"]:
        if finding["severity"] != "pass":
            yield f"      {finding['rule']} ({finding['severity']}): {finding['message']}", style
        elif detailed and finding["limit"] is not None:
            yield (
                f"      {finding['rule']} passed: measured {finding['value']:.6g}, limit {finding['limit']:.6g}",
                "dim",
            )


def _performance(metrics: dict[str, Any]) -> str:
    desk = metrics["rows"][0]
    drawdown = f"maximum drawdown {desk['max_drawdown']:.2%}"
    return f"total return {desk['total_return']:+.2%}, {drawdown}, costs {desk['costs']:,.0f}"


def _title(agent: str) -> str:
    return title_of(agent)
