"""What the kit cannot see of the Alpaca adapter: secrets, time limits, the client's own habits, whose account it is."""

import socket
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from paperdesk.tools.broker import OrderIntent, VerdictToken
from paperdesk.tools.broker.alpaca import Alpaca
from paperdesk.tools.broker.guard import GuardedBroker
from paperdesk.tools.broker.registry import BrokerSettings, open_broker
from paperdesk.tools.broker.stand_in.alpaca_server import AlpacaServer
from paperdesk.tools.broker.stand_in.exchange import Exchange
from paperdesk.tools.broker.stand_in.stage import NOON
from paperdesk.tools.errors import BrokerError, InputError, PaperDeskError

from .ordering import order

TOKEN = VerdictToken(terms="", policy="", state_version="", expires_at=NOON, mac="")


@pytest.fixture
def server() -> Iterator[AlpacaServer]:
    with AlpacaServer(Exchange(NOON, lambda ticker, at: {"AURX": 50.0}.get(ticker))) as made:
        yield made


def adapter(server: AlpacaServer) -> Alpaca:
    return Alpaca(BrokerSettings(timeout_seconds=5, environment=server.environment), pauses=(0.0,))


def test_secrets_come_from_the_environment_and_are_shown_nowhere(server: AlpacaServer) -> None:
    settings = BrokerSettings(environment=server.environment)
    assert server.secret not in repr(settings)
    with pytest.raises(InputError, match="APCA_API_SECRET_KEY is not set"):
        open_broker("alpaca", BrokerSettings(environment={"APCA_API_KEY_ID": "x"}))
    wrong = server.environment | {"APCA_API_SECRET_KEY": "another-secret"}
    with pytest.raises(BrokerError, match="not authorized") as refused:
        Alpaca(BrokerSettings(environment=wrong), pauses=())
    assert "another-secret" not in str(refused.value)


def test_the_client_repeats_no_order_by_itself(server: AlpacaServer) -> None:
    broker = adapter(server)
    server.faults.plan("gateway_timeout", "submit")
    answer = broker.submit(order())
    assert answer.status == "unknown"
    assert server.requests.count(("POST", "/v2/orders")) == 1, "alpaca-py would wait three seconds and repeat"
    assert broker.order("a1") is not None


def test_a_venue_that_never_answers_is_given_up(server: AlpacaServer) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(BrokerError, match="does not answer"):
            Alpaca(
                BrokerSettings(timeout_seconds=0.2, environment=server.environment | {"APCA_API_BASE_URL": url}),
                pauses=(),
            )
    assert time.monotonic() - began < 60


def test_an_account_whose_number_is_not_a_paper_accounts_is_refused(server: AlpacaServer) -> None:
    server.number = "987654321"
    with pytest.raises(BrokerError, match="not a paper account"):
        adapter(server)


def test_a_stream_that_refuses_the_keys_is_not_live_and_shows_no_secret(
    server: AlpacaServer, capfd: pytest.CaptureFixture[str]
) -> None:
    with AlpacaServer(server.exchange, secret="another-secret") as other:
        environment = server.environment | {"APCA_API_STREAM_URL": other.url.replace("http", "ws") + "/stream"}
        broker = Alpaca(BrokerSettings(timeout_seconds=1, environment=environment), pauses=(0.0,))
        feed = broker.updates()
        assert not feed.wait(0.5)
        assert not feed.live
        assert broker.submit(order()).status == "accepted", "without its stream the venue is asked as before"
        broker.close()
    assert server.secret not in "".join(capfd.readouterr())


def test_a_stream_that_never_answers_is_tried_again_and_closes(server: AlpacaServer) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        environment = server.environment | {"APCA_API_STREAM_URL": f"ws://127.0.0.1:{silent.getsockname()[1]}/stream"}
        broker = Alpaca(BrokerSettings(timeout_seconds=0.2, environment=environment), pauses=(0.0,))
        broker.updates()
        silent.settimeout(60)
        calls = [silent.accept()[0] for _ in range(3)]
        began = time.monotonic()
        broker.close()
        assert time.monotonic() - began < 60
        for call in calls:
            call.close()


def test_fills_are_read_page_by_page(server: AlpacaServer) -> None:
    broker = adapter(server)
    for i in range(205):
        server.exchange.submit(f"k{i}", "AURX", "buy", 1)
    fills = broker.fills(NOON)
    assert [fill.client_order_id for fill in fills] == [f"k{i}" for i in range(205)]
    assert broker.fills(NOON + timedelta(seconds=2)) == []


def test_a_guard_needs_a_paper_account_and_a_token(server: AlpacaServer) -> None:
    broker = adapter(server)

    def refuse(order: OrderIntent, token: VerdictToken) -> None:
        raise PaperDeskError("the verdict token is not valid")

    guard = GuardedBroker(broker, refuse, sleep=lambda seconds: None)
    answer = guard.submit(order(), TOKEN)
    assert answer.status == "rejected"
    assert answer.reason == "the verdict token is not valid"
    assert server.exchange.received == 0
    assert guard.replace(order().model_copy(update={"replaces": "x"}), TOKEN).status == "rejected"
    broken = order().model_copy(update={"quantity": float("nan")})
    assert guard.submit(broken, TOKEN).status == "rejected"


def test_a_guard_lets_no_account_through_that_its_switches_do_not_name(server: AlpacaServer) -> None:
    able = adapter(server).capabilities

    def guard(number: str, named: str) -> GuardedBroker:
        broker = adapter(server)

        class Live:
            capabilities = able.model_copy(update={"paper": False, "account": number})

            def __getattr__(self, name: str) -> object:
                return getattr(broker, name)

        return GuardedBroker(Live(), lambda order, token: None, live_account=named)  # type: ignore[arg-type]

    for number, named in (("1", ""), ("1", "2"), ("", ""), ("", "1")):
        with pytest.raises(BrokerError, match="not a paper account"):
            guard(number, named)
    assert guard("1", "1").capabilities.account == "1"


def test_an_order_stays_unknown_while_the_venue_is_silent(server: AlpacaServer) -> None:
    guard = GuardedBroker(adapter(server), lambda order, token: None, pauses=(0, 0), sleep=lambda seconds: None)
    server.faults.plan("answer_lost", "submit")
    server.faults.plan("disconnect", "order", times=99)
    assert guard.submit(order(), TOKEN).status == "unknown"
    with pytest.raises(BrokerError, match="is unknown"):
        guard.settle("a1")
    assert server.exchange.received == 1, "nothing was sent again while nothing was known"
