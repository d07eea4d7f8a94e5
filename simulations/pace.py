"""How fast a session goes: how long it will still take, and what is left of what it may spend."""

import time
from collections.abc import Callable

from ..agents.models.budget import Budget, Meter
from ..agents.models.core import Reply
from ..memory.journal.events import DecisionClosed, Event, ModelCalled, SessionStarted


class Pace:
    """Counts decisions and tokens as events come.

    The time left is that of the decisions that were made before one's eyes; those that are derived from the record take
    no time and count as done.
    """

    def __init__(self, budget: Budget | None = None, now: Callable[[], float] = time.monotonic) -> None:
        """With a budget what is left of it is told too; `now` is a clock in seconds, whatever its zero."""
        self._now = now
        self._meter = Meter(budget or Budget())
        self._planned = self._closed = self._timed = 0
        self._since: float | None = None
        self._last = 0.0

    def take(self, event: Event, fresh: bool) -> None:
        """An event was written, or derived again (`fresh` is False)."""
        if fresh and self._since is None:
            self._since = self._now()
        match event:
            case SessionStarted():
                self._planned = len(event.decisions)
            case ModelCalled():
                self._meter.count(event.request_key, Reply.model_validate(event.reply))
            case DecisionClosed():
                self._closed += 1
                if fresh:
                    self._timed += 1
                    self._last = self._now()
            case _:
                pass

    @property
    def seconds_left(self) -> float | None:
        """About; None where nothing is left, or before there is a decision to go by."""
        left = self._planned - self._closed
        if left <= 0 or not self._timed or self._since is None:
            return None
        each = (self._last - self._since) / self._timed
        # one that takes longer than usual is taken to be about to end
        return max(each * left - (self._now() - self._last), each * (left - 1))

    def told(self) -> str:
        """What is left, in a few words; empty where nothing is known."""
        budget, spent = self._meter.budget, self._meter.spent
        tokens = spent.prompt_tokens + spent.generated_tokens
        parts = [] if self.seconds_left is None else [f"about {duration(self.seconds_left)} left"]
        if budget.tokens is not None:
            parts.append(f"{max(budget.tokens - tokens, 0):,} of {budget.tokens:,} tokens left")
        elif tokens:
            parts.append(f"{tokens:,} tokens")
        if budget.money is not None and (cost := budget.cost_usd(spent)) is not None:
            parts.append(f"{max(budget.money - cost, 0):,.2f} of {budget.money:,.2f} US dollars left")
        return ", ".join(parts)


def duration(seconds: float) -> str:
    """`40 s`, `12 min`, `1 h 20 min`."""
    if seconds < 90:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
