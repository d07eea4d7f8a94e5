"""Whose turn it is: on one machine, only as many models think at once as its cores can carry.

Two llama.cpp processes with two threads each on two cores starve each other: their threads wait for one another, and
both take many times as long. So each request waits for one of `cores / threads` places, shared by all processes of the
user. A place is a lock on a file: the system gives it back when its process ends, however it ends.
"""

import fcntl
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


def places(threads: int, cores: int) -> int:
    """How many models with so many threads fit on so many cores; at least one."""
    return max(1, cores // threads)


@dataclass
class _Held:
    """The place of this process."""

    users: int = 0
    handles: list[int] = field(default_factory=list)


_held: dict[Path, _Held] = {}
_guard = threading.Lock()


@contextmanager
def turn(threads: int, folder: Path | None = None) -> Iterator[None]:
    """Wait for a place, and hold it. A process holds one at most: who asks again within it has it already.

    A machine where no place can be had (no writable temporary folder) goes without: the places save time, nothing
    depends on them.

    Args:
        threads: of the model.
        folder: where the files of the places lie; one per user under the system's temporary folder by default.
    """
    folder = folder or Path(tempfile.gettempdir()) / f"paperdesk-{os.getuid()}"
    with _guard:
        held = _held.setdefault(folder, _Held())
        if not held.users:
            held.handles = _taken(_open(folder, threads))
        held.users += 1
    try:
        yield
    finally:
        with _guard:
            held.users -= 1
            if not held.users:
                _close(held.handles)  # which gives the place back


def _taken(handles: list[int]) -> list[int]:
    """The handles, one of them locked."""
    try:
        if handles and not any(map(_is_free, handles)):
            # in the system's queue of one place: who looks now and then would never see it free between two requests
            fcntl.flock(handles[os.getpid() % len(handles)], fcntl.LOCK_EX)
    except BaseException:
        _close(handles)
        raise
    return handles


def _close(handles: list[int]) -> None:
    while handles:
        os.close(handles.pop())


def _leave_to_parent() -> None:
    """A forked child has no place."""
    global _guard
    _guard = threading.Lock()
    for held in _held.values():
        _close(held.handles)
    _held.clear()


os.register_at_fork(after_in_child=_leave_to_parent)


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
        _close(handles)
    return handles


def _is_free(handle: int) -> bool:
    """Whether a place was free; it is ours then."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
