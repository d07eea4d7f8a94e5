"""What a market is made of, once it has been read and checked."""

from dataclasses import dataclass, field
from datetime import date, datetime

import pandas as pd

from .bars import Bars
from .frames import FACT_COLUMNS, SERIES_COLUMNS, empty_series
from .relations.records import Link

__all__ = ["FACT_COLUMNS", "SERIES_COLUMNS", "Company", "Dataset", "Document"]


@dataclass(frozen=True)
class Company:
    """An issuer whose shares the desk may hold."""

    ticker: str
    name: str
    industry: str = ""
    sector: str = ""
    aliases: tuple[str, ...] = ()
    """Other names that give the company away (products, brands, people), for masking."""


@dataclass(frozen=True)
class Document:
    """A text about one company (a press release, a filing's text)."""

    id: str
    ticker: str
    published_at: datetime
    """UTC."""
    source: str
    headline: str
    body: str

    @property
    def text(self) -> str:
        """Headline and body as one text; spans count characters in it."""
        return f"{self.headline}\n{self.body}"


@dataclass(frozen=True)
class Dataset:
    """A market as data: everything that will ever be known, with the times at which it becomes known.

    Only `Market` and the simulated broker see it; agents see a `MarketView`.
    """

    name: str
    note: str
    """One sentence for people: what this market is (generated or real, which years, where from)."""
    generated: bool
    calendar: str
    """Name of the exchange calendar (`exchange_calendars`), e.g. XNYS."""
    bars: Bars
    """All instruments, companies and benchmark, as traded."""
    companies: dict[str, Company]
    """By ticker; an instrument without a company (an index fund) can be a benchmark, but the desk does not hold it."""
    facts: pd.DataFrame
    """Columns `FACT_COLUMNS`, sorted by available_at."""
    documents: tuple[Document, ...]
    """Sorted by published_at, near-duplicates still in."""
    series: pd.DataFrame = field(default_factory=empty_series)
    """Columns `SERIES_COLUMNS`, sorted by available_at."""
    relations: tuple[Link, ...] = ()
    """Links between companies that the user has given, sorted by available_at."""
    benchmark: str | None = None
    window: tuple[date, date] | None = None
    """Recommended session window; earlier data is look-back history."""
    fingerprint: str = field(default="")
    """sha256 over all content."""
