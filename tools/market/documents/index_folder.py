"""The folder of one passage index: its lock, its marker of completeness, and how many such folders are kept.

The lock is the kernel's (`flock` on `<key>.lock` beside the folder): it ends with the process that holds it, however
that ends. The marker `complete.json` is written last and in one step, and goes first when a folder is thrown away.
"""

import fcntl
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ...disk import file_sha256, write_whole
from ...user_cache import cache_is_on, cache_root

_log = logging.getLogger(__name__)

KEPT = 8
"""Indexes that stay on disk, the last used ones; each takes about 2 kB per passage."""
MARKER = "complete.json"
_DATABASE = "chroma.sqlite3"
"""Chroma writes to it whenever it opens it, so its hash says nothing; what is read from it is verified instead."""


def passages_folder() -> Path | None:
    """Where indexes are kept: `passages` in the user's cache; None where that is off, which keeps all in memory."""
    return cache_root() / "passages" if cache_is_on() else None


def lock(folder: Path) -> int | None:
    """The descriptor of a lock on a folder that need not exist; None where somebody has it. Close it to let go.

    It does not wait.

    Raises:
        OSError: the file system cannot be written, or has no locks.
    """
    path = _lock_file(folder)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # between the two calls the one who had it may have removed the file: its lock would guard nothing
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)


class Whole(NamedTuple):
    """What a complete folder holds."""

    contents: Path
    """The folder of chroma's files inside it."""
    tables: dict[str, Any]
    """What was said of the tables."""


def fresh(folder: Path) -> Path:
    """Discard what a folder holds; an empty one inside it, for chroma's files, of a name never used before.

    Chroma remembers a path at which it failed for as long as the process lives, so no path is used twice.
    """
    discard(folder)
    folder.mkdir()
    return Path(tempfile.mkdtemp(prefix="chroma-", dir=folder))


def complete(folder: Path, contents: Path, tables: Mapping[str, Any]) -> None:
    """Mark a folder as whole: the hashes of chroma's binary files as they are, and what is said of its tables."""
    write_whole(folder / MARKER, json.dumps({"contents": contents.name, "files": _hashes(contents), "tables": tables}))


def opened(folder: Path) -> Whole | None:
    """What `complete` was told, if the folder is whole and its binary files are as they were; else None.

    They are compared before chroma opens them, for it does not survive all damage: a short header ends the process.
    """
    try:
        marker = json.loads((folder / MARKER).read_bytes())
        contents = folder / Path(marker["contents"]).name
        if _hashes(contents) == marker["files"]:
            return Whole(contents, dict(marker["tables"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return None


def touch(folder: Path) -> None:
    """Remember that a whole folder is in use."""
    os.utime(folder / MARKER)


def discard(folder: Path) -> None:
    """Remove a folder, or what is left of one; the caller holds its lock."""
    (folder / MARKER).unlink(missing_ok=True)
    if folder.exists():
        shutil.rmtree(folder)


def evict(current: Path) -> None:
    """Remove all but the last used `KEPT` indexes beside `current`, never one that somebody has open."""
    others = [path for path in current.parent.iterdir() if path.is_dir() and path != current]
    for folder in sorted(others, key=_used, reverse=True)[KEPT - 1 :]:
        try:
            _remove(folder)
        except OSError as error:
            _log.warning("old passages in %s cannot be removed (%s); remove the folder by hand", folder, error.strerror)


def _remove(folder: Path) -> None:
    held = lock(folder)
    if held is None:
        return
    try:
        discard(folder)
        _lock_file(folder).unlink(missing_ok=True)
    finally:
        os.close(held)


def _lock_file(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _used(folder: Path) -> float:
    try:
        return (folder / MARKER).stat().st_mtime
    except OSError:  # not finished, or another process has just removed it
        return 0.0


def _hashes(contents: Path) -> dict[str, str]:
    files = (path for path in contents.rglob("*") if path.is_file() and not path.name.startswith(_DATABASE))
    return {str(path.relative_to(contents)): file_sha256(path) for path in sorted(files)}
