"""Documents read sentence by sentence, for rules: whole ones, where filings break lines and names hold full stops."""

import re
from collections.abc import Iterator

from ..documents.passages import Piece, parts, trimmed

LONGEST = 600
"""Characters; what is longer is a list of risks, a slide or a table without its lines, and is not read."""
_BROKEN_LINE = 60
"""A line of so many characters that ends within a sentence was broken by whoever typeset it."""
_OPEN_END = re.compile(
    r"(?:(?<![\w.])[A-Z]\.|\b(?:Mr|Mrs|Ms|Dr|St|Inc|Corp|Co|Ltd|No|vs|Jr|Sr|U\.S|J\.P|Bros|Messrs|Prof)\.)[\"\u201d)]*$"
)
"""Ends that are no end: an initial, a title, the form of a company."""
_WITHIN = re.compile(r"(?:\s[a-z]+|,)$")
"""A word in small letters, or a comma: a heading ends otherwise."""
_BULLET = re.compile(r"[\u2022\u25e6\u25aa\u25cf*\u2013\u2014-]|\(?\w{1,3}[.)]\s|Items?\s\d|[A-Z][A-Z ]+$")


def read(text: str) -> Iterator[Piece]:
    """The sentences of a text in order, those of tables and what is too long left out.

    Each is a stretch of the text: `text[start:end]`, broken lines and all.
    """
    current: Piece | None = None
    for part in parts(text, Piece(0, len(text))):
        piece = trimmed(text, part)
        if piece.end == piece.start:
            continue
        if "|" in text[piece.start : piece.end]:
            yield from _short(current)
            current = None
        elif current is not None and _goes_on(text, current, piece):
            current = Piece(current.start, piece.end)
        else:
            yield from _short(current)
            current = piece
    yield from _short(current)


def _short(piece: Piece | None) -> Iterator[Piece]:
    if piece is not None and piece.end - piece.start <= LONGEST:
        yield piece


def _goes_on(text: str, before: Piece, after: Piece) -> bool:
    gap = text[before.end : after.start]
    if "\n\n" in gap:
        return False
    if "\n" not in gap:
        return _OPEN_END.search(text, max(before.start, before.end - 12), before.end) is not None
    line = text.rfind("\n", 0, before.end) + 1
    open_end = _WITHIN.search(text, max(before.start, before.end - 30), before.end)
    return (
        open_end is not None
        and before.end - line >= _BROKEN_LINE
        and _BULLET.match(text, after.start, after.end) is None
    )
