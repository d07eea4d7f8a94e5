"""Long and short, all order types, costs, interest, recalls and margin calls: held against an account kept on paper."""

import math
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperdesk.tools.broker.simulated import Costs, Margin, StepReport, Terms

from .conftest import TOKEN
from .paper_account import PaperAccount
from .test_ledger_properties import COSTS, EXACT, market

KINDS = ("market", "limit", "stop", "stop_limit", "market_on_open", "market_on_close")
MARGINS = st.sampled_from(
    [
        Margin(borrow_fee=0.2, recall_after=2),
        Margin(initial_long=0.5, debit_interest=0.3, recall_after=3),
        Margin(initial_short=1.0, maintenance_short=0.9, initial_long=0.6, maintenance_long=0.55, borrow_fee=2.0),
    ]
)
TERMS = st.sampled_from([Terms(), Terms(cash_interest=0.2, delisted_after=4), Terms(cash_interest=-0.1)])


def random_orders(rng: np.random.Generator, desk, account: PaperAccount | None = None) -> None:
    """Submit a few orders of all kinds on both sides, some of them too large; the paper account takes the same."""
    now, fractional = desk.broker.account(), desk.broker.capabilities.fractional
    for ticker in rng.permutation(list(now.prices))[: int(rng.integers(0, 5))]:
        price, held = now.prices[ticker], now.positions.get(ticker, 0.0)
        side = str(rng.choice(["buy", "sell"]))
        closes = bool(held) and (held > 0) == (side == "sell")
        base = abs(held) if closes else max(now.equity, 1.0) / price
        quantity = float(base * rng.uniform(0.05, 1.1))
        quantity = quantity if fractional else float(math.floor(quantity))
        kind = str(rng.choice(KINDS))
        terms: dict[str, Any] = {"order_type": kind, "reduces": closes and rng.random() < 0.7}
        if kind in ("limit", "stop_limit"):
            terms["limit_price"] = float(price * np.exp(rng.normal(0, 0.05)))
        if kind in ("stop", "stop_limit"):
            terms["stop_price"] = float(price * np.exp(rng.normal(0, 0.05)))
        if not kind.startswith("market") and rng.random() < 0.4:
            terms["time_in_force"] = "gtc"
        if quantity <= 0:
            continue
        order = desk.intent(side, str(ticker), quantity, **terms)
        answer = desk.broker.submit(order, TOKEN)
        assert answer.status == "accepted" or "are free to" in answer.reason
        if answer.status == "accepted" and account is not None:
            account.submit(order)


def check_conservation(report: StepReport, before: StepReport) -> None:
    """Cash and positions make the equity; payments and fills explain every change of both."""
    value = math.fsum(shares * report.prices[name] for name, shares in report.positions.items())
    assert report.equity == pytest.approx(report.cash + value, abs=EXACT)
    paid = math.fsum(action.amount for action in report.actions if action.action != "split")
    shares = defaultdict(float, before.positions)
    closed = [action for action in report.actions if action.action in ("delisting", "buy_in")]
    for action in report.actions:
        if action.ticker == "cash" or action in closed:
            continue
        assert shares[action.ticker] == pytest.approx(action.shares, abs=1e-9)
        if action.action == "split":
            shares[action.ticker] *= action.amount
        elif action.action == "cash_in_lieu":
            shares[action.ticker] = math.copysign(math.floor(abs(action.shares) + 1e-9), action.shares)
    for fill in report.fills:
        sign = 1 if fill.side == "buy" else -1
        shares[fill.ticker] += sign * fill.quantity
        paid -= sign * fill.quantity * fill.price + fill.commission
    for action in closed:
        assert shares.pop(action.ticker) == pytest.approx(action.shares, abs=1e-9)
    assert report.cash == pytest.approx(before.cash + paid, abs=EXACT)
    for name in shares.keys() | report.positions.keys():
        assert shares[name] == pytest.approx(report.positions.get(name, 0.0), abs=1e-6)


def check_margin(report: StepReport, following: StepReport | None, margin: Margin) -> None:
    """No close is below the maintenance margin without a call, and what is forced is executed or said not to be."""
    values = [shares * report.prices[name] for name, shares in report.positions.items()]
    needed = math.fsum(v * margin.maintenance_long if v > 0 else -v * margin.maintenance_short for v in values)
    assert (report.margin_call is not None) == (bool(values) and report.equity < needed)
    if report.margin_call is not None:
        assert report.margin_call.equity == report.equity
        assert report.margin_call.requirement == pytest.approx(needed)
    if following is not None:
        heard = {fill.client_order_id for fill in following.fills} | {end.client_order_id for end in following.ended}
        for forced in report.forced:
            assert forced.order.client_order_id in heard or forced.cause == "buy_in"


@settings(max_examples=80)
@given(
    seed=st.integers(0, 2**32 - 1),
    names=st.integers(1, 4),
    length=st.integers(4, 25),
    costs=COSTS,
    terms=TERMS,
    margin=st.one_of(st.none(), MARGINS),
)
def test_an_account_on_paper_has_the_same_shares_and_the_same_cents(
    desk_on, bars_of, seed, names, length, costs, terms, margin
):
    rng = np.random.default_rng(seed)
    bars = market(bars_of, rng, names, length)
    desk = desk_on(bars, cash=10_000, costs=costs, terms=terms, margin=margin)
    paper = PaperAccount(bars, costs, terms, margin, 10_000.0)
    paper.session(0)
    before = desk.broker.report
    for row in range(1, length):
        random_orders(rng, desk, paper)
        report = desk.step()
        paper.session(row)
        check_conservation(report, before)
        assert report.positions == paper.positions()
        assert report.cash == pytest.approx(paper.cash, abs=EXACT, rel=1e-9)
        if margin is None:
            assert report.cash >= 0
            assert all(shares > 0 for shares in report.positions.values())
            assert (report.margin_call, report.forced) == (None, ())
        else:
            assert (report.margin_call is not None) == paper.called
            check_margin(before, report, margin)
        before = report


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    names=st.integers(1, 4),
    costs=COSTS,
    terms=TERMS,
    margin=st.one_of(st.none(), MARGINS),
    fractional=st.booleans(),
    impact=st.sampled_from([0.0, 1.0]),
)
def test_both_engines_agree_on_every_kind_of_account_and_order(
    desk_on, bars_of, seed, names, costs, terms, margin, fractional, impact
):
    bars = market(bars_of, np.random.default_rng(seed), names, 25)
    costs = costs.model_copy(update={"impact": impact})
    fast, stock = (
        session(
            desk_on(bars, cash=10_000, costs=costs, terms=terms, margin=margin, fractional=fractional, engine=engine),
            seed,
        )
        for engine in ("fast", "stock")
    )
    assert fast == stock
    for before, report in pairwise(fast):
        check_conservation(report, before)
        if margin is None:
            assert report.cash >= 0
            assert all(shares > 0 for shares in report.positions.values())
        else:
            check_margin(before, report, margin)


@pytest.mark.parametrize("names", [1, 10, 100, pytest.param(500, marks=pytest.mark.slow)])
def test_both_engines_agree_on_margin_at_any_width(desk_on, bars_of, names):
    bars = market(bars_of, np.random.default_rng(names), names, 40)
    costs = Costs(commission_bps=3.7, commission_minimum=1.3, impact=0.5, volume_limit=0.1)
    margin = Margin(initial_long=0.5, recall_after=2)
    fast, stock = (
        session(desk_on(bars, cash=1e6, costs=costs, margin=margin, terms=Terms(delisted_after=5), engine=engine), 1)
        for engine in ("fast", "stock")
    )
    assert fast == stock
    assert sum(len(report.fills) for report in fast) > 10


def session(desk, seed: int) -> list[StepReport]:
    """Random orders to the end of the bars, on the seed and on the account alone."""
    rng, reports = np.random.default_rng(seed), [desk.broker.report]
    while desk.broker.remaining:
        random_orders(rng, desk)
        reports.append(desk.step())
    return reports


def test_the_random_sessions_exercise_what_they_are_meant_to(desk_on, bars_of):
    seen: Counter[str] = Counter()
    for seed in range(25):
        bars = market(bars_of, np.random.default_rng(seed), 4, 25)
        tight = {"initial_long": 0.5, "maintenance_long": 0.48, "maintenance_short": 0.48}
        margin = Margin(borrow_fee=0.2, recall_after=2, **tight)
        terms = Terms(cash_interest=0.02, delisted_after=4)
        costs = Costs(commission_minimum=1.3, volume_limit=None)
        desk = desk_on(bars, cash=10_000, costs=costs, terms=terms, margin=margin)
        for report in session(desk, seed):
            seen.update(action.action for action in report.actions)
            seen.update(f"{fill.cause} {fill.side}" for fill in report.fills)
            seen.update(desk.broker._book.entries[fill.client_order_id].intent.order_type for fill in report.fills)
            seen.update(end.status for end in report.ended)
            seen.update("short" for shares in report.positions.values() if shares < 0)
            seen.update(["call"] if report.margin_call else [])
            seen.update("owed" for action in report.actions if action.action == "dividend" and action.amount < 0)
            seen.update("debit" for action in report.actions if action.action == "interest" and action.amount < 0)
    wanted = {*KINDS, "short", "call", "owed", "debit", "dividend", "split", "cash_in_lieu", "borrow_fee", "buy_in"}
    wanted |= {"margin_call sell", "margin_call buy", "buy_in buy", "delisting", "rejected", "expired", "cancelled"}
    assert {what: seen[what] for what in wanted if seen[what] < 5} == {}


def test_an_account_that_may_go_short_and_does_not_is_like_one_that_may_not(desk_on, bars_of):
    bars = market(bars_of, np.random.default_rng(11), 4, 40)
    costs, reports = Costs(commission_bps=3.7, commission_minimum=1.3), []
    for margin in (None, Margin()):
        desk, rng = desk_on(bars, cash=10_000, costs=costs, margin=margin), np.random.default_rng(5)
        while desk.broker.remaining:
            now = desk.broker.account()
            for ticker in sorted(now.prices):
                if rng.random() < 0.3:
                    desk.submit("buy", ticker, float(rng.integers(1, 900)))
                elif now.positions.get(ticker, 0) > 1:
                    desk.submit("sell", ticker, float(now.positions[ticker] // 2))
            desk.step()
        reports.append([(r.cash, r.positions, r.fills) for r in desk.reports])
    assert reports[0] == reports[1]
