"""What an order gets, and what it pays."""

import math

import numpy as np
import pytest

from paperdesk.tools.broker.simulated import Costs

NAN = math.nan


def test_an_order_fills_at_the_next_open_not_at_a_price_known_when_it_was_decided(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [100, 103, 90]}, {"A": [101, 80, 90]}))
    desk.buy("A", 10)
    report = desk.step()
    (fill,) = report.fills
    assert (fill.price, fill.open_price, fill.session) == (103, 103, desk.broker.session)
    assert report.cash == 100_000 - 1030
    assert report.equity == 100_000 - 1030 + 800


def test_slippage_is_against_the_order_on_both_sides_even_beyond_the_days_range(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [100, 100, 100]}), costs=Costs(slippage_bps=25))
    desk.buy("A", 10)
    bought = desk.step().fills[0]
    desk.sell("A", 10)
    sold = desk.step().fills[0]
    assert bought.price == pytest.approx(100.25, rel=1e-12)
    assert sold.price == pytest.approx(99.75, rel=1e-12)
    assert bought.open_price == sold.open_price == 100


def test_commission_terms_add_up_and_are_charged_exactly(desk_on, bars_of):
    costs = Costs(commission_bps=10, commission_per_share=0.01, slippage_bps=0)
    desk = desk_on(bars_of({"A": [100, 100, 100]}), costs=costs)
    desk.buy("A", 200)
    report = desk.step()
    assert report.fills[0].commission == pytest.approx(200 * 0.01 + 200 * 100 * 0.001, rel=1e-12)
    assert report.cash == pytest.approx(100_000 - 20_000 - 22, abs=1e-9)


def test_the_minimum_commission_holds_for_the_order_as_a_whole(desk_on, bars_of):
    costs = Costs(commission_bps=1, commission_minimum=5, slippage_bps=0)
    desk = desk_on(bars_of({"A": [100, 100, 100]}), costs=costs)
    desk.buy("A", 10)
    assert desk.step().fills[0].commission == 5
    desk.buy("A", 800)
    assert desk.step().fills[0].commission == pytest.approx(8, rel=1e-12)


def test_sales_come_first_and_pay_for_purchases_that_were_submitted_before_them(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [100] * 4, "B": [50] * 4}), cash=1000)
    desk.buy("A", 10)
    desk.step()
    desk.buy("B", 20)
    desk.sell("A", 10)
    report = desk.step()
    assert [fill.side for fill in report.fills] == ["sell", "buy"]
    assert report.positions == {"B": 20}
    assert report.cash == 0


def test_purchases_share_the_cash_in_order_of_submission(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [100] * 3, "B": [100] * 3, "C": [100] * 3}), cash=1050)
    first, second, third = desk.buy("C", 7), desk.buy("A", 7), desk.buy("B", 7)
    report = desk.step()
    assert report.positions == {"C": 7, "A": 3}
    assert {end.client_order_id: (end.status, end.unfilled_quantity) for end in report.ended} == {
        second: ("expired", 4),
        third: ("rejected", 7),
    }
    assert desk.broker.order(first).status == "filled"
    assert desk.broker.order(second).filled_quantity == 3


@pytest.mark.parametrize("cash", [999.99, 1000.0, 1001.0, 1005.0, 1006.0, 1011.02])
def test_a_purchase_is_cut_to_what_the_cash_pays_for_commission_and_slippage_included(desk_on, bars_of, cash):
    costs = Costs(commission_bps=10, commission_per_share=0.01, commission_minimum=1, slippage_bps=10)
    desk = desk_on(bars_of({"A": [100, 100, 100]}), cash=cash, costs=costs)
    desk.buy("A", 50)
    report = desk.step()
    bought, price = report.positions["A"], 100 * 1.001
    assert report.cash >= 0
    one_more = (bought + 1) * price
    assert one_more + costs.commission(bought + 1, price) > cash


def test_an_order_takes_no_more_than_its_share_of_the_volume(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [10] * 4}, volume=1234), costs=Costs(slippage_bps=0, volume_limit=0.1))
    desk.buy("A", 100)
    desk.buy("A", 100)
    report = desk.step()
    assert [fill.quantity for fill in report.fills] == [100, 23]
    assert report.ended[0].unfilled_quantity == 77
    assert "volume" in report.ended[0].reason


def test_a_session_without_volume_fills_nothing(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [10] * 3}, volume={"A": [5, 0, 5]}), costs=Costs(slippage_bps=0))
    desk.buy("A", 1)
    report = desk.step()
    assert report.fills == ()
    assert [(end.status, end.unfilled_quantity) for end in report.ended] == [("expired", 1)]


def test_a_fractional_account_buys_parts_of_a_share_and_sells_the_position_to_nothing(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [30] * 5}), cash=10, fractional=True)
    desk.buy("A", 0.1)
    desk.step()
    desk.buy("A", 0.2)
    assert desk.step().positions == {"A": pytest.approx(0.3)}
    sold = desk.sell("A", 0.3)  # 0.1 + 0.2 is a little more
    report = desk.step()
    assert report.positions == {}
    assert report.ended == ()
    assert desk.broker.order(sold).status == "filled"


def test_a_fractional_purchase_is_cut_to_the_cash_in_millionths_of_a_share(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [30] * 3}), cash=10, fractional=True)
    desk.buy("A", 1)
    report = desk.step()
    assert report.positions["A"] == pytest.approx(0.333333, abs=1e-12)
    assert 0 <= report.cash < 30e-6 + 1e-9


def test_a_sale_whose_commission_nobody_can_pay_is_rejected(desk_on, bars_of):
    costs = Costs(commission_minimum=1, slippage_bps=0)
    desk = desk_on(bars_of({"A": [10, 10, 0.5, 0.5]}), cash=11, costs=costs)
    desk.buy("A", 1)
    assert desk.step().cash == 0
    desk.sell("A", 1)
    report = desk.step()
    assert [end.status for end in report.ended] == ["rejected"]
    assert report.cash == 0


def test_a_name_that_stopped_trading_keeps_its_last_close_and_becomes_stale(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [10] * 16, "B": [10, 10, 20] + [NAN] * 13}))
    desk.buy("B", 5)
    reports = [desk.step() for _ in range(15)]
    assert all(report.positions == {"B": 5} for report in reports)
    assert all(report.prices["B"] == 20 for report in reports[1:])
    assert [bool(report.stale) for report in reports] == [False] * 11 + [True] * 4  # ten sessions after row 2


def test_the_account_shows_no_price_of_a_name_that_is_not_listed_yet(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [10, 11, 12], "B": [NAN, NAN, 99]}))
    assert desk.broker.account().prices == {"A": 10}
    desk.step()
    assert desk.broker.account().prices == {"A": 11}
    desk.step()
    assert desk.broker.account().prices == {"A": 12, "B": 99}


def test_a_new_broker_stands_at_the_close_of_the_first_session_with_cash_only(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [10, 11]}))
    account = desk.broker.account()
    assert account.at.isoformat() == "2031-03-03T21:00:00+00:00"
    assert (account.cash, account.equity, account.positions) == (100_000, 100_000, {})
    assert desk.broker.report.session == desk.broker.session
    assert desk.broker.remaining == 1


def test_the_reported_equity_is_what_backtrader_itself_computes(desk_on, bars_of):
    rng = np.random.default_rng(5)
    path = np.round(100 * np.exp(np.cumsum(rng.normal(0, 0.02, (30, 2)), axis=0)), 2).T
    desk = desk_on(bars_of({"A": path[0].tolist(), "B": path[1].tolist()}), costs=Costs(commission_bps=5))
    for _ in range(29):
        desk.submit("buy", "A", 40)
        desk.submit("sell", "A", 15)
        desk.submit("buy", "B", 7)
        report = desk.step()
        assert report.equity == pytest.approx(desk.broker._ledger._get_value(), abs=1e-6)
