"""Search in what companies published: evidence with the passage's span, and nothing from after the view's time.

A market's documents are cut, embedded and indexed once (docs/documents.md); near-repeats collapse to the earliest. A
search compares integer times, and ranks the passages of one company by exact cosine similarity.
"""

from collections import OrderedDict
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
from .index import PassageIndex
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
    found = _quotes(index, tickers, query, k, since, until)
    return {
        ticker: [_evidence(view, *quote) for quote in quotes] for ticker, quotes in zip(tickers, found, strict=True)
    }


class Quote(NamedTuple):
    """What is quoted of a document."""

    document: Document
    text: str
    """The document's."""
    piece: Piece


_QUOTES: WeakKeyDictionary[PassageIndex, OrderedDict[tuple[str, str, int], tuple[slice, list[Quote]]]] = (
    WeakKeyDictionary()
)
"""By ticker, query and number: the answer found last, and which of the company's passages it was found among."""
_QUOTES_KEPT = 4096


def _quotes(
    index: PassageIndex, tickers: Sequence[str], query: str, k: int, since: int, until: int
) -> list[list[Quote]]:
    """The quotes on each company; found anew only where other passages are known than when it was last asked for.

    The answer is a function of the query and of the passages that are known, whenever that is asked.
    """
    kept = _QUOTES.setdefault(index, OrderedDict())
    known = {ticker: table.between(since, until) for ticker, table in zip(tickers, index.tables(tickers), strict=True)}
    answers = {ticker: kept.get((ticker, query, k)) for ticker in known}
    found = {ticker: answer[1] for ticker, answer in answers.items() if answer and answer[0] == known[ticker]}
    missing = [ticker for ticker in known if ticker not in found]
    if missing:
        hits = index.nearest_many(missing, query, k, since, until)
        quoted = [(index.documents[hit.document], hit.row) for rows in hits for hit in rows]
        texts = [(document.text, row.piece, row.units) for document, row in quoted]
        pieces = zip(quoted, texts, nearest_excerpts(texts, embed([query])[0]), strict=True)
        quotes = (Quote(document, text, piece) for (document, _), (text, _, _), piece in pieces)
        for ticker, rows in zip(missing, hits, strict=True):
            found[ticker] = [next(quotes) for _ in rows]
            kept[ticker, query, k] = (known[ticker], found[ticker])
            kept.move_to_end((ticker, query, k))
        while len(kept) > _QUOTES_KEPT:
            kept.popitem(last=False)
    return [found[ticker] for ticker in tickers]


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


def _evidence(view: MarketView, document: Document, text: str, piece: Piece) -> Evidence:
    return Evidence.of(
        id=f"{document.ticker}/passage/{document.id}:{piece.start}",
        kind="passage",
        measure="passage",
        ticker=document.ticker,
        as_of=view.as_of,
        available_at=document.published_at,
        period=f"published {document.published_at:%Y-%m-%d}",
        text=text[piece.start : piece.end],
        unit="text",
        source=document.id,
        span=Span(document=document.id, start=piece.start, end=piece.end),
    )
