"""Sessions that many tests look at are run once."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

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
