"""What people do to a live desk: approve, stop it, adopt the venue's count, refresh the data, hand memory on."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paperdesk import Session
from paperdesk.orchestration.approval import Answer, ApprovalRequest
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.live.settings import TradeConfig
from paperdesk.simulations.session import start
from paperdesk.tools.broker.stand_in.alpaca_server import AlpacaServer
from paperdesk.tools.broker.stand_in.exchange import Exchange
from paperdesk.tools.market.dataset import fingerprinted
from paperdesk.tools.market.invariance import alter
from paperdesk.tools.market.vendors.csv_folder import CsvFolder
from paperdesk.tools.market.vendors.manifest import PullRequest
from paperdesk.tools.market.vendors.protocol import VendorSettings
from paperdesk.tools.market.vendors.pull import pull
from paperdesk.tools.market.view import open_market
from paperdesk.tools.market.write import write_dataset

from .live_venue import UNIVERSE, Venue, alpaca_venue, events, head_of, market_folder

pytestmark = pytest.mark.slow
__all__ = ["alpaca_venue", "market_folder"]  # fixtures


class Person:
    """Approves the first decision, rejects the second, does not come to the third."""

    def __init__(self) -> None:
        self.asked: list[tuple[ApprovalRequest, float | None]] = []

    def ask(self, request: ApprovalRequest, timeout_seconds: float | None) -> Answer:
        self.asked.append((request, timeout_seconds))
        if request.decision == 0:
            return Answer(request=request.key, verdict="approve", by="Ada")
        names = tuple(order.ticker for order in request.orders)
        if request.decision == 1:
            return Answer(request=request.key, verdict="veto", orders=names, reason="not today", by="Ada")
        return Answer.none(request, "nobody came")


def test_a_person_is_asked_before_orders_leave_and_has_until_the_next_open(venue: Venue, tmp_path: Path):
    run, person = tmp_path / "run", Person()
    config = venue.config(3)
    config = config.model_copy(update={"session": config.session.model_copy(update={"approve": "terminal"})})
    venue.trade(config, run, approver=person)
    assert [request.decision for request, _ in person.asked] == [0, 1, 2]
    calendar = venue.market.calendar
    for request, seconds in person.asked:
        opens = calendar.open_of(calendar.next_session(request.session))
        assert seconds is not None
        assert 0 < seconds <= (opens - request.as_of).total_seconds() + 60
    given = events(run, "approval_given")
    assert [event.verdict for event in given] == ["approve", "veto", "unanswered"]
    assert {event.decision for event in events(run, "order_sent")} == {0}
    assert venue.exchange.received == len(events(run, "order_sent")) > 0
    assert Session(run).replay().head == head_of(run), "a replay asks nobody"


def test_memory_is_carried_into_a_live_session_and_on_from_it(venue: Venue, tmp_path: Path):
    days = venue.market.dataset.bars.sessions
    earlier = tmp_path / "earlier"
    simulated = SessionConfig(
        market=str(venue.folder), model="scorecard", desk="solo", universe=UNIVERSE, start=days[-150], end=days[-80]
    )
    start(simulated, earlier)
    learnt = events(earlier, "signal_resolved")
    assert learnt
    for name, memory in (("first", earlier), ("second", tmp_path / "first")):
        config = venue.config(1)
        session = config.session.model_copy(update={"memory": (str(memory),)})
        venue.trade(config.model_copy(update={"session": session}), tmp_path / name)
        (carried,) = events(tmp_path / name, "memory_carried")
        assert [outcome.key() for outcome in carried.outcomes] == [event.record.key() for event in learnt]
    weighed = events(tmp_path / "first", "agent_weighed")
    assert weighed
    assert all(event.record.outcomes > 0 for event in weighed), weighed
    shutil.rmtree(earlier)  # the copy is enough
    assert Session(tmp_path / "first").replay().head == head_of(tmp_path / "first")


def test_a_person_adopts_the_venues_count_when_going_on(venue: Venue, tmp_path: Path):
    run = tmp_path / "run"

    class Meddled(Venue):
        """Somebody buys at the same account; later the process is stopped."""

        def sleep_until(self, moment: datetime, beat: Any, wake: Any = None) -> None:
            super().sleep_until(moment, beat)
            reports = len(events(run, "venue_reported"))
            if reports == 1 and not self.beats.count("meddled"):
                self.beats.append("meddled")
                venue.exchange.positions["BRQL"] = venue.exchange.positions.get("BRQL", 0.0) + 50
            if reports == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Meddled(venue.market, venue.exchange, venue.server, venue.folder).trade(venue.config(2), run)
    before = events(run, "venue_reported")
    assert any(note.startswith("BRQL: the venue holds") for note in before[1].notes)
    assert before[1].positions.get("BRQL", 0.0) + 50 == pytest.approx(before[1].venue["BRQL"])
    venue.trade(None, run, adopt=True)
    after = events(run, "venue_reported")
    assert after[:2] == before
    assert "the venue's count was adopted, as asked" in after[2].notes
    assert after[2].positions == venue.exchange.positions
    assert Session(run).replay().head == head_of(run)


def test_the_command_that_refreshes_the_data_runs_after_every_close_and_its_failure_is_told(
    venue: Venue, tmp_path: Path
):
    short, stale = tmp_path / "short", tmp_path / "stale"
    past = fingerprinted(alter(venue.market.dataset, venue.exchange.now, "deleted", np.random.default_rng(0)))
    write_dataset(past, short)
    write_dataset(past, stale)

    def config(market: Path, refresh: list[str]) -> TradeConfig:
        usual = venue.config(1, poll_seconds=3600.0, refresh=shlex.join(refresh))
        session = usual.session.model_copy(update={"market": str(market)})
        return usual.model_copy(update={"session": session})

    copy = "import shutil, sys; shutil.copytree(sys.argv[1], sys.argv[2], dirs_exist_ok=True)"
    venue.trade(config(short, [sys.executable, "-c", copy, str(venue.folder), str(short)]), tmp_path / "run")
    reports = events(tmp_path / "run", "venue_reported")
    assert [report.notes for report in reports] == [[], []]
    assert reports[0].decide
    broken = [sys.executable, "-c", "import sys; sys.exit('no such vendor')"]
    venue.trade(config(stale, broken), tmp_path / "broken")
    notes = [note for report in events(tmp_path / "broken", "venue_reported") for note in report.notes]
    assert any("ended with 1 (no such vendor)" in note for note in notes), notes


def test_a_pulled_market_is_kept_up_to_date_by_its_own_command(venue: Venue, tmp_path: Path):
    sold, tech, now = tmp_path / "sold", tmp_path / "tech", venue.exchange.now
    bars = venue.market.dataset.bars

    def sells(until: datetime) -> None:
        """The vendor has each day's bars after its close."""
        sold.mkdir(exist_ok=True)
        for ticker in UNIVERSE:
            column = bars.column(ticker)
            matrices = (bars.open, bars.high, bars.low, bars.close)
            rows = [
                f"{day},{','.join(str(prices[i, column]) for prices in matrices)},1e6\n"
                for i, day in enumerate(bars.sessions)
                if venue.market.calendar.close_of(day) <= until
            ]
            (sold / f"{ticker}.csv").write_text("date,open,high,low,close,volume\n" + "".join(rows))

    sells(now)
    settings = VendorSettings(clock=lambda: now, sleep=time.sleep, csv_folder=sold)
    request = PullRequest(tickers=UNIVERSE, start=bars.sessions[0], vendors=("csv",))
    pull(request, tech, [CsvFolder(sold, settings)], clock=lambda: now)
    sells(datetime.now(UTC))
    update = [sys.executable, "-c", "from paperdesk.cli import main; main()", "markets", "update", str(tech)]
    refresh = shlex.join([*update, "--csv-folder", str(sold)])
    usual = venue.config(1, poll_seconds=3600.0, refresh=refresh)
    session = usual.session.model_copy(update={"market": str(tech)})
    venue.trade(usual.model_copy(update={"session": session}), tmp_path / "run")
    reports = events(tmp_path / "run", "venue_reported")
    assert [report.notes for report in reports] == [[], []]
    assert events(tmp_path / "run", "order_sent")


def test_a_request_to_end_stops_it_with_its_record_whole_and_says_how_to_go_on(folder: Path, tmp_path: Path):
    run = tmp_path / "run"
    market = open_market(folder)
    exchange = Exchange(datetime.now(UTC), lambda ticker, at: 50.0 if ticker in market.tickers else None)
    command = [
        sys.executable,
        "-c",
        "from paperdesk.cli import main; main()",
        "trade",
        "--broker",
        "alpaca",
        "--market",
        str(folder),
    ]
    command += ["--model", "scorecard", "--out", str(run)]
    with AlpacaServer(exchange) as server:
        process = subprocess.Popen(
            command, env=os.environ | server.environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        until = time.monotonic() + 120
        while not (run / "heartbeat.json").exists() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.1)
        assert process.poll() is None, process.communicate()[1]
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 130, said
    assert "goes on from here" in said
    assert "Traceback" not in said
    assert server.secret not in said
    assert [event.kind for event in events(run, "session_started")] == ["session_started"]
