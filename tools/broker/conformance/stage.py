"""Where a broker is checked: a venue that trades and fails on demand."""

from datetime import datetime
from typing import Protocol, runtime_checkable

from ..protocol import Broker
from ..stand_in.faults import Fault, FaultInjector

ENTRY_POINTS = "paperdesk.broker_stages"
"""Group under which a package registers `name = "module:function"`; the function makes a fresh stage."""


class Stage(Protocol):
    """One account at one venue, new and without positions, with at least 10,000 in cash.

    A package that brings a broker brings a stage of the same name: its real adapter before a stand-in of the venue.
    """

    tickers: tuple[str, str]
    """Two names that trade there, below 100 a share."""
    faults: frozenset[Fault]
    """Faults that `injector` can bring about here."""
    injector: FaultInjector
    """What goes wrong between the adapter and its venue."""
    partial: bool
    """Whether `trade` can leave an order filled in part."""

    def open(self) -> Broker:
        """A new connection to the same account, as after a restart."""
        ...

    def now(self) -> datetime:
        """The true time at the venue, aware."""
        ...

    def trade(self, share: float = 1.0) -> None:
        """Let the venue execute what can be executed, `share` of each order's rest (within the same session)."""
        ...

    def close(self) -> None:
        """End it."""
        ...


@runtime_checkable
class LiveStage(Protocol):
    """A stage that can show an account that is no paper account, so that the switches of live trading are checked."""

    live_number: str
    """Number of that account."""

    def open_live(self, live: bool, named: str) -> Broker:
        """A connection to that account, with these two switches: `BrokerSettings.live`, and the number named."""
        ...
