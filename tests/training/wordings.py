"""Labelled sentences of the tests' own: every part of a sentence is drawn, so that few of them are worded alike."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from paperdesk.tools.sentiment.classifier import CLASSES
from paperdesk.tools.sentiment.labelled import Labelled

WHO = ("the group", "the company", "the board", "our team", "the firm", "management", "the division", "the plant")
WHERE = ("in Europe", "at home", "in the north", "abroad", "across all regions", "in two segments", "this quarter")
SAID = {
    "negative": (
        ("lost", "missed", "cut", "closed", "suffered", "warned about"),
        ("orders", "margins", "its forecast", "customers", "the outlook", "sales"),
        ("after weak demand", "as costs surged", "and a loss followed", "while claims grew", "under pressure"),
    ),
    "neutral": (
        ("held", "named", "described", "moved", "published", "listed"),
        ("a meeting", "a secretary", "the agenda", "its office", "the calendar", "the minutes"),
        ("as usual", "on the planned day", "without comment", "in the usual form", "as announced before"),
    ),
    "positive": (
        ("won", "raised", "gained", "improved", "beat", "expanded"),
        ("orders", "margins", "its forecast", "customers", "the outlook", "sales"),
        ("on strong demand", "with record profit", "and growth followed", "while quality rose", "with confidence"),
    ),
}


def wordings(seed: int = 0) -> Iterator[tuple[str, str]]:
    """Different sentences with their classes, in turn."""
    rng = np.random.default_rng(seed)
    seen = set[str]()
    while True:
        for name in CLASSES:
            verb, what, how = (str(rng.choice(words)) for words in SAID[name])
            text = f"{rng.choice(WHO)} {verb} {what} {rng.choice(WHERE)} {how}"
            if text not in seen:
                seen.add(text)
                yield text, name


def labelled(count: int, *, seed: int = 0, days: int = 0, name: str = "wordings") -> Labelled:
    """So many sentences; over so many days if they are to be dated."""
    rows = [row for row, _ in zip(wordings(seed), range(count), strict=False)]
    dates = tuple(date(2020, 1, 1) + timedelta(days=i * days // count) for i in range(count)) if days else ()
    return Labelled(name, tuple(t for t, _ in rows), tuple(k for _, k in rows), dates=dates)  # type: ignore[misc]


def write(path: Path, rows: Labelled) -> Path:
    """The sentences as a CSV file."""
    dates = [f",{day}" for day in rows.dates] or [""] * len(rows)
    lines = [f'"{t}",{k}{d}' for t, k, d in zip(rows.texts, rows.labels, dates, strict=True)]
    path.write_text("\n".join([f"text,label{',date' if rows.dates else ''}", *lines]) + "\n", encoding="utf-8")
    return path
