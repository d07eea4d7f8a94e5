"""A session that is killed, wherever it was, comes to the end that it would have had."""

import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paperdesk.memory.journal import verify

from .conftest import Killer

pytestmark = pytest.mark.slow

MOMENTS = 20
JOURNAL = "paperdesk.memory.journal"
PLACES = {
    "the folder was made": (f"{JOURNAL}.store:Journal", "create", "before", 1),
    "the folder was locked": (f"{JOURNAL}.store:Manifest", "write", "before", 1),
    "the manifest was written": (f"{JOURNAL}.database", "create", "before", 1),
    "the database was made": (f"{JOURNAL}.database", "open_writer", "before", 1),
    "a first event was written": (f"{JOURNAL}.store:Journal", "_place", "after", 1),
    "an order was about to leave": ("paperdesk.tools.broker.simulated:SimulatedBroker", "submit", "before", 2),
    "an order had left": ("paperdesk.tools.broker.simulated:SimulatedBroker", "submit", "after", 2),
    "the manifest was replaced": (f"{JOURNAL}.store:Manifest", "write", "after", 3),
    "the picture was drawn": ("paperdesk.simulations.session", "draw", "after", 1),
    "the database was closed": (f"{JOURNAL}.database", "fold", "after", 1),
    "the seal was set": (f"{JOURNAL}.store:Journal", "_release", "before", 1),
}


@pytest.fixture(scope="module")
def undisturbed(killer: Killer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The uninterrupted session: its head and how long it took."""
    answer = killer.ask("start", tmp_path_factory.mktemp("undisturbed") / "session")
    assert answer["head"]
    return answer


def finished_head(folder: Path) -> str:
    found = verify(folder)
    assert found.ok, found.problem
    assert found.status == "finished"
    return found.head


LONGER = {"start": "2022-12-15"}
"""Most of its time is decisions, so that most moments are within them."""


def test_killed_at_twenty_random_moments_it_ends_the_same(killer: Killer, tmp_path: Path) -> None:
    rng = np.random.default_rng(20)
    undisturbed = killer.ask("start", tmp_path / "undisturbed", config=LONGER)
    lasts = undisturbed["seconds"]
    stored: list[int] = []
    for number in range(MOMENTS):
        part = (number + float(rng.uniform())) / MOMENTS
        for attempt in range(5):
            folder = tmp_path / f"{number}-{attempt}"
            answer = killer.ask("start", folder, after=part * lasts, config=LONGER)
            if answer["killed"]:
                break
            lasts = answer["seconds"]  # the machine has become faster: aim again
            assert answer["head"] == undisturbed["head"]
        assert answer["killed"]
        stored.append(verify(folder).count if (folder / "journal.db").exists() else 0)
        again = killer.go_on(folder, config=LONGER)
        assert again["error"] is None or "is finished" in again["error"]
        assert finished_head(folder) == undisturbed["head"]
    assert len(set(stored)) > MOMENTS / 2  # the moments were spread over the whole session


def test_killed_again_while_resuming_it_ends_the_same(
    killer: Killer, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    folder, lasts = tmp_path / "session", undisturbed["seconds"]
    killer.ask("start", folder, after=0.6 * lasts)
    for part in (0.3, 0.5, 0.7):
        killer.go_on(folder, after=part * lasts)
    killer.go_on(folder)
    assert finished_head(folder) == undisturbed["head"]


@pytest.mark.parametrize("place", PLACES.values(), ids=list(PLACES))
def test_killed_just_after(
    killer: Killer, undisturbed: dict[str, Any], tmp_path: Path, place: tuple[str, str, str, int]
) -> None:
    folder = tmp_path / "session"
    if place[1] == "create" and "Journal" in place[0]:
        folder.mkdir()
    answer = killer.ask("start", folder, at=place)
    assert answer["killed"]
    again = killer.go_on(folder)
    assert again["error"] is None or "is finished" in again["error"]
    assert finished_head(folder) == undisturbed["head"]


PROGRAM = (sys.executable, "-c", "from paperdesk.cli import main; main()")
TWO_DECISIONS = (
    *("--start", "2023-12-18", "--end", "2023-12-29", "--frequency", "weekly"),
    *("--universe", "BRQL,OSTW", "--threads", "1"),
)


def of_kind(folder: Path, kind: str) -> int:
    """How many events of a kind a running session has on disk."""
    if not (folder / "journal.db").exists():
        return 0
    with closing(sqlite3.connect(f"file:{folder / 'journal.db'}?mode=ro", uri=True)) as database:
        return int(database.execute("SELECT COUNT(*) FROM events WHERE kind = ?", (kind,)).fetchone()[0])


def kill_when(folder: Path, kind: str, count: int, *words: str) -> None:
    """Runs a command and kills it a moment after the session has so many events of a kind."""
    with subprocess.Popen([*PROGRAM, *words], stderr=subprocess.DEVNULL) as desk:
        while of_kind(folder, kind) < count:
            assert desk.poll() is None
            time.sleep(0.02)
        time.sleep(0.2)
        desk.kill()
    assert desk.returncode == -signal.SIGKILL


def test_killed_twice_while_a_language_model_reads_it_ends_the_same(tmp_path: Path) -> None:
    straight, folder = tmp_path / "straight", tmp_path / "killed"
    subprocess.run([*PROGRAM, "run", *TWO_DECISIONS, "--out", str(straight)], check=True, capture_output=True)
    kill_when(folder, "tool_called", 1, "run", *TWO_DECISIONS, "--out", str(folder))
    answers = of_kind(folder, "model_called")
    assert answers < 3
    kill_when(folder, "model_called", answers + 2, "resume", str(folder))
    assert of_kind(folder, "model_called") < of_kind(straight, "model_called")
    assert verify(folder).status == "running"
    subprocess.run([*PROGRAM, "resume", str(folder)], check=True, capture_output=True)
    assert finished_head(folder) == finished_head(straight)


FORK = ("2023-11-30", ["max_weight=0.3"])
FORK_PLACES = {
    "the manifest of the fork was written": (f"{JOURNAL}.database", "create", "before", 1),
    "the shared past was copied": (f"{JOURNAL}.database", "open_writer", "before", 1),
    "the past was derived again": (f"{JOURNAL}.events:DeskChanged", "__init__", "after", 1),
    "an order of the fork had left": ("paperdesk.tools.broker.simulated:SimulatedBroker", "submit", "after", 9),
}


@pytest.fixture(scope="module")
def parent(killer: Killer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The session that is forked, and beside it `fork`, its fork that nobody disturbed."""
    folder: Path = tmp_path_factory.mktemp("parent")
    assert killer.ask("start", folder / "session")["head"]
    on, settings = FORK
    assert killer.ask("fork", folder / "fork", parent=str(folder / "session"), on=on, settings=settings)["head"]
    return folder


@pytest.mark.parametrize("place", FORK_PLACES.values(), ids=list(FORK_PLACES))
def test_a_fork_that_is_killed_ends_the_same_or_was_never_there(
    killer: Killer, parent: Path, tmp_path: Path, place: tuple[str, str, str, int]
) -> None:
    folder, how = tmp_path / "fork", {"parent": str(parent / "session"), "on": FORK[0], "settings": FORK[1]}
    assert killer.ask("fork", folder, at=place, **how)["killed"]
    again = killer.ask("resume", folder)
    if place[1] == "create":
        assert "no session" in again["error"]
        again = killer.ask("fork", folder, **how)
    assert again["error"] is None
    assert finished_head(folder) == finished_head(parent / "fork") != finished_head(parent / "session")
