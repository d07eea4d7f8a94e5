"""The connection to a server: bounded in time and size, patient with what may pass, and silent about its key.

An attempt ends after `timeout_seconds`, however slowly bytes drip in. Broken connections, cut responses and statuses
of a busy or ailing server are tried again after a random wait under an exponentially growing bound ("full jitter",
Brooker 2015); a server that says how long to wait is obeyed, or left alone where that is too long. A key that a server
sends back is blotted out before anything else sees the text.
"""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx
import numpy as np
import tenacity

from ....tools.market.vendors.patience import retry_after_s
from ..core import ModelError
from .access import Access
from .reading import Unusable
from .refusals import REFUSALS, failure_of, is_about_quota, named_field, quoted

ATTEMPTS = 5
FIRST_BOUND_SECONDS = 0.5
"""Of the wait after the first attempt; doubles with each further one."""
LONGEST_WAIT_SECONDS = 30.0
LONGEST_ASKED_SECONDS = 120.0
"""A server that wants a longer wait is not asked again."""
CONNECT_SECONDS = 10.0
MOST_BYTES = 16 * 2**20
"""Of one response: a distribution over a whole generated object takes about one."""
SHORTEST_SECRET = 8
"""A shorter key is a word that a server may well say by itself ("EMPTY", "ollama")."""
_RETRIED = frozenset((408, 409, 425, 429))

Sleep = Callable[[float], Awaitable[None] | None]


class Refused(Exception):
    """A server turned down this one request; it did not break."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.text = text
        """The response's body, without the key."""


class NotThere(ModelError):
    """A server has nothing at an address."""


class Response(NamedTuple):
    """A complete response with status 200."""

    text: str


class _Passing(Exception):
    """An attempt that is worth another one."""

    def __init__(self, why: str, asked_seconds: float = 0.0) -> None:
        super().__init__(why)
        self.asked_seconds = asked_seconds


class Wire:
    """Sends requests to one server. Lives in an event loop; may be used by several tasks at once.

    Args:
        url: base address up to and including `/v1`.
        access: key, concurrency, time.
        rng: draws the waits.
        sleep: how to wait between attempts.
        clock: tells the time of day, for servers that name a date to come back.
    """

    def __init__(
        self,
        url: str,
        access: Access,
        *,
        rng: np.random.Generator,
        sleep: Sleep = asyncio.sleep,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.url = url
        self._access = access
        self._rng = rng
        self._sleep = sleep
        self._clock = clock
        key = access.key()
        self._blots = _blots_of(key)
        # what is cut short must show: httpx does not notice the end of a compressed stream
        headers = {"Accept-Encoding": "identity"} | ({"Authorization": f"Bearer {key}"} if key else {})
        bounds = httpx.Timeout(access.timeout_seconds, connect=min(CONNECT_SECONDS, access.timeout_seconds), pool=None)
        self._client = httpx.AsyncClient(headers=headers, timeout=bounds, follow_redirects=False)
        self._turns = asyncio.Semaphore(access.concurrency)
        self._met = False
        """Whether the server has ever answered: before, a refused connection is a wrong address and not a crash."""

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def get(self, url: str) -> Response:
        """What a server says at an absolute address: see `post`."""
        return await self._ask("GET", url, None, ())

    async def post(self, path: str, body: Mapping[str, Any], doubtful: tuple[str, ...] = ()) -> Response:
        """A complete response with status 200.

        Args:
            path: below the base address.
            body: sent as JSON.
            doubtful: fields of the body that the server may not know; an error of any status that names one of them is
                a refusal.

        Raises:
            Refused: the server does not take this request.
            Unusable: the response is larger than any answer.
            ModelError: it wants a key, has nothing at this address, or still fails after the last attempt.
        """
        return await self._ask("POST", self.url + path, body, doubtful)

    async def _ask(self, method: str, url: str, body: Mapping[str, Any] | None, doubtful: tuple[str, ...]) -> Response:
        retrying = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=self._wait_seconds,
            retry=tenacity.retry_if_exception_type(_Passing),
            sleep=self._pause,
            reraise=True,
        )
        async with self._turns:
            try:
                return await retrying(self._attempt, method, url, body, doubtful)
            except _Passing as error:
                raise ModelError(
                    f"The model server at {self.url} failed {ATTEMPTS} times ({error}): restart it, then resume."
                ) from None

    async def _attempt(
        self, method: str, url: str, body: Mapping[str, Any] | None, doubtful: tuple[str, ...]
    ) -> Response:
        try:
            async with (
                asyncio.timeout(self._access.timeout_seconds),
                self._client.stream(method, url, json=body) as response,
            ):
                self._met = True
                text = self._blotted(await _read(response))
        except (TimeoutError, httpx.TimeoutException):
            raise _Passing(f"no whole answer within {self._access.timeout_seconds:g} s") from None
        except (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.InvalidURL):
            raise ModelError(f"The address {self.url} cannot be asked: correct it.") from None
        except httpx.ConnectError:
            if not self._met:
                raise ModelError(f"No model server answers at {self.url}: start one, or check the address.") from None
            raise _Passing("no connection") from None
        except httpx.RequestError as error:
            # by its class alone: the text of an error may hold what was sent
            raise _Passing(f"the connection broke: {type(error).__name__}") from None
        if response.status_code != httpx.codes.OK:
            raise self._trouble(response, text, doubtful)
        if not {"content-length", "transfer-encoding"} & set(response.headers) and not _is_json(text):
            # the end of the connection is the end of such an answer, so only its text shows that it was cut
            raise _Passing("the answer was cut short")
        return Response(text)

    def _trouble(self, response: httpx.Response, text: str, doubtful: tuple[str, ...]) -> Exception:
        """What a status other than 200 means."""
        status = response.status_code
        if status in (401, 403) and failure_of(status, text) is None:
            return ModelError(
                f"The model server at {self.url} does not let us in (status {status}): set "
                f"{self._access.api_key_env} to a valid key, or name another variable with --api-key-env."
            )
        if status == 402 or (status in _RETRIED and is_about_quota(text)):
            return ModelError(
                f"The account at {self.url} has nothing left to spend (status {status}): top it up, then resume."
            )
        if status in REFUSALS or (status in (403, 500) and failure_of(status, text) is not None):
            return Refused(status, text)
        if status >= 500 and named_field(text, doubtful):
            return Refused(status, text)
        if status in _RETRIED or (status >= 500 and status != 501):
            asked = retry_after_s(response.headers.get("Retry-After"), self._clock())
            if asked > LONGEST_ASKED_SECONDS:
                return ModelError(
                    f"The model server at {self.url} wants us to wait {asked:.0f} s (status {status}): "
                    "resume after that."
                )
            return _Passing(f"status {status}", asked)
        kind = NotThere if status in (404, 405) else ModelError
        return kind(
            f"The model server at {self.url} does not take requests at this address (status {status}: {quoted(text)}): "
            "give its address up to /v1, and the name of a model that it has after #."
        )

    def _wait_seconds(self, state: tenacity.RetryCallState) -> float:
        bound = min(FIRST_BOUND_SECONDS * 2.0 ** (state.attempt_number - 1), LONGEST_WAIT_SECONDS)
        drawn = float(self._rng.uniform(0.0, bound))
        error = state.outcome.exception() if state.outcome is not None else None
        return max(drawn, error.asked_seconds) if isinstance(error, _Passing) else drawn

    async def _pause(self, seconds: float) -> None:
        waiting = self._sleep(seconds)
        if waiting is not None:
            await waiting

    def _blotted(self, text: str) -> str:
        for pattern in self._blots:
            text = pattern.sub("***", text)
        return text


async def _read(response: httpx.Response) -> str:
    parts, size = [], 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > MOST_BYTES:
            raise Unusable(f"it has more than {MOST_BYTES:,} bytes")
        parts.append(part)
    return b"".join(parts).decode(errors="replace")


def _blots_of(key: str) -> tuple[re.Pattern[str], ...]:
    """What to blot out of each response."""
    if not key:
        return ()
    written = json.dumps(key)[1:-1]
    forms = {re.escape(key), re.escape(written), re.escape(written.replace("/", "\\/"))}
    either = "|".join(sorted(forms, key=len, reverse=True))
    return (re.compile(either if len(key) >= SHORTEST_SECRET else rf"(?<=Bearer )(?:{either})"),)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
