"""Live paper trading before a loopback Alpaca: what it sends, what it does not, and that nothing is lost or doubled."""

import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paperdesk import Session
from paperdesk.memory.journal import verify
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.live.clock import WallClock
from paperdesk.simulations.live.standing import TradingError
from paperdesk.simulations.live.trade import ATTEMPTS, connected, trade
from paperdesk.tools.broker.protocol import OrderState, VerdictToken
from paperdesk.tools.broker.registry import BrokerSettings
from paperdesk.tools.broker.updates import OrderUpdate, UpdateFeed
from paperdesk.tools.errors import BrokerError, BrokerUnreachable, InputError
from paperdesk.tools.frozen import content_hash
from paperdesk.tools.market.dataset import fingerprinted
from paperdesk.tools.market.invariance import alter
from paperdesk.tools.market.write import write_dataset
from paperdesk.tools.rules.tokens import TokenDesk

from .live_venue import Venue, alpaca_venue, events, head_of, market_folder

pytestmark = pytest.mark.slow
__all__ = ["alpaca_venue", "market_folder"]  # fixtures


def test_it_decides_at_the_close_sends_at_the_next_open_and_ends_with_equal_ledgers(venue: Venue, tmp_path: Path):
    run = tmp_path / "run"
    venue.trade(venue.config(3), run)
    reports, decided = events(run, "venue_reported"), events(run, "decision_opened")
    assert [report.decide for report in reports] == [True, True, True, False]
    assert [opened.session for opened in decided] == [report.session for report in reports[:3]]
    sent = events(run, "order_sent")
    assert sent
    for event in sent:
        opens = venue.market.calendar.open_of(venue.market.calendar.next_session(event.order.decided_at.date()))
        assert opens + timedelta(seconds=60) <= event.at < opens + timedelta(minutes=10)
    assert {order.client_order_id for order in venue.exchange.orders.values()} == {
        event.order.client_order_id for event in sent
    }
    assert reports[-1].positions == venue.exchange.positions
    assert reports[-1].notes == []
    assert [bar.cash for bar in events(run, "bar_closed")] == [report.cash for report in reports]
    assert len(list((run / "reports").iterdir())) == 4
    assert json.loads((run / "heartbeat.json").read_text())["process"] == os.getpid()
    journal = (run / "journal.db").read_bytes()
    assert b"stand-in-secret" not in journal
    assert b"stand-in-key" not in journal
    session = Session(run)
    assert session.live
    assert verify(run).problem is None
    assert session.replay().head == head_of(run)


def test_a_token_for_the_venue_cannot_be_made_from_the_journal(venue: Venue, tmp_path: Path):
    run = tmp_path / "run"
    venue.trade(venue.config(1), run)
    (started,) = events(run, "session_started")
    session = content_hash(started.model_dump(mode="json"))[:16]
    secret = content_hash(["verdict tokens", session]).encode()
    derivable, sent = [], {event.order.client_order_id for event in events(run, "order_sent")}
    for event in events(run, "rule_verdict"):
        if event.report["token"] is not None and event.order.client_order_id in sent:
            token = VerdictToken.model_validate(event.report["token"])
            forged = TokenDesk(token.policy, timedelta(minutes=1), secret)
            mac = forged._mac(token.terms, token.policy, token.state_version, token.expires_at)
            derivable.append(mac == token.mac)
    assert derivable.count(True) == derivable.count(False) == len(sent) > 0, "at the close they are, at the open not"


def test_pushed_fills_are_told_and_a_stream_that_breaks_again_and_again_costs_nothing(venue: Venue, tmp_path: Path):
    class Pushing(Venue):
        """Gives what is pushed the time to arrive, and breaks the stream every other time."""

        waits = 0

        def sleep_until(self, moment: datetime, beat: Any, wake: Any = None) -> None:
            super().sleep_until(moment, beat)
            if wake is not None:
                self.waits += 1
                wake(2.0)
                if self.waits % 2:
                    venue.server.hang_up_streams()

    venue.server.faults.standing.update(("duplicate_events", "out_of_order_events"))
    venue.exchange.share_of_fill = 0.5
    pushing = Pushing(venue.market, venue.exchange, venue.server, venue.folder)
    pushing.trade(venue.config(2, poll_seconds=3600.0), tmp_path / "run")
    told = [line for line in pushing.beats if line.startswith("filled: ")]
    assert told
    assert len(told) == len(set(told)), "an execution is told once"
    assert len(told) < len(venue.exchange.trades), "some were pushed while the stream was broken"
    reports = events(tmp_path / "run", "venue_reported")
    assert reports[-1].positions == pytest.approx(venue.exchange.positions)
    assert sum(len(report.fills) for report in reports) == len(venue.exchange.trades)


def test_a_dry_run_sends_nothing(venue: Venue, tmp_path: Path):
    venue.trade(venue.config(2, dry_run=True), tmp_path / "run")
    assert venue.exchange.received == 0
    withheld = events(tmp_path / "run", "order_withheld")
    assert withheld
    assert all("dry run" in event.reason for event in withheld)


def test_the_kill_switch_stops_what_would_be_sent(venue: Venue, tmp_path: Path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "KILL").touch()
    venue.trade(venue.config(1), run)
    assert venue.exchange.received == 0
    assert all("kill switch" in event.reason for event in events(run, "order_withheld"))
    assert events(run, "order_withheld")


def test_a_clock_that_is_off_stops_purchases(venue: Venue, tmp_path: Path):
    venue.server.faults.standing.add("clock_skew")
    venue.trade(venue.config(1, poll_seconds=600), tmp_path / "run")
    assert venue.exchange.received == 0
    assert events(tmp_path / "run", "venue_checked")[0].skew_seconds == pytest.approx(3600, abs=60)


def test_after_a_sleep_over_days_it_catches_up_and_sends_no_old_order(venue: Venue, tmp_path: Path):
    run = tmp_path / "run"
    config = venue.config(6)
    calendar = venue.market.calendar
    day = calendar.last_closed(venue.exchange.now)
    for _ in range(3):
        day = calendar.next_session(day)
    venue.asleep_until = calendar.close_of(day) + timedelta(hours=1)  # the first wait takes three days
    venue.trade(config, run)
    reports = events(run, "venue_reported")
    assert len(reports) == 7
    assert [report.decide for report in reports] == [False, False, False, True, True, True, False]
    assert "could not be taken in time" in reports[0].notes[-1]
    assert reports[-1].positions == venue.exchange.positions
    assert {event.order.decided_at.date() for event in events(run, "order_sent")} <= {r.session for r in reports[3:6]}


def test_orders_of_a_decision_are_not_sent_after_the_next_open_has_passed(venue: Venue, tmp_path: Path):
    run = tmp_path / "run"

    class Sleepy:
        """Sleeps through the open that comes after the first decision."""

        def now(self) -> datetime:
            return venue.now()

        def sleep_until(self, moment: datetime, beat: Any, wake: Any = None) -> None:
            if events(run, "decision_closed") and venue.asleep_until is None and venue.exchange.received == 0:
                moment = max(moment, calendar.close_of(calendar.next_session(first)) - timedelta(hours=1))
            venue.sleep_until(moment, beat)

    calendar = venue.market.calendar
    first = calendar.last_closed(venue.exchange.now)
    settings = BrokerSettings(timeout_seconds=5, environment=venue.server.environment)
    trade(venue.config(1), run, clock=Sleepy(), settings=settings)
    assert venue.exchange.received == 0
    assert all("could not be sent at the open" in event.reason for event in events(run, "order_withheld"))


def test_shares_that_the_ledger_does_not_know_stop_purchases_until_a_person_adopts_them(venue: Venue, tmp_path: Path):
    run = tmp_path / "run"
    config = venue.config(1)
    venue.trade(config, run)
    assert events(run, "order_sent")
    # Somebody bought at the same account.
    again = tmp_path / "again"
    longer = venue.config(2)
    stranger = {"done": False}

    class Meddled(Venue):
        def sleep_until(self, moment: datetime, beat: Any, wake: Any = None) -> None:
            super().sleep_until(moment, beat)
            if not stranger["done"] and events(again, "decision_closed"):
                stranger["done"] = True
                venue.exchange.positions["BRQL"] = venue.exchange.positions.get("BRQL", 0.0) + 50

    before = venue.exchange.received
    meddled = Meddled(venue.market, venue.exchange, venue.server, venue.folder)
    meddled.trade(longer.model_copy(update={"poll_seconds": 600.0}), again)
    notes = [note for report in events(again, "venue_reported") for note in report.notes]
    assert any(note.startswith("BRQL: the venue holds") for note in notes)
    bought = [event for event in events(again, "order_sent") if event.order.side == "buy"]
    assert bought == []
    assert venue.exchange.received - before == len(events(again, "order_sent"))


def test_an_account_that_is_not_the_desks_own_is_refused(venue: Venue, tmp_path: Path):
    venue.exchange.positions["MELQ"] = 5.0
    with pytest.raises(TradingError, match="MELQ, which this desk does not trade"):
        venue.trade(venue.config(1), tmp_path / "run")


def test_a_live_account_needs_both_switches(venue: Venue, tmp_path: Path):
    venue.server.number = "123456789"
    environment = venue.server.environment
    for live, number in ((False, ""), (True, ""), (False, "123456789"), (True, "987654321")):
        settings = BrokerSettings(live=live, environment=environment | {"PAPERDESK_LIVE_ACCOUNT": number})
        with pytest.raises(BrokerError, match="not a paper account"):
            trade(venue.config(1), tmp_path / "run", clock=venue, settings=settings)
    assert not (tmp_path / "run").exists()
    settings = BrokerSettings(live=True, environment=environment | {"PAPERDESK_LIVE_ACCOUNT": "123456789"})
    trade(venue.config(1, dry_run=True), tmp_path / "run", clock=venue, settings=settings)


def test_a_session_goes_on_by_its_own_choices_only(venue: Venue, tmp_path: Path):
    with pytest.raises(InputError, match="holds no session to go on with"):
        venue.trade(None, tmp_path / "run")
    with pytest.raises(InputError, match="needs a market folder"):
        venue.trade(venue.config(1, session=SessionConfig(model="scorecard")), tmp_path / "run")
    config = venue.config(1)
    venue.trade(config, tmp_path / "run")
    with pytest.raises(InputError, match="other choices"):
        venue.trade(config.model_copy(update={"dry_run": True}), tmp_path / "run")
    with pytest.raises(InputError, match="live session"):
        Session(tmp_path / "run").resume()


def test_without_data_of_the_session_no_decision_is_taken(venue: Venue, tmp_path: Path):
    short = tmp_path / "short"
    past = alter(venue.market.dataset, venue.exchange.now, "deleted", np.random.default_rng(0))
    write_dataset(fingerprinted(past), short)
    config = venue.config(2, poll_seconds=3600.0)
    session = config.session.model_copy(update={"market": str(short)})
    venue.trade(config.model_copy(update={"session": session}), tmp_path / "run")
    reports = events(tmp_path / "run", "venue_reported")
    assert [report.decide for report in reports] == [True, False, False]
    assert "no prices of" in reports[1].notes[0]
    assert reports[-1].positions == venue.exchange.positions


def test_killed_at_random_no_order_is_lost_or_doubled():
    """Five kills, and five while the wire fails; `python -m benchmarks.live_kills` does two hundred."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.live_kills", "--kills", "5", "--sessions", "3", "--seed", "2"],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    for told in json.loads(done.stdout):
        assert told["kills"] >= 5
        assert told["lost"] == told["doubled"] == 0, told
        assert told["same_orders"], told
        assert told["same_positions"], told
        assert told["same_cash"], told
        assert told["ledger_is_the_venues"], told
        assert told["journal_intact"], told


def test_the_wall_clock_wakes_by_the_time_of_day():
    clock, beats = WallClock(), []
    until = clock.now() + timedelta(seconds=0.05)
    clock.sleep_until(until, lambda: beats.append(1))
    assert clock.now() >= until
    assert beats
    clock.sleep_until(until - timedelta(days=1), lambda: pytest.fail("it is past"))


def test_the_wall_clock_is_woken_by_news():
    clock, feed = WallClock(), UpdateFeed()
    state = OrderState(client_order_id="a", ticker="BRQL", side="buy", quantity=1, filled_quantity=0, status="open")
    began = clock.now()
    thread = threading.Timer(0.05, lambda: feed.tell(OrderUpdate(order=state, at=began)))
    thread.start()
    clock.sleep_until(began + timedelta(seconds=600), lambda: None, feed.wait)
    assert clock.now() - began < timedelta(seconds=300)
    assert [news.order for news in feed.take()] == [state]
    thread.join()


class Patient:
    """A clock on which waiting takes no time."""

    def __init__(self) -> None:
        self.at = datetime(2024, 1, 2, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def sleep_until(self, moment: datetime, beat: Any, wake: Any = None) -> None:
        self.at = moment


def test_a_venue_without_an_answer_is_asked_again_and_one_that_refuses_is_not():
    asked: list[datetime] = []
    said: list[str] = []
    clock, venue = Patient(), object()

    def connect(answers: int, error: BrokerError) -> Any:
        asked.append(clock.now())
        if len(asked) <= answers:
            raise error
        return venue

    outage, refusal = BrokerUnreachable("No answer."), BrokerError("Wrong keys.")
    assert connected(lambda: connect(3, outage), clock, said.append) is venue
    assert said == ["No answer. Asking again."] * 3
    assert len(set(asked)) == 4, "time passed between the attempts"
    asked.clear()
    with pytest.raises(BrokerUnreachable):
        connected(lambda: connect(10**6, outage), clock, said.append)
    assert len(asked) == ATTEMPTS
    asked.clear()
    with pytest.raises(BrokerError, match="Wrong keys"):
        connected(lambda: connect(1, refusal), clock, said.append)
    assert len(asked) == 1
