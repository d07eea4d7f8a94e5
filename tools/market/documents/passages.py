"""Documents cut into passages that a prompt can hold: whole sentences, whole table lines, exact character offsets."""

import re
from collections.abc import Iterator, Sequence
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
    return [unit for part in parts(text, piece) for unit in _fragments(text, part)]


def whole_sentences(text: str, piece: Piece) -> Piece:
    """The sentences or table lines that a piece of a text touches, whole even where they are overlong, as one piece."""
    first = text.rfind("\n", 0, piece.start + 1) + 1
    last = text.find("\n", max(piece.end - 1, 0))
    around = Piece(first, len(text) if last < 0 else last)
    touched = [trimmed(text, part) for part in parts(text, around) if part.start < piece.end and piece.start < part.end]
    if not touched:
        return piece
    return Piece(min(piece.start, touched[0].start), max(piece.end, touched[-1].end))


def parts(text: str, piece: Piece) -> Iterator[Piece]:
    """Whole sentences of prose and lines of tables inside a piece, with the space around them."""
    for line in _LINE.finditer(text, piece.start, piece.end):
        if "|" in line.group():
            yield Piece(line.start(), line.end())
            continue
        ends = (match.end() for match in _SENTENCE_END.finditer(text, line.start(), line.end()))
        yield from (Piece(start, end) for start, end in pairwise([line.start(), *ends, line.end()]))


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
    return [Piece(unit.start, units[after - 1].end) for unit, after in zip(units, runs(units), strict=True)]


def runs(units: Sequence[Piece]) -> list[int]:
    """For each unit, the number after the last of those that fit `EXCERPT_CHARACTERS` together with it."""
    found, after = [], 0
    for i, unit in enumerate(units):
        after = max(after, i + 1)
        while after < len(units) and units[after].end - unit.start <= EXCERPT_CHARACTERS:
            after += 1
        found.append(after)
    return found


def _fragments(text: str, part: Piece) -> list[Piece]:
    """The part without outer space; one that is too long for an excerpt is cut between words."""
    start, end = trimmed(text, part)
    pieces = []
    while end - start > EXCERPT_CHARACTERS:
        # a single word beyond all measure (a data dump) is cut anywhere
        cut = next(
            (i for i in range(start + EXCERPT_CHARACTERS, start, -1) if text[i].isspace()), start + EXCERPT_CHARACTERS
        )
        pieces.append(Piece(start, start + len(text[start:cut].rstrip())))
        start = cut + len(text[cut:end]) - len(text[cut:end].lstrip())
    return [*pieces, Piece(start, end)] if end > start else pieces


def trimmed(text: str, part: Piece) -> Piece:
    """A piece without the space at its ends."""
    content = text[part.start : part.end]
    end = part.start + len(content.rstrip())
    return Piece(min(end, part.start + len(content) - len(content.lstrip())), end)
