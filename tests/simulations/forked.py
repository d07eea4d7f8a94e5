"""Runs sessions in forked children and kills them; a program for `test_kill.py`, not a test.

Every import is done once, in this process, which starts no thread and runs no session itself: a fork costs
milliseconds where a fresh interpreter costs seconds. (The market is opened here once, too: that fills caches.) One
JSON object per line comes in (`Order`), one goes out (`{"killed", "seconds", "head", "error"}`).
"""

import importlib
import json
import os
import signal
import sys
import time
import traceback
from datetime import date
from pathlib import Path
from typing import Any, NotRequired, TypedDict

LAZY = ("chromadb", "cvxpy", "exchange_calendars", "hmmlearn.hmm", "matplotlib.pyplot", "wordllama")
"""What a session imports on its way."""

CONFIG = {
    "model": "scorecard",
    "start": "2023-09-15",
    "end": "2023-12-29",
    "universe": "BRQL,OSTW,VYDN",
    "max_weight": 0.4,
}
"""Four decisions on the generated market."""


class Order(TypedDict):
    """What one child is to do."""

    verb: str
    """`start`, `resume` or `fork`."""
    folder: str
    parent: NotRequired[str]
    """Of a fork."""
    on: NotRequired[str]
    """Date of the fork."""
    settings: NotRequired[list[str]]
    config: NotRequired[dict[str, Any]]
    """What is other than in `CONFIG`."""
    after: NotRequired[float]
    """Seconds until it is killed."""
    at: NotRequired[tuple[str, str, str, int]]
    """(module, function, `before` or `after`, n): it kills itself there, at the n-th call."""


def obey(order: Order) -> dict[str, Any]:
    """One child's life."""
    reading, writing = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _live(order, writing)
    os.close(writing)
    if "after" in order:
        while time.monotonic() - began < order["after"] and os.waitid(os.P_PID, child, _PEEK) is None:
            time.sleep(0.001)
        os.kill(child, signal.SIGKILL)  # a child that has ended is still there until it is waited for
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    answer = {"killed": killed, "seconds": time.monotonic() - began, "head": None, "error": None}
    return answer | (json.loads(said) if said and not killed else {})


_PEEK = os.WEXITED | os.WNOHANG | os.WNOWAIT


def _live(order: Order, writing: int) -> None:
    from paperdesk.simulations.config import load_config
    from paperdesk.simulations.fork import fork
    from paperdesk.simulations.session import resume, start
    from paperdesk.tools.errors import PaperDeskError

    folder = Path(order["folder"])
    said: dict[str, str] = {}
    try:
        if "at" in order:
            _mine(*order["at"])
        if order["verb"] == "start":
            outcome = start(load_config(None, CONFIG | order.get("config", {})), folder)
        elif order["verb"] == "fork":
            outcome = fork(Path(order["parent"]), folder, date.fromisoformat(order["on"]), order["settings"])
        else:
            outcome = resume(folder)
    except PaperDeskError as error:
        said = {"error": str(error)}
    else:
        said = {"head": outcome.head}
    finally:  # whatever happens, a child never becomes a second server
        if (mishap := sys.exception()) is not None:
            traceback.print_exception(mishap)
        os.write(writing, json.dumps(said).encode())
        os._exit(0)


def _mine(module: str, name: str, when: str, call: int) -> None:
    """Puts a SIGKILL around a function."""
    owner: Any = importlib.import_module(module.partition(":")[0])
    for part in filter(None, module.partition(":")[2].split(".")):
        owner = getattr(owner, part)
    function = getattr(owner, name)
    calls = 0

    def mined(*given: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*given, **named)
        if calls == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, mined)


def main() -> None:
    """Serves orders until there are no more."""
    import matplotlib as mpl

    mpl.use("Agg")
    for name in ("paperdesk.simulations.session", "paperdesk.simulations.evaluation.plot", *LAZY):
        importlib.import_module(name)
    from paperdesk.tools.market.view import open_market

    open_market("generated")
    for line in sys.stdin:
        sys.stdout.write(json.dumps(obey(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
