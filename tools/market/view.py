"""The one door to data: a `Market` knows everything, a `MarketView` only what was known at its `as_of`."""

from bisect import bisect_right
from collections.abc import Collection, Sequence
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..clock import TradingCalendar
from ..errors import InputError, LookAheadError
from .bars import Bars, Matrix
from .dataset import open_dataset
from .known import aware, known_rows, newest_facts, newest_values, released
from .prepared import Prepared, calendar_of, window_of
from .records import Company, Dataset, Document
from .shelf import Shelf
from .trades import PriceArrays, Vector, level_of

if TYPE_CHECKING:
    from .mask import Masked, What

BUILT_IN = ("generated", "us-tech", "sp20")
"""Markets that come with PaperDesk or with its extra `markets`."""


def open_market(source: str | Path, seed: int = 7, *, mask: "Collection[What]" = (), mask_seed: int = 0) -> "Market":
    """Open a built-in market or a folder.

    Args:
        source: `generated`, `us-tech`, `sp20`, or the path of a folder in the tidy format (docs/data-format.md).
        seed: of the generated market; the others do not use it.
        mask: what to replace by inventions (`names`, `dates`, `levels`; docs/masking.md); the market then has `masked`.
        mask_seed: of the inventions.

    Raises:
        InputError: there is no such market, or what it needs is not installed, or it cannot be masked so.
        DataError: the folder has a defect.
    """
    if mask:
        from .mask import mask_or_load

        result = mask_or_load(open_market(source, seed).dataset, frozenset(mask), mask_seed)
        return Market(result.dataset, result)
    # Imported here: no built-in market is needed to read a folder.
    if source == "generated":
        from .generated import generate

        return Market(generate(seed))
    if source == "us-tech":
        from .vendors.us_tech import us_tech

        return Market(us_tech())
    if source == "sp20":
        from .vendors.sp20 import sp20

        return Market(sp20())
    if not Path(source).is_dir():
        known = f"{', '.join(BUILT_IN[:-1])} or {BUILT_IN[-1]}"
        raise InputError(f"there is no market {str(source)!r}; name {known}, or a folder with prices.csv")
    return Market(open_dataset(Path(source)))


class Market(Prepared):
    """A whole market, future included: for the session runner and the simulated broker, never for an agent."""

    def __init__(self, dataset: Dataset, masked: "Masked | None" = None) -> None:
        super().__init__(dataset)
        self.masked = masked
        """The key and the original of a masked market."""
        self.calendar = calendar_of(dataset)
        self.window = window_of(dataset)
        """The recommended session window."""

    def __repr__(self) -> str:
        return f"Market({self.name!r}, {len(self.tickers)} companies, {self.fingerprint[:12]})"

    def view(self, as_of: datetime) -> "MarketView":
        """What was known at `as_of` (aware).

        Raises:
            InputError: `as_of` has no zone, or lies outside the market's prices.
        """
        return MarketView(self, as_of)

    def bars(self, tickers: tuple[str, ...], start: date, end: date) -> Bars:
        """Bars as traded with `start <= session <= end`.

        Raises:
            InputError: a ticker is unknown.
        """
        for ticker in tickers:
            self.column(ticker)
        return self.dataset.bars.select(tickers, start, end)


class MarketView:
    """What was known at one moment: the only data that agents and their tools may read.

    Prices are in the money and shares of the view's session: adjusted for the splits known by then, and for nothing
    else. An argument that points past `as_of` raises `LookAheadError`.
    """

    def __init__(self, market: Market, as_of: datetime) -> None:
        self.as_of = aware(as_of)
        self._market = market
        sessions = market.dataset.bars.sessions
        last = market.calendar.last_closed(self.as_of)
        if last > sessions[-1]:
            raise InputError(
                f"{market.name} ends on {sessions[-1]}, before {self.as_of:%Y-%m-%d}; choose an earlier time"
            )
        self.session = last
        """The last session whose close is not later than `as_of`."""
        self._rows = bisect_right(sessions, last)
        self._facts: dict[str, pd.DataFrame] = {}

    @classmethod
    def from_frames(cls, prices: pd.DataFrame, *, as_of: datetime | None = None, **others: Any) -> "MarketView":
        """A view on plain data frames with the columns of docs/data-format.md, at the close of the last session.

        Args:
            prices: all that is needed.
            as_of: another moment (aware).
            **others: `fundamentals`, `documents`, `companies`, ... of `from_frames.market_from_frames`.
        """
        from .from_frames import market_from_frames

        market = market_from_frames(prices, **others)
        return cls(market, as_of or market.calendar.close_of(market.dataset.bars.sessions[-1]))

    def __repr__(self) -> str:
        return f"MarketView({self._market.name!r}, {self.as_of.isoformat()})"

    @property
    def name(self) -> str:
        """The market's name."""
        return self._market.name

    @property
    def tickers(self) -> tuple[str, ...]:
        """The companies: what the desk may hold."""
        return self._market.tickers

    @property
    def benchmark(self) -> str | None:
        """Ticker of the benchmark, if the market has one."""
        return self._market.benchmark

    @property
    def calendar(self) -> TradingCalendar:
        """The exchange's calendar, which is public ahead of time."""
        return self._market.calendar

    @cached_property
    def sessions(self) -> tuple[date, ...]:
        """All sessions with prices up to the view's, ascending."""
        return self._market.dataset.bars.sessions[: self._rows]

    def at(self, earlier: datetime) -> "MarketView":
        """What was known at an earlier moment.

        Raises:
            LookAheadError: `earlier` is later than `as_of`.
            InputError: it has no zone or lies before the market's prices.
        """
        if aware(earlier) > self.as_of:
            raise LookAheadError(
                f"a view at {self.as_of.isoformat()} cannot see {earlier.isoformat()}; ask for an earlier time"
            )
        return MarketView(self._market, earlier)

    def company(self, ticker: str) -> Company:
        """Name and industry of a company.

        Raises:
            InputError: there is no such company.
        """
        try:
            return self._market.companies[ticker]
        except KeyError:
            known = ", ".join(self.tickers)
            raise InputError(f"there is no company {ticker!r} in {self.name}; choose from {known}") from None

    def is_tradable(self, ticker: str) -> bool:
        """Whether it traded in the view's session (a halted or delisted name did not)."""
        close = self._market.dataset.bars.close[self._rows - 1, self._market.column(ticker)]
        return bool(np.isfinite(close))

    def history(self, ticker: str, sessions: int | None = None) -> pd.DataFrame:
        """Daily bars in today's shares, that is, adjusted for splits up to the view's session.

        Args:
            ticker: a company or the benchmark.
            sessions: only the last so many bars.

        Returns:
            open, high, low, close [currency per share], volume [shares], dividend [currency per share], split [new
            per old, 1 without]; indexed by `date` (datetime64 without zone), ascending; sessions without trade are
            left out.

        Raises:
            InputError: the ticker is unknown or `sessions` is below 1.
        """
        past = self.arrays(ticker, sessions)
        columns = ("open", "high", "low", "close", "volume", "dividend", "split")
        return pd.DataFrame({name: getattr(past, name) for name in columns}, index=self._market.days[past.rows])

    def arrays(self, ticker: str, sessions: int | None = None) -> PriceArrays:
        """The bars of `history` as arrays, for tools: a hundredth of its cost.

        Raises:
            InputError: the ticker is unknown or `sessions` is below 1.
        """
        if sessions is not None and sessions < 1:
            raise InputError(f"{sessions} sessions of history were asked for; ask for at least 1")
        return self._market.trades(ticker).until(self._rows, sessions)

    def close(self, ticker: str, on: date | None = None) -> float:
        """The close of the last trade on or before a day, in today's shares.

        Args:
            ticker: a company or the benchmark.
            on: the day; by default the view's session.

        Raises:
            LookAheadError: `on` is later than the view's session.
            InputError: the ticker is unknown or had not traded by then.
        """
        day = on or self.session
        self._refuse_future(day)
        trades = self._market.trades(ticker)
        known = trades.count(bisect_right(self.sessions, day))
        if not known:
            raise InputError(f"{ticker} had not traded by {day}; choose a later day or another ticker")
        return float(trades.until(self._rows, trades.count(self._rows) - known + 1).close[0])

    def returns(self, tickers: Sequence[str], sessions: int) -> pd.DataFrame:
        """Daily simple total returns: split x (close + dividend) / previous close - 1, all as traded.

        Args:
            tickers: companies or the benchmark.
            sessions: how many of the last sessions; fewer are returned where the market has fewer.

        Returns:
            One column per ticker, indexed by `date`; NaN on a session without trade and before the second trade. The
            return after a halt covers the whole halt.

        Raises:
            InputError: a ticker is unknown or `sessions` is below 1.
        """
        values = self.return_rows(tickers, sessions)
        days = self._market.days[self._rows - len(values) : self._rows]
        return pd.DataFrame(values, index=days, columns=list(tickers))

    def return_rows(self, tickers: Sequence[str], sessions: int) -> Matrix:
        """The numbers of `returns`, ticker by ticker in memory: of the last `sessions` of `MarketView.sessions`.

        Raises:
            InputError: a ticker is unknown or `sessions` is below 1.
        """
        if sessions < 1:
            raise InputError(f"returns of {sessions} sessions were asked for; ask for at least 1")
        columns = [self._market.column(ticker) for ticker in tickers]
        return np.asfortranarray(self._market.total_returns[max(0, self._rows - sessions) : self._rows, columns])

    @property
    def market_name(self) -> str:
        """What `market_returns` are of: the benchmark, or the equally weighted universe."""
        return self.benchmark or "equally weighted universe"

    @cached_property
    def market_returns(self) -> Vector:
        """Daily simple total returns of the market, one for each of `sessions`; NaN where it has none.

        The market is the benchmark, or without one the mean over the companies that have a return.
        """
        return self._market.market_returns[: self._rows].copy()

    @cached_property
    def market_level(self) -> Vector:
        """`level_of` the `market_returns`."""
        return level_of(self.market_returns)

    def splits(self, ticker: str) -> tuple[tuple[date, float], ...]:
        """(session, new shares per old share) of the splits by now after which it traded, ascending.

        Raises:
            InputError: the ticker is unknown.
        """
        happened = self._market.trades(ticker).splits
        return tuple((self.sessions[row], ratio) for row, ratio in happened if row < self._rows)

    def splits_since(self, ticker: str, day: date) -> float:
        """New shares per share of `day`: the product of the splits after it, up to the view's session.

        Divides a per-share figure that was filed on `day` into today's shares.

        Raises:
            InputError: the ticker is unknown.
        """
        first = bisect_right(self.sessions, day)
        return float(np.prod(self._market.dataset.bars.split[first : self._rows, self._market.column(ticker)]))

    def facts(self, ticker: str, concept: str | None = None) -> pd.DataFrame:
        """The figures from filings that were known, the newest filing's for each concept and period.

        Args:
            ticker: a company.
            concept: only this one (`Revenue`, `NetIncome`, ...).

        Returns:
            Columns `records.FACT_COLUMNS`, by concept, period_end, period_start; values as filed.

        Raises:
            InputError: the ticker is unknown.
        """
        self._market.column(ticker)
        if ticker not in self._facts:
            filed = self._market.facts_by_ticker.get(ticker, self._market.dataset.facts.iloc[:0])
            self._facts[ticker] = newest_facts(filed, self.as_of)
        facts = self._facts[ticker]
        return facts.copy() if concept is None else facts[facts["concept"] == concept].reset_index(drop=True)

    def documents(self, ticker: str | None = None, since: datetime | None = None) -> tuple[Document, ...]:
        """The documents that were published, oldest first.

        Args:
            ticker: only those about this company.
            since: only those published at or after this time (aware).

        Raises:
            LookAheadError: `since` is later than `as_of`.
            InputError: the ticker is unknown or `since` has no zone.
        """
        if ticker is not None:
            self._market.column(ticker)
        self._refuse_later(since)
        return self._market.documents_by_ticker.get(ticker, Shelf(())).between(since, self.as_of)

    def stories(self, ticker: str, since: datetime | None = None) -> tuple[Document, ...]:
        """The documents about a company that were published, oldest first, without near-repeats of earlier ones.

        Raises:
            LookAheadError: `since` is later than `as_of`.
            InputError: the ticker is unknown or `since` has no zone.
        """
        self._market.column(ticker)
        self._refuse_later(since)
        return self._market.stories(ticker).between(since, self.as_of)

    @property
    def series_names(self) -> tuple[str, ...]:
        """The series of the economy of which a value was known, ascending."""
        return tuple(sorted(known_rows(self._market.dataset.series, self.as_of)["series"].unique()))

    def series(self, name: str) -> pd.Series:
        """A series of the economy as it was known: of each date the value that was released last.

        Args:
            name: one of `series_names`.

        Returns:
            The values, indexed by `date` (datetime64 without zone), ascending.

        Raises:
            InputError: nothing of such a series was known.
        """
        values = newest_values(self._market.dataset.series, name, self.as_of)
        if values.empty:
            names = ", ".join(self.series_names) or "none"
            raise InputError(f"no series {name!r} is known in {self.name} at {self.as_of.isoformat()}; known: {names}")
        return values

    def series_released(self, name: str) -> datetime:
        """When the newest value of a series that `series_names` names became known (UTC)."""
        return released(self._market.dataset.series, name, self.as_of)

    def _refuse_later(self, since: datetime | None) -> None:
        if since is not None and aware(since) > self.as_of:
            raise LookAheadError(
                f"a view at {self.as_of.isoformat()} has no documents since {since.isoformat()}; ask earlier"
            )

    def _refuse_future(self, day: date) -> None:
        if day > self.session:
            raise LookAheadError(
                f"a view at {self.as_of.isoformat()} cannot see {day}; ask for {self.session} or earlier"
            )


def market_behind(view: MarketView) -> Market:
    """The market that a view looks at, future included: for whoever drives a desk, never for an agent."""
    return view._market
