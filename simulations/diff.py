"""What differs between two sessions: one decision after the other, each read once and forgotten.

Two journals are equal as far as their hashes are, so the common past costs a bisection, however long it is. After it,
decisions are matched by their date; of each, what the desk said and did is compared: signals, audits, weights, vetoes
and cuts of the rules, approvals, orders, fills. The first event that differs is named whatever it is.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from heapq import merge
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

from ..memory.journal import Journal
from ..memory.journal.chain import first_difference
from ..memory.journal.errors import JournalDamaged
from ..memory.journal.events import (
    ApprovalGiven,
    AuditIssued,
    BarClosed,
    DecisionOpened,
    DeskChanged,
    Event,
    OrderFilled,
    OrderSubmitted,
    ProposalMade,
    RuleVerdict,
    SessionEnded,
    SessionStarted,
    SignalIssued,
    StanceSet,
)
from .diff_parts import Choice, Closing, DecisionDifference, Difference, FirstDifference, Opening, Part, Side, What

COMPARED = (
    *("desk_changed", "stance_set", "signal_issued", "audit_issued", "proposal_made", "rule_verdict"),
    *("approval_given", "order_submitted", "order_filled"),
)
"""Kinds of events that a decision is compared by, in the order in which they come about."""

WEIGHT_DIGITS = 9
"""Weights that agree to this many digits are the same: an optimizer's last digits are no decision."""


def differences(a: Path, b: Path) -> Iterator[Part]:
    """The opening, every decision that differs in order, the closing.

    Args:
        a: folder of a session, finished or not.
        b: of another one, of any desk and market.

    Raises:
        JournalRefused: a folder holds no session.
        JournalDamaged: a journal cannot be read.
    """
    with Journal.open_readonly(a) as left, Journal.open_readonly(b) as right:
        shared = shared_events(left, right)
        yield _opening(a, b, left, right, shared)
        both = different = only_a = only_b = 0
        for pair in _pairs(left, right, shared):
            both += pair.is_of_both
            only_a += pair.b is None
            only_b += pair.a is None
            if pair.shared:
                continue
            found = _compared(pair, left, right)
            if found.differences or not pair.is_of_both:
                different += pair.is_of_both
                yield found
        yield _closing(left, right, both, different, only_a, only_b)


def shared_events(left: Journal, right: Journal) -> int:
    """How many events two journals have in common, from the first on: a bisection, for a hash covers all before it."""
    low, high = 0, min(left.count, right.count)
    while low < high:
        middle = (low + high + 1) // 2
        if left.hash_at(middle) == right.hash_at(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _opening(a: Path, b: Path, left: Journal, right: Journal, shared: int) -> Opening:
    one, two = _started(left, a), _started(right, b)
    return Opening(
        a=_side(a, left, one),
        b=_side(b, right, two),
        equal=shared == left.count == right.count,
        shared_events=shared,
        first=_first(left, right, shared),
        choices=_choices(one, two),
    )


def _started(journal: Journal, folder: Path) -> SessionStarted:
    event = next((record.event for record in journal.events("session_started")), None)
    if not isinstance(event, SessionStarted):
        raise JournalDamaged(f"The session in {folder} was stopped before it began; resume it first.")
    return event


def _side(folder: Path, journal: Journal, started: SessionStarted) -> Side:
    return Side(
        folder=str(folder),
        head=journal.head,
        events=journal.count,
        finished=journal.is_finished,
        market=started.market,
        universe=started.universe,
        decisions=started.decisions,
        mind=str(started.model["name"]),
        branches=list(journal.manifest.branches) if journal.manifest else [],
    )


def _first(left: Journal, right: Journal, shared: int) -> FirstDifference | None:
    one, two = (
        next(
            (json.loads(body) for _, body, _, _ in journal.rows(min(shared + 1, journal.count), first=shared + 1)), None
        )
        for journal in (left, right)
    )
    known = one or two
    if known is None:
        return None
    found = first_difference(one, two) if one and two and one["kind"] == two["kind"] else None
    return FirstDifference(
        seq=shared + 1,
        decision=known["decision"],
        kind_a=one["kind"] if one else None,
        kind_b=two["kind"] if two else None,
        where=found[0] if found else "",
        a=found[1] if found else None,
        b=found[2] if found else None,
    )


def _choices(one: SessionStarted, two: SessionStarted) -> list[Choice]:
    sides = [_chosen(one), _chosen(two)]
    names = dict.fromkeys([*sides[0], *sides[1]])
    pairs = ((name, sides[0].get(name), sides[1].get(name)) for name in names)
    return [Choice(field=name, a=a, b=b) for name, a, b in pairs if a != b]


def _chosen(started: SessionStarted) -> dict[str, Any]:
    return {
        "market": started.market,
        "market_fingerprint": started.market_fingerprint,
        "benchmark": started.benchmark,
        "mind": started.model["name"],
        "mind_digest": started.model["digest"],
        "prompts": started.prompts,
        "tickers": started.universe,
        **started.config,
    }


@dataclass(frozen=True)
class _Pair:
    """The decisions of one date."""

    session: date
    a: DecisionOpened | None
    b: DecisionOpened | None
    shared: bool
    """Whether both are known to be the same to the last event."""

    @property
    def is_of_both(self) -> bool:
        return self.a is not None and self.b is not None


def _pairs(left: Journal, right: Journal, shared: int) -> Iterator[_Pair]:
    """The decisions of both by date, one date at a time."""
    rows = merge(_opened(left, 0), _opened(right, 1), key=lambda row: (row[1].session, row[0]))
    for session, group in groupby(rows, key=lambda row: row[1].session):
        found = {side: (event, end) for side, event, end in group}
        (a, end), (b, _) = found.get(0, (None, 0)), found.get(1, (None, 0))
        yield _Pair(session, a, b, a is not None and b is not None and end <= shared)


def _opened(journal: Journal, side: int) -> Iterator[tuple[int, DecisionOpened, int]]:
    """Side, opening, and number of the last event before the next opening."""
    waiting: DecisionOpened | None = None
    for record in journal.events("decision_opened"):
        assert isinstance(record.event, DecisionOpened)
        if waiting is not None:
            yield side, waiting, record.seq - 1
        waiting = record.event
    if waiting is not None:
        yield side, waiting, journal.count


def _compared(pair: _Pair, left: Journal, right: Journal) -> DecisionDifference:
    one, two = (
        _said_and_done(journal, opened.decision) if opened and opened.decision is not None else {}
        for journal, opened in ((left, pair.a), (right, pair.b))
    )
    rows = []
    if pair.is_of_both:
        order = {kind: i for i, kind in enumerate(get_args(What))}
        for what, subject in sorted(dict.fromkeys([*one, *two]), key=lambda key: order[key[0]]):
            a, b = one.get((what, subject)), two.get((what, subject))
            if a != b:
                rows.append(Difference(what=what, subject=subject, a=a, b=b))
    return DecisionDifference(
        session=pair.session,
        decision_a=pair.a.decision if pair.a else None,
        decision_b=pair.b.decision if pair.b else None,
        equity_a=pair.a.portfolio.equity if pair.a else None,
        equity_b=pair.b.portfolio.equity if pair.b else None,
        differences=rows,
    )


def _said_and_done(journal: Journal, decision: int) -> dict[tuple[What, str], str | float]:
    """What came of a decision, by kind and subject; of several rounds the last one counts."""
    found: dict[tuple[What, str], str | float] = {}
    hands: set[str] = set()
    for kind in COMPARED:
        for record in journal.events(kind, decision=decision):
            event = record.event
            if isinstance(event, StanceSet):
                hands.add(f"{event.agent} on {event.ticker}")
            for what, subject, value in _entries(event, hands):
                if what == "fill" and (what, subject) in found:
                    value = f"{found[what, subject]}; {value}"  # an order can be filled in parts
                found[what, subject] = value
    return found


def _entries(event: Event, hands: set[str]) -> Iterable[tuple[What, str, str | float]]:
    match event:
        case DeskChanged():
            yield "desk", "set", "; ".join(event.settings)
        case SignalIssued():
            seat = f"{event.agent} on {event.ticker}"
            said = "abstains" if event.abstained else f"{event.stance.replace('_', ' ')} {event.confidence:.1%}"
            yield "signal", seat, f"{said}, set by hand" if seat in hands else said
        case AuditIssued():
            factor = event.report.get("confidence_factor", 1.0)
            kept = f", confidence x {factor:.3f}" if factor < 0.9995 else ""
            yield "audit", f"{event.agent} on {event.ticker}", f"{event.verdict}{kept}"
        case ProposalMade():
            for ticker, weight in event.weights.items():
                yield "weight", ticker, round(weight, WEIGHT_DIGITS) + 0.0
        case RuleVerdict() if event.verdict != "approve":  # what was approved is an order
            yield "rule", event.ticker, f"{event.verdict} {event.order.side} {event.order.quantity:,.6g}"
        case ApprovalGiven():
            stopped = f", stopped {', '.join(event.stopped)}" if event.stopped else ""
            yield "approval", event.by, f"{event.verdict}{stopped}"
        case OrderSubmitted():
            yield "order", event.ticker, f"{event.order.side} {event.order.quantity:,.6g}"
        case OrderFilled():
            fill = event.fill
            yield "fill", event.ticker, f"{fill.side} {fill.quantity:,.6g} at {fill.price:,.4f}"
        case _:
            return


def _closing(left: Journal, right: Journal, both: int, different: int, only_a: int, only_b: int) -> Closing:
    last: tuple[date, float, float] | None = None
    furthest: tuple[date, float, float] | None = None
    for day, one, two in _equities(left, right):
        last = (day, one, two)
        if one != two and (furthest is None or abs(one - two) > abs(furthest[1] - furthest[2])):
            furthest = last
    return Closing(
        decisions=both,
        different=different,
        only_a=only_a,
        only_b=only_b,
        last_session=last[0] if last else None,
        equity_a=last[1] if last else None,
        equity_b=last[2] if last else None,
        furthest=furthest[0] if furthest else None,
        furthest_a=furthest[1] if furthest else None,
        furthest_b=furthest[2] if furthest else None,
        metrics_a=_metrics(left),
        metrics_b=_metrics(right),
    )


def _equities(left: Journal, right: Journal) -> Iterator[tuple[date, float, float]]:
    """The equity of both at the sessions that both closed."""
    rows = merge(_closes(left, 0), _closes(right, 1))
    for day, group in groupby(rows, key=lambda row: row[0]):
        found = {side: equity for _, side, equity in group}
        if len(found) == 2:
            yield day, found[0], found[1]


def _closes(journal: Journal, side: int) -> Iterator[tuple[date, int, float]]:
    for record in journal.events("bar_closed"):
        assert isinstance(record.event, BarClosed)
        yield record.event.session, side, record.event.equity


def _metrics(journal: Journal) -> dict[str, Any] | None:
    for record in journal.events("session_ended"):
        assert isinstance(record.event, SessionEnded)
        row: dict[str, Any] = record.event.metrics["rows"][0]
        return row
    return None
