"""The nodes that touch time and the ledger: `advance` moves the clock, `record` closes a decision."""

from collections.abc import Hashable
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
    SignalResolved,
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
    desk.open_signals.extend(
        OpenSignal(decision, session, signal)
        for signal in state["signals"].values()
        if not signal.abstained and not is_by_hand(signal)  # which says nothing of the analyst's skill
    )
    desk.journal.append(DecisionClosed(decision=decision, session=session))
    desk.journal.mark()
    return {}


def resolve(desk: DeskContext, state: DeskState) -> None:
    """Scores the signals whose horizon has passed by now against what happened, for calibration."""
    view = desk.market.view(state["as_of"])
    position = {day: i for i, day in enumerate(view.sessions)}
    returns = view.returns(desk.universe, len(view.sessions))
    waiting: list[OpenSignal] = []
    grown: dict[tuple[int, int], tuple[dict[Hashable, float], float]] = {}
    """Growth by name, and its mean, from one row of the returns to another: many signals share both."""
    for item in desk.open_signals:
        first = position[item.session] + 1
        last = first + item.signal.horizon_days
        if last > len(returns):
            waiting.append(item)
            continue
        if (first, last) not in grown:
            growth = (1 + returns.iloc[first:last]).prod(min_count=item.signal.horizon_days) - 1
            grown[first, last] = (growth.to_dict(), growth.mean())
        by_name, mean = grown[first, last]
        outcome = by_name[item.signal.ticker] - mean
        if outcome != outcome:  # not traded over the whole horizon: nothing to learn
            continue
        fresh = min(1.0, desk.sessions_per_decision / item.signal.horizon_days)
        if "memory" not in desk.settings.ablate:
            desk.calibration.add(item.signal.agent, item.signal.score, float(outcome), fresh)
        desk.journal.append(
            SignalResolved(
                decision=state["decision"],
                agent=item.signal.agent,
                ticker=item.signal.ticker,
                issued_in=item.decision,
                score=item.signal.score,
                outcome=float(outcome),
            )
        )
    desk.open_signals = waiting
