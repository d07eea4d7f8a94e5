"""A loopback server that speaks Binance's spot REST before an `Exchange`, to the real client (ccxt).

Requests are signed as Binance wants them (HMAC-SHA256 of the query), numbers are strings, refusals have its codes. As
there, a client order id may be used again once its order has ended; unlike there, a market order that does not fill at
once stays open, so that an exchange that trades when it is told to can be asked about it.
"""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from .exchange import Exchange, Hours, Order, Refused, Trade
from .faults import FaultInjector, Operation
from .loopback import Answer, Loopback, Request

QUOTE = "USDT"
LOT = 0.0001
SKEW = timedelta(hours=1)
_CODE = {"duplicate": -2010, "funds": -2010, "invalid": -1013, "unknown": -2013, "ended": -2011}
_SAID = {
    "duplicate": "Duplicate order sent.",
    "funds": "Account has insufficient balance for requested action.",
    "unknown": "Order does not exist.",
    "ended": "Unknown order sent.",
}
_STATUS = {"filled": "FILLED", "cancelled": "CANCELED", "expired": "EXPIRED", "rejected": "REJECTED"}
_AGAIN = "#"
"""Between a client order id and the number of its use, where the exchange behind wants another one."""


def always(moment: datetime) -> Hours:
    """The hours of an exchange that never closes."""
    return Hours(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


class BinanceServer(Loopback):
    """The server; use it as a context manager.

    Args:
        exchange: what trades behind it; its tickers are coins.
        coins: that it lists, all against `QUOTE`.
        faults: what goes wrong.
        key, secret: with which a client must sign; anything else gets a 401.
        uid: number of the account.
    """

    def __init__(
        self,
        exchange: Exchange,
        coins: tuple[str, ...],
        faults: FaultInjector | None = None,
        *,
        key: str = "stand-in-key",
        secret: str = "stand-in-secret",
        uid: int = 1001,
    ) -> None:
        self.exchange, self.coins = exchange, coins
        self.key, self.secret, self.uid = key, secret, uid
        self.window: int | None = None
        """Milliseconds after which the latest signed request was not to be taken any more."""
        super().__init__(faults or FaultInjector())

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which a client finds this server."""
        return {
            "CCXT_API_KEY": self.key,
            "CCXT_SECRET": self.secret,
            "CCXT_SYMBOLS": ",".join(f"{coin}/{QUOTE}" for coin in self.coins),
            "CCXT_URL": self.url,
        }

    def find(self, request: Request) -> tuple[Operation | None, Callable[[], Answer]]:
        """Binance's REST, with its signatures."""
        path = request.path.removeprefix("/api/v3/")
        told = request.raw_query or request.body.decode()
        query = {key: values[0] for key, values in parse_qs(told).items()}
        public, private = _PUBLIC.get(path), _PRIVATE.get((request.method, path))
        if public is not None:
            return public[0], lambda: self._locked(public[1], query)
        if private is None:
            return None, lambda: (404, {"code": -1000, "msg": "no such endpoint"})
        signed, _, signature = told.rpartition("&signature=")
        wanted = hmac.new(self.secret.encode(), signed.encode(), hashlib.sha256).hexdigest()
        if request.headers.get("x-mbx-apikey") != self.key or not hmac.compare_digest(signature, wanted):
            return None, lambda: (401, {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."})
        self.window = int(query["recvWindow"]) if "recvWindow" in query else None
        return private[0], lambda: self._locked(private[1], query)

    def failure(self, status: int) -> Any:
        """Binance's words for it."""
        code = {429: -1003, 500: -1000, 504: -1007}[status]
        return {"code": code, "msg": "Too many requests." if status == 429 else "Status unknown."}

    def coin_of(self, query: dict[str, str]) -> str:
        """The coin of a request's symbol.

        Raises:
            Refused: it is not listed.
        """
        coin = query.get("symbol", "").removesuffix(QUOTE)
        if coin not in self.coins:
            raise Refused("invalid", "Invalid symbol.")
        return coin

    def order_of(self, query: dict[str, str]) -> Order:
        """The order that a request names, by the exchange's id or by the client's: then the latest under it.

        Raises:
            Refused: there is none.
        """
        coin = self.coin_of(query)
        for order in reversed(self.exchange.orders.values()):
            same = (
                int(order.id) == int(query["orderId"])
                if "orderId" in query
                else _plain(order.client_order_id) == query["origClientOrderId"]
            )
            if same and order.ticker == coin:
                return order
        raise Refused("unknown", "")

    def _locked(self, act: Callable[["BinanceServer", dict[str, str]], Any], query: dict[str, str]) -> Answer:
        with self.exchange.lock:
            try:
                return 200, act(self, query)
            except Refused as refused:
                code = -1121 if str(refused) == "Invalid symbol." else _CODE[refused.code]
                return 400, {"code": code, "msg": _SAID.get(refused.code, str(refused))}


def _time(server: BinanceServer, query: dict[str, str]) -> Any:
    skew = SKEW if "clock_skew" in server.faults.standing else timedelta(0)
    return {"serverTime": _millis(server.exchange.now + skew)}


def _info(server: BinanceServer, query: dict[str, str]) -> Any:
    return {"timezone": "UTC", "serverTime": _millis(server.exchange.now), "symbols": list(map(_listing, server.coins))}


def _book(server: BinanceServer, query: dict[str, str]) -> Any:
    return [
        {
            "symbol": symbol,
            "bidPrice": f"{price * 0.9999:.8f}",
            "bidQty": "1000000",
            "askPrice": f"{price * 1.0001:.8f}",
            "askQty": "1000000",
        }
        for symbol, price in _prices(server, query)
    ]


def _last(server: BinanceServer, query: dict[str, str]) -> Any:
    return [{"symbol": symbol, "price": str(price)} for symbol, price in _prices(server, query)]


def _account(server: BinanceServer, query: dict[str, str]) -> Any:
    exchange = server.exchange
    amounts = {QUOTE: exchange.cash, **exchange.positions, "FAUCET": 1000.0}
    return {
        "uid": server.uid,
        "canTrade": True,
        "updateTime": _millis(exchange.now),
        "accountType": "SPOT",
        "balances": [{"asset": coin, "free": repr(amount), "locked": "0"} for coin, amount in amounts.items()],
        "permissions": ["SPOT"],
    }


def _submit(server: BinanceServer, query: dict[str, str]) -> Any:
    coin, exchange, key = server.coin_of(query), server.exchange, query["newClientOrderId"]
    quantity = float(query["quantity"])
    if abs(quantity / LOT - round(quantity / LOT)) > 1e-6:
        raise Refused("invalid", "Filter failure: LOT_SIZE")
    uses = [order for order in exchange.orders.values() if _plain(order.client_order_id) == key]
    if uses and uses[-1].status != "open":
        key = f"{key}{_AGAIN}{len(uses)}"
    price = float(query["price"]) if "price" in query else None
    order = exchange.submit(key, coin, _side(query), quantity, query["type"].lower(), price)
    fills = [_fill(trade) for trade in exchange.trades if trade.order_id == order.id]
    return _order(order) | {"transactTime": _millis(exchange.now), "fills": fills}


def _cancel(server: BinanceServer, query: dict[str, str]) -> Any:
    return _order(server.exchange.cancel(server.order_of(query).id))


def _look_up(server: BinanceServer, query: dict[str, str]) -> Any:
    return _order(server.order_of(query))


def _open(server: BinanceServer, query: dict[str, str]) -> Any:
    coin = server.coin_of(query)
    return [_order(order) for order in server.exchange.open_orders() if order.ticker == coin]


def _trades(server: BinanceServer, query: dict[str, str]) -> Any:
    coin, since = server.coin_of(query), int(query.get("startTime", 0))
    first = int(query.get("fromId", 0))
    rows = [
        _fill(trade) | {"symbol": f"{coin}{QUOTE}", "id": int(trade.id), "orderId": int(trade.order_id)}
        for trade in server.exchange.trades
        if trade.ticker == coin and _millis(trade.at) >= since and int(trade.id) >= first
    ]
    rows = rows[: int(query.get("limit", 500))]
    if "duplicate_events" in server.faults.standing:
        rows = [row for row in rows for _ in range(2)]
    return rows[::-1] if "out_of_order_events" in server.faults.standing else rows


_Act = Callable[[BinanceServer, dict[str, str]], Any]
_PUBLIC: dict[str, tuple[Operation | None, _Act]] = {
    "time": ("clock", _time),
    "exchangeInfo": (None, _info),
    "ticker/bookTicker": ("quotes", _book),
    "ticker/price": ("quotes", _last),
}
_PRIVATE: dict[tuple[str, str], tuple[Operation, _Act]] = {
    ("GET", "account"): ("account", _account),
    ("POST", "order"): ("submit", _submit),
    ("DELETE", "order"): ("cancel", _cancel),
    ("GET", "order"): ("order", _look_up),
    ("GET", "openOrders"): ("orders", _open),
    ("GET", "myTrades"): ("fills", _trades),
}


def _prices(server: BinanceServer, query: dict[str, str]) -> list[tuple[str, float]]:
    wanted = json.loads(query["symbols"]) if "symbols" in query else [f"{coin}{QUOTE}" for coin in server.coins]
    exchange, found = server.exchange, []
    for symbol in wanted:
        price = exchange.price(server.coin_of({"symbol": symbol}), exchange.now)
        if price is not None:
            found.append((symbol, price))
    return found


def _order(order: Order) -> dict[str, Any]:
    part = "PARTIALLY_FILLED" if order.filled else "NEW"
    return {
        "symbol": f"{order.ticker}{QUOTE}",
        "orderId": int(order.id),
        "orderListId": -1,
        "clientOrderId": _plain(order.client_order_id),
        "price": f"{order.limit_price or 0:.8f}",
        "origQty": f"{order.quantity:.8f}",
        "executedQty": f"{order.filled:.8f}",
        "cummulativeQuoteQty": f"{order.paid:.8f}",
        "status": _STATUS.get(order.status, part),
        "timeInForce": "GTC",
        "type": order.order_type.upper(),
        "side": order.side.upper(),
        "time": _millis(order.submitted_at),
        "updateTime": _millis(order.ended_at or order.submitted_at),
        "isWorking": True,
    }


def _fill(trade: Trade) -> dict[str, Any]:
    return {
        "price": str(trade.price),
        "qty": f"{trade.quantity:.8f}",
        "quoteQty": f"{trade.quantity * trade.price:.8f}",
        "commission": f"{trade.commission:.8f}",
        "commissionAsset": QUOTE,
        "time": _millis(trade.at),
        "isBuyer": trade.side == "buy",
        "isMaker": False,
        "tradeId": int(trade.id),
    }


def _listing(coin: str) -> dict[str, Any]:
    return {
        "symbol": f"{coin}{QUOTE}",
        "status": "TRADING",
        "baseAsset": coin,
        "baseAssetPrecision": 8,
        "quoteAsset": QUOTE,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "MARKET"],
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
            {"filterType": "LOT_SIZE", "minQty": str(LOT), "maxQty": "9000000", "stepSize": str(LOT)},
        ],
        "permissions": ["SPOT"],
    }


def _side(query: dict[str, str]) -> Any:
    return query["side"].lower()


def _plain(client_order_id: str) -> str:
    return client_order_id.partition(_AGAIN)[0]


def _millis(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
