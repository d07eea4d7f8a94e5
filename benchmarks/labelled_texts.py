"""How well the desk's own model reads once an adapter has learnt from 3,000 labelled texts of one source.

The texts, and the parts that they are cut into, are those of `reader`, where a classifier learns from them: releases
that are put together from the same lists, none of the examination repeating one that was learnt. They are written to
CSV files and learnt by what `paperdesk train desk labelled.csv --stop stop.csv --exam exam.csv` does.

`python -m benchmarks labelled_texts` takes about 20 minutes on two cores; `PAPERDESK_LABELLED_TEXTS=FOLDER` keeps the
adapter there, goes on where it was stopped, and measures one that is there already.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from paperdesk.simulations.training.adapter import Recipe
from paperdesk.simulations.training.desk_command import Card, DeskPlan, train_desk
from paperdesk.simulations.training.places import CARD_FILE
from paperdesk.simulations.training.tone_exercises import FromFile
from paperdesk.tools.sentiment.labelled import Labelled

from .reader import alike


def measure() -> list[dict[str, Any]]:
    """A row for the model as it is, and one with the adapter."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(os.environ.get("PAPERDESK_LABELLED_TEXTS", temporary))
        card = _card(folder)
    common = {"learnt_from": card.learnt, "steps": card.steps, "seconds": card.seconds}
    return [
        {"name": name, "texts": found.exercises}
        | {figure: round(float(getattr(found, figure)), 4) for figure in ("accuracy", "macro_f1", "brier", "ece")}
        | {"majority": round(found.majority, 4)}
        | (common if name == "with the adapter" else {})
        for name, found in (("as it is", card.before["sentiment"]), ("with the adapter", card.after["sentiment"]))
    ]


def _card(folder: Path) -> Card:
    out = folder / "adapter"
    if (out / CARD_FILE).is_file():
        return Card.model_validate_json((out / CARD_FILE).read_bytes())
    folder.mkdir(parents=True, exist_ok=True)
    parts = alike()
    files = [
        _written(part, folder / f"{name}.csv")
        for name, part in (("labelled", parts.learn), ("stop", parts.stop), ("exam", parts.exam))
    ]
    plan = DeskPlan(texts=FromFile(labelled=files[0], stop=files[1], exam=files[2]))
    return train_desk(plan, out, Recipe(), say=_tell, listen=lambda at: _tell(f"step {at.step} of {at.steps}"))


def _written(part: Labelled, file: Path) -> Path:
    pd.DataFrame({"text": part.texts, "label": part.labels}).to_csv(file, index=False)
    return file


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
