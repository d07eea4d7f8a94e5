"""One writer per session folder."""

import fcntl
import os
from pathlib import Path

from .errors import JournalRefused

FILE = "journal.lock"


class WriterLock:
    """An advisory lock on the folder that the kernel drops when its process dies, however it dies.

    It is a file of its own: closing any handle on the database itself would silently drop SQLite's own locks.
    """

    def __init__(self, folder: Path) -> None:
        """Take the lock.

        Raises:
            JournalRefused: another process writes to this session.
        """
        self._path = folder / FILE
        self._handle: int | None = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._handle)
            raise JournalRefused(
                f"Another process is writing to the session in {folder}; wait for it to end or stop it."
            ) from None

    def release(self, *, remove: bool = False) -> None:
        """Give the lock back; harmless to repeat.

        Args:
            remove: delete the lock's file too, in a folder that is about to be removed.
        """
        if self._handle is not None:
            if remove:
                self._path.unlink()
            os.close(self._handle)
            self._handle = None
