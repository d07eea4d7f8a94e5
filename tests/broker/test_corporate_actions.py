"""Splits, dividends and cash in lieu, before the open of their day."""

import dataclasses
import math
from datetime import date

import pytest

from paperdesk.tools.broker.simulated import CorporateAction, Terms

NAN = math.nan


def test_a_split_multiplies_the_position_and_leaves_the_equity_alone(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [1200, 1200, 120, 120]}, split={("A", 2): 10}))
    desk.buy("A", 7)
    before = desk.step()
    after = desk.step()
    assert after.positions == {"A": 70}
    assert after.equity == pytest.approx(before.equity, abs=1e-9)
    assert after.actions == (CorporateAction(after.session, "A", "split", 10, 7),)


def test_a_dividend_is_paid_on_the_shares_of_the_previous_close_not_on_purchases_of_the_ex_date(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [100] * 5}, dividend={("A", 1): 2.0, ("A", 2): 0.5}))
    desk.buy("A", 10)
    first = desk.step()
    assert first.actions == ()
    assert first.cash == 100_000 - 1000
    desk.sell("A", 10)
    second = desk.step()
    assert second.actions == (CorporateAction(second.session, "A", "dividend", 5.0, 10),)
    assert second.cash == 100_000 + 5


def test_a_dividend_can_pay_for_a_purchase_of_the_same_day(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [100] * 4}, dividend={("A", 2): 10.0}), cash=1000)
    desk.buy("A", 10)
    desk.step()
    desk.buy("A", 1)
    assert desk.step().positions == {"A": 11}


def test_a_dividend_on_the_day_of_a_split_is_per_new_share(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [100, 100, 50]}, dividend={("A", 2): 1.0}, split={("A", 2): 2}))
    desk.buy("A", 10)
    desk.step()
    report = desk.step()
    assert [(a.action, a.amount, a.shares) for a in report.actions] == [("split", 2, 10), ("dividend", 20, 20)]


def test_the_fraction_of_a_share_that_a_split_leaves_is_paid_out_at_the_open(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [30, 30, 20]}, {"A": [30, 30, 21]}, split={("A", 2): 1.5}))
    desk.buy("A", 5)
    desk.step()
    report = desk.step()
    assert report.positions == {"A": 7}
    assert [(a.action, a.amount, a.shares) for a in report.actions] == [("split", 1.5, 5), ("cash_in_lieu", 10, 7.5)]
    assert report.cash == 100_000 - 150 + 10


def test_a_reverse_split_can_pay_a_small_position_out_altogether(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [1, 1, 10]}, split={("A", 2): 0.1}))
    desk.buy("A", 3)
    desk.step()
    report = desk.step()
    assert report.positions == {}
    assert report.cash == pytest.approx(100_000, abs=1e-9)


@pytest.mark.parametrize(("shares", "ratio", "left"), [(30, 0.1, 3), (100, 0.29, 29)])
def test_rounding_makes_no_fraction_of_a_share(desk_on, bars_of, shares, ratio, left):
    # in floating point 30 * 0.1 is 3.0000000000000004 and 100 * 0.29 is 28.999999999999996
    desk = desk_on(bars_of({"A": [1, 1, 10]}, split={("A", 2): ratio}))
    desk.buy("A", shares)
    desk.step()
    report = desk.step()
    assert report.positions == {"A": left}
    assert [a.action for a in report.actions] == ["split"]


def test_a_fractional_account_keeps_the_fraction(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [30, 30, 20]}, split={("A", 2): 1.5}), fractional=True)
    desk.buy("A", 5)
    desk.step()
    assert desk.step().positions == {"A": 7.5}


def test_a_split_while_trading_is_halted_divides_the_last_close(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [90, 90, NAN, NAN, 31]}, split={("A", 3): 3}))
    desk.buy("A", 10)
    equities = [desk.step().equity for _ in range(3)]
    assert equities == [100_000] * 3
    assert desk.reports[-1].prices == {"A": 30}
    assert desk.step().equity == 100_000 - 900 + 30 * 31


def test_an_order_decided_in_old_shares_is_cancelled_by_a_split_and_says_so(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [100] * 2 + [10] * 3, "B": [10] * 5}, split={("A", 2): 10}))
    desk.buy("A", 10)
    desk.step()
    order, other = desk.sell("A", 10), desk.buy("B", 1)
    report = desk.step()
    assert report.positions == {"A": 100, "B": 1}
    assert [(e.client_order_id, e.status, e.unfilled_quantity) for e in report.ended] == [(order, "cancelled", 10)]
    assert "split 10 for 1" in report.ended[0].reason
    assert desk.broker.order(other).status == "filled"


def test_a_split_divides_the_cost_per_share_so_that_a_later_sale_is_no_profit(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [100, 100, 10, 10]}, split={("A", 2): 10}))
    desk.buy("A", 10)
    desk.step()
    desk.step()
    assert desk.broker._ledger.positions[desk.broker._feed["A"]].price == 10
    desk.sell("A", 100)
    assert desk.step().cash == pytest.approx(100_000, abs=1e-9)


def test_interest_is_paid_on_the_cash_for_every_day_between_sessions(desk_on, bars_of):
    bars = dataclasses.replace(
        bars_of({"A": [10, 10, 10]}), sessions=(date(2031, 3, 6), date(2031, 3, 7), date(2031, 3, 10))
    )
    desk = desk_on(bars, cash=10_000, terms=Terms(cash_interest=0.0365))
    (first,) = desk.step().actions
    assert (first.action, first.ticker, first.shares) == ("interest", "cash", 10_000)
    assert first.amount == pytest.approx(1.0)
    desk.buy("A", 500)
    report = desk.step()  # over the weekend: three days
    assert report.actions[0].amount == pytest.approx(3 * 10_001 * 0.0365 / 365)
    assert report.cash + 5_000 == pytest.approx(10_001 + report.actions[0].amount)


@pytest.mark.parametrize("engine", ["fast", "stock"])
def test_a_name_that_does_not_trade_for_long_is_paid_out(desk_on, bars_of, engine):
    bars = bars_of({"A": [10, 10, NAN, NAN, NAN, 12], "B": [5] * 6})
    desk = desk_on(bars, cash=1_000, terms=Terms(delisted_after=3, delisting_loss=0.3), engine=engine)
    desk.buy("A", 50)
    desk.step()
    desk.step()
    desk.sell("A", 50)
    assert desk.step().positions == {"A": 50.0}
    report = desk.step()
    assert [(a.action, a.ticker, a.amount, a.shares) for a in report.actions] == [("delisting", "A", 350.0, 50.0)]
    assert (report.positions, report.cash, report.equity) == ({}, 850.0, 850.0)
    assert desk.submit("sell", "A", 1).status == "rejected"
    assert desk.step().cash == 850.0  # it trades again; the account has it no more
