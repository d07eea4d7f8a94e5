"""The stage of the adapter of Binance."""

from datetime import datetime, timedelta

from ..ccxt_binance import CcxtBinance
from ..protocol import Broker
from ..registry import BrokerSettings
from .alpaca_stage import PRICES, exchange
from .binance_server import BinanceServer, always
from .faults import FAULTS, Fault, FaultInjector


class BinanceStage:
    """The real client (ccxt, in its sandbox mode) before a loopback server that speaks Binance's protocol."""

    tickers = ("AURX", "BOLT")
    faults: frozenset[Fault] = frozenset(FAULTS) - {"stale_snapshot"}
    """Cash and coins come in one answer, so they cannot belong to two moments."""
    partial = True

    def __init__(self) -> None:
        self.injector = FaultInjector()
        self._exchange = exchange(hours=always)
        self._server = BinanceServer(self._exchange, tuple(PRICES), self.injector)
        self._server.__enter__()

    def open(self) -> Broker:
        """A new client."""
        settings = BrokerSettings(timeout_seconds=5, environment=self._server.environment)
        return CcxtBinance(settings, pauses=(0.0, 0.0), paced=False)

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
