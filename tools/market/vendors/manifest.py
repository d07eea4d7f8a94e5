"""What a pull was asked for, and what it writes down about itself."""

from collections.abc import Mapping
from datetime import date
from typing import Literal, Self

from pydantic import AwareDatetime, Field, field_validator, model_validator

from ...frozen import Frozen
from ..folder.prices import is_ticker
from .protocol import Kind, Request, Source

FILE = "manifest.json"
DEFAULT_VENDORS = ("yahoo", "edgar")
"""Prices, companies, fundamentals and documents of US shares without a key."""


class PullRequest(Frozen):
    """What to pull."""

    tickers: tuple[str, ...]
    """The companies."""
    start: date
    end: date | None = None
    """Inclusive; by default the last session that has closed when the pull begins."""
    benchmark: str | None = None
    """A further instrument of which only prices are pulled."""
    series: tuple[str, ...] = ()
    """Macroeconomic series."""
    vendors: tuple[str, ...] = Field(default=DEFAULT_VENDORS, min_length=1)
    """In the order of preference: each kind of data comes from the first that has it, documents from all."""
    calendar: str = "XNYS"
    """The exchange's, which all instruments share."""
    options: Mapping[str, str] = Field(default_factory=dict)
    """Of the vendors, as in `VendorSettings.options`."""
    skip_missing: bool = False
    """Leave out what its vendor does not know or gives in a defective form, instead of failing."""
    name: str | None = None
    """Of the market; the folder's by default."""
    form: Literal["parquet", "csv"] = "parquet"
    """Of the tables."""

    @field_validator("tickers", "series", "vendors")
    @classmethod
    def _each_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if any(not name.strip() or name != name.strip() for name in names):
            raise ValueError("a name is blank or has blanks around it")
        if not all(is_ticker(name) for name in names):
            raise ValueError("a name is long, or has a comma or a line break in it; give names one by one")
        if len(set(names)) != len(names):
            raise ValueError(f"a name is given twice in {', '.join(names)}")
        return names

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if not self.tickers:
            raise ValueError("no ticker is given; name at least one")
        if self.benchmark in self.tickers:
            raise ValueError(f"{self.benchmark} cannot be a company and the benchmark; leave it out of one of them")
        if self.end is not None and self.end < self.start:
            raise ValueError(f"the end {self.end} is before the start {self.start}")
        return self

    @property
    def content(self) -> dict[str, object]:
        """What decides which data are pulled; the other fields say how they are put together."""
        return self.model_dump(mode="json", exclude={"skip_missing", "name", "form"})

    @property
    def frame(self) -> dict[str, object]:
        """What all pieces of a folder share; the names of symbols and vendors may change between two attempts."""
        return self.model_dump(mode="json", include={"start", "end", "calendar", "options"})


class PieceRecord(Frozen):
    """One unit of work that was done."""

    vendor: str
    request: Request
    rows: int
    sha256: str
    """Of the canonical JSON of rows and sources."""
    sources: tuple[Source, ...]


class Skipped(Frozen):
    """One unit of work that was left out."""

    vendor: str
    kind: Kind
    symbol: str
    reason: str


class FileRecord(Frozen):
    """One file of the folder."""

    name: str
    sha256: str
    bytes: int
    rows: int
    """Of the table, or lines of the texts; 0 for market.toml."""


class Manifest(Frozen):
    """Where everything in a pulled folder came from. Holds no secret and no path of a machine."""

    version: Literal[1] = 1
    request: PullRequest
    end: date
    """The last day that was pulled."""
    started_at: AwareDatetime
    """UTC, when this pull of all that is there began."""
    finished_at: AwareDatetime
    software: dict[str, dict[str, str]]
    """By vendor: the versions of its package and libraries."""
    pieces: tuple[PieceRecord, ...]
    skipped: tuple[Skipped, ...] = ()
    files: tuple[FileRecord, ...]
    fingerprint: str
    """Of the market that the folder opens as."""
    warnings: tuple[str, ...] = ()
    """What the check of the format wants looked at."""
