"""The sha256 of a file, computed once per state of the file: a model of 5 GB takes seconds."""

from functools import lru_cache
from pathlib import Path

from ...tools.disk import file_sha256


def file_digest(path: Path) -> str:
    """sha256 (hex) of a file.

    Remembered within the process for as long as the file is the same one: same inode, size, time of change.

    Raises:
        OSError: it cannot be read.
    """
    found = path.stat()
    return _digest(path.resolve(), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


@lru_cache(maxsize=64)
def _digest(path: Path, *_state: int) -> str:
    return file_sha256(path)
