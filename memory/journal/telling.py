"""What a journal tells: its events so far, answers of minds, hashes; the half of `Journal` that changes nothing."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .chain import GENESIS
from .errors import JournalDamaged, JournalError
from .events import EVENT, Event
from .manifest import Manifest
from .record import Record

_PAGE = 500
"""Rows fetched at a time: no read holds the database open for long."""


class Telling:
    """Reads from one connection, as far as the session has come.

    Args:
        connection: to the journal's database.
        folder: where it lives; None in memory.
        manifest: of the folder; None in memory.
        against: a recorded journal that this one is derived again from.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        folder: Path | None,
        manifest: Manifest | None,
        against: "Telling | None",
    ) -> None:
        self.folder = folder
        """Where it lives; None in memory."""
        self._connection = connection
        self._manifest = manifest
        self._against = against
        self._guard = threading.RLock()
        self._elsewhere: Telling | None = None
        self._count = 0
        self._head = GENESIS
        self._stored = self._last_seq()

    @property
    def head(self) -> str:
        """Hash of the last event (64 zeros before the first)."""
        return self._head

    @property
    def count(self) -> int:
        """Number of events, as far as this session has come."""
        return self._count

    @property
    def recorded(self) -> int:
        """Number of events that a resumed session or a replay has to derive again before it adds new ones."""
        return self._against.count if self._against else self._stored

    @property
    def manifest(self) -> Manifest | None:
        """The folder's manifest as last written or read; None in memory."""
        return self._manifest

    @property
    def is_finished(self) -> bool:
        """Whether the session came to its end."""
        return bool(self._manifest and self._manifest.status == "finished")

    def events(
        self,
        kind: str | None = None,
        *,
        decision: int | None = None,
        ticker: str | None = None,
        agent: str | None = None,
        after: int = 0,
    ) -> Iterator[Record]:
        """The events so far, in order, that match all filters given, from the one after number `after` on.

        Raises:
            JournalDamaged: a stored event cannot be read.
        """
        filters = {"kind": kind, "decision": decision, "ticker": ticker, "agent": agent}
        given = {name: value for name, value in filters.items() if value is not None}
        where = "".join(f" AND {name} = ?" for name in given)
        query = f"SELECT seq, body, hash, written_at FROM events WHERE seq > ? AND seq <= ?{where} ORDER BY seq LIMIT ?"
        last, end = after, self._count
        while rows := self._fetch(query, (last, end, *given.values(), _PAGE)):
            for seq, body, digest, written_at in rows:
                yield Record.stored(seq, body, digest, written_at)
            last = rows[-1][0]

    def ahead(self) -> Event | None:
        """The next event that a resumed session or a replay will have to derive; None where nothing is left on record.

        For what came from outside and cannot be derived (what a venue said): it is read here and appended as it is.
        """
        source = self._against if self._against else self
        row = source._row(self._count + 1) if self._count < self.recorded else None
        return None if row is None else EVENT.validate_json(row[0])

    def hash_at(self, seq: int) -> str:
        """The head as it was after event `seq`.

        Raises:
            JournalError: there is no such event.
        """
        if seq == 0:
            return GENESIS
        if (row := self._row(seq) if 0 < seq <= self._count else None) is None:
            raise JournalError(f"The journal has no event {seq}; it holds {self._count}.")
        return row[1]

    def reply_for(self, request_key: str) -> dict[str, Any] | None:
        """What was answered to this request in the recorded session (or earlier in this one); None if it never was.

        Unlike `events` this also sees what has not been derived again yet: that is what it is for.
        """
        query = "SELECT body FROM events WHERE request_key = ? ORDER BY seq LIMIT 1"
        if rows := self._fetch(query, (request_key,)):
            reply: dict[str, Any] = json.loads(rows[0][0])["reply"]
            return reply
        source = self._against or self._elsewhere
        return source.reply_for(request_key) if source else None

    def recall_from(self, other: "Telling") -> None:
        """Look up answers that this journal does not hold in another one: a fork asks nothing that its parent asked."""
        self._elsewhere = other

    def rows(self, last: int, *, first: int = 1) -> Iterator[tuple[int, str, str, str]]:
        """Number, body, hash and time of the events from number `first` to `last`, as they are stored."""
        for start in range(first, last + 1, _PAGE):
            query = "SELECT seq, body, hash, written_at FROM events WHERE seq BETWEEN ? AND ? ORDER BY seq"
            yield from self._fetch(query, (start, min(last, start + _PAGE - 1)))

    def _fetch(self, query: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        with self._guard:
            try:
                return self._connection.execute(query, values).fetchall()
            except (sqlite3.Error, UnicodeDecodeError) as error:
                raise JournalDamaged(f"The journal cannot be read ({error}); run `verify` on it.") from error

    def _last_seq(self) -> int:
        return int(self._connection.execute("SELECT COALESCE(MAX(seq), 0) FROM events").fetchone()[0])

    def _row(self, seq: int) -> tuple[str, str, str] | None:
        rows = self._fetch("SELECT body, hash, written_at FROM events WHERE seq = ?", (seq,))
        return rows[0] if rows else None
