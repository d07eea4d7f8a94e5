"""Labelled texts: read from a CSV file with the columns text and label, checked, and split without leaks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import DataError, InputError
from ..frozen import content_hash
from .classifier import CLASSES, Label

ABSENT = frozenset({"", "nan", "none", "null", "na", "n/a"})
"""What a missing cell looks like once another program has written it."""


@dataclass(frozen=True)
class Labelled:
    """Texts with what they are held to say, no text twice."""

    name: str
    texts: tuple[str, ...]
    labels: tuple[Label, ...]
    repeats: int = 0
    """Rows that were left out because they repeat an earlier one."""
    dates: tuple[date, ...] = ()
    """When each text appeared; empty where that is not known."""

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def sha256(self) -> str:
        """Hash of texts and labels in their order."""
        return content_hash([self.texts, self.labels])

    def rows(self, indices: Sequence[int]) -> "Labelled":
        """Some of the rows, in the order asked for."""
        texts, labels = tuple(self.texts[i] for i in indices), tuple(self.labels[i] for i in indices)
        return Labelled(self.name, texts, labels, dates=tuple(self.dates[i] for i in indices) if self.dates else ())


def read_labelled(path: Path, *, dated: bool = False) -> Labelled:
    """The labelled texts of a CSV file.

    The columns `text` and `label` are read, others are left alone. A row that repeats an earlier text under the same
    label is left out: it would stand on both sides of a split.

    Args:
        path: of the file.
        dated: whether a column `date` (YYYY-MM-DD, a time after it is left alone) is read too, where there is one.

    Raises:
        DataError: the file cannot be read, lacks a column, or has a row without text, with an unknown label, with
            another label for the same text, or with a date that is none.
    """
    try:
        # Without header=None pandas takes the first cells of rows that are longer than the header for an index.
        table = pd.read_csv(
            path, dtype=str, header=None, keep_default_na=False, encoding="utf-8-sig", skip_blank_lines=False
        )
    except (OSError, ValueError) as error:  # pandas' parser and decoding errors are ValueErrors
        reason = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())
        raise DataError(f"{path} cannot be read as CSV ({reason}); save it as UTF-8 with columns text,label") from None
    header = table.iloc[0].tolist()
    dated = dated and "date" in header
    for column in ("text", "label", *(["date"] if dated else [])):
        if column not in header:
            raise DataError(f"{path} has no column {column!r} but {', '.join(header)}; name it in the first row")
        if header.count(column) > 1:
            raise DataError(f"{path} has the column {column!r} twice; rename or remove one of them")
    table = table.iloc[1:].set_axis(header, axis="columns")
    seen: dict[str, tuple[int, Label]] = {}
    days: dict[str, date] = {}
    repeats = 0
    cells = table["date"].tolist() if dated else []
    pairs = zip(table["text"].tolist(), table["label"].tolist(), strict=True)
    for row, (text, raw) in enumerate(pairs, start=2):
        if _absent(text):
            raise DataError(f"{path}: row {row} has no text; fill it in or remove the row")
        label = next((known for known in CLASSES if not _absent(raw) and known == raw.strip().lower()), None)
        if label is None:
            raise DataError(f"{path}: row {row} has the label {raw!r}; use one of {', '.join(CLASSES)}")
        earlier = seen.setdefault(text.strip(), (row, label))
        if earlier[1] != label:
            raise DataError(
                f"{path}: row {row} calls {label} what row {earlier[0]} calls {earlier[1]}; keep one of the two"
            )
        repeats += earlier[0] != row
        if dated:
            day = _day(path, row, cells[row - 2])
            days[text.strip()] = min(day, days.get(text.strip(), day))
    labels = tuple(label for _, label in seen.values())
    return Labelled(Path(path).name, tuple(seen), labels, repeats, tuple(days.values()))


def examples() -> Labelled:
    """PaperDesk's own 180 sentences of business news, 60 of each class, written for it (`examples.csv`)."""
    with as_file(files(__package__).joinpath("examples.csv")) as path:
        return read_labelled(path)


def split(labels: Sequence[str], shares: Sequence[float], rng: np.random.Generator) -> list[list[int]]:
    """Disjoint parts of rows, each with about its share of every class.

    Args:
        labels: of all rows.
        shares: one per part, positive, of sum 1.
        rng: shuffles within each class.

    Returns:
        For each part its rows, ascending.

    Raises:
        InputError: the shares are no shares.
    """
    if min(shares, default=0.0) <= 0.0 or abs(sum(shares) - 1.0) > 1e-9:
        raise InputError(f"parts of {list(shares)} do not make a whole; give positive shares of sum 1")
    parts: list[list[int]] = [[] for _ in shares]
    borders = np.cumsum(shares)[:-1]
    for name in sorted(set(labels)):
        rows = rng.permutation([i for i, label in enumerate(labels) if label == name])
        cuts = np.rint(borders * len(rows)).astype(int)
        for part, chosen in zip(parts, np.split(rows, cuts), strict=True):
            part += chosen.tolist()
    return [sorted(part) for part in parts]


def _day(path: Path, row: int, cell: str) -> date:
    try:
        return date.fromisoformat(cell.strip()[:10])
    except ValueError:
        raise DataError(f"{path}: row {row} has the date {cell!r}; write YYYY-MM-DD, or remove the column") from None


def _absent(cell: str) -> bool:
    return cell.strip().lower() in ABSENT
