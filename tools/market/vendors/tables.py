"""From the rows of pieces to the files of a market folder (docs/data-format.md)."""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ..write import FACT_FILE_COLUMNS, Form
from .protocol import Kind, Row

COLUMNS: Mapping[Kind, tuple[str, ...]] = {
    "prices": ("date", "ticker", "open", "high", "low", "close", "volume", "dividend", "split"),
    "companies": ("ticker", "name", "industry", "sector"),
    "fundamentals": FACT_FILE_COLUMNS,
    "series": ("series", "date", "value", "available_at"),
    "documents": ("id", "ticker", "published_at", "source", "headline", "body"),
}
"""What is written of each kind; a vendor may give more."""
_NUMBERS = frozenset({"open", "high", "low", "close", "volume", "dividend", "split", "value"})
_DATES = frozenset({"date", "period_start", "period_end", "filed"})
_TIMES = frozenset({"accepted_at", "available_at"})


def write_table(folder: Path, kind: Kind, rows: Sequence[Row], form: Form) -> Path:
    """Write a table.

    Args:
        folder: where to.
        kind: not `documents`, which are lines (`write_lines`).
        rows: in the order of the file.
        form: `parquet`, or gzipped CSV.

    Returns:
        The file.
    """
    if form == "csv":
        path = folder / f"{kind}.csv.gz"
        _write_csv(path, COLUMNS[kind], rows)
    else:
        path = folder / f"{kind}.parquet"
        _write_parquet(path, COLUMNS[kind], rows)
    return path


def write_lines(folder: Path, rows: Iterable[Row]) -> tuple[Path, int]:
    """Write `documents.jsonl.gz`; the second value is the number of its lines."""
    path, count = folder / "documents.jsonl.gz", 0
    # mtime 0 and no name: equal texts are equal bytes.
    with path.open("wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as zipped:
        for row in rows:
            line = {name: row[name] for name in COLUMNS["documents"] if row.get(name) is not None}
            zipped.write(json.dumps(line, ensure_ascii=False, allow_nan=False).encode() + b"\n")
            count += 1
    return path, count


def write_settings(folder: Path, keys: Mapping[str, str]) -> Path:
    """Write `market.toml`; all values are texts."""
    # A JSON text is a TOML text but for DEL, which TOML wants escaped.
    lines = [
        f"{key} = {json.dumps(text, ensure_ascii=False)}\n".replace("\x7f", "\\u007f") for key, text in keys.items()
    ]
    path = folder / "market.toml"
    path.write_text("".join(lines), encoding="utf-8")
    return path


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as zipped,
        io.TextIOWrapper(zipped, encoding="utf-8", newline="") as file,
    ):
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        # csv spells a float as repr does, exactly, and None as an empty cell.
        table.writerows([row.get(name) for name in columns] for row in rows)


def _write_parquet(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    # Imported here: half a second that a command without tables does not need.
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {}
    for name in columns:
        values = [row.get(name) for row in rows]
        if name in _NUMBERS:
            arrays[name] = pa.array([None if value is None else float(value) for value in values], pa.float64())
        elif name in _DATES:
            arrays[name] = pa.array(values, pa.string()).cast(pa.date32())
        elif name in _TIMES:
            arrays[name] = _times(values)
        else:
            arrays[name] = pa.array(values, pa.string())
    pq.write_table(pa.table(arrays), path, compression="zstd")


def _times(values: Sequence[Any]) -> Any:
    """Times with a zone as microseconds in UTC."""
    import pyarrow as pa

    moments = [None if value is None else datetime.fromisoformat(value) for value in values]
    return pa.array(moments, pa.timestamp("us", "UTC"))
