"""A laboratory in a folder: the same market, the truth beside it, and the command that makes both."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paperdesk.simulations.laboratory_command import make_market, parse_edges
from paperdesk.tools.errors import InputError
from paperdesk.tools.market.check import check_folder
from paperdesk.tools.market.dataset import open_dataset
from paperdesk.tools.market.laboratory import EDGES, Laboratory, LaboratoryPlan, make, write_laboratory
from paperdesk.tools.market.laboratory.truth import TRUTH_FILE, TRUTH_RELEASES, TRUTH_TABLE

TRUTH = (TRUTH_FILE, TRUTH_RELEASES, TRUTH_TABLE)


@pytest.fixture(scope="module")
def folder(busy: Laboratory, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("markets") / "busy"
    write_laboratory(busy, path)
    return path


def test_a_written_market_opens_to_the_same_fingerprint_with_or_without_its_truth(
    busy: Laboratory, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERDESK_CACHE", "off")
    assert open_dataset(folder).fingerprint == busy.dataset.fingerprint
    kept = {name: (folder / name).read_bytes() for name in TRUTH}
    try:
        for name in TRUTH:
            (folder / name).unlink()
        assert open_dataset(folder).fingerprint == busy.dataset.fingerprint
    finally:
        for name, content in kept.items():
            (folder / name).write_bytes(content)


def test_the_check_finds_no_defect(folder: Path) -> None:
    assert check_folder(folder).defects == ()


def test_the_truth_files_hold_the_truth(busy: Laboratory, folder: Path) -> None:
    truth, table = busy.truth, pd.read_parquet(folder / TRUTH_TABLE)
    assert len(table) == len(truth.sessions) * len(truth.tickers)
    wide = table.pivot(index="session", columns="ticker", values="expected")[list(truth.tickers)]
    assert np.array_equal(wide.to_numpy(), truth.expected)
    assert table["expected"].to_numpy() == pytest.approx(table[list(EDGES)].sum(axis=1).to_numpy(), abs=1e-18)
    assert table.groupby("session", observed=True)["regime"].nunique().max() == 1
    said = json.loads((folder / TRUTH_FILE).read_text())
    assert LaboratoryPlan.model_validate(said["plan"]) == truth.plan
    assert said["hostile"] == list(truth.hostile)
    assert said["near_duplicates"] == truth.near_duplicates
    assert said["edges"]["momentum"]["log_return_per_unit"] == 2 * EDGES["momentum"].size
    assert len(pd.read_parquet(folder / TRUTH_RELEASES)) == len(truth.releases)


def test_a_market_is_made_again_from_its_truth_file(busy: Laboratory, folder: Path) -> None:
    plan = LaboratoryPlan.model_validate(json.loads((folder / TRUTH_FILE).read_text())["plan"])
    assert make(plan).dataset.fingerprint == busy.dataset.fingerprint


def test_a_folder_that_holds_something_is_left_alone(busy: Laboratory, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        write_laboratory(busy, tmp_path)
    with pytest.raises(InputError, match="exists already"):
        make_market(tmp_path, companies=2, years=2)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_failure_while_writing_leaves_no_folder(
    busy: Laboratory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("paperdesk.tools.market.laboratory.write_truth", full)
    with pytest.raises(InputError, match="cannot be written \\(No space left on device\\)"):
        write_laboratory(busy, tmp_path / "market")
    assert list(tmp_path.iterdir()) == []


def test_the_command_makes_a_market_and_tells_on_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "deep" / "market"
    made = make_market(out, companies=3, years=2, seed=9, edges=["drift=0.5", "value"], hostile=0.1)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "writing" in printed.err
    assert open_dataset(out).fingerprint == made["fingerprint"]
    assert made["edges"] == {"post_earnings_drift": 0.5, "momentum": 0.0, "tone_drift": 0.0, "value": 1.0}
    assert made["companies"] == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"edges": ["luck=1"]}, "there is no edge 'luck'; name one of post_earnings_drift"),
        ({"edges": ["value=much"]}, "the strength of value is 'much', which is no number"),
        ({"edges": ["tone", "tone_drift=2"]}, "the edge tone_drift is named twice"),
        ({"edges": ["value=-1"]}, "edges.value is -1.0, but input should be greater than or equal to 0"),
        ({"edges": ["value=nan"]}, "edges.value is nan"),
        ({"companies": 1}, "companies is 1, but input should be greater than or equal to 2"),
        ({"hostile": 2.0}, "hostile is 2.0"),
        ({"first_year": 1979}, "first_year is 1979"),
        ({"name": ""}, "name is ''"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        make_market(tmp_path / "market", quiet=True, **options)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_edges_may_be_typed_short_or_in_full() -> None:
    assert parse_edges(["drift", "momentum=0.25"]) == {"post_earnings_drift": 1.0, "momentum": 0.25}
