"""Single steps of a live desk: what it tells of a feed that breaks, and how long the refreshing of data may take."""

import shlex
import sys
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.live.closing import ended_state
from paperdesk.simulations.live.opening import Trader
from paperdesk.simulations.live.refreshing import refreshed
from paperdesk.simulations.live.settings import TradeConfig
from paperdesk.simulations.live.standing import Standing
from paperdesk.tools.broker.protocol import OrderState
from paperdesk.tools.broker.updates import UpdateFeed
from paperdesk.tools.errors import BrokerError


class NoTime:
    """A clock on which waiting takes no time."""

    at = datetime(2024, 1, 2, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def sleep_until(self, moment: datetime, beat: Any, wake: Any = None) -> None:
        beat()
        self.at = moment


def trader(feed: UpdateFeed | None, told: list[str], broker: Any = None) -> Trader:
    """One that only listens, or asks this broker."""
    nothing: Any = None
    return Trader(
        config=TradeConfig(session=SessionConfig(), broker="alpaca"), journal=nothing, broker=broker, rules=nothing,
        clock=NoTime(), calendar=nothing, tickers=(), standing=Standing(), decision=lambda: None, beat=told.append,
        feed=feed,
    )  # fmt: skip


def test_an_order_that_cannot_be_cancelled_is_looked_up_again_and_not_cancelled_for_ever():
    states = [OrderState.model_validate({**ORDER, "status": status}) for status in ("open", "open", "expired")]

    class Venue:
        def order(self, key: str) -> OrderState:
            return states.pop(0)

        def cancel(self, key: str) -> OrderState:
            raise BrokerError("It was sent by another client of the gateway.")

    told = list[str]()
    ended = ended_state(trader(None, told, Venue()), "a")
    assert ended is not None
    assert ended.status == "expired"
    assert any("another client" in line for line in told)


ORDER = {"client_order_id": "a", "ticker": "BRQL", "side": "buy", "quantity": 1.0, "filled_quantity": 0.0}


def test_why_a_feed_is_not_connected_is_told_once_each_time():
    feed, told = UpdateFeed(), list[str]()
    desk = trader(feed, told)
    desk.tell_news()
    assert told == [], "it has not failed yet"
    feed.lost("the stream refuses the keys")
    for _ in range(3):
        desk.tell_news()
    assert told == ["the stream refuses the keys: the broker is asked in turn"]
    feed.lost("the stream cannot be reached")
    desk.tell_news()
    assert told[1:] == ["the stream cannot be reached: the broker is asked in turn"]
    feed.connected()
    desk.tell_news()
    feed.lost("the stream cannot be reached")
    desk.tell_news()
    assert len(told) == 3, "it was back in between"
    trader(None, told).tell_news()
    assert len(told) == 3


def test_a_refreshing_that_hangs_is_ended_with_what_it_has_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paperdesk.simulations.live.refreshing.GRACE_SECONDS", 0.1)
    told = list[str]()
    # It asks to be left alone, and so does its child, which holds on to everything that it has inherited.
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {stubborn!r}]); {stubborn}"
    began = time.monotonic()
    said = refreshed(shlex.join([sys.executable, "-c", code]), lambda: told.append("alive"), seconds=1.0)
    assert said.startswith("the command that refreshes the data was stopped after")
    assert told
    assert time.monotonic() - began < 300, "it did not sleep to its end"


def test_a_refreshing_that_cannot_be_run_or_fails_is_told():
    def run(*command: str) -> str:
        return refreshed(shlex.join(command), lambda: None)

    assert run(sys.executable, "-c", "pass") == ""
    assert "ended with 1 (no such vendor)" in run(sys.executable, "-c", "import sys; sys.exit('no such vendor')")
    assert "cannot be run" in run("/no/such/command")
    assert "cannot be run" in refreshed("a 'quote without an end", lambda: None)
