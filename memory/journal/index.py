"""The index beside a journal: one short row per event to filter by, and every text worth finding (SQLite FTS5).

It is built from the events and stands beside them (`search.db`): it can be deleted at any time and is brought up to
date when it is opened. In a folder that cannot be written it is built in memory. What people are shown of an event is
always read from the journal itself.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from .errors import JournalRefused
from .rows import Row, rows
from .store import Journal
from .texts import texts_of

FILE = "search.db"
VERSION = 3
"""Of the tables; an index of another version is made anew."""

_TABLES = """
CREATE VIRTUAL TABLE texts USING fts5 (text, field UNINDEXED, tokenize = 'porter unicode61');
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, decision INTEGER, day TEXT, agent TEXT, ticker TEXT, verdict TEXT,
    round INTEGER
);
CREATE INDEX entries_by_decision ON entries (decision, kind);
CREATE INDEX entries_by_kind ON entries (kind, verdict);
CREATE INDEX entries_by_ticker ON entries (ticker, kind);
CREATE INDEX entries_by_agent ON entries (agent, kind);
CREATE TABLE tallies (name TEXT, value TEXT, count REAL NOT NULL, PRIMARY KEY (name, value));
CREATE TABLE covered (count INTEGER NOT NULL, head TEXT NOT NULL, day TEXT);
"""
_SHIFT = 16
"""A text's row number is its event's number, shifted by so many bits, plus its place in the event."""
_LAST = 1 << (62 - _SHIFT)
"""Beyond the number of any event."""
_BATCH = 10_000
"""Events indexed in one transaction: a long build that is broken off goes on from there."""
_CACHE_KIB = 32 * 1024
"""Pages that the build keeps in memory: spilling them early would lock out those who read."""
_TERMS_BYTES = 16 * 1024 * 1024
"""Terms that FTS5 gathers before it writes them (1 MiB by itself): fewer, larger pieces, and less merging of them."""
_PATIENCE_MS = 20_000
"""How long to wait for another process that is indexing the same session."""
COLUMNS = ("kind", "agent", "ticker", "verdict")
"""What `Index.known` counts."""


@dataclass(frozen=True)
class Filters:
    """Which events are wanted: those that match all that is given."""

    kind: str | None = None
    agent: str | None = None
    ticker: str | None = None
    verdict: str | None = None
    """Of the auditor (`pass`, `revise`, `reject`), of the rules (`approve`, `clamp`, `veto`), or a broker's status."""
    decision: int | None = None
    """From 0."""
    since: date | None = None
    """First day."""
    until: date | None = None
    """Last day."""
    text: str | None = None
    """Words that must all be in one text of the event; "several words" in quotes must follow each other."""

    def where(self) -> tuple[str, list[Any]]:
        """The conditions on `entries` as SQL, with its values; without the text."""
        same = {name: getattr(self, name) for name in (*COLUMNS, "decision")}
        given = [(f"entries.{name} = ?", value) for name, value in same.items() if value is not None]
        if self.since is not None:
            given.append(("entries.day >= ?", self.since.isoformat()))
        if self.until is not None:
            given.append(("entries.day <= ?", self.until.isoformat()))
        return " AND ".join(condition for condition, _ in given) or "1", [value for _, value in given]


@dataclass(frozen=True)
class Hit:
    """One text that matches."""

    seq: int
    """The event it stands in."""
    kind: str
    decision: int | None
    agent: str | None
    ticker: str | None
    field: str
    """Where in the event: `rationale`, `evidence <id>`, `finding`, `reason`, `completion`."""
    text: str
    snippet: str
    """The part around the match, the words found between two marks."""


class Index:
    """An index that is up to date with its journal. Made by `open_index`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def entries(
        self, filters: Filters, *, after: int = 0, limit: int | None = None, newest_first: bool = False
    ) -> list[int]:
        """Numbers of the events that match, in order, from the one after `after` on (before it, newest first)."""
        where, values = filters.where()
        beyond, order = ("<", "DESC") if newest_first and after else (">", "DESC" if newest_first else "ASC")
        tables = "entries"
        if filters.text is not None:
            found = f"SELECT DISTINCT rowid >> {_SHIFT} AS seq FROM texts WHERE texts MATCH ?"
            tables = f"({found}) JOIN entries USING (seq)"
            values = [query_of(filters.text), *values]
        query = f"SELECT seq FROM {tables} WHERE {where} AND seq {beyond} ? ORDER BY seq {order} LIMIT ?"
        return [row[0] for row in self._connection.execute(query, (*values, after, -1 if limit is None else limit))]

    def hits(
        self,
        filters: Filters,
        *,
        after: int = 0,
        limit: int = 1000,
        best_first: bool = False,
        marks: tuple[str, str] = ("[", "]"),
    ) -> list[Hit]:
        """The texts that match, in order or the best first.

        In order, the texts of the last event are there whole, though they be more than `limit`: the page after it
        begins at another event.

        Raises:
            JournalRefused: there is no word in the text.
        """
        where, values = filters.where()
        query = (
            "SELECT entries.seq, kind, decision, agent, ticker, field, text, snippet(texts, 0, ?, ?, '…', 24) "
            f"FROM texts JOIN entries ON entries.seq = texts.rowid >> {_SHIFT} "
            f"WHERE texts MATCH ? AND texts.rowid >= ? AND texts.rowid < ? AND {where} "
            f"ORDER BY {'rank, ' if best_first else ''}texts.rowid LIMIT ? OFFSET ?"
        )

        def found(first: int, end: int, most: int, skipped: int = 0) -> list[Hit]:
            """Of the events from `first` to the one before `end`."""
            bounds = first << _SHIFT, end << _SHIFT
            given = (*marks, query_of(filters.text or ""), *bounds, *values, most, skipped)
            return [Hit(*row) for row in self._connection.execute(query, given)]

        page = found(after + 1, _LAST, limit)
        if best_first or len(page) < limit:
            return page
        last = page[-1].seq
        return page + found(last, last + 1, -1, sum(hit.seq == last for hit in page))

    def known(self, column: str) -> dict[str, int]:
        """How many events there are of each kind, or of each agent, ticker or verdict, in order of appearance."""
        rows = self._connection.execute("SELECT value, count FROM tallies WHERE name = ? ORDER BY rowid", (column,))
        return {value: int(count) for value, count in rows}

    def total(self, name: str) -> float:
        """A sum over the session: `prompt_tokens`, `generated_tokens`."""
        row = self._connection.execute("SELECT count FROM tallies WHERE name = 'sum' AND value = ?", (name,)).fetchone()
        return float(row[0]) if row else 0.0

    def of_decisions(self, kind: str, first: int, last: int) -> list[int]:
        """Numbers of the events of a kind that belong to decisions `first` to `last`, in order."""
        query = "SELECT seq FROM entries WHERE decision BETWEEN ? AND ? AND +kind = ? ORDER BY seq"
        return [row[0] for row in self._connection.execute(query, (first, last, kind))]

    def counts(self, first: int, last: int) -> list[tuple[int, str, str | None, int]]:
        """For decisions `first` to `last`: (decision, kind, verdict, how many events)."""
        return self._connection.execute(
            "SELECT decision, kind, verdict, count(*) FROM entries WHERE decision BETWEEN ? AND ? GROUP BY 1, 2, 3",
            (first, last),
        ).fetchall()

    def turns(self, first: int, last: int) -> list[tuple[int, int, str, str | None, int]]:
        """For decisions `first` to `last`, wherever kind or agent change: (decision, seq, kind, agent, round)."""
        return self._connection.execute(
            "SELECT decision, seq, kind, agent, round FROM (SELECT *, lag(kind || coalesce(agent, '')) "
            "OVER (PARTITION BY decision ORDER BY seq) AS before FROM entries WHERE decision BETWEEN ? AND ?) "
            "WHERE before IS NOT kind || coalesce(agent, '') ORDER BY seq",
            (first, last),
        ).fetchall()


Progress = Callable[[int, int], None]
"""Told how many events are indexed, of how many."""


@contextmanager
def open_index(journal: Journal, progress: Progress | None = None) -> Iterator[Index]:
    """The index of a journal, up to date.

    Args:
        journal: the session.
        progress: told how far it has come while it is brought up to date.
    """
    connection = _updated_on_disk(journal, progress) or _updated(_connect(":memory:"), journal, progress)
    try:
        yield Index(connection)
    finally:
        connection.close()


def missing(journal: Journal) -> int:
    """How many events the index on disk does not cover yet."""
    if journal.folder is None or not (journal.folder / FILE).is_file():
        return journal.count
    try:
        connection = _connect(str(journal.folder / FILE))
        try:
            return journal.count - _covered(connection, journal)[0]
        finally:
            connection.close()
    except sqlite3.Error:
        return journal.count


def query_of(text: str) -> str:
    """The text as an FTS5 query in which no character is an operator.

    Raises:
        JournalRefused: there is no word in it.
    """
    clean = text.encode("utf-8", "replace").decode().replace("\0", " ")  # SQLite would end the query at a NUL
    pieces = clean.split('"')
    phrases = [piece for i, piece in enumerate(pieces) if i % 2]
    words = [word for i, piece in enumerate(pieces) if not i % 2 for word in piece.split()]
    terms = [term.strip() for term in phrases + words if any(character.isalnum() for character in term)]
    if not terms:
        raise JournalRefused("There is no word to search for; give at least one.")
    return " ".join(f'"{term}"' for term in terms)


def _connect(name: str) -> sqlite3.Connection:
    connection = sqlite3.connect(name, isolation_level=None)
    connection.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
    return connection


def _updated_on_disk(journal: Journal, progress: Progress | None) -> sqlite3.Connection | None:
    """None where the folder cannot be written or the file is spoilt: the index carries nothing of its own."""
    if journal.folder is None:
        return None
    try:
        return _updated(_connect(str(journal.folder / FILE)), journal, progress)
    except sqlite3.Error:
        return None


def _updated(connection: sqlite3.Connection, journal: Journal, progress: Progress | None) -> sqlite3.Connection:
    try:
        while True:
            done, day = _covered(connection, journal)
            if progress is not None:
                progress(done, journal.count)
            if done == journal.count and _version(connection) == VERSION:
                return connection
            connection.execute("BEGIN IMMEDIATE")
            # another process may have come first
            done, day = _covered(connection, journal)
            if done == 0:
                _empty(connection)
            if journal.count - done > _BATCH // 10:
                _prepare(connection)
            _add(connection, journal, done, day)
            connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise


def _prepare(connection: sqlite3.Connection) -> None:
    """For many events at once."""
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute("INSERT INTO texts (texts, rank) VALUES ('hashsize', ?)", (_TERMS_BYTES,))


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _covered(connection: sqlite3.Connection, journal: Journal) -> tuple[int, str | None]:
    """Events that the index covers, if it is one of this journal's past, and the day it has come to."""
    if _version(connection) != VERSION:
        return 0, None
    row = connection.execute("SELECT count, head, day FROM covered").fetchone()
    if row is None or row[0] > journal.count or journal.hash_at(row[0]) != row[1]:
        return 0, None
    return row[0], row[2]


def _empty(connection: sqlite3.Connection) -> None:
    names = [
        row[0]
        for row in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name IN ('texts', 'entries', 'tallies', 'covered')"
        )
    ]
    for name in names:
        connection.execute(f"DROP TABLE {name}")
    for statement in _TABLES.split(";"):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _add(connection: sqlite3.Connection, journal: Journal, done: int, day: str | None) -> None:
    """The next batch of events."""
    entries: list[tuple[Any, ...]] = []
    texts: list[tuple[int, str, str]] = []
    sums: Counter[tuple[str, str]] = Counter()
    last: Row | None = None
    for row in rows(journal, after=done):
        document = row.document
        said, seq = document.get, row.seq
        # of a bar, a decision, a dividend, a fill; what has no day of its own belongs to the one before
        day = said("session") or (document["fill"].get("session") if "fill" in document else None) or day
        verdict = said("verdict") or said("status")
        kind = document["kind"]
        entries.append((seq, kind, said("decision"), day, said("agent"), said("ticker"), verdict, said("round")))
        if kind == "model_called":
            usage = document.get("reply", {}).get("usage", {})
            sums.update({("sum", name): count for name, count in usage.items() if isinstance(count, int)})
        texts.extend([((seq << _SHIFT) + i, text, field) for i, (field, text) in enumerate(texts_of(document))])
        last = row
        if len(entries) == _BATCH:
            break
    tallies = Counter((name, str(e[i])) for name, i in _COUNTED.items() for e in entries if e[i] is not None) + sums
    connection.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)", entries)
    connection.executemany("INSERT INTO texts (rowid, text, field) VALUES (?, ?, ?)", texts)
    connection.executemany(
        "INSERT INTO tallies VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
        [(name, value, count) for (name, value), count in tallies.items()],
    )
    connection.execute("DELETE FROM covered")
    connection.execute(
        "INSERT INTO covered VALUES (?, ?, ?)",
        (last.seq, last.hash, day) if last is not None else (journal.count, journal.head, day),
    )


_COUNTED = {"kind": 1, "agent": 4, "ticker": 5, "verdict": 6}
"""Where each of `COLUMNS` stands in a row of `entries`."""
