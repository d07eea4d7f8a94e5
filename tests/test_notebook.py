"""The example notebook runs, and its pictures and figures are of the session that it made."""

import base64
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from paperdesk.simulations.reading import Session

FILE = Path(__file__).parents[1] / "examples/read_a_session.ipynb"
PNG = b"\x89PNG"


def test_it_is_stored_without_outputs() -> None:
    notebook = nbformat.read(FILE, as_version=4)
    nbformat.validate(notebook)
    assert [cell for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")] == []
    assert FILE.stat().st_size < 20_000


def outputs(notebook: Any, kind: str) -> Iterator[Any]:
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if kind in output.get("data", {}):
                yield output["data"][kind]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the kernel's sockets are closed when they are collected
def test_it_runs_and_shows_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path / "jupyter"))
    notebook = nbformat.read(FILE, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    pictures = [base64.b64decode(picture) for picture in outputs(notebook, "image/png")]
    assert len(pictures) == 3
    assert all(picture.startswith(PNG) for picture in pictures)
    if place := os.environ.get("PAPERDESK_SCREENSHOTS"):
        for name, picture in zip(("equity", "outcomes", "findings"), pictures, strict=True):
            Path(place, f"notebook_{name}.png").write_bytes(picture)
    printed = "\n".join(
        output["text"] for cell in notebook.cells for output in cell.get("outputs", ()) if "text" in output
    )
    kinds = next(outputs(notebook, "text/plain"))
    with Session.open(tmp_path / "runs/notebook") as session:
        assert f"{session.summary().total_return:+.1%}" in printed
        for kind, count in session.events()["kind"].value_counts().items():
            assert re.search(rf"{kind} +{count}\b", kinds)
        bought = next(row for row in session.rows(("order_submitted",)) if row.document["order"]["side"] == "buy")
        said = session.case(bought.decision or 0, bought.ticker or "").statements
        assert said
        assert all(statement.rationale in printed for statement in said)
    assert "set_aside" in "".join(outputs(notebook, "text/plain"))
