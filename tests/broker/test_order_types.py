"""Orders with a price or a place in the session: where they meet a daily bar, gaps and halts included."""

import math

import numpy as np
import pytest

from paperdesk.tools.broker.simulated import Costs, Margin, Terms
from paperdesk.tools.errors import DataError

NAN = math.nan
ENGINES = pytest.mark.parametrize("engine", ["fast", "stock"])


def one_day(bars_of, opened: float, high: float, low: float, closed: float):
    """A market at 100 whose second session, in which orders of the first are executed, is the given bar."""
    return bars_of(
        {"A": [100, opened, closed]},
        {"A": [100, closed, closed]},
        highs={"A": [100, high, closed]},
        lows={"A": [100, low, closed]},
    )


LIMITS = [
    # side, limit, open, high, low, close -> price
    ("buy", 95.0, 98, 101, 94, 97, 95.0),  # touched within the session: at the limit
    ("buy", 95.0, 90, 101, 89, 97, 90.0),  # the open is better: at the open
    ("buy", 95.0, 95, 101, 95, 97, 95.0),
    ("buy", 95.0, 98, 101, 95, 97, 95.0),
    ("buy", 95.0, 98, 101, 95.01, 97, None),
    ("sell", 105.0, 101, 106, 100, 102, 105.0),
    ("sell", 105.0, 110, 112, 100, 102, 110.0),
    ("sell", 105.0, 101, 104.99, 100, 102, None),
]


@ENGINES
@pytest.mark.parametrize(("side", "limit", "opened", "high", "low", "closed", "price"), LIMITS)
def test_a_limit_order_fills_at_its_limit_or_at_a_better_open(
    desk_on, bars_of, engine, side, limit, opened, high, low, closed, price
):
    desk = desk_on(one_day(bars_of, opened, high, low, closed), margin=Margin(), engine=engine)
    order = desk._accepted(desk.submit(side, "A", 10, order_type="limit", limit_price=limit))
    report = desk.step()
    assert [fill.price for fill in report.fills] == ([] if price is None else [price])
    if price is None:
        assert [(end.client_order_id, end.status) for end in report.ended] == [(order, "expired")]
        assert f"did not come to the limit of {limit:g}" in report.ended[0].reason


STOPS = [
    ("buy", 105.0, 101, 106, 100, 104, 105.0),  # reached within the session: at the stop
    ("buy", 105.0, 110, 112, 108, 109, 110.0),  # jumped over at the open: at the open, far beyond it
    ("buy", 105.0, 101, 104.99, 100, 104, None),
    ("sell", 95.0, 99, 101, 94, 96, 95.0),
    ("sell", 95.0, 80, 82, 79, 81, 80.0),
    ("sell", 95.0, 99, 101, 95.01, 96, None),
]


@ENGINES
@pytest.mark.parametrize(("side", "stop", "opened", "high", "low", "closed", "price"), STOPS)
def test_a_stop_fills_at_its_stop_or_at_the_open_that_jumped_over_it(
    desk_on, bars_of, engine, side, stop, opened, high, low, closed, price
):
    desk = desk_on(one_day(bars_of, opened, high, low, closed), margin=Margin(), engine=engine)
    desk._accepted(desk.submit(side, "A", 10, order_type="stop", stop_price=stop))
    assert [fill.price for fill in desk.step().fills] == ([] if price is None else [price])


STOP_LIMITS = [
    # side, stop, limit, open, high, low, close -> price
    ("buy", 105.0, 106.0, 101, 107, 100, 104, 105.0),  # the limit is beyond the stop: at the stop
    ("buy", 105.0, 106.0, 110, 112, 108, 109, None),  # jumped over both, never back
    ("buy", 105.0, 106.0, 110, 112, 105.5, 109, 106.0),  # jumped over both, came back to the limit
    ("buy", 105.0, 106.0, 105.5, 112, 105, 109, 105.5),  # jumped over the stop alone: at the open
    ("buy", 105.0, 103.0, 101, 106, 100, 102, 103.0),  # the close is below the limit: it was passed after the stop
    ("buy", 105.0, 103.0, 101, 106, 100, 104, None),  # the low may have come before the stop
    ("sell", 95.0, 94.0, 99, 101, 93, 96, 95.0),
    ("sell", 95.0, 94.0, 90, 92, 89, 91, None),
    ("sell", 95.0, 94.0, 90, 94.5, 89, 91, 94.0),
    ("sell", 95.0, 97.0, 99, 101, 93, 98, 97.0),
    ("sell", 95.0, 97.0, 99, 101, 93, 96, None),
]


@ENGINES
@pytest.mark.parametrize(("side", "stop", "limit", "opened", "high", "low", "closed", "price"), STOP_LIMITS)
def test_a_stop_limit_order_fills_only_where_a_daily_bar_proves_that_it_could(
    desk_on, bars_of, engine, side, stop, limit, opened, high, low, closed, price
):
    desk = desk_on(one_day(bars_of, opened, high, low, closed), margin=Margin(), engine=engine)
    desk._accepted(desk.submit(side, "A", 10, order_type="stop_limit", stop_price=stop, limit_price=limit))
    assert [fill.price for fill in desk.step().fills] == ([] if price is None else [price])


@ENGINES
def test_orders_for_the_auctions_fill_at_the_open_and_at_the_close(desk_on, bars_of, engine):
    desk = desk_on(one_day(bars_of, 101, 107, 99, 104), costs=Costs(slippage_bps=10), engine=engine)
    desk.buy("A", 10, order_type="market_on_close")
    desk.buy("A", 10, order_type="market_on_open")
    first, last = desk.step().fills
    assert (first.open_price, first.price) == (101, pytest.approx(101 * 1.001))
    assert (last.open_price, last.price) == (104, pytest.approx(104 * 1.001))


@ENGINES
def test_trap_slippage_never_passes_a_limit(desk_on, bars_of, engine):
    desk = desk_on(one_day(bars_of, 100, 107, 90, 104), costs=Costs(slippage_bps=50, impact=1), engine=engine)
    desk.buy("A", 10, order_type="limit", limit_price=100.1)
    desk.buy("A", 10, order_type="limit", limit_price=200.0)
    assert [fill.price for fill in desk.step().fills] == [100.1, pytest.approx(100.5, abs=0.05)]


@ENGINES
def test_a_session_goes_from_the_open_through_the_day_to_the_close_stops_before_limits(desk_on, bars_of, engine):
    bars = bars_of(
        {"A": [100, 100, 100, 100]},
        {"A": [100, 100, 101, 101]},
        highs={"A": [100, 100, 110, 101]},
        lows={"A": [100, 100, 90, 101]},
    )
    desk = desk_on(bars, engine=engine)
    desk.buy("A", 30)
    desk.step()
    close = desk.sell("A", 10, order_type="market_on_close")
    limit = desk.sell("A", 10, order_type="limit", limit_price=110)
    stop = desk.sell("A", 5, order_type="stop", stop_price=90)
    opening = desk.sell("A", 5)
    fills = desk.step().fills
    assert [(fill.client_order_id, fill.price) for fill in fills] == [
        (opening, 100),
        (stop, 90),
        (limit, 110),
        (close, 101),
    ]


@ENGINES
def test_good_till_cancelled_waits_for_its_price_and_through_a_halt(desk_on, bars_of, engine):
    bars = bars_of({"A": [100, 100, NAN, 100, 94, 94]}, volume={"A": [1e6, 1e6, 0, 1e6, 1e6, 1e6]})
    desk = desk_on(bars, engine=engine)
    order = desk.buy("A", 10, order_type="limit", limit_price=95, time_in_force="gtc")
    for _ in range(3):
        report = desk.step()
        assert (report.fills, report.ended) == ((), ())
        assert [state.client_order_id for state in desk.broker.open_orders()] == [order]
    assert [(fill.client_order_id, fill.price) for fill in desk.step().fills] == [(order, 94)]
    assert desk.broker.open_orders() == []


@ENGINES
def test_good_till_cancelled_fills_in_parts_over_sessions_each_reported_for_itself(desk_on, bars_of, engine):
    costs = Costs(slippage_bps=0, volume_limit=0.1, commission_minimum=1)
    desk = desk_on(bars_of({"A": [10, 10, 9, 8]}, volume=100), costs=costs, engine=engine)
    order = desk.buy("A", 25, order_type="limit", limit_price=10, time_in_force="gtc")
    fills = [desk.step().fills[0] for _ in range(3)]
    assert [(fill.quantity, fill.price, fill.commission) for fill in fills] == [(10, 10, 1), (10, 9, 1), (5, 8, 1)]
    assert desk.broker.order(order).status == "filled"
    assert desk.broker.report.cash == 100_000 - 100 - 90 - 40 - 3


@ENGINES
def test_the_stop_of_a_stop_limit_order_stays_reached(desk_on, bars_of, engine):
    bars = bars_of({"A": [100, 110, 104]}, highs={"A": [100, 112, 105]}, lows={"A": [100, 108, 103]})
    desk = desk_on(bars, engine=engine)
    desk.buy("A", 10, order_type="stop_limit", stop_price=105, limit_price=106, time_in_force="gtc")
    assert desk.step().fills == ()
    assert [fill.price for fill in desk.step().fills] == [104]  # below its stop, which was reached the day before


@pytest.mark.parametrize("kind", ["market", "market_on_open", "market_on_close"])
def test_a_market_order_cannot_be_good_till_cancelled(desk_on, bars_of, kind):
    answer = desk_on(bars_of({"A": [10] * 3})).submit("buy", "A", 1, order_type=kind, time_in_force="gtc")
    assert answer.status == "rejected"
    assert "send it as a day order" in answer.reason


def test_a_waiting_order_is_cancelled_by_a_split_and_by_the_end_of_the_bars(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [100, 50, 50], "B": [10, 10, 10]}, split={("A", 1): 2}))
    split = desk.buy("A", 1, order_type="limit", limit_price=40, time_in_force="gtc")
    waits = desk.buy("B", 1, order_type="limit", limit_price=5, time_in_force="gtc")
    assert [(end.client_order_id, end.status) for end in desk.step().ended] == [(split, "cancelled")]
    desk.step()
    assert [(end.client_order_id, end.status) for end in desk.broker.finish()] == [(waits, "expired")]


def test_an_order_with_a_price_in_a_name_that_does_not_trade_fills_nothing(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [100, NAN, 100], "B": [10, 10, 10]}))
    desk.buy("A", 1, order_type="limit", limit_price=200)
    desk.buy("A", 1, order_type="market_on_close")
    report = desk.step()
    assert report.fills == ()
    assert {end.reason for end in report.ended} == {"A did not trade in this session"}


def test_what_is_left_of_a_waiting_order_ends_when_its_position_is_gone(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [100, 100, 100, 120, 120]}))
    desk.buy("A", 10)
    desk.step()
    target = desk.sell("A", 6, order_type="limit", limit_price=110, time_in_force="gtc", reduces=True)
    assert desk.submit("sell", "A", 5).status == "rejected"  # 6 of 10 are promised
    desk.sell("A", 4)
    assert desk.step().positions == {"A": 6}
    assert [(fill.client_order_id, fill.price) for fill in desk.step().fills] == [(target, 120)]
    assert desk.step().positions == {}


@ENGINES
def test_a_day_order_waits_while_its_own_exchange_is_closed_and_another_is_open(desk_on, bars_of, engine):
    # a coin that trades every day, and a share that does not at the weekend
    bars = bars_of({"COIN": [10, 11, 12, 13, 14], "SHARE": [100, NAN, NAN, 101, NAN]})
    closed = np.zeros((5, 2), dtype=bool)
    closed[1:3, 1] = True
    desk = desk_on(bars, closed=closed, terms=Terms(delisted_after=1, delisting_loss=0), engine=engine)
    share = desk.buy("SHARE", 10)
    coin = desk.buy("COIN", 10)
    report = desk.step()
    assert [(fill.client_order_id, fill.price) for fill in report.fills] == [(coin, 11)]
    assert report.ended == ()
    assert desk.step().ended == ()
    report = desk.step()
    assert [(fill.client_order_id, fill.price) for fill in report.fills] == [(share, 101)]
    assert (
        "SHARE" not in desk.step().positions
    )  # halted on a day on which its exchange was open, and taken for delisted


def test_a_name_that_trades_while_its_exchange_is_closed_is_refused(desk_on, bars_of):
    with pytest.raises(DataError, match="A trades on 2031-03-04, when its exchange is said to be closed"):
        desk_on(bars_of({"A": [10] * 3}), closed=np.array([[False], [True], [False]]))
    with pytest.raises(DataError, match=r"closed has shape \(2, 1\)"):
        desk_on(bars_of({"A": [10] * 3}), closed=np.zeros((2, 1), dtype=bool))
