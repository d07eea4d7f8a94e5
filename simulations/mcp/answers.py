"""What the tools answer: sessions, decisions and names as short JSON, for a reader who pays by the word.

Everything is taken from the reading model. Decisions are numbered from 1 here, as people count them; `seq` is the
number of an event in the journal.
"""

from datetime import date
from itertools import islice
from typing import Any

from ...memory.journal import Hit
from ...memory.journal.rows import Row
from ..reading import Case, Comparison, Decision, Statement, Summary
from ..reading.comparison_parts import DecisionDifference
from ..reading.decision import DecisionLine, Move

Json = dict[str, Any]
SEEDS = frozenset({"market_seed", "mask_seed"})
"""Choices in the first event of a masked session with which whoever has the data could undo the mask."""


def line_of(summary: Summary) -> Json:
    """A session in a list."""
    return {
        "session": summary.name,
        "status": summary.status,
        "market": summary.market,
        "mind": ", then ".join(summary.minds) or None,
        "masked": summary.masked,
        "may_remember": summary.contamination,
        "first_day": _day(summary.first_day),
        "last_day": _day(summary.last_day),
        "decisions": f"{summary.decided} of {summary.decisions}",
        "total_return": summary.total_return,
    }


def session_of(summary: Summary, lines: list[DecisionLine]) -> Json:
    """A session and a page of its decisions."""
    return line_of(summary) | {
        "universe": list(summary.universe),
        "benchmark": summary.benchmark,
        "events": summary.events,
        "head": summary.head,
        "start_equity": summary.start_equity,
        "equity": summary.equity,
        "figures": list(summary.metrics),
        "choices": summary.choices,
        "decided": [_line(one) for one in lines],
    }


def _line(line: DecisionLine) -> Json:
    return {
        "decision": line.number + 1,
        "day": line.day.isoformat(),
        "regime": line.regime,
        "equity": line.equity,
        "objections": line.objections,
        "vetoes": line.vetoes,
        "weights": line.weights,
        "orders": [{key: order[key] for key in ("ticker", "side", "quantity")} for order in line.orders],
    }


def decision_of(decision: Decision) -> Json:
    """One decision: who said what of each name, what was proposed, ordered and filled."""
    return {
        "decision": decision.number + 1,
        "seq": decision.seq,
        "day": decision.day.isoformat(),
        "regime": decision.regime,
        "equity": decision.opened["portfolio"]["equity"],
        "path": [step.node for step in decision.path],
        "names": [_move(move) for move in decision.moves],
        "posture": (decision.proposal or {}).get("posture"),
        "why": (decision.proposal or {}).get("rationale"),
        "binding": (decision.proposal or {}).get("binding"),
        "commission": decision.commission,
        "slippage": decision.slippage,
        "tokens": {"read": decision.prompt_tokens, "written": decision.generated_tokens},
        "closed": decision.closed,
    }


def _move(move: Move) -> Json:
    told: Json = {
        "ticker": move.ticker,
        "weight_before": move.before,
        "weight_proposed": move.after,
        "said": [
            {"agent": s.agent, "stance": s.stance, "confidence": s.confidence, "verdict": s.verdict}
            for s in move.statements
        ],
    }
    if move.excluded:
        told["excluded"] = move.excluded
    if ordered := move.ordered:
        told["order"] = {
            "side": ordered.asked.get("side"),
            "asked": ordered.asked.get("quantity"),
            "verdict": ordered.verdict,
            "rules": [issue.get("message") for issue in ordered.issues],
            "reason": ordered.reason,
            "filled": ordered.filled,
            "costs": ordered.costs,
        }
    return told


def case_of(case: Case) -> Json:
    """One name at one decision: statements by round, their claims and evidence, objections, what came of it."""
    cited = {claim["evidence"] for s in case.statements for claim in (*s.claims, *s.against)}
    evidence = {name: item for name, item in case.evidence.items() if name in cited}
    points = case.debate.points if case.debate else []
    return {
        "decision": case.decision.number + 1,
        "day": case.decision.day.isoformat(),
        "name": _move(case.move),
        "statements": [_statement(statement) for statement in case.statements],
        "evidence": {name: _evidence(item) for name, item in evidence.items()},
        "not_cited": sorted(set(case.evidence) - set(evidence)),
        "debate": [{"seq": point.row.seq} | point.row.document for point in points],
        "outcomes": [{"agent": one.agent, "score": one.score, "excess_return": one.outcome} for one in case.outcomes],
        "asked_in_events": [call.row.seq for call in case.calls],
    }


def _statement(statement: Statement) -> Json:
    return {
        "seq": statement.seq,
        "agent": statement.agent,
        "round": statement.round,
        "stance": statement.stance,
        "confidence": statement.confidence,
        "abstained": statement.abstained,
        "rationale": statement.rationale,
        "rests_on": [claim["evidence"] for claim in statement.claims],
        "against_it": [claim["evidence"] for claim in statement.against],
        "verdict": statement.verdict,
        "findings": [
            {key: finding.get(key) for key in ("rule", "severity", "message")} for finding in statement.findings
        ],
    }


def _evidence(item: Json) -> Json:
    told = ("kind", "period", "value", "unit", "text", "available_at", "source")
    return {key: item[key] for key in told if item.get(key) is not None}


def event_of(row: Row, masked: bool) -> Json:
    """One event in full; of a masked session without the seeds that would undo the mask, which is said."""
    told: Json = {"seq": row.seq, "hash": row.hash, "written_at": row.written_at.isoformat(), "event": row.document}
    config = row.document.get("config")
    if masked and isinstance(config, dict) and (hidden := sorted(SEEDS & config.keys())):
        open_to_see = {name: value for name, value in config.items() if name not in SEEDS}
        told |= {"event": row.document | {"config": open_to_see}, "left_out": hidden}
    return told


def hit_of(hit: Hit) -> Json:
    """A text that was found."""
    return {
        "seq": hit.seq,
        "kind": hit.kind,
        "decision": None if hit.decision is None else hit.decision + 1,
        "agent": hit.agent,
        "ticker": hit.ticker,
        "text": hit.snippet,
    }


def comparison_of(comparison: Comparison, after: date, limit: int) -> Json:
    """Two sessions side by side: a page of the decisions that differ."""
    opening = comparison.opening()
    a, b = comparison.a.summary(), comparison.b.summary()
    hidden = SEEDS if a.masked or b.masked else frozenset()
    found = list(islice(comparison.decisions(after), limit + 1))
    page = found[:limit]
    return {
        "a": line_of(a),
        "b": line_of(b),
        "equal": opening.equal,
        "events_shared": opening.shared_events,
        "choices_that_differ": [one.model_dump(mode="json") for one in opening.choices if one.field not in hidden],
        "decisions_that_differ": [
            {
                "day": one.session.isoformat(),
                "only_in": None if one.decision_a is not None and one.decision_b is not None else _only(one),
                "differences": [
                    {"what": what.what, "subject": what.subject, "a": what.a, "b": what.b} for what in one.differences
                ],
            }
            for one in page
        ],
        "more_after": page[-1].session.isoformat() if len(found) > limit else None,
    }


def _only(one: DecisionDifference) -> str:
    return "b" if one.decision_a is None else "a"


def _day(day: Any) -> str | None:
    return day.isoformat() if day else None
