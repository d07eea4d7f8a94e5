"""What Alpaca's REST answers, request by request, in front of an `Exchange`.

Strings for numbers, a 422 for a client order id that was used before, a 403 where the account cannot pay, one page of
activities at a time.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .exchange import Exchange, Order, Refused, Trade
from .faults import FaultInjector, Operation
from .loopback import Answer

SKEW = timedelta(hours=1)
"""How far the clock is off under the fault `clock_skew`."""
_STATUS = {"duplicate": 422, "funds": 403, "invalid": 422, "unknown": 404, "ended": 422}
_CODE = {"duplicate": 40010001, "funds": 40310000, "invalid": 42210000, "unknown": 40410000, "ended": 42210000}
_NAMES = {"cancelled": "canceled"}


@dataclass
class AlpacaVenue:
    """What the answers are made from."""

    exchange: Exchange
    faults: FaultInjector = field(default_factory=FaultInjector)
    number: str = "PA0000001"
    """Of the account; those of paper accounts begin with PA."""
    stale_cash: float = 0.0
    """The cash that is told under the fault `stale_snapshot`."""


Route = Callable[[AlpacaVenue, dict[str, str], dict[str, Any], str], Answer]


def _account(server: AlpacaVenue, query: dict[str, str], body: dict[str, Any], rest: str) -> Answer:
    exchange = server.exchange
    cash, equity = exchange.cash, exchange.equity()
    if server.faults.standing & {"stale_snapshot"}:
        equity, cash = server.stale_cash, server.stale_cash
    money = {"cash": str(cash), "equity": str(equity), "portfolio_value": str(equity), "buying_power": str(cash)}
    return 200, {
        "id": str(uuid.UUID(int=1)),
        "account_number": server.number,
        "status": "ACTIVE",
        "currency": "USD",
        "pattern_day_trader": False,
        "trading_blocked": False,
        "account_blocked": False,
        "created_at": "2026-01-01T00:00:00Z",
        "multiplier": "1",
        "shorting_enabled": False,
        **money,
    }


def _positions(server: AlpacaVenue, query: dict[str, str], body: dict[str, Any], rest: str) -> Answer:
    exchange = server.exchange
    rows = []
    for ticker, shares in exchange.positions.items():
        price = exchange.price(ticker, exchange.now) or 0.0
        rows.append(
            {
                "asset_id": _asset(ticker),
                "symbol": ticker,
                "exchange": "NASDAQ",
                "asset_class": "us_equity",
                "avg_entry_price": str(price),
                "qty": str(shares),
                "side": "long",
                "market_value": str(shares * price),
                "cost_basis": str(shares * price),
                "current_price": str(price),
            }
        )
    return 200, rows


def _clock(server: AlpacaVenue, query: dict[str, str], body: dict[str, Any], rest: str) -> Answer:
    exchange = server.exchange
    hours = exchange.hours(exchange.now)
    is_open = exchange.is_open
    following = exchange.hours(hours.closes) if is_open else hours
    skew = SKEW if "clock_skew" in server.faults.standing else timedelta(0)
    return 200, {
        "timestamp": (exchange.now + skew).isoformat(),
        "is_open": is_open,
        "next_open": following.opens.isoformat(),
        "next_close": hours.closes.isoformat(),
    }


def _orders(server: AlpacaVenue, query: dict[str, str], body: dict[str, Any], rest: str) -> Answer:
    wanted, exchange = query.get("status", "open"), server.exchange
    rows = [o for o in exchange.orders.values() if wanted == "all" or (o.status == "open") == (wanted == "open")]
    if "after" in query:
        after = datetime.fromisoformat(query["after"].replace("Z", "+00:00"))
        rows = [order for order in rows if order.submitted_at > after]
    if query.get("direction", "desc") == "desc":
        rows = rows[::-1]
    return 200, [order_json(order) for order in rows[: int(query.get("limit", "50"))]]


def _by_client_id(server: AlpacaVenue, query: dict[str, str], body: dict[str, Any], rest: str) -> Answer:
    order = server.exchange.by_client_id(query.get("client_order_id", ""))
    return (200, order_json(order)) if order else refusal(Refused("unknown", "order not found"))


def _one_order(server: AlpacaVenue, query: dict[str, str], body: dict[str, Any], rest: str) -> Answer:
    found = next((o for o in server.exchange.orders.values() if _order_id(o.id) == rest), None)
    return (200, order_json(found)) if found else refusal(Refused("unknown", "order not found"))


def _submit(server: AlpacaVenue, query: dict[str, str], body: dict[str, Any], rest: str) -> Answer:
    order = server.exchange.submit(
        body.get("client_order_id") or str(uuid.uuid4()),
        body["symbol"],
        body["side"],
        float(body["qty"]),
        body["type"],
        _number(body.get("limit_price")),
        _number(body.get("stop_price")),
    )
    return 200, order_json(order)


def _cancel(server: AlpacaVenue, query: dict[str, str], body: dict[str, Any], rest: str) -> Answer:
    server.exchange.cancel(_inner(server, rest))
    return 204, None


def _replace(server: AlpacaVenue, query: dict[str, str], body: dict[str, Any], rest: str) -> Answer:
    inner = _inner(server, rest)
    quantity = float(body.get("qty") or server.exchange.orders[inner].quantity)
    limit, stop = _number(body.get("limit_price")), _number(body.get("stop_price"))
    client_id = body.get("client_order_id") or str(uuid.uuid4())
    return 200, order_json(server.exchange.replace(inner, client_id, quantity, limit, stop))


def _activities(server: AlpacaVenue, query: dict[str, str], body: dict[str, Any], rest: str) -> Answer:
    trades = server.exchange.trades
    if "after" in query:
        after = datetime.fromisoformat(query["after"].replace("Z", "+00:00"))
        trades = [trade for trade in trades if trade.at > after]
    rows = [_activity_json(server, trade) for trade in trades]
    if "duplicate_events" in server.faults.standing:
        rows = [row for row in rows for _ in range(2)]
    if "out_of_order_events" in server.faults.standing:
        rows = rows[::-1]
    token = query.get("page_token")
    if token:
        rows = rows[[row["id"] for row in rows].index(token) + 1 :]
    return 200, rows[: int(query.get("page_size", "100"))]


def _quotes(server: AlpacaVenue, query: dict[str, str], body: dict[str, Any], rest: str) -> Answer:
    exchange, quotes = server.exchange, {}
    for ticker in query.get("symbols", "").split(","):
        price = exchange.price(ticker, exchange.now)
        if price is not None:
            at = exchange.now.isoformat()
            quotes[ticker] = {"t": at, "bp": price * 0.9999, "ap": price * 1.0001, "bs": 1e6, "as": 1e6, "c": ["R"]}
    return 200, {"quotes": quotes}


def _advance(server: AlpacaVenue, query: dict[str, str], body: dict[str, Any], rest: str) -> Answer:
    server.exchange.advance(datetime.fromisoformat(body["to"]))
    return 200, {"now": server.exchange.now.isoformat()}


def _now(server: AlpacaVenue, query: dict[str, str], body: dict[str, Any], rest: str) -> Answer:
    return 200, {"now": server.exchange.now.isoformat()}


def _state(server: AlpacaVenue, query: dict[str, str], body: dict[str, Any], rest: str) -> Answer:
    exchange = server.exchange
    return 200, {
        "now": exchange.now.isoformat(),
        "cash": exchange.cash,
        "positions": exchange.positions,
        "received": exchange.received,
        "orders": [
            [o.client_order_id, o.ticker, o.side, o.quantity, o.filled, o.status] for o in exchange.orders.values()
        ],
        "faults": dict(server.faults.told),
    }


ROUTES: dict[tuple[str, str], tuple[Operation | None, Route]] = {
    ("GET", "/v2/account"): ("account", _account),
    ("GET", "/v2/positions"): ("positions", _positions),
    ("GET", "/v2/clock"): ("clock", _clock),
    ("GET", "/v2/orders"): ("orders", _orders),
    ("GET", "/v2/orders:by_client_order_id"): ("order", _by_client_id),
    ("GET", "/v2/orders/"): ("order", _one_order),
    ("POST", "/v2/orders"): ("submit", _submit),
    ("DELETE", "/v2/orders/"): ("cancel", _cancel),
    ("PATCH", "/v2/orders/"): ("submit", _replace),
    ("GET", "/v2/account/activities/FILL"): ("fills", _activities),
    ("GET", "/v2/stocks/quotes/latest"): ("quotes", _quotes),
    ("POST", "/stand-in/advance"): (None, _advance),
    ("GET", "/stand-in/now"): (None, _now),
    ("GET", "/stand-in/state"): (None, _state),
}


def route_of(method: str, path: str) -> tuple[Operation | None, Route | None, str]:
    """What a request asks for: the operation that a fault can hit, who answers, and the end of the path."""
    known = ROUTES.get((method, path))
    if known is not None:
        return known[0], known[1], ""
    head, _, rest = path.rpartition("/")
    known = ROUTES.get((method, f"{head}/"))
    return (known[0], known[1], rest) if known is not None else (None, None, "")


def refusal(refused: Refused) -> Answer:
    """The exchange's refusal as Alpaca says it."""
    return _STATUS[refused.code], {"code": _CODE[refused.code], "message": str(refused)}


def _number(text: object) -> float | None:
    return None if text is None else float(str(text))


def _asset(ticker: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, ticker))


def _order_id(inner: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, inner))


def _inner(server: AlpacaVenue, order_id: str) -> str:
    found = next((inner for inner in server.exchange.orders if _order_id(inner) == order_id), None)
    if found is None:
        raise Refused("unknown", "order not found")
    return found


def order_json(order: Order) -> dict[str, Any]:
    """An order as Alpaca writes it."""
    status = "partially_filled" if order.status == "open" and order.filled else order.status
    at, ended = order.submitted_at.isoformat(), order.ended_at.isoformat() if order.ended_at else None
    return {
        "id": _order_id(order.id),
        "client_order_id": order.client_order_id,
        "created_at": at,
        "updated_at": ended or at,
        "submitted_at": at,
        "filled_at": ended if status == "filled" else None,
        "expired_at": ended if status == "expired" else None,
        "canceled_at": ended if status == "cancelled" else None,
        "replaced_by": _order_id(order.replaced_by) if order.replaced_by else None,
        "asset_id": _asset(order.ticker),
        "symbol": order.ticker,
        "asset_class": "us_equity",
        "qty": str(order.quantity),
        "filled_qty": str(order.filled),
        "filled_avg_price": str(order.paid / order.filled) if order.filled else None,
        "order_class": "simple",
        "order_type": order.order_type,
        "type": order.order_type,
        "side": order.side,
        "time_in_force": "day",
        "limit_price": None if order.limit_price is None else str(order.limit_price),
        "stop_price": None if order.stop_price is None else str(order.stop_price),
        "status": _NAMES.get(status, "new" if status == "open" else status),
        "extended_hours": False,
    }


def _activity_json(server: AlpacaVenue, trade: Trade) -> dict[str, Any]:
    order = server.exchange.orders[trade.order_id]
    return {
        "id": f"{trade.at:%Y%m%d%H%M%S}000::{trade.id}",
        "activity_type": "FILL",
        "transaction_time": trade.at.isoformat(),
        "type": "fill" if order.status == "filled" else "partial_fill",
        "price": str(trade.price),
        "qty": str(trade.quantity),
        "side": trade.side,
        "symbol": trade.ticker,
        "leaves_qty": str(order.quantity - order.filled),
        "cum_qty": str(order.filled),
        "order_id": _order_id(trade.order_id),
        "order_status": "filled",
    }
