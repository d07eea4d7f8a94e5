"""A market from plain data frames, checked as strictly as a folder is."""

import json
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Literal

import pandas as pd

from ..errors import DataError
from .check import inspect_folder
from .dataset import assembled
from .view import Market

NOTE = "Data from frames."


def market_from_frames(
    prices: pd.DataFrame,
    *,
    fundamentals: pd.DataFrame | None = None,
    documents: pd.DataFrame | None = None,
    companies: pd.DataFrame | None = None,
    series: pd.DataFrame | None = None,
    calendar: str = "XNYS",
    benchmark: str | None = None,
    adjustment: Literal["split_adjusted", "as_traded"] = "split_adjusted",
    name: str = "frames",
) -> Market:
    """A market from frames with the columns of docs/data-format.md.

    Args:
        prices: `date`, `ticker`, `open`, `high`, `low`, `close`, `volume`, perhaps `dividend` and `split`; one row per
            instrument and session in which it traded. `date` may be the index.
        fundamentals: the rows of `fundamentals`.
        documents: the fields of `documents` as columns; `published_at` as aware timestamps or as texts.
        companies: the rows of `companies`; by default every instrument is one, but the benchmark.
        series: the rows of `series`.
        calendar: an `exchange_calendars` name, `24/7` among them.
        benchmark: ticker of the benchmark, which is then no company.
        adjustment: whether prices are adjusted for splits, or as printed on their day.
        name: what people call this market.

    Raises:
        DataError: a defect, the first one that the check of a folder would find.
    """
    if companies is None and benchmark is not None:
        others = [ticker for ticker in _flat(prices)["ticker"].unique() if ticker != benchmark]
        companies = pd.DataFrame({"ticker": others, "name": others})
    tables = {"prices": prices, "fundamentals": fundamentals, "companies": companies, "series": series}
    settings = {"name": name, "note": NOTE, "calendar": calendar, "benchmark": benchmark or "", "prices": adjustment}
    with tempfile.TemporaryDirectory(prefix="paperdesk-") as place:
        folder = Path(place)
        for stem, table in tables.items():
            if table is not None:
                _flat(table).to_parquet(folder / f"{stem}.parquet", index=False)
        if documents is not None:
            lines = [json.dumps(row, default=_text) for row in documents.to_dict("records")]
            (folder / "documents.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        rows = "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
        (folder / "market.toml").write_text(rows, encoding="utf-8")
        inspection = inspect_folder(folder)
        inspection.findings.raise_first()
        return Market(assembled(inspection))


def _flat(table: pd.DataFrame) -> pd.DataFrame:
    """The table with `date` as a column."""
    return table.reset_index() if table.index.name == "date" else table


def _text(value: object) -> str:
    if isinstance(value, datetime):  # a pandas Timestamp is one
        return value.isoformat()
    raise DataError(f"documents hold {value!r}, which is neither a text nor a time; write a text.")
