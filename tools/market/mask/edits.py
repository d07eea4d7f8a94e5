"""Replacements in one text that are found independently and applied together."""

from collections.abc import Iterable
from typing import NamedTuple


class Edit(NamedTuple):
    """`text[start:end]` becomes `new`; equal to what stands there, it keeps others away from it."""

    start: int
    end: int
    new: str


def chosen(edits: Iterable[Edit]) -> list[Edit]:
    """The edits that do not overlap, in order of place: of two that do, the one that comes first in `edits` stays."""
    taken: list[Edit] = []
    used: set[int] = set()
    for edit in edits:
        span = range(edit.start, edit.end)
        if used.isdisjoint(span):
            used.update(span)
            taken.append(edit)
    return sorted(taken)


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text with the edits that do not overlap."""
    parts, place = [], 0
    for edit in chosen(edits):
        parts += [text[place : edit.start], edit.new]
        place = edit.end
    return "".join([*parts, text[place:]])
