"""The stage of the adapter of Binance."""

from ..ccxt_binance import CcxtBinance
from ..protocol import Broker
from ..registry import BrokerSettings
from .binance_server import BinanceServer, always
from .faults import FAULTS, Fault, FaultInjector
from .stage import COMMISSION, PRICES, ServedStage, exchange


class BinanceStage(ServedStage):
    """The real client (ccxt, in its sandbox mode) before a loopback server that speaks Binance's protocol."""

    faults: frozenset[Fault] = frozenset(FAULTS) - {"stale_snapshot"}
    """Cash and coins come in one answer, so they cannot belong to two moments."""
    live_number = "1001"

    def __init__(self) -> None:
        trading, injector = exchange(hours=always, commission=COMMISSION), FaultInjector()
        super().__init__(trading, BinanceServer(trading, tuple(PRICES), injector), injector)

    def connect(self, settings: BrokerSettings) -> Broker:
        """A new client."""
        return CcxtBinance(settings, pauses=(0.0, 0.0), paced=False)

    def open_live(self, live: bool, named: str) -> Broker:
        """A client that has left the sandbox, before the same server."""
        return _OutOfTheSandbox(self.settings(live, named), pauses=(0.0, 0.0), paced=False)


class _OutOfTheSandbox(CcxtBinance):
    """The adapter whose real addresses are put on this machine, so that nothing leaves it."""

    def _point_at(self, settings: BrokerSettings) -> None:
        url = settings.environment["CCXT_URL"]
        self._client.urls["api"] = dict.fromkeys(("public", "private", "v1"), f"{url}/api/v3")
