"""Each way in which plain backtrader goes wrong without a word, and that the simulated broker does not.

docs/brokers.md has the table; a test here is named after its trap.
"""

import dataclasses
import math
import os
import subprocess
import sys
import threading
from datetime import date

import numpy as np
import pytest

from paperdesk.tools.broker.simulated import Costs
from paperdesk.tools.errors import DataError

NAN = math.nan


def modules_after(statement: str) -> set[str]:
    """What a fresh interpreter has loaded after a statement."""
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}; import sys; sys.stdout.write(' '.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return set(done.stdout.split())


def test_trap_plotting_backend_is_not_touched():
    loaded = modules_after("import paperdesk.tools.broker.simulated")
    assert "backtrader" in loaded
    assert not {name for name in loaded if name.startswith(("backtrader.plot", "matplotlib", "tkinter"))}


def test_trap_the_contract_loads_without_backtrader():
    loaded = modules_after("import paperdesk.tools.broker")
    assert "paperdesk.tools.broker.protocol" in loaded
    assert "backtrader" not in loaded


def test_trap_standard_observers_do_not_run(desk_on, bars_of):
    engine = desk_on(bars_of({"A": [1, 1]})).broker._engine
    assert list(engine.strategy.observers) == []


@pytest.mark.parametrize("gap", [1.0, 1.05])
def test_trap_margin_full_investment_plus_commission_or_gap_buys_what_it_can(desk_on, bars_of, gap):
    opens = [100, 100 * gap, 100]
    desk = desk_on(bars_of({"A": opens}), cash=10_000, costs=Costs(commission_bps=10, slippage_bps=0))
    desk.buy("A", 100)
    report = desk.step()
    assert report.positions["A"] in {99, 95}
    assert 0 <= report.cash < 100 * gap
    assert report.ended[0].unfilled_quantity == 100 - report.positions["A"]


def test_trap_margin_buy_before_sell_is_executed_sell_first(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [100] * 4, "B": [100] * 4}), cash=10_000)
    desk.buy("A", 100)
    desk.step()
    desk.buy("B", 100)
    desk.sell("A", 100)
    assert desk.step().positions == {"B": 100}


def test_trap_late_listing_stalls_nobody_and_shows_no_price_of_another_day(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [10] * 6, "B": [NAN] * 4 + [500, 501]}))
    desk.buy("A", 1)
    early = desk.buy("B", 1)
    report = desk.step()
    assert report.positions == {"A": 1}
    assert desk.broker.order(early).reason == "B did not trade in this session"
    assert "B" not in desk.broker.account().prices
    feed = desk.broker._feed["B"]
    assert (len(feed), feed.close[0]) == (2, 0.0)


def test_trap_a_delisted_name_can_not_be_sold_and_is_flagged(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [10] * 15, "B": [10] * 3 + [NAN] * 12}))
    desk.buy("B", 4)
    desk.step()
    for _ in range(12):
        desk.step()
    order = desk.sell("B", 4)
    report = desk.step()
    assert report.stale == ("B",)
    assert [(end.client_order_id, end.status) for end in report.ended] == [(order, "expired")]
    assert report.positions == {"B": 4}


def test_trap_slippage_applies_at_the_open(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [100, 100]}, {"A": [90, 90]}), costs=Costs(slippage_bps=100))
    desk.buy("A", 1)
    assert desk.step().fills[0].price == pytest.approx(101, rel=1e-12)  # the open is the day's high


def test_trap_commission_is_in_basis_points_not_in_hundredths_of_them(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [100, 100]}), costs=Costs(commission_bps=10, slippage_bps=0))
    desk.buy("A", 100)
    assert desk.step().fills[0].commission == pytest.approx(10)


def test_trap_minimum_commission_is_not_repeated_for_the_rest_of_an_order(desk_on, bars_of):
    costs = Costs(commission_minimum=1, slippage_bps=0, volume_limit=1)
    desk = desk_on(bars_of({"A": [100] * 6}, volume=30), costs=costs)
    order = desk.buy("A", 100)
    for _ in range(5):
        desk.step()
    fills = desk.broker.fills()
    assert [(fill.client_order_id, fill.quantity, fill.commission) for fill in fills] == [(order, 30, 1)]


def test_trap_nothing_can_be_sold_short(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [100] * 4}))
    assert desk.submit("sell", "A", 1).status == "rejected"
    assert desk.step().positions == {}


def test_trap_leftovers_of_partial_fills_do_not_live_on(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [100] * 8}, volume=100), costs=Costs(slippage_bps=0, volume_limit=1))
    order = desk.buy("A", 900)
    first = desk.step()
    assert [(end.client_order_id, end.status, end.unfilled_quantity) for end in first.ended] == [
        (order, "expired", 800)
    ]
    assert desk.broker.open_orders() == []
    assert not desk.broker._ledger.pending
    assert [desk.step().positions for _ in range(6)] == [{"A": 100}] * 6


@pytest.mark.parametrize("column", ["open", "close"])
def test_trap_nan_price_never_fills_and_never_reaches_the_cash(desk_on, bars_of, column):
    bars = bars_of({"A": [100] * 4})
    holed = getattr(bars, column).copy()
    holed[1, 0] = NAN
    desk = desk_on(dataclasses.replace(bars, **{column: holed}))
    desk.buy("A", 10)
    report = desk.step()
    assert report.fills == ()
    assert report.cash == report.equity == 100_000
    assert [(end.status, end.reason) for end in report.ended] == [("expired", "A did not trade in this session")]


@pytest.mark.parametrize("order", [(0, 2, 1, 3), (0, 1, 1, 2), (3, 2, 1, 0)])
def test_trap_unsorted_or_repeated_dates_are_refused(desk_on, bars_of, order):
    bars = bars_of({"A": [1, 2, 3, 4]})
    with pytest.raises(DataError, match="sort the bars by date"):
        desk_on(dataclasses.replace(bars, sessions=tuple(bars.sessions[i] for i in order)))


@pytest.mark.parametrize("engine", ["fast", "stock"])
def test_trap_time_zones_shift_no_day(desk_on, bars_of, engine):
    desk = desk_on(bars_of({"A": [1, 2, 3]}), engine=engine)
    feed = desk.broker._feed["A"]
    desk.buy("A", 1)  # without an order a fast feed need not move
    assert feed.datetime.date(0) == desk.broker.session
    desk.step()
    assert feed.datetime.datetime(0).date() == desk.broker.session
    assert feed.datetime[0] == desk.broker.session.toordinal()


def test_trap_orders_on_the_last_bar_do_not_vanish(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [10, 10]}))
    desk.step()
    order = desk.buy("A", 2)
    assert desk.broker.step() is None
    (end,) = desk.broker.finish()
    assert desk.broker.finish() == (end,)
    assert (end.client_order_id, end.status, end.unfilled_quantity) == (order, "expired", 2)
    assert desk.broker.order(order).status == "expired"
    assert desk.submit("buy", "A", 1).status == "rejected"


def test_trap_order_ref_is_never_an_id(desk_on, bars_of):
    bars = bars_of({"A": [10] * 3})
    one, two = desk_on(bars), desk_on(bars)
    for desk in (one, two):
        desk.submit("buy", "A", 2, "same")
        desk.step()
    assert one.broker.fills() == two.broker.fills()
    assert one.broker.fills()[0].client_order_id == "same"


def test_trap_two_brokers_in_one_process_do_not_disturb_each_other(desk_on, bars_of):
    def session(seed: int) -> list[object]:
        rng = np.random.default_rng(seed)
        path = (50 * np.exp(np.cumsum(rng.normal(0, 0.03, 60)))).tolist()
        desk = desk_on(bars_of({"A": path}), costs=Costs(commission_bps=2), cash=10_000 + seed)
        for _ in range(59):
            desk.submit("buy" if rng.random() < 0.6 else "sell", "A", int(rng.integers(1, 40)))
            desk.step()
        return list(desk.reports)

    alone = {seed: session(seed) for seed in range(4)}
    together: dict[int, list[object]] = {}
    threads = [threading.Thread(target=lambda s=seed: together.update({s: session(s)})) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


def test_trap_stepping_needs_no_thread_and_goes_one_bar_at_a_time(desk_on, bars_of):
    before = threading.active_count()
    desk = desk_on(bars_of({"A": [1, 2, 3, 4], "B": [4, 3, 2, 1]}), engine="stock")
    seen = []
    for _ in range(3):
        desk.step()
        seen.append([len(feed) for feed in desk.broker._feeds] + [len(desk.broker._engine.strategy)])
    assert seen == [[2, 2, 2], [3, 3, 3], [4, 4, 4]]
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("open", -1.0, "open of A on 2031-03-04 is -1.0; it must be positive"),
        ("close", math.inf, "close of A on 2031-03-04 is inf"),
        ("split", 0.0, "split of A on 2031-03-04 is 0.0; it must be positive"),
        ("split", NAN, "split of A on 2031-03-04 is nan"),
        ("dividend", -0.5, "dividend of A on 2031-03-04 is -0.5; it must be zero or more"),
        ("volume", -5.0, "volume of A on 2031-03-04 is -5.0"),
    ],
)
def test_impossible_numbers_are_refused_with_their_place(desk_on, bars_of, column, value, message):
    bars = bars_of({"A": [1, 2, 3]})
    wrong = getattr(bars, column).copy()
    wrong[1, 0] = value
    with pytest.raises(DataError, match=message):
        desk_on(dataclasses.replace(bars, **{column: wrong}))


def test_bars_of_the_wrong_shape_are_refused(desk_on, bars_of):
    bars = bars_of({"A": [1, 2, 3]})
    with pytest.raises(DataError, match="a row per session"):
        desk_on(dataclasses.replace(bars, volume=bars.volume[:2]))
    with pytest.raises(DataError, match="no session"):
        desk_on(bars.select(("A",), date(1999, 1, 1), date(1999, 1, 2)))
    with pytest.raises(DataError, match="appears twice"):
        desk_on(dataclasses.replace(bars_of({"A": [1.0], "B": [1.0]}), tickers=("A", "A")))
