"""A session for other tools: as JSON lines, as a parquet table, as a log of Inspect AI, as OpenTelemetry spans.

Whatever its length, a few thousand events are in memory at a time; of an Inspect log all of them, for its own writer
takes it whole.
"""

import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from ..memory.journal.rows import Row
from ..tools.errors import InputError
from .extras import missing_extra
from .reading import Session
from .reading.frames import record_of

_BATCH = 2000


def export(folder: Path, to: str) -> str:
    """Gives a session to other tools: writes a file, or sends it to a collector.

    Args:
        folder: the session.
        to: a new file that ends in .jsonl, .parquet or .eval, or the address of an OpenTelemetry collector (OTLP over
            gRPC).

    Returns:
        What was done, in words.

    Raises:
        InputError: there is no session, the file cannot be written, or the extra that it needs is not installed.
        TelemetryError: the collector did not take it.
    """
    if not to.startswith(("http://", "https://")):
        return f"{export_file(folder, Path(to)):,} events written to {to}"
    try:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        from .telemetry import send
    except ImportError as error:
        raise missing_extra(to, "otel", error) from error
    exporter = OTLPSpanExporter(endpoint=to, insecure=to.startswith("http://"))
    try:
        return f"{send(folder, exporter):,} spans sent to {to}"
    finally:
        exporter.shutdown()


def export_file(folder: Path, file: Path) -> int:
    """Writes every event of a session into a new file, whose suffix says the form.

    `.jsonl`: a line per event with `seq`, `hash`, `event`, as `show --json` prints it. `.parquet`: a row per event with
    the columns of `Session.events()`. `.eval`: a log of Inspect AI, a sample per signal and per decision.

    Returns:
        How many events.

    Raises:
        InputError: there is no session, the file is there already, its suffix is another, or the extra `inspect` is not
            installed.
    """
    if file.suffix not in _WRITERS:
        raise InputError(f"{file} names no known form; let it end in {', '.join(_WRITERS)}")
    if file.exists():
        raise InputError(f"{file} is there already; give another name, or delete it first")
    draft = file.with_name(f"{file.name}.new")
    with Session.open(folder) as session:
        try:
            _WRITERS[file.suffix](session, draft)
            draft.replace(file)
        except OSError as error:
            raise InputError(f"{file} cannot be written ({error.strerror}); give another place") from error
        finally:
            draft.unlink(missing_ok=True)
        return session.count


def document_of(row: Row) -> dict[str, Any]:
    """An event as JSON gives it: `seq`, `hash`, `event`."""
    return {"seq": row.seq, "hash": row.hash, "event": row.document}


def _lines(session: Session, draft: Path) -> None:
    with draft.open("w", encoding="utf-8") as lines:
        for row in session.rows():
            lines.write(json.dumps(document_of(row), ensure_ascii=False) + "\n")


def _table(session: Session, draft: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = pa.string()
    fields = [
        ("seq", pa.int64()),
        ("kind", text),
        ("decision", pa.int64()),
        ("agent", text),
        ("ticker", text),
        ("verdict", text),
        ("stance", text),
        ("confidence", pa.float64()),
        ("written_at", pa.timestamp("us", tz="UTC")),
        ("hash", text),
        ("event", text),
    ]
    schema = pa.schema(fields)
    with pq.ParquetWriter(draft, schema, compression="zstd") as table:
        for batch in _batches(session.rows()):
            table.write_table(pa.Table.from_pylist([record_of(row) for row in batch], schema=schema))


def _inspect_log(session: Session, draft: Path) -> None:
    try:
        from .inspect_log import write_inspect_log
    except ImportError as error:
        raise missing_extra("A log of Inspect AI", "inspect", error) from error
    write_inspect_log(session, draft)


_WRITERS: dict[str, Callable[[Session, Path], None]] = {
    ".jsonl": _lines,
    ".parquet": _table,
    ".eval": _inspect_log,
}


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, _BATCH)):
        yield batch
