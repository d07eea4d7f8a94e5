"""Long sessions in the viewer: their index is made beside the pages, and what is kept of a journal grows with it."""

import shutil
import time
from itertools import pairwise
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from paperdesk.memory.journal import Journal
from paperdesk.memory.journal.index import FILE
from paperdesk.simulations.reading import Session
from paperdesk.simulations.reading.series import thinned
from paperdesk.simulations.viewer import indexing
from paperdesk.simulations.viewer.app import make_app

from .conftest import Finished

HERE = "http://127.0.0.1:8765"
SEARCH = "/s/one/events?q=quarter"


@pytest.fixture
def folder(generated_session: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A session that counts as long, without an index."""
    monkeypatch.setattr(indexing, "AT_ONCE", 100)
    folder = tmp_path / "runs" / "one"
    shutil.copytree(generated_session.outcome.folder, folder, ignore=shutil.ignore_patterns(f"{FILE}*"))
    return folder


def answered(client: TestClient) -> str:
    """The page of a search, once there is one."""
    deadline = time.monotonic() + 300
    while "being indexed" in (page := client.get(SEARCH).text):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return page


@pytest.mark.parametrize(
    ("first", "said"),
    [(SEARCH, "being indexed for the first time"), ("/s/one", "This session is being read for the first time")],
)
def test_a_long_session_is_indexed_beside_its_pages(folder: Path, first: str, said: str) -> None:
    client = TestClient(make_app(folder.parent), base_url=HERE)
    assert said in client.get(first).text  # nobody waits
    assert "<mark>quarter" in answered(client)
    assert (folder / FILE).is_file()
    assert "being read for the first time" not in client.get("/s/one").text


def test_where_no_index_can_be_kept_a_search_answers_all_the_same(folder: Path) -> None:
    (folder / FILE).mkdir()
    client = TestClient(make_app(folder.parent), base_url=HERE)
    assert "being indexed" in client.get(SEARCH).text
    assert "<mark>quarter" in answered(client)


def test_what_is_drawn_of_a_journal_grows_with_it(generated_session: Finished, tmp_path: Path) -> None:
    closed = [i for i, event in enumerate(generated_session.events) if event.kind == "decision_closed"]
    client = TestClient(make_app(tmp_path), base_url=HERE)
    pages, done = [], 0
    with Journal.create(tmp_path / "one", config=generated_session.config.model_dump(mode="json")) as journal:
        for end in closed[1:4]:
            for event in generated_session.events[done : end + 1]:
                journal.append(event)
            done = end + 1
            pages.append(client.get("/s/one").text)
            assert client.get("/s/one").text == pages[-1]
    for part in ('<figure class="chart" id="equity"', '<figure class="chart" id="weights"'):
        drawn = [page.split(part)[1].split("</figure>")[0] for page in pages]
        assert all(one != other for one, other in pairwise(drawn))
    with Session.open(tmp_path / "one") as session:
        trades, day = session.trades(), session.curve()[-1][0]
    assert str(len(trades)) in pages[-1]
    assert f"{day.day} {day:%b %Y}" in pages[-1]


def test_a_part_of_the_ledger_is_that_of_the_whole(generated_session: Finished) -> None:
    with Session.open(generated_session.outcome.folder) as session:
        bars = session.bars()
        assert session.curve() == [(bar.day, bar.equity) for bar in bars]
        assert session.bars(most=50) == thinned(bars, 50)
        assert session.bars(most=10**6) == bars
