"""One engine per (files, settings) and process, however many minds use it."""

import atexit
import os
import threading
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ..adapters import Adapters, adapter_digest
from ..digest import file_digest
from .engine import Engine, silence
from .gguf import Header, read_header
from .slots import Slots
from .stems import Stems
from .vocabulary import Vocabulary
from .weights import Weights, choose, expanded

Key = tuple[Path, int, int, tuple[tuple[str, Path], ...]]
"""File, threads, context, adapters by role."""


@dataclass
class Loaded:
    """An engine in use."""

    engine: Engine
    header: Header
    digest: str
    """sha256 of the file."""
    weights: Weights
    weights_digest: str
    """sha256 of what was loaded: of the copy in floats, or of the file itself."""
    adapter_digests: dict[str, str]
    """sha256 of the adapters, by role."""
    key: Key
    biases: dict[tuple[object, ...], dict[str, float]] = field(default_factory=dict)
    """Distributions after content-free questions, by tokens and options: a role asks the same one every time. With an
    adapter none is asked."""
    foreign: bool = False
    """Whether another process loaded it: after a fork its threads are gone, and it would wait for them for ever."""
    users: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)
    """One request at a time: a context has one memory."""

    @property
    def adapters(self) -> Adapters:
        """By role."""
        return dict(self.key[3])

    @cached_property
    def slots(self) -> Slots:
        """The engine's memory, divided."""
        return Slots(self.engine)

    @cached_property
    def stems(self) -> Stems:
        """The beginnings of prompts in it."""
        return Stems(self.engine, self.slots)

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Built when the first object is written."""
        return Vocabulary(self.engine)


_loaded: dict[Key, Loaded] = {}
_guard = threading.Lock()


def acquire(path: Path, threads: int, n_ctx: int, adapters: Adapters) -> Loaded:
    """The engine for these files and settings, loaded if it is not.

    Raises:
        ModelInputError: a file is missing, damaged or not for this build; told before llama.cpp sees it.
    """
    worn = {role: adapter.resolve() for role, adapter in sorted(adapters.items())}
    key = (path.resolve(), threads, n_ctx, tuple(worn.items()))
    with _guard:
        if key not in _loaded:
            header = read_header(path)
            for adapter in worn.values():
                read_header(adapter)
            digests = {role: adapter_digest(adapter, path) for role, adapter in worn.items()}
            silence()
            digest, weights = file_digest(path), choose(path, header)
            source = path if weights == "as_stored" else expanded(path, digest, weights)
            engine = Engine(source, threads, n_ctx, dict.fromkeys(worn.values()))
            _loaded[key] = Loaded(
                engine,
                header,
                digest,
                weights,
                digest if weights == "as_stored" else file_digest(source),
                digests,
                key,
            )
        _loaded[key].users += 1
        return _loaded[key]


def release(loaded: Loaded) -> None:
    """One user less; the last one closes the engine."""
    if loaded.foreign:
        return
    with loaded.lock, _guard:  # in this order: who holds an engine may open another
        loaded.users -= 1
        if loaded.users == 0:
            _loaded.pop(loaded.key, None)
            loaded.engine.close()


def _close_all() -> None:
    """Give everything back in order when the process ends, also where a user forgot to."""
    for loaded in list(_loaded.values()):
        if loaded.lock.acquire(timeout=1.0):  # a thread that is still thinking keeps its engine
            loaded.engine.close()
            loaded.lock.release()
    _loaded.clear()


def _leave_to_parent() -> None:
    """A forked child starts without engines."""
    global _guard
    _guard = threading.Lock()
    for loaded in _loaded.values():
        loaded.foreign = True
    _loaded.clear()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_leave_to_parent)
