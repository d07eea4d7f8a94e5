"""The nodes that touch time and the ledger: `advance` moves the clock, `record` closes a decision."""

from dataclasses import asdict
from typing import Literal

from langgraph.runtime import Runtime
from langgraph.types import Command

from ..agents.by_hand import is_by_hand
from ..memory.journal.events import (
    BarClosed,
    CorporateActionApplied,
    DecisionClosed,
    MarginCalled,
    OrderEnded,
    OrderFilled,
    OrderForced,
)
from ..tools.broker.report import StepReport
from ..tools.errors import BrokerError
from .context import DeskContext, OpenSignal
from .state import DeskState


def advance(state: DeskState, runtime: Runtime[DeskContext]) -> Command[Literal["desk", "__end__"]]:
    """Lets sessions pass, each on record, until the desk has to decide, another desk takes over, or the market ends."""
    desk = runtime.context
    decision = state.get("decision", -1)
    if desk.arrived is not None:  # where the desk before this one ended
        session, desk.arrived = desk.arrived, None
        return Command(goto="desk", update={"decision": decision + 1, "session": session})
    report = desk.broker.report if decision < 0 else desk.broker.step()
    while report is not None:
        record_session(desk, report, decision)
        if report.session in desk.decision_sessions:
            if decision + 1 == desk.until:
                desk.arrived = report.session
                return Command(goto="__end__")
            return Command(goto="desk", update={"decision": decision + 1, "session": report.session})
        report = desk.broker.step()
    for ended in desk.broker.finish():
        desk.journal.append(OrderEnded(decision=decision, **asdict(ended)))
    return Command(goto="__end__")


def record_session(desk: DeskContext, report: StepReport, decision: int) -> None:
    """Journals one exchange session: corporate actions, fills, ended orders, the ledger at the close, what is forced.

    Raises:
        BrokerError: the account is worth nothing any more, so that no decision makes sense.
    """
    belongs = decision if decision >= 0 else None
    desk.activity.session(
        report.session, {action.ticker: action.amount for action in report.actions if action.action == "split"}
    )
    for fill in report.fills:
        desk.activity.filled(fill)
    for action in report.actions:
        desk.journal.append(
            CorporateActionApplied(
                decision=belongs,
                session=action.session,
                ticker=action.ticker,
                action=action.action,
                amount=action.amount,
                shares=action.shares,
            )
        )
    for fill in report.fills:
        desk.journal.append(OrderFilled(decision=belongs, ticker=fill.ticker, fill=fill))
    for ended in report.ended:
        desk.journal.append(OrderEnded(decision=belongs, **asdict(ended)))
    desk.journal.append(
        BarClosed(
            decision=belongs,
            session=report.session,
            cash=report.cash,
            equity=report.equity,
            positions=dict(report.positions),
            prices=dict(report.prices),
        )
    )
    if report.margin_call is not None:
        equity, requirement = report.margin_call
        desk.journal.append(
            MarginCalled(decision=belongs, session=report.session, equity=equity, requirement=requirement)
        )
    for forced in report.forced:
        desk.journal.append(
            OrderForced(decision=belongs, ticker=forced.order.ticker, cause=forced.cause, order=forced.order)
        )
    if report.equity <= 0:
        raise BrokerError(
            f"The account is worth {report.equity:,.2f} at the close of {report.session}: its short positions have "
            "lost more than there was. Run it with a smaller max_short."
        )
    desk.previous_equity, desk.last_equity = desk.last_equity, report.equity
    desk.peak_equity = max(desk.peak_equity, report.equity)


def record(state: DeskState, runtime: Runtime[DeskContext]) -> dict[str, object]:
    """Closes the decision: its signals wait for their horizon, everything so far is anchored outside the database."""
    desk = runtime.context
    session, decision = state["session"], state["decision"]
    regime = state["regime"].name if state["regime"] else "unknown"
    evidence = desk.casebook.by_id()
    for signal in state["signals"].values():
        if not signal.abstained and not is_by_hand(signal):  # which says nothing of the analyst's skill
            reasons: dict[str, str] = {
                evidence[claim.evidence].measure: claim.supports
                for claim in signal.claims
                if claim.evidence in evidence
            }
            desk.open_signals.append(OpenSignal(decision, session, signal, desk.model, regime, reasons))
    desk.journal.append(DecisionClosed(decision=decision, session=session))
    desk.journal.mark()
    return {}
