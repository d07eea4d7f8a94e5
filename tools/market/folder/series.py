"""The series file: figures of the economy, each with the time at which it was released or revised."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .cells import Days, Moments, Words, dates, moments, numbers, words
from .tables import Table

COLUMNS = ("series", "date", "value", "available_at")


@dataclass(frozen=True)
class SeriesRows:
    """The rows of the series file; a defective cell is NaN or NaT. All arrays are (rows,)."""

    table: Table
    names: Words
    days: Days
    values: NDArray[np.float64]
    available: Moments


def read_series(table: Table) -> SeriesRows:
    """Read and check the rows."""
    rows = SeriesRows(
        table=table,
        names=words(table, "series"),
        days=dates(table, "date"),
        values=numbers(table, "value"),
        available=moments(table, "available_at"),
    )
    keys = (rows.available.astype(np.int64), rows.days.astype(np.int64), rows.names.codes)
    order = np.lexsort(keys)
    before, after = order[:-1], order[1:]
    twice = ~np.isnat(rows.days[after]) & ~np.isnat(rows.available[after])
    for key in keys:
        twice &= key[before] == key[after]
    for first, row in zip(before[twice].tolist(), after[twice].tolist(), strict=True):
        line = int(table.lines[first])
        message = f"{rows.names.text(row)} of {rows.days[row]} is released at this time in line {line} already"
        table.error(row, "available_at", "duplicate_value", f"{message}; keep only one")
    return rows
