"""Whatever is opened is closed: no thread and no session is left of a broker, one that was refused, or a stage."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
import requests

from paperdesk.tools.broker.conformance import CHECKS
from paperdesk.tools.broker.conformance.run import run_one
from paperdesk.tools.broker.stand_in.alpaca_stage import AlpacaStage
from paperdesk.tools.broker.stand_in.binance_stage import BinanceStage
from paperdesk.tools.broker.stand_in.ib_stage import IBStage
from paperdesk.tools.errors import BrokerError

from .ordering import order

Kind = type[AlpacaStage] | type[BinanceStage] | type[IBStage]
KINDS = pytest.mark.parametrize("kind", [AlpacaStage, BinanceStage, IBStage])


def within(holds: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Whether it comes true; how quick this machine is does not matter."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


@KINDS
def test_a_stage_ends_its_connections_and_a_broker_its_threads(kind: Kind) -> None:
    before = set(threading.enumerate())
    stage = kind()
    broker = stage.open()
    assert broker.submit(order()).status == "accepted"
    if isinstance(stage, AlpacaStage):
        broker.updates()  # type: ignore[attr-defined]
    own = [t for t in set(threading.enumerate()) - before if t.name in ("ib-gateway", "alpaca-stream")]
    broker.close()
    assert within(lambda: not any(thread.is_alive() for thread in own))
    kept = stage.open()  # a client that does not hang up
    stage.close()
    assert [thread for thread in set(threading.enumerate()) - before if thread.name != "ib-gateway"] == []
    kept.close()
    assert within(lambda: set(threading.enumerate()) <= before)


@KINDS
def test_a_check_leaves_nothing_behind_whether_it_is_run_or_skipped(kind: Kind) -> None:
    before = set(threading.enumerate())
    run = next(check for check in CHECKS if not check.needs)
    for check in (run, replace(run, needs=frozenset({"nothing like it"}))):
        run_one(kind, check)
    assert within(lambda: set(threading.enumerate()) <= before)


@KINDS
def test_a_broker_that_is_refused_leaves_nothing_behind(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[requests.Session] = []
    close = requests.Session.close

    def told(session: requests.Session) -> None:
        closed.append(session)
        close(session)

    monkeypatch.setattr(requests.Session, "close", told)
    stage, before = kind(), set(threading.enumerate())
    with pytest.raises(BrokerError, match="not a paper account"):
        stage.open_live(False, "")
    assert len(set(map(id, closed))) == {AlpacaStage: 2, BinanceStage: 1, IBStage: 0}[kind]
    assert within(lambda: all(t.name != "ib-gateway" for t in set(threading.enumerate()) - before))
    stage.close()
