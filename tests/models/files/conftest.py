import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .hub import LoopbackHub
from .tiny_llama import tiny_llama


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without trusted or pulled models; processes that a test starts are this user too."""
    folder = tmp_path / "home"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))
    for name in ("HF_TOKEN", "HF_ENDPOINT", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return folder


@pytest.fixture(scope="session")
def content() -> bytes:
    """A small and sound model."""
    return tiny_llama()


@pytest.fixture
def tiny(tmp_path: Path, content: bytes) -> Path:
    file = tmp_path / "tiny.gguf"
    file.write_bytes(content)
    return file


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    """A hub that serves what a test puts on it; nothing goes beyond the loopback interface."""
    server = LoopbackHub()
    yield server
    server.close()


@pytest.fixture
def paperdesk() -> Callable[..., tuple[int, str, str]]:
    """The command line in a process of its own: exit code, standard output, standard error."""

    def run(*words: object) -> tuple[int, str, str]:
        command = [sys.executable, "-c", "from paperdesk.cli import main; main()", *map(str, words)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        return done.returncode, done.stdout, done.stderr

    return run
