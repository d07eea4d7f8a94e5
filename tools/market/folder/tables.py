"""Table files (`.csv`, `.csv.gz`, `.parquet`) as columns, with the line that each row stands on."""

import csv
import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError
from .defects import Findings, Kind

TABLES = (".csv", ".csv.gz", ".parquet")
LINES = (".jsonl", ".jsonl.gz")


@dataclass(frozen=True)
class Table:
    """The wanted columns of a file, as they stand there."""

    file: str
    columns: dict[str, Any]
    """pyarrow arrays; texts for CSV, typed for parquet. A column that is absent is None: its cells are empty."""
    lines: NDArray[np.int64]
    """1-based line of each row (the row itself for parquet)."""
    findings: Findings
    absent: frozenset[str] = frozenset()
    """Required columns that the file lacks: complained of once, so their cells are not."""

    def __len__(self) -> int:
        return len(self.lines)

    def error(self, row: int, column: str, kind: Kind, message: str) -> None:
        """Record the defect of a cell that keeps the folder from being opened; `row` counts from 0."""
        self.findings.error(kind, self.file, message, int(self.lines[row]), column)

    def warn(self, row: int, column: str, kind: Kind, message: str) -> None:
        """Record the defect of a cell that wants a look; `row` counts from 0."""
        self.findings.warn(kind, self.file, message, int(self.lines[row]), column)


def find_file(folder: Path, stem: str, endings: tuple[str, ...], findings: Findings) -> Path | None:
    """The one file of this name, or None; of several the first is taken, and they are a defect."""
    found = [folder / f"{stem}{ending}" for ending in endings if (folder / f"{stem}{ending}").is_file()]
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        findings.error("two_files", folder.name, f"holds both {names}; keep only one of them")
    return found[0] if found else None


def read_table(path: Path, required: tuple[str, ...], optional: tuple[str, ...], findings: Findings) -> Table | None:
    """The wanted columns of a table file, others are passed over; None if it cannot be read at all."""
    wanted = required + optional
    try:
        read = _read_parquet if path.suffix == ".parquet" else _read_csv
        header, columns, lines = read(path, wanted, findings)
    except DataError as error:
        findings.error("unreadable_file", path.name, str(error))
        return None
    missing = [name for name in required if name not in header]
    for name in missing:
        findings.error("missing_column", path.name, f"has no column {name}; it needs {', '.join(required)}")
    for name in wanted:
        if header.count(name) > 1:
            findings.error("repeated_column", path.name, f"has the column {name} twice; rename or remove one of them")
    findings.files[path.name] = len(lines)
    absent = frozenset(name for name in required if name not in columns)
    return Table(path.name, {name: columns.get(name) for name in wanted}, lines, findings, absent)


def read_text(path: Path) -> bytes:
    """The UTF-8 text of a plain or gzipped file, without byte order mark.

    Raises:
        DataError: it cannot be read, or is no UTF-8; the message completes a sentence that begins with the file.
    """
    try:
        raw = path.read_bytes()
        raw = gzip.decompress(raw) if path.suffix == ".gz" else raw
        raw.decode("utf-8")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"cannot be read ({error}); write it again as UTF-8 text") from error
    return raw.removeprefix(b"\xef\xbb\xbf")


_Read = tuple[list[str], dict[str, Any], NDArray[np.int64]]


def _read_csv(path: Path, wanted: tuple[str, ...], findings: Findings) -> _Read:
    raw = read_text(path)
    # Only a quote can hide a comma or a line end; without one, rows are lines, and pyarrow is ten times as fast.
    return (_read_quoted if b'"' in raw else _read_plain)(path.name, raw, wanted, findings)


def _read_plain(file: str, raw: bytes, wanted: tuple[str, ...], findings: Findings) -> _Read:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    top, _, body = raw.partition(b"\n")
    header = [name.strip() for name in top.decode().split(",")] if top else []
    symbols = np.frombuffer(body, dtype=np.uint8)
    ends = np.flatnonzero(symbols == ord("\n"))
    if body and not body.endswith(b"\n"):
        ends = np.append(ends, len(body))
    starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else ends
    commas = np.flatnonzero(symbols == ord(","))
    cells = np.searchsorted(commas, ends) - np.searchsorted(commas, starts) + 1
    filled = ends > starts
    cut = filled & (cells != len(header))
    for i in np.flatnonzero(cut):
        _cut_row(findings, file, int(i) + 2, int(cells[i]), len(header))
    whole = np.flatnonzero(filled & ~cut)
    lines = whole + 2
    keep = [header.index(name) for name in wanted if header.count(name) == 1]
    if not len(whole):
        return header, {header[i]: pa.array([], pa.string()) for i in keep}, lines
    if cut.any():
        body = b"\n".join(body[starts[i] : ends[i]] for i in whole)
    # Columns are named by position, because a header may repeat a name that nobody wants.
    table = arrow_csv.read_csv(
        io.BytesIO(body),
        arrow_csv.ReadOptions(
            column_names=[str(i) for i in range(len(header))],
            block_size=max(1 << 22, int((ends - starts).max()) + 2),
        ),
        arrow_csv.ParseOptions(quote_char=False),
        arrow_csv.ConvertOptions(
            column_types={str(i): pa.string() for i in range(len(header))},
            include_columns=[str(i) for i in keep],
            strings_can_be_null=False,
        ),
    )
    return header, {header[i]: table.column(str(i)).combine_chunks() for i in keep}, lines


def _read_quoted(file: str, raw: bytes, wanted: tuple[str, ...], findings: Findings) -> _Read:
    import pyarrow as pa

    reader = csv.reader(io.StringIO(raw.decode(), newline=""), strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    header: list[str] = []
    try:
        header = [name.strip() for name in next(reader, [])]
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                _cut_row(findings, file, reader.line_num, len(row), len(header))
                continue
            rows.append(row)
            lines.append(reader.line_num)
    except csv.Error as error:
        findings.error("unreadable_file", file, f"is no CSV ({error}); correct the row", reader.line_num)
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    kept = {name: pa.array(columns[header.index(name)], pa.string()) for name in wanted if header.count(name) == 1}
    return header, kept, np.array(lines, dtype=np.int64)


def _cut_row(findings: Findings, file: str, line: int, cells: int, wanted: int) -> None:
    findings.error("cut_row", file, f"has {cells} cells where the header has {wanted}; correct the row", line)


def _read_parquet(path: Path, wanted: tuple[str, ...], findings: Findings) -> _Read:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            header = list(file.schema_arrow.names)
            table = file.read(columns=[name for name in wanted if header.count(name) == 1])
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"is no parquet file ({reason}); write it again") from error
    columns = {name: table.column(name).combine_chunks() for name in table.column_names}
    return header, columns, np.arange(1, table.num_rows + 1)
