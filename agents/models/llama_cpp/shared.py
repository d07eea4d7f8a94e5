"""One engine per (files, settings) and process, however many minds use it."""

import hashlib
import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from .engine import Engine, silence
from .gguf import Header, read_header
from .prefixes import Prefixes
from .vocabulary import Vocabulary
from .weights import Weights, choose, expanded

Key = tuple[Path, int, int, Path | None]


@dataclass
class Loaded:
    """An engine in use."""

    engine: Engine
    header: Header
    digest: str
    """sha256 of the file."""
    weights: Weights
    weights_digest: str
    """sha256 of what was loaded: of the 16-bit copy, or of the file itself."""
    adapter_digest: str
    """sha256 of the adapter; empty without one."""
    key: Key
    users: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)
    """One request at a time: a context has one memory."""

    @cached_property
    def prefixes(self) -> Prefixes:
        """The beginnings of prompts that stay in memory; none on a GPU."""
        return Prefixes(self.engine, enabled=not self.engine.settings["gpu_layers"])

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Built when the first object is written."""
        return Vocabulary(self.engine)


_loaded: dict[Key, Loaded] = {}
_guard = threading.Lock()


def acquire(path: Path, threads: int, n_ctx: int, adapter: Path | None) -> Loaded:
    """The engine for these files and settings, loaded if it is not.

    Raises:
        ModelInputError: a file is missing, damaged or not for this build; told before llama.cpp sees it.
    """
    key = (path.resolve(), threads, n_ctx, adapter.resolve() if adapter else None)
    with _guard:
        if key not in _loaded:
            header = read_header(path)
            if adapter is not None:
                read_header(adapter)
            silence()
            digest, weights = file_digest(path), choose(path, header)
            source = expanded(path, digest) if weights == "f16" else path
            engine = Engine(source, threads, n_ctx, adapter)
            _loaded[key] = Loaded(
                engine,
                header,
                digest,
                weights,
                file_digest(source) if weights == "f16" else digest,
                file_digest(adapter) if adapter else "",
                key,
            )
        _loaded[key].users += 1
        return _loaded[key]


def release(loaded: Loaded) -> None:
    """One user less; the last one closes the engine."""
    with loaded.lock, _guard:  # in this order: who holds an engine may open another
        loaded.users -= 1
        if loaded.users == 0:
            del _loaded[loaded.key]
            loaded.engine.close()


def file_digest(path: Path) -> str:
    """sha256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
