"""Short positions: what they cost, what stands behind them, and what the broker closes by force."""

import dataclasses
import math
from datetime import date

import pytest
from pydantic import ValidationError

from paperdesk.tools.broker.simulated import Costs, Margin, Terms
from paperdesk.tools.errors import BrokerError

NAN = math.nan
ENGINES = pytest.mark.parametrize("engine", ["fast", "stock"])
FREE_LOAN = Margin(borrow_fee=0, debit_interest=0)


def test_an_account_without_a_margin_cannot_go_short(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [10] * 3}))
    answer = desk.submit("sell", "A", 1)
    assert answer.status == "rejected"
    assert "the account cannot go short" in answer.reason
    assert not desk.broker.capabilities.shorting
    assert desk_on(bars_of({"A": [10] * 3}), margin=Margin()).broker.capabilities.shorting


@ENGINES
def test_a_short_position_earns_what_the_price_loses(desk_on, bars_of, engine):
    desk = desk_on(bars_of({"A": [100, 100, 90, 80]}), cash=10_000, margin=FREE_LOAN, engine=engine)
    desk.sell("A", 50)
    report = desk.step()
    assert (report.positions, report.cash, report.equity) == ({"A": -50}, 15_000, 10_000)
    assert desk.step().equity == 10_500
    desk.buy("A", 50, reduces=True)
    report = desk.step()
    assert (report.positions, report.cash, report.equity) == ({}, 11_000, 11_000)


@ENGINES
def test_costs_stand_against_a_short_sale_and_its_cover(desk_on, bars_of, engine):
    costs = Costs(commission_per_share=0.01, slippage_bps=10, spread_bps=20)
    desk = desk_on(bars_of({"A": [100] * 4}), cash=10_000, costs=costs, margin=FREE_LOAN, engine=engine)
    desk.sell("A", 50)
    sold = desk.step().fills[0]
    desk.buy("A", 50)
    bought = desk.step().fills[0]
    assert (sold.price, bought.price) == (pytest.approx(99.8), pytest.approx(100.2))
    assert desk.broker.report.cash == pytest.approx(10_000 - 50 * 0.4 - 2 * 0.5)


@ENGINES
def test_the_borrow_fee_is_on_what_the_shares_are_worth_now(desk_on, bars_of, engine):
    bars = dataclasses.replace(
        bars_of({"A": [100, 100, 200, 200]}),
        sessions=(date(2031, 3, 5), date(2031, 3, 6), date(2031, 3, 7), date(2031, 3, 10)),
    )
    desk = desk_on(bars, cash=100_000, margin=Margin(borrow_fee=0.365), engine=engine)
    desk.sell("A", 100)
    assert desk.step().actions == ()
    (fee,) = desk.step().actions
    assert (fee.action, fee.ticker, fee.amount, fee.shares) == ("borrow_fee", "cash", pytest.approx(-10), 10_000)
    (fee,) = desk.step().actions  # over the weekend, on the doubled value
    assert (fee.amount, fee.shares) == (pytest.approx(-60), 20_000)


@ENGINES
def test_interest_is_earned_on_free_cash_and_not_on_the_proceeds_of_short_sales(desk_on, bars_of, engine):
    margin, terms = Margin(borrow_fee=0), Terms(cash_interest=0.0365)
    desk = desk_on(bars_of({"A": [100] * 3}), cash=10_000, terms=terms, margin=margin, engine=engine)
    desk.sell("A", 50)
    desk.step()
    (interest,) = desk.step().actions
    assert (interest.amount, interest.shares) == (pytest.approx(1.0001), pytest.approx(10_001))


@ENGINES
def test_money_that_is_owed_costs_interest(desk_on, bars_of, engine):
    margin, terms = Margin(initial_long=0.5, debit_interest=0.365), Terms(cash_interest=0.1)
    desk = desk_on(bars_of({"A": [100] * 3}), cash=10_000, terms=terms, margin=margin, engine=engine)
    desk.buy("A", 1000)
    report = desk.step()
    assert report.positions == {"A": 200}  # half of it borrowed
    assert report.ended[0].unfilled_quantity == 800
    assert "of margin is free" in report.ended[0].reason
    (interest,) = desk.step().actions
    assert report.cash < 0
    assert (interest.amount, interest.shares) == (pytest.approx(report.cash * 0.365 / 365), pytest.approx(report.cash))


@ENGINES
def test_whoever_is_short_owes_dividends_and_a_split_multiplies_what_is_owed(desk_on, bars_of, engine):
    bars = bars_of({"A": [30, 30, 30, 20]}, dividend={("A", 2): 1.5}, split={("A", 3): 1.5})
    desk = desk_on(bars, cash=1_000, margin=FREE_LOAN, engine=engine)
    desk.sell("A", 5)
    desk.step()
    (owed,) = desk.step().actions
    assert (owed.action, owed.amount, owed.shares) == ("dividend", -7.5, -5)
    report = desk.step()
    assert [(a.action, a.amount, a.shares) for a in report.actions] == [("split", 1.5, -5), ("cash_in_lieu", -10, -7.5)]
    assert report.positions == {"A": -7}
    assert report.equity == 1_000 - 7.5


@ENGINES
@pytest.mark.parametrize(("initial", "sold"), [(0.5, 200), (1.0, 100), (0.3, 333)])
def test_a_short_sale_is_cut_to_the_initial_margin(desk_on, bars_of, engine, initial, sold):
    margin = Margin(initial_short=initial, maintenance_short=0.3)
    desk = desk_on(bars_of({"A": [100] * 3}), cash=10_000, margin=margin, engine=engine)
    desk.sell("A", 1000)
    report = desk.step()
    assert report.positions == {"A": -sold}
    assert report.margin_call is None


@ENGINES
def test_the_proceeds_of_a_short_sale_buy_nothing(desk_on, bars_of, engine):
    desk = desk_on(bars_of({"A": [100] * 3, "B": [10] * 3}), cash=10_000, margin=FREE_LOAN, engine=engine)
    desk.sell("A", 100)
    desk.buy("B", 2000)
    report = desk.step()
    assert report.positions == {"A": -100, "B": 500}  # 10,000 less half of what is short
    assert report.cash == 15_000


@ENGINES
def test_no_order_turns_a_position_around(desk_on, bars_of, engine):
    desk = desk_on(bars_of({"A": [100] * 6}), margin=FREE_LOAN, engine=engine)
    desk.sell("A", 10)
    desk.step()
    answer = desk.submit("buy", "A", 11)
    assert answer.status == "rejected"
    assert answer.reason == "10 shares of A are free to buy, and no order turns one around"
    desk.buy("A", 10, order_type="stop", stop_price=150, time_in_force="gtc", reduces=True)
    assert desk.submit("buy", "A", 1).status == "rejected"  # all ten are promised
    desk.sell("A", 5)
    assert desk.step().positions == {"A": -15}


@ENGINES
def test_an_order_that_only_reduces_opens_nothing(desk_on, bars_of, engine):
    desk = desk_on(bars_of({"A": [100] * 4}), margin=FREE_LOAN, engine=engine)
    answer = desk.submit("sell", "A", 10, reduces=True)
    assert answer.status == "rejected"
    assert "there is no position in A" in answer.reason


def called(desk_on, bars_of, engine, **changes):
    """Three short positions and a long one, all at 100, that lose 30 %: the account has to close some of them."""
    path = [100, 100, 130, 130, 130]
    bars = bars_of({"A": path, "B": path, "C": path, "L": [100] * 5}, **changes)
    desk = desk_on(bars, cash=10_000, margin=FREE_LOAN, engine=engine)
    for name, shares in (("A", 30), ("B", 60), ("C", 30)):
        desk.sell(name, shares)
    desk.buy("L", 40)
    assert desk.step().margin_call is None
    return desk


@ENGINES
def test_a_margin_call_closes_the_largest_position_first_and_in_part_at_the_next_open(desk_on, bars_of, engine):
    desk = called(desk_on, bars_of, engine)
    report = desk.step()
    # equity 6,400; maintenance 0.25 x 4,000 + 0.3 x 15,600 = 5,680: nothing yet
    assert (report.equity, report.margin_call, report.forced) == (6_400, None, ())
    desk = called(desk_on, bars_of, engine)
    desk.broker._margin = desk.broker._ledger.p.margin = Margin(
        initial_short=0.5, maintenance_short=0.4, borrow_fee=0, debit_interest=0
    )
    report = desk.step()
    assert report.margin_call == (6_400, pytest.approx(0.25 * 4_000 + 0.4 * 15_600))
    # initial margin: 4,000 + 7,800; missing 5,400. L ties up 4,000, B 3,900, A and C 1,950 each.
    assert [(item.cause, item.order.ticker, item.order.side, item.order.quantity) for item in report.forced] == [
        ("margin_call", "L", "sell", 40),
        ("margin_call", "B", "buy", 22),
    ]
    assert [state.ticker for state in desk.broker.open_orders()] == ["L", "B"]
    with pytest.raises(BrokerError, match="cannot be cancelled"):
        desk.broker.cancel(report.forced[0].order.client_order_id)
    report = desk.step()
    assert [(fill.cause, fill.ticker, fill.quantity) for fill in report.fills] == [
        ("margin_call", "L", 40),
        ("margin_call", "B", 22),
    ]
    assert report.margin_call is None
    shorts = -sum(shares * report.prices[name] for name, shares in report.positions.items())
    assert report.equity >= 0.5 * shorts


@ENGINES
def test_orders_of_the_desk_come_after_forced_ones_and_do_not_outlive_the_position(desk_on, bars_of, engine):
    bars = bars_of({"A": [100, 100, 150, 150, 90]})
    desk = desk_on(bars, cash=6_000, margin=FREE_LOAN, engine=engine)
    desk.sell("A", 100)
    desk.step()
    waits = desk.buy("A", 80, order_type="limit", limit_price=95, time_in_force="gtc", reduces=True)
    report = desk.step()
    assert report.equity == 1_000
    assert report.margin_call == (1_000, pytest.approx(0.3 * 15_000))
    assert [(item.order.side, item.order.quantity) for item in report.forced] == [("buy", 87)]
    more = desk.submit("sell", "A", 50)
    assert more.status == "accepted"
    report = desk.step()
    assert report.positions == {"A": -13}
    ended = {end.client_order_id: (end.status, end.reason) for end in report.ended}
    assert ended[waits] == ("expired", "a margin call closed the position in A")
    assert ended[more.client_order_id][0] == "rejected"


@ENGINES
def test_a_forced_order_that_finds_no_market_is_said_so_and_the_call_is_made_again(desk_on, bars_of, engine):
    desk = desk_on(bars_of({"A": [100, 100, 150, NAN, 150]}), cash=6_000, margin=FREE_LOAN, engine=engine)
    desk.sell("A", 100)
    desk.step()
    first = desk.step()
    assert first.margin_call is not None
    second = desk.step()
    assert [(end.client_order_id, end.status) for end in second.ended] == [
        (first.forced[0].order.client_order_id, "expired")
    ]
    assert second.margin_call is not None
    assert desk.step().positions == {"A": -13}


@ENGINES
def test_an_account_that_has_lost_everything_is_closed_in_full_and_its_debt_stays_on_record(desk_on, bars_of, engine):
    desk = desk_on(bars_of({"A": [100, 100, 300, 300, 300]}), cash=6_000, margin=FREE_LOAN, engine=engine)
    desk.sell("A", 100)
    desk.step()
    report = desk.step()
    assert report.equity == -14_000
    assert [item.order.quantity for item in report.forced] == [100]
    report = desk.step()
    assert (report.positions, report.cash, report.equity, report.margin_call) == ({}, -14_000, -14_000, None)
    desk.buy("A", 1)
    assert [end.status for end in desk.step().ended] == ["rejected"]


@ENGINES
def test_a_lender_wants_the_shares_of_a_halted_name_back_at_the_first_open_there_is(desk_on, bars_of, engine):
    bars = bars_of({"A": [100, 100, NAN, NAN, NAN, 120, 120], "B": [5] * 7})
    desk = desk_on(bars, margin=Margin(borrow_fee=0, recall_after=2), engine=engine)
    desk.sell("A", 10)
    desk.step()
    assert desk.step().forced == ()
    (recall,) = desk.step().forced
    assert (recall.cause, recall.order.side, recall.order.quantity) == ("buy_in", "buy", 10)
    waiting = desk.step()
    assert (waiting.forced, waiting.ended) == ((), ())
    report = desk.step()
    assert [(fill.cause, fill.price, fill.quantity) for fill in report.fills] == [("buy_in", 120, 10)]
    assert report.positions == {}


@ENGINES
def test_what_is_owed_of_a_delisted_name_is_settled_at_its_last_close(desk_on, bars_of, engine):
    bars = bars_of({"A": [100, 100, 90, NAN, NAN, NAN, 50], "B": [5] * 7})
    terms, margin = Terms(delisted_after=3, delisting_loss=0.3), Margin(borrow_fee=0, recall_after=2)
    desk = desk_on(bars, terms=terms, margin=margin, engine=engine)
    desk.sell("A", 10)
    reports = [desk.step() for _ in range(5)]
    assert [(a.action, a.ticker, a.amount, a.shares) for a in reports[-1].actions] == [("buy_in", "A", -900, -10)]
    assert (reports[-1].positions, reports[-1].equity) == ({}, 100_100)
    last = desk.step()
    assert last.fills == ()
    assert [end.reason for end in last.ended] == ["no position in A is left to reduce"]


def test_margins_must_make_sense():
    with pytest.raises(ValidationError, match="the maintenance margin is above the initial one"):
        Margin(initial_short=0.2)
