"""A hub on the loopback interface: the pages of files as Hugging Face serves them, and its storage on another port."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Asked(NamedTuple):
    """A request that came."""

    verb: str
    path: str
    range: str
    token: str
    storage: bool


@dataclass
class Page:
    """A file of a repository, and what goes wrong with it."""

    content: bytes
    etag: str = ""
    """By default the sha256 of the content."""
    status: int = 200
    code: str = ""
    """X-Error-Code."""
    failures: list[int] = field(default_factory=list)
    """Statuses of the next answers, before it works."""
    cuts: list[int] = field(default_factory=list)
    """After so many bytes of an answer the connection breaks; one entry an answer."""
    pace: Callable[[], object] = lambda: None
    """Called before each piece."""
    ranges: bool = True
    """Whether parts can be asked for."""
    moved: str = ""
    """Path that the page redirects to."""


class LoopbackHub:
    """Serves pages under `/owner/repo/resolve/main/file`; the bytes come from the storage, a second server."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.asked: list[Asked] = []
        self._servers = [ThreadingHTTPServer(("127.0.0.1", 0), self._handler(storage)) for storage in (False, True)]
        self._threads = [threading.Thread(target=server.serve_forever, args=(0.01,)) for server in self._servers]
        for server, thread in zip(self._servers, self._threads, strict=True):
            server.daemon_threads = True
            thread.start()
        self.url, self.storage = (f"http://127.0.0.1:{server.server_address[1]}" for server in self._servers)

    def put(
        self, content: bytes, name: str = "someone/small/model.gguf", revision: str = "main", **more: object
    ) -> Page:
        """Put a file on the hub."""
        owner, repository, path = name.split("/", 2)
        page = Page(content, **more)  # type: ignore[arg-type]
        page.etag = page.etag or hashlib.sha256(content).hexdigest()
        self.pages[f"/{owner}/{repository}/resolve/{revision}/{path}"] = page
        return page

    def transfers(self) -> list[Asked]:
        """The requests for bytes."""
        return [row for row in self.asked if row.storage]

    def close(self) -> None:
        for server, thread in zip(self._servers, self._threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()

    def _handler(self, storage: bool) -> type[BaseHTTPRequestHandler]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self._answer()

            def do_GET(self) -> None:
                self._answer()

            def _answer(self) -> None:
                self.close_connection = True
                path = urlsplit(self.path).path
                headers = self.headers
                token = headers.get("Authorization", "")
                hub.asked.append(Asked(self.command, path, headers.get("Range", ""), token, storage))
                page = hub.pages.get(path)
                if page is None:
                    self._send(404, {"X-Error-Code": "EntryNotFound"})
                elif page.moved and not storage:
                    self._send(307, {"Location": page.moved})
                elif page.failures:
                    self._send(page.failures.pop(0), {})
                elif page.status != 200:
                    self._send(page.status, {"X-Error-Code": page.code} if page.code else {})
                elif not storage:
                    size = str(len(page.content))
                    known = {"X-Linked-Etag": f'"{page.etag}"', "X-Linked-Size": size, "X-Repo-Commit": COMMIT}
                    self._send(302, {"Location": f"{hub.storage}{path}?signature=secret", **known})
                else:
                    self._bytes(page)

            def _bytes(self, page: Page) -> None:
                begin = int(self.headers.get("Range", "bytes=0-")[6:-1]) if page.ranges else 0
                size = len(page.content)
                if begin and begin >= size:
                    self._send(416, {"Content-Range": f"bytes */{size}"})
                    return
                body = page.content[begin:]
                said = {"Content-Length": str(len(body))}
                if begin:
                    said["Content-Range"] = f"bytes {begin}-{size - 1}/{size}"
                self._send(206 if begin else 200, said)
                body = body[: page.cuts.pop(0)] if page.cuts else body
                try:
                    for place in range(0, len(body), 16_384):
                        page.pace()
                        self.wfile.write(body[place : place + 16_384])
                except (BrokenPipeError, ConnectionResetError):
                    return  # the client was killed, which some tests are about

            def _send(self, status: int, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in ({"Content-Length": "0"} | headers).items():
                    self.send_header(name, value)
                self.send_header("Connection", "close")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                return

        return Handler
