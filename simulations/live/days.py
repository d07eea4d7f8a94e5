"""The sessions that a live desk looks at, from its beginning to some weeks after the moment, and its last moments."""

from datetime import date, datetime, timedelta
from pathlib import Path

from ...memory.journal import Journal
from ...tools.clock import TradingCalendar
from .clock import Clock
from .settings import TradeConfig

HORIZON = timedelta(days=40)
"""How far ahead of the clock the exchange's calendar is looked at."""


def recorded_sessions(folder: Path) -> tuple[date, ...]:
    """The first and the last session on record; none where nothing is."""
    with Journal.open_readonly(folder) as journal:
        days = [record.event.session for record in journal.events("venue_reported")]  # type: ignore[union-attr]
    return (days[0], days[-1]) if days else ()


def last_moment(calendar: TradingCalendar, session: date, config: TradeConfig) -> datetime:
    """Until when the orders of the decision at a session's close have to be ready: the next open.

    An exchange that never closes opens the moment it closes: there it is as long after as orders may still be sent.
    """
    closes, opens = calendar.close_of(session), calendar.open_of(calendar.next_session(session))
    return opens if opens > closes else closes + timedelta(minutes=config.send_minutes)


class LiveCalendar:
    """The exchange's calendar from before the session's beginning to some weeks after the moment."""

    def __init__(self, name: str, clock: Clock, recorded: tuple[date, ...]) -> None:
        self._name, self._clock = name, clock
        days = recorded or (clock.now().date(),)
        self._calendar = TradingCalendar(name, days[0] - HORIZON, days[-1] + HORIZON)

    def now(self) -> TradingCalendar:
        """The calendar; made anew when the clock comes near its end."""
        today = self._clock.now().date()
        if today + HORIZON / 2 > self._calendar.end:
            self._calendar = TradingCalendar(self._name, self._calendar.start, today + HORIZON)
        return self._calendar
