"""A company's passages as arrays, in the order of publication: what a search reads."""

import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...frozen import canonical_json
from ..records import Document
from .duplicates import collapse
from .embedding import DIMENSIONS, Vectors, unit
from .excerpts import measured
from .passages import Piece, passages

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)

Whole = NDArray[np.int64]


class Row(NamedTuple):
    """One passage: where it stands, and from which second on it is known."""

    id: str
    """`<document>:<start>`, the start in eight digits."""
    document: str
    published: int
    """Epoch seconds, rounded up: a passage must not be known within the second before its publication."""
    piece: Piece
    units: str
    """Its sentences and table lines, as `excerpts.measured` writes them."""


@dataclass(frozen=True)
class Table:
    """The passages of one company, ordered by `published`, then id; all arrays have one entry per passage."""

    rows: tuple[Row, ...]
    published: Whole
    """Epoch seconds, ascending."""
    order: Whole
    """Rank of each id among the company's, for ties."""
    vectors: Vectors
    """(n, 256)."""

    @classmethod
    def of(cls, rows: Sequence[Row], vectors: Vectors) -> "Table":
        """A table of rows in any order, with their vectors, (n, 256)."""
        by_time = sorted(range(len(rows)), key=lambda i: (rows[i].published, rows[i].id))
        ordered = tuple(rows[i] for i in by_time)
        order = np.empty(len(rows), dtype=np.int64)
        order[sorted(range(len(ordered)), key=lambda i: ordered[i].id)] = np.arange(len(rows))
        published = np.array([row.published for row in ordered], dtype=np.int64)
        return cls(ordered, published, order, np.ascontiguousarray(vectors[by_time], dtype=np.float32))

    def digest(self) -> str:
        """sha256 (hex) over all content, the vectors as little-endian bytes."""
        digest = hashlib.sha256(canonical_json(self.rows).encode())
        digest.update(self.vectors.astype("<f4").tobytes())
        return digest.hexdigest()

    def between(self, since: int, until: int) -> slice:
        """The rows published from `since` to `until` (epoch seconds, both included)."""
        return slice(bisect_left(self._seconds, since), bisect_right(self._seconds, until))

    @cached_property
    def _seconds(self) -> list[int]:
        """`published` again: a decision asks every company, and numpy takes four times as long."""
        seconds: list[int] = self.published.tolist()
        return seconds


def table_of(documents: Sequence[Document]) -> Table:
    """The passages of one company's documents, near-repeats left out.

    Args:
        documents: ordered by published_at.
    """
    rows, vectors = [], []
    for document in collapse(documents):
        text, published = document.text, known_from(document.published_at)
        for piece in passages(text):
            units, total = measured(text, piece)
            rows.append(Row(f"{document.id}:{piece.start:08d}", document.id, published, piece, units))
            vectors.append(unit(total))
    return Table.of(rows, np.array(vectors, dtype=np.float32).reshape(-1, DIMENSIONS))


def known_from(moment: datetime) -> int:
    """The first whole epoch second at which something published at `moment` is known."""
    return -((_EPOCH - moment) // _SECOND)


def second_of(moment: datetime) -> int:
    """The whole epoch second that `moment` lies in."""
    return (moment - _EPOCH) // _SECOND
