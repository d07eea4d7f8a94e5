"""The nodes that turn signals into orders: the portfolio manager, and the pre-trade rules that may send it back."""

import math
from collections.abc import Callable, Mapping, Sequence
from math import fsum
from typing import Literal

from langgraph.runtime import Runtime
from langgraph.types import Command

from ..agents.portfolio_manager import (
    Posture,
    Proposal,
    View,
    posture_of,
    reference_of,
    told,
    unheard,
    views_of,
)
from ..agents.signals import Signal
from ..memory.calibration import AgentRecord
from ..memory.journal.events import ProposalMade, RuleVerdict
from ..tools.broker.protocol import OrderIntent, PortfolioSnapshot, Side, client_order_id
from ..tools.evidence import Evidence
from ..tools.indicators import indicators
from ..tools.market.view import MarketView
from ..tools.market_state import regime_evidence
from ..tools.optimizer import Infeasible, Solution
from ..tools.optimizer.relax import MARGIN
from ..tools.optimizer.scenarios import Scenarios, known_scenarios
from ..tools.toolbox import OfPortfolio, optimise, portfolio_tools
from .context import DeskContext, DeskSettings
from .rule_facts import rule_context
from .state import DeskState, PermittedOrder

DUST = 1e-6
"""Fraction of equity below which a difference is rounding and no order."""


def manage_portfolio(state: DeskState, runtime: Runtime[DeskContext]) -> dict[str, object]:
    """Views from the signals that passed, a posture, and the weights that Mean-CVaR finds best."""
    desk = runtime.context
    view = desk.view(state["as_of"])
    posture = posture_of(market_evidence(view, state), mind=desk.mind, seed=desk.settings.seed)
    # Names that the rules have barred are not up for decision: they keep what they have.
    free = tuple(name for name in desk.universe if name not in state["barred"])
    scenarios = known_scenarios(view, free, desk.settings.scenario_sessions, desk.settings.min_history)
    if not free:
        proposal = stay(desk, state, scenarios, posture, (), "The rules have barred every name.")
    elif len(scenarios.returns) < desk.settings.min_history or not scenarios.tickers:
        proposal = stay(desk, state, scenarios, posture, (), "Too few days on which all names have a return.")
    else:
        volatility = dict(zip(scenarios.tickers, scenarios.returns.std(axis=0, ddof=1).tolist(), strict=True))
        views = views_of(tuple(state["signals"].values()), state["reports"], desk.weighed, volatility)
        proposal = propose(desk, state, scenarios, views, posture)
    desk.journal.append(
        ProposalMade(
            decision=state["decision"],
            weights=proposal.weights,
            rationale=proposal.rationale,
            proposal=proposal.model_dump(mode="json"),
        )
    )
    return {"proposal": proposal}


def market_evidence(view: MarketView, state: DeskState) -> tuple[Evidence, ...]:
    """What the posture rests on: the regime and the benchmark's trend and drawdown."""
    trend = ("momentum_3m", "distance_sma_200", "volatility_3m", "drawdown_12m")
    figures = indicators(view, view.benchmark) if view.benchmark else []
    return (*regime_evidence(view, state["regime"]), *(item for item in figures if item.measure in trend))


def propose(
    desk: DeskContext, state: DeskState, scenarios: Scenarios, views: tuple[View, ...], posture: Posture
) -> Proposal:
    """The proposal: the optimizer's weights; where limits conflict, the desk's own wishes give way before it stays."""
    settings, portfolio = desk.settings, state["portfolio"]
    current = portfolio.weights()
    excluded = scenarios.excluded | state["barred"]
    reference = reference_of(scenarios, settings.beta, settings.equity_premium)
    aversion = reference.risk_aversion * settings.risk_aversion * posture.factor
    alpha = {view.ticker: view.alpha for view in views}
    deserved = dict(zip(scenarios.tickers, reference.returns.tolist(), strict=True))
    policy = desk.rules.policy
    cap = min(settings.max_weight, policy.max_position_weight)
    kept = {name: current.get(name, 0.0) for name in desk.universe if name not in scenarios.tickers}
    expected = {name: earned + alpha.get(name, 0.0) for name, earned in deserved.items()}
    asked = wish_of(settings, portfolio, expected, kept, cap=cap, max_gross=policy.max_gross, risk_aversion=aversion)
    if (tightened := state["tightened"]) is not None:
        asked = tightened.applied_to(asked)
    solution, gave = give_way(asked, lambda wish: optimise(portfolio_tools(desk.optimizer, scenarios), **dict(wish)))
    if isinstance(solution, Infeasible):
        return stay(desk, state, scenarios, posture, views, solution.sentence)
    weights = {name: kept[name] if name in kept else solution.weights[name] for name in desk.universe}
    return Proposal(
        weights=weights,
        cash=1 - fsum(weights.values()),
        posture=posture,
        risk_aversion=asked.risk_aversion,
        views=views,
        reference=deserved,
        expected_return=solution.expected_return,
        cvar=solution.cvar,
        turnover=solution.turnover,
        binding=tuple(binding.sentence for binding in solution.binding),
        excluded=excluded,
        rationale=gave + explain(solution, posture, views, excluded, tuple(desk.weighed.values())),
    )


def wish_of(
    settings: DeskSettings,
    portfolio: PortfolioSnapshot,
    expected: Mapping[str, float],
    kept: Mapping[str, float],
    *,
    cap: float,
    max_gross: float,
    risk_aversion: float,
) -> OfPortfolio:
    """What the optimizer is asked.

    Args:
        settings: the desk's limits and preferences.
        portfolio: the account at the decision.
        expected: return per session of each name that can be considered.
        kept: weights of the names that cannot: they keep what they have, the rest shares what is left.
        cap: largest weight of a name.
        max_gross: largest sum of absolute weights that the rules allow.
        risk_aversion: lambda.
    """
    current, held, most = portfolio.weights(), fsum(kept.values()), settings.max_short
    stuck_short = -fsum(weight for weight in kept.values() if weight < 0)
    # No money is borrowed: short and long positions together are at most the equity less the cash floor.
    gross = min(max_gross, 1 - settings.min_cash) - fsum(abs(weight) for weight in kept.values())
    return OfPortfolio(
        expected_returns=dict(expected),
        previous_weights={name: current.get(name, 0.0) for name in expected},
        caps=dict.fromkeys(expected, cap),
        floors=dict.fromkeys(expected, -min(cap, most)) if most else {},
        max_short=max(0.0, most - stuck_short) if most else None,
        max_gross=max(0.0, gross) if most else None,
        risk_aversion=risk_aversion,
        beta=settings.beta,
        min_cash=max(0.0, min(1.0, settings.min_cash + held)),
        # A short list of names cannot hold more than its caps allow; then that is the floor.
        min_invested=max(0.0, min(settings.min_invested - held, fsum([cap] * len(expected)))),
        turnover_limit=settings.turnover_limit if portfolio.positions else None,
        cost_per_unit=settings.cost_per_unit / settings.holding_sessions,
    )


def give_way(
    asked: OfPortfolio, solve: Callable[[OfPortfolio], Solution | Infeasible]
) -> tuple[Solution | Infeasible, str]:
    """The answer, and what was given up for it, in words.

    Caps and the cash floor are rules. The turnover limit and the invested floor are wishes of the desk: where one of
    them alone can resolve a conflict, it gives way by as little as is needed, the one that has to give less.
    """
    answer = solve(asked)
    if not isinstance(answer, Infeasible):
        return answer, ""
    wishes = [row for row in answer.alone if row.limit in ("turnover", "invested")]
    if not wishes:
        return answer, ""
    least = min(wishes, key=lambda row: row.amount)
    if least.limit == "turnover" and asked.turnover_limit is not None:
        eased = {"turnover_limit": asked.turnover_limit + least.amount + MARGIN}
    else:
        eased = {"min_invested": max(0.0, asked.min_invested - least.amount - MARGIN)}
    name = {"turnover": "turnover limit", "invested": "invested floor"}[least.limit]
    gave = f"{answer.sentence} The {name} gave way by {least.amount * 100:.2f} points. "
    return solve(asked.model_copy(update=eased)), gave


def stay(
    desk: DeskContext,
    state: DeskState,
    scenarios: Scenarios,
    posture: Posture,
    views: tuple[View, ...],
    why: str,
) -> Proposal:
    """The proposal to leave everything as it is, and why."""
    current = state["portfolio"].weights()
    held = {name: current.get(name, 0.0) for name in desk.universe}
    return Proposal(
        weights=held,
        cash=1 - fsum(held.values()),
        posture=posture,
        risk_aversion=0.0,
        views=views,
        excluded=scenarios.excluded | state["barred"],
        rationale=f"{why} The portfolio stays as it is.",
    )


def explain(
    solution: Solution,
    posture: Posture,
    views: tuple[View, ...],
    excluded: dict[str, str],
    records: Sequence[AgentRecord],
) -> str:
    """The proposal in words; every figure comes from the solution, or from the records of the agents."""
    parts = [
        f"Posture {posture.name}: expected return {solution.expected_return * 1e4:+.2f} bp a day, "
        f"CVaR {solution.cvar:.2%} a day over {solution.scenarios} past days, turnover {solution.turnover:.0%}."
    ]
    if views:
        best, worst = max(views, key=lambda v: v.alpha), min(views, key=lambda v: v.alpha)
        extremes = " to ".join(f"{view.ticker} {view.alpha * 1e4:+.2f} bp" for view in (best, worst))
        parts.append(f"{len(views)} views, from {extremes} a day.")
    else:
        parts.append("No signal that passed the audit is heard, so there are no views.")
    parts.extend(told(record) for record in records)
    parts.extend(f"{binding.sentence[:1].upper()}{binding.sentence[1:]}." for binding in solution.binding)
    parts.extend(f"{ticker} is left out: {why}." for ticker, why in excluded.items())
    return " ".join(parts)


def pre_trade(state: DeskState, runtime: Runtime[DeskContext]) -> Command[Literal["portfolio_manager", "approve"]]:
    """Judges every order of the proposal; a veto sends the portfolio manager back once, without that name."""
    desk = runtime.context
    # Whoever started the session asked for all its decisions: each one counts as enabled by a person.
    desk.activity.enable()
    permitted, barred = judge(desk, state, orders_of(desk, state))
    if barred and not state["barred"]:
        return Command(goto="portfolio_manager", update={"barred": barred, "permitted": []})
    return Command(goto="approve", update={"permitted": permitted})


def judge(
    desk: DeskContext, state: DeskState, asked: Sequence[tuple[OrderIntent, str]]
) -> tuple[list[PermittedOrder], dict[str, str]]:
    """The rules' verdict on orders with their reasons, on record: what may leave, and by name why something may not."""
    reasons = {order.client_order_id: reason for order, reason in asked}
    permitted: list[PermittedOrder] = []
    barred: dict[str, str] = {}
    with desk.journal.together():
        for judged in desk.rules.judge_all((order for order, _ in asked), rule_context(desk, state)):
            order, report = judged.order, judged.report
            desk.journal.append(
                RuleVerdict(
                    decision=state["decision"],
                    ticker=order.ticker,
                    verdict=report.verdict,
                    order=order,
                    report=report.model_dump(mode="json"),
                )
            )
            if report.order is None or report.token is None:
                barred[order.ticker] = report.explain()
            else:
                reason = reasons[order.client_order_id]
                if report.verdict == "clamp":
                    reason += f" The rules cut it from {order.quantity:,.6g} to {report.order.quantity:,.6g} shares."
                permitted.append(PermittedOrder(order=report.order, token=report.token, reason=reason))
    return permitted, barred


def orders_of(desk: DeskContext, state: DeskState) -> list[tuple[OrderIntent, str]]:
    """The orders that lead from the portfolio to the proposal, with the reason of each."""
    portfolio, proposal = state["portfolio"], state["proposal"]
    orders = []
    for ticker in desk.universe:
        held, price = portfolio.positions.get(ticker, 0.0), portfolio.prices.get(ticker)
        if price is None or proposal.expected_return is None or ticker in proposal.excluded:
            continue  # not listed yet, or the desk stays as it is
        wanted = _wanted(portfolio, proposal.weights[ticker], price, desk.settings.fractional)
        if wanted * held < 0:
            wanted = 0.0  # no order turns a position around: it is closed now, the next decision opens the other one
        quantity = wanted - held
        if abs(quantity) * price < DUST * portfolio.equity:
            continue  # with fractional shares, the rounding of a weight that has not changed
        side: Side = "buy" if quantity > 0 else "sell"
        order = OrderIntent(
            client_order_id=client_order_id(desk.session_id, state["decision"], ticker),
            ticker=ticker,
            side=side,
            quantity=abs(quantity),
            reference_price=price,
            decided_at=state["as_of"],
            reduces=held > 0 if side == "sell" else held < 0,
        )
        orders.append((order, reason_of(order, portfolio, proposal, state, desk.weighed)))
    return orders


def _wanted(portfolio: PortfolioSnapshot, weight: float, price: float, fractional: bool) -> float:
    shares = weight * portfolio.equity / price
    return shares if fractional else math.copysign(math.floor(abs(shares) + 1e-9), shares)


def reason_of(
    order: OrderIntent,
    portfolio: PortfolioSnapshot,
    proposal: Proposal,
    state: DeskState,
    records: dict[str, AgentRecord],
) -> str:
    """Why an order is made: from which weight to which, on which expectation, and whose signals are in it."""
    ticker = order.ticker
    now, then = portfolio.weights().get(ticker, 0.0), proposal.weights[ticker]
    alpha = {view.ticker: view.alpha for view in proposal.views}.get(ticker, 0.0)
    earned = proposal.reference[ticker]
    heard = [
        _opinion(signal, records[signal.agent])
        for seat, signal in state["signals"].items()
        if seat[1] == ticker and seat in state["reports"] and state["reports"][seat].verdict == "pass"
    ]
    views = f"{alpha * 1e4:+.2f} for {' and '.join(heard)}" if heard else "no view, because no signal passed the audit"
    return (
        f"{ticker} from {now:.1%} to {then:.1%} of equity. Expected {(earned + alpha) * 1e4:+.2f} bp a day: "
        f"{earned * 1e4:+.2f} for its tail risk, {views}. Mean-CVaR weighed that against what it adds to the tail."
    )


def _opinion(signal: Signal, record: AgentRecord) -> str:
    said = f"{signal.agent.replace('_', ' ')} {signal.stance.replace('_', ' ')} {signal.confidence:.0%}"
    why = unheard(signal, record)
    return f"{said} (not counted: {why})" if why else said
