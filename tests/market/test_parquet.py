"""A market in parquet files is the same market, and defects are told as in text."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from paperdesk.tools.errors import DataError
from paperdesk.tools.market.dataset import open_dataset

from .small_folder import folder

__all__ = ["folder"]  # a fixture


def as_parquet(folder: Path, frame: pd.DataFrame, stem: str = "prices") -> None:
    (folder / f"{stem}.csv").unlink(missing_ok=True)
    frame.to_parquet(folder / f"{stem}.parquet")


def test_parquet_holds_the_same_market(folder: Path) -> None:
    plain = open_dataset(folder).fingerprint
    frame = pd.read_csv(folder / "prices.csv", parse_dates=["date"])
    as_parquet(folder, frame)
    assert open_dataset(folder).fingerprint == plain
    frame.loc[2, "volume"] = -1
    as_parquet(folder, frame)
    with pytest.raises(DataError, match=r"prices\.parquet, row 3, column volume: -1 is negative"):
        open_dataset(folder)


TYPES: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "dates as texts": lambda frame: frame["date"].dt.strftime("%Y-%m-%d"),
    "dates as date32": lambda frame: frame["date"].dt.date,
    "dates in nanoseconds": lambda frame: frame["date"].astype("datetime64[ns]"),
    "tickers as categories": lambda frame: frame["ticker"].astype("category"),
    "volumes as integers": lambda frame: frame["volume"].astype("int32"),
    "closes as texts": lambda frame: frame["close"].map(repr),
    "splits as nullable floats": lambda frame: frame["split"].astype("Float64"),
}


@pytest.mark.parametrize("kind", TYPES)
def test_a_parquet_column_may_be_of_any_type_that_holds_the_same(folder: Path, kind: str) -> None:
    plain = open_dataset(folder).fingerprint
    frame = pd.read_csv(folder / "prices.csv", parse_dates=["date"])
    column = {"dates": "date", "tickers": "ticker", "volumes": "volume", "closes": "close", "splits": "split"}
    frame[column[kind.split()[0]]] = TYPES[kind](frame)
    as_parquet(folder, frame)
    assert open_dataset(folder).fingerprint == plain


def test_parquet_times_are_turned_into_utc_and_need_a_zone(folder: Path) -> None:
    plain = open_dataset(folder).fingerprint
    frame = pd.read_csv(folder / "fundamentals.csv", parse_dates=["period_start", "period_end", "filed"])
    frame["accepted_at"] = pd.to_datetime(frame["accepted_at"], utc=True).dt.tz_convert("America/New_York")
    as_parquet(folder, frame, "fundamentals")
    assert open_dataset(folder).fingerprint == plain
    frame["accepted_at"] = frame["accepted_at"].dt.tz_localize(None)
    as_parquet(folder, frame, "fundamentals")
    with pytest.raises(DataError, match=r"row 3, column accepted_at: '2024-01-03T16:05:00' has no time zone"):
        open_dataset(folder)


def test_a_parquet_date_with_a_time_of_day_is_refused(folder: Path) -> None:
    frame = pd.read_csv(folder / "prices.csv", parse_dates=["date"])
    frame["date"] += pd.to_timedelta([0, 16, *([0] * 6)], unit="h")
    as_parquet(folder, frame)
    with pytest.raises(DataError, match=r"row 2, column date: '2024-01-02T16:00:00' is no date"):
        open_dataset(folder)


def test_what_is_no_parquet_is_refused(folder: Path) -> None:
    (folder / "prices.csv").rename(folder / "prices.parquet")
    with pytest.raises(DataError, match=r"prices\.parquet is no parquet file .*; write it again") as refusal:
        open_dataset(folder)
    assert "\n" not in str(refusal.value)
