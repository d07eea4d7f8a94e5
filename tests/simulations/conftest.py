"""Sessions that many tests look at are run once; and sessions that are killed."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from paperdesk.memory.journal import Journal
from paperdesk.memory.journal.events import Event
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.session import Outcome, start
from paperdesk.tools.frozen import content_hash


@dataclass(frozen=True)
class Finished:
    """A finished session and its events."""

    config: SessionConfig
    outcome: Outcome
    events: list[Event]

    def of(self, kind: str) -> list[Event]:
        return [event for event in self.events if event.kind == kind]

    def orders_hash(self) -> str:
        """Hash of the order list: decision, ticker, side, quantity."""
        orders = [e for e in self.events if e.kind == "order_submitted"]
        return content_hash([[e.decision, e.ticker, e.order.side, e.order.quantity] for e in orders])[:16]


def run(config: SessionConfig, folder: Path) -> Finished:
    outcome = start(config, folder)
    with Journal.open_readonly(folder) as journal:
        return Finished(config, outcome, [record.event for record in journal.events()])


@pytest.fixture(scope="session")
def us8_session(us8: Path, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    config = SessionConfig(market=str(us8), model="scorecard", start=date(2024, 1, 2), end=date(2025, 8, 8))
    return run(config, tmp_path_factory.mktemp("us8") / "session")


@pytest.fixture(scope="session")
def us_tech_session(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    config = SessionConfig(market="us-tech", model="scorecard", start=date(2007, 1, 3), end=date(2009, 12, 31))
    return run(config, tmp_path_factory.mktemp("us-tech") / "session")


@pytest.fixture(scope="session")
def generated_session(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return run(SessionConfig(model="scorecard"), tmp_path_factory.mktemp("generated") / "session")


@pytest.fixture(params=["generated_session", "us_tech_session", "us8_session"])
def session(request: pytest.FixtureRequest) -> Finished:
    """Each of the sessions in turn."""
    finished: Finished = request.getfixturevalue(request.param)
    return finished


ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""For the process that forks: a pool of threads would not survive it."""


class Killer:
    """Asks the forking process for sessions."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, verb: str, folder: Path, **how: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"verb": verb, "folder": str(folder)} | how) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def go_on(self, folder: Path, **how: Any) -> dict[str, Any]:
        """What a person would do next: resume if there is something to resume, run again otherwise."""
        answer = self.ask("resume", folder, **how)
        if answer["error"] and "no session" in answer["error"]:
            return self.ask("start", folder, **how)
        return answer


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    program = Path(__file__).with_name("forked.py")
    with subprocess.Popen(
        [sys.executable, str(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | ONE_THREAD,
    ) as process:
        yield Killer(process)
        assert process.stdin is not None
        process.stdin.close()
