"""Asking a vendor at its pace, and again after what may pass."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import numpy as np
import tenacity

from .errors import VendorUnavailable
from .protocol import VendorSettings

_BASE_WAIT_S = 1.0
"""Before the first retry; doubles with each further one."""
_PASSING = frozenset({408, 425, 429})

T = TypeVar("T")


class Passing(Exception):
    """An attempt failed in a way that may pass.

    Args:
        problem: a few words for people, without secrets.
        retry_after: the header of this name, if the vendor sent one.
    """

    def __init__(self, problem: str, retry_after: str | None = None) -> None:
        super().__init__(problem)
        self.retry_after = retry_after


def is_passing(status: int) -> bool:
    """Whether an HTTP status may be gone with the next attempt."""
    return status in _PASSING or status >= 500


class Patience:
    """Spaces attempts evenly and repeats those that raise `Passing`.

    Args:
        settings: retries, clock and sleep, and the user's bound on the pace.
        vendor: its name, for messages.
        requests_per_second: the vendor's own bound; the smaller of the two counts.
    """

    def __init__(self, settings: VendorSettings, vendor: str, requests_per_second: float) -> None:
        self._settings = settings
        self._vendor = vendor
        self._spacing_s = 1.0 / min(requests_per_second, settings.requests_per_second or math.inf)
        self._last: datetime | None = None
        # Clients that failed together must not come back together, so the seed is the time of each.
        self._rng = np.random.default_rng(int(settings.clock().timestamp() * 1e6))

    def ask(self, shown: str, attempt: Callable[[], T]) -> T:
        """The result of the first attempt that gets through.

        Args:
            shown: what is asked for, for messages; without secrets.
            attempt: raises `Passing` where it is worth another one; any other error ends the asking.

        Raises:
            VendorUnavailable: all attempts failed, or the vendor wants a longer wait than the settings allow.
        """
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self._settings.retries + 1),
            wait=self._wait_s,
            retry=tenacity.retry_if_exception_type(Passing),
            sleep=self._settings.sleep,
            reraise=True,
        )

        def paced() -> T:
            self._pace()
            return attempt()

        try:
            return retrying(paced)
        except Passing as error:
            raise VendorUnavailable(
                f"{self._vendor} did not answer {shown} ({error}, {self._settings.retries + 1} attempts); "
                "try again later, what was fetched is kept"
            ) from None

    def _pace(self) -> None:
        """Wait until `1 / requests_per_second` has passed since the last attempt began."""
        if self._last is not None:
            passed = (self._settings.clock() - self._last).total_seconds()
            # A clock that was set back must not make us wait for hours.
            wait_s = min(self._spacing_s, self._spacing_s - passed)
            if wait_s > 0:
                self._settings.sleep(wait_s)
        self._last = self._settings.clock()

    def _wait_s(self, state: tenacity.RetryCallState) -> float:
        """Seconds before the next attempt: exponential with jitter, and never less than the vendor asked for."""
        longest = self._settings.longest_wait_s
        wait_s = min(_BASE_WAIT_S * 2.0 ** (state.attempt_number - 1), longest) * float(self._rng.uniform(0.5, 1.0))
        error = state.outcome.exception() if state.outcome is not None else None
        asked_s = retry_after_s(error.retry_after, self._settings.clock()) if isinstance(error, Passing) else 0.0
        if asked_s > longest:
            raise VendorUnavailable(
                f"{self._vendor} wants us to wait {asked_s:.0f} s ({error}); try again after that, what was fetched is "
                "kept"
            )
        return max(wait_s, asked_s)


def retry_after_s(header: str | None, now: datetime) -> float:
    """Seconds that a Retry-After header asks for (it holds seconds or an HTTP date); 0 where it says nothing."""
    if header is None:
        return 0.0
    if header.strip().isdecimal():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
