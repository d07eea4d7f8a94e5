"""A venue for live desks in tests: an exchange on the generated market, its server, and a clock that moves it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from paperdesk.memory.journal import Journal
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.live.settings import TradeConfig
from paperdesk.simulations.live.trade import trade
from paperdesk.tools.broker.registry import BrokerSettings
from paperdesk.tools.broker.stand_in.alpaca_server import AlpacaServer
from paperdesk.tools.broker.stand_in.exchange import Exchange
from paperdesk.tools.broker.stand_in.faults import FaultInjector
from paperdesk.tools.broker.stand_in.replayed import exchange_on
from paperdesk.tools.market.view import Market, open_market
from paperdesk.tools.market.write import write_dataset

UNIVERSE = ("BRQL", "OSTW", "VYDN")


@dataclass
class Venue:
    """An exchange, its server, and a clock that moves it; time may stop short or jump, as told."""

    market: Market
    exchange: Exchange
    server: Any
    folder: Path
    asleep_until: datetime | None = None
    """Once the clock is asked to wait, it comes back no earlier than this."""
    beats: list[str] = field(default_factory=list)

    def now(self) -> datetime:
        return self.exchange.now

    def sleep_until(self, moment: datetime, beat: Any, wake: Any = None) -> None:
        beat()
        if self.asleep_until is not None:
            moment, self.asleep_until = max(moment, self.asleep_until), None
        self.exchange.advance(moment)

    def config(self, sessions: int, **changes: Any) -> TradeConfig:
        start = self.market.dataset.bars.sessions.index(self.market.calendar.last_closed(self.exchange.now))
        usual: dict[str, Any] = {
            "session": SessionConfig(
                market=str(self.folder), model="scorecard", desk="solo", frequency="daily", universe=UNIVERSE,
                max_weight=0.4,
            ),
            "broker": "alpaca",
            "until": self.market.dataset.bars.sessions[start + sessions],
        }  # fmt: skip
        return TradeConfig(**(usual | changes))

    def trade(self, config: TradeConfig | None, folder: Path, **how: Any) -> None:
        settings = BrokerSettings(timeout_seconds=5, environment=self.server.environment)
        trade(config, folder, clock=self, settings=settings, say=self.beats.append, **how)


@pytest.fixture(scope="module", name="folder")
def market_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated market in a folder."""
    place = tmp_path_factory.mktemp("live") / "market"
    write_dataset(open_market("generated").dataset, place)
    return place


@pytest.fixture(name="venue")
def alpaca_venue(folder: Path) -> Iterator[Venue]:
    """A loopback Alpaca, 60 sessions before the end of the generated market."""
    market = open_market(folder)
    exchange = exchange_on(market, market.calendar.close_of(market.dataset.bars.sessions[-60]))
    with AlpacaServer(exchange, FaultInjector()) as server:
        yield Venue(market, exchange, server, folder)


def events(folder: Path, kind: str) -> list[Any]:
    with Journal.open_readonly(folder) as journal:
        return [record.event for record in journal.events(kind)]


def head_of(folder: Path) -> str:
    with Journal.open_readonly(folder) as journal:
        return journal.head
