"""A figure over a period, and how periods of fiscal calendars are recognised."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

MONTHS = ((80, 105, 3), (170, 200, 6), (260, 290, 9), (350, 380, 12))
"""(least days, most days, months): wide enough for quarters of 12 to 14 weeks and years of 52 or 53."""
_MONTHS_OF = {days: months for least, most, months in MONTHS for days in range(least, most + 1)}
GAP_DAYS = 4
"""Fiscal calendars that end on a weekday may leave or share a few days between consecutive periods."""


def nearest(day: date, reach: int) -> Iterator[date]:
    """The days within `reach` of `day`, the nearest first."""
    yield day
    for step in range(1, reach + 1):
        yield day - timedelta(days=step)
        yield day + timedelta(days=step)


def months_of(start: date, end: date) -> int | None:
    """3, 6, 9 or 12; None for an odd period."""
    return _MONTHS_OF.get((end - start).days + 1)


class Figure(NamedTuple):
    """One amount over one period, with where it came from."""

    value: float
    """Money as filed; per-share figures and share counts in the shares of the view's session."""
    start: date | None
    """None for a figure at a day."""
    end: date
    available_at: datetime
    """UTC; the latest of what it was computed from."""
    source: str
    """Accession of the newest filing it was computed from."""
    derived: bool = False
    """False where a filing gives this very figure, true where it was computed from several."""

    @property
    def months(self) -> int | None:
        """3, 6, 9 or 12; None for a figure at a day or an odd period."""
        return None if self.start is None else months_of(self.start, self.end)


def combined(value: float, inputs: Sequence[Figure], start: date | None, end: date) -> Figure:
    """A figure computed from others: known when the last of them was, its source the newest filing."""
    newest = inputs[0]
    for other in inputs[1:]:
        if (other.available_at, other.end, other.source) > (newest.available_at, newest.end, newest.source):
            newest = other
    return Figure(value, start, end, newest.available_at, newest.source, derived=True)
