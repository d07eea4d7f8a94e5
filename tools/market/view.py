"""The one door to data: a `Market` knows everything, a `MarketView` only what was known at its `as_of`."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from ..clock import TradingCalendar
from ..errors import InputError, LookAheadError
from .bars import Bars, Matrix
from .dataset import open_dataset
from .records import Company, Dataset, Document

BUILT_IN = ("generated", "us-tech")
"""Markets that come with PaperDesk or with its extra `markets`."""

_LOOK_BACK = 252
"""Sessions kept as history where a market recommends no window: a year, which the longest indicator needs."""


def open_market(source: str | Path, seed: int = 7) -> "Market":
    """Open a built-in market or a folder.

    Args:
        source: `generated`, `us-tech`, or the path of a folder in the tidy format (docs/data-format.md).
        seed: of the generated market; the others do not use it.

    Raises:
        InputError: there is no such market, or what it needs is not installed.
        DataError: the folder has a defect.
    """
    # Imported here: neither built-in market is needed to read a folder.
    if source == "generated":
        from .generated import generate

        return Market(generate(seed))
    if source == "us-tech":
        from .vendors.us_tech import us_tech

        return Market(us_tech())
    if not Path(source).is_dir():
        raise InputError(
            f"there is no market {str(source)!r}; name {' or '.join(BUILT_IN)}, or a folder with prices.csv"
        )
    return Market(open_dataset(Path(source)))


class Market:
    """A whole market, future included: for the session runner and the simulated broker, never for an agent."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        sessions = dataset.bars.sessions
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
        # A month beyond the last bar, so that the session after it is known.
        self.calendar = TradingCalendar(dataset.calendar, sessions[0], sessions[-1] + timedelta(days=31))
        self.window: tuple[date, date] = dataset.window or (sessions[min(_LOOK_BACK, len(sessions) // 2)], sessions[-1])
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

    def column(self, ticker: str) -> int:
        """Index of an instrument in the bars.

        Raises:
            InputError: it is unknown.
        """
        if ticker not in self.instruments:
            raise InputError(f"there is no ticker {ticker!r} in {self.name}; choose from {', '.join(self.instruments)}")
        return self.dataset.bars.column(ticker)

    @cached_property
    def total_returns(self) -> Matrix:
        """(T, N) simple total returns since the last trade before; NaN where nothing traded, or nothing had before.

        Row t depends on rows up to t alone, so a view may show its first rows.
        """
        return _total_returns(self.dataset.bars)

    @cached_property
    def facts_by_ticker(self) -> dict[str, pd.DataFrame]:
        """The facts of each ticker that has any, by available_at."""
        return {str(name): rows for name, rows in self.dataset.facts.groupby("ticker", sort=False)}


class MarketView:
    """What was known at one moment: the only data that agents and their tools may read.

    Prices are in the money and shares of the view's session: adjusted for the splits known by then, and for nothing
    else. An argument that points past `as_of` raises `LookAheadError`.
    """

    def __init__(self, market: Market, as_of: datetime) -> None:
        self.as_of = _aware(as_of)
        self._market = market
        sessions = market.dataset.bars.sessions
        last = market.calendar.last_closed(self.as_of)
        if last > sessions[-1]:
            raise InputError(
                f"{market.name} ends on {sessions[-1]}, before {self.as_of:%Y-%m-%d}; choose an earlier time"
            )
        self.session = last
        """The last session whose close is not later than `as_of`."""
        self._rows = sessions.index(last) + 1
        self._facts: dict[str, pd.DataFrame] = {}

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
        if _aware(earlier) > self.as_of:
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
        if sessions is not None and sessions < 1:
            raise InputError(f"{sessions} sessions of history were asked for; ask for at least 1")
        bars, n, j = self._market.dataset.bars, self._rows, self._market.column(ticker)
        split = bars.split[:n, j]
        later = np.ones(n)
        later[:-1] = np.cumprod(split[:0:-1])[::-1]
        columns = {
            "open": bars.open[:n, j] / later,
            "high": bars.high[:n, j] / later,
            "low": bars.low[:n, j] / later,
            "close": bars.close[:n, j] / later,
            "volume": bars.volume[:n, j] * later,
            "dividend": bars.dividend[:n, j] / later,
            "split": split,
        }
        traded = np.flatnonzero(np.isfinite(bars.close[:n, j]))
        if sessions is not None:
            traded = traded[-sessions:]
        index = pd.DatetimeIndex([self.sessions[i] for i in traded], name="date", dtype="datetime64[us]")
        return pd.DataFrame({name: values[traded] for name, values in columns.items()}, index=index)

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
        closes = self.history(ticker)["close"].loc[: pd.Timestamp(day)]
        if closes.empty:
            raise InputError(f"{ticker} had not traded by {day}; choose a later day or another ticker")
        return float(closes.iloc[-1])

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
        if sessions < 1:
            raise InputError(f"returns of {sessions} sessions were asked for; ask for at least 1")
        columns = [self._market.column(ticker) for ticker in tickers]
        first = max(0, self._rows - sessions)
        index = pd.DatetimeIndex(self.sessions[first:], name="date", dtype="datetime64[us]")
        values = self._market.total_returns[first : self._rows][:, columns]
        return pd.DataFrame(values, index=index, columns=list(tickers))

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
            self._facts[ticker] = self._known_facts(ticker)
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
        if since is not None and _aware(since) > self.as_of:
            raise LookAheadError(
                f"a view at {self.as_of.isoformat()} has no documents since {since.isoformat()}; ask earlier"
            )
        known = (row for row in self._market.dataset.documents if row.published_at <= self.as_of)
        return tuple(
            row
            for row in known
            if (ticker is None or row.ticker == ticker) and (since is None or row.published_at >= since)
        )

    def _known_facts(self, ticker: str) -> pd.DataFrame:
        everything = self._market.facts_by_ticker.get(ticker, self._market.dataset.facts.iloc[:0])
        known = everything[everything["available_at"] <= pd.Timestamp(self.as_of)]
        # The rows are sorted by available_at, so the last of each key is the newest filing's.
        newest = known.drop_duplicates(["concept", "period_start", "period_end"], keep="last")
        keys = ["concept", "period_end", "period_start"]
        return newest.sort_values(keys, na_position="first", kind="stable").reset_index(drop=True)

    def _refuse_future(self, day: date) -> None:
        if day > self.session:
            raise LookAheadError(
                f"a view at {self.as_of.isoformat()} cannot see {day}; ask for {self.session} or earlier"
            )


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise InputError(f"the time {moment.isoformat()} has no zone; give it one, such as UTC")
    return moment.astimezone(UTC)


def _total_returns(bars: Bars) -> Matrix:
    """Returns of holding one share through splits and dividends, from trade to trade, per instrument.

    With S the running product of splits and D the running sum of dividends per first share, the value of the holding
    at t is S_t close_t, and the return since the trade at s is (S_t close_t + D_t - D_s) / (S_s close_s) - 1.
    """
    shares = np.cumprod(bars.split, axis=0)
    cash = np.cumsum(bars.dividend * shares, axis=0)
    worth = bars.close * shares
    returns = np.full(bars.close.shape, np.nan)
    for j in range(len(bars.tickers)):
        traded = np.flatnonzero(np.isfinite(bars.close[:, j]))
        now, before = traded[1:], traded[:-1]
        returns[now, j] = (worth[now, j] + cash[now, j] - cash[before, j]) / worth[before, j] - 1
    return returns
