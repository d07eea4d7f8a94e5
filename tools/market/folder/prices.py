"""The prices file: rows that an exchange could have printed, in order, on sessions."""

import re
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from ...clock import TradingCalendar
from ...errors import InputError
from ..bars import Bars
from . import settings as market_file
from .cells import Days, Words, dates, numbers, words
from .defects import Kind
from .settings import MarketFile
from .tables import Table

COLUMNS = ("date", "ticker", "open", "high", "low", "close", "volume")
OPTIONAL = ("dividend", "split")
LONGEST_TICKER = 32
"""Characters."""
# A list of our own: what `str.isprintable` says differs between the Unicode tables of two Pythons.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
_SLACK = 5e-4
"""Adjusted prices are rounded, so an open or close may stick out of the range by a hair."""


@dataclass(frozen=True)
class PriceRows:
    """The rows of the prices file; a defective cell is NaN or NaT."""

    table: Table
    days: Days
    """(rows,)."""
    tickers: Words
    values: dict[str, NDArray[np.float64]]
    """open, high, low, close, volume, dividend, split as the file says them; each (rows,)."""
    sessions: tuple[date, ...]
    """Every session from the first to the last day, () if the calendar is not known."""

    @property
    def instruments(self) -> tuple[str, ...]:
        """All tickers, ascending."""
        return tuple(name for name in self.tickers.vocabulary if name)


def read_prices(table: Table, settings: MarketFile | None) -> PriceRows | None:
    """Read and check the rows; None if there are none. Without settings the sessions are not checked."""
    if len(table) == 0:
        table.findings.error("no_rows", table.file, "has no rows; add the daily bars")
        return None
    values = {name: numbers(table, name) for name in COLUMNS[2:]}
    values |= {name: numbers(table, name, empty=0.0) for name in OPTIONAL}
    days, tickers = dates(table, "date"), words(table, "ticker")
    _check_tickers(table, tickers)
    _check_values(table, values)
    _check_order(table, days, tickers)
    known = days[~np.isnat(days)]
    if settings is None or not len(known):
        return PriceRows(table, days, tickers, values, ())
    first, last = known.min().item(), known.max().item()
    market_file.check_window(settings, first, last, table.findings)
    try:
        sessions = TradingCalendar(settings.calendar, first, last).sessions(first, last)
    except InputError as error:
        table.findings.error("calendar", market_file.FILE, str(error), column="calendar")
        return PriceRows(table, days, tickers, values, ())
    stray = ~np.isin(days, np.array(sessions, dtype="datetime64[D]")) & ~np.isnat(days)
    advice = "remove the row or name the calendar in market.toml"
    for row in np.flatnonzero(stray).tolist():
        table.error(row, "date", "not_a_session", f"{days[row]} is no session of {settings.calendar}; {advice}")
    return PriceRows(table, days, tickers, values, sessions)


def is_ticker(name: str) -> bool:
    """Whether a name is short, has no comma, no line break, and nothing that is not seen."""
    return len(name) <= LONGEST_TICKER and "," not in name and not _UNSEEN.search(name)


def _check_tickers(table: Table, tickers: Words) -> None:
    """A ticker stands in prompts, ids and options, so it is one short line without a comma; one defect for each."""
    for code, name in enumerate(tickers.vocabulary):
        if not is_ticker(name):
            shown = repr(name[:LONGEST_TICKER])
            message = f"{shown} is no ticker; give at most {LONGEST_TICKER} characters, no comma, no line break"
            table.error(int(np.argmax(tickers.codes == code)), "ticker", "not_a_ticker", message)


def _check_values(table: Table, values: dict[str, NDArray[np.float64]]) -> None:
    """Each row is complained of at its root: an open of zero is not also outside of its range."""
    correct = "correct it or remove the row"
    for column in ("open", "high", "low", "close"):
        _error_where(table, column, values, values[column] <= 0, "not_positive", f"is not above zero; {correct}")
    for column in ("volume", "dividend", "split"):
        _error_where(table, column, values, values[column] < 0, "negative", "is negative; correct it")
    # Comparisons with NaN are false, so a cell that is no number is not complained of again.
    high = np.where(values["high"] > 0, values["high"], np.nan)
    low = np.where(values["low"] > 0, values["low"], np.nan)
    crossed = high < low
    _error_where(table, "high", values, crossed, "high_below_low", "is below the low; correct the row")
    for column in ("open", "close"):
        price = values[column]
        outside = (price > 0) & ~crossed & ((price > high * (1 + _SLACK)) | (price < low * (1 - _SLACK)))
        _error_where(table, column, values, outside, "outside_range", "lies outside low and high; correct the row")


def _error_where(
    table: Table,
    column: str,
    values: dict[str, NDArray[np.float64]],
    wrong: NDArray[np.bool_],
    kind: Kind,
    message: str,
) -> None:
    for row in np.flatnonzero(wrong).tolist():
        table.error(row, column, kind, f"{values[column][row]:g} {message}")


def _check_order(table: Table, days: Days, tickers: Words) -> None:
    """Within a ticker, days ascend; none stands twice."""
    rows = np.flatnonzero(~np.isnat(days) & ~tickers.empty)
    by_ticker = rows[np.argsort(tickers.codes[rows], kind="stable")]
    before, after = by_ticker[:-1], by_ticker[1:]
    same = tickers.codes[before] == tickers.codes[after]
    back = same & (days[after] < days[before])
    for earlier, row in zip(before[back].tolist(), after[back].tolist(), strict=True):
        message = f"{days[row]} comes after {days[earlier]} for {tickers.text(row)}; sort each ticker's rows by date"
        table.error(row, "date", "unsorted", message)
    by_day = rows[np.lexsort((days[rows], tickers.codes[rows]))]
    before, after = by_day[:-1], by_day[1:]
    twice = (tickers.codes[before] == tickers.codes[after]) & (days[before] == days[after])
    for row in after[twice].tolist():
        message = f"{tickers.text(row)} has a second row for {days[row]}; keep only one"
        table.error(row, "date", "duplicate_row", message)


def to_bars(rows: PriceRows, settings: MarketFile) -> Bars:
    """The bars as traded, of rows without error."""
    sessions, instruments = rows.sessions, settings.instruments or rows.instruments
    column_of = np.array([instruments.index(name) for name in rows.tickers.vocabulary])
    places = (np.searchsorted(np.array(sessions, dtype="datetime64[D]"), rows.days), column_of[rows.tickers.codes])

    def grid(name: str, absent: float) -> NDArray[np.float64]:
        matrix = np.full((len(sessions), len(instruments)), absent)
        matrix[places] = rows.values[name]
        return matrix

    split = grid("split", 1.0)
    split[split == 0] = 1.0
    prices = {name: grid(name, np.nan) for name in ("open", "high", "low", "close")}
    volume, dividend = grid("volume", 0.0), grid("dividend", 0.0)
    if settings.prices == "split_adjusted":
        # A level that was divided by a later split knows about that split: turn it back.
        later = splits_after(split)
        prices = {name: matrix * later for name, matrix in prices.items()}
        volume, dividend = volume / later, dividend * later
    return Bars(sessions=sessions, tickers=instruments, **prices, volume=volume, dividend=dividend, split=split)


def splits_after(split: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T, N) product of the splits effective after each session, which is what a vendor's adjustment divides by."""
    later = np.ones_like(split)
    later[:-1] = np.cumprod(split[:0:-1], axis=0)[::-1]
    return later
