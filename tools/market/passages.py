"""Documents cut into passages that a prompt can hold: whole sentences, whole table lines, exact character offsets."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

MINIMUM_WORDS = 60
"""A passage is closed at a change from prose to table, or back, only from this length on."""
MAXIMUM_WORDS = 110
TAIL_WORDS = 20
"""A last passage shorter than this joins the one before."""
EXCERPT_CHARACTERS = 160
"""Longest excerpt that becomes evidence."""

# a full stop, mark or closing quote, then space, then something that can begin a sentence
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"'\u201d)\]]*\s+(?=[\"'\u201c(]?[A-Z0-9$\u2022])")
_LINE = re.compile(r"[^\n]+")


class Piece(NamedTuple):
    """Characters `start` to `end` of a text, without space at either end."""

    start: int
    end: int


def sentences(text: str, piece: Piece) -> list[Piece]:
    """The smallest units inside a piece: sentences of prose, lines of tables, and fragments of overlong ones."""
    units = []
    for line in _LINE.finditer(text, piece.start, piece.end):
        if "|" in line.group():
            parts = [Piece(line.start(), line.end())]
        else:
            borders = [
                line.start(),
                *(m.end() for m in _SENTENCE_END.finditer(text, line.start(), line.end())),
                line.end(),
            ]
            parts = [Piece(start, end) for start, end in pairwise(borders)]
        for part in parts:
            units += _fragments(text, part)
    return units


def passages(text: str) -> list[Piece]:
    """The text as consecutive passages of about 60 to 110 words, in order, that do not overlap.

    A short document is one passage; a table is not mixed with prose once a passage is long enough.
    """
    found: list[list[Piece]] = []
    words, in_table = 0, False
    for unit in sentences(text, Piece(0, len(text))):
        content = text[unit.start : unit.end]
        size, table = len(content.split()), "|" in content
        full = words + size > MAXIMUM_WORDS or (table != in_table and words >= MINIMUM_WORDS)
        if not found or full:
            found.append([])
            words = 0
        found[-1].append(unit)
        words, in_table = words + size, table
    if len(found) > 1 and words < TAIL_WORDS:
        tail = found.pop()
        found[-1].extend(tail)
    return [Piece(units[0].start, units[-1].end) for units in found]


def excerpts(text: str, passage: Piece) -> list[Piece]:
    """The runs of whole units of a passage that fit `EXCERPT_CHARACTERS`, one starting at each unit."""
    units = sentences(text, passage)
    return [_longest(units[i:]) for i in range(len(units))]


def _longest(units: Sequence[Piece]) -> Piece:
    start, end = units[0].start, units[0].end
    for unit in units[1:]:
        if unit.end - start > EXCERPT_CHARACTERS:
            break
        end = unit.end
    return Piece(start, end)


def _fragments(text: str, part: Piece) -> list[Piece]:
    """The part without outer space; one that is too long for an excerpt is cut between words."""
    content = text[part.start : part.end]
    start = part.start + len(content) - len(content.lstrip())
    end = part.start + len(content.rstrip())
    pieces = []
    while end - start > EXCERPT_CHARACTERS:
        # a single word beyond all measure (a data dump) is cut anywhere
        cut = next(
            (i for i in range(start + EXCERPT_CHARACTERS, start, -1) if text[i].isspace()), start + EXCERPT_CHARACTERS
        )
        pieces.append(Piece(start, start + len(text[start:cut].rstrip())))
        start = cut + len(text[cut:end]) - len(text[cut:end].lstrip())
    return [*pieces, Piece(start, end)] if end > start else pieces
