"""The fault injector: decides, request by request, what goes wrong between a client and its venue."""

import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Fault = Literal[
    "answer_lost",
    "request_lost",
    "busy",
    "gateway_timeout",
    "disconnect",
    "duplicate_events",
    "out_of_order_events",
    "failed_snapshot",
    "stale_snapshot",
    "clock_skew",
]
"""What can go wrong.

- `answer_lost`: done, but no answer comes; `request_lost`: it never arrives; `disconnect`: the connection breaks.
- `busy`: refused for now (429); `gateway_timeout`: done, but a gateway says 504.
- `duplicate_events`, `out_of_order_events`: executions are told twice, or in another order.
- `failed_snapshot`: account and positions cannot be read; `stale_snapshot`: the cash is of before the last trades.
- `clock_skew`: the venue's clock is off.
"""

FAULTS: tuple[Fault, ...] = get_args(Fault)
Operation = Literal[
    "submit", "cancel", "order", "orders", "account", "positions", "fills", "clock", "quotes", "updates"
]


class Lost(Exception):
    """No answer came, or the connection broke."""


class Busy(Exception):
    """The venue refuses for now."""


@dataclass
class FaultInjector:
    """Faults by plan, or at random.

    Args:
        rates: probability of each fault for a request that it can hit.
        seed: of the random ones.
    """

    rates: Mapping[Fault, float] = field(default_factory=dict)
    seed: int = 0
    burst: int = 1
    """How many requests in a row meet `busy` or `gateway_timeout`, once one has by chance."""
    told: dict[Fault, int] = field(default_factory=dict)
    """How often each fault has happened."""

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._planned: deque[tuple[Fault, frozenset[str]]] = deque()
        self.standing: set[Fault] = set()
        """Faults that last until they are taken out of here."""

    def plan(self, fault: Fault, *operations: Operation, times: int = 1) -> None:
        """The next requests of these operations meet this fault, so many of them one after the other."""
        self._planned.extend([(fault, frozenset(operations))] * times)

    def next(self, operation: Operation) -> Fault | None:
        """What happens to this request."""
        fault = self._pick(operation)
        if fault is not None:
            self.told[fault] = self.told.get(fault, 0) + 1
        return fault

    def _pick(self, operation: Operation) -> Fault | None:
        for i, (fault, operations) in enumerate(self._planned):
            if operation in operations:
                del self._planned[i]
                return fault
        drawn = self._random.random()
        for fault, rate in self.rates.items():
            if operation in _HITS[fault]:
                drawn -= rate
                if drawn < 0:
                    if fault in ("busy", "gateway_timeout"):
                        self._planned.extend([(fault, _EVERYTHING)] * (self.burst - 1))
                    return fault
        return next((fault for fault in sorted(self.standing) if operation in _HITS[fault]), None)

    def around(self, operation: Operation, act: Callable[[], Any]) -> Any:
        """Do `act` as the wire lets it be done, for clients that are objects and not connections.

        Raises:
            Lost: as if a connection broke or an answer did not come.
            Busy: as if the venue refused for now.
        """
        fault = self.next(operation)
        if fault in ("request_lost", "disconnect", "failed_snapshot"):
            raise Lost("no answer came")
        if fault == "busy":
            raise Busy("too many requests")
        result = act()
        if fault in ("answer_lost", "gateway_timeout"):
            raise Lost("no answer came")
        if fault == "duplicate_events":
            return [*result, *result]
        if fault == "out_of_order_events":
            return result[::-1]
        return result


_EVERYTHING: frozenset[str] = frozenset(get_args(Operation))
_HITS: Mapping[Fault, frozenset[str]] = {
    "answer_lost": _EVERYTHING,
    "request_lost": _EVERYTHING,
    "busy": _EVERYTHING,
    "gateway_timeout": _EVERYTHING,
    "disconnect": _EVERYTHING,
    "duplicate_events": frozenset({"fills", "updates"}),
    "out_of_order_events": frozenset({"fills", "updates"}),
    "failed_snapshot": frozenset({"account", "positions"}),
    "stale_snapshot": frozenset({"account"}),
    "clock_skew": frozenset({"clock"}),
}
