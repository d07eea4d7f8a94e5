"""The stage of the adapter of Interactive Brokers."""

from ..interactive_brokers import InteractiveBrokers
from ..protocol import Broker
from ..registry import BrokerSettings
from .faults import FaultInjector
from .ib_server import IBServer
from .stage import COMMISSION, ServedStage, exchange


class IBStage(ServedStage):
    """The real client (`ib_async`) before a loopback gateway that speaks the TWS API."""

    live_number = "U7654321"

    def __init__(self) -> None:
        trading, injector = exchange(fractional=False, commission=COMMISSION), FaultInjector()
        self._gateway = IBServer(trading, injector)
        super().__init__(trading, self._gateway, injector)

    def connect(self, settings: BrokerSettings) -> Broker:
        """A new client."""
        return InteractiveBrokers(settings, pauses=(0.0, 0.0))

    def open_live(self, live: bool, named: str) -> Broker:
        """A client of an account whose id is not a paper account's."""
        self._gateway.accounts = (self.live_number,)
        return self.connect(self.settings(live, named))
