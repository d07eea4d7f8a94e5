"""Exports hold the journal, whole."""

import json
from pathlib import Path

import pandas as pd
import pytest

from paperdesk.simulations.exporting import export, export_file
from paperdesk.simulations.reading import Session
from paperdesk.tools.errors import InputError

from .conftest import Finished


def test_lines_are_the_journal(generated_session: Finished, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    assert export_file(generated_session.outcome.folder, file) == generated_session.outcome.events
    told = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [one["event"] for one in told] == [event.model_dump(mode="json") for event in generated_session.events]
    assert told[-1]["hash"] == generated_session.outcome.head


def test_a_parquet_table_is_that_of_the_session(generated_session: Finished, tmp_path: Path) -> None:
    file = tmp_path / "events.parquet"
    export_file(generated_session.outcome.folder, file)
    with Session.open(generated_session.outcome.folder) as session:
        expected = session.events()
    found = pd.read_parquet(file)
    assert list(found.columns) == list(expected.columns)
    assert found["event"].tolist() == expected["event"].tolist()
    assert found["decision"].dropna().astype(int).tolist() == expected["decision"].dropna().astype(int).tolist()
    assert (found["written_at"] == expected["written_at"]).all()


@pytest.mark.parametrize("name", ["events.txt", "there.jsonl", "absent/events.jsonl", "absent/log.eval"])
def test_what_cannot_be_written_is_refused_and_nothing_is_left(
    generated_session: Finished, tmp_path: Path, name: str
) -> None:
    (tmp_path / "there.jsonl").write_text("kept", encoding="utf-8")
    with pytest.raises(InputError):
        export(generated_session.outcome.folder, str(tmp_path / name))
    assert [path.name for path in tmp_path.iterdir()] == ["there.jsonl"]
    assert (tmp_path / "there.jsonl").read_text(encoding="utf-8") == "kept"
