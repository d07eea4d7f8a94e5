"""Alpaca through its own client, `alpaca-py`: market, limit and stop day orders in US shares, long only.

| environment variable | holds |
| --- | --- |
| `APCA_API_KEY_ID`, `APCA_API_SECRET_KEY` | the keys; they are read from nowhere else, and never written anywhere |
| `APCA_API_BASE_URL` | another address than the paper one |
| `APCA_API_DATA_URL` | another address for quotes |
| `APCA_API_STREAM_URL` | another address for trade updates than `/stream` at the base one |

The account is taken for a paper account where its number begins with PA and the address is that of Alpaca's paper
trading or this machine. Any other needs both switches of live trading (docs/brokers.md).

What the client does by itself and is not left to it: it repeats a POST after 429 and 504, and it waits for ever.
"""

import warnings
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from pydantic import ValidationError
from requests.adapters import HTTPAdapter

with warnings.catch_warnings():
    # alpaca-py 0.44 imports a part of websockets that is deprecated.
    warnings.filterwarnings("ignore", category=DeprecationWarning, module="websockets")
    warnings.filterwarnings("ignore", message="websockets.*deprecated", category=DeprecationWarning)
    from alpaca.common.exceptions import APIError
    from alpaca.data.historical.stock import StockHistoricalDataClient
    from alpaca.data.requests import StockLatestQuoteRequest
    from alpaca.trading.client import TradingClient
    from alpaca.trading.enums import OrderSide, QueryOrderStatus, TimeInForce
    from alpaca.trading.models import Order
    from alpaca.trading.requests import (
        GetOrdersRequest,
        LimitOrderRequest,
        MarketOrderRequest,
        OrderRequest,
        ReplaceOrderRequest,
        StopOrderRequest,
    )

    from .alpaca_stream import AlpacaStream

from ..errors import BrokerError, BrokerUnreachable
from .adapting import asking_again, cancelled, keep_quiet, of_one_moment, used_before
from .guard import answer_of
from .protocol import (
    Accepted,
    BrokerClock,
    Capabilities,
    Execution,
    OrderIntent,
    OrderState,
    PortfolioSnapshot,
    Quote,
    Rejected,
    Submission,
    Unknown,
)
from .registry import BrokerSettings
from .updates import UpdateFeed

PAPER, LIVE = "https://paper-api.alpaca.markets", "https://api.alpaca.markets"
HERE = ("127.0.0.1", "localhost", "::1")
PAGE = 100
_REFUSALS = (400, 403, 404, 422)
"""Statuses that say that the order was looked at and not taken."""
_ENDS = {
    "filled": "filled",
    "canceled": "cancelled",
    "replaced": "cancelled",
    "expired": "expired",
    "done_for_day": "expired",
    "rejected": "rejected",
}
_ORDERS_KEPT = 4096
T = TypeVar("T")


def open_broker(settings: BrokerSettings) -> "Alpaca":
    """The entry point: connects and finds out whose account it is."""
    return Alpaca(settings)


class Alpaca:
    """One Alpaca account.

    Raises:
        InputError: a key is missing.
        BrokerUnreachable: Alpaca gives no answer for now.
        BrokerError: it refuses the keys, or the account is neither paper nor the live one that both switches name.
    """

    def __init__(self, settings: BrokerSettings, *, pauses: Sequence[float] = (0.2, 0.5, 1.0)) -> None:
        key, secret = settings.secret("APCA_API_KEY_ID"), settings.secret("APCA_API_SECRET_KEY")
        base = settings.environment.get("APCA_API_BASE_URL", "").rstrip("/") or (LIVE if settings.live else PAPER)
        base = base.removesuffix("/v2")
        data = settings.environment.get("APCA_API_DATA_URL", "").rstrip("/") or None
        self._pauses = tuple(pauses)
        keep_quiet("urllib3.connectionpool")  # addresses of requests
        # Its answers are typed as models or raw JSON; without raw_data they are models.
        self._client: Any = TradingClient(key, secret, paper=base != LIVE, url_override=base)
        self._data: Any = StockHistoricalDataClient(key, secret, url_override=data)
        for client in (self._client, self._data):
            client._retry = 0  # the constructor takes 0 for "as usual", which is three repetitions of any request
            for scheme in ("https://", "http://"):
                client._session.mount(scheme, _Timed(settings.timeout_seconds))
        stream = settings.environment.get("APCA_API_STREAM_URL", "") or f"{base.replace('http', 'ws', 1)}/stream"
        self._listen = partial(AlpacaStream, key, secret, stream, settings.timeout_seconds, _state)
        self._stream: AlpacaStream | None = None
        self._client_ids: dict[str, str] = {}
        """Client order ids by Alpaca's own, of the latest orders."""
        try:
            account: Any = self._read(self._client.get_account)
            self._number = str(account.account_number)
            self._paper = _is_paper(base, self._number)
            settings.admit("Alpaca", self._number, paper=self._paper)
        except BaseException:
            self.close()
            raise

    @property
    def capabilities(self) -> Capabilities:
        """Fractions in market orders, replacements of whole shares, no short sales."""
        return Capabilities(
            name="alpaca",
            paper=self._paper,
            account=self._number,
            fractional=True,
            shorting=False,
            replaces=True,
            order_types=("market", "limit", "stop"),
            quotes=True,
            streams=True,
        )

    def clock(self) -> BrokerClock:
        """Alpaca's clock."""
        clock = self._read(self._client.get_clock)
        return BrokerClock(
            at=clock.timestamp, is_open=clock.is_open, next_open=clock.next_open, next_close=clock.next_close
        )

    def account(self) -> PortfolioSnapshot:
        """Cash, positions and prices; read until they belong together.

        Raises:
            BrokerError: they do not: one of them is stale.
        """

        def read() -> tuple[PortfolioSnapshot, float] | None:
            before = self._read(self._client.get_account)
            rows = self._read(self._client.get_all_positions)
            after = self._read(self._client.get_account)
            at = self.clock().at
            prices = {row.symbol: _number(row.current_price) for row in rows}
            held = {row.symbol: _number(row.qty) for row in rows}
            if before.cash != after.cash or any(price <= 0 for price in prices.values()):
                return None
            return PortfolioSnapshot.valued(at, _number(after.cash), held, prices), _number(after.equity)

        return of_one_moment(self._pauses, "Alpaca", read)

    def positions(self) -> dict[str, float]:
        """Shares by ticker."""
        return {row.symbol: _number(row.qty) for row in self._read(self._client.get_all_positions)}

    def submit(self, order: OrderIntent) -> Submission:
        """Send one day order."""
        return self._send(order, lambda: self._client.submit_order(_request(order)))

    def replace(self, order: OrderIntent) -> Submission:
        """Replace an open order; Alpaca replaces whole shares only."""
        if order.quantity != int(order.quantity):
            return Rejected(client_order_id=order.client_order_id, reason="Alpaca replaces whole shares only")
        try:
            old = self._find(order.replaces or "")
        except BrokerError as error:
            return Unknown(client_order_id=order.client_order_id, reason=str(error))
        if old is None:
            reason = f"there is no order {order.replaces} to replace"
            return Rejected(client_order_id=order.client_order_id, reason=reason)
        terms = ReplaceOrderRequest(
            qty=int(order.quantity),
            limit_price=order.limit_price,
            stop_price=order.stop_price,
            client_order_id=order.client_order_id,
        )
        return self._send(order, lambda: self._client.replace_order_by_id(old.id, terms))

    def order(self, client_order_id: str) -> OrderState | None:
        """The state of one order."""
        found = self._find(client_order_id)
        return None if found is None else _state(found)

    def open_orders(self) -> list[OrderState]:
        """Orders that may still fill, oldest first."""
        wanted = GetOrdersRequest(status=QueryOrderStatus.OPEN, limit=500)
        return [_state(order) for order in reversed(self._read(lambda: self._client.get_orders(wanted)))]

    def cancel(self, client_order_id: str) -> OrderState:
        """Cancel an order; one that has ended is returned as it is."""
        found = self._find(client_order_id)
        before = None if found is None else _state(found)

        def cancel() -> None:
            assert found is not None
            self._read(lambda: self._client.cancel_order_by_id(found.id))

        return cancelled(client_order_id, before, cancel, lambda: self.order(client_order_id))

    def fills(self, since: datetime) -> list[Execution]:
        """Executions since a time, each once, by time."""
        seen: dict[str, Execution] = {}
        token: str | None = None
        while True:
            query: dict[str, Any] = {
                "after": (since - timedelta(seconds=1)).isoformat(),
                "direction": "asc",
                "page_size": PAGE,
            }
            if token:
                query["page_token"] = token
            rows = self._page(query)
            for row in rows:
                execution = self._execution(row)
                if execution.at >= since:
                    seen[execution.execution_id] = execution
            if len(rows) < PAGE:
                return sorted(seen.values(), key=lambda found: (found.at, found.execution_id))
            token = rows[-1]["id"]

    def quotes(self, tickers: Sequence[str]) -> dict[str, Quote]:
        """The best prices now, from the feed that the keys may read."""
        wanted = StockLatestQuoteRequest(symbol_or_symbols=list(tickers))
        found = {}
        for ticker, row in self._read(lambda: self._data.get_stock_latest_quote(wanted)).items():
            if row.bid_price > 0 and row.ask_price > 0:  # a side without a price is 0
                found[ticker] = Quote(
                    bid=row.bid_price,
                    ask=row.ask_price,
                    bid_shares=row.bid_size,
                    ask_shares=row.ask_size,
                    at=row.timestamp,
                )
        return found

    def updates(self) -> UpdateFeed:
        """Alpaca's stream of trade updates, from now on."""
        if self._stream is None:
            self._stream = self._listen()
        return self._stream.feed

    def close(self) -> None:
        """Close the connections."""
        if self._stream is not None:
            self._stream.close()
        self._client._session.close()
        self._data._session.close()

    def _send(self, order: OrderIntent, act: Callable[[], Any]) -> Submission:
        key = order.client_order_id
        try:
            answer = act()
        except APIError as error:
            if error.status_code not in _REFUSALS:
                return Unknown(client_order_id=key, reason=_words(error))
            if "client_order_id" not in _words(error):
                return Rejected(client_order_id=key, reason=_words(error))
        except (requests.RequestException, ValidationError, ValueError) as error:
            return Unknown(client_order_id=key, reason=f"Alpaca gave no answer ({type(error).__name__})")
        else:
            found = _state(answer)
            return answer_of(order, found) if found.client_order_id == key else Accepted(client_order_id=key)
        return used_before(order, "Alpaca", lambda: self.order(key))

    def _find(self, client_order_id: str) -> Order | None:
        try:
            found: Order = self._read(lambda: self._client.get_order_by_client_id(client_order_id))
        except BrokerError as error:
            if isinstance(error.__cause__, APIError) and error.__cause__.status_code == 404:
                return None
            raise
        return found

    def _page(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        # The client has no method for activities.
        return self._read(lambda: self._client.get("/account/activities/FILL", query)) or []

    def _execution(self, row: dict[str, Any]) -> Execution:
        order = str(row["order_id"])
        if order not in self._client_ids:
            self._client_ids[order] = self._read(lambda: self._client.get_order_by_id(order)).client_order_id
            while len(self._client_ids) > _ORDERS_KEPT:
                del self._client_ids[next(iter(self._client_ids))]
        return Execution(
            execution_id=row["id"],
            client_order_id=self._client_ids[order],
            ticker=row["symbol"],
            side="buy" if str(row["side"]).startswith("buy") else "sell",
            quantity=float(row["qty"]),
            price=float(row["price"]),
            at=datetime.fromisoformat(str(row["transaction_time"]).replace("Z", "+00:00")),
        )

    def _read(self, ask: Callable[[], T]) -> T:
        """Something that changes nothing."""
        return asking_again(self._pauses, ask, _meaning)


def _meaning(error: Exception) -> BrokerError | None:
    if isinstance(error, APIError):
        passing, words = error.status_code == 429 or (error.status_code or 0) >= 500, _words(error)
    elif isinstance(error, requests.RequestException | ValidationError | ValueError):
        passing, words = True, type(error).__name__
    else:
        return None
    kind = BrokerUnreachable if passing else BrokerError
    return kind(f"Alpaca does not answer ({words}): check the connection and the keys.")


class _Timed(HTTPAdapter):
    """Requests that give up: the client itself never does."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def send(self, request: Any, **arguments: Any) -> requests.Response:  # type: ignore[override]
        """Send with the timeout."""
        return super().send(request, **{**arguments, "timeout": self._seconds})


def _is_paper(base: str, number: str) -> bool:
    return number.startswith("PA") and (base == PAPER or urlsplit(base).hostname in HERE)


def _request(order: OrderIntent) -> OrderRequest:
    common: dict[str, Any] = {
        "symbol": order.ticker,
        "qty": order.quantity,
        "side": OrderSide.BUY if order.side == "buy" else OrderSide.SELL,
        "time_in_force": TimeInForce.DAY,
        "client_order_id": order.client_order_id,
    }
    if order.order_type == "limit":
        return LimitOrderRequest(**common, limit_price=order.limit_price)
    if order.order_type == "stop":
        return StopOrderRequest(**common, stop_price=order.stop_price)
    return MarketOrderRequest(**common)


def _state(order: Order) -> OrderState:
    status = str(order.status.value)
    filled = _number(order.filled_qty or 0)
    standing: Any = _ENDS.get(status, "partially_filled" if filled else "open")
    return OrderState(
        client_order_id=order.client_order_id,
        ticker=order.symbol or "",
        side="buy" if order.side == OrderSide.BUY else "sell",
        quantity=_number(order.qty),
        filled_quantity=filled,
        status=standing,
        reason="" if standing in ("open", "partially_filled", "filled") else status.replace("_", " "),
    )


def _words(error: APIError) -> str:
    """What Alpaca said, shortened; its answers repeat no key."""
    try:
        return str(error.message)[:200]
    except (ValueError, KeyError, TypeError):
        return f"status {error.status_code}"


def _number(text: object) -> float:
    return float(str(text))
