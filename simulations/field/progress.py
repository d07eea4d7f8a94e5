"""How far a field is, in a line: what is done, what failed, how long it will take."""

import time

from ..pace import duration
from .plan import Field, Status


class Progress:
    """Counts members as they end and estimates what is left."""

    def __init__(self, field: Field) -> None:
        self._total = len(field.members)
        self._seconds: list[float] = []
        self._began = time.monotonic()

    def line(self, name: str, status: Status, field: Field) -> str:
        """What to say of a member that has ended."""
        if status.seconds > 0:
            self._seconds.append(status.seconds)
        done = sum(s.state == "done" for s in field.status.values())
        failed = sum(s.state == "failed" for s in field.status.values())
        what = f"{name}: {'done' if status.state == 'done' else f'failed: {status.error}'}"
        left = self._total - done - failed
        count = f"{done} of {self._total} done" + (f", {failed} failed" if failed else "")
        return f"{what} ({count}{self._left(left)})"

    def _left(self, members: int) -> str:
        if not members or not self._seconds:
            return ""
        # what has been achieved per second of the clock already knows how many run side by side
        each = (time.monotonic() - self._began) / len(self._seconds)
        return f", about {duration(each * members)} left"
