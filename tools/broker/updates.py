"""What a venue pushes: news of orders as they happen, in whatever order and however often they are told.

A feed makes a venue's answers sooner, never surer. Events are lost with a connection, told twice and told late; so
nothing is concluded from a feed's silence, an execution that it tells is known by its id, and whoever needs to be sure
asks the venue.
"""

from collections import deque
from datetime import datetime
from threading import Condition
from time import monotonic
from typing import Protocol, runtime_checkable

from pydantic import AwareDatetime

from ..frozen import Frozen
from .protocol import Execution, OrderState

ENDED = frozenset({"filled", "cancelled", "rejected", "expired"})
"""Statuses after which an order does not change any more."""
KEPT = 4096
"""Orders and executions that a feed remembers, of the latest."""


class OrderUpdate(Frozen):
    """One piece of news: the state of an order, and the execution that led to it, where it was one."""

    order: OrderState
    execution: Execution | None = None
    at: AwareDatetime


@runtime_checkable
class Streaming(Protocol):
    """An adapter whose venue pushes; `capabilities.streams` says so too."""

    def updates(self) -> "UpdateFeed":
        """The feed, opened at the first call; it connects by itself, and again after every disconnection."""
        ...


class UpdateFeed:
    """News of orders, each once: filled by an adapter's thread, read by the desk's.

    An order's state never goes back: of two, the one that ended stands, else the one that filled more.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._news: deque[OrderUpdate] = deque(maxlen=KEPT)
        self._states: dict[str, OrderState] = {}
        self._executions: dict[str, Execution] = {}
        self._live = False
        self._connections = 0
        self._trouble = ""

    @property
    def live(self) -> bool:
        """Whether the venue pushes now, as far as is known."""
        return self._live

    @property
    def connections(self) -> int:
        """How often it was connected. What happened before a new connection may never be told: ask the venue then."""
        return self._connections

    @property
    def trouble(self) -> str:
        """Why the last connection ended; empty where none has."""
        return self._trouble

    def connected(self) -> None:
        """The venue has confirmed that it pushes from now on."""
        with self._changed:
            self._live = True
            self._connections += 1
            self._changed.notify_all()

    def lost(self, why: str) -> None:
        """The connection is gone."""
        with self._changed:
            self._live, self._trouble = False, why
            self._changed.notify_all()

    def tell(self, update: OrderUpdate) -> None:
        """Take in what the venue pushed; what is known already changes nothing."""
        key, execution = update.order.client_order_id, update.execution
        with self._changed:
            fresh = execution is not None and execution.execution_id not in self._executions
            if execution is not None and fresh:
                self._executions[execution.execution_id] = execution
            further = _is_further(update.order, self._states.get(key))
            if further:
                self._states[key] = update.order
            if not (fresh or further):
                return
            self._news.append(update)
            for kept in (self._states, self._executions):
                while len(kept) > KEPT:
                    del kept[next(iter(kept))]
            self._changed.notify_all()

    def take(self) -> list[OrderUpdate]:
        """What is new since the last call, in the order in which it arrived."""
        with self._changed:
            found = list(self._news)
            self._news.clear()
            return found

    def state(self, client_order_id: str) -> OrderState | None:
        """The furthest state that was told of an order; None says nothing about the order."""
        with self._changed:
            return self._states.get(client_order_id)

    def executions(self, since: datetime) -> list[Execution]:
        """Executions at or after a time that were told, each once, by time; there may be others."""
        with self._changed:
            told = [found for found in self._executions.values() if found.at >= since]
        return sorted(told, key=lambda found: (found.at, found.execution_id))

    def wait(self, seconds: float) -> bool:
        """Come back once there is news, at the latest after so many seconds.

        Returns:
            Whether there is.
        """
        until = monotonic() + seconds
        with self._changed:
            while not self._news and (left := until - monotonic()) > 0:
                self._changed.wait(left)
            return bool(self._news)


def _is_further(new: OrderState, old: OrderState | None) -> bool:
    if old is None:
        return True
    return (new.status in ENDED, new.filled_quantity) > (old.status in ENDED, old.filled_quantity)
