"""When things happen: quarters, releases, filings, ex-dates and listings, for all companies at once.

Days are counted as sessions of the market, 0 for its first; a filing from before it has a negative number.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from ...clock import TradingCalendar
from ..generated.process import quarter_bounds
from .cast import Cast, Numbers
from .plan import LaboratoryPlan
from .streams import TIMES, stream

EARLY_QUARTERS = 16
"""Quarters of business before the market opens."""
FIRST_FILED = 11
"""The first of them whose filing is in the data: so that twelve-month figures are known from the first session."""
NEVER = 1 << 30
"""The number of a session that does not come."""


@dataclass(frozen=True)
class Timetable:
    """Sessions and the days of every quarter; Q quarters by N companies."""

    calendar: TradingCalendar
    days: tuple[date, ...]
    """All sessions of `calendar`; it starts a year before the market and ends after it."""
    before: int
    """How many of them lie before the market's first."""
    count: int
    """T, the sessions of the market."""
    quarters: tuple[tuple[date, date], ...]
    """First and last day of each, length Q; all companies close their books by calendar quarters."""
    quarter_ends: Numbers
    """(Q,) last session within each; below 0 before the market."""
    announced: Numbers
    """(Q, N) the session of the release, or `NEVER`."""
    minutes: Numbers
    """(Q, N) minutes after its close, or before its open where the company publishes in the morning."""
    reacts: Numbers
    """(Q, N) the first session that trades on the release."""
    filed: Numbers
    """(Q, N) the session of the filing, or `NEVER`."""
    amended: Numbers
    """(Q, N) the session of an amendment, or `NEVER`."""
    ex_dividend: Numbers
    """(Q, N) first session without this quarter's dividend, or `NEVER`; numbers below 0 for those before the market."""
    listed: Numbers
    """(N,) first session."""
    last: Numbers
    """(N,) last session; T - 1 for a company that stays."""

    @property
    def sessions(self) -> tuple[date, ...]:
        """The market's sessions, length T."""
        return self.days[self.before : self.before + self.count]

    def day(self, session: int) -> date:
        """The date of a session by its number; negative numbers lie before the market."""
        return self.days[self.before + session]


def draw_timetable(plan: LaboratoryPlan, cast: Cast) -> Timetable:
    """The days of a plan.

    Raises:
        InputError: the exchange calendar does not cover these years.
    """
    first, last_year = plan.first_year, plan.first_year + plan.years - 1
    calendar = TradingCalendar("XNYS", date(first - 2, 12, 1), date(last_year + 1, 6, 30))
    days = calendar.sessions(calendar.start, calendar.end)
    stamps = np.array(days, dtype="datetime64[D]")
    before = int(np.searchsorted(stamps, np.datetime64(date(first, 1, 1))))
    count = int(np.searchsorted(stamps, np.datetime64(date(last_year, 12, 31)), side="right")) - before
    early = EARLY_QUARTERS // 4
    quarters = tuple(
        quarter_bounds(year, number) for year in range(first - early, last_year + 1) for number in (1, 2, 3, 4)
    )
    ends = np.array([end for _, end in quarters], dtype="datetime64[D]")

    waits, pauses, minutes, delays = _drawn_times(plan, cast, len(quarters))
    # the session that follows a day: the first with a later date
    announced = np.searchsorted(stamps, ends[:, None] + waits, side="right") - before
    filed = np.searchsorted(stamps, stamps[announced + before] + pauses - 1, side="right") - before
    amended = np.where(delays < NEVER, np.searchsorted(stamps, stamps[filed + before] + delays % NEVER) - before, NEVER)
    starts = np.array([end.replace(day=1) for _, end in quarters], dtype="datetime64[D]")
    ex_dividend = np.searchsorted(stamps, starts)[:, None] + cast.dividend_day[None, :] - before

    listed = np.where(cast.listed >= 0, np.round(cast.listed * count), 0).astype(np.int64)
    span = np.where(np.isfinite(cast.leaves), np.minimum(cast.leaves * 252, NEVER), NEVER).astype(np.int64)
    # a company that is to leave within its first year, or at the very end, stays
    last = np.where((span > listed + 252) & (span < count - 21), span, count - 1)
    early_rows = np.arange(len(quarters))[:, None] < FIRST_FILED
    known = (filed < np.minimum(last[None, :] + 1, count - 1)) & ~early_rows
    public = known & (announced >= listed[None, :] + 1)
    # a company that was there before the market opened has paid before, too
    paying = ((ex_dividend > listed) & (ex_dividend <= last)) | ((ex_dividend < 0) & (listed == 0))
    return Timetable(
        calendar=calendar,
        days=days,
        before=before,
        count=count,
        quarters=quarters,
        quarter_ends=np.searchsorted(stamps, ends, side="right") - 1 - before,
        announced=np.where(public, announced, NEVER),
        minutes=minutes,
        reacts=np.where(public, announced + ~cast.morning[None, :], NEVER),
        filed=np.where(known, filed, NEVER),
        amended=np.where(known & (amended < np.minimum(last[None, :] + 1, count - 1)), amended, NEVER),
        ex_dividend=np.where(paying, ex_dividend, NEVER),
        listed=listed,
        last=last,
    )


def _drawn_times(plan: LaboratoryPlan, cast: Cast, quarters: int) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Days from a quarter's end to the release, from there to the filing, minutes, days to an amendment; (Q, N)."""
    columns: list[tuple[NDArray[np.int64], ...]] = []
    for number in range(len(cast)):
        rng = stream(plan.seed, TIMES, number)
        habit = int(rng.integers(24, 30))
        wait = habit + rng.integers(0, 4, quarters)
        pause = rng.integers(0, 5, quarters)
        minutes = rng.integers(5, 91, quarters)
        delay = np.where(rng.random(quarters) < plan.restatements, rng.integers(20, 46, quarters), NEVER)
        columns.append((wait, pause, minutes, delay))
    waits, pauses, minutes, delays = (np.column_stack(parts).astype(np.int64) for parts in zip(*columns, strict=True))
    return waits, pauses, minutes, delays


def moment(table: Timetable, session: int, minutes: int, morning: bool) -> datetime:
    """When a release appears: UTC, so many minutes after the close, or an hour and so many minutes before the open."""
    day = table.day(session)
    if morning:
        return table.calendar.open_of(day) - timedelta(minutes=60 + minutes)
    return table.calendar.close_of(day) + timedelta(minutes=minutes)
