"""The command that brings the market folder up to date: run to its end, and no longer than to its limit."""

import os
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress

LIMIT_SECONDS = 30 * 60.0
"""A command that takes longer hangs, and a desk that waits for it would miss the next open."""
ALIVE_SECONDS = 20.0
"""Between two signs of life while it runs."""
GRACE_SECONDS = 5.0
"""From the request to end until it is made to."""


def refreshed(command: str, alive: Callable[[], None], seconds: float = LIMIT_SECONDS) -> str:
    """Run a command; one that takes too long is ended, with everything that it has started.

    Args:
        command: as for a shell, but without its operators.
        alive: called now and then while it runs.
        seconds: the limit.

    Returns:
        What went wrong, for a person; empty where nothing did.
    """
    with tempfile.TemporaryFile() as said:
        try:
            process = subprocess.Popen(
                shlex.split(command), stdout=subprocess.DEVNULL, stderr=said, start_new_session=True
            )
        except (OSError, ValueError) as error:
            return f"the command that refreshes the data cannot be run ({error})"
        try:
            ended = _waited(process, alive, seconds)
        finally:
            _end(process)
        said.seek(0)
        last = (said.read().decode(errors="replace").strip().splitlines() or ["no message"])[-1]
    if not ended:
        return f"the command that refreshes the data was stopped after {seconds / 60:g} minutes ({last})"
    if process.returncode:
        return f"the command that refreshes the data ended with {process.returncode} ({last})"
    return ""


def _waited(process: subprocess.Popen[bytes], alive: Callable[[], None], seconds: float) -> bool:
    """Whether it has ended by itself within the limit."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        alive()
        with suppress(subprocess.TimeoutExpired):
            process.wait(min(left, ALIVE_SECONDS))
            return True
    return process.poll() is not None


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    with suppress(ProcessLookupError, subprocess.TimeoutExpired):
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(GRACE_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
