"""The viewer as a person meets it: in a real browser, over a real socket, with the command line serving.

Pictures of every page are left in the folder that PAPERDESK_SCREENSHOTS names.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from paperdesk.memory.journal import Filters, Journal
from paperdesk.memory.journal.events import Event
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.fork import fork
from paperdesk.simulations.reading import Session
from paperdesk.simulations.reporting.page import write_report

from .conftest import Finished, run
from .test_cli import WORDS

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright (make setup-dev)")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian and Ubuntu: apt install chromium)"),
]
PHONE = {"width": 390, "height": 844}
LAPTOP = {"width": 1280, "height": 900}
SCRIPT = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
HOSTILE = (
    f'ACME reports record revenue {SCRIPT} </p></mark><a href="http://evil.example/">revenue guidance</a> raised. '
    "Revenue rose 12% and demand was strong \u202e\u2066 in all regions. "
)
"""Sentences that are set aside before the desk reads the document."""
PLAIN = (
    "The company raised its revenue guidance, as sales rose &lt;b&gt;12%&lt;/b&gt; on strong demand in all regions. "
    "Margins improved, and costs of production fell. Orders from large customers grew in every quarter of the year. "
    "The new plant works at its planned capacity. Cash flow from operations was higher than a year ago. "
    "Two products were renewed in the quarter. The number of employees was about the same. "
)


@pytest.fixture(scope="module")
def runs(us8_session: Finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sessions on real data, and one whose market holds a hostile press release."""
    root = tmp_path_factory.mktemp("browser")
    shutil.copytree(us8_session.outcome.folder, root / "desk")
    other = us8_session.config.model_copy(update={"max_weight": 0.2, "end": date(2024, 2, 12)})
    run(other, root / "narrow")
    market = tmp_path_factory.mktemp("market")
    subprocess.run([sys.executable, Path(__file__).parents[2] / "examples/write_data_set.py", market], check=True)
    (market / "documents.jsonl").write_text(
        '{"id": "acme-1", "ticker": "ACME", "published_at": "2023-01-20T21:05:00Z", "source": "8-K", '
        f'"headline": {_json("ACME " + SCRIPT)}, "body": {_json(HOSTILE + PLAIN)}}}\n',
        encoding="utf-8",
    )
    config = us8_session.config.model_copy(
        update={"market": str(market), "start": date(2023, 1, 3), "end": date(2023, 4, 3)}
    )
    run(config, root / "hostile")
    argued = SessionConfig(
        model="scorecard",
        desk="research-house",
        start=date(2023, 9, 15),
        end=date(2023, 12, 29),
        universe=("BRQL", "OSTW", "VYDN"),
        max_weight=0.4,
    )
    run(argued, root / "house")
    set_then = ("signal:technical_analyst:VYDN=strong_sell", "max_weight=0.34")
    fork(root / "house", root / "what-if", date(2023, 10, 31), set_then, by="Ada")
    return root


def _json(text: str) -> str:
    from json import dumps

    return dumps(text)


@pytest.fixture(scope="module")
def address(runs: Path) -> Iterator[str]:
    """The viewer in a process of its own."""
    process = subprocess.Popen([*WORDS, "view", str(runs), "--port", "0"], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    found = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
    assert found
    yield found[0]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, address: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A page that notes every complaint of the browser and every request that leaves for another host."""
    context = browser.new_context(viewport=getattr(request, "param", LAPTOP), base_url=address)
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(address) else complaints.append(asked.url))
    yield page
    assert complaints == []
    context.close()


def picture(page: Any, name: str) -> None:
    if folder := os.environ.get("PAPERDESK_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def bought(runs: Path, ticker: str) -> int:
    """A decision (from 1) that bought a name in May, or else at any time."""
    with Session.open(runs / "desk") as session:
        orders = session.entries(Filters(kind="order_submitted", ticker=ticker))
        buys = [row for row in orders if row.document["order"]["side"] == "buy"]
        in_may = [row for row in buys if "-05-" in row.document["order"]["decided_at"]]
        return int((in_may or buys)[0].decision or 0) + 1


def test_three_clicks_lead_from_the_list_to_the_sentence_in_the_document(page: Any, runs: Path) -> None:
    number = bought(runs, "NVDA")
    page.goto("/")
    picture(page, "sessions")
    page.get_by_role("link", name="desk", exact=True).click()  # 1
    picture(page, "session")
    cell = page.locator(f'td.cell a[href="/s/desk/d/{number}/NVDA"]')
    cell.click()  # 2
    answer = page.get_by_role("region", name="The answer")
    for question in ("Why", "Who objected", "What they read", "What it cost"):
        sync_api.expect(answer.get_by_role("heading", name=question)).to_be_visible()
    with Session.open(runs / "desk") as session:
        case = session.case(number - 1, "NVDA")
    assert case.move.ordered is not None
    assert case.move.ordered.reason in answer.inner_text()
    assert f"{case.move.ordered.costs:,.2f}" in answer.inner_text()
    picture(page, "case")
    quoted = case.passages[0]
    page.locator("li", has_text="“").get_by_role("link").first.click()  # 3
    assert page.locator("#passage").inner_text() == quoted["text"]
    assert len(page.locator(".document").inner_text()) > 2 * len(quoted["text"])
    sync_api.expect(page.locator("#passage")).to_be_visible()
    picture(page, "evidence")


def test_a_figure_leads_to_the_filing_it_stands_in(page: Any, runs: Path) -> None:
    number = bought(runs, "NVDA")
    with Session.open(runs / "desk") as session:
        ratios = [item for item in session.case(number - 1, "NVDA").evidence.values() if item["kind"] == "ratio"]
    item = next(item for item in ratios if item["measure"] == "revenue_growth_yoy")
    page.goto(f"/s/desk/d/{number}/evidence?id={item['id']}")
    assert item["source"] in page.locator("main").inner_text()
    table = page.get_by_role("region", name="Figures of the filing")
    assert table.get_by_text("Revenue", exact=True).first.is_visible()


def test_search_and_filters_keep_their_place_in_the_address(page: Any) -> None:
    page.goto("/s/desk")
    page.keyboard.press("/")
    page.keyboard.type("revenue growth")
    page.keyboard.press("Enter")
    page.wait_for_url("**/s/desk/events?q=revenue+growth")
    assert page.locator(".hit mark").count() > 10
    page.get_by_label("Ticker").select_option("NVDA")
    page.get_by_label("Kind").select_option("signal_issued")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**ticker=NVDA**")
    assert "verdict" not in page.url  # what is left empty stays out
    heads = page.locator(".events .head")
    assert heads.count() > 0
    assert all("Signal" in text and "NVDA" in text for text in heads.all_inner_texts())
    address = page.url
    page.goto("/")
    page.goto(address)
    assert page.get_by_label("Ticker").input_value() == "NVDA"
    picture(page, "search")


def test_keys_lead_from_decision_to_decision(page: Any) -> None:
    page.goto("/s/desk/d/2")
    page.keyboard.press("j")
    page.wait_for_url("**/d/3")
    page.keyboard.press("k")
    page.wait_for_url("**/d/2")
    picture(page, "decision")
    page.keyboard.press("?")
    sync_api.expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.keyboard.press("u")
    page.wait_for_url("**/s/desk")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    picture(page, "session-dark")


def test_two_sessions_are_compared(page: Any) -> None:
    page.goto("/")
    button = page.get_by_role("button", name="Compare the two")
    assert button.is_disabled()
    page.get_by_label("Compare desk").check()
    page.get_by_label("Compare narrow").check()
    button.click()
    page.wait_for_url("**/compare?**")
    main = page.locator("main").inner_text()
    assert "max weight" in main
    assert "They differ from the first event on." in main
    assert page.locator("article.pair").count() > 3
    picture(page, "compare")


def test_a_fork_leads_to_its_parent_and_to_where_they_part(page: Any) -> None:
    page.goto("/s/what-if")
    note = page.locator(".note").first
    sync_api.expect(note).to_contain_text("Ada set signal:technical_analyst:VYDN=strong_sell, max_weight=0.34")
    sync_api.expect(note.get_by_role("link", name="house", exact=True)).to_have_attribute("href", "/s/house")
    picture(page, "fork")
    note.get_by_role("link", name="What came of it").click()
    page.wait_for_url("**/compare?s=house&s=what-if")
    sync_api.expect(page.get_by_text("They part on 31 Oct 2023, in decision 3.")).to_be_visible()
    first = page.locator("article.pair").first
    sync_api.expect(first.get_by_role("row", name="Signal Technical analyst on VYDN")).to_contain_text("set by hand")
    picture(page, "compare-fork")
    first.get_by_role("link", name="decision 3").last.click()
    page.wait_for_url("**/s/what-if/d/3")
    sync_api.expect(page.get_by_text("Set from here on by Ada")).to_be_visible()
    picture(page, "decision-fork")


def test_a_debate_and_the_risk_officer_stand_on_the_decision(page: Any) -> None:
    page.goto("/s/house/d/2")
    for heading in ("The debate, round by round", "The risk officer"):
        sync_api.expect(page.get_by_role("heading", name=heading)).to_be_visible()
    picture(page, "decision-house")
    page.locator("#debate").get_by_role("link", name="BRQL").first.click()
    page.wait_for_url("**/s/house/d/2/BRQL#debate")
    sync_api.expect(page.get_by_role("heading", name="The debate", exact=True)).to_be_visible()
    picture(page, "case-house")


def test_a_press_release_with_script_in_it_is_inert(page: Any, runs: Path) -> None:
    with Session.open(runs / "hostile") as session:
        found = session.entries(Filters(kind="tool_called", ticker="ACME", text="guidance"))
        row = found[0]
        item = next(item for item in row.document["evidence"] if item.get("span"))
    addresses = [
        f"/s/hostile/d/{(row.decision or 0) + 1}/evidence?id={item['id']}",
        f"/s/hostile/d/{(row.decision or 0) + 1}/ACME",
        f"/s/hostile/d/{(row.decision or 0) + 1}/prompts",
        f"/s/hostile/e/{row.seq}",
        "/s/hostile/events?q=guidance",
    ]
    for address in addresses:
        page.goto(address)
        assert "owned" not in page.title()
        assert page.locator("main img").count() == 0
        assert page.locator("main script").count() == 0
        assert page.locator('a[href^="http"]').count() == 0
    page.goto(addresses[0])
    # the document as the desk read it: what is code is gone, what little markup is left is text
    assert "&lt;b&gt;12%&lt;/b&gt;" in page.locator(".document").inner_text()
    assert page.locator(".document b").count() == 0
    assert "script" not in page.locator(".document").inner_text()
    picture(page, "hostile")


def test_script_on_record_is_inert_on_every_page_that_shows_it(page: Any, runs: Path, us8_session: Finished) -> None:
    """Screening takes code out of documents; a journal may hold it all the same."""

    def spoiled(event: Event) -> Event:
        if event.kind == "tool_called" and any(item.span is not None for item in event.evidence):
            held = [i.model_copy(update={"text": SCRIPT}) if i.span is not None else i for i in event.evidence]
            return event.model_copy(update={"evidence": held})
        if event.kind == "proposal_made":
            return event.model_copy(update={"proposal": event.proposal | {"rationale": f"</main>{SCRIPT}"}})
        return event

    events = us8_session.events
    closed = next(i for i, event in enumerate(events) if event.kind == "decision_closed")
    with Journal.create(runs / "spoiled", config=us8_session.config.model_dump(mode="json")) as journal:
        for event in events[: closed + 1]:
            journal.append(spoiled(event))
    with Session.open(runs / "spoiled") as session:
        proposal = session.entries(Filters(kind="proposal_made"))[0]
        called = next(
            row
            for row in session.entries(Filters(kind="tool_called"))
            if any(item["text"] == SCRIPT for item in row.document["evidence"])
        )
    pages = {
        "/s/spoiled/d/1": True,
        f"/s/spoiled/d/1/{called.ticker}": True,
        f"/s/spoiled/e/{proposal.seq}": True,
        f"/s/spoiled/e/{called.seq}": True,
        "/s/spoiled": False,
        "/s/spoiled/events?q=owned": False,
    }
    for address, shown in pages.items():
        page.goto(address)
        assert "owned" not in page.title()
        assert page.locator("main img").count() == 0
        assert page.locator("main script").count() == 0
        if shown:
            assert "document.title=" in page.locator("main").inner_text(), address
    shutil.rmtree(runs / "spoiled")


@pytest.mark.parametrize("view", [PHONE, LAPTOP], ids=["phone", "laptop"])
def test_a_report_stands_alone(browser: Any, runs: Path, tmp_path: Path, view: dict[str, int]) -> None:
    context = browser.new_context(viewport=view)
    for name in ("desk", "hostile"):
        file = write_report(runs / name, tmp_path / f"{name}.html")
        page, asked, said = context.new_page(), list[str](), list[str]()
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.on("console", lambda message, said=said: said.append(message.text))
        page.goto(file.as_uri())
        page.locator("details.decision > summary").last.click()
        page.locator("details.decision[open] details.case > summary").first.click()
        sync_api.expect(page.locator("details.decision[open] details.case[open] .claims li").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= view["width"]
        assert "owned" not in page.title()
        assert asked == [file.as_uri()]
        assert said == []
        picture(page, f"report_{name}_{view['width']}")
    context.close()


def test_a_running_session_is_followed(page: Any, runs: Path, us8_session: Finished) -> None:
    expect, events = sync_api.expect, us8_session.events
    second = [i for i, event in enumerate(events) if event.kind == "decision_closed"][1]
    folder = runs / "live"
    with Journal.create(folder, config=us8_session.config.model_dump(mode="json")) as journal:
        for event in events[:20]:
            journal.append(event)
        page.goto("/s/live")
        sync_api.expect(page.get_by_role("heading", name="Live", exact=True)).to_be_visible()
        for event in events[20 : second + 3]:
            journal.append(event)
        expect(page.locator("#timeline tbody tr")).to_have_count(2, timeout=60_000)
        expect(page.locator("#live-count")).to_have_text(str(second + 3), timeout=60_000)
        assert "analyst on NVDA" in page.locator("#live-lines").inner_text()
        picture(page, "live")
        for event in events[second + 3 :]:
            journal.append(event)
        journal.finish()
        expect(page.locator("#live")).to_have_count(0, timeout=60_000)
        sync_api.expect(page.get_by_text("finished", exact=True)).to_be_visible()
    shutil.rmtree(folder)


@pytest.mark.parametrize("page", [PHONE], indirect=True)
def test_a_phone_shows_every_page_without_sideways_scrolling(page: Any, runs: Path) -> None:
    number = bought(runs, "NVDA")
    for name, address in {
        "sessions": "/",
        "session": "/s/desk",
        "decision": f"/s/desk/d/{number}",
        "case": f"/s/desk/d/{number}/NVDA",
        "prompts": f"/s/desk/d/{number}/prompts?ticker=NVDA",
        "search": "/s/desk/events?q=revenue",
        "event": "/s/desk/e/20",
        "compare": "/compare?s=desk&s=narrow",
        "fork": "/s/what-if",
        "compare-fork": "/compare?s=house&s=what-if",
        "decision-fork": "/s/what-if/d/3",
        "decision-house": "/s/house/d/2",
        "case-house": "/s/house/d/2/BRQL",
    }.items():
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], name
        picture(page, f"phone-{name}")


def barriers(page: Any, options: str = "{}") -> list[tuple[str, str]]:
    """What axe finds on a page, minor things aside: (rule, an element)."""
    place = find_spec("axe_playwright_python")
    if place is None or place.origin is None:
        pytest.skip("needs axe-playwright-python (make setup-dev)")
    page.evaluate((Path(place.origin).parent / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate(f"axe.run({options})")
    return [(v["id"], v["nodes"][0]["html"]) for v in found["violations"] if v["impact"] != "minor"]


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/s/desk", "/s/desk/d/2", "/s/desk/d/2/NVDA", "/s/desk/d/2/prompts?ticker=NVDA", "/s/desk/events?q=cap"),
        *("/s/what-if", "/s/what-if/d/3", "/s/house/d/2", "/s/house/d/2/BRQL", "/compare?s=house&s=what-if"),
        "/s/desk/e/20",
    ],
)
def test_no_page_has_a_barrier(page: Any, path: str) -> None:
    page.goto(path)
    assert barriers(page) == []


@pytest.mark.parametrize("path", ["/s/desk/d/2", "/s/what-if/d/3", "/s/house/d/2", "/compare?s=house&s=what-if"])
def test_dark_pages_have_contrast(page: Any, path: str) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(path)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)"
    assert barriers(page, "{runOnly: ['color-contrast']}") == []
