"""Search in what companies published: evidence with the passage's span, and nothing from after the view's time.

A market's documents are cut, embedded and indexed once (docs/documents.md); near-repeats collapse to the earliest. A
search compares integer times, and ranks the passages of one company by exact cosine similarity.
"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from weakref import WeakKeyDictionary, WeakValueDictionary

from ...errors import InputError
from ...evidence import Evidence, Span
from ..records import Document
from ..view import Market, MarketView
from .embedding import embed
from .excerpts import nearest_excerpts
from .index import Hit, PassageIndex, keep
from .index_folder import passages_folder
from .passages import Piece
from .store import StoreBusyError, store_key
from .table import known_from, second_of


def search(view: MarketView, ticker: str, query: str, k: int = 3, since_days: int = 120) -> list[Evidence]:
    """The passages about a company that are nearest in meaning to a query, best first; ties in the order of ids.

    Args:
        view: what is known; nothing published later can be returned, nor change the result.
        ticker: a company.
        query: any text.
        k: how many passages at most; fewer where fewer are known.
        since_days: how far back to look.

    Returns:
        Evidence of kind `passage`: `text` is at most `EXCERPT_CHARACTERS`, whole sentences or table lines where these
        fit, and equals `document.text[span.start:span.end]`.

    Raises:
        InputError: unknown ticker, or a `k` below 1.
    """
    return search_many(view, [ticker], query, k, since_days)[ticker]


def search_many(
    view: MarketView, tickers: Sequence[str], query: str, k: int = 1, since_days: int = 120
) -> dict[str, list[Evidence]]:
    """`search` for many companies at once, by ticker in the order asked for.

    Raises:
        InputError: unknown ticker, or a `k` below 1.
    """
    if k < 1:
        raise InputError(f"{k} passages were asked for; ask for at least 1")
    for ticker in tickers:
        view._market.column(ticker)
    index = index_of(view._market)
    until, since = second_of(view.as_of), known_from(view.as_of - timedelta(days=since_days))
    return {
        ticker: [item.at(view.as_of) for item in found]
        for ticker, found in _found(index, view, tickers, query, k, since, until).items()
    }


class _Kept:
    """What was found in an index; each answer is a function of its key."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str, int], tuple[slice, list[Evidence]]] = {}
        """By ticker, query and number: the last answer, and which of the company's passages it was found among."""
        self.pieces: dict[tuple[str, str], Piece] = {}
        """By passage and query: what is quoted of the passage."""


_KEPT: WeakKeyDictionary[PassageIndex, _Kept] = WeakKeyDictionary()
_MOST_KEPT = 4096
"""Answers, and pieces, of an index; the oldest is forgotten first."""


def _found(
    index: PassageIndex, view: MarketView, tickers: Sequence[str], query: str, k: int, since: int, until: int
) -> dict[str, list[Evidence]]:
    """The evidence on each company, of whatever time: looked for only where other passages are known than last time.

    It is a function of the query and of the passages that are known, whenever that is asked.
    """
    kept = _KEPT.setdefault(index, _Kept())
    known = {ticker: table.between(since, until) for ticker, table in zip(tickers, index.tables(tickers), strict=True)}
    answers = {ticker: kept.answers.get((ticker, query, k)) for ticker in known}
    found = {ticker: answer[1] for ticker, answer in answers.items() if answer and answer[0] == known[ticker]}
    missing = [ticker for ticker in known if ticker not in found]
    if missing:
        hits = index.nearest_many(missing, query, k, since, until)
        pieces = _pieces(index, kept, [hit for rows in hits for hit in rows], query)
        for ticker, rows in zip(missing, hits, strict=True):
            found[ticker] = [_evidence(view, index.documents[hit.document], pieces[hit.row.id]) for hit in rows]
            keep(kept.answers, (ticker, query, k), (known[ticker], found[ticker]), _MOST_KEPT)
    return {ticker: found[ticker] for ticker in tickers}


def _pieces(index: PassageIndex, kept: _Kept, hits: Sequence[Hit], query: str) -> dict[str, Piece]:
    """What is quoted of each passage, by its id."""
    found = {hit.row.id: kept.pieces.get((hit.row.id, query)) for hit in hits}
    missing = [hit.row for hit in hits if found[hit.row.id] is None]
    if missing:
        texts = [(index.documents[row.document].text, row.piece, row.units) for row in missing]
        for row, piece in zip(missing, nearest_excerpts(texts, embed([query])[0]), strict=True):
            found[row.id] = piece
            keep(kept.pieces, (row.id, query), piece, _MOST_KEPT)
    return {id_: piece for id_, piece in found.items() if piece is not None}


class IndexState(NamedTuple):
    """Where a market's passages are."""

    folder: Path | None
    """On disk; None in memory."""
    why_memory: str
    """Why they are in memory, where they are."""
    documents: int
    """All, near-repeats included."""
    passages: int


def index_of(market: Market) -> PassageIndex:
    """The index of a market's documents, made or opened at the first call; markets with equal documents share one."""
    if market not in _INDEXES:
        documents, root = market.documents, passages_folder()
        key = (root, store_key(documents))
        index = _SHARED.get(key)
        if index is None:
            index = _SHARED[key] = PassageIndex(documents, root / key[1] if root else None)
        _INDEXES[market] = index
    return _INDEXES[market]


def index_state(market: Market) -> IndexState:
    """Where the passages of a market are, and how many; opens the index."""
    index = index_of(market)
    folder = index.store.folder if index.store else None
    return IndexState(folder, index.why_memory, len(index.documents), index.size)


def rebuild_index(market: Market) -> IndexState:
    """Make the passages of a market anew, on disk too unless that is turned off.

    Raises:
        StoreError: the folder cannot be written, or another process has it open.
    """
    index = index_of(market)
    root = passages_folder()
    if index.store is None and root is not None:
        # an index that fell back to memory: say why instead of pretending
        raise StoreBusyError(f"the passages of {market.name} cannot be built anew: {index.why_memory}; try again later")
    index.rebuild()
    return index_state(market)


_INDEXES: WeakKeyDictionary[Market, PassageIndex] = WeakKeyDictionary()
_SHARED: WeakValueDictionary[tuple[Path | None, str], PassageIndex] = WeakValueDictionary()


def _evidence(view: MarketView, document: Document, piece: Piece) -> Evidence:
    return Evidence.of(
        id=f"{document.ticker}/passage/{document.id}:{piece.start}",
        kind="passage",
        measure="passage",
        ticker=document.ticker,
        as_of=view.as_of,
        available_at=document.published_at,
        period=f"published {document.published_at:%Y-%m-%d}",
        text=document.text[piece.start : piece.end],
        unit="text",
        source=document.id,
        span=Span(document=document.id, start=piece.start, end=piece.end),
    )
