"""The passages of a market, searched exactly: kept on disk by chroma where that is possible, else in memory.

Passages come into memory company by company, once, through chroma's `where` on the ticker; the times are compared on
integer arrays. What these two filters leave is ranked by exact cosine similarity. Chroma's own ranking is not used: its
graph is built from all passages, later ones included, so the future could change which past passage is missed.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..records import Document
from .embedding import embed, similarities
from .passages import Piece
from .store import PassageStore, StoreBusyError, StoreError
from .table import Row, Table, table_of

_SCORES_KEPT = 2048
"""Companies times queries, 8 bytes a passage each; the oldest is forgotten first."""

_log = logging.getLogger(__name__)

Key = TypeVar("Key")
Kept = TypeVar("Kept")


class Hit(NamedTuple):
    """A passage that was found."""

    row: Row
    score: float
    """Cosine similarity to the query."""

    @property
    def document(self) -> str:
        """Id of the document that it stands in."""
        return self.row.document

    @property
    def piece(self) -> Piece:
        """Where it stands."""
        return self.row.piece


class PassageIndex:
    """The passages of documents, by company.

    Args:
        documents: ordered by published_at.
        folder: where to keep the passages on disk (`index_folder`); None keeps them in memory. The results are the same
            to the bit.
    """

    def __init__(self, documents: Sequence[Document], folder: Path | None = None) -> None:
        self.documents = {document.id: document for document in documents}
        """All of them by id, near-repeats included."""
        self._documents: dict[str, list[Document]] = {}
        for document in documents:
            self._documents.setdefault(document.ticker, []).append(document)
        self._tables: dict[str, Table] = {}
        self._scores: dict[tuple[str, str], NDArray[np.float64]] = {}
        """By company and query: the similarity of all its passages, later ones included. Each is a number of its own
        passage and of the query alone, and is looked at only once the passage is known."""
        self._guard = threading.Lock()
        self.store: PassageStore | None = None
        """What keeps the passages on disk; None in memory."""
        self.why_memory = "" if folder else "nothing is to be kept on disk"
        """Why the index is in memory, where it is."""
        if folder is not None:
            self._open(folder)

    @property
    def size(self) -> int:
        """Passages held; reads all of them."""
        return sum(len(table.rows) for table in self.tables(list(self._documents)))

    def tables(self, tickers: Sequence[str]) -> list[Table]:
        """The passages of each company; an empty table for one without documents."""
        with self._guard:
            missing = [ticker for ticker in dict.fromkeys(tickers) if ticker not in self._tables]
            if missing:
                found = self._stored(missing)
                for ticker in missing:
                    self._tables[ticker] = (
                        found[ticker] if ticker in found else table_of(self._documents.get(ticker, ()))
                    )
            return [self._tables[ticker] for ticker in tickers]

    def nearest(self, ticker: str, query: str, k: int, since: int, until: int) -> list[Hit]:
        """The best `k` passages about `ticker` published from `since` to `until` (epoch seconds, both included)."""
        return self.nearest_many([ticker], query, k, since, until)[0]

    def nearest_many(self, tickers: Sequence[str], query: str, k: int, since: int, until: int) -> list[list[Hit]]:
        """`nearest` of each company, best first; ties in the order of passage ids."""
        found = []
        for ticker, table in zip(tickers, self.tables(tickers), strict=True):
            known = table.between(since, until)
            if (scores := self._scores.get((ticker, query))) is None:
                scores = similarities(table.vectors, embed([query])[0])
                keep(self._scores, (ticker, query), scores, _SCORES_KEPT)
            found.append(_best(table, known, scores[known], k))
        return found

    def rebuild(self) -> None:
        """Make all passages anew, on disk too where they are kept there.

        Raises:
            StoreError: the folder cannot be written.
        """
        with self._guard:
            self._tables, self._scores = {}, {}
            if self.store is not None:
                self.store.rebuild()

    def close(self) -> None:
        """Let another process have the folder; what was not read yet is computed from then on."""
        with self._guard:
            if self.store is not None:
                self.store.close()
                self.store, self.why_memory = None, "it was closed"

    def _open(self, folder: Path) -> None:
        try:
            # a function of the documents alone: a store that knew its index would outlive it until the next collection
            self.store = PassageStore(folder, partial(_all_tables, self._documents))
        except StoreBusyError:
            self.why_memory = "another process has the folder open"
        except StoreError as error:
            self._give_up(error)

    def _stored(self, tickers: Sequence[str]) -> dict[str, Table]:
        if self.store is None:
            return {}
        try:
            return self.store.load([ticker for ticker in tickers if ticker in self._documents])
        except StoreError as error:
            self._give_up(error)
            return {}

    def _give_up(self, error: StoreError) -> None:
        _log.warning("%s; this search works in memory", error)
        self.store, self.why_memory = None, str(error)


def _all_tables(documents: Mapping[str, Sequence[Document]]) -> dict[str, Table]:
    return {ticker: table_of(rows) for ticker, rows in documents.items()}


def _best(table: Table, known: slice, scores: NDArray[np.float64], k: int) -> list[Hit]:
    ranked = np.lexsort((table.order[known], -scores))[:k].tolist()
    return [Hit(table.rows[known.start + i], float(scores[i])) for i in ranked]


def keep(kept: dict[Key, Kept], key: Key, value: Kept, most: int) -> None:
    """Put a value into a dictionary that holds `most` at most, the oldest going first."""
    kept.pop(key, None)
    kept[key] = value
    while len(kept) > most:
        kept.pop(next(iter(kept)), None)
