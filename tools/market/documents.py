"""Search in what companies published: near-duplicates collapsed, passages embedded, the future filtered out in chroma.

The index holds a whole market and is built once. A search reads only the passages of one company between
`as_of - since_days` and `as_of` (integer epoch seconds, compared inside chroma), and ranks those by exact cosine
similarity. Chroma's own approximate ranking is not used: its graph is built from all passages, later ones included, so
the future could change which past passage is missed.
"""

import re
from collections.abc import Sequence
from datetime import timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ..evidence import Evidence, Span
from ..frozen import content_hash
from .passages import Piece, excerpts, passages
from .records import Document
from .view import Market, MarketView

DUPLICATE_SIMILARITY = 0.8
"""Jaccard similarity of word 5-shingles from which two texts tell the same story."""
DUPLICATE_DAYS = 14
"""A near-equal text later than this is a new event in an old form (a yearly notice), not a repeat."""
_SHINGLE = 5
_LENGTH_RATIO = 0.6
"""Shorter over longer text: below it 0.8 is out of reach in practice, and most pairs need no shingles."""
_BATCH = 1000
"""Texts per call of the tokenizer and per chroma insert."""
DIMENSIONS = 256
"""Of an embedding."""
_WORD = re.compile(r"\w+")

Vectors = NDArray[np.float32]


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
        InputError: unknown ticker.
    """
    documents = {document.id: document for document in view.documents(ticker)}
    oldest = view.as_of - timedelta(days=since_days)
    hits = _index(view._market).nearest(ticker, query, k, int(oldest.timestamp()), int(view.as_of.timestamp()))
    found = []
    for hit in hits:
        document = documents[hit.document]
        piece = _best_excerpt(document.text, hit.piece, query)
        found.append(
            Evidence.of(
                id=f"{ticker}/passage/{document.id}:{piece.start}",
                kind="passage",
                measure="passage",
                ticker=ticker,
                as_of=view.as_of,
                available_at=document.published_at,
                period=f"published {document.published_at:%Y-%m-%d}",
                text=document.text[piece.start : piece.end],
                unit="text",
                source=document.id,
                span=Span(document=document.id, start=piece.start, end=piece.end),
            )
        )
    return found


def collapse(documents: Sequence[Document]) -> tuple[Document, ...]:
    """The documents without near-repeats: of the same story about a company, the earliest stays.

    What is kept at a time depends on earlier documents only.

    Args:
        documents: ordered by published_at.
    """
    kept: list[Document] = []
    for document in documents:
        oldest = document.published_at - timedelta(days=DUPLICATE_DAYS)
        recent = (other for other in kept if other.ticker == document.ticker and other.published_at >= oldest)
        if not any(similarity(other.text, document.text) >= DUPLICATE_SIMILARITY for other in recent):
            kept.append(document)
    return tuple(kept)


def similarity(text: str, other: str) -> float:
    """Jaccard similarity of the sets of word 5-shingles, 0..1 (Broder 1997); of short texts the sets of words.

    Texts of very different length are not compared further and count as 0.
    """
    if min(len(text), len(other)) < _LENGTH_RATIO * max(len(text), len(other)):
        return 0.0
    a, b = _shingles(text), _shingles(other)
    return len(a & b) / len(a | b) if a or b else 1.0


def _shingles(text: str) -> frozenset[tuple[str, ...]]:
    words = _WORD.findall(text.lower())
    if len(words) < _SHINGLE:
        return frozenset((word,) for word in words)
    return frozenset(zip(*(words[i:] for i in range(_SHINGLE)), strict=False))


class Hit(NamedTuple):
    """A passage that was found."""

    document: str
    piece: Piece
    score: float
    """Cosine similarity to the query."""


class PassageIndex:
    """The passages of a market's documents in chroma, with wordllama's 256-dimensional embeddings."""

    def __init__(self, documents: Sequence[Document]) -> None:
        # chromadb is imported here because it takes a second and only searches need it
        import chromadb
        from chromadb.config import Settings

        # without the setting it phones home
        client = chromadb.EphemeralClient(settings=Settings(anonymized_telemetry=False))
        rows = [(document, piece) for document in collapse(documents) for piece in passages(document.text)]
        self.size = len(rows)
        """Passages held."""
        # in-memory clients of one process share their collections: equal documents share one, hence a name made of them
        name = (
            f"passages-{content_hash([[d.id, d.ticker, d.published_at.isoformat(), d.text] for d in documents])[:32]}"
        )
        self._collection = client.get_or_create_collection(name, embedding_function=None)
        if self._collection.count() != len(rows):
            self._fill(rows)

    def _fill(self, rows: Sequence[tuple[Document, Piece]]) -> None:
        for first in range(0, len(rows), _BATCH):
            batch = rows[first : first + _BATCH]
            self._collection.upsert(
                ids=[f"{document.id}:{piece.start:08d}" for document, piece in batch],
                embeddings=embed([document.text[piece.start : piece.end] for document, piece in batch]),
                metadatas=[
                    {
                        "ticker": document.ticker,
                        # rounded up: a passage must not be known within the second before its publication
                        "published": int(np.ceil(document.published_at.timestamp())),
                        "document": document.id,
                        "start": piece.start,
                        "end": piece.end,
                    }
                    for document, piece in batch
                ],
            )

    def nearest(self, ticker: str, query: str, k: int, since: int, until: int) -> list[Hit]:
        """The best `k` passages about `ticker` published from `since` to `until` (epoch seconds, both included)."""
        where: dict[str, Any] = {
            "$and": [{"ticker": {"$eq": ticker}}, {"published": {"$lte": until}}, {"published": {"$gte": since}}]
        }
        known: dict[str, Any] = dict(self._collection.get(where=where, include=["embeddings", "metadatas"]))
        if not known["ids"]:
            return []
        # rounded, so that equal texts tie however the product was blocked
        scores = np.round(np.asarray(known["embeddings"], dtype=np.float32) @ embed([query])[0], 6)
        order = np.lexsort((np.asarray(known["ids"]), -scores))[:k]
        found = []
        for i in order:
            at = known["metadatas"][i]
            found.append(Hit(str(at["document"]), Piece(int(at["start"]), int(at["end"])), float(scores[i])))
        return found


class Embedder:
    """wordllama's static embeddings, read from the installed package: no network, no torch."""

    @cached_property
    def _model(self) -> Any:
        # imported here: loading takes most of a second
        import wordllama

        # the package's own search looks for the tokenizer in the wrong folder, and would then download it
        return wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, (len(texts), 256); a text without any token has a zero vector.

        The mean of a text's token vectors is taken text by text: the library's own batches pad to their longest text,
        which makes a vector depend, in its last bits, on what else was in the batch, and costs more.
        """
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for first in range(0, len(texts), _BATCH):
            for row, encoded in enumerate(self._model.tokenize(list(texts[first : first + _BATCH])), first):
                tokens = np.asarray(encoded.ids)[np.asarray(encoded.attention_mask, dtype=bool)]
                if len(tokens):
                    mean = self._model.embedding[tokens].mean(axis=0, dtype=np.float64)
                    vectors[row] = mean / (np.linalg.norm(mean) or 1.0)
        return vectors


embed = Embedder()
"""The one embedding of the desk; loaded at its first use."""

_INDEXES: WeakKeyDictionary[Market, PassageIndex] = WeakKeyDictionary()


def _index(market: Market) -> PassageIndex:
    if market not in _INDEXES:
        _INDEXES[market] = PassageIndex(market.dataset.documents)
    return _INDEXES[market]


@lru_cache(maxsize=4096)
def _best_excerpt(text: str, passage: Piece, query: str) -> Piece:
    """The part of a passage, short enough for a prompt, that is nearest to the query; the earliest of equals."""
    choices = excerpts(text, passage)
    scores = embed([text[piece.start : piece.end] for piece in choices]) @ embed([query])[0]
    return choices[int(np.argmax(scores))]
