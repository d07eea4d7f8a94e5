"""Live paper trading before a loopback Alpaca, killed again and again: is any order sent twice, is any lost?

`python -m benchmarks.live_kills --kills 200` prints one JSON object. The same days are traded once undisturbed, and
with SIGKILLs, without and with faults of the wire, again and again until there were as many kills as asked for. Most
children kill themselves before or after an operation drawn at random: an event that goes on record, or a request to
the venue (so also between an intent and its answer); every fourth is killed by its parent a moment after one. Nothing
depends on how quick the machine is, and nothing sleeps: the exchange's clock moves as the desk waits.
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
from collections import Counter
from collections.abc import Callable, Sequence
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
FEW, MANY = 8, 40
"""Operations at most until a kill: mostly few, and at times as many as judging and sending orders takes."""
MOMENT = 0.02
"""Seconds at most from an operation until the parent kills."""
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


def live(config: TradeConfig, folder: Path, url: str, kill_at: int | None, tell: int | None) -> None:
    """One child's life, until its end or until the operation at which it kills itself, or tells its parent to."""
    from paperdesk.simulations.live.trade import trade

    if kill_at is not None:
        _mine(kill_at, tell)
    environment = KEYS | {"APCA_API_BASE_URL": url, "APCA_API_DATA_URL": url}
    settings = BrokerSettings(timeout_seconds=5, environment=environment)
    trade(config if not folder.exists() else None, folder, clock=StandInClock(url), settings=settings)


def _mine(kill_at: int, tell: int | None) -> None:
    """Counts what is new, before and after each: events that go on record, requests to the venue."""
    import requests

    left = kill_at

    def step() -> None:
        nonlocal left
        left -= 1
        if left == 0 and tell is not None:
            os.write(tell, b"now")
        elif left == 0:
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
    """Fork one; how it ended: `killed`, `done`, or what it raised.

    Args:
        config: of its session.
        folder: of its session.
        url: of its venue.
        kill_at: the operation at which it is killed; None lets it live.
        after: seconds after that operation at which the parent kills it; None where it kills itself.
    """
    reading, writing = os.pipe()
    told, tell = os.pipe()
    born = os.fork()
    if born == 0:
        os.close(reading)
        os.close(told)
        said = "done"
        try:
            live(config, folder, url, kill_at, None if after is None else tell)
        except BaseException:  # noqa: BLE001 (it is told to the parent)
            said = traceback.format_exc()
        finally:
            os.write(writing, said.encode())
            os._exit(0)
    os.close(writing)
    os.close(tell)
    with os.fdopen(told, "rb") as news, os.fdopen(reading) as pipe:
        if news.read(3) and after is not None:  # nothing where it ended before
            time.sleep(after)
            os.kill(born, signal.SIGKILL)
        said = pipe.read()
    os.waitpid(born, 0)
    return said or "killed"


def campaign(
    place: Path, sessions: int, kills: int, rates: dict[Fault, float], seed: int, log: Callable[[str], None]
) -> dict[str, Any]:
    """Trade once to the end, with so many kills on the way at most; what the exchange says afterwards."""
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
    while said == "killed":
        at = rng.randint(1, FEW if rng.random() < 0.75 else MANY) if killed < kills else None
        after = rng.uniform(0.0, MOMENT) if at is not None and killed % 4 == 3 else None
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


def compare(undisturbed: dict[str, Any], runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What a reader wants to know of the runs of a campaign."""
    faults: Counter[str] = Counter()
    for run in runs:
        faults.update(run["faults"])
    return {
        "runs": len(runs),
        "kills": sum(run["kills"] for run in runs),
        "orders": sum(len(run["orders"]) for run in runs),
        "lost": sum(len(set(undisturbed["ids"]) - set(run["ids"])) for run in runs),
        "doubled": sum(len(run["ids"]) - len(set(undisturbed["ids"])) for run in runs),
        "submissions_that_arrived": sum(run["received"] for run in runs),
        "same_orders": all((run["orders"], run["ids"]) == (undisturbed["orders"], undisturbed["ids"]) for run in runs),
        "same_positions": all(run["positions"] == undisturbed["positions"] for run in runs),
        "same_cash": all(run["cash"] == undisturbed["cash"] for run in runs),
        "ledger_is_the_venues": all(run["ledger"] == run["positions"] for run in runs),
        "journal_intact": all(run["intact"] for run in runs),
        "faults": dict(faults),
    }


def measure(sessions: int = 12, kills: int = 200, seed: int = 1) -> list[dict[str, Any]]:
    """An undisturbed run, runs that are killed, and runs that are killed while the wire fails."""
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
            runs: list[dict[str, Any]] = []
            while (left := kills - sum(run["kills"] for run in runs)) > 0:
                runs.append(campaign(place, sessions, left, rates, seed + len(runs), log))
            told = compare(undisturbed, runs)
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
