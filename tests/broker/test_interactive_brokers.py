"""What the kit cannot see of the adapter of Interactive Brokers: whose account it is, notes, corrections, silence."""

import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from paperdesk.tools.broker.interactive_brokers import InteractiveBrokers
from paperdesk.tools.broker.registry import BrokerSettings
from paperdesk.tools.broker.stand_in import ib_messages
from paperdesk.tools.broker.stand_in.exchange import Exchange
from paperdesk.tools.broker.stand_in.ib_server import IBServer
from paperdesk.tools.broker.stand_in.stage import NOON, PRICES
from paperdesk.tools.errors import BrokerError, BrokerUnreachable, InputError

from .ordering import order

Open = Callable[..., InteractiveBrokers]


@pytest.fixture
def server() -> Iterator[IBServer]:
    exchange = Exchange(NOON, lambda ticker, at: PRICES.get(ticker), fractional=False)
    with IBServer(exchange) as made:
        yield made


@pytest.fixture
def adapter(server: IBServer) -> Iterator[Open]:
    opened: list[InteractiveBrokers] = []

    def make(live: bool = False, seconds: float = 5, **environment: str) -> InteractiveBrokers:
        settings = BrokerSettings(seconds, live, environment=server.environment | environment)
        opened.append(InteractiveBrokers(settings, pauses=(0.0,)))
        return opened[-1]

    yield make
    for broker in opened:
        broker.close()


def test_only_an_account_that_begins_with_du_is_paper(server: IBServer, adapter: Open) -> None:
    server.accounts = ("U7654321",)
    for live, number in ((False, ""), (True, ""), (False, "U7654321"), (True, "U1111111")):
        with pytest.raises(BrokerError, match="not a paper account"):
            adapter(live, PAPERDESK_LIVE_ACCOUNT=number)
    able = adapter(True, PAPERDESK_LIVE_ACCOUNT="U7654321").capabilities
    assert (able.paper, able.account) == (False, "U7654321")


def test_of_several_accounts_one_has_to_be_named(server: IBServer, adapter: Open) -> None:
    server.accounts = ("DU1234567", "DU7654321")
    with pytest.raises(InputError, match="has 2 accounts"):
        adapter()
    with pytest.raises(InputError, match="no such account"):
        adapter(IB_ACCOUNT="DU0000000")
    assert adapter(IB_ACCOUNT="DU1234567").submit(order()).status == "accepted"
    with pytest.raises(InputError, match="IB_PORT must be a whole number"):
        adapter(IB_PORT="paper")


def test_a_note_is_looked_up_because_the_gateway_keeps_none_unique(server: IBServer, adapter: Open) -> None:
    assert adapter(IB_CLIENT_ID="1").submit(order()).status == "accepted"
    another = adapter(IB_CLIENT_ID="2")
    assert another.submit(order()).status == "accepted"
    assert another.submit(order(3)).status == "rejected"
    assert server.exchange.received == 1
    state = another.order("a1")
    assert state is not None
    assert (state.quantity, state.filled_quantity, state.status) == (2, 2, "filled"), "the quantity is in the note"


def test_a_sale_of_what_is_not_held_and_free_never_leaves(server: IBServer, adapter: Open) -> None:
    broker = adapter()
    assert broker.submit(order()).status == "accepted"
    server.exchange.share_of_fill = 0.0
    assert broker.submit(order(2, "s1", side="sell")).status == "accepted"
    received = server.exchange.received
    again = broker.submit(order(1, "s2", side="sell"))
    assert again.status == "rejected"
    assert "not held and free" in again.reason
    assert server.exchange.received == received, "the gateway would have lent the share"


def test_an_execution_that_was_corrected_counts_as_it_was_corrected(
    server: IBServer, adapter: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = adapter()
    broker.submit(order())
    first, second = server.exchange.trades[0], None
    assert [made.price for made in broker.fills(NOON)] == [50.0]
    whole = ib_messages.execution

    def corrected(trade, request, number, order, client, account):
        fields = list(whole(trade, request, number, order, client, account))
        if trade is second:
            fields[14], fields[20] = "0000e0d5.0000000001.01.02", 49.5  # its last part counts corrections
        return fields

    monkeypatch.setattr("paperdesk.tools.broker.stand_in.ib_server.execution", corrected)
    second = type(first)(**vars(first))
    server.exchange.trades.append(second)
    assert [(made.price, made.quantity) for made in broker.fills(NOON)] == [(49.5, 2.0)]


def test_a_gateway_that_is_silent_is_given_up_and_one_that_restarts_is_found_again(
    server: IBServer, adapter: Open
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        with pytest.raises(BrokerUnreachable, match="does not answer"):
            adapter(seconds=0.2, IB_PORT=str(silent.getsockname()[1]))
        assert time.monotonic() - began < 60
    broker = adapter()
    for client in tuple(server.clients):
        client.hang_up()
    assert broker.account().cash == server.exchange.cash
    broker.close()
    broker.close()
    with pytest.raises(BrokerError, match="was closed"):
        broker.positions()


def test_what_an_execution_cost_is_told_although_it_was_pushed_before_it_was_asked_for(
    server: IBServer, adapter: Open
) -> None:
    server.exchange.commission = 0.01
    broker = adapter()
    broker.submit(order())
    for _ in range(2):
        assert [made.commission for made in broker.fills(NOON)] == [1.0]
    assert [made.commission for made in adapter(IB_CLIENT_ID="2").fills(NOON)] == [1.0]


def test_an_order_is_cancelled_by_the_client_that_sent_it_and_no_other_ones_in_its_place(
    server: IBServer, adapter: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.exchange.share_of_fill = 0.0
    first, second = adapter(IB_CLIENT_ID="1"), adapter(IB_CLIENT_ID="2")
    first.submit(order(key="mine"))
    second.submit(order(key="other"))
    # Both clients count from one, as at the real gateway.
    server.sent_by = {key: (client, 1) for key, (client, _) in server.sent_by.items()}
    with pytest.raises(BrokerError, match="IB_CLIENT_ID=1"):
        second.cancel("mine")
    assert [row.client_order_id for row in first.open_orders()] == ["mine", "other"]
    assert first.cancel("mine").status == "cancelled"
    assert [row.client_order_id for row in first.open_orders()] == ["other"]
    assert second.cancel("other").status == "cancelled"


def test_what_belongs_to_another_account_is_not_seen(server: IBServer, adapter: Open) -> None:
    server.accounts = ("DU1234567", "DU7654321")
    server.exchange.share_of_fill = 0.0
    mine, others = adapter(IB_ACCOUNT="DU1234567"), adapter(IB_ACCOUNT="DU7654321", IB_CLIENT_ID="2")
    mine.submit(order())
    assert others.open_orders() == []
    assert others.order("a1") is None
    with pytest.raises(BrokerError, match="no order a1"):
        others.cancel("a1")
    server.exchange.share_of_fill = 1.0
    server.exchange.match()
    assert mine.positions() == {"AURX": 2.0}
    assert (others.positions(), others.fills(NOON), others.order("a1")) == ({}, [], None)


def test_a_large_order_keeps_all_its_digits(server: IBServer, adapter: Open) -> None:
    server.exchange.cash = 1e9
    broker = adapter()
    assert broker.submit(order(1_234_567)).status == "accepted"
    assert broker.submit(order(1_234_568)).status == "rejected"
    state = adapter(IB_CLIENT_ID="2").order("a1")
    assert state is not None
    assert (state.quantity, state.filled_quantity) == (1_234_567, 1_234_567)


def test_a_read_only_gateway_refuses_and_nothing_is_waited_for(server: IBServer, adapter: Open) -> None:
    server.read_only = True
    answer = adapter().submit(order())
    assert answer.status == "rejected"
    assert "Read-Only" in answer.reason
    assert server.exchange.received == 0


@pytest.mark.parametrize("other", [("FUT", "USD"), ("STK", "EUR"), ("CRYPTO", "USD")])
def test_an_account_that_holds_other_than_us_shares_is_refused(
    other: tuple[str, str], server: IBServer, adapter: Open
) -> None:
    broker = adapter()
    broker.submit(order())
    server.contracts["AURX"] = other
    for ask in (broker.positions, broker.account):
        with pytest.raises(BrokerError, match=rf"AURX \({other[0]}, {other[1]}\), which is no US share"):
            ask()


def test_an_account_whose_values_are_missing_or_in_another_currency_is_an_error(
    server: IBServer, adapter: Open
) -> None:
    server.currency = "EUR"
    with pytest.raises(BrokerError, match="kept in EUR"):
        adapter().account()
    server.untold.add("TotalCashValue")
    with pytest.raises(BrokerError, match="does not tell the account's TotalCashValue"):
        adapter(IB_CLIENT_ID="2").account()


def test_a_name_whose_price_may_not_be_seen_takes_no_others_price_away(server: IBServer, adapter: Open) -> None:
    server.unseen.add("BOLT")
    assert list(adapter().quotes(("BOLT", "AURX"))) == ["AURX"]
    server.unseen.add("AURX")
    assert adapter(IB_CLIENT_ID="2").quotes(("BOLT", "AURX")) == {}


def test_quotes_are_the_best_prices_and_an_unknown_name_is_refused(adapter: Open) -> None:
    broker = adapter()
    quotes = broker.quotes(("AURX", "BOLT"))
    assert {ticker: (round(row.bid, 6), round(row.ask, 6)) for ticker, row in quotes.items()} == {
        "AURX": (49.995, 50.005),
        "BOLT": (19.998, 20.002),
    }
    refused = broker.submit(order(ticker="NOSUCH"))
    assert refused.status == "rejected"
    assert "knows no US share" in refused.reason


def test_the_clock_knows_weekends(server: IBServer, adapter: Open) -> None:
    broker = adapter()
    assert broker.clock().is_open
    server.exchange.now = datetime(2026, 11, 21, 12, tzinfo=UTC)  # a Saturday
    clock = broker.clock()
    assert not clock.is_open
    assert clock.next_open == datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
    assert clock.next_close - clock.next_open == timedelta(hours=6, minutes=30)
