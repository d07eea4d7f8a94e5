"""The guard at venues that take a second order under the same id: what is late is waited for, and not sent again."""

from collections.abc import Callable, Iterator

import pytest

from paperdesk.tools.broker import Broker, VerdictToken
from paperdesk.tools.broker.guard import GuardedBroker
from paperdesk.tools.broker.registry import BrokerSettings
from paperdesk.tools.broker.stand_in.alpaca_stage import AlpacaStage
from paperdesk.tools.broker.stand_in.binance_stage import BinanceStage
from paperdesk.tools.broker.stand_in.ib_stage import IBStage
from paperdesk.tools.broker.stand_in.stage import NOON, ServedStage

from .ordering import order

TOKEN = VerdictToken(terms="", policy="", state_version="", expires_at=NOON, mac="")


@pytest.fixture
def stage(request: pytest.FixtureRequest) -> Iterator[ServedStage]:
    made: ServedStage = request.param()
    yield made
    made.close()


def arriving_late(stage: ServedStage, seconds: float, waited: list[float]) -> Callable[[float], None]:
    """Waits in no time. Once so many seconds are waited, what was on its way arrives."""

    def sleep(now: float) -> None:
        waited.append(now)
        if now == seconds and waited.count(now) == 1:
            environment = stage.settings().environment
            late = stage.connect(BrokerSettings(5, environment={**environment, "IB_CLIENT_ID": "9"}))
            assert late.submit(order()).status == "accepted"
            late.close()

    return sleep


def guarded(broker: Broker, sleep: Callable[[float], None]) -> GuardedBroker:
    return GuardedBroker(broker, lambda order, token: None, pauses=(1.0, 1.0), sleep=sleep)


@pytest.mark.parametrize("stage", [BinanceStage, IBStage], indirect=True)
def test_an_order_that_arrives_late_is_found_and_not_sent_again(stage: ServedStage) -> None:
    broker, waited = stage.open(), list[float]()
    guard = guarded(broker, arriving_late(stage, broker.capabilities.in_flight_seconds, waited))
    stage.injector.plan("request_lost", "submit")
    assert guard.submit(order(), TOKEN).status == "accepted"
    assert broker.capabilities.in_flight_seconds in waited, "sent again at once, there would be two when it arrives"
    stage.trade()
    assert broker.positions() == {"AURX": 2.0}
    broker.close()


@pytest.mark.parametrize("stage", [BinanceStage, IBStage], indirect=True)
def test_after_a_restart_too_an_order_that_was_on_its_way_is_waited_for(stage: ServedStage) -> None:
    broker, waited = stage.open(), list[float]()
    guard = guarded(broker, arriving_late(stage, broker.capabilities.in_flight_seconds, waited))
    assert guard.settle("a1") is not None
    waited.clear()
    assert guard.settle("never-seen") is None
    assert broker.capabilities.in_flight_seconds in waited
    broker.close()


@pytest.mark.parametrize("stage", [AlpacaStage], indirect=True)
def test_where_an_id_is_taken_once_nothing_is_waited_for(stage: ServedStage) -> None:
    broker, waited = stage.open(), list[float]()
    stage.injector.plan("request_lost", "submit")
    assert guarded(broker, waited.append).submit(order(), TOKEN).status == "accepted"
    assert waited == [1.0]
    broker.close()
