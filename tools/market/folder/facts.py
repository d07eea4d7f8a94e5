"""The fundamentals file: figures that were filed after their period, each once per filing."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from ...clock import TradingCalendar
from ...errors import InputError
from . import settings as market_file
from .cells import Days, Moments, Words, dates, moments, numbers, words
from .tables import Table

COLUMNS = ("ticker", "concept", "period_end", "value", "filed", "accession")
OPTIONAL = ("period_start", "unit", "form", "accepted_at", "sequence")


@dataclass(frozen=True)
class FactRows:
    """The rows of the fundamentals file; a defective cell is NaN or NaT. All arrays are (rows,)."""

    table: Table
    tickers: Words
    concepts: Words
    starts: Days
    """NaT for balance-sheet figures."""
    ends: Days
    values: NDArray[np.float64]
    units: Words
    filed: Days
    accepted: Moments
    """NaT where the file does not say."""
    accessions: Words
    forms: Words
    sequence: NDArray[np.float64]
    """Order of figures that became known at one moment; 0 where the file does not say."""


def available_at(filed: Days, calendar: str) -> Moments:
    """When figures became known that were filed on these days, if nothing says better.

    Args:
        filed: (rows,) datetime64[D].
        calendar: name of the exchange calendar.

    Returns:
        (rows,) datetime64[us] in UTC: the open of the first session after the day of filing.

    Raises:
        InputError: the calendar is unknown, or does not reach these days.
    """
    if not len(filed):
        return np.array([], dtype="datetime64[us]")
    days, place = np.unique(filed.astype("datetime64[D]"), return_inverse=True)
    exchange = TradingCalendar(calendar, days[0].item(), days[-1].item() + timedelta(days=31))
    opens = [exchange.open_of(exchange.next_session(day)).replace(tzinfo=None) for day in days.tolist()]
    return np.array(opens, dtype="datetime64[us]")[place]


def read_facts(table: Table, calendar: str | None) -> FactRows:
    """Read and check the rows; without a calendar, whether it reaches the days of filing is not checked."""
    rows = FactRows(
        table=table,
        tickers=words(table, "ticker"),
        concepts=words(table, "concept"),
        starts=dates(table, "period_start", optional=True),
        ends=dates(table, "period_end"),
        values=numbers(table, "value"),
        units=words(table, "unit", optional=True),
        filed=dates(table, "filed"),
        accepted=moments(table, "accepted_at", optional=True),
        accessions=words(table, "accession"),
        forms=words(table, "form", optional=True),
        sequence=numbers(table, "sequence", empty=0.0),
    )
    _check_times(rows)
    _check_repeats(rows)
    if calendar is not None:
        try:
            available_at(rows.filed[~np.isnat(rows.filed)], calendar)
        except InputError as error:
            table.findings.error("calendar", market_file.FILE, str(error), column="calendar")
    return rows


def _check_times(rows: FactRows) -> None:
    """A figure is filed and accepted after its period. Comparisons with NaT are false."""
    table = rows.table
    for row in np.flatnonzero(rows.filed < rows.ends).tolist():
        message = f"{rows.filed[row]} is before the period's end {rows.ends[row]}; correct one of them"
        table.error(row, "filed", "filed_before_period_end", message)
    for row in np.flatnonzero(rows.starts >= rows.ends).tolist():
        message = f"{rows.starts[row]} is not before the period's end {rows.ends[row]}; correct one of them"
        table.error(row, "period_start", "period_start_after_end", message)
    accepted = rows.accepted.astype("datetime64[D]")
    for row in np.flatnonzero(accepted < rows.ends).tolist():
        message = f"{accepted[row]} is before the period's end {rows.ends[row]}; correct one of them"
        table.error(row, "accepted_at", "accepted_before_period_end", message)


def _check_repeats(rows: FactRows) -> None:
    """One filing says one value for a figure: two are an error, the same one twice is a warning."""
    keys = (rows.accessions.codes, rows.filed, rows.starts, rows.ends, rows.concepts.codes, rows.tickers.codes)
    order = np.lexsort(tuple(key.astype(np.int64) for key in keys))
    before, after = order[:-1], order[1:]
    same = np.ones(len(after), dtype=bool)
    for key in keys:
        same &= key.astype(np.int64)[before] == key.astype(np.int64)[after]
    same &= ~np.isnat(rows.ends[after]) & ~np.isnan(rows.values[before]) & ~np.isnan(rows.values[after])
    for first, row in zip(before[same].tolist(), after[same].tolist(), strict=True):
        line = int(rows.table.lines[first])
        figure = f"{rows.concepts.text(row)} of {rows.tickers.text(row)} to {rows.ends[row]}"
        if rows.values[first] == rows.values[row] and rows.units.codes[first] == rows.units.codes[row]:
            message = f"{figure} stands in line {line} already; remove the row"
            rows.table.warn(row, "value", "duplicate_fact", message)
        else:
            message = (
                f"{figure} is {rows.values[row]:g} here and {rows.values[first]:g} in line {line}, in one filing; "
                "keep the right one"
            )
            rows.table.error(row, "value", "duplicate_fact", message)
