"""The SQLite file under the journal: its one table and the three ways to open it.

A row is the event's canonical JSON, its hash, and the time it was written. All that readers filter by is computed by
SQLite from that JSON (generated columns), so it cannot say something else than what the chain covers.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path

from ...tools.disk import flush
from .errors import JournalRefused

FILE = "journal.db"

_TABLE = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    body TEXT NOT NULL,
    hash TEXT NOT NULL,
    written_at TEXT NOT NULL,
    kind TEXT GENERATED ALWAYS AS (json_extract(body, '$.kind')) VIRTUAL,
    decision INTEGER GENERATED ALWAYS AS (json_extract(body, '$.decision')) VIRTUAL,
    agent TEXT GENERATED ALWAYS AS (json_extract(body, '$.agent')) VIRTUAL,
    ticker TEXT GENERATED ALWAYS AS (json_extract(body, '$.ticker')) VIRTUAL,
    request_key TEXT GENERATED ALWAYS AS (json_extract(body, '$.request_key')) VIRTUAL
);
CREATE INDEX events_by_kind ON events (kind);
CREATE INDEX events_by_decision ON events (decision);
CREATE INDEX events_by_request ON events (request_key) WHERE request_key IS NOT NULL;
"""


def present(folder: Path) -> bool:
    """Whether a folder holds a journal.

    Raises:
        JournalRefused: one may not look, or that can be no path.
    """
    try:
        return (folder / FILE).is_file()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise JournalRefused(f"The folder {folder} cannot be looked into ({reason}); give another.") from None


def in_memory() -> sqlite3.Connection:
    """An empty journal database that is gone when it is closed."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.executescript(_TABLE)
    return connection


Row = tuple[int, str, str, str]
"""Number, body, hash and time of an event."""


def create(folder: Path, past: Iterable[Row] = ()) -> None:
    """Make a database of no events but those of `past`; it appears in the folder complete or not at all."""
    draft = folder / (FILE + ".new")
    draft.unlink(missing_ok=True)
    connection = sqlite3.connect(draft, isolation_level=None)
    try:
        connection.executescript(_TABLE)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO events (seq, body, hash, written_at) VALUES (?, ?, ?, ?)", past)
        connection.execute("COMMIT")
    finally:
        connection.close()
    draft.replace(folder / FILE)
    flush(folder)


def open_writer(folder: Path) -> sqlite3.Connection:
    """The connection of the one writer: what it appends outlives the process at once, a power cut after `sync`."""
    uri = f"{(folder / FILE).resolve().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    # NORMAL: no wait for the disk after each append (0.5 ms on an idle NVMe disk, 7 ms on a busy one, a hundred times a
    # decision). What a power cut takes away then is the tail of the WAL, never the order of what is left.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def sync(folder: Path) -> None:
    """Wait until every append so far is on disk.

    Raises:
        OSError: the disk refuses.
    """
    # Of SQLite's files only this one may be opened beside it: closing the database or its index would drop its locks.
    wal = folder / (FILE + "-wal")
    if wal.exists():
        flush(wal)


def open_reader(folder: Path, *, finished: bool) -> sqlite3.Connection:
    """A connection that cannot change anything.

    Args:
        folder: the session's folder.
        finished: nothing writes any more and all is in the one file, so that the folder itself may be read-only and
            a stray file beside the database is not taken into account.
    """
    uri = f"{(folder / FILE).resolve().as_uri()}?mode=ro{'&immutable=1' if finished else ''}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    if not finished and _was_left_halfway(connection):
        connection.close()
        _undo_half(folder)
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    return connection


def _was_left_halfway(connection: sqlite3.Connection) -> bool:
    """Whether a process was killed in the middle of `fold`, which only a connection that may write can undo."""
    try:
        connection.execute("SELECT 1 FROM sqlite_schema").fetchone()
    except sqlite3.Error as error:
        return error.sqlite_errorcode == sqlite3.SQLITE_READONLY_ROLLBACK
    return False


def _undo_half(folder: Path) -> None:
    """Put the database back to where it was before; SQLite does so at the first look, unless its writer still lives."""
    uri = f"{(folder / FILE).resolve().as_uri()}?mode=rw"
    # where the folder may not be written, the reader's own first look says so
    with suppress(sqlite3.Error), closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as connection:
        connection.execute("SELECT 1 FROM sqlite_schema").fetchone()


def fold(connection: sqlite3.Connection) -> None:
    """Bring everything into the one file and close: no `-wal` and no `-shm` are left."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
