"""An HTTP server on 127.0.0.1 for stand-ins of venues: it answers, or fails as a `FaultInjector` says."""

import json
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import ThreadingMixIn
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

from .faults import FaultInjector, Operation

Answer = tuple[int, Any]
"""A status, and what is sent as JSON; None for nothing."""


class Request(NamedTuple):
    """What a client asked."""

    method: str
    path: str
    query: dict[str, str]
    raw_query: str
    body: bytes
    headers: Mapping[str, str]


class Loopback:
    """The server; a subclass says what is answered. Use it as a context manager.

    Args:
        faults: what goes wrong.
        port: 0 takes a free one.
    """

    def __init__(self, faults: FaultInjector, port: int = 0) -> None:
        self.faults = faults
        self.requests: list[tuple[str, str]] = []
        """Method and path of the latest requests."""
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
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

    def find(self, request: Request) -> tuple[Operation | None, Callable[[], Answer]]:
        """The operation that a fault can hit, and what makes the answer once it is due."""
        raise NotImplementedError

    def failure(self, status: int) -> Any:
        """How the venue says that it is busy (429), has failed (500), or that its gateway has given up (504)."""
        raise NotImplementedError

    def upgrade(self, request: Request, connection: socket.socket, line: str) -> bool:
        """Take a connection over for another protocol, until it ends; False: it is an ordinary request."""
        return False


class EndsConnections(ThreadingMixIn):
    """Of a server: when it is closed, connections that are still open are broken, and their threads have ended."""

    daemon_threads = False
    block_on_close = True

    def __init__(self, *given: Any, **named: Any) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(*given, **named)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection until it is closed."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget it."""
        self._open.discard(request)
        super().shutdown_request(request)  # type: ignore[misc]

    def server_close(self) -> None:
        """Break what is open, and wait for the threads."""
        for connection in tuple(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        super().server_close()


class _Server(EndsConnections, HTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients hang up, and are killed: that is nothing to print."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler(server: Loopback) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body leave together and at once: apart, the second waits 40 ms for the first to be acknowledged.
        wbufsize = -1
        disable_nagle_algorithm = True

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
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(method, parts.path, query, parts.query, self.rfile.read(length), headers)
            if server.upgrade(request, self.connection, self.requestline):
                self.close_connection = True
                return
            server.requests[:] = [*server.requests[-999:], (method, parts.path)]
            operation, act = server.find(request)
            fault = server.faults.next(operation) if operation is not None else None
            if fault in ("request_lost", "disconnect"):
                return self._hang_up()
            if fault in ("busy", "failed_snapshot"):
                status = 429 if fault == "busy" else 500
                return self._answer(status, server.failure(status))
            status, content = act()
            if fault == "answer_lost":
                return self._hang_up()
            if fault == "gateway_timeout":
                return self._answer(504, server.failure(504))
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
