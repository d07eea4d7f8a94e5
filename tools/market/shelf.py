"""Documents in order of time, found by bisection."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import datetime

from .records import Document


class Shelf:
    """Some documents, oldest first.

    Args:
        documents: ordered by published_at.
    """

    def __init__(self, documents: tuple[Document, ...]) -> None:
        self.documents = documents
        self._times = [document.published_at for document in documents]

    def between(self, since: datetime | None, until: datetime) -> tuple[Document, ...]:
        """Those published at or after `since` (None: from the first) and at or before `until`."""
        first = 0 if since is None else bisect_left(self._times, since)
        return self.documents[first : bisect_right(self._times, until)]


def shelves(documents: Iterable[Document]) -> dict[str | None, Shelf]:
    """The documents about each ticker, and under None all of them."""
    everything = sorted(documents, key=lambda document: document.published_at)
    lists: dict[str | None, list[Document]] = {None: everything}
    for document in everything:
        lists.setdefault(document.ticker, []).append(document)
    return {ticker: Shelf(tuple(rows)) for ticker, rows in lists.items()}
