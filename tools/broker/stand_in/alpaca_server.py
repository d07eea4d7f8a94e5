"""A loopback server that speaks Alpaca's trading and market-data REST, and its trade stream, before an `Exchange`.

It answers the real client (`alpaca-py`) as Alpaca does (`alpaca_routes`), and pushes to it at `/stream`
(`alpaca_pushes`). Faults come from a `FaultInjector`.
`POST /stand-in/advance` moves its clock and `GET /stand-in/state` tells what it did, for tests in other processes.
"""

import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from .alpaca_pushes import StreamConnection
from .alpaca_routes import AlpacaVenue, refusal, route_of
from .exchange import Exchange, Order, Refused, Trade
from .faults import Fault, FaultInjector


class AlpacaServer(AlpacaVenue):
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
        super().__init__(exchange, faults or FaultInjector(), number, exchange.cash)
        self.key, self.secret = key, secret
        self.requests: list[tuple[str, str]] = []
        """Method and path of the latest requests."""
        self.streams: set[StreamConnection] = set()
        """Connections to the stream of trade updates."""
        exchange.listeners.append(self.push)
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up_streams()
        self._server.shutdown()
        self._server.server_close()

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


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients hang up, and are killed: that is nothing to print."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler(server: AlpacaServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *arguments: Any) -> None:
            return

        def do_GET(self) -> None:
            self._serve("GET")

        def do_POST(self) -> None:
            self._serve("POST")

        def do_DELETE(self) -> None:
            self._serve("DELETE")

        def do_PATCH(self) -> None:
            self._serve("PATCH")

        def _serve(self, method: str) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            parts = urlsplit(self.path)
            if parts.path == "/stream":
                return self._stream()
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            server.requests[:] = [*server.requests[-999:], (method, parts.path)]
            operation, route, rest = route_of(method, parts.path)
            if route is None:
                return self._answer(404, {"code": 40410000, "message": "endpoint not found"})
            shown = self.headers.get("APCA-API-KEY-ID"), self.headers.get("APCA-API-SECRET-KEY")
            if operation is not None and shown != (server.key, server.secret):
                return self._answer(401, {"code": 40110000, "message": "request is not authorized"})
            fault = server.faults.next(operation) if operation is not None else None
            if fault in ("request_lost", "disconnect"):
                return self._hang_up()
            if fault == "busy":
                return self._answer(429, {"code": 42910000, "message": "too many requests"})
            if fault == "failed_snapshot":
                return self._answer(500, {"code": 50010000, "message": "internal server error"})
            with server.exchange.lock:
                try:
                    status, content = route(server, query, body, rest)
                except Refused as refused:
                    status, content = refusal(refused)
            self._tell(fault, status, content)

        def _stream(self) -> None:
            """Turn the connection into one of the stream, and serve it until it ends."""
            self.close_connection = True
            connection = StreamConnection(self.connection, server.faults, (server.key, server.secret))
            server.streams.add(connection)
            try:
                headers = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
                connection.serve(f"{self.requestline}\r\n{headers}\r\n".encode())
            finally:
                server.streams.discard(connection)

        def _tell(self, fault: Fault | None, status: int, content: Any) -> None:
            if fault == "answer_lost":
                return self._hang_up()
            if fault == "gateway_timeout":
                return self._answer(504, {"code": 50410000, "message": "gateway timeout"})
            return self._answer(status, content)

        def _answer(self, status: int, content: Any) -> None:
            raw = b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def _hang_up(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    return Handler
