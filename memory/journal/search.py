"""Full-text search over what was said in a session: rationales, findings, evidence, reasons.

The index (SQLite FTS5) is built from the events and stands beside them (`search.db`): it can be deleted at any time and
is brought up to date before each search. In a folder that cannot be written it is built in memory.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ...tools.evidence import Evidence
from ...tools.measures import MEASURES
from .errors import JournalRefused
from .events import (
    AuditIssued,
    Event,
    OrderEnded,
    OrderSubmitted,
    PointMade,
    ProposalMade,
    RiskRead,
    RuleVerdict,
    SignalIssued,
    ToolCalled,
)
from .store import Journal

FILE = "search.db"

_TABLES = """
CREATE VIRTUAL TABLE IF NOT EXISTS texts USING fts5 (
    text, seq UNINDEXED, kind UNINDEXED, decision UNINDEXED, agent UNINDEXED, ticker UNINDEXED, field UNINDEXED,
    tokenize = 'porter unicode61'
);
CREATE TABLE IF NOT EXISTS covered (count INTEGER NOT NULL, head TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Hit:
    """One text that matches, best first."""

    seq: int
    """The event it stands in."""
    kind: str
    decision: int | None
    agent: str | None
    ticker: str | None
    field: str
    """Where in the event: `rationale`, `evidence <id>`, `finding`, `reason`."""
    text: str
    snippet: str
    """The part around the match, the words found between [ and ]."""


def search(journal: Journal, text: str, *, limit: int = 1000) -> list[Hit]:
    """The texts that hold all the given words, in any of their forms; "several words" in quotes must follow each other.

    Raises:
        JournalRefused: there is no word in `text`.
    """
    query = _query(text)
    connection = _index(journal)
    try:
        rows = connection.execute(
            "SELECT seq, kind, decision, agent, ticker, field, text, snippet(texts, 0, '[', ']', '…', 16) "
            "FROM texts WHERE texts MATCH ? ORDER BY rank, seq LIMIT ?",
            (query, limit),
        ).fetchall()
    finally:
        connection.close()
    return [Hit(*row) for row in rows]


def _query(text: str) -> str:
    """The text as an FTS5 query in which no character is an operator."""
    clean = text.encode("utf-8", "replace").decode().replace("\0", " ")  # SQLite would end the query at a NUL
    pieces = clean.split('"')
    phrases = [piece for i, piece in enumerate(pieces) if i % 2]
    words = [word for i, piece in enumerate(pieces) if not i % 2 for word in piece.split()]
    terms = [term.strip() for term in phrases + words if any(character.isalnum() for character in term)]
    if not terms:
        raise JournalRefused("There is no word to search for; give at least one.")
    return " ".join(f'"{term}"' for term in terms)


def _index(journal: Journal) -> sqlite3.Connection:
    """The index, up to date."""
    if journal.folder is not None:
        try:
            return _updated(sqlite3.connect(journal.folder / FILE, isolation_level=None), journal)
        except sqlite3.Error:
            pass  # not writable, in use or spoilt: the index carries nothing of its own, so make one in memory
    return _updated(sqlite3.connect(":memory:", isolation_level=None), journal)


def _updated(connection: sqlite3.Connection, journal: Journal) -> sqlite3.Connection:
    try:
        connection.execute("PRAGMA busy_timeout = 0")
        connection.executescript(_TABLES)
        row = connection.execute("SELECT count, head FROM covered").fetchone()
        done = row[0] if row and _stands_in(journal, *row) else 0
        if done == journal.count and row:
            return connection
        connection.execute("BEGIN IMMEDIATE")
        if done == 0:
            connection.execute("DELETE FROM texts")
        for record in journal.events(after=done):
            connection.executemany(
                "INSERT INTO texts (text, seq, kind, decision, agent, ticker, field) VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (text, record.seq, record.event.kind, record.event.decision, *_who(record.event), field)
                    for field, text in texts_of(record.event)
                ],
            )
        connection.execute("DELETE FROM covered")
        connection.execute("INSERT INTO covered VALUES (?, ?)", (journal.count, journal.head))
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


def _stands_in(journal: Journal, count: int, head: str) -> bool:
    """Whether an index of that many events with that head is one of this journal's past."""
    return count <= journal.count and journal.hash_at(count) == head


def _who(event: Event) -> tuple[str | None, str | None]:
    return getattr(event, "agent", None), getattr(event, "ticker", None)


def texts_of(event: Event) -> Iterator[tuple[str, str]]:
    """What is worth finding in an event: (field, text)."""
    match event:
        case ToolCalled():
            for item in event.evidence:
                yield f"evidence {item.id}", evidence_text(item)
        case SignalIssued() | ProposalMade() | PointMade() | RiskRead():
            yield "rationale", event.rationale
        case AuditIssued() | RuleVerdict():
            for finding in event.report.get("findings", []):
                yield "finding", " ".join(_strings(finding))
        case OrderSubmitted() | OrderEnded():
            yield "reason", event.reason
        case _:
            return


def evidence_text(item: Evidence) -> str:
    """A piece of evidence in words: its label, its value as printed, its period; or the passage."""
    measure = MEASURES.get(item.measure)
    label = measure.label if measure else item.measure
    if item.text is not None:
        return f"{label}: {item.text}"
    assert item.value is not None  # the evidence's own validator holds this
    return f"{label} {measure.show(item.value) if measure else item.value} {item.period}"


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
