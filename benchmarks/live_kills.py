"""Live paper trading before a loopback Alpaca, killed again and again: is any order sent twice, is any lost?

`python -m benchmarks.live_kills --kills 200` prints one JSON object. The same days are traded once undisturbed and once
with SIGKILLs, with faults of the wire or without. Most children kill themselves before or after an operation drawn at
random: an event that goes on record, or a request to the venue (so also between an intent and its answer); every fourth
is killed by its parent at a random time. Nothing of it sleeps: the exchange's clock moves as the desk waits.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from paperdesk.memory.journal import Journal, verify
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.live.settings import TradeConfig
from paperdesk.tools.broker.registry import BrokerSettings
from paperdesk.tools.broker.stand_in.clock import StandInClock
from paperdesk.tools.broker.stand_in.faults import Fault, FaultInjector
from paperdesk.tools.market.view import open_market
from paperdesk.tools.market.write import write_dataset

RATES: dict[Fault, float] = {"answer_lost": 0.05, "busy": 0.02, "gateway_timeout": 0.02, "request_lost": 0.01}
LAZY = (
    "cvxpy",
    "exchange_calendars",
    "hmmlearn.hmm",
    "paperdesk.tools.broker.alpaca",
    "paperdesk.simulations.live.trade",
)
KEYS = {"APCA_API_KEY_ID": "stand-in-key", "APCA_API_SECRET_KEY": "stand-in-secret"}


def serve(market: Path, start: int, rates: dict[Fault, float], seed: int, pipe: Any) -> None:
    """The exchange, in a process of its own that nobody kills."""
    from paperdesk.tools.broker.stand_in.alpaca_server import AlpacaServer
    from paperdesk.tools.broker.stand_in.replayed import exchange_on

    opened = open_market(market)
    faults = FaultInjector(rates, seed=seed, burst=3)
    if rates:
        faults.standing.update(("duplicate_events", "out_of_order_events"))
    exchange = exchange_on(opened, opened.calendar.close_of(opened.dataset.bars.sessions[start]))
    with AlpacaServer(exchange, faults) as server:
        pipe.send(server.url)
        pipe.recv()


def live(config: TradeConfig, folder: Path, url: str, kill_at: int | None) -> None:
    """One child's life, until its end or until the operation at which it kills itself."""
    from paperdesk.simulations.live.trade import trade

    if kill_at is not None:
        _mine(kill_at)
    environment = KEYS | {"APCA_API_BASE_URL": url, "APCA_API_DATA_URL": url}
    settings = BrokerSettings(timeout_seconds=5, environment=environment)
    trade(config if not folder.exists() else None, folder, clock=StandInClock(url), settings=settings)


def _mine(kill_at: int) -> None:
    """Counts what is new, before and after each: events that go on record, requests to the venue."""
    import requests

    left = kill_at

    def step() -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(owner: Any, name: str, is_new: Callable[..., bool]) -> None:
        function = getattr(owner, name)

        def mined(*given: Any, **named: Any) -> Any:
            new = is_new(*given)
            if new:
                step()
            result = function(*given, **named)
            if new:
                step()
            return result

        setattr(owner, name, mined)

    around(Journal, "_place", lambda journal, event: journal.count >= journal.recorded)
    around(requests.Session, "send", lambda *given: True)


def child(config: TradeConfig, folder: Path, url: str, kill_at: int | None, after: float | None) -> str:
    """Fork one; how it ended: `killed`, `done`, or what it raised."""
    reading, writing = os.pipe()
    born = os.fork()
    if born == 0:
        os.close(reading)
        said = "done"
        try:
            live(config, folder, url, kill_at)
        except BaseException:  # noqa: BLE001 (it is told to the parent)
            said = traceback.format_exc()
        finally:
            os.write(writing, said.encode())
            os._exit(0)
    os.close(writing)
    if after is not None:
        until = time.monotonic() + after
        while time.monotonic() < until and os.waitid(os.P_PID, born, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            time.sleep(0.002)
        os.kill(born, signal.SIGKILL)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    os.waitpid(born, 0)
    return said or "killed"


def campaign(
    place: Path, sessions: int, kills: int, rates: dict[Fault, float], seed: int, log: Callable[[str], None]
) -> dict[str, Any]:
    """Trade once to the end, with so many kills on the way; what the exchange says afterwards."""
    market = place / "market"
    days = open_market(market).dataset.bars.sessions
    start = len(days) - 60
    config = TradeConfig(
        session=SessionConfig(
            market=str(market), model="scorecard", desk="solo", frequency="daily", universe=("BRQL", "OSTW", "VYDN"),
            max_weight=0.4,
        ),
        broker="alpaca",
        until=days[start + sessions],
    )  # fmt: skip
    folder = place / f"run-{kills}-{seed}-{len(rates)}"
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(market, start, rates, seed, there))
    server.start()
    url = here.recv()
    rng, killed, said = random.Random(seed), 0, "killed"
    # at most 15: a quick exchange is asked less often before the days are over
    operations = min(15, max(2, int(sessions * 75 / kills))) if kills else 0
    while said == "killed":
        by_time = killed % 4 == 3
        more = killed < kills
        at = rng.randint(1, 2 * operations) if more and not by_time else None
        after = rng.uniform(0.5, 4.0) if more and by_time else None
        said = child(config, folder, url, at, after)
        killed += said == "killed"
        if said == "killed" and killed % 20 == 0:
            log(f"{killed} kills")
    with httpx.Client(trust_env=False) as client:
        state = client.get(f"{url}/stand-in/state").json()
    here.send("end")
    server.join()
    if said != "done":
        raise RuntimeError(said)
    with contextlib.closing(Journal.open_readonly(folder)) as journal:
        sent = [record.event.order.client_order_id for record in journal.events("order_submitted")]  # type: ignore[union-attr]
        last = list(journal.events("venue_reported"))[-1].event
    return {
        "kills": killed,
        "positions": state["positions"],
        "cash": round(state["cash"], 6),
        "orders": sorted([row[1:] for row in state["orders"]], key=str),
        "ids": sorted(row[0] for row in state["orders"]),
        "intended": sorted(sent),
        "ledger": last.positions,  # type: ignore[union-attr]
        "intact": verify(folder).problem is None,
        "received": state["received"],
        "faults": state["faults"],
    }


def compare(undisturbed: dict[str, Any], disturbed: dict[str, Any]) -> dict[str, Any]:
    """What a reader wants to know of a campaign."""
    return {
        "kills": disturbed["kills"],
        "orders": len(disturbed["orders"]),
        "lost": len(set(undisturbed["ids"]) - set(disturbed["ids"])),
        "doubled": len(disturbed["ids"]) - len(set(undisturbed["ids"])),
        "submissions_that_arrived": disturbed["received"],
        "same_orders": disturbed["orders"] == undisturbed["orders"] and disturbed["ids"] == undisturbed["ids"],
        "same_positions": disturbed["positions"] == undisturbed["positions"],
        "same_cash": disturbed["cash"] == undisturbed["cash"],
        "ledger_is_the_venues": disturbed["ledger"] == disturbed["positions"],
        "journal_intact": disturbed["intact"],
        "faults": disturbed["faults"],
    }


def measure(sessions: int = 12, kills: int = 200, seed: int = 1) -> list[dict[str, Any]]:
    """An undisturbed run, one that is killed, and one that is killed while the wire fails."""
    import importlib

    for name in LAZY:
        importlib.import_module(name)

    def log(text: str) -> None:
        sys.stderr.write(f"live_kills: {text}\n")

    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        write_dataset(open_market("generated").dataset, place / "market")
        undisturbed = campaign(place, sessions, 0, {}, 0, log)
        log(f"undisturbed: {len(undisturbed['orders'])} orders")
        rows = []
        for name, rates in (("kills", {}), ("kills and faults", RATES)):
            began = time.monotonic()
            told = compare(undisturbed, campaign(place, sessions, kills, rates, seed, log))
            rows.append({"campaign": name, "sessions": sessions} | told | {"seconds": round(time.monotonic() - began)})
            log(f"{name}: {rows[-1]}")
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--sessions", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    sys.stdout.write(json.dumps(measure(given.sessions, given.kills, given.seed), indent=1) + "\n")
