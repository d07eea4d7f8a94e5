"""No key, no secret and no signature of a request reaches any log, whatever its level."""

import logging
import time

import pytest

from paperdesk.tools.broker.alpaca import Alpaca
from paperdesk.tools.broker.ccxt_binance import CcxtBinance
from paperdesk.tools.broker.registry import BrokerSettings
from paperdesk.tools.broker.stand_in.alpaca_server import AlpacaServer
from paperdesk.tools.broker.stand_in.binance_server import BinanceServer
from paperdesk.tools.broker.stand_in.stage import NOON, PRICES, exchange
from paperdesk.tools.errors import BrokerError

from .ordering import order


@pytest.fixture(autouse=True)
def _everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Also by loggers that somebody has asked for every detail by name."""
    caplog.set_level(logging.WARNING, "websockets.server")  # the venue itself, which runs here too
    caplog.set_level(logging.DEBUG)
    for name in ("websockets.client", "websockets.protocol", "urllib3.connectionpool", "ccxt.base.exchange", "asyncio"):
        caplog.set_level(logging.DEBUG, name)


def test_alpacas_keys_are_in_no_log_of_requests_or_stream(caplog: pytest.LogCaptureFixture) -> None:
    trading = exchange()
    with AlpacaServer(trading) as server:
        broker = Alpaca(BrokerSettings(timeout_seconds=5, environment=server.environment), pauses=())
        feed, until = broker.updates(), time.monotonic() + 30
        while not feed.live and time.monotonic() < until:
            time.sleep(0.01)
        assert feed.live, feed.trouble
        broker.submit(order())
        assert feed.wait(30), "an event has come through the stream"
        server.faults.plan("disconnect", "account")
        with pytest.raises(BrokerError):
            broker.account()
        broker.close()
    _nothing_in(caplog, server.key, server.secret)


def test_binances_keys_and_signatures_are_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with BinanceServer(exchange(), tuple(PRICES)) as server:
        broker = CcxtBinance(BrokerSettings(timeout_seconds=5, environment=server.environment), pauses=(), paced=False)
        broker.submit(order())
        broker.fills(NOON)
        server.faults.plan("disconnect", "account")
        with pytest.raises(BrokerError):
            broker.account()
        broker.close()
    _nothing_in(caplog, server.key, server.secret, "signature=")


def _nothing_in(caplog: pytest.LogCaptureFixture, *secrets: str) -> None:
    logging.getLogger("a.test").debug("debug records are caught")
    assert "debug records are caught" in caplog.text
    for secret in secrets:
        found = [f"{row.name}: {row.getMessage()[:200]}" for row in caplog.records if secret in row.getMessage()]
        assert found == []
        assert secret not in caplog.text
