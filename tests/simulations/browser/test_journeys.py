"""The viewer as a person meets it: the ways through its pages, from the question to the sentence in the filing."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from paperdesk.memory.journal import Filters, Journal
from paperdesk.memory.journal.events import Event
from paperdesk.simulations.reading import Session
from paperdesk.simulations.reporting.page import write_report

from ..conftest import Finished
from .conftest import IN_BROWSER, LAPTOP, PHONE, SCRIPT, bought, picture

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright (make setup-dev)")
pytestmark = IN_BROWSER


def test_three_clicks_lead_from_the_list_to_the_sentence_in_the_document(page: Any, runs: Path) -> None:
    number = bought(runs, "NVDA")
    page.goto("/")
    page.get_by_role("link", name="desk", exact=True).click()  # 1
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
    quoted = case.passages[0]
    page.locator("li", has_text="“").get_by_role("link").first.click()  # 3
    assert page.locator("#passage").inner_text() == quoted["text"]
    assert len(page.locator(".document").inner_text()) > 2 * len(quoted["text"])
    sync_api.expect(page.locator("#passage")).to_be_in_viewport()
    page.set_viewport_size(PHONE)
    page.reload()
    document, passage = (page.locator(one).bounding_box() for one in (".document", "#passage"))
    assert document["y"] <= passage["y"] < document["y"] + document["height"]  # not somewhere far below


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


def test_keys_lead_from_decision_to_decision(page: Any) -> None:
    page.goto("/s/desk/d/2")
    page.keyboard.press("j")
    page.wait_for_url("**/d/3")
    page.keyboard.press("k")
    page.wait_for_url("**/d/2")
    page.keyboard.press("?")
    sync_api.expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.keyboard.press("u")
    page.wait_for_url("**/s/desk")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


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


def test_a_fork_leads_to_its_parent_and_to_where_they_part(page: Any) -> None:
    page.goto("/s/what-if")
    note = page.locator(".note").first
    sync_api.expect(note).to_contain_text("Ada set signal:technical_analyst:VYDN=strong_sell, max_weight=0.34")
    sync_api.expect(note.get_by_role("link", name="house", exact=True)).to_have_attribute("href", "/s/house")
    note.get_by_role("link", name="What came of it").click()
    page.wait_for_url("**/compare?s=house&s=what-if")
    sync_api.expect(page.get_by_text("They part on 31 Oct 2023, in decision 3.")).to_be_visible()
    first = page.locator("article.pair").first
    sync_api.expect(first.get_by_role("row", name="Signal Technical analyst on VYDN")).to_contain_text("set by hand")
    first.get_by_role("link", name="decision 3").last.click()
    page.wait_for_url("**/s/what-if/d/3")
    sync_api.expect(page.get_by_text("Set from here on by Ada")).to_be_visible()


def test_a_debate_and_the_risk_officer_stand_on_the_decision(page: Any) -> None:
    page.goto("/s/house/d/2")
    for heading in ("The debate, round by round", "The risk officer"):
        sync_api.expect(page.get_by_role("heading", name=heading)).to_be_visible()
    page.locator("#debate").get_by_role("link", name="BRQL").first.click()
    page.wait_for_url("**/s/house/d/2/BRQL#debate")
    sync_api.expect(page.get_by_role("heading", name="The debate", exact=True)).to_be_visible()


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
        expect(page.locator("#timeline tbody tr")).to_have_count(2)
        expect(page.locator("#live-count")).to_have_text(str(second + 3))
        assert "analyst on NVDA" in page.locator("#live-lines").inner_text()
        picture(page, "live")
        for event in events[second + 3 :]:
            journal.append(event)
        journal.finish()
        expect(page.locator("#live")).to_have_count(0)
        sync_api.expect(page.get_by_text("finished", exact=True)).to_be_visible()
    shutil.rmtree(folder)
