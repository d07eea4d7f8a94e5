"""The border of a market folder: every file is read as text here, and every cell is checked before it becomes data.

Each refusal is one sentence that names the file, the line (1-based, as an editor counts), the column, and what to do.
"""

import csv
import gzip
import io
import json
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError

_TABLES = (".csv", ".csv.gz", ".parquet")
_LINES = (".jsonl", ".jsonl.gz")


def find_table(folder: Path, stem: str) -> Path | None:
    """The one table file of this name (`.csv`, `.csv.gz`, `.parquet`), or None.

    Raises:
        DataError: there are several.
    """
    return _find(folder, stem, _TABLES)


def find_lines(folder: Path, stem: str) -> Path | None:
    """The one JSON-lines file of this name (`.jsonl`, `.jsonl.gz`), or None.

    Raises:
        DataError: there are several.
    """
    return _find(folder, stem, _LINES)


def _find(folder: Path, stem: str, endings: tuple[str, ...]) -> Path | None:
    found = [folder / f"{stem}{ending}" for ending in endings if (folder / f"{stem}{ending}").is_file()]
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise DataError(f"{folder.name} holds both {names}; keep only one of them")
    return found[0] if found else None


@dataclass(frozen=True)
class Table:
    """The wanted columns of a file, as stripped text, with the line that each row stands on."""

    file: str
    columns: dict[str, list[str]]
    lines: Sequence[int]
    place: str = "line"
    """`line`, or `row` for a file that has no lines."""

    def __len__(self) -> int:
        return len(self.lines)

    def refuse(self, row: int, column: str, problem: str) -> DataError:
        """The error for one cell; `problem` completes the sentence."""
        return DataError(f"{self.file}, {self.place} {self.lines[row]}, column {column}: {problem}")

    def texts(self, column: str, *, optional: bool = False) -> list[str]:
        """A column of words.

        Raises:
            DataError: a cell is empty and `optional` is False.
        """
        cells = self.columns[column]
        if not optional and "" in cells:
            raise self.refuse(cells.index(""), column, "the cell is empty; fill it or remove the row")
        return cells

    def numbers(self, column: str, *, empty: float | None = None) -> NDArray[np.float64]:
        """A column of finite numbers; `empty` is what an empty cell means (None: it is refused).

        Raises:
            DataError: a cell is no finite number.
        """
        cells = self.columns[column]
        if empty is not None:
            cells = [cell or repr(empty) for cell in cells]
        try:
            values = np.array([float(cell) for cell in cells], dtype=np.float64)
        except ValueError:
            row = next(i for i, cell in enumerate(cells) if not _is_number(cell))
            raise self.refuse(row, column, f"{cells[row]!r} is no number; correct it or remove the row") from None
        wrong = np.flatnonzero(~np.isfinite(values))
        if wrong.size:
            row = int(wrong[0])
            raise self.refuse(row, column, f"{cells[row]} is not finite; leave out the row of a day without trade")
        return values

    def dates(self, column: str, *, optional: bool = False) -> list[date | None]:
        """A column of `YYYY-MM-DD` dates; None for an empty cell where `optional`.

        Raises:
            DataError: a cell is no date.
        """
        known: dict[str, date | None] = {"": None} if optional else {}
        for row, cell in enumerate(self.columns[column]):
            if cell not in known:
                known[cell] = self._date(row, column, cell)
        return [known[cell] for cell in self.columns[column]]

    def _date(self, row: int, column: str, cell: str) -> date:
        try:
            if len(cell) == 10:
                return date.fromisoformat(cell)
        except ValueError:
            pass
        raise self.refuse(row, column, f"{cell!r} is no date; write it as YYYY-MM-DD")

    def moments(self, column: str) -> list[datetime | None]:
        """A column of times with their zone, turned into UTC; None for an empty cell.

        Raises:
            DataError: a cell is no time, or has no zone.
        """
        return [self._moment(row, column, cell) if cell else None for row, cell in enumerate(self.columns[column])]

    def _moment(self, row: int, column: str, cell: str) -> datetime:
        try:
            return utc(cell)
        except ValueError as error:
            raise self.refuse(row, column, str(error)) from None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def utc(text: str) -> datetime:
    """An ISO time with a zone, in UTC.

    Raises:
        ValueError: it is no time or has no zone; the message completes a sentence.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time; write it as 2024-05-01T20:30:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; add one, such as Z for UTC")
    return moment.astimezone(UTC)


def read_table(path: Path, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> Table:
    """The wanted columns of a table file; absent optional ones are columns of empty cells, others are passed over.

    Raises:
        DataError: the file cannot be read, a required column is missing, or a row is cut short.
    """
    header, rows, lines = _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    for name in required:
        if name not in header:
            raise DataError(f"{path.name} has no column {name}; it needs {', '.join(required)}")
    repeated = next((name for name in required + optional if header.count(name) > 1), None)
    if repeated is not None:
        raise DataError(f"{path.name} has the column {repeated} twice; rename or remove one of them")
    cells = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    columns = {
        name: [cell.strip() for cell in cells[header.index(name)]] for name in required + optional if name in header
    }
    for name in optional:
        columns.setdefault(name, [""] * len(rows))
    return Table(path.name, columns, lines, "row" if path.suffix == ".parquet" else "line")


def _read_text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"{path.name} cannot be read ({error}); write it again as UTF-8 text") from error


def _read_csv(path: Path) -> tuple[list[str], list[list[str]], list[int]]:
    """Header, rows and their line numbers."""
    reader = csv.reader(io.StringIO(_read_text(path), newline=""), strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise DataError(
                    f"{path.name}, line {reader.line_num} has {len(row)} cells where the header has {len(header)}; "
                    "correct the row"
                )
            rows.append(row)
            lines.append(reader.line_num)
    except csv.Error as error:
        raise DataError(f"{path.name}, line {reader.line_num} is no CSV ({error}); correct the row") from error
    return header, rows, lines


def _read_parquet(path: Path) -> tuple[list[str], list[list[str]], list[int]]:
    """The same from a parquet file, its cells as text, so that both kinds pass the same checks."""
    import pandas as pd

    try:
        frame = pd.read_parquet(path)
    except ImportError:
        raise DataError(f"{path.name} needs pyarrow to be read; pip install pyarrow, or save it as CSV") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path.name} is no parquet file ({error}); write it again") from error
    columns = [[_cell(value) for value in frame[name].tolist()] for name in frame.columns]
    rows = [list(row) for row in zip(*columns, strict=True)]
    return [str(name) for name in frame.columns], rows, list(range(1, len(rows) + 1))


def _cell(value: Any) -> str:
    """A parquet value as CSV would spell it."""
    if value is None or value != value:  # NaN and NaT are the values that differ from themselves
        return ""
    if isinstance(value, datetime):
        at_midnight = value.tzinfo is None and value.time() == datetime.min.time()
        return value.date().isoformat() if at_midnight else value.isoformat()
    return str(value)


@dataclass(frozen=True)
class Line:
    """One JSON object of a JSON-lines file."""

    file: str
    number: int
    content: dict[str, Any]

    def refuse(self, field: str, problem: str) -> DataError:
        """The error for one field; `problem` completes the sentence."""
        return DataError(f"{self.file}, line {self.number}, field {field}: {problem}")

    def text(self, field: str, *, default: str | None = None) -> str:
        """A text field, not blank unless a default is given.

        Raises:
            DataError: it is absent, blank, or no text.
        """
        value = self.content.get(field, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise self.refuse(field, f"{value!r} is no text; each line needs a text here")
        return value

    def moment(self, field: str) -> datetime:
        """A time with its zone, in UTC.

        Raises:
            DataError: it is absent, no time, or has no zone.
        """
        try:
            return utc(self.text(field))
        except ValueError as error:
            raise self.refuse(field, str(error)) from None


def read_lines(path: Path) -> list[Line]:
    """All objects of a JSON-lines file; blank lines are passed over.

    Raises:
        DataError: a line is no JSON object.
    """
    lines = []
    for number, text in enumerate(_read_text(path).split("\n"), start=1):
        if not text.strip():
            continue
        try:
            content = json.loads(text)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise DataError(f"{path.name}, line {number} is no JSON object; write one object a line")
        lines.append(Line(path.name, number, content))
    return lines


def check_prices(table: Table, prices: dict[str, NDArray[np.float64]], days: Sequence[date]) -> None:
    """Refuse bars that no exchange has printed, and rows that are out of order.

    Args:
        table: the file, for the message.
        prices: open, high, low, close, volume, dividend, split; each (rows,).
        days: the session of each row.

    Raises:
        DataError: the first defect, by kind.
    """
    for column in ("open", "high", "low", "close"):
        _refuse_where(
            table, column, prices[column] <= 0, prices[column], "is not above zero; correct it or remove the row"
        )
    for column in ("volume", "dividend", "split"):
        _refuse_where(table, column, prices[column] < 0, prices[column], "is negative; correct it")
    _refuse_where(table, "high", prices["high"] < prices["low"], prices["high"], "is below the low; correct the row")
    # Adjusted prices are rounded, so an open or close may stick out of the range by a hair.
    slack = 5e-4
    for column in ("open", "close"):
        above = prices[column] > prices["high"] * (1 + slack)
        below = prices[column] < prices["low"] * (1 - slack)
        _refuse_where(table, column, above | below, prices[column], "lies outside low and high; correct the row")
    last: dict[str, date] = {}
    for row, (ticker, day) in enumerate(zip(table.columns["ticker"], days, strict=True)):
        before = last.get(ticker)
        if before is not None and day == before:
            raise table.refuse(row, "date", f"{ticker} has a second row for {day}; keep only one")
        if before is not None and day < before:
            raise table.refuse(row, "date", f"{day} comes after {before} for {ticker}; sort each ticker's rows by date")
        last[ticker] = day


def _refuse_where(
    table: Table, column: str, wrong: NDArray[np.bool_], values: NDArray[np.float64], problem: str
) -> None:
    rows = np.flatnonzero(wrong)
    if rows.size:
        row = int(rows[0])
        value = float(values[row])
        shown = f"{value:g}" if math.isfinite(value) else str(value)
        raise table.refuse(row, column, f"{shown} {problem}")
