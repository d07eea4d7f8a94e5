"""Pulls that are killed at their n-th write to the disk, each in a forked child; for `test_pull.py`, `test_update.py`.

Prints how many children were killed before one came through. With a second argument they are no first pulls: each
brings a copy of `old` up to date.
"""

import os
import shutil
import signal
import sys
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow.parquet  # noqa: F401 (once, and not in each child)

sys.path.insert(0, str(Path(__file__).parents[3]))

from paperdesk.tools.clock import TradingCalendar
from paperdesk.tools.market.vendors.manifest import PullRequest
from paperdesk.tools.market.vendors.pull import pull, pulled, update
from tests.market.vendors.loopback import FakeTime
from tests.market.vendors.shop import SESSIONS, Shop


def die_at(write: int) -> None:
    """Have the process killed instead of its n-th flush, rename or removal."""
    left = iter(range(write))

    def dying(real: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            if next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **options)

        return call

    for name in ("replace", "fsync", "unlink", "rmdir"):
        setattr(os, name, dying(getattr(os, name)))


def main(folder: Path, updating: bool) -> None:
    end = None if updating else SESSIONS[-1]
    request = PullRequest(tickers=("ACME", "BOLT"), start=SESSIONS[0], end=end, vendors=("shop",), name="whole")
    TradingCalendar("XNYS", SESSIONS[0], SESSIONS[-1])  # likewise
    time = FakeTime()
    if updating:
        time.now = datetime(2024, 6, 12, 21, 0, tzinfo=UTC)
        pull(request, folder / "old", [Shop(time)], clock=time.clock)
        time.now = datetime(2024, 6, 14, 21, 0, tzinfo=UTC)
    for write in count():
        if updating:
            shutil.copytree(folder / "old", folder / str(write))
        child = os.fork()
        if child == 0:
            die_at(write)
            if updating:
                out = folder / str(write)
                update(out, pulled(out), [Shop(time)], clock=time.clock)
            else:
                pull(request, folder / str(write), [Shop(time)], clock=time.clock)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            sys.stdout.write(str(write if os.WEXITSTATUS(status) == 0 else -1))
            return


main(Path(sys.argv[1]), updating=len(sys.argv) > 2)
