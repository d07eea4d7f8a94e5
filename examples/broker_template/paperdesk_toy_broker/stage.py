"""Where the conformance kit checks the toy broker: the real adapter before a venue that fails on demand."""

from datetime import UTC, datetime, timedelta

from paperdesk.tools.broker import Broker
from paperdesk.tools.broker.registry import BrokerSettings
from paperdesk.tools.broker.stand_in.exchange import Exchange
from paperdesk.tools.broker.stand_in.faults import Fault, FaultInjector

from . import PRICES, ToyBroker


class ToyStage:
    """One account, new for every check."""

    tickers = ("AURX", "BOLT")
    faults: frozenset[Fault] = frozenset(
        {
            "answer_lost",
            "request_lost",
            "busy",
            "gateway_timeout",
            "disconnect",
            "duplicate_events",
            "out_of_order_events",
            "failed_snapshot",
        }
    )
    partial = True
    live_number = "LIVE-1"

    def __init__(self) -> None:
        self.injector = FaultInjector()
        noon = datetime(2026, 11, 20, 17, tzinfo=UTC)
        self._venue = Exchange(noon, lambda ticker, at: PRICES.get(ticker), share_of_fill=0.0)

    def open(self) -> Broker:
        """A new connection to the same account."""
        return ToyBroker(self._venue, self.injector, BrokerSettings(environment={}))

    def open_live(self, live: bool, named: str) -> Broker:
        """An account that is not a paper account, with the two switches of live trading."""
        settings = BrokerSettings(live=live, environment={"PAPERDESK_LIVE_ACCOUNT": named})
        return ToyBroker(self._venue, self.injector, settings, self.live_number)

    def now(self) -> datetime:
        """The venue's time."""
        return self._venue.now

    def trade(self, share: float = 1.0) -> None:
        """A minute in which `share` of every order fills."""
        self._venue.share_of_fill = share
        self._venue.advance(self._venue.now + timedelta(minutes=1))
        self._venue.share_of_fill = 0.0

    def close(self) -> None:
        """Nothing to end."""
