"""What the stages of our own adapters share: the real client before a loopback server of its venue's protocol."""

from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Protocol, Self

from ..protocol import Broker
from ..registry import BrokerSettings
from .exchange import Exchange
from .faults import FAULTS, Fault, FaultInjector

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
PRICES = {"AURX": 50.0, "BOLT": 20.0}
COMMISSION = 0.001
"""Of the value of an execution, at the venues that tell what an execution cost."""


class Server(Protocol):
    """A loopback server."""

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which a client finds it."""
        ...

    def __enter__(self) -> Self:
        """Start it."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        ...


def exchange(**changes: object) -> Exchange:
    """An open exchange with two names, which trades when it is told to."""
    found = Exchange(NOON, lambda ticker, at: PRICES.get(ticker), share_of_fill=0.0)
    for name, value in changes.items():
        setattr(found, name, value)
    return found


class ServedStage:
    """An exchange, its server, and connections to it; a subclass says which client and which server.

    Args:
        exchange: what trades.
        server: what speaks the venue's protocol before it, with `injector` for its faults.
        injector: what goes wrong.
    """

    tickers = ("AURX", "BOLT")
    faults: frozenset[Fault] = frozenset(FAULTS)
    partial = True

    def __init__(self, exchange: Exchange, server: Server, injector: FaultInjector) -> None:
        self.injector = injector
        self._exchange, self._server = exchange, server
        server.__enter__()

    def connect(self, settings: BrokerSettings) -> Broker:
        """A new client."""
        raise NotImplementedError

    def settings(self, live: bool = False, named: str = "") -> BrokerSettings:
        """What the adapter may know, with the two switches of live trading."""
        environment = self._server.environment | {"PAPERDESK_LIVE_ACCOUNT": named}
        return BrokerSettings(timeout_seconds=5, live=live, environment=environment)

    def open(self) -> Broker:
        """A new client of the paper account."""
        return self.connect(self.settings())

    def now(self) -> datetime:
        """The exchange's clock."""
        return self._exchange.now

    def trade(self, share: float = 1.0) -> None:
        """A minute in which `share` of every order fills."""
        self._exchange.share_of_fill = share
        self._exchange.advance(self._exchange.now + timedelta(minutes=1))
        self._exchange.share_of_fill = 0.0

    def close(self) -> None:
        """Stop the server."""
        self._server.__exit__(None, None, None)
