"""Two sessions side by side: what the terminal's `diff` and the viewer's page both read.

Two journals are equal as far as their hashes are, so the common past costs a bisection, however long it is. After it,
decisions are matched by their date, each read once and forgotten; of each, what the desk said and did is compared:
signals, audits, what a debate took, weights, the risk officer, vetoes and cuts of the rules, approvals, orders, fills.
The first event that differs is named whatever it is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from heapq import merge
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

from ...memory.journal import Journal
from ...memory.journal.chain import first_difference
from ...memory.journal.errors import JournalDamaged
from ...memory.journal.rows import Row, rows, rows_at, values_of
from .comparison_parts import (
    Choice,
    Closing,
    DecisionDifference,
    Difference,
    FirstDifference,
    Opening,
    Part,
    Side,
    What,
)
from .series import curve_of
from .session import Session

COMPARED = (
    *("desk_changed", "stance_set", "signal_issued", "audit_issued", "debate_closed", "proposal_made", "risk_read"),
    *("rule_verdict", "approval_given", "order_submitted", "order_filled"),
)
"""Kinds of events that a decision is compared by."""

WEIGHT_DIGITS = 9
"""Weights that agree to this many digits are the same: an optimizer's last digits are no decision."""

KEPT = 0.9995
"""A factor on a confidence from here on is not told."""


def differences(a: Path, b: Path) -> Iterator[Part]:
    """The opening, every decision that differs in order, the closing.

    Args:
        a: folder of a session, finished or not.
        b: of another one, of any desk and market.

    Raises:
        JournalRefused: a folder holds no session.
        JournalDamaged: a journal cannot be read.
    """
    with Session.open(a) as left, Session.open(b) as right:
        comparison = Comparison(left, right)
        yield comparison.opening()
        different = 0
        for found in comparison.decisions():
            different += found.decision_a is not None and found.decision_b is not None
            yield found
        yield comparison.closing(different)


class Comparison:
    """Two open sessions, called A and B.

    Raises:
        JournalDamaged: one of them was stopped before its first event.
    """

    def __init__(self, a: Session, b: Session) -> None:
        self.a, self.b = a, b
        self._started = [_started(session) for session in (a, b)]

    @cached_property
    def shared(self) -> int:
        """So many events are equal, from the first on."""
        return shared_events(self.a.journal, self.b.journal)

    @cached_property
    def _pairs(self) -> list["_Pair"]:
        return list(_pairs(self.a.journal, self.b.journal, self.shared))

    @cached_property
    def curves(self) -> tuple[list[tuple[date, float]], list[tuple[date, float]]]:
        """The equity of A and of B at the close of each session."""
        return curve_of(self.a.journal), curve_of(self.b.journal)

    def opening(self) -> Opening:
        """Which sessions these are, what was chosen otherwise, and where they part."""
        one, two = self._started
        return Opening(
            a=_side(self.a, one),
            b=_side(self.b, two),
            equal=self.shared == self.a.count == self.b.count,
            shared_events=self.shared,
            first=_first(self.a.journal, self.b.journal, self.shared),
            choices=_choices(one, two),
        )

    def open_dates(self, after: date = date.min) -> int:
        """Dates of decisions after a day that may differ: what `decisions` has to look at."""
        return sum(pair.session > after and not pair.shared for pair in self._pairs)

    def decisions(self, after: date = date.min) -> Iterator[DecisionDifference]:
        """The decisions after a day that differ or that only one of the two has, in order."""
        for pair in self._pairs:
            if pair.session > after and not pair.shared:
                found = _compared(pair, self.a.journal, self.b.journal)
                if found.differences or not pair.is_of_both:
                    yield found

    def closing(self, different: int | None = None) -> Closing:
        """What it came to.

        Args:
            different: how many decisions of both differ, where they were counted.
        """
        last: tuple[date, float, float] | None = None
        furthest: tuple[date, float, float] | None = None
        of_b = dict(self.curves[1])
        for day, one in self.curves[0]:
            if (two := of_b.get(day)) is None:
                continue
            last = (day, one, two)
            if one != two and (furthest is None or abs(one - two) > abs(furthest[1] - furthest[2])):
                furthest = last
        return Closing(
            decisions=sum(pair.is_of_both for pair in self._pairs),
            different=different,
            only_a=sum(pair.b is None for pair in self._pairs),
            only_b=sum(pair.a is None for pair in self._pairs),
            last_session=last[0] if last else None,
            equity_a=last[1] if last else None,
            equity_b=last[2] if last else None,
            furthest=furthest[0] if furthest else None,
            furthest_a=furthest[1] if furthest else None,
            furthest_b=furthest[2] if furthest else None,
            metrics_a=_metrics(self.a.journal),
            metrics_b=_metrics(self.b.journal),
        )


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


def _started(session: Session) -> dict[str, Any]:
    row = next(rows(session.journal, ("session_started",), page=1), None)
    if row is None:
        raise JournalDamaged(f"The session in {session.folder} was stopped before it began; resume it first.")
    return row.document


def _side(session: Session, started: dict[str, Any]) -> Side:
    journal = session.journal
    return Side(
        folder=str(session.folder),
        head=journal.head,
        events=journal.count,
        finished=journal.is_finished,
        market=started["market"],
        universe=started["universe"],
        decisions=started["decisions"],
        mind=str(started["model"]["name"]),
        branches=list(journal.manifest.branches) if journal.manifest else [],
    )


def _first(left: Journal, right: Journal, shared: int) -> FirstDifference | None:
    one, two = (found[0].document if (found := rows_at(journal, [shared + 1])) else None for journal in (left, right))
    known = one or two
    if known is None:
        return None
    field = first_difference(one, two) if one and two and one["kind"] == two["kind"] else None
    return FirstDifference(
        seq=shared + 1,
        decision=known["decision"],
        kind_a=one["kind"] if one else None,
        kind_b=two["kind"] if two else None,
        where=field[0] if field else "",
        a=field[1] if field else None,
        b=field[2] if field else None,
    )


def _choices(one: dict[str, Any], two: dict[str, Any]) -> list[Choice]:
    sides = [_chosen(one), _chosen(two)]
    names = dict.fromkeys([*sides[0], *sides[1]])
    pairs = ((name, sides[0].get(name), sides[1].get(name)) for name in names)
    return [Choice(field=name, a=a, b=b) for name, a, b in pairs if a != b]


def _chosen(started: dict[str, Any]) -> dict[str, Any]:
    return {
        "market": started["market"],
        "market_fingerprint": started["market_fingerprint"],
        "benchmark": started["benchmark"],
        "mind": started["model"]["name"],
        "mind_digest": started["model"]["digest"],
        "prompts": started["prompts"],
        "tickers": started["universe"],
        **started["config"],
    }


@dataclass(frozen=True)
class _Opened:
    """A decision of one of the two."""

    number: int
    equity: float
    end: int
    """Number of the last event before the next one opens."""


@dataclass(frozen=True)
class _Pair:
    """The decisions of one date."""

    session: date
    a: _Opened | None
    b: _Opened | None
    shared: bool
    """Whether both are known to be the same to the last event."""

    @property
    def is_of_both(self) -> bool:
        return self.a is not None and self.b is not None


def _pairs(left: Journal, right: Journal, shared: int) -> Iterator[_Pair]:
    """The decisions of both by date, one date at a time."""
    both = merge(_opened(left, 0), _opened(right, 1), key=lambda row: row[:2])
    for session, group in groupby(both, key=lambda row: row[0]):
        found = {side: opened for _, side, opened in group}
        a, b = found.get(0), found.get(1)
        same = a is not None and b is not None and max(a.end, b.end) <= shared
        yield _Pair(session, a, b, same)


def _opened(journal: Journal, side: int) -> Iterator[tuple[date, int, _Opened]]:
    found = values_of(journal, "decision_opened", ("session", "portfolio.equity"))
    ends = [*(seq - 1 for seq, *_ in found[1:]), journal.count]
    for (_, number, session, equity), end in zip(found, ends, strict=True):
        yield date.fromisoformat(session), side, _Opened(number, equity, end)


def _compared(pair: _Pair, left: Journal, right: Journal) -> DecisionDifference:
    one, two = (
        _said_and_done(rows(journal, COMPARED, decision=opened.number)) if opened else {}
        for journal, opened in ((left, pair.a), (right, pair.b))
    )
    found = []
    if pair.is_of_both:
        order = {kind: i for i, kind in enumerate(get_args(What))}
        for what, subject in sorted(dict.fromkeys([*one, *two]), key=lambda key: order[key[0]]):
            a, b = one.get((what, subject)), two.get((what, subject))
            if a != b:
                found.append(Difference(what=what, subject=subject, a=a, b=b))
    return DecisionDifference(
        session=pair.session,
        decision_a=pair.a.number if pair.a else None,
        decision_b=pair.b.number if pair.b else None,
        equity_a=pair.a.equity if pair.a else None,
        equity_b=pair.b.equity if pair.b else None,
        differences=found,
    )


def _said_and_done(events: Iterable[Row]) -> dict[tuple[What, str], str | float]:
    """What came of a decision, by kind and subject; of several rounds the last one counts."""
    found: dict[tuple[What, str], str | float] = {}
    hands: set[str] = set()
    for row in events:
        if row.kind == "stance_set":
            hands.add(f"{row.agent} on {row.ticker}")
        for what, subject, value in _entries(row.kind, row.document, hands):
            if what == "fill" and (what, subject) in found:
                value = f"{found[what, subject]}; {value}"  # an order can be filled in parts
            found[what, subject] = value
    return found


def _entries(kind: str, event: dict[str, Any], hands: set[str]) -> Iterable[tuple[What, str, str | float]]:
    match kind:
        case "desk_changed":
            yield "desk", "set", "; ".join(event["settings"])
        case "signal_issued":
            seat = f"{event['agent']} on {event['ticker']}"
            said = (
                "abstains" if event["abstained"] else f"{event['stance'].replace('_', ' ')} {event['confidence']:.1%}"
            )
            yield "signal", seat, f"{said}, set by hand" if seat in hands else said
        case "audit_issued":
            factor = event["report"].get("confidence_factor", 1.0)
            kept = f", confidence x {factor:.3f}" if factor < KEPT else ""
            yield "audit", f"{event['agent']} on {event['ticker']}", f"{event['verdict']}{kept}"
        case "debate_closed":
            for agent, factor in event["factors"].items():
                if factor < KEPT:
                    yield "debate", f"{agent} on {event['ticker']}", f"confidence x {factor:.3f}"
        case "proposal_made":
            for ticker, weight in event["weights"].items():
                yield "weight", ticker, round(weight, WEIGHT_DIGITS) + 0.0
        case "risk_read":
            yield "risk", event["agent"], event["rationale"]
        case "rule_verdict" if event["verdict"] != "approve":  # what was approved is an order
            yield "rule", event["ticker"], f"{event['verdict']} {_order(event['order'])}"
        case "approval_given":
            stopped = f", stopped {', '.join(event['stopped'])}" if event["stopped"] else ""
            yield "approval", event["by"], f"{event['verdict']}{stopped}"
        case "order_submitted":
            yield "order", event["ticker"], _order(event["order"])
        case "order_filled":
            yield "fill", event["ticker"], f"{_order(event['fill'])} at {event['fill']['price']:,.4f}"
        case _:
            return


def _order(terms: dict[str, Any]) -> str:
    return f"{terms['side']} {terms['quantity']:,.6g}"


def _metrics(journal: Journal) -> dict[str, Any] | None:
    row = next(rows(journal, ("session_ended",), page=1), None)
    return row.document["metrics"]["rows"][0] if row else None
