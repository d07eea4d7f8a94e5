"""Pages about what the desk did beside trading: forks and what came of them, debates, risk, people, venues."""

import html
import re
import shutil
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import get_args

import pytest
from fastapi.testclient import TestClient
from rich.table import Table

from paperdesk.memory.journal import Journal
from paperdesk.memory.journal.events import ApprovalGiven, DecisionOpened, Event, OrderWithheld, PointMade, VenueChecked
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.diff_screen import blocks
from paperdesk.simulations.fork import fork
from paperdesk.simulations.reading import Comparison, Library, Session
from paperdesk.simulations.reading import decision as decisions
from paperdesk.simulations.reading.comparison import differences
from paperdesk.simulations.reporting.page import write_report
from paperdesk.simulations.viewer.app import make_app
from paperdesk.simulations.viewer.words import KINDS

from .conftest import run

HERE = "http://127.0.0.1:8765"
AT = date(2023, 10, 31)
SETTINGS = ("signal:technical_analyst:VYDN=strong_sell", "max_weight=0.34")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session of a desk that argues, and a fork of it."""
    root = tmp_path_factory.mktemp("desk")
    config = SessionConfig(
        model="scorecard",
        desk="research-house",
        start=date(2023, 9, 15),
        end=date(2023, 12, 29),
        universe=("BRQL", "OSTW", "VYDN"),
        max_weight=0.4,
    )
    run(config, root / "house")
    fork(root / "house", root / "other", AT, SETTINGS, by="Ada <b>")
    return root


@pytest.fixture(scope="module")
def client(runs: Path) -> TestClient:
    return TestClient(make_app(runs), base_url=HERE)


def test_a_fork_names_its_parent_the_day_and_what_was_set(client: TestClient, runs: Path) -> None:
    (link,) = Library(runs).links()
    assert (link.fork, link.parent, link.branch.at, link.is_direct) == ("other", "house", AT, True)
    compare = "/compare?s=house&amp;s=other"
    listed, page, parent = (client.get(address).text for address in ("/", "/s/other", "/s/house"))
    assert compare in listed
    assert "fork of" in listed
    for text in (*SETTINGS, "31 Oct 2023", "Ada &lt;b&gt;", compare):
        assert text in page
    assert '<span class="tag warn" title="From here on something else was set">fork</span>' in page
    assert "Forks of it:" in parent
    assert compare in parent


def test_a_parent_that_was_moved_is_known_by_its_head_and_one_that_is_gone_is_said_to_be(
    runs: Path, tmp_path: Path
) -> None:
    shutil.copytree(runs, tmp_path / "moved")
    (tmp_path / "moved" / "house").rename(tmp_path / "moved" / "renamed")
    assert [link.parent for link in Library(tmp_path / "moved").links()] == ["renamed"]
    shutil.rmtree(tmp_path / "moved" / "renamed")
    page = TestClient(make_app(tmp_path / "moved"), base_url=HERE).get("/s/other").text
    assert "which is not in this folder" in page


def test_what_was_set_stands_on_the_page_of_its_decision(client: TestClient, runs: Path) -> None:
    with Session.open(runs / "other") as session:
        (changed,) = session.rows(("desk_changed",))
        (hand,) = session.rows(("stance_set",))
    number = (changed.decision or 0) + 1
    page = client.get(f"/s/other/d/{number}").text
    assert "<b>Set from here on</b> by Ada &lt;b&gt;" in page
    assert "max weight 0.34" in page
    assert "set by hand" in page
    case = client.get(f"/s/other/d/{number}/VYDN").text
    assert "<b>Ada &lt;b&gt;</b> set strong sell" in case
    assert str(hand.document["replaced"]["rationale"])[:20] in case
    assert "Also on record" not in page + case


def test_a_debate_stands_on_its_decision_round_by_round_with_the_claims_it_answers(
    client: TestClient, runs: Path
) -> None:
    with Session.open(runs / "house") as session:
        told = session.decision(1)
    assert [number for number, _ in told.debates["BRQL"].rounds] == [1, 2]
    answered = [point for one in told.debates.values() for point in one.points if point.how != "silent"]
    assert answered
    assert all(point.answered for point in answered)
    page = client.get("/s/house/d/2").text
    debate = page.split('<section id="debate">')[1].split("</section>")[0]
    assert re.findall(r"Round (\d)", debate) == ["1", "2"]
    assert debate.count("<li><b>") == len(answered)
    assert "the technical analyst\N{RIGHT SINGLE QUOTATION MARK}s" in debate


def test_the_risk_officer_is_read_with_the_figure_that_decided(tmp_path: Path) -> None:
    config = SessionConfig(model="scorecard", desk="research-house", start=date(2023, 1, 31), end=date(2023, 3, 10))
    run(config, tmp_path / "cut")
    client = TestClient(make_app(tmp_path), base_url=HERE)
    with Session.open(tmp_path / "cut") as session:
        row = next(row for row in session.rows(("risk_read",)) if row.document["tightening"]["caps"])
    home = f"/s/cut/d/{(row.decision or 0) + 1}"
    section = client.get(home).text.split('<section id="risk">')[1].split("</section>")[0]
    assert f">{row.document['reading']}</span>" in section
    assert section.count('<tr class="own">') >= 1
    for ticker, cap in row.document["tightening"]["caps"].items():
        assert f'{ticker}</a> at most <span class="num">{cap:.1%}' in section
        assert "<b>Risk officer</b>" in client.get(f"{home}/{ticker}").text


def beginning(runs: Path) -> list[Event]:
    """The first event and those of the first decision."""
    with Journal.open_readonly(runs / "house") as journal:
        first = next(record.event for record in journal.events("session_started"))
        return [first, *(record.event for record in journal.events(decision=0))]


def client_of(root: Path, events: Iterable[Event]) -> TestClient:
    """A viewer of one session, `asked`, with these events."""
    with Journal.create(root / "asked") as journal:
        for event in events:
            journal.append(event)
    return TestClient(make_app(root), base_url=HERE)


def test_where_a_debate_attacked_nothing_an_analyst_claimed_nobody_is_said_to_have_objected(
    runs: Path, tmp_path: Path
) -> None:
    events = beginning(runs)
    points = [one for one in events if isinstance(one, PointMade) and one.ticker == "BRQL" and one.how == "attacks"]
    to_analysts = [one for one in points if not re.search("bull|bear|skeptic", one.answers)]
    assert 0 < len(to_analysts) < len(points)  # debaters attack each other too
    page = client_of(tmp_path, (one for one in events if one not in to_analysts)).get("/s/asked/d/1/BRQL").text
    objected = page.split("<h2>Who objected</h2>")[1].split("</ul>")[0]
    assert "Neither the auditor nor the rules." in objected


def test_an_order_that_nobody_answered_for_is_not_said_to_be_stopped_by_anybody(runs: Path, tmp_path: Path) -> None:
    nobody = ApprovalGiven(
        decision=0, request_key="k", verdict="unanswered", stopped=["BRQL"], by="nobody", reason="", reply={}
    )
    client = client_of(tmp_path, [*beginning(runs), nobody])
    page = client.get("/s/asked/d/1/BRQL").text
    assert "<b>Nobody</b> answered when the order was shown to a person" in page
    write_report(tmp_path / "asked", tmp_path / "report.html")
    texts = (page, (tmp_path / "report.html").read_text(encoding="utf-8"), client.get("/s/asked/events").text)
    for text in texts:
        assert "nobody</b> stopped" not in text
        assert "nobody: stopped" not in text
    assert "<b>Nobody</b> answered" in texts[1]
    assert "nobody answered, not sent: BRQL" in texts[2]


def test_what_a_person_answered_and_what_a_venue_did_have_their_places(runs: Path, tmp_path: Path) -> None:
    first, opened, *events = beginning(runs)
    assert isinstance(opened, DecisionOpened)
    at = opened.as_of
    told: list[Event] = [
        ApprovalGiven(
            decision=0, request_key="k", verdict="reject", stopped=["BRQL"], by="Bo", reason="too dear", reply={}
        ),
        VenueChecked(decision=0, session=at.date(), at=at, skew_seconds=0.4, ledger={}, venue={"BRQL": 1.0}),
        OrderWithheld(decision=0, ticker="OSTW", client_order_id="c", quantity=5, reason="the price had moved"),
    ]
    client = client_of(tmp_path, [first, opened, *events, *told])
    page = client.get("/s/asked/d/1").text
    assert "<b>Bo</b> rejected: too dear" in page
    assert "Not sent: BRQL" in page
    assert "it counts other shares than the journal" in page
    assert "the price had moved" in page
    assert "Also on record" not in page
    assert "<b>Bo</b> stopped the order: too dear" in client.get("/s/asked/d/1/BRQL").text
    assert "the price had moved" in client.get("/s/asked/d/1/OSTW").text


def test_every_kind_of_event_has_words_and_a_place() -> None:
    kinds = {kind for one in get_args(get_args(Event)[0]) for kind in get_args(one.model_fields["kind"].annotation)}
    assert kinds == set(KINDS)
    of_sessions = {"session_started", "memory_carried", "session_ended"}
    assert kinds - of_sessions == set(decisions._PLACED) | set(decisions._ELSEWHERE)


def test_terminal_and_page_tell_the_same_differences(client: TestClient, runs: Path) -> None:
    parts = list(differences(runs / "house", runs / "other"))
    page = client.get("/compare?s=house&s=other").text
    (opening, *found, closing) = parts
    assert f"They part on {AT.day} Oct 2023, in decision 3." in page
    assert f"the first {opening.shared_events:,} events: decisions 1 to 2" in page
    assert f"{closing.different} of {closing.decisions} common decisions differ" in page
    tables = [one for one in blocks(parts) if isinstance(one, Table) and len(one.columns) == 4]
    told = [
        [(what.strip(), *rest) for what, *rest in zip(*(column.cells for column in table.columns), strict=True)]
        for table in tables
    ]
    assert told == [_rows(part) for part in page.split('<article class="pair">')[1:]]
    assert len(told) == len(found)
    assert {"desk", "signal", "weight", "order", "fill"} <= {what for rows in told for what, *_ in rows}


def _rows(part: str) -> list[tuple[str, ...]]:
    """What a table of differences tells, as the terminal writes it; without the equity, which stands in its titles."""
    cells = [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.S) for row in part.split("<tr")[2:]]
    found: list[tuple[str, ...]] = []
    for what, *rest in cells:
        if what != "Equity":
            # the page names a kind once for all of its rows
            kind = {"Rules": "rule"}.get(what, what.lower()) or found[-1][0]
            found.append((kind, *(_plain(cell) for cell in rest)))
    return found


def _plain(cell: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", cell)).strip().replace("\N{EN DASH}", "-")


def test_a_comparison_is_paged_by_day(runs: Path) -> None:
    with Session.open(runs / "house") as a, Session.open(runs / "other") as b:
        told = Comparison(a, b)
        days = [one.session for one in told.decisions()]
        assert days[0] == AT
        assert [one.session for one in told.decisions(days[0])] == days[1:]
        assert told.open_dates(days[-1]) == 0
        assert told.closing().different is None


def test_a_day_that_is_none_is_refused(client: TestClient) -> None:
    assert client.get("/compare?s=house&s=other&after=soon").status_code == 400


@pytest.mark.parametrize("newest_first", [False, True])
def test_decisions_are_paged_without_gap_or_repeat(runs: Path, newest_first: bool) -> None:
    with Session.open(runs / "other") as session:
        whole = [line.number for line in session.decisions(newest_first=newest_first)]
        paged: list[int] = []
        while page := session.decisions(after=paged[-1] if paged else -1, limit=1, newest_first=newest_first):
            paged += [line.number for line in page]
            if newest_first and paged[-1] == 0:
                break
    assert paged == whole == sorted(whole, reverse=newest_first)
    assert len(whole) == 4
