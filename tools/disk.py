"""Files on the disk: there whole or not at all, flushed, hashed."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

from .errors import InputError

Content = str | bytes | Callable[[IO[bytes]], object]
"""What stands in a file, text as UTF-8; or what writes it."""


def write_whole(path: Path, content: Content) -> None:
    """Replace a file in one step; content and name are on the disk when this returns.

    The draft is `FILE.part` beside it, so that a process that is killed leaves one at most: rivals take a lock first.

    Args:
        path: of the file, in a folder that is there.
        content: of the file.

    Raises:
        OSError: the disk refuses; a file of before is still there.
    """
    draft = path.with_name(path.name + ".part")
    try:
        with draft.open("wb") as file:
            if callable(content):
                content(file)
            else:
                file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    flush(path.parent)


def save(path: Path, content: Content) -> None:
    """`write_whole` to a place that a user has named; its folder is made.

    Raises:
        InputError: the file cannot be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}); choose another place") from None


def flush(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk.

    Raises:
        OSError: the disk refuses.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def file_sha256(path: Path) -> str:
    """sha256 (hex) of a file.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
