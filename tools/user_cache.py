"""What PaperDesk keeps in the user's cache folder: only what it can make again, so losing it costs time alone.

An entry is one file of arrays behind their sha256. It is written in one step, so that another process, or one that was
killed, never leaves or sees half of it; a damaged one is removed and made again.
"""

import contextlib
import hashlib
import io
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]

_ENDING = ".npz256"
_DIGEST_BYTES = 32
_ABANDONED_S = 3600
"""A draft that is so much older than the newest entry was left by a process that was killed."""


def cache_root() -> Path:
    """`$XDG_CACHE_HOME/paperdesk`, else `~/.cache/paperdesk`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "paperdesk"


def cache_is_on() -> bool:
    """Whether entries are read and written: unless the environment says `PAPERDESK_CACHE=off`, or there is no home."""
    if os.environ.get("PAPERDESK_CACHE", "").lower() == "off":
        return False
    try:
        cache_root()
    except RuntimeError:  # no $HOME, and a user whom the password file does not know
        return False
    return True


def load_arrays(kind: str, key: str) -> dict[str, NDArray[Any]] | None:
    """An entry, marked as used just now; None if there is none, it is damaged, or the cache is off.

    Args:
        kind: the folder of such entries, e.g. `markets`.
        key: names the entry; a function of all that its content depends on.
    """
    if not cache_is_on():
        return None
    path = _path(kind, key)
    try:
        content = path.read_bytes()
    except OSError:
        return None
    payload = memoryview(content)[_DIGEST_BYTES:]
    if hashlib.sha256(payload).digest() != content[:_DIGEST_BYTES]:
        with contextlib.suppress(OSError):
            path.unlink()
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
    with np.load(io.BytesIO(payload), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def store_arrays(kind: str, key: str, arrays: Arrays, keep: int) -> None:
    """Write an entry. A cache that is off or cannot be written is left alone, since nothing depends on it.

    Args:
        kind: as for `load_arrays`.
        key: as for `load_arrays`.
        arrays: the content, of plain dtypes.
        keep: how many entries of this kind stay, the ones used last.
    """
    if not cache_is_on():
        return
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    path, payload = _path(kind, key), buffer.getbuffer()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".part", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(payload).digest())
                file.write(payload)
            os.replace(name, path)
        finally:
            Path(name).unlink(missing_ok=True)
        _prune(path.parent, keep)


def _path(kind: str, key: str) -> Path:
    return cache_root() / kind / f"{key}{_ENDING}"


def _prune(folder: Path, keep: int) -> None:
    entries = sorted(folder.glob(f"*{_ENDING}"), key=_last_used, reverse=True)
    newest = _last_used(entries[0]) if entries else 0.0
    drafts = [path for path in folder.glob("*.part") if _last_used(path) < newest - _ABANDONED_S]
    for path in [*entries[keep:], *drafts]:
        path.unlink(missing_ok=True)


def _last_used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # another process has just removed it
        return 0.0
