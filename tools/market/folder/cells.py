"""Cells as values: columns are converted as a whole, and single rows are visited only to word a defect.

A number is what Python's `float` makes of the cell, a date is `YYYY-MM-DD`, a time is ISO 8601 with a zone.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .defects import Kind
from .tables import Table

Days = NDArray[np.datetime64]
"""datetime64[D]; NaT where there is none."""
Moments = NDArray[np.datetime64]
"""datetime64[us] in UTC; NaT where there is none."""

_PLAIN_NUMBER = r"^-?([0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})([eE][+-]?[0-9]{1,2})?$"
"""What pyarrow and Python read alike, rounded to the nearest double; the rest goes through Python one by one."""
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
HALF_CHARACTER = re.compile(r"[\ud800-\udfff]")
"""Half of a character beyond the first 65,536: JSON can spell it alone, UTF-8 cannot, so nothing could be written."""
_FIRST_YEAR, _LAST_YEAR = 1900, 2199
"""A year outside of these is a slip of the pen, and no exchange calendar reaches it."""


@dataclass(frozen=True)
class Words:
    """A column of texts, by code."""

    vocabulary: tuple[str, ...]
    """Each text once, ascending."""
    codes: NDArray[np.int64]
    """(rows,) index into the vocabulary."""

    @property
    def texts(self) -> NDArray[np.object_]:
        """(rows,) the texts themselves."""
        return np.array(self.vocabulary, dtype=object)[self.codes]

    def text(self, row: int) -> str:
        """The text of one row."""
        return self.vocabulary[int(self.codes[row])]

    @property
    def empty(self) -> NDArray[np.bool_]:
        """(rows,) whether the cell is empty."""
        # The vocabulary ascends, so the empty text is its first.
        return (self.codes == 0) if self.vocabulary[:1] == ("",) else np.zeros(len(self.codes), dtype=bool)


def words(table: Table, column: str, *, optional: bool = False) -> Words:
    """A column of texts, stripped; an empty cell is a defect unless `optional`."""
    encoded = _texts(table, column).dictionary_encode()
    vocabulary: list[str] = encoded.dictionary.to_pylist()
    codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    order = sorted(range(len(vocabulary)), key=vocabulary.__getitem__)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    found = Words(tuple(vocabulary[i] for i in order), rank[codes])
    if not optional and column not in table.absent:
        for row in np.flatnonzero(found.empty):
            table.error(int(row), column, "empty_cell", "the cell is empty; fill it or remove the row")
    return found


def numbers(table: Table, column: str, *, empty: float | None = None) -> NDArray[np.float64]:
    """A column of finite numbers, NaN where the cell is defective; `empty` is what an empty cell means, if anything."""
    cells = table.columns[column]
    if cells is None:
        return np.full(len(table), np.nan if empty is None else empty)
    values, blank, wrong = _typed_numbers(cells) or _text_numbers(_texts(table, column))
    if empty is not None:
        values = np.where(blank, empty, values)
    elif blank.any():
        wrong |= dict.fromkeys(np.flatnonzero(blank).tolist(), "")
    for row in sorted(wrong):
        kind: Kind = "not_a_number" if wrong[row] else "empty_cell"
        table.error(row, column, kind, f"{wrong[row]!r} is no number; correct it or remove the row")
    infinite = ~np.isfinite(values)
    rows = [row for row in np.flatnonzero(infinite).tolist() if row not in wrong]
    for row, shown in zip(rows, _texts(table, column).take(rows).to_pylist() if rows else (), strict=True):
        table.error(row, column, "not_finite", f"{shown} is not finite; leave out the row of a day without trade")
    values[infinite] = np.nan
    return values


_Numbers = tuple[NDArray[np.float64], NDArray[np.bool_], dict[int, str]]
"""Values, which cells are empty, and the texts that are no number by row."""


def _typed_numbers(cells: Any) -> _Numbers | None:
    import pyarrow as pa

    if not (pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type)):
        return None
    values = cells.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(np.float64, copy=True)
    # A parquet file spells an absent number as null or NaN.
    return values, np.isnan(values), {}


def _text_numbers(texts: Any) -> _Numbers:
    import pyarrow as pa
    from pyarrow import compute

    values = np.full(len(texts), np.nan)
    plain = compute.match_substring_regex(texts, _PLAIN_NUMBER)
    values[plain.to_numpy(zero_copy_only=False)] = texts.filter(plain).cast(pa.float64()).to_numpy()
    blank = compute.equal(texts, "").to_numpy(zero_copy_only=False)
    wrong: dict[int, str] = {}
    others = np.flatnonzero(~plain.to_numpy(zero_copy_only=False) & ~blank)
    for row, text in zip(others.tolist(), texts.take(others).to_pylist(), strict=True):
        try:
            values[row] = float(text)
        except ValueError:
            wrong[row] = text
    return values, blank, wrong


def dates(table: Table, column: str, *, optional: bool = False) -> Days:
    """A column of dates, NaT where the cell is defective, or empty and `optional`."""
    import pyarrow as pa

    cells = table.columns[column]
    if cells is not None and _holds_days(cells):
        days: Days = cells.cast(pa.date32()).to_numpy(zero_copy_only=False).astype("datetime64[D]", copy=True)
        for row in np.flatnonzero(np.isnat(days)).tolist() if not optional else ():
            table.error(row, column, "not_a_date", "'' is no date; write it as YYYY-MM-DD")
    else:
        days = _by_text(table, column, _date, "datetime64[D]", optional=optional)
    far = (days < np.datetime64(f"{_FIRST_YEAR}-01-01")) | (days > np.datetime64(f"{_LAST_YEAR}-12-31"))
    for row in np.flatnonzero(far).tolist():
        table.error(row, column, "not_a_date", _other_age(str(days[row])))
    days[far] = np.datetime64("NaT")
    return days


def _holds_days(cells: Any) -> bool:
    import pyarrow as pa
    from pyarrow import compute

    if pa.types.is_date(cells.type):
        return True
    if not pa.types.is_timestamp(cells.type) or cells.type.tz is not None:
        return False
    midnight = compute.equal(cells, compute.floor_temporal(cells, unit="day"))
    return bool(compute.all(midnight, min_count=0).as_py())


def moments(table: Table, column: str, *, optional: bool = False) -> Moments:
    """A column of times with their zone, in UTC, NaT where the cell is defective, or empty and `optional`."""
    import pyarrow as pa

    cells = table.columns[column]
    if cells is not None and pa.types.is_timestamp(cells.type) and cells.type.tz is not None:
        naive = cells.cast(pa.timestamp("us", cells.type.tz), safe=False).cast(pa.timestamp("us"))
        times: Moments = naive.to_numpy(zero_copy_only=False).astype("datetime64[us]", copy=True)
        for row in np.flatnonzero(np.isnat(times)).tolist() if not optional else ():
            table.error(row, column, "not_a_time", "'' is no time; write it as 2024-05-01T20:30:00Z")
        far = (times < np.datetime64(f"{_FIRST_YEAR}-01-01")) | (times >= np.datetime64(f"{_LAST_YEAR + 1}-01-01"))
        for row in np.flatnonzero(far).tolist():
            table.error(row, column, "not_a_time", _other_age(str(times[row])))
        times[far] = np.datetime64("NaT")
        return times
    return _by_text(table, column, _moment, "datetime64[us]", optional=optional)


_Parse = Callable[[str], tuple[date | None, Kind, str]]
"""The value of a text, or None with the kind of defect and its message."""


def _by_text(table: Table, column: str, parse: _Parse, dtype: str, *, optional: bool) -> NDArray[np.datetime64]:
    """Parse each different text once."""
    found = words(table, column, optional=True)
    values = np.full(len(found.vocabulary), "NaT", dtype=dtype)
    problems: dict[int, tuple[Kind, str]] = {}
    for code, text in enumerate(found.vocabulary):
        if text == "" and (optional or column in table.absent):
            continue
        value, kind, message = parse(text)
        if value is None:
            problems[code] = (kind, message)
        else:
            values[code] = np.datetime64(value)
    if problems:
        for row in np.flatnonzero(np.isin(found.codes, list(problems))):
            table.error(int(row), column, *problems[int(found.codes[row])])
    return values[found.codes]


def _date(text: str) -> tuple[date | None, Kind, str]:
    try:
        # The pattern, because fromisoformat reads week dates such as 2024-W01-1 as well.
        value = date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        value = None
    return value, "not_a_date", f"{text!r} is no date; write it as YYYY-MM-DD"


def _moment(text: str) -> tuple[datetime | None, Kind, str]:
    moment, kind, message = utc(text)
    return None if moment is None else moment.replace(tzinfo=None), kind, message


def utc(text: str) -> tuple[datetime | None, Kind, str]:
    """An ISO time with a zone, in UTC; or None, the kind of defect, and what to do."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            known = moment.astimezone(UTC)
            if _FIRST_YEAR <= known.year <= _LAST_YEAR:
                return known, "not_a_time", ""
            return None, "not_a_time", _other_age(text)
    except (ValueError, OverflowError):
        return None, "not_a_time", f"{text!r} is no time; write it as 2024-05-01T20:30:00Z"
    return None, "missing_zone", f"{text!r} has no time zone; add one, such as Z for UTC"


def _other_age(shown: str) -> str:
    return f"{shown} is not between {_FIRST_YEAR} and {_LAST_YEAR}; correct the year"


def _texts(table: Table, column: str) -> Any:
    """The cells of a column as stripped texts, an absent one as the empty text."""
    import pyarrow as pa
    from pyarrow import compute

    cells = table.columns[column]
    if cells is None:
        return pa.array([""] * len(table), pa.string())
    if pa.types.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    if not (pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type)):
        cells = pa.array([_spelled(value) for value in cells.to_pylist()], pa.string())
    return compute.utf8_trim_whitespace(compute.fill_null(cells.cast(pa.string()), ""))


def _spelled(value: Any) -> str:
    """A parquet value as CSV would spell it."""
    if value is None or value != value:  # NaN and NaT are the values that differ from themselves
        return ""
    if isinstance(value, datetime):
        at_midnight = value.tzinfo is None and value.time() == datetime.min.time()
        return value.date().isoformat() if at_midnight else value.isoformat()
    return str(value)
