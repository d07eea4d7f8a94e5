"""What of a table was known at a moment; the rows of each are sorted by `available_at`."""

from datetime import UTC, datetime

import pandas as pd

from ..errors import InputError

FACT_KEYS = ["concept", "period_end", "period_start"]


def aware(moment: datetime) -> datetime:
    """A moment in UTC.

    Raises:
        InputError: it has no zone.
    """
    if moment.tzinfo is None:
        raise InputError(f"the time {moment.isoformat()} has no zone; give it one, such as UTC")
    return moment.astimezone(UTC)


def known_rows(table: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """The rows that were available by then."""
    return table.iloc[: int(table["available_at"].searchsorted(pd.Timestamp(as_of), side="right"))]


def newest_facts(facts: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """Of each concept and period the figure of the newest filing by then, by concept, period_end, period_start."""
    newest = known_rows(facts, as_of).drop_duplicates(FACT_KEYS, keep="last")
    return newest.sort_values(FACT_KEYS, na_position="first", kind="stable").reset_index(drop=True)


def newest_values(series: pd.DataFrame, name: str, as_of: datetime) -> pd.Series:
    """Of each date the value of a series that was released last by then, indexed by `date`; empty where none was."""
    rows = known_rows(series, as_of)
    rows = rows[rows["series"] == name].drop_duplicates("date", keep="last").sort_values("date")
    return pd.Series(rows["value"].to_numpy(), index=pd.DatetimeIndex(rows["date"], name="date"), name=name)


def released(series: pd.DataFrame, name: str, as_of: datetime) -> datetime:
    """When the newest value of a series that was known by then became known (UTC); there must be one."""
    rows = known_rows(series, as_of)
    moment: datetime = rows.loc[rows["series"] == name, "available_at"].iloc[-1].to_pydatetime()
    return moment.astimezone(UTC)
