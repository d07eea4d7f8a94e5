"""The viewer in a real browser, over a real socket, with the command line serving.

Pictures of every page are left in the folder that PAPERDESK_SCREENSHOTS names.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from json import dumps
from pathlib import Path
from typing import Any

import pytest

from paperdesk.memory.journal import Filters
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.fork import fork
from paperdesk.simulations.reading import Session

from ..conftest import Finished, run
from ..test_cli import WORDS

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
IN_BROWSER = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian and Ubuntu: apt install chromium)"),
]
PHONE = {"width": 390, "height": 844}
LAPTOP = {"width": 1280, "height": 900}
PATIENCE_MS = 120_000
"""How long an expectation waits for a slow machine."""
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


@pytest.fixture(scope="session")
def runs(us8_session: Finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sessions on real data, and one whose market holds a hostile press release."""
    root = tmp_path_factory.mktemp("browser")
    shutil.copytree(us8_session.outcome.folder, root / "desk")
    other = us8_session.config.model_copy(update={"max_weight": 0.2, "end": date(2024, 2, 12)})
    run(other, root / "narrow")
    market = tmp_path_factory.mktemp("market")
    subprocess.run([sys.executable, Path(__file__).parents[3] / "examples/write_data_set.py", market], check=True)
    (market / "documents.jsonl").write_text(
        '{"id": "acme-1", "ticker": "ACME", "published_at": "2023-01-20T21:05:00Z", "source": "8-K", '
        f'"headline": {dumps("ACME " + SCRIPT)}, "body": {dumps(HOSTILE + PLAIN)}}}\n',
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


@contextmanager
def viewer(*command: str) -> Iterator[str]:
    """A viewer in a process of its own; its address."""
    process = subprocess.Popen([*command, "--port", "0"], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    found = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
    assert found
    yield found[0]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)


@pytest.fixture(scope="session")
def address(runs: Path) -> Iterator[str]:
    with viewer(*WORDS, "view", str(runs)) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A browser for one module: playwright keeps an event loop running, beside which no asynchronous test can be."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright (make setup-dev)")
    sync_api.expect.set_options(timeout=PATIENCE_MS)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def quiet_page(browser: Any, address: str, *, status: int = 200) -> Iterator[Any]:
    """A page without a complaint of the browser or a request that leaves for another host.

    Args:
        browser: of this session.
        address: of the viewer.
        status: what its answers may be, beside 200.
    """
    context = browser.new_context(viewport=LAPTOP, base_url=address)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(address) else complaints.append(asked.url))
    yield page
    assert [one for one in complaints if status == 200 or f"status of {status}" not in one] == []
    context.close()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    with quiet_page(browser, address) as page:
        yield page


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
