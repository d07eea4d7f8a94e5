"""How long the viewer takes for a session of 200,000 events, and how much memory: at the server, page by page.

The session is a real one (a scorecard on the generated market, decided weekly) whose decisions are written again and
again with further numbers and days, as a chain of its own. The viewer runs in a process of its own and is asked over
HTTP on loopback; the index is made once, by the first question that needs it. First looks are those of viewers that
have just begun: nothing of the page is kept then, as of a session that runs, which is another one at every look.
PAPERDESK_BENCH_FOLDER keeps the long session, which takes minutes to write, for the next time.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx

from paperdesk.memory.journal import GENESIS, Journal
from paperdesk.memory.journal.chain import chain_hash
from paperdesk.memory.journal.database import FILE as JOURNAL_FILE
from paperdesk.memory.journal.database import create, open_writer
from paperdesk.memory.journal.index import FILE as INDEX_FILE
from paperdesk.memory.journal.manifest import Manifest
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.reading import Session
from paperdesk.simulations.session import start
from paperdesk.tools.evidence import Evidence
from paperdesk.tools.frozen import canonical_json

EVENTS = 200_000
ASKED = 15
"""Times that each page is asked for in a row, the first of them included."""
FIRST_LOOKS = 3
"""Viewers that are started for each page, to see how long their very first answer takes."""
_DAY = re.compile(r"\b(20\d\d-\d\d-\d\d)")


def long_session(source: Path, folder: Path, events: int = EVENTS) -> int:
    """Writes a session of at least so many events from a shorter one.

    Returns:
        The number of its decisions.
    """
    with Journal.open_readonly(source) as journal:
        manifest = journal.manifest
        bodies = [row.event.model_dump(mode="json") for row in journal.events()]
    assert manifest is not None
    first, last = bodies[0], bodies[-1]
    inner = bodies[1:-1]
    count = 1 + max(event["decision"] for event in inner if event["decision"] is not None)
    folder.mkdir(parents=True)
    create(folder)
    connection = open_writer(folder)
    connection.execute("PRAGMA synchronous = OFF")
    head, seq, copies = GENESIS, 0, -(-events // len(inner))
    written_at = manifest.created_at.isoformat()
    connection.execute("BEGIN")
    for event in _copies(first, inner, last, copies, count):
        body = canonical_json(event)
        head, seq = chain_hash(head, body), seq + 1
        connection.execute(
            "INSERT INTO events (seq, body, hash, written_at) VALUES (?, ?, ?, ?)", (seq, body, head, written_at)
        )
    connection.execute("COMMIT")
    connection.close()
    running = Manifest.model_validate(manifest.model_dump() | {"status": "running", "database_sha256": None})
    running.at(seq, head).write(folder)
    return copies * count


def _copies(
    first: dict[str, Any], inner: list[dict[str, Any]], last: dict[str, Any], copies: int, count: int
) -> Iterator[dict[str, Any]]:
    """The events again and again, each time a little over a year later."""
    yield first
    for copy in range(copies):
        shift = timedelta(days=371 * copy)
        for event in inner:
            moved = json.loads(_later(json.dumps(event), shift)) if copy else event
            if copy:
                _unseal(moved)
                if moved["decision"] is not None:
                    moved["decision"] += copy * count
                if "issued_in" in moved:
                    moved["issued_in"] += copy * count
            yield moved
    yield last


def _later(text: str, shift: timedelta) -> str:
    return _DAY.sub(lambda found: str(date.fromisoformat(found[1]) + shift), text)


def _unseal(event: dict[str, Any]) -> None:
    """Evidence with other days has another hash."""
    places = [event] if event["kind"] == "tool_called" else []
    if event["kind"] == "model_called":
        places = event["request"]["questions"]
    for place in places:
        place["evidence"] = [
            Evidence.of(**{name: value for name, value in item.items() if name != "hash"}).model_dump(mode="json")
            for item in place["evidence"]
        ]


def measure() -> list[dict[str, Any]]:
    """A row per page: first looks, the median and the worst time of further answers, the work, the size of the page."""
    with ExitStack() as stack:
        kept = os.environ.get("PAPERDESK_BENCH_FOLDER")
        runs = Path(kept or stack.enter_context(tempfile.TemporaryDirectory())) / "runs"
        long = runs / "long"
        if not long.exists():
            start(SessionConfig(model="scorecard", frequency="weekly"), runs / "short")
            long_session(runs / "short", long)
        with Session.open(long) as session:
            decisions = session.summary().decided
        (long / INDEX_FILE).unlink(missing_ok=True)
        rows = _indexed(runs)
        pages = _pages(decisions // 2)
        firsts = {name: [_first_look(runs, one) for _ in range(FIRST_LOOKS)] for name, one in pages.items()}
        with _server(runs) as (client, pid):
            client.get("/")
            before = _memory(pid)
            for name, address in pages.items():
                taken, worked = ([look[i] for look in firsts[name]] for i in (0, 1))
                first = {"first_ms": _middle(taken), "first_worst_ms": round(max(taken), 1)}
                first |= {"first_cpu_ms": _middle(worked)}
                rows.append({"page": name} | first | _asked(client, pid, address, ASKED))
            after, peak = _memory(pid), _peak(pid)
        _forget(long)
        cold, _ = _first_look(runs, pages["session"])
        rows.append({"page": "session, nothing of it in the machine's memory", "first_ms": round(cold, 1)})
        size = round((long / JOURNAL_FILE).stat().st_size / 1e6)
        memory = {"before_mb": before, "after_mb": after, "peak_mb": peak}
        rows.append({"page": "memory", "decisions": decisions, "journal_mb": size} | memory)
        return rows


def _pages(middle: int) -> dict[str, str]:
    return {
        "sessions": "/",
        "session": "/s/long",
        "session, decisions further on": f"/s/long?after={middle}",
        "session, latest decisions first": f"/s/long?after={middle}&order=newest",
        "compared with a shorter one": "/compare?s=short&s=long",
        "decision": f"/s/long/d/{middle}",
        "one name at a decision": f"/s/long/d/{middle}/ZEPL",
        "prompts": f"/s/long/d/{middle}/prompts?ticker=ZEPL",
        "search, a common word": "/s/long/events?q=revenue",
        "search, several words and filters": "/s/long/events?q=revenue+growth&ticker=ZEPL&kind=signal_issued",
        "search, the last page": "/s/long/events?q=revenue&after=199000",
        "filter": "/s/long/events?ticker=ZEPL&verdict=pass",
        "filter, nothing found": "/s/long/events?ticker=ZEPL&kind=bar_closed",
        "event": "/s/long/e/100000",
        "news": "/s/long/news?after=199990",
    }


@contextmanager
def _server(runs: Path) -> Iterator[tuple[httpx.Client, int]]:
    """A viewer that has just begun, and its process."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from paperdesk.cli import main; main()", "view", str(runs), "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        found = re.search(r"http://[\d.:]+", process.stderr.readline())
        assert found is not None
        with httpx.Client(base_url=found[0], timeout=120) as client:
            yield client, process.pid
    finally:
        process.terminate()
        process.wait()


def _indexed(runs: Path) -> list[dict[str, Any]]:
    """While there is no index: the session's page, which begins it, and how long until a search answers."""
    with _server(runs) as (client, pid):
        client.get("/")
        began, worked = time.perf_counter(), _cpu_seconds(pid)
        row = {"page": "session, while its index is being made"} | _asked(client, pid, "/s/long", ASKED)
        peak = 0
        while "being indexed" in client.get("/s/long/events?q=revenue").text:
            peak = max(peak, *map(_peak, _children(pid)), 0)
            time.sleep(0.5)
        taken = time.perf_counter() - began
        while _children(pid):  # only what has ended counts as the server's work
            client.get("/s/long")
            time.sleep(0.1)
        cpu = _cpu_seconds(pid) - worked
    return [
        row,
        {"page": "index made", "first_ms": round(1000 * taken), "cpu_ms": round(1000 * cpu), "peak_mb": peak},
    ]


def _first_look(runs: Path, address: str) -> tuple[float, float]:
    """Milliseconds until a viewer that has just begun, and has shown its list, answers; and how many of them it worked.

    The difference is what other programs on the machine had.
    """
    with _server(runs) as (client, pid):
        if address != "/":
            client.get("/")
        worked = _cpu_seconds(pid)
        taken, _ = _timed(client, address)
        return taken, 1000 * (_cpu_seconds(pid) - worked)


def _asked(client: httpx.Client, pid: int, address: str, times: int) -> dict[str, Any]:
    worked = _cpu_seconds(pid)
    asked = [_timed(client, address) for _ in range(times)]
    taken = [one for one, _ in asked]
    return {
        "median_ms": _middle(taken),
        "worst_ms": round(max(taken), 1),
        "cpu_ms": round(1000 * (_cpu_seconds(pid) - worked) / times, 1),
        "kb": round(asked[-1][1] / 1000, 1),
    }


def _timed(client: httpx.Client, address: str) -> tuple[float, int]:
    """Milliseconds and bytes of an answer."""
    began = time.perf_counter()
    answer = client.get(address)
    taken = 1000 * (time.perf_counter() - began)
    if answer.status_code != 200:
        raise RuntimeError(f"{address} answered {answer.status_code}: {answer.text[-600:]}")
    return taken, len(answer.content)


def _middle(taken: list[float]) -> float:
    return round(statistics.median(taken), 1)


def _forget(folder: Path) -> None:
    """Asks the system to drop what it holds of a session's files: the next look reads them from the disk."""
    for name in (JOURNAL_FILE, INDEX_FILE):
        with (folder / name).open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _cpu_seconds(pid: int) -> float:
    """What the server and those of its processes that have ended have worked so far; nobody else's work counts."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in found for child in file.read_text(encoding="utf-8").split()]


def _memory(pid: int) -> int:
    return _status(pid, "VmRSS")


def _peak(pid: int) -> int:
    return _status(pid, "VmHWM")


def _status(pid: int, name: str) -> int:
    """Megabytes; 0 of a process that has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return round(int(next((line for line in lines if line.startswith(name)), f"{name} 0").split()[1]) / 1024)
