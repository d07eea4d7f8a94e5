"""The stage of the Alpaca adapter."""

from datetime import UTC, datetime, timedelta

from ..alpaca import Alpaca
from ..protocol import Broker
from ..registry import BrokerSettings
from .alpaca_server import AlpacaServer
from .exchange import Exchange
from .faults import FAULTS, Fault, FaultInjector

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)
PRICES = {"AURX": 50.0, "BOLT": 20.0}


def exchange(**changes: object) -> Exchange:
    """An open exchange with two names."""
    found = Exchange(NOON, lambda ticker, at: PRICES.get(ticker), share_of_fill=0.0)
    for name, value in changes.items():
        setattr(found, name, value)
    return found


class AlpacaStage:
    """The real client in front of a loopback server that speaks Alpaca's protocol."""

    tickers = ("AURX", "BOLT")
    faults: frozenset[Fault] = frozenset(FAULTS)
    partial = True

    def __init__(self) -> None:
        self.injector = FaultInjector()
        self._exchange = exchange()
        self._server = AlpacaServer(self._exchange, self.injector)
        self._server.__enter__()

    def open(self) -> Broker:
        """A new client."""
        settings = BrokerSettings(timeout_seconds=5, environment=self._server.environment)
        return Alpaca(settings, pauses=(0.0, 0.0))

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
