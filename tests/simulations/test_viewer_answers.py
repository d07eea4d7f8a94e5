"""What the viewer answers at its edges: the last page, addresses without sense, markets of many names."""

import html
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from paperdesk.memory.journal import Filters, Hit, Journal
from paperdesk.memory.journal.events import ModelCalled
from paperdesk.simulations.reading import Session
from paperdesk.simulations.viewer.app import make_app
from paperdesk.simulations.viewer.decision_pages import QUESTIONS

from .conftest import Finished

HERE = "http://127.0.0.1:8765"


@pytest.fixture(scope="module")
def runs(generated_session: Finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    shutil.copytree(generated_session.outcome.folder, root / "one")
    return root


@pytest.fixture(scope="module")
def client(runs: Path) -> TestClient:
    return TestClient(make_app(runs), base_url=HERE)


@pytest.mark.parametrize("limit", [1, 3, 20])
def test_pages_of_what_was_found_add_up_to_the_whole(runs: Path, limit: int) -> None:
    with Session.open(runs / "one") as session:
        whole = session.hits(Filters(text="quarter"), limit=10_000)
        assert len(whole) > 100
        assert len({hit.seq for hit in whole}) < len(whole)  # an event holds several
        paged: list[Hit] = []
        while page := session.hits(Filters(text="quarter"), after=paged[-1].seq if paged else 0, limit=limit):
            paged += page
    assert paged == whole


def test_all_that_was_found_is_on_some_page(client: TestClient, runs: Path) -> None:
    with Session.open(runs / "one") as session:
        whole = len(session.hits(Filters(text="quarter"), limit=10_000))
    address, shown = "/s/one/events?q=quarter", 0
    while address:
        page = client.get(address).text
        shown += page.count('<p class="hit">')
        further = re.search(r'rel="next" data-key="j" href="([^"]+)"', page)
        address = further[1].replace("&amp;", "&") if further else ""
    assert shown == whole


HUGE = "99999999999999999999"


@pytest.mark.parametrize(
    ("address", "status"),
    [
        *((f"/s/one/d/{HUGE}", 404), (f"/s/one/e/{HUGE}", 404), ("/s/one/d/x", 404), ("/s/one/d/-1", 404)),
        *((f"/s/one/d/{HUGE}/ZEPL", 404), (f"/s/one/d/{HUGE}/prompts", 404), ("/compare", 400)),
        *((f"/s/one/news?after={HUGE}", 400), (f"/s/one/events?after={HUGE}", 400), (f"/s/one?after={HUGE}", 400)),
        *((f"/s/one/events?decision={HUGE}", 200), ("/s/one/d/1/evidence", 400), ("/s/one/events?after=x", 400)),
    ],
)
def test_an_address_without_sense_is_answered_with_a_page(client: TestClient, address: str, status: int) -> None:
    answer = client.get(address)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_an_error_of_the_viewer_itself_is_a_page_too(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(session: Session) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Session, "summary", fail)
    client = TestClient(make_app(runs), base_url=HERE, raise_server_exceptions=False)
    answer = client.get("/s/one")
    assert answer.status_code == 500
    assert "ZeroDivisionError" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_request_about_many_names_shows_its_prompts_once_and_stays_a_page(
    generated_session: Finished, tmp_path: Path
) -> None:
    kinds = ("session_started", "decision_opened", "model_called")
    first, opened, called = (generated_session.of(kind)[0] for kind in kinds)
    assert isinstance(called, ModelCalled)
    names = [f"N{number:03d}" for number in range(400)]
    asked, told = called.request["questions"][0], called.reply["answers"][0]
    many = called.model_copy(
        update={
            "request": dict(called.request) | {"questions": [asked | {"ticker": name} for name in names]},
            "reply": dict(called.reply) | {"answers": [told for _ in names]},
        }
    )
    with Journal.create(tmp_path / "many") as journal:
        for event in (first, opened, many):
            journal.append(event)
    client = TestClient(make_app(tmp_path), base_url=HERE)
    prompt = f'<pre class="prompt">{html.escape(asked["text"], quote=False)}'[:60]
    for address in ("/s/many/e/3", "/s/many/d/1/prompts"):
        page = client.get(address)
        assert page.status_code == 200
        assert len(page.content) < 500_000, address
        assert page.text.count(prompt) == QUESTIONS
        assert f"{len(names) - QUESTIONS} more:" in page.text
        assert 'prompts?ticker=N399">N399</a>' in page.text
    assert prompt in client.get("/s/many/d/1/prompts?ticker=N399").text


def test_the_page_of_a_request_shows_a_prompt_once(client: TestClient, generated_session: Finished) -> None:
    with Session.open(generated_session.outcome.folder) as session:
        row = next(row for row in session.rows(("model_called",)))
    text = html.unescape(client.get(f"/s/one/e/{row.seq}").text)
    for question in row.document["request"]["questions"]:
        line = max(question["text"].splitlines(), key=len)
        told = sum(other["text"].count(line) for other in row.document["request"]["questions"])
        assert text.count(line) == told


def test_of_many_orders_those_for_the_most_money_are_the_largest(runs: Path) -> None:
    with Session.open(runs / "one") as session:
        (line,) = session.decisions(limit=1)
    dear = {"ticker": "DEAR", "side": "buy", "quantity": 10, "reference_price": 4000.0}
    cheap = {"ticker": "CHEAP", "side": "buy", "quantity": 900, "reference_price": 2.0}
    assert [order["ticker"] for order in replace(line, orders=[cheap, dear]).largest] == ["DEAR", "CHEAP"]


def test_closes_stand_beside_what_is_computed_from_prices_and_not_beside_the_tone_of_a_release(
    client: TestClient, runs: Path
) -> None:
    with Session.open(runs / "one") as session:
        known = session.case(5, "ZEPL").evidence.values()
    shown = {}
    for measure in ("rsi_14", "tone"):
        item = next(item for item in known if item["measure"] == measure)
        assert item["kind"] == "indicator"
        shown[measure] = "The year before, closes" in client.get("/s/one/d/6/evidence", params={"id": item["id"]}).text
    assert shown == {"rsi_14": True, "tone": False}
