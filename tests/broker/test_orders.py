"""Submitting, looking up and cancelling."""

import math
from datetime import UTC, date, datetime

import numpy as np
import pytest

from paperdesk.tools.broker import Broker, OrderIntent, VerdictToken
from paperdesk.tools.broker.simulated import Costs, SimulatedBroker
from paperdesk.tools.errors import BrokerError, InputError, PaperDeskError
from paperdesk.tools.market.bars import Bars


class OneTime:
    """A rule engine whose token is good for one order."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def __call__(self, order: OrderIntent, token: VerdictToken) -> None:
        if token.terms != order.terms_hash():
            raise PaperDeskError("the token permits another order; ask for a verdict on this one")
        if token.terms in self.used:
            raise PaperDeskError("the token was used before; ask for a new verdict")
        self.used.add(token.terms)


def token_for(order: OrderIntent) -> VerdictToken:
    return VerdictToken(
        terms=order.terms_hash(), policy="", state_version="", expires_at=datetime(2040, 1, 1, tzinfo=UTC), mac=""
    )


def broker_with(bars: Bars, authorise: OneTime) -> SimulatedBroker:
    return SimulatedBroker(
        bars,
        cash=1000,
        costs=Costs(slippage_bps=0),
        authorise=authorise,
        close_of=lambda day: datetime(day.year, day.month, day.day, 21, tzinfo=UTC),
    )


def test_the_simulator_is_a_broker(desk_on, bars_of):
    broker: Broker = desk_on(bars_of({"A": [1, 1]})).broker
    assert broker.capabilities.paper
    assert not broker.capabilities.shorting


def test_an_order_without_a_valid_token_never_gets_in_and_occupies_no_id(desk_on, bars_of):
    bars, engine = bars_of({"A": [10] * 3}), OneTime()
    broker = broker_with(bars, engine)
    order = desk_on(bars).intent("buy", "A", 1)
    other = order.model_copy(update={"quantity": 2.0})
    refused = broker.submit(order, token_for(other))
    assert (refused.status, refused.reason) == (
        "rejected",
        "the token permits another order; ask for a verdict on this one",
    )
    assert broker.order(order.client_order_id) is None
    assert broker.submit(order, token_for(order)).status == "accepted"


def test_the_same_order_again_is_accepted_without_a_second_execution_or_token(desk_on, bars_of):
    bars, engine = bars_of({"A": [10] * 4}), OneTime()
    broker = broker_with(bars, engine)
    order = desk_on(bars).intent("buy", "A", 1)
    for _ in range(3):
        assert broker.submit(order, token_for(order)).status == "accepted"
    assert len(broker.open_orders()) == 1
    broker.step()
    assert broker.submit(order, token_for(order)).status == "accepted"
    broker.step()
    assert len(broker.fills()) == 1


def test_a_token_is_not_used_up_by_an_order_that_fails_another_check(desk_on, bars_of):
    bars, engine = bars_of({"A": [10] * 4}), OneTime()
    broker = broker_with(bars, engine)
    bought, sold = desk_on(bars).intent("buy", "A", 1, "b"), desk_on(bars).intent("sell", "A", 1, "s")
    assert broker.submit(sold, token_for(sold)).status == "rejected"
    assert engine.used == set()
    broker.submit(bought, token_for(bought))
    broker.step()
    assert broker.submit(sold, token_for(sold)).status == "accepted"


def test_other_terms_under_a_known_id_are_rejected(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [10] * 3}))
    assert desk.submit("buy", "A", 1, "x").status == "accepted"
    again = desk.submit("buy", "A", 2, "x")
    assert again.status == "rejected"
    assert "other terms" in again.reason
    assert desk.step().positions == {"A": 1}


def test_selling_more_than_is_free_is_rejected_and_counts_open_sales(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [10] * 4}))
    desk.buy("A", 10)
    desk.step()
    desk.sell("A", 6)
    answer = desk.submit("sell", "A", 5)
    assert answer.status == "rejected"
    assert answer.reason.startswith("4 shares of A are free")
    assert desk.submit("sell", "A", 4).status == "accepted"
    assert desk.step().positions == {}


def test_an_unknown_ticker_is_rejected_with_the_universe(desk_on, bars_of):
    answer = desk_on(bars_of({"A": [10] * 3})).submit("buy", "ZZZ", 1)
    assert answer.status == "rejected"
    assert "ZZZ is not traded here; the universe is A" in answer.reason


def test_a_whole_share_account_rejects_a_fraction(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [10] * 3}))
    answer = desk.submit("buy", "A", 1.5, "half")
    assert answer.status == "rejected"
    state = desk.broker.order("half")
    assert (state.status, state.filled_quantity, state.reason) == ("rejected", 0, answer.reason)


def test_a_cancelled_order_does_not_fill_and_is_reported_once(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [10] * 4}))
    order = desk.buy("A", 3)
    assert desk.broker.cancel(order).status == "cancelled"
    assert desk.broker.cancel(order).status == "cancelled"
    assert desk.broker.open_orders() == []
    report = desk.step()
    assert report.fills == ()
    assert [(end.client_order_id, end.status, end.unfilled_quantity) for end in report.ended] == [
        (order, "cancelled", 3)
    ]
    assert desk.step().ended == ()


def test_cancelling_an_order_that_does_not_exist_is_an_error(desk_on, bars_of):
    with pytest.raises(BrokerError, match="no order nope"):
        desk_on(bars_of({"A": [10] * 3})).broker.cancel("nope")


def test_cancelling_a_filled_order_changes_nothing(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [10] * 3}))
    order = desk.buy("A", 3)
    desk.step()
    assert desk.broker.cancel(order).status == "filled"
    assert desk.broker.account().positions == {"A": 3}


def test_fills_can_be_read_from_where_one_stopped(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [10] * 4}))
    desk.buy("A", 1)
    desk.step()
    desk.buy("A", 2)
    desk.step()
    assert [fill.quantity for fill in desk.broker.fills()] == [1, 2]
    assert [fill.quantity for fill in desk.broker.fills(since=1)] == [2]
    assert desk.broker.fills(since=2) == []


def test_a_closing_time_without_a_zone_is_refused(bars_of):
    bars = bars_of({"A": [10] * 3})
    broker = SimulatedBroker(
        bars,
        cash=1.0,
        costs=Costs(),
        authorise=lambda order, token: None,
        close_of=lambda day: datetime(day.year, day.month, day.day),  # noqa: DTZ001
    )
    with pytest.raises(InputError, match="has no time zone"):
        broker.account()


@pytest.mark.parametrize("cash", [0.0, -1.0, math.nan, math.inf])
def test_an_account_needs_a_positive_amount(desk_on, bars_of, cash):
    with pytest.raises(InputError, match="give a positive amount"):
        desk_on(bars_of({"A": [10] * 3}), cash=cash)


def test_equal_orders_on_equal_bars_give_equal_reports(desk_on, bars_of):
    rng = np.random.default_rng(3)
    path = (100 * np.exp(np.cumsum(rng.normal(0, 0.03, 40)))).tolist()

    def run() -> list[object]:
        desk = desk_on(bars_of({"A": path}), costs=Costs(commission_bps=3, commission_minimum=1))
        for i in range(39):
            desk.submit("sell" if i % 3 == 2 else "buy", "A", 5 + i)
            desk.step()
        return list(desk.reports)

    assert run() == run()


def test_session_names_are_the_dates_of_the_bars(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [10] * 3}))
    assert desk.broker.session == date(2031, 3, 3)
    assert desk.step().session == date(2031, 3, 4)
