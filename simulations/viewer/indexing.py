"""Indexes of long sessions are made in processes of their own.

A thread would hold up every page that is asked for meanwhile: each row that a page reads would wait for its turn.

`python -m paperdesk.simulations.viewer.indexing FOLDER` makes one.
"""

import os
import subprocess
import sys
import threading
import weakref
from pathlib import Path

from ..reading import Session

AT_ONCE = 20_000
"""Events that are indexed while a page waits for them; more are indexed in the background."""


class Indexing:
    """What is being indexed for the pages of one application; it ends with the application."""

    def __init__(self) -> None:
        self._running: dict[Path, subprocess.Popen[bytes]] = {}
        self._guard = threading.Lock()

    def is_ready(self, session: Session) -> bool:
        """Whether filters and search answer at once; if not, the index is being made."""
        folder, missing = session.folder.absolute(), session.unindexed()
        with self._guard:
            running = self._running.get(folder)
            if missing > AT_ONCE and running is None:
                self._running[folder] = self._start(folder)
                return False
            if running is not None and running.poll() is None:
                return missing <= AT_ONCE
            # it has ended: whatever is missing by now, or cannot be written there, whoever asks waits for
            self._running.pop(folder, None)
            return True

    def progress(self, session: Session) -> tuple[int, int] | None:
        """Events indexed and events in all, where that is going on."""
        if session.folder.absolute() not in self._running:
            return None
        return session.count - session.unindexed(), session.count

    def _start(self, folder: Path) -> subprocess.Popen[bytes]:
        nowhere = subprocess.DEVNULL
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(folder)],
            stdin=nowhere,
            stdout=nowhere,
            stderr=nowhere,
            start_new_session=True,  # a Ctrl-C is not meant for it; it ends with this object
        )
        weakref.finalize(self, _end, process)
        return process


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    process.wait()


if __name__ == "__main__":
    os.nice(5)  # pages come first
    with Session.open(Path(sys.argv[1])) as _session, _session.index():
        pass
