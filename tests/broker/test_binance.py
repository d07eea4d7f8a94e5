"""What the kit cannot see of the ccxt adapter: lots, ids that the exchange forgets, sandbox and switches, secrets."""

import socket
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from paperdesk.tools.broker import Unknown
from paperdesk.tools.broker.ccxt_binance import RECV_WINDOW, CcxtBinance
from paperdesk.tools.broker.guard import answer_of
from paperdesk.tools.broker.registry import BrokerSettings, open_broker
from paperdesk.tools.broker.stand_in import binance_server
from paperdesk.tools.broker.stand_in.binance_server import BinanceServer, always
from paperdesk.tools.broker.stand_in.exchange import Exchange
from paperdesk.tools.broker.stand_in.stage import NOON, PRICES
from paperdesk.tools.errors import BrokerError, BrokerUnreachable, InputError

from .ordering import order


@pytest.fixture
def server() -> Iterator[BinanceServer]:
    exchange = Exchange(NOON, lambda ticker, at: PRICES.get(ticker), hours=always)
    with BinanceServer(exchange, tuple(PRICES)) as made:
        yield made


def adapter(server: BinanceServer, live: bool = False, **environment: str) -> CcxtBinance:
    settings = BrokerSettings(timeout_seconds=5, live=live, environment=server.environment | environment)
    return CcxtBinance(settings, pauses=(0.0,), paced=False)


def test_an_id_that_the_exchange_has_forgotten_is_not_sent_again(server: BinanceServer) -> None:
    broker = adapter(server)
    assert broker.submit(order()).status == "accepted"
    assert server.exchange.positions == {"AURX": 2.0}
    again = adapter(server)  # knows nothing of before
    assert again.submit(order()).status == "accepted"
    assert again.submit(order(3)).status == "rejected"
    assert server.exchange.received == 1, (
        "at the exchange the id is free again: only the look-up prevents a second order"
    )


def test_an_order_is_cut_to_whole_lots_and_is_still_known_as_the_same(server: BinanceServer) -> None:
    broker, asked = adapter(server), order(0.12345678)
    assert broker.submit(asked).status == "accepted"
    state = broker.order("a1")
    assert state is not None
    assert (state.quantity, state.filled_quantity, state.lot) == (0.1234, 0.1234, 0.0001)
    assert answer_of(asked, state).status == "accepted"
    assert answer_of(order(0.1236), state).status == "rejected"
    assert answer_of(order(0.1233), state).status == "rejected"
    tiny = broker.submit(order(0.00001, "a2"))
    assert tiny.status == "rejected"
    assert "lots of 0.0001" in tiny.reason


def test_an_order_of_a_market_that_the_desk_did_not_name_is_refused(server: BinanceServer) -> None:
    broker = adapter(server, CCXT_SYMBOLS="AURX/USDT")
    assert broker.submit(order(ticker="BOLT")).status == "rejected"
    assert server.exchange.received == 0
    server.exchange.positions["BOLT"] = 3.0
    assert broker.account().positions == {}
    for listed, said in (
        ("AURX", "must name pairs"),
        ("AURX/USDT,BOLT/EUR", "one quote"),
        ("NOSUCH/USDT", "not trade"),
    ):
        with pytest.raises(InputError, match=said):
            adapter(server, CCXT_SYMBOLS=listed)


def test_only_the_sandbox_is_paper_and_its_address_is_not_taken_where_real_money_is_asked_for(
    server: BinanceServer,
) -> None:
    assert adapter(server).capabilities.paper
    assert adapter(server, live=True).capabilities.paper, "one switch alone leaves it in the sandbox"
    with pytest.raises(InputError, match="address of this machine"):
        adapter(server, CCXT_URL="https://api.binance.com")
    with pytest.raises(InputError, match="leave it out where real money is traded"):
        adapter(server, live=True, PAPERDESK_LIVE_ACCOUNT="1001")


def test_a_state_that_is_not_known_leaves_an_order_unknown_and_never_refused(
    server: BinanceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker, told = adapter(server), binance_server._order
    monkeypatch.setattr(binance_server, "_order", lambda found: told(found) | {"status": "SOMETHING_NEW"})
    answer = broker.submit(order())
    assert isinstance(answer, Unknown)
    assert "SOMETHING_NEW" in answer.reason
    with pytest.raises(BrokerError, match="SOMETHING_NEW"):
        broker.order("a1")
    assert server.exchange.received == 1
    monkeypatch.setattr(binance_server, "_order", lambda found: told(found) | {"status": "PENDING_NEW"})
    state = broker.order("a1")
    assert state is not None
    assert state.status == "partially_filled", "it waits, with what it has filled"


def test_open_orders_come_in_their_order_although_every_pair_counts_for_itself(
    server: BinanceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, far = binance_server._order, {"AURX": 9_000_000, "BOLT": 0}
    monkeypatch.setattr(
        binance_server, "_order", lambda found: told(found) | {"orderId": int(found.id) + far[found.ticker]}
    )
    server.exchange.share_of_fill = 0.0
    broker = adapter(server)
    for key, ticker in (("k1", "AURX"), ("k2", "BOLT"), ("k3", "AURX")):
        broker.submit(order(key=key, ticker=ticker))
        server.exchange.advance(server.exchange.now + timedelta(seconds=1))
    assert [row.client_order_id for row in broker.open_orders()] == ["k1", "k2", "k3"]


def test_the_exchange_does_not_take_an_order_that_was_long_on_its_way(server: BinanceServer) -> None:
    broker = adapter(server)
    broker.submit(order())
    assert server.window == RECV_WINDOW
    assert broker.capabilities.in_flight_seconds >= 2 * RECV_WINDOW / 1000


def test_secrets_come_from_the_environment_and_are_shown_nowhere(server: BinanceServer) -> None:
    with pytest.raises(InputError, match="CCXT_SECRET is not set"):
        open_broker("binance", BrokerSettings(environment=server.environment | {"CCXT_SECRET": ""}))
    with pytest.raises(BrokerError, match="Invalid API-key") as refused:
        adapter(server, CCXT_SECRET="another-secret")
    shown = str(refused.value) + repr(refused.value.__cause__)
    assert "another-secret" not in shown
    broker = adapter(server)
    server.faults.plan("disconnect", "account", times=9)
    with pytest.raises(BrokerUnreachable) as lost:
        broker.positions()
    assert "signature" not in str(lost.value)
    server.faults.plan("answer_lost", "submit")
    answer = broker.submit(order())
    assert isinstance(answer, Unknown)
    assert "signature" not in answer.reason


def test_a_venue_that_never_answers_is_given_up(server: BinanceServer) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        environment = server.environment | {"CCXT_URL": f"http://127.0.0.1:{silent.getsockname()[1]}"}
        began = time.monotonic()
        with pytest.raises(BrokerUnreachable):
            CcxtBinance(BrokerSettings(timeout_seconds=0.2, environment=environment), pauses=())
    assert time.monotonic() - began < 60


def test_fills_are_read_page_by_page(server: BinanceServer, monkeypatch) -> None:
    monkeypatch.setattr("paperdesk.tools.broker.ccxt_binance.PAGE", 10)
    for i in range(25):
        server.exchange.submit(f"k{i}", "AURX", "buy", 1)
    assert [fill.client_order_id for fill in adapter(server).fills(NOON)] == [f"k{i}" for i in range(25)]
