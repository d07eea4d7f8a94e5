"""What the viewer answers, page by page, without a browser."""

import json
import re
import shutil
import socket
import sqlite3
from itertools import pairwise
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from paperdesk.memory.journal import Journal
from paperdesk.simulations.reading import Session
from paperdesk.simulations.reading.path import path_of
from paperdesk.simulations.viewer.app import LOOPBACK, make_app
from paperdesk.simulations.viewer.charts import equity_chart, nice_marks, weights_chart
from paperdesk.simulations.viewer.drawings import path_drawing
from paperdesk.simulations.viewer.serve import serve
from paperdesk.tools.errors import InputError
from paperdesk.tools.frozen import canonical_json

from .conftest import Finished

HERE = "http://127.0.0.1:8765"


@pytest.fixture(scope="module")
def runs(generated_session: Finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    shutil.copytree(generated_session.outcome.folder, root / "one")
    shutil.copytree(generated_session.outcome.folder, root / "two")
    (root / "broken").mkdir()
    (root / "broken" / "journal.db").write_bytes(b"nothing")
    return root


@pytest.fixture(scope="module")
def client(runs: Path) -> TestClient:
    return TestClient(make_app(runs), base_url=HERE)


def test_every_link_of_every_page_leads_to_a_page(client: TestClient) -> None:
    waiting, seen = ["/", "/compare?s=one&s=two"], set[str]()
    forms: dict[str, int] = {}
    while waiting:
        address = waiting.pop()
        kind = re.sub(r"\d+|=[^&]*|(?<=\d/)[A-Z]+", "*", address)
        if address in seen or forms.get(kind, 0) >= 3:
            continue
        seen.add(address)
        forms[kind] = forms.get(kind, 0) + 1
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert len(answer.content) < 500_000, address
        found = re.findall(r'(?:href|src|data-fragment)="([^"]+)"', answer.text)
        assert all(one.startswith(("/", "#")) for one in found), address
        waiting += [one.replace("&amp;", "&").split("#")[0] for one in found if not one.startswith("#")]
    assert {"/s/*/d/*", "/s/one/verify", "/s/one/equity"} <= {*forms, *seen} | {
        re.sub("one|two", "*", f) for f in forms
    }
    assert len(seen) > 40


def test_nothing_is_loaded_from_elsewhere_and_nothing_inline_is_executed(client: TestClient) -> None:
    for address in ("/", "/s/one", "/s/one/d/1", "/s/nothing", "/static/script.js"):
        policy = client.get(address).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
    for page in ("/", "/s/one", "/s/one/d/1", "/s/one/d/1/ZEPL"):
        text = client.get(page).text
        assert not re.search(r"\sstyle=|\son\w+=|<script>|javascript:", text)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8765", "[::1]"])
def test_another_name_for_this_machine_is_refused(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("host", LOOPBACK)
def test_the_names_of_loopback_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": f"{host}:1234"}).status_code == 200


def test_nothing_can_be_changed(client: TestClient, runs: Path) -> None:
    before = (runs / "one" / "journal.db").read_bytes()
    for address in ("/", "/s/one", "/s/one/d/1", "/s/one/events", "/s/one/e/1"):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert client.request(method, address).status_code == 405
    assert (runs / "one" / "journal.db").read_bytes() == before


@pytest.mark.parametrize(
    "address",
    [
        "/s/none",
        "/s/..%2F..%2Fetc",
        "/s/one/d/999",
        "/s/one/d/0",
        "/s/one/d/1/NVDA",
        "/s/one/e/0",
        "/s/one/e/99999999",
        "/s/one/d/1/evidence?id=x",
        "/static/../app.py",
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(client: TestClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


def test_a_session_that_cannot_be_read_is_listed_with_the_reason(client: TestClient) -> None:
    page = client.get("/").text
    assert "cannot be read" in page
    assert "manifest" in page
    assert client.get("/s/broken").status_code == 500


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("kind=order_filled", "Fill"),
        ("verdict=approve", "Rules"),
        ("agent=technical_analyst&kind=signal_issued", "Signal"),
        ("q=revenue&kind=tool_called", "Tool called"),
    ],
)
def test_filters_stand_in_the_address(client: TestClient, query: str, kind: str) -> None:
    page = client.get(f"/s/one/events?{query}").text
    shown = re.findall(r'<p class="head"><a [^>]+>\d+</a> <b>([^<]+)</b>', page)
    assert shown
    assert set(shown) == {kind}


@pytest.mark.parametrize("query", ["since=yesterday", "decision=x", "q=%22%22%20-"])
def test_a_filter_that_means_nothing_is_explained(client: TestClient, query: str) -> None:
    page = client.get(f"/s/one/events?{query}")
    assert page.status_code == 200
    assert 'role="alert"' in page.text


def test_all_events_can_be_paged_through(client: TestClient, runs: Path) -> None:
    with Session.open(runs / "one") as session:
        count = session.count
    address, seen = "/s/one/events", list[int]()
    while address:
        page = client.get(address).text
        seen += [int(seq) for seq in re.findall(r'<p class="head"><a [^>]+>(\d+)</a>', page)]
        further = re.search(r'rel="next" data-key="j" href="([^"]+)"', page)
        address = further[1].replace("&amp;", "&") if further else ""
    assert seen == list(range(1, count + 1))


def test_equal_sessions_are_told_to_be_equal(client: TestClient) -> None:
    assert "Equal, event by event:" in client.get("/compare?s=one&s=two").text
    assert client.get("/compare?s=one").status_code == 400


def test_what_is_new_in_a_session_is_told_once(generated_session: Finished, tmp_path: Path) -> None:
    client = TestClient(make_app(tmp_path), base_url=HERE)
    lines: list[str] = []
    after = 0
    with Journal.create(tmp_path / "live") as journal:
        for number, event in enumerate(generated_session.events[:300]):
            journal.append(event)
            if number % 50 == 49:
                news = client.get(f"/s/live/news?after={after}").json()
                assert (news["last"], news["count"], news["finished"]) == (number + 1, number + 1, False)
                after = news["last"]
                lines += news["lines"]
        assert client.get("/s/live").status_code == 200
    whole = client.get("/s/live/news?after=0").json()["lines"]
    assert [line.strip() for line in lines][: len(whole)] == [line.strip() for line in whole][: len(lines)]
    assert any("analyst on" in line for line in lines)


def test_a_debate_is_told_by_round_and_an_attack_counts_as_an_objection(
    generated_session: Finished, tmp_path: Path
) -> None:
    folder = tmp_path / "house"
    shutil.copytree(generated_session.outcome.folder, folder)
    point = {
        "kind": "point_made",
        "decision": 0,
        "agent": "bear",
        "ticker": "ZEPL",
        "answers": "ZEPL/technical_analyst/E1",
    }
    said = [
        point
        | {"round": 1, "how": "attacks", "rationale": "so", "stands": True, "findings": []}
        | {"point": {"id": "ZEPL/bear/1", "text": "too <b>dear", "evidence": "ZEPL/return_1m/2023-01-03"}},
        point
        | {"round": 2, "how": "attacks", "rationale": "wrong", "stands": False, "findings": [{"message": "no figure"}]}
        | {"point": {}},
        {"kind": "debate_closed", "decision": 0, "ticker": "ZEPL", "factors": {"news_analyst": 0.5}, "outcome": {}},
    ]
    with sqlite3.connect(folder / "journal.db") as database:
        last = database.execute("SELECT MAX(seq) FROM events").fetchone()[0]
        rows = [
            (last + 1 + i, canonical_json(event), str(i), "2024-01-01T00:00:00+00:00") for i, event in enumerate(said)
        ]
        database.executemany("INSERT INTO events (seq, body, hash, written_at) VALUES (?, ?, ?, ?)", rows)
    page = TestClient(make_app(tmp_path), base_url=HERE).get("/s/house/d/1/ZEPL").text
    answer, debate = page.split('<section id="debate">')
    assert "<b>Bear</b> in the debate, to the technical analyst: too &lt;b&gt;dear" in answer
    assert "wrong" not in answer
    assert re.findall(r"Round (\d)", debate) == ["1", "2"]
    assert "struck by the auditor" in debate
    assert 'news analyst <span class="num">\N{MULTIPLICATION SIGN}0.50' in debate


def test_names_that_need_quoting_are_quoted(generated_session: Finished, tmp_path: Path) -> None:
    odd = tmp_path / "a & b" / 'run "1" <b>#?'
    odd.parent.mkdir()
    shutil.copytree(generated_session.outcome.folder, odd)
    client = TestClient(make_app(tmp_path), base_url=HERE)
    page = client.get("/").text
    assert "<b>#" not in page
    (address,) = re.findall(r'<th scope="row"><a href="([^"]+)"', page)
    assert client.get(address).status_code == 200
    assert client.get(f"{address}/d/1/ZEPL").status_code == 200


def test_an_address_that_cannot_be_served_is_refused(runs: Path) -> None:
    for host in ("0.0.0.0", "::", ""):
        with pytest.raises(InputError, match="no single address"):
            serve(runs, host=host)
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(InputError, match="give another --port"):
        serve(runs, port=taken.getsockname()[1])


def test_a_folder_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        make_app(tmp_path / "absent")


@pytest.mark.parametrize(("low", "high"), [(-0.31, 1.62), (0.0, 0.0), (-0.004, 0.003), (-0.29, 0.0), (12.0, 4810.5)])
def test_marks_enclose_the_range_in_even_steps(low: float, high: float) -> None:
    marks = nice_marks(low, high)
    assert marks[0] <= low + 1e-9
    assert marks[-1] >= high - 1e-9
    assert 2 <= len(marks) <= 7
    steps = {round(after - before, 9) for before, after in pairwise(marks)}
    assert len(steps) == 1


def test_charts_hold_every_name_once_and_only_numbers(runs: Path) -> None:
    with Session.open(runs / "one") as session:
        bars = session.bars()
        chart = weights_chart(bars, session.universe)
        equity = equity_chart({"desk <b>": [(bar.day, bar.equity) for bar in bars]}, [(bars[3].day, 1)])
    assert chart.count('class="layer') == len({name for bar in bars for name, weight in bar.weights.items() if weight})
    assert "nan" not in (chart + equity).lower()
    assert "<b>desk" not in equity
    assert "desk &lt;b&gt;" in equity
    (data,) = re.findall(r'data-points="([^"]+)"', equity)
    told = json.loads(data.replace("&#34;", '"').replace("&lt;", "<").replace("&gt;", ">"))
    assert told["days"][0] == bars[0].day.isoformat()
    assert len(told["x"]) == len(told["values"][0])


def test_a_path_is_drawn_node_by_node() -> None:
    turns = [
        (1, "decision_opened", None),
        (2, "signal_issued", "a"),
        (3, "audit_issued", "a"),
        (4, "signal_issued", "a"),
    ]
    drawing = path_drawing(path_of(turns), "/e/{}")
    assert re.findall(r'href="/e/(\d)"', drawing) == ["1", "2", "3", "4"]
    assert drawing.count("node again") == 1
    assert drawing.count('class="edge back"') == 1
