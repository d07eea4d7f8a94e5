"""`show`: what the desk did and why, read from the journal alone.

Without a filter it prints one line per signal and order; with one (a decision, a ticker, an agent, a search) it prints
the claims, their evidence with source and time, every audit finding, every rule, and the optimizer's reasons.
A masked session can be read with its original names and dates, by the key beside its journal.
"""

import json as jsonlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from ..agents.evidence_text import shown
from ..agents.portfolio_manager import figures_of, told
from ..agents.roles import title_of
from ..memory.journal import Journal, Record
from ..memory.journal import search as search_journal
from ..memory.journal.events import (
    AgentWeighed,
    AuditIssued,
    CorporateActionApplied,
    DecisionOpened,
    Event,
    MemoryCarried,
    OrderAnswered,
    OrderEnded,
    OrderFilled,
    OrderSubmitted,
    ProposalMade,
    RuleVerdict,
    SessionEnded,
    SessionStarted,
    SignalIssued,
    SignalResolved,
    ToolCalled,
)
from ..memory.lessons.lesson import text_of
from ..tools.errors import InputError
from ..tools.evidence import Evidence
from ..tools.market.mask.key import MaskKey
from .masking import KEY_FILE

HEADINGS = ("session_started", "session_ended", "decision_opened")
"""Kinds of events that stay whatever is filtered."""

VERDICTS = {"pass": "passed", "revise": "sent back", "reject": "rejected"}


def print_transcript(
    folder: Path,
    *,
    decision: int | None,
    ticker: str | None,
    agent: str | None,
    search: str | None,
    json: bool,
    unmask: bool = False,
) -> None:
    """Prints a session's transcript to standard output.

    Args:
        folder: the session.
        decision: only this decision, numbered from 1.
        ticker: only what concerns this ticker.
        agent: only what this agent said, and its audits.
        search: only events in which the full-text search finds these words.
        json: one JSON object per event and line instead of text.
        unmask: original names, tickers and dates for those of a masked session; ticker and search may be original too.

    Raises:
        InputError: the session has no such decision, ticker or agent, or it cannot be unmasked.
    """
    journal = Journal.open_readonly(folder)
    try:
        key = _key(folder, json) if unmask else None
        number = None if decision is None else decision - 1
        if key is None:
            records = select(journal, decision=number, ticker=ticker, agent=agent, search=search)
        else:
            records = _select_original(journal, key, decision=number, ticker=ticker, agent=agent, search=search)
        if json:
            for record in records:
                document = {"seq": record.seq, "hash": record.hash, "event": record.event.model_dump(mode="json")}
                sys.stdout.write(jsonlib.dumps(document, ensure_ascii=False) + "\n")
            return
        detailed = any(item is not None for item in (decision, ticker, agent, search))
        terminal = Console(highlight=False, soft_wrap=True)
        if search and all(record.event.kind in HEADINGS for record in records):
            terminal.print(Text(f"nothing in this session contains {search!r}"))
            return
        for line, style in transcript(records, detailed=detailed):
            terminal.print(Text(line if key is None else key.unmask(line)), style=style)
    finally:
        journal.close()


def _key(folder: Path, json: bool) -> MaskKey:
    """The key of a masked session."""
    if json:
        raise InputError("--unmask changes text for people, --json prints the journal as it is; leave one of them out")
    path = folder / KEY_FILE
    if not path.is_file():
        raise InputError(f"{folder} holds no {KEY_FILE}: only a session that ran with --mask is read with --unmask")
    return MaskKey.read(path)


def _select_original(
    journal: Journal, key: MaskKey, *, decision: int | None, ticker: str | None, agent: str | None, search: str | None
) -> list[Record]:
    """`select` by original tickers and words, or masked ones."""
    ticker = key.tickers.get(ticker, ticker) if ticker else ticker
    search = key.masked(search) if search else search
    try:
        return select(journal, decision=decision, ticker=ticker, agent=agent, search=search)
    except InputError as error:
        raise InputError(key.unmask(str(error))) from error


def select(
    journal: Journal, *, decision: int | None, ticker: str | None, agent: str | None, search: str | None
) -> list[Record]:
    """The records that match all filters, in order; session and decision headings stay.

    Raises:
        InputError: the session has no such decision, ticker or agent.
    """
    if any(item is not None for item in (decision, ticker, agent)):
        _refuse_unknown(journal, decision=decision, ticker=ticker, agent=agent)
    found = {hit.seq for hit in search_journal(journal, search, limit=10_000)} if search else None
    return [
        record
        for record in journal.events(decision=decision)
        if record.event.kind in HEADINGS
        or (
            (found is None or record.seq in found)
            and (ticker is None or getattr(record.event, "ticker", ticker) == ticker)
            and (agent is None or getattr(record.event, "agent", None) == agent)
        )
    ]


def _refuse_unknown(journal: Journal, **wanted: object) -> None:
    events = [record.event for record in journal.events()]
    for field, value in wanted.items():
        known = dict.fromkeys(getattr(event, field, None) for event in events)  # in order of appearance
        known.pop(None, None)
        if value is not None and value not in known:
            shift = 1 if field == "decision" else 0  # people count decisions from 1
            named = [str(item + shift) if isinstance(item, int) else str(item) for item in known]
            asked = value + shift if isinstance(value, int) else value
            choices = f"choose from {', '.join(named)}" if known else "it has none so far"
            raise InputError(f"This session has no {field} {asked}: {choices}.")


Styled = tuple[str, str]
"""A line and its style."""


def transcript(records: Iterable[Record], *, detailed: bool) -> Iterator[Styled]:
    """The lines of a transcript."""
    evidence: dict[str, Evidence] = {}
    for record in records:
        event = record.event
        if isinstance(event, ToolCalled):
            evidence |= {item.id: item for item in event.evidence}
        yield from _lines(event, evidence, detailed)


def _lines(event: Event, evidence: dict[str, Evidence], detailed: bool) -> Iterator[Styled]:
    match event:
        case SessionStarted():
            yield f"{event.market}: {', '.join(event.universe)}", "bold"
            yield (
                f"mind {event.model['name']}, data {event.market_fingerprint[:12]}, prompts {event.prompts[:12]}",
                "dim",
            )
        case DecisionOpened():
            regime = f"{event.market} ({event.regime['probability']:.2f})" if event.regime else event.market
            yield "", ""
            number, equity = (event.decision or 0) + 1, event.portfolio.equity
            yield f"{event.session}  decision {number}, regime {regime}, equity {equity:,.2f}", "bold"
        case MemoryCarried():
            carried = f"{len(event.outcomes)} outcomes, each from its own time on"
            yield f"memory of the session {event.head[:16]}: {carried}", "dim"
        case SignalResolved() if detailed:
            outcome = event.outcome
            said = f"{_title(event.agent).lower()} on {event.ticker}, {outcome.issued_on}"
            yield f"  What followed the {said}: {text_of(outcome)} ({outcome.surprise:+.2f} of the usual size)", "dim"
        case AgentWeighed():
            yield f"  {told(event.record)}", "dim"
            if detailed and event.record.outcomes:
                yield f"      {figures_of(event.record)}", "dim"
        case ToolCalled() if detailed:
            yield f"  {_title(event.agent)} called {event.tool} on {event.ticker}", "dim"
            yield from ((f"      {item.id}  {shown(item)}", "dim") for item in event.evidence)
            if event.note:
                yield f"      {event.note}", "dim"
        case SignalIssued():
            yield from _signal(event, evidence, detailed)
        case AuditIssued():
            yield from _audit(event, detailed)
        case ProposalMade():
            yield from _proposal(event, detailed)
        case RuleVerdict() if detailed or event.verdict != "approve":
            yield from _rules(event, detailed)
        case OrderSubmitted():
            order = event.order
            yield (
                f"  Order {order.side} {order.quantity:,.6g} {order.ticker} ({order.notional:,.0f} at the close)",
                "cyan",
            )
            yield f"      why: {event.reason}", ""
        case OrderAnswered() if event.status != "accepted":
            yield f"  Broker {event.status} {event.ticker}: {event.reason}", "yellow"
        case OrderFilled():
            fill = event.fill
            yield (
                (
                    f"  Filled {fill.session} {fill.side} {fill.quantity:,.6g} {fill.ticker} at {fill.price:,.4f}"
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
            base = f"{event.shares:,.2f}" if event.action == "interest" else f"{event.shares:,.6g} shares"
            yield f"  {event.session} {what}: {event.amount:,.4f} on {base}", "dim"
        case SessionEnded():
            yield "", ""
            yield f"end: {_performance(event.metrics)}", "bold"
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
    weights = ", ".join(f"{ticker} {weight:.1%}" for ticker, weight in event.weights.items() if weight > 0)
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
