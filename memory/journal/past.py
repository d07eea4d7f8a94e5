"""What a journal begins with: nothing, or, in a fork, the past that it shares with another one."""

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from . import database
from .errors import JournalRefused
from .manifest import FILE as MANIFEST_FILE
from .manifest import Branch, Manifest


@dataclass(frozen=True)
class Past:
    """The first events of another journal."""

    count: int
    head: str
    """Hash of the last of them."""
    branches: tuple[Branch, ...]
    """Where the new journal leaves the other one, after where that had left its own parent."""
    rows: Callable[[], Iterable[database.Row]]
    """The events as they are stored."""


def lay_out(folder: Path, manifest: Manifest, past: Past | None) -> sqlite3.Connection:
    """Both files of a new journal, or none.

    Raises:
        JournalRefused: the folder cannot be written.
    """
    try:
        manifest.write(folder)
        database.create(folder, past.rows() if past else ())
        return database.open_writer(folder)
    except (OSError, sqlite3.Error) as error:
        for name in (database.FILE, MANIFEST_FILE):
            (folder / name).unlink(missing_ok=True)
            (folder / f"{name}.new").unlink(missing_ok=True)
        raise JournalRefused(f"No journal can be made in {folder} ({error}); give another folder.") from None
