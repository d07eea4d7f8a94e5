"""What a vendor of market data is: a name, the kinds of data it provides, and one method that fetches.

A vendor is found by the entry-point group `paperdesk.vendors`: `name = "package.module:factory"`, where the factory
takes `VendorSettings` and returns a `Vendor`. PaperDesk's own vendors register in the same way.

| member | required | meaning |
| --- | --- | --- |
| `name` | yes | the name of its entry point |
| `provides` | yes | the kinds of data that `fetch` answers |
| `fetch` | yes | one request, one piece: rows in the tidy format, and where they came from |
| `close` | yes | lets go of connections; called once, also after errors |
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal, Protocol, Self, get_args, runtime_checkable

from pydantic import AwareDatetime, Field, PositiveFloat, PositiveInt, field_validator, model_validator

from ...frozen import Frozen

ENTRY_POINTS = "paperdesk.vendors"
"""The entry-point group."""

Kind = Literal["prices", "companies", "fundamentals", "documents", "series"]
"""The tables of the tidy format (docs/data-format.md)."""
KINDS: tuple[Kind, ...] = get_args(Kind)

Row = dict[str, str | float | int | None]
"""One row or line; the keys are the columns or fields of its kind, dates and times are ISO text (times with a zone)."""

Clock = Callable[[], datetime]
"""Says the time, aware and in UTC."""
Sleep = Callable[[float], None]
"""Waits for so many seconds."""


class Request(Frozen):
    """One unit of work."""

    kind: Kind
    symbol: str = Field(min_length=1)
    """A ticker, or the name of a series."""
    start: date
    end: date
    """Inclusive."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end < self.start:
            raise ValueError(f"the end {self.end} is before the start {self.start}")
        return self


class Source(Frozen):
    """One answer that a piece was made from."""

    url: str
    """What was asked, without secrets; for a file its name."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of the raw answer (of its body, after HTTP's content decoding)."""
    bytes: int = Field(ge=0)
    """Length of the same."""
    fetched_at: AwareDatetime
    """UTC."""

    @field_validator("fetched_at")
    @classmethod
    def _in_utc(cls, moment: datetime) -> datetime:
        return moment.astimezone(UTC)


class Piece(Frozen):
    """What a vendor answered to one request."""

    rows: tuple[Row, ...]
    """May be empty where nothing happened in these dates (no filings, no texts)."""
    sources: tuple[Source, ...]


@runtime_checkable
class Vendor(Protocol):
    """A source of market data."""

    name: str
    provides: frozenset[Kind]

    def fetch(self, request: Request) -> Piece:
        """Answer one request whose kind it provides.

        Rows are complete and in the order of time; prices are split-adjusted and nothing else, and hold no session
        that had not closed by the clock.

        Raises:
            VendorUnavailable: the network or the vendor fails, also after retries.
            VendorRefused: a key or user agent is missing or wrong.
            UnknownSymbol: the vendor does not have this symbol, or nothing of it in these dates.
            VendorSchemaError: the answer does not have the expected form.
        """
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class VendorSettings(Frozen):
    """How vendors behave; keys are no settings, they come from the environment alone."""

    clock: Clock
    """The time now, UTC: stamps sources, and decides which sessions have closed."""
    sleep: Sleep = time.sleep
    """How to wait between requests and before retries."""
    timeout_s: PositiveFloat = 30.0
    """Longest silence within one request, seconds; a whole answer may take ten times as long."""
    requests_per_second: PositiveFloat | None = None
    """Upper bound; None: the vendor's own. A vendor that promises less keeps to its promise."""
    retries: int = Field(default=4, ge=0)
    """Further attempts after a failure that may pass (network, 429, 5xx)."""
    longest_wait_s: PositiveFloat = 120.0
    """A vendor that asks to wait longer than this is unavailable."""
    max_bytes: PositiveInt = 512 * 1024 * 1024
    """A larger answer is refused."""
    user_agent: str | None = None
    """Sent by vendors that have no declared user agent of their own; None: `paperdesk/<version>`."""
    base_urls: Mapping[str, str] = Field(default_factory=dict)
    """Other addresses, by vendor; a vendor with several hosts has several keys (`edgar`, `edgar.www`)."""
    csv_folder: Path | None = None
    """Where the vendor `csv` finds its files."""
    cache_folder: Path | None = None
    """Where a vendor may keep answers that hold for all symbols (EDGAR's list of tickers); None: nowhere."""
    options: Mapping[str, str] = Field(default_factory=dict)
    """Further settings, `vendor.name` to value (`alpaca.feed` to `sip`)."""

    def base_url(self, key: str, default: str) -> str:
        """The address to use, without a slash at its end."""
        return self.base_urls.get(key, default).rstrip("/")


VendorFactory = Callable[[VendorSettings], Vendor]
"""What an entry point names."""
