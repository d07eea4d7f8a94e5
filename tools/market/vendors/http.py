"""One way to ask over HTTP: paced, retried, bounded, complete or not at all, and never a secret in what is kept."""

import hashlib
import json
import logging
import time
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import httpx

from ...errors import InputError
from .errors import VendorError, VendorRefused, VendorSchemaError
from .patience import Passing, Patience, is_passing
from .protocol import Source, VendorSettings

_WHOLE_ANSWER = 10
"""A whole answer may take so many timeouts: a server that drips never times out."""
_SECRET_NAMES = {"api_key", "apikey", "key", "token"}
"""Names of query parameters that no log shows; `Http.get` adds those it is given."""


class _Redacting(logging.Filter):
    """httpx logs each address it asks; this takes the secrets out of it."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_without_secrets(arg) if isinstance(arg, httpx.URL) else arg for arg in record.args)
        return True


def _without_secrets(url: httpx.URL) -> httpx.URL:
    return url.copy_with(params=[pair for pair in url.params.multi_items() if pair[0].lower() not in _SECRET_NAMES])


logging.getLogger("httpx").addFilter(_Redacting())


@dataclass(frozen=True)
class Answer:
    """A complete answer."""

    status: int
    body: bytes
    """After content decoding."""
    source: Source
    vendor: str

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            VendorSchemaError: it is no JSON.
        """
        try:
            return json.loads(self.body)
        except ValueError:
            raise VendorSchemaError(
                f"{self.vendor} answered {self.source.url} with something that is no JSON; try again later, and report "
                "it if it stays"
            ) from None

    def text(self, encoding: str = "utf-8") -> str:
        """The body as text.

        Raises:
            VendorSchemaError: it is not in this encoding.
        """
        try:
            return self.body.decode(encoding)
        except UnicodeDecodeError:
            raise VendorSchemaError(
                f"{self.vendor} answered {self.source.url} with text that is no {encoding}; report it"
            ) from None


class Http:
    """A client for one vendor.

    Args:
        settings: pace, timeout, retries, clock and sleep.
        vendor: its name, for messages.
        requests_per_second: the vendor's own bound; the smaller of it and the settings' counts.
        headers: sent with each request; may hold secrets, which never reach a message or a source.
        refusal: how to mend a 401 or 403, completing "...; ", e.g. "set FRED_API_KEY to a valid key".
    """

    def __init__(
        self,
        settings: VendorSettings,
        vendor: str,
        *,
        requests_per_second: float = 4.0,
        headers: Mapping[str, str] | None = None,
        refusal: str = "check your access",
    ) -> None:
        self._settings = settings
        self._vendor = vendor
        self._refusal = refusal
        self._patience = Patience(settings, vendor, requests_per_second)
        self._client = httpx.Client(
            timeout=settings.timeout_s,
            # A redirect would carry keys in the query or in headers to another host.
            follow_redirects=False,
            headers={
                "User-Agent": settings.user_agent or default_user_agent(),
                "Accept-Encoding": "gzip",
                **(headers or {}),
            },
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int | float] | None = None,
        secrets: Mapping[str, str] | None = None,
        accept: Collection[int] = (),
        check_json: bool = False,
    ) -> Answer:
        """Ask for `url` until there is a complete answer.

        Args:
            url: absolute; without a query where `params` or `secrets` are given.
            params: of the query; kept in the answer's source.
            secrets: further ones that are sent and never kept (`{"api_key": ...}`).
            accept: statuses other than 200 that are answers too (404 for an unknown symbol).
            check_json: an answer with status 200 that is no JSON counts as cut short, and is asked for again.

        Raises:
            VendorUnavailable: no complete answer after all retries.
            VendorRefused: 401 or 403.
            VendorSchemaError: any other status, or an answer beyond the size limit.
            InputError: `url` is none, which happens where an address was set by hand.
        """
        shown = str(httpx.URL(url, params=params)) if params else url
        merged = {**(params or {}), **(secrets or {})}
        _SECRET_NAMES.update(name.lower() for name in secrets or ())
        return self._patience.ask(shown, lambda: self._attempt(url, merged, shown, frozenset(accept), check_json))

    def _attempt(
        self, url: str, params: Mapping[str, str | int | float], shown: str, accept: frozenset[int], check_json: bool
    ) -> Answer:
        try:
            with self._client.stream("GET", url, params=params or None) as response:
                status = response.status_code
                if status != 200 and status not in accept:
                    raise self._refuse(response, shown)
                body = self._read(response, shown)
        except httpx.TimeoutException:
            raise Passing(f"no answer within {self._settings.timeout_s:g} s") from None
        except (httpx.UnsupportedProtocol, httpx.InvalidURL):
            raise InputError(f"{url!r} is no address; set one that begins with http:// or https://") from None
        except httpx.TransportError as error:
            # Named by its class alone: the text of some httpx errors holds the whole address.
            raise Passing(f"the connection failed: {type(error).__name__}") from None
        source = Source(
            url=shown, sha256=hashlib.sha256(body).hexdigest(), bytes=len(body), fetched_at=self._settings.clock()
        )
        answer = Answer(status, body, source, self._vendor)
        if check_json and status == 200 and not _is_json(body):
            raise Passing("the answer is no complete JSON")
        return answer

    def _read(self, response: httpx.Response, shown: str) -> bytes:
        """The decoded body.

        httpx notices a body that is shorter than its length said; a gzip stream that ends early it takes as complete,
        hence the decoding here.
        """
        zipped = response.headers.get("Content-Encoding", "").lower() in ("gzip", "x-gzip")
        decoder = zlib.decompressobj(wbits=31) if zipped else None
        limit, parts, size = self._settings.max_bytes, [], 0
        until = time.monotonic() + _WHOLE_ANSWER * self._settings.timeout_s
        try:
            for raw in response.iter_raw():
                part = decoder.decompress(raw, limit + 1 - size) if decoder else raw
                size += len(part)
                if size > limit:
                    raise VendorSchemaError(
                        f"{self._vendor} answered {shown} with more than {limit:,} bytes; ask for fewer years"
                    )
                parts.append(part)
                if time.monotonic() > until:
                    raise Passing(f"the answer took more than {_WHOLE_ANSWER * self._settings.timeout_s:g} s")
        except zlib.error:
            raise Passing("the answer is broken gzip") from None
        if decoder is not None and (not decoder.eof or decoder.unused_data):
            raise Passing("the answer was cut short")
        return b"".join(parts)

    def _refuse(self, response: httpx.Response, shown: str) -> VendorError | Passing:
        status = response.status_code
        if is_passing(status):
            return Passing(f"status {status}", response.headers.get("Retry-After"))
        if status in (401, 403):
            return VendorRefused(f"{self._vendor} refused {shown} (status {status}); {self._refusal}")
        return VendorSchemaError(
            f"{self._vendor} answered {shown} with status {status}, which is not expected there; report it if it stays"
        )


def default_user_agent() -> str:
    """`paperdesk/<version>`."""
    try:
        return f"paperdesk/{version('paperdesk')}"
    except PackageNotFoundError:
        return "paperdesk"


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True
