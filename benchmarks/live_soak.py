"""A year of live paper trading on a clock that does not wait: is memory flat, is the journal whole?

`python -m benchmarks.live_soak` prints one JSON object. The
market folder grows by a session a day, as a real one would; the exchange is a
loopback Alpaca in a process of its own, and its wire fails now and then.
"""

import contextlib
import gc
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from paperdesk.memory.journal import Journal, verify
from paperdesk.memory.journal.record import Record
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.live.allocator import share_one_arena
from paperdesk.simulations.live.settings import TradeConfig
from paperdesk.simulations.live.trade import replay_trade, trade
from paperdesk.tools.broker.registry import BrokerSettings
from paperdesk.tools.broker.stand_in.clock import StandInClock
from paperdesk.tools.market.dataset import fingerprinted
from paperdesk.tools.market.invariance import alter
from paperdesk.tools.market.view import Market, open_market
from paperdesk.tools.market.write import write_dataset

from .live_kills import KEYS, RATES, serve

PAGE = os.sysconf("SC_PAGE_SIZE") / 1e6


class GrowingClock(StandInClock):
    """The exchange's clock; on the way it writes what has become known into the market folder."""

    def __init__(self, url: str, market: Market, folder: Path) -> None:
        super().__init__(url)
        self._market, self._folder = market, folder
        self._written = self.write(self.now())

    def write(self, moment: datetime) -> object:
        """The market as far as it is known at a moment, put in place of what was there."""
        draft = self._folder.with_name("draft")
        past = alter(self._market.dataset, moment, "deleted", np.random.default_rng(0))
        write_dataset(fingerprinted(past), draft)
        if self._folder.exists():
            for file in draft.iterdir():
                os.replace(file, self._folder / file.name)
            draft.rmdir()
        else:
            os.replace(draft, self._folder)
        return self._market.calendar.last_closed(moment)

    def sleep_until(
        self, moment: datetime, beat: Callable[[], None], wake: Callable[[float], bool] | None = None
    ) -> None:
        """Move on, and write."""
        super().sleep_until(moment, beat)
        now = self.now()
        if self._market.calendar.last_closed(now) != self._written:
            self._written = self.write(now)


def memory() -> float:
    """Resident memory of this process, MB."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE


def measure(sessions: int = 252, frequency: str = "weekly") -> list[dict[str, Any]]:
    """So many sessions, with memory at the end of each twelfth of them."""
    share_one_arena()  # as `paperdesk trade` does
    with tempfile.TemporaryDirectory() as made:
        return [soak(Path(made), sessions, frequency)]


def soak(place: Path, sessions: int, frequency: str) -> dict[str, Any]:
    """Trade, and look at memory on the way."""
    whole = open_market("generated")
    write_dataset(whole.dataset, place / "whole")
    days = whole.dataset.bars.sessions
    start = len(days) - sessions - 2
    here, there = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    server = context.Process(target=serve, args=(place / "whole", start, RATES, 3, there))
    server.start()
    url = here.recv()
    clock = GrowingClock(url, open_market(place / "whole"), place / "market")
    levels: list[float] = []
    seen = 0

    def listen(record: Record, fresh: bool) -> None:
        nonlocal seen
        if record.event.kind == "bar_closed":
            seen += 1
            if seen % max(1, sessions // 12) == 0:
                gc.collect()
                levels.append(round(memory(), 1))
                sys.stderr.write(f"live_soak: {seen} sessions, {levels[-1]} MB\n")

    session = SessionConfig.model_validate(
        {"market": str(place / "market"), "model": "scorecard", "frequency": frequency}
    )
    config = TradeConfig(session=session, broker="alpaca", until=days[start + sessions])
    environment = KEYS | {"APCA_API_BASE_URL": url, "APCA_API_DATA_URL": url}
    began = time.monotonic()
    trade(config, place / "run", listener=listen, clock=clock, settings=BrokerSettings(environment=environment))
    seconds = time.monotonic() - began
    clock.close()
    here.send("end")
    server.join()
    head = replay_trade(place / "run").head
    with contextlib.closing(Journal.open_readonly(place / "run")) as journal:
        counts = {kind: sum(1 for _ in journal.events(kind)) for kind in ("decision_closed", "order_filled")}
        notes = [note for row in journal.events("venue_reported") for note in row.event.notes]  # type: ignore[union-attr]
        return {
            "sessions": seen,
            "decisions": counts["decision_closed"],
            "fills": counts["order_filled"],
            "events": journal.count,
            "memory_mb": levels,
            "growth_mb_in_the_last_half": round(levels[-1] - levels[len(levels) // 2 - 1], 1),
            "journal_ok": verify(place / "run").problem is None,
            "replayed_equal": head == journal.head,
            "notes": len(notes),
            "journal_mb": round((place / "run" / "journal.db").stat().st_size / 1e6, 1),
            "seconds": round(seconds),
        }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(*map(int, sys.argv[1:2])), indent=1) + "\n")
