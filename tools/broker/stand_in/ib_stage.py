"""The stage of the adapter of Interactive Brokers."""

from datetime import datetime, timedelta

from ..interactive_brokers import InteractiveBrokers
from ..protocol import Broker
from ..registry import BrokerSettings
from .alpaca_stage import exchange
from .faults import FAULTS, Fault, FaultInjector
from .ib_server import IBServer


class IBStage:
    """The real client (`ib_async`) before a loopback gateway that speaks the TWS API."""

    tickers = ("AURX", "BOLT")
    faults: frozenset[Fault] = frozenset(FAULTS)
    partial = True

    def __init__(self) -> None:
        self.injector = FaultInjector()
        self._exchange = exchange(fractional=False)
        self._server = IBServer(self._exchange, self.injector)
        self._server.__enter__()

    def open(self) -> Broker:
        """A new client."""
        settings = BrokerSettings(timeout_seconds=5, environment=self._server.environment)
        return InteractiveBrokers(settings, pauses=(0.0, 0.0))

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
