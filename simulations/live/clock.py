"""Clocks for live trading. Whatever waits, waits through one of them."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

SLICE = timedelta(seconds=5)
"""Longest sleep in one piece: a laptop that was shut finds out soon after that it is later than it thought."""


class Clock(Protocol):
    """Tells the time, and waits."""

    def now(self) -> datetime:
        """Now, aware."""
        ...

    def sleep_until(self, moment: datetime, beat: Callable[[], None]) -> None:
        """Come back at or after `moment`; `beat` is called on the way, at least every half minute of its time."""
        ...


class WallClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)

    def sleep_until(self, moment: datetime, beat: Callable[[], None]) -> None:
        """Sleep in short pieces, by the wall clock and not by a count of seconds slept."""
        while (left := moment - self.now()) > timedelta(0):
            beat()
            time.sleep(min(left, SLICE).total_seconds())
