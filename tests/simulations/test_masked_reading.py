"""What is said of a masked session and of a fork: whether a model may remember, and nothing that undoes the mask."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from paperdesk.agents.models.core import Fingerprint
from paperdesk.memory.journal import Journal
from paperdesk.memory.journal.events import DeskChanged
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.evaluation.record import read_session
from paperdesk.simulations.masking import KEY_FILE
from paperdesk.simulations.mcp.answers import SEEDS, comparison_of, event_of
from paperdesk.simulations.reading import Comparison, Session
from paperdesk.simulations.viewer.app import make_app
from paperdesk.tools.market.mask import MaskKey

from .conftest import Finished, run

Written = Callable[..., Path]


def mind(cutoff: str | None) -> dict[str, Any]:
    return Fingerprint(backend="llama_cpp", name="Big-7B", digest="0" * 64, training_cutoff=cutoff).model_dump()


def changed(model: dict[str, Any]) -> DeskChanged:
    return DeskChanged(
        decision=1,
        parent_head="0" * 64,
        parent_count=60,
        at=date(2023, 6, 30),
        by="Ada",
        settings=[],
        config={},
        mind=model,
    )


def key(years: int) -> MaskKey:
    return MaskKey(
        what=("names", "dates"),
        seed=0,
        years=years,
        tickers={},
        companies={},
        words={},
        factors={},
        documents={},
        filings={},
    )


@pytest.fixture
def written(generated_session: Finished, tmp_path: Path) -> Written:
    """The beginning of a session, as if another model had sat on it, on another market."""

    def write(
        model: dict[str, Any],
        market: str = "/data",
        *,
        mask_key: MaskKey | None = None,
        later: DeskChanged | None = None,
    ) -> Path:
        folder = tmp_path / "session"
        config = {"market": market, "mask": list(mask_key.what) if mask_key else []}
        first, *rest = generated_session.events[:60]
        name = "masked-names-dates" if mask_key else market
        with Journal.create(folder, config=config) as journal:
            journal.append(first.model_copy(update={"model": model, "market": name}))
            for event in [*rest, *([later] if later else [])]:
                journal.append(event)
        if mask_key:
            mask_key.write(folder / KEY_FILE)
        return folder

    return write


def label(folder: Path) -> str:
    with Session.open(folder) as session:
        return session.summary().contamination


@pytest.mark.parametrize(
    ("cutoff", "expected"), [("2024-01-01", "contaminated"), ("2020-01-01", "clean"), (None, "unknown")]
)
def test_a_cutoff_is_held_against_the_days_as_they_are(written: Written, cutoff: str | None, expected: str) -> None:
    assert label(written(mind(cutoff))) == expected


def test_a_cutoff_is_held_against_the_days_behind_the_mask(written: Written) -> None:
    folder = written(mind("2010-01-01"), mask_key=key(years=28))  # on record 2023, in truth 1995
    assert label(folder) == "contaminated"
    page = TestClient(make_app(folder.parent), base_url="http://127.0.0.1").get("/s/session").text
    assert "contaminated: the model may remember these years, masked" in page
    (folder / KEY_FILE).write_text("{}", encoding="utf-8")
    assert label(folder) == "unknown"
    (folder / KEY_FILE).unlink()
    with Session.open(folder) as session:
        assert session.summary().masked  # the key is gone, the mask is not


def test_an_invented_market_stays_invented_behind_a_mask(written: Written) -> None:
    assert label(written(mind(None), "generated", mask_key=key(years=28))) == "clean"


@pytest.mark.parametrize(
    ("first", "then", "expected"),
    [
        ("scorecard", "2026-01-01", "contaminated"),
        ("scorecard", "2020-01-01", "clean"),
        ("2020-01-01", None, "unknown"),
        ("2026-01-01", "2020-01-01", "contaminated"),
        ("2020-01-01", "2023-03-01", "clean"),  # what it may have read was past when it came
    ],
)
def test_of_a_fork_the_mind_that_remembers_most_counts(
    written: Written, generated_session: Finished, first: str, then: str | None, expected: str
) -> None:
    began = generated_session.events[0].model_dump(mode="json")["model"] if first == "scorecard" else mind(first)
    folder = written(began, later=changed(mind(then)))
    assert label(folder) == expected
    with Session.open(folder) as session:
        assert session.summary().minds == (began["name"], "Big-7B")


def test_an_evaluation_says_the_same_of_a_fork(generated_session: Finished, tmp_path: Path) -> None:
    assert read_session(generated_session.outcome.folder).contamination.label == "none"
    first, *rest = generated_session.events
    with Journal.create(tmp_path / "fork", config=generated_session.config.model_dump(mode="json")) as journal:
        for event in (first, changed(mind(None)), *rest):
            journal.append(event)
        journal.finish()
    assert read_session(tmp_path / "fork").contamination.label == label(tmp_path / "fork") == "clean"


@pytest.fixture(scope="module")
def masked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two masked sessions that differ in their seed."""
    root = tmp_path_factory.mktemp("masked")
    for seed in (3, 4):
        config = SessionConfig(
            model="scorecard",
            universe=("TRVX", "ZEPL"),
            benchmark="HXSI",
            start=date(2023, 1, 3),
            end=date(2023, 2, 28),
            mask=("names", "dates"),
            mask_seed=seed,
        )
        run(config, root / f"seed{seed}")
    return root


def test_the_page_of_a_masked_session_stays_masked(masked: Path) -> None:
    page = TestClient(make_app(masked), base_url="http://127.0.0.1").get("/s/seed3").text
    for original in ("TRVX", "ZEPL", "HXSI", "mask_seed", "market_seed"):
        assert original not in page
    assert not re.search(r"\b2023-\d\d-\d\d", page)
    assert "Without those that would undo the mask." in page


def test_clients_are_given_no_seed_of_a_mask(masked: Path) -> None:
    with Session.open(masked / "seed3") as one, Session.open(masked / "seed4") as other:
        told = event_of(one.entry(1), one.summary().masked)
        assert told["left_out"] == sorted(SEEDS)
        assert not SEEDS & told["event"]["config"].keys()
        assert one.entry(1).document["config"].keys() - told["event"]["config"].keys() == SEEDS
        assert "left_out" not in event_of(one.entry(2), True)
        assert event_of(one.entry(1), False)["event"] == one.entry(1).document
        choices = comparison_of(Comparison(one, other), date.min, 5)["choices_that_differ"]
        assert "market_fingerprint" in {choice["field"] for choice in choices}
        assert not SEEDS & {choice["field"] for choice in choices}
