"""Clocks for live trading. Whatever waits, waits through one of them."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

SLICE = timedelta(seconds=5)
"""Longest sleep in one piece: a laptop that was shut finds out soon after that it is later than it thought."""

Wake = Callable[[float], bool]
"""Waits up to so many seconds for something to happen; whether it has."""


class Clock(Protocol):
    """Tells the time, and waits."""

    def now(self) -> datetime:
        """Now, aware."""
        ...

    def sleep_until(self, moment: datetime, beat: Callable[[], None], wake: Wake | None = None) -> None:
        """Come back at or after `moment`; `beat` is called on the way, at least every half minute of its time.

        Where waiting takes real time, it comes back early once `wake`, which waits up to so many seconds, returns True.
        """
        ...


class WallClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)

    def sleep_until(self, moment: datetime, beat: Callable[[], None], wake: Wake | None = None) -> None:
        """Sleep in short pieces, by the wall clock and not by a count of seconds slept."""
        while (left := moment - self.now()) > timedelta(0):
            beat()
            seconds = min(left, SLICE).total_seconds()
            if wake is None:
                time.sleep(seconds)
            elif wake(seconds):
                return
