"""The part of a passage that is quoted: short enough for a prompt, and nearest to the question.

What does not depend on the question is measured when a passage is indexed: its units (sentences, table lines) and, for
the run of units that begins with each, the length of the sum of its token vectors. A search needs one number per token.
"""

from collections.abc import Sequence
from itertools import chain
from math import fsum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .embedding import Vectors, embed
from .passages import Piece, runs, sentences


class Unit(NamedTuple):
    """A unit of a passage, and the run of units that begins with it and fits an excerpt."""

    piece: Piece
    after: int
    """The number after the run's last unit."""
    length: float
    """Of the sum of the run's token vectors; 0 for a run without any word."""


def measured(text: str, passage: Piece) -> tuple[str, NDArray[np.float64]]:
    """The units of a passage as one line of text (`units_of` reads it), and the sum of its token vectors, (256,)."""
    units = sentences(text, passage)
    sums = embed.sums([text[unit.start : unit.end] for unit in units])
    written = []
    for i, (unit, after) in enumerate(zip(units, runs(units), strict=True)):
        length = float(np.sqrt(np.square(sums[i:after].sum(axis=0)).sum()))
        written.append(f"{unit.start - passage.start}:{unit.end - passage.start}:{after}:{length:.6g}")
    return " ".join(written), sums.sum(axis=0)


def units_of(line: str, passage: Piece) -> list[Unit]:
    """What `measured` wrote about a passage."""
    units = []
    for word in line.split(" "):
        start, end, after, length = word.split(":")
        units.append(Unit(Piece(passage.start + int(start), passage.start + int(end)), int(after), float(length)))
    return units


def nearest_excerpts(found: Sequence[tuple[str, Piece, str]], query: Vectors) -> list[Piece]:
    """For each passage, the run of its units with the highest cosine similarity to a query; the earliest of equals.

    Args:
        found: text, passage, and what `measured` wrote about it.
        query: a vector of `embed`, (256,).
    """
    units = [units_of(line, passage) for _, passage, line in found]
    parts = [
        text[unit.piece.start : unit.piece.end] for (text, _, _), own in zip(found, units, strict=True) for unit in own
    ]
    tokens = embed.tokens(parts)
    of_token = embed.products(list(chain.from_iterable(tokens)), query)
    products, first = [], 0
    for numbers in tokens:
        products.append(fsum(of_token[first : first + len(numbers)]))
        first += len(numbers)
    chosen, first = [], 0
    for own in units:
        chosen.append(_nearest(own, products[first : first + len(own)]))
        first += len(own)
    return chosen


def _nearest(units: Sequence[Unit], products: Sequence[float]) -> Piece:
    # rounded, so that equal sentences tie; fsum, because the plain sum differs between Pythons
    scores = [round(fsum(products[i : unit.after]) / (unit.length or 1.0), 6) for i, unit in enumerate(units)]
    best = units[scores.index(max(scores))]
    return Piece(best.piece.start, units[best.after - 1].piece.end)
