"""Passages kept on disk: a chroma collection per content, owned by one process at a time, verified before it is read.

A folder `<user cache>/paperdesk/passages/<key>` holds chroma's files and, written last, `complete.json`: the sha256 of
chroma's binary files and of each company's passages. What does not match is thrown away and built again, so a process
that is killed at any moment leaves nothing that could change a result.
"""

import hashlib
import importlib.metadata
import logging
import os
import threading
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import PaperDeskError
from ...frozen import content_hash
from ..records import Document
from . import index_folder
from .embedding import VERSION
from .passages import Piece
from .table import Row, Table

FORMAT = 1
"""Of the folder; part of its key."""
MAKERS = ("duplicates", "embedding", "excerpts", "passages", "table")
"""The modules that make what is stored."""
_COLLECTION = "passages"
_ROWS_PER_CALL = 5000
"""Per insert and per read; chroma takes at most 5461, and hands vectors back as Python floats."""
# ranking is exact, so chroma's graph is as small as it may be; every insert is written through, nothing waits in a log
_CONFIGURATION = {"hnsw": {"max_neighbors": 2, "ef_construction": 2, "batch_size": 2, "sync_threshold": 2}}

_log = logging.getLogger(__name__)

Tables = Mapping[str, Table]


class StoreError(PaperDeskError):
    """The passages cannot be kept on disk; a search works in memory all the same."""


class StoreBusyError(StoreError):
    """Another process has this index open."""


class _DamagedError(Exception):
    """What was read is not what was written."""


def store_key(documents: Sequence[Document]) -> str:
    """The name of an index: sha256 (hex) over the documents and everything that decides what is stored of them.

    The source of the modules that cut and measure passages counts, so that no version has to be kept by hand.
    """
    versions = [FORMAT, VERSION, *(importlib.metadata.version(name) for name in ("chromadb", "wordllama"))]
    digest = hashlib.sha256(content_hash([versions, _code()]).encode())
    for row in documents:
        fields = [row.id, row.ticker, row.published_at.isoformat(), row.source, row.headline, row.body]
        digest.update(content_hash(fields).encode())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def _code() -> str:
    """sha256 (hex) of the source of `MAKERS`."""
    digest = hashlib.sha256()
    for name in MAKERS:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()


class PassageStore:
    """The passages of one content on disk, open in this process and locked against all others.

    Args:
        folder: of this content, named by `store_key`; made where it is missing.
        build: makes all tables, by ticker; called when nothing valid is on disk.

    Raises:
        StoreBusyError: another process, or another store of this one, has it open.
        StoreError: the folder cannot be written or read.
    """

    def __init__(self, folder: Path, build: Callable[[], Tables]) -> None:
        self.folder = folder
        """Holds chroma's files and `complete.json`."""
        self._build = build
        self._guard = threading.Lock()
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            held = index_folder.lock(folder)
        except OSError as error:
            raise StoreError(
                f"{folder.parent} cannot hold passages ({error.strerror}); set XDG_CACHE_HOME to a folder that can"
            ) from error
        if held is None:
            raise StoreBusyError(f"another process has the passages in {folder} open; let it end first")
        self._held = _Held(held)
        self._release = weakref.finalize(self, self._held.let_go)
        try:
            self._open()
        except StoreError:
            self.close()
            raise

    def load(self, tickers: Sequence[str]) -> dict[str, Table]:
        """The passages of these companies, each verified; a damaged index is built again first.

        A company without passages is left out.

        Raises:
            StoreError: the store was closed, belongs to the process that forked this one, or cannot be repaired.
        """
        with self._guard:
            if not self._release.alive or not self._held.here:
                raise StoreError(f"the passages in {self.folder} are not open in this process; open the market again")
            try:
                return self._read(tickers)
            except _DamagedError as damage:
                _log.warning("the passages in %s were damaged (%s) and are built again", self.folder, damage)
            self._rebuild()
            try:
                return self._read(tickers)
            except _DamagedError as damage:
                raise StoreError(
                    f"the passages in {self.folder} do not read as they were written ({damage}); check the disk"
                ) from damage

    def rebuild(self) -> None:
        """Throw away what is on disk and build it anew.

        Raises:
            StoreError: the folder cannot be written.
        """
        with self._guard:
            self._rebuild()

    def close(self) -> None:
        """Let another process have it; nothing can be loaded from then on."""
        self._release()

    def _open(self) -> None:
        whole = index_folder.opened(self.folder)
        if whole is not None:
            self._contents, self._tables = whole
            index_folder.touch(self.folder)
            return
        self._rebuild()
        index_folder.evict(self.folder)

    def _rebuild(self) -> None:
        self._held.close_client()
        tables = self._build()
        try:
            self._contents = index_folder.fresh(self.folder)
            self._tables = _write(self._contents, tables)
            index_folder.complete(self.folder, self._contents, self._tables)
        except _failures() as error:
            raise StoreError(
                f"passages cannot be written to {self.folder} ({error}); make room or set XDG_CACHE_HOME"
            ) from error

    def _read(self, tickers: Sequence[str]) -> dict[str, Table]:
        found: dict[str, Table] = {}
        wanted = [ticker for ticker in tickers if ticker in self._tables]
        for some in _portions(wanted, {ticker: self._tables[ticker][0] for ticker in wanted}):
            found |= self._query(some)
        for ticker in wanted:
            if ticker not in found or found[ticker].digest() != self._tables[ticker][1]:
                raise _DamagedError(f"the passages of {ticker} have changed")
        return found

    def _query(self, tickers: Sequence[str]) -> dict[str, Table]:
        try:
            if self._held.client is None:
                self._held.client = _client(self._contents)
            collection = self._held.client.get_collection(_COLLECTION, embedding_function=None)
            got = collection.get(where={"ticker": {"$in": list(tickers)}}, include=["embeddings", "metadatas"])
        except _failures() as error:
            raise _DamagedError(str(error)) from error
        positions: defaultdict[str, list[int]] = defaultdict(list)
        for i, at in enumerate(got["metadatas"]):
            positions[at["ticker"]].append(i)
        vectors = np.asarray(got["embeddings"], dtype=np.float32)
        return {
            ticker: Table.of([_row(got["ids"][i], got["metadatas"][i]) for i in chosen], vectors[chosen])
            for ticker, chosen in positions.items()
        }


def _row(id: str, at: Mapping[str, Any]) -> Row:
    return Row(id, at["document"], at["published"], Piece(at["start"], at["end"]), at["units"])


def _client(folder: Path) -> Any:
    # imported here because it takes a second and only searches need it
    import chromadb
    from chromadb.config import Settings

    # without the setting it phones home
    return chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))


class _Held:
    """What an open store must give back: its lock and, once something was read, chroma's client."""

    def __init__(self, lock: int) -> None:
        self.lock = lock
        self.client: Any = None
        self._process = os.getpid()

    @property
    def here(self) -> bool:
        """Whether this is the process that opened it, and no fork, in which chroma's threads are missing."""
        return os.getpid() == self._process

    def close_client(self) -> None:
        if self.client is not None and self.here:
            self.client.close()
        self.client = None

    def let_go(self) -> None:
        self.close_client()
        # a fork's copy of the descriptor frees nothing: the kernel waits for the last one
        os.close(self.lock)


def _failures() -> tuple[type[Exception], ...]:
    from chromadb.errors import ChromaError

    # a ValueError or KeyError where what is stored does not have the form that was written
    return (OSError, ChromaError, ValueError, KeyError)


def _write(folder: Path, tables: Tables) -> dict[str, list[Any]]:
    """Fill an empty folder with chroma's files; for each ticker the number of its passages and their digest."""
    client = _client(folder)
    try:
        collection = client.create_collection(_COLLECTION, embedding_function=None, configuration=_CONFIGURATION)
        rows = [(ticker, row) for ticker, table in tables.items() for row in table.rows]
        vectors = [table.vectors for table in tables.values()]
        joined = np.concatenate(vectors) if vectors else np.empty((0, 0), dtype=np.float32)
        for first, last in _batches(len(rows)):
            collection.add(
                ids=[row.id for _, row in rows[first:last]],
                embeddings=joined[first:last],
                metadatas=[
                    {
                        "ticker": ticker,
                        "published": row.published,
                        "document": row.document,
                        "start": row.piece.start,
                        "end": row.piece.end,
                        "units": row.units,
                    }
                    for ticker, row in rows[first:last]
                ],
            )
    finally:
        client.close()
    return {ticker: [len(table.rows), table.digest()] for ticker, table in tables.items() if table.rows}


def _batches(rows: int) -> Iterator[tuple[int, int]]:
    """Equal portions of at most `_ROWS_PER_CALL` rows (a last one of a single row would wait in chroma's log)."""
    count = -(-rows // _ROWS_PER_CALL)
    borders = [rows * i // count for i in range(count + 1)] if count else []
    return pairwise(borders)


def _portions(tickers: Sequence[str], rows: Mapping[str, int]) -> Iterator[list[str]]:
    """The tickers in runs of about `_ROWS_PER_CALL` rows."""
    run: list[str] = []
    for ticker in tickers:
        if run and sum(rows[name] for name in run) + rows[ticker] > _ROWS_PER_CALL:
            yield run
            run = []
        run.append(ticker)
    if run:
        yield run
