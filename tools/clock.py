"""The sessions of an exchange, and the sessions at which a desk decides.

Dates name sessions; times are UTC. Nothing here reads the wall clock.
"""

import re
import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from importlib.metadata import version
from textwrap import shorten
from typing import Literal, NamedTuple

import numpy as np

from .errors import InputError
from .frozen import content_hash
from .user_cache import load_arrays, store_arrays

Frequency = Literal["daily", "weekly", "monthly", "quarterly"]
"""How often a desk decides."""


class _Schedule(NamedTuple):
    sessions: tuple[date, ...]
    opens: tuple[datetime, ...]
    closes: tuple[datetime, ...]


CYCLE_YEARS = 28
"""After so many years the weekdays and leap days of the Gregorian calendar repeat, within `CYCLE_SPAN`."""
CYCLE_SPAN = (1901, 2099)
"""First and last year between which no century breaks the cycle (1900 and 2100 are no leap years)."""

_SCHEDULE_FORM = 1
"""Raise it when `_computed` makes another schedule of the same calendar."""
_SCHEDULES_KEPT = 64
_SHIFTED = re.compile(r"(?P<base>.+)\+(?P<years>\d+)y")


@lru_cache(maxsize=32)
def _whole_years(name: str, first_year: int, last_year: int) -> _Schedule:
    """The sessions of a calendar with their UTC opens and closes, for whole years.

    A name such as `XNYS+28y` is the schedule of XNYS 28 years earlier, every date and time moved by 28 calendar years.
    """
    shifted = _SHIFTED.fullmatch(name)
    if shifted is None:
        return _built(name, first_year, last_year)
    years = int(shifted["years"])
    if years == 0 or years % CYCLE_YEARS:
        raise InputError(
            f"the calendar {name} is shifted by {years} years; shift it by {CYCLE_YEARS} or a multiple of it, "
            "after which the weekdays repeat"
        )
    lowest, highest = CYCLE_SPAN
    if first_year - years < lowest or last_year > highest:
        raise InputError(
            f"the calendar {name} cannot cover {first_year} to {last_year}: the weekdays repeat only within "
            f"{lowest} to {highest}; choose years from {lowest + years} to {highest}"
        )
    base = _built(shifted["base"], first_year - years, last_year - years)
    return _Schedule(
        tuple(day.replace(year=day.year + years) for day in base.sessions),
        tuple(moment.replace(year=moment.year + years) for moment in base.opens),
        tuple(moment.replace(year=moment.year + years) for moment in base.closes),
    )


def _built(name: str, first_year: int, last_year: int) -> _Schedule:
    """The schedule as exchange_calendars has it, from the user's cache if it was built before.

    Importing exchange_calendars and building a calendar take more than a second.
    """
    key = content_hash([name, first_year, last_year, version("exchange_calendars"), _SCHEDULE_FORM])
    kept = load_arrays("calendars", key)
    if kept is not None:
        return _Schedule(
            tuple(kept["sessions"].tolist()),
            tuple(moment.replace(tzinfo=UTC) for moment in kept["opens"].tolist()),
            tuple(moment.replace(tzinfo=UTC) for moment in kept["closes"].tolist()),
        )
    schedule = _computed(name, first_year, last_year)
    arrays = {
        "sessions": np.array(schedule.sessions, dtype="datetime64[D]"),
        "opens": np.array([moment.replace(tzinfo=None) for moment in schedule.opens], dtype="datetime64[us]"),
        "closes": np.array([moment.replace(tzinfo=None) for moment in schedule.closes], dtype="datetime64[us]"),
    }
    store_arrays("calendars", key, arrays, _SCHEDULES_KEPT)
    return schedule


def _computed(name: str, first_year: int, last_year: int) -> _Schedule:
    # Imported here: it takes up to a second, and most commands never need it.
    import exchange_calendars

    try:
        with warnings.catch_warnings():
            # exchange_calendars 4.13 reads time zones in a way that pandas 3.1 deprecates.
            warnings.filterwarnings("ignore", message="Series.values returning", category=DeprecationWarning)
            # The bounds are explicit because the library's default reaches back only 20 years.
            calendar = exchange_calendars.get_calendar(name, start=f"{first_year}-01-01", end=f"{last_year}-12-31")
            frame = calendar.schedule
    except exchange_calendars.errors.InvalidCalendarName:
        raise InputError(
            f"there is no exchange calendar named {name!r}; use a name of exchange_calendars such as XNYS, XLON or 24/7"
        ) from None
    except (exchange_calendars.errors.CalendarError, ValueError) as error:
        # The library may list hundreds of days.
        reason = shorten(str(error), 200, placeholder=" ...")
        raise InputError(
            f"the calendar {name} cannot cover {first_year} to {last_year} ({reason}); choose other dates, or update "
            "exchange_calendars"
        ) from error
    return _Schedule(
        tuple(stamp.date() for stamp in frame.index),
        tuple(stamp.to_pydatetime().astimezone(UTC) for stamp in frame["open"]),
        tuple(stamp.to_pydatetime().astimezone(UTC) for stamp in frame["close"]),
    )


class TradingCalendar:
    """The sessions of one exchange between two dates.

    Args:
        name: an `exchange_calendars` name, e.g. `XNYS`; or one that is moved by 28 years or a multiple, e.g.
            `XNYS+28y`: the schedule of the years before, on the same weekdays.
        start: first date covered.
        end: last date covered.

    Raises:
        InputError: the calendar is unknown, or cannot cover these dates; or the shift is none after which weekdays
            repeat.
    """

    def __init__(self, name: str, start: date, end: date) -> None:
        self.name = name
        self.start = start
        self.end = end
        years = _whole_years(name, start.year, end.year)
        covered = slice(bisect_left(years.sessions, start), bisect_right(years.sessions, end))
        self._schedule = _Schedule(years.sessions[covered], years.opens[covered], years.closes[covered])
        self._row = {day: i for i, day in enumerate(self._schedule.sessions)}

    def __repr__(self) -> str:
        return f"TradingCalendar({self.name!r}, {self.start}, {self.end})"

    def is_session(self, day: date) -> bool:
        """Whether the exchange trades on `day`."""
        return day in self._row

    def open_of(self, session: date) -> datetime:
        """When the session opens, UTC.

        Raises:
            InputError: `session` is no session of this calendar.
        """
        return self._schedule.opens[self._index(session)]

    def close_of(self, session: date) -> datetime:
        """When the session closes (early closes included), UTC.

        Raises:
            InputError: `session` is no session of this calendar.
        """
        return self._schedule.closes[self._index(session)]

    def next_session(self, day: date) -> date:
        """The first session after `day` (which need not be a session).

        Raises:
            InputError: that lies beyond the dates covered.
        """
        row = bisect_right(self._schedule.sessions, day)
        if row == len(self._schedule.sessions) or day < self.start:
            raise InputError(f"the session after {day} lies outside {self!r}; choose dates within it")
        return self._schedule.sessions[row]

    def previous_session(self, day: date) -> date:
        """The last session before `day` (which need not be a session).

        Raises:
            InputError: that lies beyond the dates covered.
        """
        row = bisect_left(self._schedule.sessions, day)
        if row == 0 or day > self.end:
            raise InputError(f"the session before {day} lies outside {self!r}; choose dates within it")
        return self._schedule.sessions[row - 1]

    def last_closed(self, moment: datetime) -> date:
        """The last session whose close is not later than `moment` (aware).

        Raises:
            InputError: no covered session has closed by then, or `moment` lies after the dates covered.
        """
        row = bisect_right(self._schedule.closes, moment)
        if row == 0 or moment.astimezone(UTC).date() > self.end:
            raise InputError(f"no session has closed by {moment.isoformat()} within {self!r}; choose a time within it")
        return self._schedule.sessions[row - 1]

    def sessions(self, start: date, end: date) -> tuple[date, ...]:
        """All sessions with `start <= session <= end`, ascending.

        Raises:
            InputError: the dates reach beyond those covered.
        """
        if start < self.start or end > self.end:
            raise InputError(f"{start} to {end} reaches beyond {self!r}; choose dates within it")
        days = self._schedule.sessions
        return days[bisect_left(days, start) : bisect_right(days, end)]

    def decision_sessions(self, sessions: Sequence[date], frequency: Frequency) -> tuple[date, ...]:
        """The sessions of a window at whose close the desk decides.

        The window's first session (so that the desk is invested early) and the last session of each complete period.
        A period is complete when the calendar's next session lies in another period, so a window that ends in
        mid-month has no monthly decision there.

        Args:
            sessions: the window, ascending sessions of this calendar.
            frequency: the period.

        Raises:
            InputError: a date of the window is no session, or the calendar ends with the window.
        """
        if not sessions:
            return ()
        for day in sessions:
            self._index(day)
        chosen = [sessions[0]]
        for day in sessions[1:]:
            if _period(day, frequency) != _period(self.next_session(day), frequency):
                chosen.append(day)
        return tuple(chosen)

    def _index(self, session: date) -> int:
        try:
            return self._row[session]
        except KeyError:
            raise InputError(f"{session} is no session of {self!r}; choose a trading day") from None


def _period(day: date, frequency: Frequency) -> tuple[int, int]:
    """The period that a day lies in."""
    match frequency:
        case "daily":
            return day.year, day.toordinal()
        case "weekly":
            year, week, _ = day.isocalendar()
            return year, week
        case "monthly":
            return day.year, day.month
        case "quarterly":
            return day.year, (day.month - 1) // 3
