"""What holds of every page of the viewer: nothing shuts anybody out, in light and dark, and it fits a phone."""

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from paperdesk.simulations.reading import Session

from .conftest import IN_BROWSER, PHONE, bought, picture, quiet_page, viewer

pytest.importorskip("playwright.sync_api", reason="needs playwright (make setup-dev)")
pytestmark = IN_BROWSER

PAGES = {
    "sessions": "/",
    "session": "/s/desk",
    "decision": "/s/desk/d/{number}",
    "case": "/s/desk/d/{number}/NVDA",
    "evidence-passage": "/s/desk/d/{number}/evidence?id={passage}",
    "evidence-ratio": "/s/desk/d/{number}/evidence?id={ratio}",
    "evidence-indicator": "/s/desk/d/{number}/evidence?id={indicator}",
    "prompts": "/s/desk/d/{number}/prompts?ticker=NVDA",
    "search": "/s/desk/events?q=revenue",
    "search-nothing": "/s/desk/events?q=xylophone",
    "event": "/s/desk/e/20",
    "verify": "/s/desk/verify",
    "compare": "/compare?s=desk&s=narrow",
    "fork": "/s/what-if",
    "decision-fork": "/s/what-if/d/3",
    "compare-fork": "/compare?s=house&s=what-if",
    "decision-house": "/s/house/d/2",
    "case-house": "/s/house/d/2/BRQL",
    "error": "/s/desk/d/9999",
}
READING = """
from paperdesk.simulations.viewer.indexing import Indexing
Indexing.is_ready = lambda self, session: False
Indexing.progress = lambda self, session: (session.count // 3, session.count)
from paperdesk.cli import main
main()
"""
"""A viewer whose indexes are never done: what is seen for seconds otherwise stands still."""
STILL = "const later = window.setTimeout; window.setTimeout = (call, wait) => wait === 1000 ? 0 : later(call, wait);"
"""The page that asks again by itself does not."""


@pytest.fixture(scope="module")
def marks(runs: Path) -> dict[str, Any]:
    """What the addresses need to know."""
    number = bought(runs, "NVDA")
    with Session.open(runs / "desk") as session:
        known = session.case(number - 1, "NVDA").evidence.values()
    kinds = {kind: next(item["id"] for item in known if item["kind"] == kind) for kind in ("ratio", "indicator")}
    passage = next(item["id"] for item in known if item.get("span"))
    return {"number": number, "passage": quote(passage, safe="")} | {
        kind: quote(name, safe="") for kind, name in kinds.items()
    }


@pytest.fixture(scope="module")
def unread(runs: Path) -> Iterator[str]:
    with viewer(sys.executable, "-c", READING, "view", str(runs)) as address:
        yield address


def barriers(page: Any, options: str = "{}") -> list[tuple[str, str]]:
    """What axe finds on a page, minor things aside: (rule, an element)."""
    place = find_spec("axe_playwright_python")
    if place is None or place.origin is None:
        pytest.skip("needs axe-playwright-python (make setup-dev)")
    page.evaluate((Path(place.origin).parent / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate(f"axe.run({options})")
    return [(v["id"], v["nodes"][0]["html"]) for v in found["violations"] if v["impact"] != "minor"]


def look_at(page: Any, name: str, path: str) -> None:
    """In light, in dark, and on a phone."""
    page.goto(path)
    picture(page, name)
    assert barriers(page) == []
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 26)"
    picture(page, f"{name}-dark")
    assert barriers(page, "{runOnly: ['color-contrast']}") == []
    page.set_viewport_size(PHONE)
    page.goto(path)
    picture(page, f"phone-{name}-dark")
    page.emulate_media(color_scheme="light")
    picture(page, f"phone-{name}")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("name", PAGES)
def test_no_page_has_a_barrier_or_scrolls_sideways(
    browser: Any, address: str, marks: dict[str, Any], name: str
) -> None:
    with quiet_page(browser, address, status=404 if name == "error" else 200) as page:
        look_at(page, name, PAGES[name].format(**marks))


@pytest.mark.parametrize(("name", "path"), [("indexing", "/s/desk/events?q=revenue"), ("session-unread", "/s/desk")])
def test_nor_does_one_of_a_session_that_is_being_read(browser: Any, unread: str, name: str, path: str) -> None:
    with quiet_page(browser, unread) as page:
        page.add_init_script(STILL)
        look_at(page, name, path)
