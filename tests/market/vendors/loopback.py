"""A server on the loopback interface that answers as a vendor would, or fails as one does."""

import gzip
import json
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from paperdesk.tools.market.vendors.protocol import VendorSettings


@dataclass(frozen=True)
class Reply:
    """One answer."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut_at: int | None = None
    """Send so many bytes of the body, although its whole length was announced, and hang up."""
    hang_up: bool = False
    """Close the connection without a word."""
    delay_s: float = 0.0
    """Silence before the answer."""
    drip_s: float = 0.0
    """Pause after each byte."""
    announce: bool = True
    """Say the length; without it the end of the connection is the end of the answer."""

    @classmethod
    def of_json(cls, value: Any, status: int = 200, **more: Any) -> "Reply":
        headers = {"Content-Type": "application/json", **more.pop("headers", {})}
        return cls(json.dumps(value).encode(), status, headers, **more)

    @classmethod
    def zipped(cls, body: bytes, keep: int | None = None) -> "Reply":
        """A gzip stream, of which only `keep` bytes are sent and announced."""
        return cls(gzip.compress(body)[:keep], headers={"Content-Encoding": "gzip"})


@dataclass(frozen=True)
class Asked:
    """What a client asked."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


class Loopback:
    """Answers by path; several replies to one path are given one after the other, the last one for ever."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._replies: dict[str, list[Reply]] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def on(self, path: str, *replies: Reply) -> None:
        """Give these replies to a path (without its query)."""
        with self._lock:
            self._replies[path] = list(replies)

    def asked_for(self, path: str) -> list[Asked]:
        return [row for row in self.asked if row.path == path]

    def close(self) -> None:
        self._stop.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _take(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
            replies = self._replies.get(asked.path)
            if replies is None:
                return Reply(b"not here", status=404)
            return replies.pop(0) if len(replies) > 1 else replies[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        loopback = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                reply = loopback._take(Asked(parts.path, query, {k.lower(): v for k, v in self.headers.items()}))
                self.close_connection = True
                if loopback._stop.wait(reply.delay_s) or reply.hang_up:
                    return
                try:
                    self._send(reply)
                except (BrokenPipeError, ConnectionResetError):
                    return  # the client gave up, which some tests are about

            def _send(self, reply: Reply) -> None:
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if reply.announce:
                    self.send_header("Content-Length", str(len(reply.body)))
                self.send_header("Connection", "close")
                self.end_headers()
                body = reply.body if reply.cut_at is None else reply.body[: reply.cut_at]
                if not reply.drip_s:
                    self.wfile.write(body)
                    return
                for place in range(len(body)):
                    self.wfile.write(body[place : place + 1])
                    self.wfile.flush()
                    if loopback._stop.wait(reply.drip_s):
                        return

            def log_message(self, format: str, *args: object) -> None:
                return

        return Handler


class FakeTime:
    """A clock that moves only when somebody sleeps."""

    def __init__(self, now: datetime = datetime(2024, 6, 20, 12, tzinfo=UTC)) -> None:
        self.now = now
        self.slept: list[float] = []

    def clock(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)
        time.sleep(0)  # lets the server's thread run

    def settings(self, **fields: Any) -> VendorSettings:
        defaults: dict[str, Any] = {"timeout_s": 5.0, "retries": 2, "requests_per_second": 1000.0}
        return VendorSettings.model_validate({"clock": self.clock, "sleep": self.sleep, **defaults, **fields})
