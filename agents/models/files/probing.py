"""Trying a model file in a child process: whatever it does there becomes one clause."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from ....tools.frozen import Frozen
from ....tools.user_cache import cache_root

MODULE = "paperdesk.agents.models.llama_cpp.probe"
SECONDS = 60.0
SLOWEST_DISK = 20e6
"""Bytes a second: a large file gets more time."""
SPARE_BYTES = 3 << 30
"""Addresses for Python, its libraries and the context."""
COPIES = 8
"""A quantised file is read, and written and read again in 16 bits: up to so many times its size in addresses."""


class Probe(Frozen):
    """What came of loading a file in a process of its own."""

    problem: str
    """A clause for a message; empty where the model works."""
    vocabulary: int = 0
    """Tokens."""
    memory_bytes: int = 0
    """Most resident memory, weights included."""


def probe_file(path: Path, *, module: str = MODULE, seconds: float | None = None) -> Probe:
    """Load a file with llama.cpp in a child process and evaluate a few tokens.

    The 16-bit copy that a small model gets is made in a folder that is removed again, so that a file which fails
    leaves nothing behind.

    Args:
        path: a GGUF whose header has been checked.
        module: what the child runs; it gets the file and a bound on its memory.
        seconds: how long it may take; by default 60 and what a slow disk needs.
    """
    size = path.stat().st_size
    most = seconds if seconds is not None else SECONDS + size / SLOWEST_DISK
    with tempfile.TemporaryDirectory(prefix="probe-", dir=_scratch()) as folder:
        environment = {
            **os.environ,
            # the child finds the package where we have found it, and never in the folder that we happen to stand in
            "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
            "XDG_CACHE_HOME": folder,
            "GGML_NO_BACKTRACE": "1",
        }
        words = [sys.executable, "-P", "-m", module, str(path.absolute()), str(SPARE_BYTES + COPIES * size)]
        try:
            done = subprocess.run(
                words, stdin=subprocess.DEVNULL, capture_output=True, env=environment, timeout=most, check=False
            )
        except subprocess.TimeoutExpired:
            return Probe(problem=f"llama.cpp did not finish loading it within {most:.0f} seconds")
    if done.returncode:
        return Probe(problem=_end_of(done.returncode))
    try:
        return Probe.model_validate_json(done.stdout)
    except ValueError:
        return Probe(problem="loading it gave no clear result")


def _end_of(code: int) -> str:
    if code > 0:
        return f"loading it failed with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"llama.cpp crashes on it ({name})"


def _scratch() -> Path | None:
    """A folder on the disk where models are kept anyway; the system's own where that cannot be had."""
    try:
        folder = cache_root()
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None
