"""What a market arranges once, so that its views only cut: prices, returns, documents and facts."""

from datetime import date, timedelta
from functools import cached_property

import pandas as pd

from ..clock import TradingCalendar
from ..errors import InputError
from .bars import Matrix
from .documents.duplicates import collapse
from .documents.screening import Screened, SetAside, screen
from .records import Dataset, Document
from .relations.kept import found_or_loaded
from .relations.records import Found, Link, by_time
from .shelf import Shelf, shelves
from .trades import Trades, Vector, equally_weighted, total_returns

_LOOK_BACK = 252
"""Sessions kept as history where a market recommends no window: a year, which the longest indicator needs."""


def calendar_of(dataset: Dataset) -> TradingCalendar:
    """The market's calendar, a month beyond the last bar, so that the session after it is known.

    Some exchanges announce a year at a time: where the next one is not known yet, it ends with the last bar's year.
    """
    first, last = dataset.bars.sessions[0], dataset.bars.sessions[-1]
    try:
        return TradingCalendar(dataset.calendar, first, last + timedelta(days=31))
    except InputError:
        return TradingCalendar(dataset.calendar, first, date(last.year, 12, 31))


def window_of(dataset: Dataset) -> tuple[date, date]:
    """The session window that a market recommends; where it recommends none, all but the history that is needed."""
    sessions = dataset.bars.sessions
    return dataset.window or (sessions[min(_LOOK_BACK, len(sessions) // 2)], sessions[-1])


class Prepared:
    """A data set and what has been arranged of it, each part at its first use; the future is included."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.name = dataset.name
        self.note = dataset.note
        self.generated = dataset.generated
        self.companies = dataset.companies
        self.tickers: tuple[str, ...] = tuple(dataset.companies)
        """The companies: what the desk may hold."""
        self.instruments = dataset.bars.tickers
        """Everything with prices, the benchmark included."""
        self.benchmark = dataset.benchmark
        self.fingerprint = dataset.fingerprint
        self._trades: dict[str, Trades] = {}
        self._stories: dict[str, Shelf] = {}

    def column(self, ticker: str) -> int:
        """Index of an instrument in the bars.

        Raises:
            InputError: it is unknown.
        """
        try:
            return self.dataset.bars.column(ticker)
        except KeyError:
            known = ", ".join(self.instruments)
            raise InputError(f"there is no ticker {ticker!r} in {self.name}; choose from {known}") from None

    def trades(self, ticker: str) -> Trades:
        """All trade days of an instrument as arrays, prepared at the first call.

        Raises:
            InputError: it is unknown.
        """
        if ticker not in self._trades:
            self._trades[ticker] = Trades(self.dataset.bars, self.column(ticker))
        return self._trades[ticker]

    @cached_property
    def days(self) -> pd.DatetimeIndex:
        """The sessions as an index of data frames."""
        return pd.DatetimeIndex(self.dataset.bars.sessions, name="date", dtype="datetime64[us]")

    @cached_property
    def total_returns(self) -> Matrix:
        """(T, N) simple total returns since the last trade before; NaN where nothing traded, or nothing had before.

        Row t depends on rows up to t alone, so a view may show its first rows.
        """
        return total_returns(self.dataset.bars)

    @cached_property
    def market_returns(self) -> Vector:
        """(T,) total returns of the benchmark, or without one the mean over the companies that have one; else NaN.

        Row t depends on rows up to t alone.
        """
        if self.benchmark is not None:
            return self.total_returns[:, self.column(self.benchmark)]
        return equally_weighted(self.total_returns, [self.column(ticker) for ticker in self.tickers])

    @cached_property
    def screened(self) -> Screened:
        """The documents without sentences that are not about the issuer (`documents.screening`); what was taken out."""
        return screen(self.dataset.documents, self.companies)

    @property
    def documents(self) -> tuple[Document, ...]:
        """All documents as they may be read."""
        return self.screened.documents

    @cached_property
    def set_aside_by_ticker(self) -> dict[str, tuple[SetAside, ...]]:
        """What was taken out of the documents about each ticker, by time of publication."""
        found: dict[str, list[SetAside]] = {}
        for item in self.screened.set_aside:
            found.setdefault(item.ticker, []).append(item)
        return {ticker: tuple(items) for ticker, items in found.items()}

    @cached_property
    def documents_by_ticker(self) -> dict[str | None, Shelf]:
        """The documents about each ticker as they may be read; under None all of them."""
        return shelves(self.documents)

    def stories(self, ticker: str) -> Shelf:
        """The documents about a company without near-repeats (`duplicates.collapse`), collapsed at the first call.

        What is kept depends on earlier documents only, so a view may show those published by its time.
        """
        if ticker not in self._stories:
            self._stories[ticker] = Shelf(collapse(self.documents_by_ticker.get(ticker, Shelf(())).documents))
        return self._stories[ticker]

    @cached_property
    def found(self) -> Found:
        """The events, links and people that the documents state (`relations`); each rests on one document alone."""
        return found_or_loaded(
            [row for ticker in self.tickers for row in self.stories(ticker).documents], self.companies
        )

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """The links between companies that documents and the relations file state, oldest first."""
        return tuple(sorted((*self.found.links, *self.dataset.relations), key=by_time))

    @cached_property
    def facts_by_ticker(self) -> dict[str, pd.DataFrame]:
        """The facts of each ticker that has any, by available_at."""
        return {str(name): rows for name, rows in self.dataset.facts.groupby("ticker", sort=False)}
