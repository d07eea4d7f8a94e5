"""Live paper trading at the other venues: an exchange that never closes, and a gateway that has to be looked up."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

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


def test_whole_shares_are_traded_through_a_gateway_from_start_to_equal_ledgers(tmp_path: Path):
    folder, run = tmp_path / "market", tmp_path / "run"
    write_dataset(open_market("generated").dataset, folder)
    market = open_market(folder)
    exchange = exchange_on(market, market.calendar.close_of(market.dataset.bars.sessions[-30]))
    exchange.fractional = False

    class Then(InteractiveBrokers):
        """The client stamps quotes by this machine's clock, and here it is another year."""

        def quotes(self, tickers: Sequence[str]) -> dict[str, Quote]:
            found = super().quotes(tickers)
            return {ticker: row.model_copy(update={"at": exchange.now}) for ticker, row in found.items()}

    with IBServer(exchange) as server:
        venue = Venue(market, exchange, server, folder)
        settings = BrokerSettings(timeout_seconds=5, environment=server.environment)
        venue.trade(venue.config(2, broker="interactive-brokers"), run, broker=lambda: Then(settings))
    reports, sent = events(run, "venue_reported"), events(run, "order_sent")
    assert [report.decide for report in reports] == [True, True, False]
    assert sent
    assert exchange.received == len(sent)
    assert reports[-1].positions == exchange.positions
    assert reports[-1].cash == pytest.approx(exchange.cash)
    assert Session(run).replay().head == head_of(run)


@pytest.mark.parametrize(
    ("name", "latest"),
    [("XNYS", datetime(2023, 6, 12, 13, 30, tzinfo=UTC)), ("24/7", datetime(2023, 6, 10, 1, tzinfo=UTC))],
)
def test_a_decision_has_until_the_next_open_or_where_nothing_closes_as_long_as_orders_are_sent(name, latest):
    calendar = TradingCalendar(name, date(2023, 5, 1), date(2023, 7, 1))
    config = TradeConfig(session=SessionConfig(), broker="binance")
    assert last_moment(calendar, date(2023, 6, 9), config) == latest
