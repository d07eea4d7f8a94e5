"""Live paper trading at the other venues: an exchange that never closes, and a gateway that has to be looked up."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paperdesk import Session
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.live.days import last_moment
from paperdesk.simulations.live.settings import TradeConfig
from paperdesk.tools.broker.ccxt_binance import CcxtBinance
from paperdesk.tools.broker.interactive_brokers import InteractiveBrokers
from paperdesk.tools.broker.protocol import Quote
from paperdesk.tools.broker.registry import BrokerSettings
from paperdesk.tools.broker.stand_in.binance_server import BinanceServer, always
from paperdesk.tools.broker.stand_in.ib_server import IBServer
from paperdesk.tools.broker.stand_in.replayed import exchange_on
from paperdesk.tools.clock import TradingCalendar
from paperdesk.tools.errors import BrokerError
from paperdesk.tools.market.view import open_market
from paperdesk.tools.market.write import write_dataset

from .live_venue import Venue, events, head_of

pytestmark = pytest.mark.slow
COINS = ("AURC", "BOLC", "CYRC")


@pytest.fixture(scope="module")
def coins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three coins that trade every day of the week, 400 days."""
    place = tmp_path_factory.mktemp("coins") / "market"
    place.mkdir()
    draws = np.random.default_rng(5).normal(0.001, 0.02, (400, 3))
    closes = 50 * np.exp(np.cumsum(draws, axis=0))
    rows = ["date,ticker,open,high,low,close,volume"]
    for column, coin in enumerate(COINS):
        for day in range(400):
            close, opens = closes[day, column], closes[max(0, day - 1), column]
            high, low = max(close, opens), min(close, opens)
            rows.append(f"{date(2023, 1, 1) + timedelta(days=day)},{coin},{opens},{high},{low},{close},1e6")
    (place / "prices.csv").write_text("\n".join(rows) + "\n")
    (place / "market.toml").write_text('name = "coins"\ncalendar = "24/7"\nbenchmark = ""\n')
    return place


def test_an_exchange_that_never_closes_is_traded_from_start_to_equal_ledgers(coins: Path, tmp_path: Path):
    market, run = open_market(coins), tmp_path / "run"
    exchange = exchange_on(market, market.calendar.close_of(market.dataset.bars.sessions[-30]))
    exchange.hours = always
    with BinanceServer(exchange, COINS) as server:
        venue = Venue(market, exchange, server, coins)
        settings = BrokerSettings(timeout_seconds=5, environment=server.environment)
        config = venue.config(3, broker="binance")
        session = config.session.model_copy(update={"universe": None})
        venue.trade(
            config.model_copy(update={"session": session}), run, broker=lambda: CcxtBinance(settings, paced=False)
        )
    reports = events(run, "venue_reported")
    assert [report.decide for report in reports] == [True, True, True, False]
    sent = events(run, "order_sent")
    assert sent
    for event in sent:
        closed = market.calendar.close_of(event.order.decided_at.date() - timedelta(days=1))
        assert timedelta(minutes=15) <= event.at - closed < timedelta(minutes=75)
    assert exchange.received == len(sent) == len(exchange.trades)
    assert reports[-1].positions == pytest.approx(exchange.positions)
    assert reports[-1].cash == pytest.approx(exchange.cash)
    assert [note for report in reports for note in report.notes] == []
    assert Session(run).replay().head == head_of(run)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Venue]:
    """A gateway that trades whole shares of the generated market."""
    folder = tmp_path / "market"
    write_dataset(open_market("generated").dataset, folder)
    market = open_market(folder)
    exchange = exchange_on(market, market.calendar.close_of(market.dataset.bars.sessions[-30]))
    exchange.fractional = False
    with IBServer(exchange) as server:
        yield Venue(market, exchange, server, folder)


class Then(InteractiveBrokers):
    """The client stamps quotes by this machine's clock, and here it is another year."""

    def __init__(self, venue: Venue) -> None:
        super().__init__(BrokerSettings(timeout_seconds=5, environment=venue.server.environment))
        self._venue = venue

    def quotes(self, tickers: Sequence[str]) -> dict[str, Quote]:
        found = super().quotes(tickers)
        return {ticker: row.model_copy(update={"at": self._venue.now()}) for ticker, row in found.items()}


def test_whole_shares_are_traded_through_a_gateway_from_start_to_equal_ledgers(gateway: Venue, tmp_path: Path):
    run, exchange = tmp_path / "run", gateway.exchange
    gateway.trade(gateway.config(2, broker="interactive-brokers"), run, broker=lambda: Then(gateway))
    reports, sent = events(run, "venue_reported"), events(run, "order_sent")
    assert [report.decide for report in reports] == [True, True, False]
    assert sent
    assert exchange.received == len(sent)
    assert reports[-1].positions == exchange.positions
    assert reports[-1].cash == pytest.approx(exchange.cash)
    assert Session(run).replay().head == head_of(run)


def test_without_prices_exits_leave_and_entries_do_not(gateway: Venue, tmp_path: Path):
    run = tmp_path / "run"

    class Unsubscribed(Then):
        """May see prices until it holds something, and none from then on."""

        def quotes(self, tickers: Sequence[str]) -> dict[str, Quote]:
            if len(events(run, "venue_reported")) > 1:
                raise BrokerError("Requested market data is not subscribed.")
            return super().quotes(tickers)

    config = gateway.config(5, broker="interactive-brokers", poll_seconds=600.0)
    gateway.trade(config, run, broker=lambda: Unsubscribed(gateway))
    first = events(run, "venue_reported")[1].session
    later = [event.order for event in events(run, "order_sent") if event.order.decided_at.date() >= first]
    assert later, "something left although no price was known"
    assert {order.side for order in later} == {"sell"}
    assert {row.ticker for row in events(run, "order_withheld")}, "and the entries did not"
    assert any(beat.startswith("no prices are known") for beat in gateway.beats)
    assert events(run, "venue_reported")[-1].positions == gateway.exchange.positions


def test_what_a_venue_forgets_at_midnight_is_neither_denied_nor_guessed(gateway: Venue, tmp_path: Path):
    run = tmp_path / "run"

    class Asleep(Venue):
        """It sleeps from after the first orders until after midnight in New York; a day later it is stopped."""

        slept = False

        def sleep_until(self, moment: datetime, beat: Any, wake: Any = None) -> None:
            ordered = len(events(run, "order_submitted"))
            if not self.slept and 0 < ordered == len(events(run, "order_sent")):
                self.slept = True
                moment = max(moment, self.exchange.hours(self.exchange.now).closes + timedelta(hours=10))
            if len(events(run, "venue_reported")) == 3:
                raise KeyboardInterrupt
            super().sleep_until(moment, beat)

    asleep = Asleep(gateway.market, gateway.exchange, gateway.server, gateway.folder)
    config = gateway.config(3, broker="interactive-brokers", poll_seconds=600.0)
    with pytest.raises(KeyboardInterrupt):
        asleep.trade(config, run, broker=lambda: Then(gateway))
    sent, reports = events(run, "order_sent"), events(run, "venue_reported")
    assert {event.status for event in events(run, "order_answered")} == {"accepted"}
    assert [row["reason"] for row in reports[1].ended] == ["what became of it is not known"] * len(sent)
    assert sum("is not known, because the venue forgets" in note for note in reports[1].notes) == len(sent)
    assert reports[1].positions == {}
    assert reports[1].venue == gateway.exchange.positions
    assert gateway.exchange.received == len(sent), "nothing more is bought while the two counts differ"
    gateway.trade(None, run, broker=lambda: Then(gateway), adopt=True)
    assert events(run, "venue_reported")[-1].positions == gateway.exchange.positions
    assert Session(run).replay().head == head_of(run)


@pytest.mark.parametrize(
    ("name", "latest"),
    [("XNYS", datetime(2023, 6, 12, 13, 30, tzinfo=UTC)), ("24/7", datetime(2023, 6, 10, 1, tzinfo=UTC))],
)
def test_a_decision_has_until_the_next_open_or_where_nothing_closes_as_long_as_orders_are_sent(name, latest):
    calendar = TradingCalendar(name, date(2023, 5, 1), date(2023, 7, 1))
    config = TradeConfig(session=SessionConfig(), broker="binance")
    assert last_moment(calendar, date(2023, 6, 9), config) == latest
