"""Messages of the TWS API as a gateway of version 178 sends them: fields in a fixed order, each ended by a zero byte.

The orders of fields are those that `ib_async` reads (`ib_async/decoder.py`); what the stand-in has nothing to say about
is empty, as the gateway leaves what is unset.
"""

import struct
from collections.abc import Sequence
from zlib import crc32

from .exchange import Order, Trade

VERSION = 178
_STATUS = {"filled": "Filled", "cancelled": "Cancelled", "expired": "Cancelled", "rejected": "Inactive"}
_TYPES = {"market": "MKT", "limit": "LMT", "stop": "STP"}
Fields = Sequence[object]


def packed(fields: Fields) -> bytes:
    """A message on the wire: its length, then its fields."""
    body = "".join(f"{field}\0" for field in fields).encode()
    return struct.pack(">I", len(body)) + body


def contract(ticker: str, kind: str = "STK", currency: str = "USD") -> Fields:
    """A contract: of a US share, unless told otherwise."""
    return (number(ticker), ticker, kind, "", 0, "", "", "SMART", currency, ticker, "NMS")


def number(ticker: str) -> int:
    """A contract's id: the same for the same ticker."""
    return 10_000 + crc32(ticker.encode()) % 1_000_000


def details(ticker: str, request: int) -> Fields:
    """What is known of a US share."""
    return (
        *(10, request, ticker, "STK", "", 0, "", "SMART", "USD", ticker, "NMS", "NMS", number(ticker), 0.01, ""),
        *("MKT,LMT,STP", "SMART", 1, 0, ticker, "NASDAQ", *_empty(4), "US/Eastern", *_empty(4), 0, *_empty(6), 1, 1, 1),
    )


def status_of(order: Order) -> str:
    """An order's status in the gateway's words."""
    return _STATUS.get(order.status, "Submitted")


def permanent(order: Order) -> int:
    """The id of an order that does not depend on a client."""
    return 900_000 + int(order.id)


def note_of(order: Order) -> str:
    """What the client wrote on the order (`orderRef`)."""
    return order.client_order_id.partition("#")[0]


def open_order(order: Order, number: int, client: int, account: str) -> Fields:
    """An order in full; its executions are in `order_status`."""
    return (
        *(5, number, *contract(order.ticker), order.side.upper(), order.quantity, _TYPES[order.order_type]),
        *(order.limit_price or "", order.stop_price or "", "DAY", "", account, "", 0, note_of(order), client),
        *(permanent(order), 0, 0, 0, *_empty(5), *_empty(29), *_empty(7), 0, 0, 0, *_empty(3), "", *_empty(4), 0, ""),
        *(0, 0, status_of(order), *_empty(14), 0, 0, 0, *_empty(16), *_empty(3), *_empty(5)),
    )


def order_status(order: Order, number: int, client: int) -> Fields:
    """How far an order is."""
    mean = order.paid / order.filled if order.filled else 0.0
    rest = order.quantity - order.filled
    return (3, number, status_of(order), order.filled, rest, mean, permanent(order), 0, mean, client, "", 0)


def completed_order(order: Order, account: str) -> Fields:
    """An order that has ended. The gateway does not tell its quantity any more, only what was filled."""
    return (
        *(101, *contract(order.ticker), order.side.upper(), 0, _TYPES[order.order_type]),
        *(order.limit_price or "", order.stop_price or "", "DAY", "", account, "", 0, note_of(order)),
        *(permanent(order), 0, 0, 0, "", *_empty(3), *_empty(23), *_empty(5), 0, 0, 0, *_empty(3), "", *_empty(3), 0),
        *("", 0, status_of(order), 0, 0, 0, *_empty(6), order.filled, *_empty(6), "", "", *_empty(5)),
    )


def execution(trade: Trade, request: int, number: int, order: Order, client: int, account: str) -> Fields:
    """One execution, as an answer to a request (or, with -1, as news)."""
    side = "BOT" if trade.side == "buy" else "SLD"
    return (
        *(11, request, number, *contract(trade.ticker), execution_id(trade)),
        *(f"{trade.at:%Y%m%d %H:%M:%S} UTC", account, "ISLAND", side, trade.quantity, trade.price, permanent(order)),
        *(client, 0, trade.quantity, trade.price, note_of(order), "", "", "", 2, 0),
    )


def execution_id(trade: Trade) -> str:
    """The id of an execution; its last part counts corrections."""
    return f"0000e0d5.{trade.id}.01.01"


def commission(trade: Trade) -> Fields:
    """What an execution cost."""
    return (59, 1, execution_id(trade), trade.commission, "USD", "", "", "")


def error(request: int, code: int, said: str) -> Fields:
    """Something is wrong with a request or an order."""
    return (4, 2, request, code, said, "")


def _empty(count: int) -> Fields:
    return ("",) * count
