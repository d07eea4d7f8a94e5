"""Whose turn it is: on one machine, only as many models think at once as its cores can carry.

Two llama.cpp processes with two threads each on two cores starve each other: their threads wait for one another, and
both take many times as long. So each request waits for one of `cores / threads` places, shared by all processes of the
user. A place is a lock on a file: the system gives it back when its process ends, however it ends.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import sleep

PAUSE_SECONDS = 0.005
"""Between two looks at all places; a request takes tenths of a second at least."""


def places(threads: int, cores: int) -> int:
    """How many models with so many threads fit on so many cores; at least one."""
    return max(1, cores // threads)


@contextmanager
def turn(threads: int, folder: Path | None = None) -> Iterator[None]:
    """Wait for a place, and hold it.

    A machine where no place can be had (no writable temporary folder) goes without: the places save time, nothing
    depends on them.

    Args:
        threads: of the model.
        folder: where the files of the places lie; one per user under the system's temporary folder by default.
    """
    handles = _open(folder or Path(tempfile.gettempdir()) / f"paperdesk-{os.getuid()}", threads)
    try:
        while handles and not any(_taken(handle) for handle in handles):
            sleep(PAUSE_SECONDS)
        yield
    finally:
        for handle in handles:
            os.close(handle)  # which gives the lock back


def _open(folder: Path, threads: int) -> list[int]:
    cores = len(os.sched_getaffinity(0))
    handles: list[int] = []
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.lstat().st_uid != os.getuid():
            return []  # someone else's, in a folder that everyone may write to
        for i in range(places(threads, cores)):
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            handles.append(os.open(folder / f"turn-{i}", flags, 0o600))
    except OSError:
        for handle in handles:
            os.close(handle)
        return []
    return handles


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
