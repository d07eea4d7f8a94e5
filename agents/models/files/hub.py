"""Asking a Hugging Face hub about a file and for its bytes, over plain HTTP.

Not by `huggingface_hub`: release 2.4 writes each download to a fresh temporary name and removes it on failure
(`_download_to_tmp_and_move`), so a transfer that was killed begins again; its HTTP library changed its name between
releases 1 and 2, so that failures of the network cannot be told apart in both; and it sleeps and logs on its own. What
it knows about the hub is four headers, which stand below.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

import httpx

from ....tools.errors import PaperDeskError
from ..core import ModelInputError
from .source import HubFile

ENDPOINT = "https://huggingface.co"
TIMEOUT_SECONDS = 30.0
_PASSING = frozenset((408, 425, 429))
_REDIRECTS = 5
_SHA256 = re.compile(r"[0-9a-f]{64}")


class HubError(PaperDeskError):
    """A hub could not be reached, or broke off too often; what was fetched is kept."""


class Passing(Exception):
    """An attempt failed in a way that may pass; the text is a clause."""


class Remote(NamedTuple):
    """What a hub says about a file."""

    etag: str
    """Names the content."""
    sha256: str
    """Of the content, where the etag is one (large files); else empty."""
    size: int | None
    """Bytes."""
    commit: str
    """The repository's commit that `revision` stands for; empty where the hub does not say."""


class Hub:
    """A hub and our access to it; a context manager's worth of connections, so close it.

    Args:
        endpoint: its address; by default `HF_ENDPOINT` of the environment, else huggingface.co.
        token: of an account, for gated and private repositories; by default `HF_TOKEN` of the environment. It goes to
            the endpoint alone, never along a redirect to another host.
        timeout_seconds: without a byte.

    Raises:
        ModelInputError: the endpoint is no address, or the token no token.
    """

    def __init__(
        self, endpoint: str | None = None, token: str | None = None, *, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self.endpoint = (endpoint or os.environ.get("HF_ENDPOINT") or ENDPOINT).rstrip("/")
        parts = urlsplit(self.endpoint)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ModelInputError(f"{self.endpoint!r} is no address of a hub: correct HF_ENDPOINT or unset it.")
        self._token = (token if token is not None else os.environ.get("HF_TOKEN", "")).strip()
        if not (self._token.isascii() and self._token.isprintable()):
            raise ModelInputError("HF_TOKEN holds something that no token has: set it again or unset it.")
        headers = {"User-Agent": _user_agent(), "Accept-Encoding": "identity"}
        self._client = httpx.Client(headers=headers, timeout=timeout_seconds)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def look_up(self, file: HubFile) -> Remote:
        """What the hub says about a file.

        Raises:
            Passing: it does not answer, or is overloaded.
            ModelInputError: it does not have the file, or does not give it to us.
            HubError: its answer makes no sense.
        """
        url = file.url(self.endpoint)
        with _network(self.endpoint):
            for _ in range(_REDIRECTS):
                response = self._client.head(url, headers=self._access())
                goal = urljoin(url, response.headers.get("Location", ""))
                # a repository that was renamed is on the same host; the file's bytes are on another, and what the hub
                # knows about them stands in the answer that sends us there
                if not response.is_redirect or _host(goal) != _host(url) or "X-Linked-Etag" in response.headers:
                    break
                url = goal
        if response.status_code >= 400:
            raise self._refusal(file, response)
        headers = response.headers
        etag = _bare(headers.get("X-Linked-Etag") or headers.get("ETag") or "")
        size = headers.get("X-Linked-Size") or (None if response.is_redirect else headers.get("Content-Length"))
        if not etag:
            raise HubError(f"{self.endpoint} names no content for {file}: it is no hub, correct HF_ENDPOINT.")
        return Remote(
            etag=etag,
            sha256=etag if _SHA256.fullmatch(etag) else "",
            size=int(size) if size and size.isdecimal() else None,
            commit=headers.get("X-Repo-Commit", ""),
        )

    @contextmanager
    def stream(self, file: HubFile, begin: int) -> "Iterator[Stream]":
        """The bytes of a file from `begin` on, or from 0 where the server does not do parts.

        Raises:
            Passing: the connection failed, now or midway.
            ModelInputError: see `look_up`.
        """
        ranged = {"Range": f"bytes={begin}-"} if begin else {}
        # httpx leaves the token behind when a redirect leads to another host
        with (
            _network(self.endpoint),
            self._client.stream(
                "GET", file.url(self.endpoint), headers=self._access() | ranged, follow_redirects=True
            ) as response,
        ):
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                yield Stream(0, iter(()))  # what is kept does not fit the file: begin again
                return
            if response.status_code >= 400:
                raise self._refusal(file, response)
            yield Stream(_first(response), response.iter_raw())

    def _access(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def _refusal(self, file: HubFile, response: httpx.Response) -> Exception:
        """What an answer that is none means; the hub answers 401 for a repository that does not exist."""
        status, code = response.status_code, response.headers.get("X-Error-Code", "")
        repository = f"{file.owner}/{file.repository}"
        if status in _PASSING or status >= 500:
            return Passing(f"{self.endpoint} answered with status {status}")
        if code == "GatedRepo" or status == 403:
            how = "with this account, and set HF_TOKEN to its token"
            return ModelInputError(f"{repository} is gated: accept its terms at {self.endpoint}/{repository} {how}.")
        if code == "RevisionNotFound":
            return ModelInputError(f"{repository} has no revision {file.revision or 'main'}: correct it.")
        if code == "EntryNotFound" or (status == 404 and code != "RepoNotFound"):
            where = f"{self.endpoint}/{repository}"
            return ModelInputError(f"{repository} has no file {file.path}: look for its name at {where}.")
        if code == "RepoNotFound" or status == 401:
            other = "HF_TOKEN may be wrong" if self._token else "for a private or gated one set HF_TOKEN"
            return ModelInputError(f"There is no repository {repository} for us: correct the name; {other}.")
        return HubError(f"{self.endpoint} answered {file} with status {status}, which makes no sense: try again later.")


class Stream(NamedTuple):
    """Bytes on their way."""

    begin: int
    """Where they begin in the file."""
    parts: Iterator[bytes]


@contextmanager
def _network(endpoint: str) -> Iterator[None]:
    try:
        yield
    except (httpx.TransportError, httpx.StreamError) as error:
        # named by its class alone: the text of some errors holds a signed address
        raise Passing(f"the connection to {endpoint} failed ({type(error).__name__})") from None
    except httpx.TooManyRedirects:
        raise Passing(f"{endpoint} sends us in a circle") from None


def _first(response: httpx.Response) -> int:
    """Which byte of the file an answer begins with."""
    if response.status_code != httpx.codes.PARTIAL_CONTENT:
        return 0
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if found is None:
        raise Passing("the server sent a part without saying which")
    return int(found[1])


def _bare(etag: str) -> str:
    return etag.removeprefix("W/").strip('"')


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _user_agent() -> str:
    try:
        return f"paperdesk/{version('paperdesk')}"
    except PackageNotFoundError:
        return "paperdesk"
