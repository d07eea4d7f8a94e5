"""A writer that is killed at any moment loses nothing that it was told is on record."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from paperdesk.memory.journal import Journal, verify
from paperdesk.memory.journal.events import BarClosed, DecisionClosed, Event, SessionStarted

ROUNDS, A_ROUND = 20, 380
"""How often the writer is killed, and how many events more it may come to each time."""

WRITER = """
import signal
import sys
from datetime import date, timedelta
from pathlib import Path
from paperdesk.memory.journal import Journal
from paperdesk.memory.journal.events import EVENT
folder, last = Path(sys.argv[1]), int(sys.argv[2])
with Journal.open_for_resume(folder) if folder.exists() else Journal.create(folder) as journal:
    for number, line in enumerate(sys.stdin, start=1):
        journal.append(EVENT.validate_json(line))
        if number % 10 == 0:
            journal.mark()
        if number > journal.recorded:
            sys.stdout.write(f"{number}\\n")
            sys.stdout.flush()
        if number == last:
            signal.pause()
    journal.finish()
"""


def long_story(length: int) -> list[Event]:
    from datetime import date, timedelta

    start = SessionStarted(
        config={}, market="generated", market_fingerprint="f", universe=["AURX"], benchmark=None, model={}, prompts="p"
    )
    events: list[Event] = [start]
    for number in range(length):
        day = date(2031, 1, 1) + timedelta(days=number)
        events.append(
            BarClosed(session=day, cash=number / 7, equity=1e5, positions={"AURX": number}, prices={"AURX": 10.0})
        )
        events.append(DecisionClosed(decision=number, session=day))
    return events


@pytest.mark.slow
def test_killed_twenty_times_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    events = long_story(4000)
    script = tmp_path / "events.jsonl"
    script.write_text("".join(event.model_dump_json() + "\n" for event in events))
    rng = np.random.default_rng(20)
    acknowledged = recorded = 0
    for last in range(A_ROUND, (ROUNDS + 1) * A_ROUND, A_ROUND):
        fatal = int(rng.integers(recorded, last)) + 1
        with (
            script.open() as source,
            subprocess.Popen(
                [sys.executable, "-c", WRITER, str(folder), str(last)],
                stdin=source,
                stdout=subprocess.PIPE,
                text=True,
            ) as writer,
        ):
            assert writer.stdout is not None
            lines: list[str] = []
            for line in writer.stdout:
                lines.append(line)
                if int(line) >= fatal:
                    break
            time.sleep(float(rng.uniform(0.0, 0.002)))
            os.kill(writer.pid, signal.SIGKILL)
            lines += writer.stdout
        assert writer.returncode == -signal.SIGKILL
        acknowledged = max([acknowledged, *(int(line) for line in lines if line.endswith("\n"))])
        found = verify(folder)
        assert found.ok, found.problem
        assert acknowledged <= found.count <= last
        recorded = found.count
    assert ROUNDS <= acknowledged <= recorded < len(events)
    with Journal.open_for_resume(folder) as journal:
        for event in events:
            journal.append(event)
        journal.finish()
    straight = Journal.in_memory()
    for event in events:
        straight.append(event)
    assert verify(folder).head == straight.head
    straight.close()
