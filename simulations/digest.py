"""Events in few words: what `run` prints while the desk is at work.

Signals, audits and rule verdicts come one by one; a line is made when a group of them is complete.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from ..agents.roles import title_of
from ..memory.journal.events import (
    ApprovalGiven,
    AuditIssued,
    BarClosed,
    DebateClosed,
    DecisionOpened,
    DeskChanged,
    Event,
    MarginCalled,
    ModelCalled,
    OrderEnded,
    OrderFilled,
    OrderForced,
    PointMade,
    ProposalMade,
    RiskRead,
    RuleVerdict,
    SessionStarted,
    SignalIssued,
    StanceSet,
    ToolCalled,
)
from . import debate_screen


@dataclass(frozen=True)
class Line:
    """One line for people."""

    kind: Literal["title", "plain", "note", "warning"]
    text: str


@dataclass
class Digest:
    """Turns a stream of events into lines."""

    status: str = ""
    """What the desk is doing now."""
    _decisions: int = 0
    _started_with: float | None = None
    _signals: list[SignalIssued] = field(default_factory=list)
    _audits: list[AuditIssued] = field(default_factory=list)
    _points: list[PointMade] = field(default_factory=list)
    _debates: list[DebateClosed] = field(default_factory=list)
    _verdicts: list[RuleVerdict] = field(default_factory=list)
    _fills: list[OrderFilled] = field(default_factory=list)

    def take(self, event: Event) -> list[Line]:
        """The lines that are complete now that this event has come."""
        lines = self.flush(event)
        match event:
            case SessionStarted():
                self._decisions = len(event.decisions)
                lines.append(Line("note", f"{event.market}: {', '.join(event.universe)}; {self._decisions} decisions"))
            case DecisionOpened():
                lines.append(self._opened(event))
            case ToolCalled():
                self.status = f"{_title(event.agent)}: {event.tool.replace('_', ' ')} of {event.ticker}"
            case ModelCalled():
                self.status = f"{_title(event.agent)} has read {len(event.reply['answers'])} cases"
            case SignalIssued():
                self._signals.append(event)
            case AuditIssued():
                self._audits.append(event)
            case PointMade():
                self._points.append(event)
            case DebateClosed():
                self._debates.append(event)
            case ProposalMade():
                lines.append(_proposed(event))
            case RiskRead():
                lines.append(_line(_title(event.agent), event.rationale))
            case RuleVerdict():
                self._verdicts.append(event)
            case DeskChanged():
                lines.append(Line("warning", f"{event.at}  set by {event.by}: {', '.join(event.settings)}"))
            case StanceSet():
                lines.append(Line("warning", f"  {event.by} sets {_title(event.agent)} on {event.ticker}"))
            case ApprovalGiven():
                lines.append(Line("plain", f"  {approval_words(event)}"))
            case OrderFilled():
                self._fills.append(event)
            case OrderEnded() if event.unfilled_quantity > 0:
                text = f"  {'broker':<20} {event.ticker}: {event.unfilled_quantity:g} shares not traded, {event.reason}"
                lines.append(Line("warning", text))
            case MarginCalled():
                text = f"margin call: equity {event.equity:,.0f}, needed {event.requirement:,.0f}"
                lines.append(Line("warning", f"  {'broker':<20} {event.session} {text}"))
            case OrderForced():
                what = f"{event.order.side} {event.order.quantity:,.6g} {event.ticker}"
                lines.append(Line("warning", f"  {'broker':<20} {what} forced by a {event.cause.replace('_', ' ')}"))
            case BarClosed():
                self.status = f"market open: {event.session}, equity {event.equity:,.0f}"
            case _:
                pass
        return lines

    def flush(self, coming: Event | None = None) -> list[Line]:
        """Lines for the groups that the coming event (None: the end) does not continue."""
        lines: list[Line] = []
        continues = isinstance(coming, SignalIssued) and self._signals and coming.agent == self._signals[-1].agent
        if self._signals and not continues:
            lines.append(_said(self._signals))
            self._signals = []
        if self._audits and not isinstance(coming, AuditIssued):
            lines.extend(_audited(self._audits))
            self._audits = []
        follows = isinstance(coming, PointMade) and self._points and coming.agent == self._points[-1].agent
        if self._points and not follows:
            lines.append(_line(_title(self._points[0].agent), debate_screen.in_short(self._points)))
            self._points = []
        if self._debates and not isinstance(coming, DebateClosed):
            lines.append(_line("Debate", debate_screen.outcome_in_short(self._debates)))
            self._debates = []
        if self._verdicts and not isinstance(coming, RuleVerdict):
            lines.extend(_judged(self._verdicts))
            self._verdicts = []
        if self._fills and not isinstance(coming, OrderFilled):
            lines.append(_filled(self._fills))
            self._fills = []
        return lines

    def _opened(self, event: DecisionOpened) -> Line:
        equity = event.portfolio.equity
        self._started_with = self._started_with or equity
        change = equity / self._started_with - 1
        regime = f"{event.market} market" if event.regime else "regime unknown"
        number = (event.decision or 0) + 1
        return Line(
            "title",
            f"{event.session}  decision {number} of {self._decisions}, {regime}, equity {equity:,.0f} ({change:+.1%})",
        )


def approval_words(event: ApprovalGiven) -> str:
    """An approval for people: who said what, and what does not leave."""
    stopped = f", stopped: {', '.join(event.stopped)}" if event.stopped else ""
    why = f" ({event.reason})" if event.reason else ""
    return f"{'Approval':<20} {answered_by(event.verdict, event.by)}{stopped}{why}"


def answered_by(verdict: str, who: str) -> str:
    """Who answered a request for approval how, or that nobody did."""
    words = {"approve": "approved", "reject": "rejected", "veto": "vetoed"}
    return "nobody answered" if verdict == "unanswered" else f"{words[verdict]} by {who}"


def _said(signals: list[SignalIssued]) -> Line:
    views = [
        f"{s.ticker} abstains" if s.abstained else f"{s.ticker} {s.stance.replace('_', ' ')} {s.confidence:.0%}"
        for s in signals
    ]
    if all(s.abstained for s in signals):
        reasons = dict.fromkeys(str(s.signal["reason"]) for s in signals)
        views = [f"abstains on all: {'; '.join(reasons)}"]
    again = " (revised)" if signals[0].round else ""
    return Line("plain", f"  {_title(signals[0].agent) + again:<20} {', '.join(views)}")


def _audited(audits: list[AuditIssued]) -> list[Line]:
    counts = Counter[str](audit.verdict for audit in audits)
    words = {"pass": "passed", "revise": "sent back", "reject": "rejected"}
    said = ", ".join(f"{counts[key]} {word}" for key, word in words.items() if counts[key])
    lines = [Line("plain", f"  {'Auditor':<20} {said}")]
    for audit in audits:
        objections = [f for f in audit.report["findings"] if f["severity"] != "note"]
        if objections:
            text = f"{audit.ticker}, {_title(audit.agent).lower()}: {objections[0]['message']}"
            lines.append(Line("note", f"  {'':<20} {text}"))
    return lines


def _proposed(event: ProposalMade) -> Line:
    held = sorted(((w, t) for t, w in event.weights.items() if w), reverse=True)
    weights = ", ".join(f"{ticker} {weight:.0%}" for weight, ticker in held) or "all cash"
    return Line("plain", f"  {'Portfolio manager':<20} {event.proposal['posture']['name']}: {weights}")


def _judged(verdicts: list[RuleVerdict]) -> list[Line]:
    counts = Counter[str](verdict.verdict for verdict in verdicts)
    words = {"approve": "approved", "clamp": "clamped", "veto": "vetoed"}
    said = ", ".join(f"{counts[key]} {word}" for key, word in words.items() if counts[key])
    lines = [Line("plain", f"  {'Pre-trade rules':<20} {said}")]
    for verdict in verdicts:
        if verdict.verdict != "approve":
            lines.append(Line("note", f"  {'':<20} {verdict.order.side} {verdict.ticker}: {_why(verdict.report)}"))
    return lines


def _why(report: dict[str, Any]) -> str:
    binding = [f for f in report["findings"] if f["severity"] not in {"pass", "warn"}]
    return "; ".join(f["message"] for f in binding) or "see the rules' findings"


def _filled(fills: list[OrderFilled]) -> Line:
    said = ", ".join(f"{f.fill.side} {f.fill.quantity:,.6g} {f.ticker} at {f.fill.price:,.2f}" for f in fills)
    return Line("plain", f"  {'Filled ' + str(fills[0].fill.session):<20} {said}")


def _line(who: str, said: str) -> Line:
    return Line("plain", f"  {who:<20} {said}")


def _title(agent: str) -> str:
    return title_of(agent)
