"""The tables of a market that are data frames: figures from filings, and series of the economy."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FACT_COLUMNS = (
    "ticker",
    "concept",
    "period_start",
    "period_end",
    "value",
    "unit",
    "filed",
    "available_at",
    "accession",
    "form",
)
"""Columns of `Dataset.facts`. `period_start` is NaT for balance-sheet figures; dates are datetime64 without zone;
`available_at` is datetime64 in UTC: the acceptance time where the source gives one, else the open of the first exchange
session after `filed`. Values are as filed (per-share and share counts in the shares of that day)."""

SERIES_COLUMNS = ("series", "date", "value", "available_at")
"""Columns of `Dataset.series`: figures of the economy. `date` is datetime64 without zone, the day or the first day of
the period that the value describes; `available_at` is datetime64 in UTC. A revision is a further row for the same
series and date: the one with the newest `available_at` counts."""


def empty_facts() -> pd.DataFrame:
    """A facts frame without rows, for a market without filings."""
    return facts_frame({name: [] for name in FACT_COLUMNS})


def facts_frame(columns: Mapping[str, Any], sequence: NDArray[np.float64] | None = None) -> pd.DataFrame:
    """A facts frame with the dtypes of `FACT_COLUMNS`, sorted by the time at which each fact became known.

    Args:
        columns: every one of `FACT_COLUMNS`, as arrays or lists; dates as datetime64, or `date` or None;
            `available_at` as datetime64 in UTC, or aware datetimes.
        sequence: (rows,) order of the facts that became known at one moment; by default it is `canonical_order`.
    """
    frame = pd.DataFrame({name: _column(name, columns[name]) for name in FACT_COLUMNS})
    order = canonical_order(frame, sequence)
    if not np.array_equal(order, np.arange(len(order))):
        frame = frame.iloc[order].reset_index(drop=True)
    return frame


def canonical_order(facts: pd.DataFrame, sequence: NDArray[np.float64] | None = None) -> NDArray[np.int64]:
    """The rows of a facts frame in the order that depends on the content alone.

    By available_at, sequence, filed, ticker, concept, period_end, period_start (none first), accession.
    """
    known, *others = [
        _sortable(facts[name])
        for name in ("available_at", "filed", "ticker", "concept", "period_end", "period_start", "accession")
    ]
    keys = [known, *([] if sequence is None else [sequence]), *others]
    # lexsort takes its most significant key last, and NaT is the lowest integer.
    return np.lexsort(keys[::-1])


def empty_series() -> pd.DataFrame:
    """A series frame without rows."""
    return series_frame({name: [] for name in SERIES_COLUMNS})


def series_frame(columns: Mapping[str, Any]) -> pd.DataFrame:
    """A series frame with the dtypes of `SERIES_COLUMNS`, sorted by available_at, then series and date.

    Args:
        columns: every one of `SERIES_COLUMNS`, as arrays or lists, like those of `facts_frame`.
    """
    frame = pd.DataFrame({name: _column(name, columns[name]) for name in SERIES_COLUMNS})
    order = np.lexsort([_sortable(frame[name]) for name in ("date", "series", "available_at")])
    return frame.iloc[order].reset_index(drop=True)


def _column(name: str, values: Any) -> pd.Series:
    """A column with its dtype."""
    if name == "value":
        return pd.Series(np.asarray(values, dtype=np.float64))
    if name == "available_at":
        if isinstance(values, np.ndarray) and values.dtype.kind == "M":
            return pd.Series(values.astype("datetime64[us]")).dt.tz_localize("UTC")
        return pd.to_datetime(pd.Series(values, dtype=object), utc=True).astype("datetime64[us, UTC]")
    if name in ("period_start", "period_end", "filed", "date"):
        if isinstance(values, np.ndarray) and values.dtype.kind == "M":
            return pd.Series(values.astype("datetime64[us]"))
        return pd.to_datetime(pd.Series(values, dtype=object)).astype("datetime64[us]")
    return pd.Series(values, dtype="str")


def _sortable(column: pd.Series) -> NDArray[np.int64]:
    """Integers in the order of a column's values."""
    if column.dtype.kind == "M":
        naive = column.dt.tz_convert(None) if isinstance(column.dtype, pd.DatetimeTZDtype) else column
        return naive.to_numpy("datetime64[us]").astype(np.int64)
    codes, vocabulary = pd.factorize(column.to_numpy(object))
    rank = np.empty(len(vocabulary), dtype=np.int64)
    rank[np.argsort(vocabulary, kind="stable")] = np.arange(len(vocabulary))
    return rank[codes]
