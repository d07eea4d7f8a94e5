"""What all tests share."""

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("paperdesk", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("paperdesk")
# Altered markets by the hundred must not push the user's own out of his cache; tests of the cache turn it on for a
# folder of their own. Processes that tests start inherit it.
os.environ["PAPERDESK_CACHE"] = "off"
# Sessions of tests are no trials of the user's; tests of the ledger name a file of their own.
os.environ["PAPERDESK_TRIALS"] = "off"

US8 = Path(__file__).parents[1] / "../shared/data/us8"
NOTHING_SKIPPED = os.environ.get("PAPERDESK_REQUIRE_DATA") == "1"


@pytest.fixture(scope="session")
def us8() -> Path:
    """The folder of real data of eight US companies; it is not part of the repository."""
    if not US8.is_dir():
        pytest.skip(f"needs the us8 data set in {US8}")
    return US8


def _refuse_skip(report: Any) -> None:
    # LangChain's standard tests skip what a chat model does not claim to do, images say; the conformance kit what a
    # broker does not claim: no data is missing there
    claimed = ("langchain_tests", "broker/conformance")
    elsewhere = isinstance(report.longrepr, tuple) and any(place in report.longrepr[0] for place in claimed)
    if NOTHING_SKIPPED and report.skipped and not elsewhere and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{reason} (PAPERDESK_REQUIRE_DATA=1 lets no test be skipped)"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    report = yield
    _refuse_skip(report)
    return report
