"""A loopback server that speaks Alpaca's trading and market-data REST, and its trade stream, before an `Exchange`.

It answers the real client (`alpaca-py`) as Alpaca does (`alpaca_routes`), and pushes to it at `/stream`
(`alpaca_pushes`). Faults come from a `FaultInjector`.
`POST /stand-in/advance` moves its clock and `GET /stand-in/state` tells what it did, for tests in other processes.
"""

import json
import socket
from collections.abc import Callable
from types import TracebackType
from typing import Any

from .alpaca_pushes import StreamConnection
from .alpaca_routes import AlpacaVenue, refusal, route_of
from .exchange import Exchange, Order, Refused, Trade
from .faults import FaultInjector, Operation
from .loopback import Answer, Loopback, Request


class AlpacaServer(AlpacaVenue, Loopback):
    """The server; use it as a context manager.

    Args:
        exchange: what trades behind it.
        faults: what goes wrong.
        key, secret: what a client must show; another pair gets a 401.
        number: of the account; those of paper accounts begin with PA.
        port: 0 takes a free one.
    """

    def __init__(
        self,
        exchange: Exchange,
        faults: FaultInjector | None = None,
        *,
        key: str = "stand-in-key",
        secret: str = "stand-in-secret",
        number: str = "PA0000001",
        port: int = 0,
    ) -> None:
        injected = faults or FaultInjector()
        AlpacaVenue.__init__(self, exchange, injected, number, exchange.cash)
        self.key, self.secret = key, secret
        self.streams: set[StreamConnection] = set()
        """Connections to the stream of trade updates."""
        exchange.listeners.append(self.push)
        Loopback.__init__(self, injected, port)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up_streams()
        super().__exit__(kind, error, trace)
        self.exchange.listeners.remove(self.push)

    def hang_up_streams(self) -> None:
        """Break every connection to the stream."""
        for connection in tuple(self.streams):
            connection.hang_up()

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which a client finds this server."""
        return {
            "APCA_API_KEY_ID": self.key,
            "APCA_API_SECRET_KEY": self.secret,
            "APCA_API_BASE_URL": self.url,
            "APCA_API_DATA_URL": self.url,
        }

    def push(self, order: Order, trade: Trade | None) -> None:
        """Tell every connection to the stream what has happened to an order."""
        for connection in tuple(self.streams):
            connection.push(order, trade)

    def find(self, request: Request) -> tuple[Operation | None, Callable[[], Answer]]:
        """Alpaca's REST, with its keys."""
        operation, route, rest = route_of(request.method, request.path)
        if route is None:
            return None, lambda: (404, {"code": 40410000, "message": "endpoint not found"})
        shown = request.headers.get("apca-api-key-id"), request.headers.get("apca-api-secret-key")
        if operation is not None and shown != (self.key, self.secret):
            return None, lambda: (401, {"code": 40110000, "message": "request is not authorized"})

        def act() -> Answer:
            with self.exchange.lock:
                try:
                    return route(self, request.query, json.loads(request.body or b"{}"), rest)
                except Refused as refused:
                    return refusal(refused)

        return operation, act

    def failure(self, status: int) -> Any:
        """Alpaca's words for it."""
        said = {429: "too many requests", 500: "internal server error", 504: "gateway timeout"}
        return {"code": status * 100000 + 10000, "message": said[status]}

    def upgrade(self, request: Request, connection: socket.socket, line: str) -> bool:
        """The stream of trade updates, at `/stream`."""
        if request.path != "/stream":
            return False
        served = StreamConnection(connection, self.faults, (self.key, self.secret))
        self.streams.add(served)
        try:
            headers = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
            served.serve(f"{line}\r\n{headers}\r\n".encode())
        finally:
            self.streams.discard(served)
        return True
