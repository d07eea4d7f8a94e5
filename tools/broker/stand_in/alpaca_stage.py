"""The stage of the Alpaca adapter."""

from ..alpaca import Alpaca
from ..protocol import Broker
from ..registry import BrokerSettings
from .alpaca_server import AlpacaServer
from .faults import FaultInjector
from .stage import ServedStage, exchange


class AlpacaStage(ServedStage):
    """The real client (`alpaca-py`) before a loopback server that speaks Alpaca's protocol."""

    live_number = "987654321"

    def __init__(self) -> None:
        trading, injector = exchange(), FaultInjector()
        self._alpaca = AlpacaServer(trading, injector)
        super().__init__(trading, self._alpaca, injector)

    def connect(self, settings: BrokerSettings) -> Broker:
        """A new client."""
        return Alpaca(settings, pauses=(0.0, 0.0))

    def open_live(self, live: bool, named: str) -> Broker:
        """A client of an account whose number is not a paper account's."""
        self._alpaca.number = self.live_number
        return self.connect(self.settings(live, named))
