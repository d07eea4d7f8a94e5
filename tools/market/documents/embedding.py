"""Texts as vectors: wordllama's static word embeddings, read from the installed package, without network or torch.

A text's vector is the sum of its tokens' vectors, scaled to length 1. Tokens' vectors are rounded to multiples of 2^-20
and texts' to multiples of 2^-24, so that sums and products taken in float64 are exact: they depend neither on the order
of summation, nor on how many rows are multiplied at once, nor on the machine's linear algebra; equal texts tie exactly.
"""

import logging
from collections.abc import Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 256
"""Of an embedding."""
VERSION = "wordllama-256 by words, grids 2^-20 and 2^-24"
"""Changes whenever an embedding of the same text would change; part of the key of stored embeddings."""

Vectors = NDArray[np.float32]

_TOKEN_GRID = 2.0**20
"""A token's largest component is 8.02: 24 bits hold every multiple of 2^-20, and float64 the sum of 2^29 tokens."""
_TEXT_GRID = 2.0**24
_WORDS_KEPT = 200_000
"""Tokenised words kept in memory, about 40 MB; beyond it they are forgotten and read again."""


def _wordllama() -> Any:
    """The package, imported when needed (it takes most of a second) and without what its import does to logging.

    It calls `logging.basicConfig(level=INFO)`, after which every library's notes appear on the user's terminal.
    """
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    try:
        import wordllama
    finally:
        root.setLevel(level)
        for handler in [handler for handler in root.handlers if handler not in handlers]:
            root.removeHandler(handler)
    return wordllama


class Embedder:
    """The direction of the sum of a text's token vectors; each word is tokenised once.

    The tokenizer never merges across a space, so the tokens of a text are those of its words, one after the other. All
    white space counts as one space.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, ...]] = {}

    @cached_property
    def _model(self) -> Any:
        wordllama = _wordllama()
        # the package's own search looks for the tokenizer in the wrong folder, and would then download it
        return wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)

    @cached_property
    def _embedding(self) -> NDArray[np.float32]:
        return np.asarray(np.rint(self._model.embedding * _TOKEN_GRID) / _TOKEN_GRID, dtype=np.float32)

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, (len(texts), 256); a text without any word has a zero vector."""
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        for row, tokens in enumerate(self.tokens(texts)):
            if tokens:
                vectors[row] = unit(self._embedding.take(tokens, axis=0).astype(np.float64).sum(axis=0))
        return vectors

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """The token numbers of each text."""
        split = [text.split() for text in texts]
        known = self._known
        try:
            return [list(chain.from_iterable([known[word] for word in words])) for words in split]
        except KeyError:
            known = self._learn(split)
        return [list(chain.from_iterable([known[word] for word in words])) for words in split]

    def sums(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """The sum of each text's token vectors, (len(texts), 256), exact: those of parts add up to the whole's."""
        tokens = self.tokens(texts)
        rows = self._embedding.take(list(chain.from_iterable(tokens)), axis=0).astype(np.float64)
        sums = np.empty((len(texts), DIMENSIONS))
        first = 0
        for i, numbers in enumerate(tokens):
            last = first + len(numbers)
            rows[first:last].sum(axis=0, out=sums[i])
            first = last
        return sums

    def products(self, tokens: Sequence[int], query: Vectors) -> list[float]:
        """The scalar product of each token's vector with a vector of `embed`."""
        distinct, where = np.unique(np.array(tokens, dtype=np.int64), return_inverse=True)
        rows: list[float] = similarities(self._embedding.take(distinct, axis=0), query)[where].tolist()
        return rows

    def _learn(self, split: Sequence[Sequence[str]]) -> dict[str, tuple[int, ...]]:
        """The known words, those of these texts among them."""
        asked = set(chain.from_iterable(split))
        unknown = sorted(asked - self._known.keys())
        if len(self._known) + len(unknown) > _WORDS_KEPT:
            # a new dictionary: another thread may be reading the old one
            self._known, unknown = {}, sorted(asked)
        known, encode = self._known, self._model.tokenizer.encode
        for word in unknown:
            # one by one: a batch wakes the tokenizer's threads, which take two to three times as long as the words
            encoded = encode(word, is_pretokenized=False, add_special_tokens=False)
            known[word] = tuple(encoded.ids[: sum(encoded.attention_mask)])
        return known


def unit(vector: NDArray[np.float64]) -> Vectors:
    """The vector at length 1 in multiples of 2^-24, which float32 holds exactly; a zero vector stays zero."""
    length = float(np.sqrt(np.square(vector).sum()))
    return np.asarray(np.rint(vector / (length or 1.0) * _TEXT_GRID) / _TEXT_GRID, dtype=np.float32)


def similarities(vectors: Vectors, query: Vectors) -> NDArray[np.float64]:
    """Scalar product of each row and one vector: the cosine similarity, exact, for rows of `embed`."""
    # not `@`: the threads of the linear algebra cost more than products as small as these
    return np.asarray(np.einsum("ij,j->i", vectors.astype(np.float64), query.astype(np.float64)))


embed = Embedder()
"""The one embedding of the desk; loaded at its first use."""
