"""The hash chain over the events, and the proof that it is intact.

hash(n) = sha256(hash(n-1) + canonical JSON of event n), hash(0) = 64 zeros. Wall-clock times stand beside the chain,
so two equal sessions have equal heads.
"""

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from ...tools.disk import file_sha256
from ...tools.frozen import Frozen
from . import database
from .errors import JournalDamaged, JournalRefused
from .manifest import Manifest

GENESIS = "0" * 64
"""What stands before the first event."""


def chain_hash(previous: str, body: str) -> str:
    """Hash of an event: its canonical JSON after its predecessor's hash."""
    return hashlib.sha256((previous + body).encode()).hexdigest()


def first_difference(before: Any, after: Any, path: str = "") -> tuple[str, Any, Any] | None:
    """Where two JSON values first differ, depth first: (path like `report.findings[2].rule`, before, after)."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            inner = f"{path}.{key}" if path else key
            if key not in before or key not in after:
                return inner, before.get(key, "(absent)"), after.get(key, "(absent)")
            if found := first_difference(before[key], after[key], inner):
                return found
        return None
    if isinstance(before, list) and isinstance(after, list):
        for i, (left, right) in enumerate(zip(before, after, strict=False)):
            if found := first_difference(left, right, f"{path}[{i}]"):
                return found
        return None if len(before) == len(after) else (f"length of {path}", len(before), len(after))
    return None if type(before) is type(after) and before == after else (path, before, after)


def divergence(seq: int, recorded: dict[str, Any], derived: dict[str, Any]) -> str:
    """The sentence that says how an event differs from what was recorded in its place."""
    advice = "run it with the code, model and data it was recorded with, or start a new session."
    if recorded["kind"] != derived["kind"]:
        return f"Event {seq} was {recorded['kind']} when recorded and is {derived['kind']} now; {advice}"
    found = first_difference(recorded, derived)
    where = f"{found[0]} was {_short(found[1])} and is {_short(found[2])} now" if found else "its past differs"
    return f"Event {seq} ({derived['kind']}) differs from the recorded one: {where}; {advice}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."


class Verification(Frozen):
    """What `verify` found."""

    ok: bool
    status: str
    """`running`, `finished`, or `unknown` where the manifest cannot be read."""
    count: int
    """Events whose chain is intact, from the first on."""
    head: str
    """Hash of the last of them."""
    problem: str | None = None
    """One sentence; None when all is well."""
    seq: int | None = None
    """The first bad event, where the problem is one event's."""


def verify(folder: Path) -> Verification:
    """Recompute a journal's chain and compare it with its manifest.

    A finished session must match its manifest exactly, to the last byte of the database. While one is running, or after
    it was killed, the manifest may lag behind the database, never the other way round; events after the manifest's last
    count are then covered by the chain only.

    Raises:
        JournalRefused: the folder holds no session.
    """
    path = folder / database.FILE
    if not database.present(folder):
        raise JournalRefused(f"{folder} holds no session (there is no {database.FILE}); name a session's folder.")
    manifest: Manifest | None = None
    complaint: str | None = None
    try:
        manifest = Manifest.read(folder)
    except JournalDamaged as error:
        complaint = str(error)
    finished = manifest is not None and manifest.status == "finished"
    walk = _Walk(manifest.count if manifest else 0)
    try:
        with closing(database.open_reader(folder, finished=finished)) as connection:
            connection.text_factory = bytes  # a flipped byte may not be UTF-8 any more
            walk.through(connection)
            if walk.problem is None:
                walk.problem = _structure(connection)
    except (sqlite3.Error, OSError, UnicodeDecodeError) as error:  # the last: a flipped byte in a column's name
        walk.fail(f"The database is damaged after event {walk.count} (SQLite says: {error}).", walk.count + 1)
    problem = walk.problem or complaint or (_against(manifest, walk, path) if manifest else None)
    return Verification(
        ok=problem is None,
        status=manifest.status if manifest else "unknown",
        count=walk.count,
        head=walk.head,
        problem=problem,
        seq=walk.seq,
    )


class _Walk:
    """One pass over the rows, as far as they are good."""

    def __init__(self, watch: int) -> None:
        self.count = 0
        self.head = GENESIS
        self.watch = watch
        """The event whose hash the manifest names."""
        self.watched = GENESIS
        self.problem: str | None = None
        self.seq: int | None = None

    def fail(self, problem: str, seq: int) -> None:
        self.problem, self.seq = problem, seq

    def through(self, connection: sqlite3.Connection) -> None:
        for seq, body, digest in connection.execute("SELECT seq, body, hash FROM events ORDER BY seq"):
            expected = self.count + 1
            if seq != expected:
                self.fail(f"Event {expected} is missing: event {seq} follows event {self.count}.", expected)
                return
            if not isinstance(body, bytes) or hashlib.sha256(self.head.encode() + body).hexdigest().encode() != digest:
                self.fail(self._explain(connection, expected, body, digest), expected)
                return
            self.count, self.head = expected, digest.decode()
            if self.count == self.watch:
                self.watched = self.head

    def _explain(self, connection: sqlite3.Connection, seq: int, body: object, digest: object) -> str:
        """Why the row does not belong here."""
        previous = self.head.encode()
        for other, text, mark in connection.execute("SELECT seq, body, hash FROM events WHERE seq > ?", (seq,)):
            fits = hashlib.sha256(previous + text).hexdigest().encode() if isinstance(text, bytes) else b""
            if fits and fits in (mark, digest):
                return f"Events were reordered: what was written as event {seq} now stands as event {other}."
        try:
            kind = json.loads(body)["kind"] if isinstance(body, bytes) else "not text"
        except (ValueError, KeyError, TypeError):
            return f"Event {seq} was changed after it was written: it is not valid JSON any more."
        return f"Event {seq} ({kind}) or its hash was changed after it was written."


def _structure(connection: sqlite3.Connection) -> str | None:
    """What SQLite itself finds wrong with the file: pages, indexes, free list."""
    verdicts = [bytes(row[0]).decode(errors="replace") for row in connection.execute("PRAGMA integrity_check(1)")]
    return (
        None if verdicts == ["ok"] else f"The events are intact but the database around them is damaged: {verdicts[0]}."
    )


def _against(manifest: Manifest, walk: _Walk, path: Path) -> str | None:
    """How an intact chain disagrees with the manifest."""
    if walk.count < manifest.count:
        span = (
            f"Event {manifest.count} is"
            if walk.count + 1 == manifest.count
            else (f"Events {walk.count + 1} to {manifest.count} are")
        )
        return f"{span} missing at the end: the manifest counts {manifest.count}, the database holds {walk.count}."
    if walk.watched != manifest.head:
        return f"The chain was rewritten: event {manifest.count} has another hash than the manifest says."
    if manifest.status == "running":
        return None
    if walk.count > manifest.count:
        return (
            f"Events were added after the session had finished with {manifest.count}; the database holds {walk.count}."
        )
    if manifest.database_sha256 != file_sha256(path):
        return "Every event is intact but the database file was changed after the session had finished."
    return None
