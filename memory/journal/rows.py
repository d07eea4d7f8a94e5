"""Events as they lie in the database: canonical JSON, not parsed into any class.

For indexes, viewers and exporters, which must be quick and must also read kinds of events that this version does not
know.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

import orjson
from pydantic import ValidationError

from .errors import JournalDamaged
from .events import EVENT, Document, Event
from .store import Journal

_PAGE = 500
"""Rows fetched at a time: no read holds the database open for long."""
_AT_ONCE = 500
"""Numbers named in one query; SQLite takes 999 at least."""
_COLUMNS = "seq, body, hash, written_at"


class Row:
    """One event as it is stored."""

    def __init__(self, seq: int, body: str, digest: str, written_at: str) -> None:
        self.seq = seq
        """From 1."""
        self.body = body
        """Canonical JSON."""
        self.hash = digest
        self._written_at = written_at

    @property
    def written_at(self) -> datetime:
        """When it was first written (UTC)."""
        return datetime.fromisoformat(self._written_at)

    @cached_property
    def document(self) -> Document:
        """The event as a JSON object.

        Raises:
            JournalDamaged: it is none.
        """
        try:
            parsed: Any = orjson.loads(self.body)
            if isinstance(parsed, dict) and isinstance(parsed.get("kind"), str):
                return parsed
        except ValueError:
            pass
        raise JournalDamaged(f"Event {self.seq} cannot be read as an event; run `verify` on its session.")

    @cached_property
    def event(self) -> Event | None:
        """The event in its class; None where this version knows no such kind or another form of it."""
        try:
            return EVENT.validate_json(self.body)
        except ValidationError:
            return None

    @property
    def kind(self) -> str:
        """What happened."""
        return str(self.document["kind"])

    @property
    def decision(self) -> int | None:
        """Number of its decision, from 0."""
        return self.document.get("decision")

    @property
    def agent(self) -> str | None:
        """Who, where it is one agent's."""
        return self.document.get("agent")

    @property
    def ticker(self) -> str | None:
        """About whom, where it is one ticker."""
        return self.document.get("ticker")


def rows(
    journal: Journal,
    kinds: Sequence[str] = (),
    *,
    but: Sequence[str] = (),
    decision: int | None = None,
    ticker: str | None = None,
    after: int = 0,
    before: int | None = None,
    newest_first: bool = False,
    page: int = _PAGE,
) -> Iterator[Row]:
    """The events so far of these kinds (all where none is named), in order.

    Args:
        journal: where.
        kinds: names of kinds.
        but: kinds that are not wanted.
        decision: only those of this decision.
        ticker: only those about this ticker.
        after: only those after this number.
        before: only those before this number.
        newest_first: from the last one backwards.
        page: rows fetched at a time.
    """
    # the + keeps SQLite on the index of kinds or of decisions, whose entries are in the order of numbers
    last = journal.count if before is None else min(before - 1, journal.count)
    where, values = ["seq > ? AND seq <= ?"], [after, last]
    given: list[Any] = []
    if decision is not None:
        where.append("decision = ?")
        given.append(decision)
    if kinds:
        where.append(f"{'+' if decision is not None else ''}kind IN ({', '.join('?' * len(kinds))})")
        given.extend(kinds)
    if but:
        where.append(f"+kind NOT IN ({', '.join('?' * len(but))})")
        given.extend(but)
    if ticker is not None:
        where.append("ticker = ?")
        given.append(ticker)
    query = f"SELECT {_COLUMNS} FROM events WHERE {' AND '.join(where)} ORDER BY seq"
    query += " DESC LIMIT ?" if newest_first else " LIMIT ?"
    while found := journal._fetch(query, (*values, *given, page)):
        for row in found:
            yield Row(*row)
        if newest_first:
            values[1] = found[-1][0] - 1
        else:
            values[0] = found[-1][0]
        if len(found) < page:
            return


def rows_at(journal: Journal, numbers: Sequence[int]) -> list[Row]:
    """The events with these numbers that exist, in order."""
    found: list[Row] = []
    for first in range(0, len(numbers), _AT_ONCE):
        some = [number for number in numbers[first : first + _AT_ONCE] if 0 < number <= journal.count]
        query = f"SELECT {_COLUMNS} FROM events WHERE seq IN ({', '.join('?' * len(some))})"
        found.extend(Row(*row) for row in journal._fetch(query, tuple(some)))
    return sorted(found, key=lambda row: row.seq)


def values_of(
    journal: Journal, kind: str, fields: Sequence[str], *, decision: int | None = None
) -> list[tuple[Any, ...]]:
    """Some fields (`fill.price`) of every event of a kind, taken out by SQLite: (seq, decision, field, ...)."""
    columns = ", ".join(["seq", "decision", *("json_extract(body, ?)" for _ in fields)])
    where, values = "kind = ?", [kind]
    if decision is not None:
        where, values = "decision = ? AND +kind = ?", [decision, kind]  # type: ignore[list-item]
    query = f"SELECT {columns} FROM events WHERE {where} AND seq <= ? ORDER BY seq"
    return journal._fetch(query, (*(f"$.{name}" for name in fields), *values, journal.count))


def numbers_of(journal: Journal, kind: str) -> list[int]:
    """Numbers of the events of a kind, in order: from the index of kinds alone, without a look at any event."""
    found = journal._fetch("SELECT seq FROM events WHERE kind = ? AND seq <= ? ORDER BY seq", (kind, journal.count))
    return [number for (number,) in found]


def first_of(journal: Journal, decision: int) -> int | None:
    """Number of the first event of a decision; None where there is none."""
    found = journal._fetch("SELECT MIN(seq) FROM events WHERE decision = ? AND seq <= ?", (decision, journal.count))
    number: int | None = found[0][0]
    return number


def turns_of(journal: Journal, decision: int) -> list[tuple[int, str, str | None]]:
    """(number, kind, agent) of every event of a decision, in order."""
    query = "SELECT seq, kind, agent FROM events WHERE decision = ? AND seq <= ? ORDER BY seq"
    return journal._fetch(query, (decision, journal.count))
