"""Takes the pictures of docs/tour.md: `python -m benchmarks.tour_pictures` (needs Chromium and `make setup-dev`).

Three scorecard sessions on the generated market are run (one of the classic desk, a fork of it, one of the desk that
argues), the viewer is served over them, and its pages are photographed into docs/images/view_*.webp.
"""

import re
import shutil
import signal
import subprocess
import sys
import tempfile
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

from PIL import Image
from playwright.sync_api import sync_playwright

from paperdesk.memory.journal import Filters
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.fork import fork
from paperdesk.simulations.reading import Session
from paperdesk.simulations.session import start

IMAGES = Path(__file__).parents[1] / "docs" / "images"
LAPTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 780}
MARGIN = 16
PARTS = {
    "sessions": ("body", ".pick"),
    "session": ("body", "#timeline"),
    "decision": ("body", "main > section:has(.matrix)"),
    "case": ("body", "#orders"),
    "evidence": ("body", ".document"),
    "prompts": ("body", "article.call"),
    "search": ("body", "main"),
    "fork": ("body", "main > section:has(.matrix)"),
    "compare": ("body", "article.pair"),
    "debate": ("#debate", "#risk"),
}
"""Of each page, where its picture begins and the first element that it holds to its end."""
SET = ("signal:technical_analyst:ZEPL=strong_sell", "max_weight=0.2")


def sessions(runs: Path) -> dict[str, str]:
    """Runs the sessions; the address of each page by the name of its picture."""
    start(SessionConfig(model="scorecard"), runs / "001")
    fork(runs / "001", runs / "002", date(2023, 6, 30), SET, by="Ada")
    start(SessionConfig(model="scorecard", desk="research-house"), runs / "003")
    with Session.open(runs / "001") as session:
        passage = quote(session.case(5, "ZEPL").passages[0]["id"], safe="")
    with Session.open(runs / "003") as session:
        tightened = [r for r in session.entries(Filters(kind="risk_read")) if r.document["tightening"]["caps"]]
        argued = (tightened[0].decision or 0) + 1
    return {
        "sessions": "/",
        "session": "/s/001",
        "decision": "/s/001/d/6",
        "case": "/s/001/d/6/ZEPL",
        "evidence": f"/s/001/d/6/evidence?id={passage}",
        "prompts": "/s/001/d/6/prompts?ticker=ZEPL",
        "search": "/s/001/events?q=revenue+growth&ticker=ZEPL&kind=signal_issued",
        "fork": "/s/002/d/7",
        "compare": "/compare?s=001&s=002",
        "debate": f"/s/003/d/{argued}",
    }


def _pictures(browser: Any, address: str, pages: dict[str, str]) -> None:
    for suffix, view in (("", LAPTOP), ("_phone", PHONE)):
        context = browser.new_context(viewport=view, base_url=address)
        page = context.new_page()
        for name, path in pages.items() if not suffix else [("session", pages["session"]), ("case", pages["case"])]:
            page.goto(path, wait_until="networkidle", timeout=180_000)
            picture = Image.open(BytesIO(page.screenshot() if suffix else _part(page, *PARTS[name])))
            picture.save(IMAGES / f"view_{name}{suffix}.webp", quality=82, method=6)
        context.close()


def _part(page: Any, first: str, last: str) -> bytes:
    """The page from the top of one element to the bottom of another, as wide as it is."""
    top, end = (page.locator(one).first.bounding_box() for one in (first, last))
    low = end["y"] + end["height"] + MARGIN
    clip = {"x": 0, "y": max(top["y"] - MARGIN, 0), "width": LAPTOP["width"]}
    picture: bytes = page.screenshot(full_page=True, clip=clip | {"height": low - clip["y"]})
    return picture


def main() -> None:
    """Runs, serves, photographs."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with tempfile.TemporaryDirectory() as place:
        pages = sessions(Path(place) / "runs")
        command = [sys.executable, "-c", "from paperdesk.cli import main; main()", "view", "runs", "--port", "0"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=place)
        try:
            assert process.stderr is not None
            found = re.search(r"http://[\d.:]+", process.stderr.readline())
            assert found is not None
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                _pictures(browser, found[0], pages)
                browser.close()
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


if __name__ == "__main__":
    main()
