"""The journal: what happened in a session, in order, once and for all.

A journal is written by one process and read by many. It can be in one of four situations:

- `Journal.create(folder)`: a new session.
- `Journal.open_for_resume(folder)`: a session that was stopped. It is executed again from its start; what it appends is
  compared with what is stored until the store is exhausted, and appended from there on. Model answers are read back
  (`reply_for`), so this is quick. Until an event has been derived again it is invisible to `events`, `head` and
  `count`: code that reads the journal sees the same in both runs.
- `Journal.in_memory(against=recorded)`: a replay, compared with another journal in the same way and kept nowhere.
- `Journal.open_readonly(folder)`: for reports and viewers, also while the session is running.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self

from ...tools.disk import file_sha256
from . import database
from .chain import GENESIS, chain_hash, divergence, verify
from .errors import JournalDamaged, JournalDivergence, JournalError, JournalRefused
from .events import Event
from .lock import WriterLock
from .manifest import Manifest, code_hash, package_versions
from .past import Past, lay_out
from .record import Listener, Record
from .telling import Telling

if TYPE_CHECKING:
    from .index import Hit

Clock = Callable[[], datetime]
"""Tells the time, with its zone."""


def wall_clock() -> datetime:
    """Now, in UTC. It goes beside the chain, never into it."""
    return datetime.now(UTC)


class Journal(Telling):
    """An append-only record of events. Made by the class methods; safe to use from several threads."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        folder: Path | None,
        mode: Literal["write", "read", "memory"],
        manifest: Manifest | None = None,
        lock: WriterLock | None = None,
        against: Telling | None = None,
        clock: Clock = wall_clock,
    ) -> None:
        super().__init__(connection, folder=folder, manifest=manifest, against=against)
        self._mode = mode
        self._lock = lock
        self._clock = clock
        self._listeners: list[Listener] = []
        self._broken: str | None = None
        self._open_together = False
        if mode == "read":
            self._count = self._stored
            self._head = self.hash_at(self._stored)

    @staticmethod
    def refuse_unless_free(folder: Path) -> None:
        """Nothing, if `create` can make a journal there as far as one can tell without changing anything.

        Raises:
            JournalRefused: it holds a session, or it is a file.
        """
        if database.present(folder):
            raise JournalRefused(f"{folder} already holds a session; give another folder, or resume that one.")
        if folder.exists() and not folder.is_dir():
            raise JournalRefused(f"{folder} is a file and cannot hold a session; give another folder.")

    @classmethod
    def create(
        cls,
        folder: Path,
        *,
        config: dict[str, Any] | None = None,
        past: Past | None = None,
        clock: Clock = wall_clock,
    ) -> Self:
        """Start a journal in a new or harmlessly filled folder.

        Args:
            folder: where it lives.
            config: every choice of the session.
            past: of a fork, what it shares with another session; it is there from the first moment, or no journal is.
            clock: the wall clock.

        Raises:
            JournalRefused: the folder holds a session already, another process is using it, or it cannot be written;
                nothing was changed.
        """
        cls.refuse_unless_free(folder)
        fresh = not folder.exists()
        try:
            folder.mkdir(parents=True, exist_ok=not fresh)
            lock = WriterLock(folder)
        except OSError as error:
            raise JournalRefused(f"{folder} cannot be used for a session ({error.strerror}); give another.") from None
        manifest = Manifest(
            status="running",
            count=past.count if past else 0,
            head=past.head if past else GENESIS,
            created_at=clock(),
            code=code_hash(),
            versions=package_versions(),
            config=config or {},
            branches=past.branches if past else (),
        )
        try:
            cls.refuse_unless_free(folder)  # another process may have been faster
            connection = lay_out(folder, manifest, past)
        except BaseException:
            lock.release(remove=fresh)
            if fresh and not any(folder.iterdir()):
                folder.rmdir()
            raise
        return cls(connection, folder=folder, mode="write", manifest=manifest, lock=lock, clock=clock)

    @classmethod
    def open_for_resume(cls, folder: Path, *, clock: Clock = wall_clock) -> Self:
        """Continue a session that was stopped; its chain is verified first.

        Raises:
            JournalRefused: there is no session, it is finished, or another process is writing to it.
            JournalDamaged: the chain is not intact; nothing was changed.
        """
        if not database.present(folder):
            raise JournalRefused(f"{folder} holds no session to resume; name a session's folder.")
        lock = WriterLock(folder)
        try:
            found = verify(folder)
            if found.problem is not None:
                raise JournalDamaged(f"The session in {folder} cannot be resumed: {found.problem}")
            manifest = Manifest.read(folder)
            if manifest.status == "finished":
                raise JournalRefused(f"The session in {folder} is finished; there is nothing to resume.")
            connection = database.open_writer(folder)
        except BaseException:
            lock.release()
            raise
        return cls(connection, folder=folder, mode="write", manifest=manifest, lock=lock, clock=clock)

    @classmethod
    def open_readonly(cls, folder: Path) -> Self:
        """Read a session, finished or not; a running one is seen as it was at this moment.

        Raises:
            JournalRefused: there is no session.
            JournalDamaged: the manifest or the database cannot be read.
        """
        if not database.present(folder):
            raise JournalRefused(f"{folder} holds no session (there is no {database.FILE}); name a session's folder.")
        manifest = Manifest.read(folder)
        connection = database.open_reader(folder, finished=manifest.status == "finished")
        try:
            return cls(connection, folder=folder, mode="read", manifest=manifest)
        except JournalDamaged:
            connection.close()
            raise
        except (sqlite3.Error, UnicodeDecodeError) as error:
            connection.close()
            raise JournalDamaged(f"The journal in {folder} cannot be read ({error}); run `verify` on it.") from None

    @classmethod
    def in_memory(cls, *, against: Telling | None = None, clock: Clock = wall_clock) -> Self:
        """A journal that is gone when it is closed.

        Args:
            against: a recorded journal to replay: every append must equal its event, and model answers come from it.
            clock: the wall clock.
        """
        return cls(database.in_memory(), folder=None, mode="memory", against=against, clock=clock)

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` for every event from now on, on the thread that appends."""
        self._listeners.append(listener)

    def append(self, event: Event) -> int:
        """Put an event on record: from now on it outlives this process, and from the next `sync` a power cut.

        Inside a block `together` it does so from the block's end on.

        Returns:
            Its number, from 1.

        Raises:
            JournalDivergence: a resumed session or a replay derives something else than was recorded.
            JournalError: the event cannot be written, or an earlier one could not: the session must stop.
        """
        with self._guard:
            self._refuse_if_unusable()
            try:
                record, fresh = self._place(event)
            except JournalError as error:
                self._broken = str(error)
                raise
            except (sqlite3.Error, ValueError) as error:
                self._broken = f"The journal could not write event {self._count + 1} ({event.kind}): {error}"
                raise JournalError(f"{self._broken}; make room or fix the cause, then resume the session.") from error
            self._count, self._head = record.seq, record.hash
            for listener in self._listeners:
                listener(record, fresh)
            return record.seq

    @contextmanager
    def together(self) -> Iterator[None]:
        """A block whose events outlive this process from its end on: one commit for all, a third of the time of each.

        For events that follow from what is on record, which a resumed session derives again at no cost; never around
        the question to a mind or to a broker. What was appended before an exception stays appended.

        Raises:
            JournalError: they cannot be written: the session must stop.
        """
        with self._guard:
            if self._open_together:  # the outermost block commits
                yield
                return
            self._connection.execute("BEGIN")
            self._open_together = True
            try:
                yield
            finally:
                self._open_together = False
                self._commit()

    def _commit(self) -> None:
        try:
            if self._connection.in_transaction or self._broken is None:  # a full disk has undone it already
                self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._broken = f"The journal could not write the events up to {self._count}: {error}"
            raise JournalError(f"{self._broken}; make room or fix the cause, then resume the session.") from error

    def _place(self, event: Event) -> tuple[Record, bool]:
        seq = self._count + 1
        body = event.canonical()
        digest = chain_hash(self._head, body)
        source = self._against if self._against else self
        recorded = source._row(seq) if seq <= self.recorded else None
        if recorded is not None and recorded[1] != digest:
            raise JournalDivergence(divergence(seq, json.loads(recorded[0]), json.loads(body)))
        if recorded is None and self._against is not None and self._against.is_finished:
            raise JournalDivergence(
                f"The session goes on with event {seq} ({event.kind}) where the recorded one had ended; "
                "run it with the same code and data."
            )
        written_at = datetime.fromisoformat(recorded[2]) if recorded else self._clock()
        if recorded is None or self._against is not None:
            self._connection.execute(
                "INSERT INTO events (seq, body, hash, written_at) VALUES (?, ?, ?, ?)",
                (seq, body, digest, written_at.isoformat()),
            )
        return Record(seq, event, digest, written_at), recorded is None

    def _refuse_if_unusable(self) -> None:
        if self._broken is not None:
            raise JournalError(f"The journal accepts nothing more after a failure ({self._broken.rstrip('.')}).")
        if self._mode == "read":
            raise JournalError("This journal is open for reading only; resume the session to add to it.")

    def search(self, text: str, *, limit: int = 1000) -> "list[Hit]":
        """What was said with all words of `text` in it, best first: see `search.search`."""
        from .search import search  # it is built on this class

        return search(self, text, limit=limit)

    def mark(self) -> None:
        """Write head and count to the manifest, on disk when this returns: before any order leaves.

        Raises:
            JournalError: it cannot be written; no order may leave.
        """
        with self._guard:
            self._refuse_if_unusable()
            # Not in memory, and not while a resumed session is still behind what the manifest vouches for.
            if self._manifest is not None and self._count >= self._manifest.count:
                self.sync()
                self._write_manifest(self._manifest.at(self._count, self._head))

    def sync(self) -> None:
        """Wait until every event so far is on disk.

        Raises:
            JournalError: the disk refuses.
        """
        if self._mode != "write" or self.folder is None:
            return
        if self._open_together:
            self._commit()
            self._connection.execute("BEGIN")
        try:
            database.sync(self.folder)
        except OSError as error:
            self._broken = f"The journal in {self.folder} could not be brought to the disk ({error.strerror})"
            raise JournalError(f"{self._broken}; make room or fix the cause, then resume the session.") from error

    def finish(self) -> None:
        """The session came to its end: seal it. The journal stays readable.

        Raises:
            JournalDivergence: the recorded session went on from here.
            JournalError: the seal cannot be written; the session can be resumed.
        """
        with self._guard:
            self._refuse_if_unusable()
            if self._count < self.recorded:
                raise JournalDivergence(
                    f"The session ended after event {self._count} although {self.recorded} are on record; "
                    "run it with the same code and data."
                )
            if self._manifest is None or self.folder is None:
                self._mode = "read"
                return
            try:
                database.fold(self._connection)
                digest = file_sha256(self.folder / database.FILE)
            except (sqlite3.Error, OSError) as error:
                self._broken = f"The journal could not be sealed: {error}"
                raise JournalError(f"{self._broken}; resume the session to try again.") from error
            self._write_manifest(self._manifest.at(self._count, self._head).sealed(self._clock(), digest))
            self._mode = "read"
            self._connection = database.open_reader(self.folder, finished=True)
            self._release()

    def close(self) -> None:
        """Let go of the folder; harmless to repeat. An unfinished session can be resumed."""
        with self._guard:
            if self._mode == "write" and self._broken is None and self._lock is not None:
                self.mark()
            self._connection.close()
            self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _write_manifest(self, manifest: Manifest) -> None:
        assert self.folder is not None
        try:
            manifest.write(self.folder)
        except OSError as error:
            self._broken = f"The manifest in {self.folder} could not be written ({error.strerror})"
            raise JournalError(f"{self._broken}; make room or fix the cause, then resume the session.") from error
        self._manifest = manifest
