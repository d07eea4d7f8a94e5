"""When a quarter becomes known: the release after a close, the filing some days later."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from ...clock import TradingCalendar
from .process import Quarter


@dataclass(frozen=True)
class Report:
    """A quarter with the moments at which the world learns of it."""

    quarter: Quarter
    announced: date
    """The session after whose close the press release appears."""
    published_at: datetime
    """UTC, 5 to 40 minutes after that close."""
    filed: date
    """25 to 40 days after the quarter's end, not before the release."""


def schedule(quarters: Sequence[Quarter], calendar: TradingCalendar, rng: np.random.Generator) -> tuple[Report, ...]:
    """Those quarters that become known within the calendar, with their times."""
    reports = []
    for quarter in quarters:
        wait, pause, minutes = int(rng.integers(25, 33)), int(rng.integers(0, 5)), int(rng.integers(5, 41))
        if not calendar.start < quarter.end + timedelta(days=wait) < calendar.end - timedelta(days=10):
            continue
        announced = calendar.next_session(quarter.end + timedelta(days=wait - 1))
        filed = calendar.next_session(announced + timedelta(days=pause - 1))
        published_at = calendar.close_of(announced) + timedelta(minutes=minutes)
        reports.append(Report(quarter, announced, published_at, filed))
    return tuple(reports)


def accession(filer_id: str, day: date, kind: int) -> str:
    """An accession number shaped like a real one, `filer-yy-sequence`; ascending, unique per day and kind 0..4."""
    return f"{filer_id}-{day:%y}-{day.timetuple().tm_yday * 5 + kind:06d}"
