"""A loopback gateway that speaks the TWS API's wire before an `Exchange`, to the real client (`ib_async`).

As with the real one, `orderRef` is a note that any number of orders may share, an order's number belongs to the client
that sent it, executions and status are pushed to that client, and at midnight in New York what has ended is forgotten.
A lost answer is a connection that breaks.
"""

import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

from .exchange import Exchange, Order, Refused, Trade
from .faults import FaultInjector, Operation
from .ib_messages import (
    VERSION,
    Fields,
    commission,
    completed_order,
    contract,
    details,
    error,
    execution,
    note_of,
    open_order,
    order_status,
    packed,
)
from .loopback import EndsConnections

SKEW = timedelta(hours=1)
ZONE = ZoneInfo("America/New_York")
_TYPES = {"MKT": "market", "LMT": "limit", "STP": "stop"}
_BREAKS = frozenset({"request_lost", "disconnect", "failed_snapshot"})
"""Faults under which nothing is done."""


class IBServer:
    """The gateway; use it as a context manager.

    Args:
        exchange: what trades behind it.
        faults: what goes wrong.
        accounts: of the user who is logged in; paper accounts begin with DU.
    """

    def __init__(
        self, exchange: Exchange, faults: FaultInjector | None = None, accounts: tuple[str, ...] = ("DU1234567",)
    ) -> None:
        self.exchange, self.faults, self.accounts = exchange, faults or FaultInjector(), accounts
        self.stale_cash = exchange.cash
        self.read_only = False
        """Whether it takes no orders."""
        self.unseen: set[str] = set()
        """Tickers whose prices the user has not subscribed to."""
        self.contracts: dict[str, tuple[str, str]] = {}
        """Kind and currency of what is held, where it is no US share."""
        self.currency = "USD"
        """Of the account."""
        self.untold: set[str] = set()
        """Values of the account that a download leaves out."""
        self.sent_by: dict[str, tuple[int, int]] = {}
        """Client and number of every order, by the exchange's id."""
        self.clients: set[_Client] = set()
        exchange.listeners.append(self._push)
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.exchange.listeners.remove(self._push)

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which a client finds this gateway."""
        return {"IB_HOST": "127.0.0.1", "IB_PORT": str(self._server.server_address[1])}

    def remembers(self, at: datetime) -> bool:
        """Whether a moment is of this day in New York: what ended before is told no more."""
        return at.astimezone(ZONE).date() == self.exchange.now.astimezone(ZONE).date()

    def _push(self, order: Order, trade: Trade | None) -> None:
        for client in tuple(self.clients):
            client.push(order, trade)


class _Server(EndsConnections, socketserver.TCPServer):
    allow_reuse_address = True


class _Client:
    """One connection."""

    def __init__(self, server: IBServer, connection: socket.socket) -> None:
        self._server, self._socket, self._lock = server, connection, threading.RLock()
        self._id = -1

    def serve(self) -> None:
        """Answer until one side hangs up."""
        with suppress(OSError, EOFError):
            self._socket.settimeout(None)
            assert self._exactly(4) == b"API\0"
            self._message()  # the versions that the client knows
            self.tell((VERSION, f"{self._server.exchange.now:%Y%m%d %H:%M:%S} UTC"))
            while True:
                self._answer(self._message())

    def tell(self, *messages: Fields) -> None:
        """Send messages."""
        with self._lock:
            self._socket.sendall(b"".join(packed(message) for message in messages))

    def push(self, order: Order, trade: Trade | None) -> None:
        """News of an order, to the client that sent it."""
        client, number = self._server.sent_by.get(order.id, (-1, -1))
        if client != self._id or client < 0:
            return
        with suppress(OSError):
            self.tell(*self._standing(order, number))
            if trade is not None:
                account = self._server.accounts[0]
                self.tell(execution(trade, -1, number, order, client, account), commission(trade))

    def hang_up(self) -> None:
        """Break the connection."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _standing(self, order: Order, number: int) -> tuple[Fields, Fields]:
        account = self._server.accounts[0]
        return open_order(order, number, self._id, account), order_status(order, number, self._id)

    def _contract(self, ticker: str) -> Fields:
        return contract(ticker, *self._server.contracts.get(ticker, ()))

    def _answer(self, fields: list[str]) -> None:
        operation, act = _ANSWERS.get(int(fields[0]), (None, None))
        if act is None:
            return
        faults = self._server.faults
        fault = faults.next(operation) if operation is not None else None
        if fault in _BREAKS:
            raise EOFError
        if fault == "busy":
            return self.tell(error(int(fields[1]), 100, "Max rate of messages per second has been exceeded"))
        if fault in ("answer_lost", "gateway_timeout"):
            sends, self.tell = self.tell, lambda *messages: None  # type: ignore[method-assign]
            with self._server.exchange.lock:
                act(self, fields)
            self.tell = sends  # type: ignore[method-assign]
            raise EOFError
        with self._server.exchange.lock:
            act(self, fields)

    def _message(self) -> list[str]:
        return self._exactly(struct.unpack(">I", self._exactly(4))[0]).decode().split("\0")

    def _exactly(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            part = self._socket.recv(count - len(found))
            if not part:
                raise EOFError
            found += part
        return found

    def start(self, fields: list[str]) -> None:
        """The client says which one it is."""
        self._id = int(fields[2])
        self.tell((15, 1, ",".join(self._server.accounts)), (9, 1, len(self._server.exchange.orders) + 1))

    def time(self, fields: list[str]) -> None:
        """The time."""
        skew = SKEW if "clock_skew" in self._server.faults.standing else timedelta(0)
        self.tell((49, 1, int((self._server.exchange.now + skew).timestamp())))

    def positions(self, fields: list[str]) -> None:
        """All positions."""
        account, held = self._server.accounts[0], self._server.exchange.positions
        rows = [(61, 3, account, *self._contract(ticker), shares, 0.0) for ticker, shares in held.items()]
        self.tell(*rows, (62, 1))

    def account(self, fields: list[str]) -> None:
        """A download of the account, for who subscribes."""
        if fields[2] != "1":
            return
        exchange, account = self._server.exchange, self._server.accounts[0]
        cash, equity = exchange.cash, exchange.equity()
        if "stale_snapshot" in self._server.faults.standing:
            cash = equity = self._server.stale_cash
        values = {"TotalCashValue": cash, "NetLiquidation": equity}
        rows: list[Fields] = [
            (6, 2, name, value, self._server.currency, account)
            for name, value in values.items()
            if name not in self._server.untold
        ]
        for ticker, shares in exchange.positions.items():
            price = exchange.price(ticker, exchange.now) or 0.0
            value = (shares, price, shares * price, 0.0, 0.0, 0.0, account)
            rows.append((7, 8, *self._contract(ticker), *value))
        self.tell(*rows, (8, 1, f"{exchange.now:%H:%M}"), (54, 1, account))

    def orders(self, fields: list[str]) -> None:
        """Open orders of all clients."""
        rows: list[Fields] = []
        for order in self._server.exchange.open_orders():
            client, number = self._server.sent_by[order.id]
            rows += [open_order(order, number, client, self._server.accounts[0]), order_status(order, number, client)]
        self.tell(*rows, (53, 1))

    def completed(self, fields: list[str]) -> None:
        """Orders of the day that have ended; those of before midnight are forgotten."""
        orders = self._server.exchange.orders.values()
        ended = [order for order in orders if order.ended_at is not None and self._server.remembers(order.ended_at)]
        self.tell(*(completed_order(order, self._server.accounts[0]) for order in ended), (102,))

    def executions(self, fields: list[str]) -> None:
        """Executions of the day, each with what it cost."""
        request, exchange, standing = int(fields[2]), self._server.exchange, self._server.faults.standing
        rows: list[Fields] = []
        trades = [trade for trade in exchange.trades if self._server.remembers(trade.at)]
        for trade in trades:
            client, number = self._server.sent_by[trade.order_id]
            order = exchange.orders[trade.order_id]
            rows.append(execution(trade, request, number, order, client, self._server.accounts[0]))
        if "duplicate_events" in standing:
            rows = [row for row in rows for _ in range(2)]
        if "out_of_order_events" in standing:
            rows = rows[::-1]
        self.tell(*rows, *(commission(trade) for trade in trades), (55, 1, request))

    def place(self, fields: list[str]) -> None:
        """Take an order."""
        number, note = int(fields[1]), fields[26]
        exchange = self._server.exchange
        key = f"{self._id}:{number}"
        if self._server.read_only:
            said = "Error validating request.-'bW' : cause - The API interface is currently in Read-Only mode."
            return self.tell(error(number, 321, said))
        if (self._id, number) in self._server.sent_by.values():
            return self.tell(error(number, 103, "Duplicate order id"))
        uses = sum(note_of(order) == note for order in exchange.orders.values())
        self._server.sent_by[f"{len(exchange.orders) + 1:08d}"] = (self._id, number)
        try:
            exchange.submit(
                f"{note}#{key}" if uses else note,
                fields[3],
                "buy" if fields[16] == "BUY" else "sell",
                float(fields[17]),
                _TYPES[fields[18]],
                float(fields[19]) if fields[19] else None,
                float(fields[20]) if fields[20] else None,
            )
        except Refused as refused:
            del self._server.sent_by[f"{len(exchange.orders) + 1:08d}"]
            code = 200 if "not found" in str(refused) else 201
            self.tell(error(number, code, f"Order rejected - reason: {refused}"))

    def cancel(self, fields: list[str]) -> None:
        """Cancel what is left of an order."""
        number = int(fields[2])
        mine = [key for key, sender in self._server.sent_by.items() if sender == (self._id, number)]
        try:
            self._server.exchange.cancel(mine[0] if mine else "")
        except Refused as refused:
            self.tell(error(number, 161 if mine else 135, str(refused)))

    def details(self, fields: list[str]) -> None:
        """What is known of a name."""
        request, ticker, exchange = int(fields[2]), fields[4], self._server.exchange
        if exchange.price(ticker, exchange.now) is None:
            return self.tell(error(request, 200, "No security definition has been found for the request"))
        self.tell(details(ticker, request), (52, 1, request))

    def quotes(self, fields: list[str]) -> None:
        """A snapshot of the best prices."""
        request, ticker, exchange = int(fields[2]), fields[4], self._server.exchange
        price = exchange.price(ticker, exchange.now)
        if price is None:
            return self.tell(error(request, 200, "No security definition has been found for the request"))
        if ticker in self._server.unseen:
            return self.tell(error(request, 354, "Requested market data is not subscribed."))
        self.tell((1, 6, request, 1, price * 0.9999, 1e6, 0), (1, 6, request, 2, price * 1.0001, 1e6, 0))
        self.tell((57, 1, request))


_ANSWERS: Mapping[int, tuple[Operation | None, Callable[[_Client, list[str]], None]]] = {
    1: ("quotes", _Client.quotes),
    3: ("submit", _Client.place),
    4: ("cancel", _Client.cancel),
    5: ("orders", _Client.orders),
    6: ("account", _Client.account),
    7: ("fills", _Client.executions),
    9: (None, _Client.details),
    16: ("orders", _Client.orders),
    49: ("clock", _Client.time),
    61: ("positions", _Client.positions),
    71: (None, _Client.start),
    99: ("order", _Client.completed),
}


def _handler(server: IBServer) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            client = _Client(server, self.request)
            server.clients.add(client)
            try:
                client.serve()
            finally:
                server.clients.discard(client)

    return Handler
