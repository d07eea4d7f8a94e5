"""The nodes of one decision: open, analysts, audit, portfolio manager, pre-trade rules, execution.

Analysts work one after the other, not in parallel: they share one mind, and the order of the journal must not depend
on which thread was quicker.
"""

from typing import Any, Protocol

from langgraph.runtime import Runtime
from langgraph.types import Command

from ..agents.analyst import Brief, analyse
from ..agents.auditor import Case, Register, Split, audit_signals, pass_unread
from ..agents.by_hand import set_stance
from ..agents.further_calls import Call, Situation, choose, permissions, refusal
from ..agents.roles import Role
from ..agents.signals import AuditReport, Signal
from ..memory.journal.events import (
    AuditIssued,
    DecisionOpened,
    OrderAnswered,
    OrderSubmitted,
    SignalIssued,
    StanceSet,
    ToolCalled,
)
from ..memory.lessons import RECALL, recall_tool, situation_of
from ..tools.broker.protocol import Unknown
from ..tools.errors import BrokerError
from ..tools.evidence import Evidence
from ..tools.market.documents.screening import SetAside, set_aside
from ..tools.regime import Regime, regime
from ..tools.toolbox import call, research_tools, submit
from .context import DeskContext
from .hindsight import leans_of, resolve, weigh
from .state import DeskState, Seat

CLEAR = 0.9
"""Probability from which a prompt calls the regime clear."""
READS_DOCUMENTS = frozenset({"release_tone", "document_search"})
"""Tools whose answer depends on the texts of documents."""


class Node(Protocol):
    """A node of the graph: the state in, the keys that it changes out."""

    def __call__(self, state: DeskState, runtime: Runtime[DeskContext]) -> dict[str, object]:
        """One step."""
        ...


class Routing(Protocol):
    """A node that also says where the desk goes next."""

    def __call__(self, state: DeskState, runtime: Runtime[DeskContext]) -> Command[Any]:
        """One step."""
        ...


def open_decision(state: DeskState, runtime: Runtime[DeskContext]) -> dict[str, object]:
    """Fixes the view, the regime and the portfolio; scores signals whose horizon has passed."""
    desk = runtime.context
    as_of = desk.close_of(state["session"])
    desk.casebook.clear()
    desk.mind.decision = state["decision"]
    found = regime(desk.view(as_of), seed=desk.settings.seed)
    portfolio = desk.broker.account()
    opened = DeskState(as_of=as_of, decision=state["decision"])
    with desk.journal.together():
        desk.journal.append(
            DecisionOpened(
                decision=state["decision"],
                as_of=as_of,
                session=state["session"],
                portfolio=portfolio,
                regime=found.model_dump(mode="json") if found else {},
            )
        )
        resolve(desk, opened)
        weigh(desk, opened, found)
    return {
        "as_of": as_of,
        "regime": found,
        "portfolio": portfolio,
        "round": 0,
        "signals": {},
        "reports": {},
        "boards": {},
        "debate_round": 0,
        "tightened": None,
        "barred": {},
        "permitted": [],
    }


def analyst_node(role: Role) -> Node:
    """The node of one analyst: gathers evidence in the first round, answers objections in later ones."""

    def node(state: DeskState, runtime: Runtime[DeskContext]) -> dict[str, object]:
        desk = runtime.context
        if state["round"] == 0:
            with desk.journal.together():
                gather(role, state, desk)
            gather_further(role, state, desk)
            tickers = desk.universe
        else:
            sent_back = (s for s, report in state["reports"].items() if report.verdict == "revise")
            tickers = tuple(ticker for agent, ticker in sent_back if agent == role.name)
        if not tickers:
            return {}
        signals = analyse(
            role,
            [_brief(role, ticker, state, desk) for ticker in tickers],
            mind=desk.mind,
            as_of=state["as_of"],
            regime=describe(state["regime"]),
            seed=desk.settings.seed,
            round_=state["round"],
            market=state["regime"],
            repeats=desk.settings.repeats,
        )
        said: dict[Seat, Signal] = {}
        with desk.journal.together():
            for signal in signals:
                said[signal.agent, signal.ticker] = standing = in_place(signal, state, desk)
                desk.journal.append(_issued(standing, state["decision"]))
        return {"signals": state["signals"] | said}

    return node


def in_place(signal: Signal, state: DeskState, desk: DeskContext) -> Signal:
    """The signal, or what a person set in its place; that is on record before it counts."""
    hand = desk.by_hand.get((signal.agent, signal.ticker))
    if hand is None or state["decision"] != desk.by_hand_in:
        return signal
    desk.journal.append(
        StanceSet(
            decision=state["decision"],
            agent=signal.agent,
            ticker=signal.ticker,
            stance=hand.stance,
            probability=hand.probability if hand.stance != "abstain" else 0.0,
            by=hand.by,
            replaced=signal.model_dump(mode="json"),
        )
    )
    return set_stance(signal, hand)


def gather(role: Role, state: DeskState, desk: DeskContext) -> None:
    """Runs the role's evidence plan for every ticker, whatever its mind may want, and journals each call."""
    view = desk.view(state["as_of"])
    tools = research_tools(view, desk.tone_judge) | {RECALL: recall_tool(desk.experience, role.name, state["as_of"])}
    regime = state["regime"].name if state["regime"] else "unknown"
    for ticker in desk.universe:
        found: list[Evidence] = []
        missing: list[str] = []
        aside = set_aside(view, ticker) if READS_DOCUMENTS.intersection(role.plan) else ()
        desk.casebook.set_aside[role.name, ticker] = aside
        for name in role.plan:
            arguments = {"ticker": ticker}
            if name == RECALL:
                figures = {e.measure: e.value for e in role.sees(found) if e.value is not None}
                arguments["situation"] = situation_of(regime, leans_of(figures))
            text, evidence = call(tools, name, **arguments)
            found.extend(evidence)
            if not evidence:
                missing.append(text)
            desk.journal.append(
                ToolCalled(
                    decision=state["decision"],
                    agent=role.name,
                    tool=name,
                    ticker=ticker,
                    arguments=arguments,
                    evidence=evidence,
                    note=_note("" if evidence else text, aside if name in READS_DOCUMENTS else ()),
                )
            )
        desk.casebook.by_seat[role.name, ticker] = role.sees(found)
        desk.casebook.missing[role.name, ticker] = ", ".join(missing)


def gather_further(role: Role, state: DeskState, desk: DeskContext) -> None:
    """Makes the calls that the role's mind asks for beyond the plan, as far as it is permitted; journals each."""
    if not role.extra_calls:
        return
    view = desk.view(state["as_of"])
    tools, book = research_tools(view, desk.tone_judge), desk.casebook
    asked: dict[str, tuple[Call, ...]] = dict.fromkeys(desk.universe, ())
    for _ in range(role.extra_calls):
        before = {
            ticker: Situation(ticker, desk.market.companies[ticker].name, book.by_seat[role.name, ticker], calls)
            for ticker, calls in asked.items()
        }
        wanted = choose(role, list(before.values()), mind=desk.mind, seed=desk.settings.seed)
        asked = {ticker: (*asked[ticker], wanted[ticker]) for ticker in asked if ticker in wanted}
        for ticker, calls in asked.items():
            why = refusal(calls[-1], permissions(role, before[ticker]))
            text, evidence = ("", []) if why else call(tools, calls[-1].tool, **calls[-1].arguments)
            known = {item.id for item in book.by_seat[role.name, ticker]}
            book.by_seat[role.name, ticker] += tuple(item for item in evidence if item.id not in known)
            if calls[-1].tool in READS_DOCUMENTS and not book.set_aside[role.name, ticker]:
                book.set_aside[role.name, ticker] = set_aside(view, ticker)
            aside = book.set_aside[role.name, ticker] if calls[-1].tool in READS_DOCUMENTS else ()
            desk.journal.append(
                ToolCalled(
                    decision=state["decision"],
                    agent=role.name,
                    tool=calls[-1].tool,
                    ticker=ticker,
                    arguments=calls[-1].arguments,
                    evidence=evidence,
                    note=_note(why or ("" if evidence else text), aside),
                )
            )


def case_of(state: DeskState, desk: DeskContext) -> Case:
    """What the auditor has in front of it: the evidence of the decision, and the market's companies and splits."""
    view = desk.view(state["as_of"])
    splits = {ticker: tuple(Split(*split) for split in view.splits(ticker)) for ticker in desk.universe}
    return Case(
        evidence=desk.casebook.by_id(),
        shown=desk.casebook.by_seat,
        set_aside=desk.casebook.set_aside,
        register=Register(desk.directory, splits),
    )


def audit(state: DeskState, runtime: Runtime[DeskContext], *, then: str = "portfolio_manager") -> Command[str]:
    """Checks the signals of this round; sends back what is objected to while a revision is left, else goes on."""
    desk = runtime.context
    current = [signal for signal in state["signals"].values() if signal.round == state["round"]]
    if "auditor" in desk.settings.ablate:
        reports = pass_unread(current)
    else:
        reports = audit_signals(
            current,
            case_of(state, desk),
            mind=desk.mind,
            max_rounds=desk.settings.max_revisions,
            seed=desk.settings.seed,
        )
    with desk.journal.together():
        for report in reports:
            desk.journal.append(_audited(report, state["decision"]))
    # An analyst that abstained in this round has withdrawn what was objected to.
    silent = {(signal.agent, signal.ticker) for signal in current if signal.abstained}
    merged: dict[Seat, AuditReport] = {seat: r for seat, r in state["reports"].items() if seat not in silent}
    merged |= {(r.agent, r.ticker): r for r in reports}
    if any(report.verdict == "revise" for report in reports):
        return Command(goto=desk.analysts[0].name, update={"reports": merged, "round": state["round"] + 1})
    return Command(goto=then, update={"reports": merged})


def execute(state: DeskState, runtime: Runtime[DeskContext]) -> dict[str, object]:
    """Cancels what is left of older orders, writes each new one down, then sends it."""
    desk = runtime.context
    for stale in desk.broker.open_orders():
        if stale.client_order_id in desk.sent:  # what the broker forces is not the desk's to cancel
            desk.broker.cancel(stale.client_order_id)
            desk.activity.cancelled(state["as_of"])
    with desk.journal.together():
        for item in state["permitted"]:
            order = item["order"]
            desk.journal.append(
                OrderSubmitted(decision=state["decision"], ticker=order.ticker, order=order, reason=item["reason"])
            )
    if state["permitted"]:
        desk.journal.mark()
    for item in state["permitted"]:
        order = item["order"]
        answer = submit(desk.execution, order, item["token"])
        if isinstance(answer, Unknown):
            raise BrokerError(
                f"The broker gave no clear answer to order {order.client_order_id} ({answer.reason}): "
                "resume the session once the broker answers again."
            )
        desk.sent[order.client_order_id] = order
        desk.activity.sent(order, state["as_of"])
        desk.journal.append(
            OrderAnswered(
                decision=state["decision"],
                ticker=order.ticker,
                client_order_id=order.client_order_id,
                status=answer.status,
                reason=getattr(answer, "reason", ""),
            )
        )
    return {}


def describe(found: Regime | None) -> str:
    """The regime in words, for prompts.

    How sure it is stands there as a word too: a figure that moves every day would make a prompt's shared beginning
    another one at each decision, and what a mind has read of it could not be kept.
    """
    if found is None:
        return "unknown (too short a history)"
    return f"{'clearly' if found.probability >= CLEAR else 'probably'} {found.words}"


def _brief(role: Role, ticker: str, state: DeskState, desk: DeskContext) -> Brief:
    seat = (role.name, ticker)
    report = state["reports"].get(seat)
    return Brief(
        ticker=ticker,
        company=desk.market.companies[ticker].name,
        evidence=desk.casebook.by_seat[seat],
        missing=desk.casebook.missing[seat],
        objections=report.objections() if report else (),
    )


def _note(text: str, aside: tuple[SetAside, ...]) -> str:
    """Why a tool found nothing, and what it was not allowed to read."""
    told = (
        f"{item.document}: {len(item.quotes)} sentences that speak to a machine or to the reader were set aside"
        for item in aside
    )
    return "; ".join([*([text] if text else []), *told])


def _issued(signal: Signal, decision: int) -> SignalIssued:
    return SignalIssued(
        decision=decision,
        agent=signal.agent,
        ticker=signal.ticker,
        round=signal.round,
        stance=signal.stance,
        confidence=signal.confidence,
        abstained=signal.abstained,
        rationale=signal.rationale,
        signal=signal.model_dump(mode="json"),
    )


def _audited(report: AuditReport, decision: int) -> AuditIssued:
    return AuditIssued(
        decision=decision,
        agent=report.agent,
        ticker=report.ticker,
        round=report.round,
        verdict=report.verdict,
        report=report.model_dump(mode="json"),
    )
