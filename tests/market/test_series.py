"""Series of the economy: every release and revision at its time."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from paperdesk.tools.errors import DataError, InputError
from paperdesk.tools.market.dataset import open_dataset
from paperdesk.tools.market.frames import SERIES_COLUMNS
from paperdesk.tools.market.view import Market, open_market

PRICES = "date,ticker,open,high,low,close,volume\n" + "".join(
    f"2024-{day},AAA,10,11,9,10,1000\n" for day in ("01-02", "01-31", "02-29", "03-28", "04-30")
)
SERIES = """\
series,date,value,available_at,vendor
GDP,2023-10-01,3.3,2024-01-25T08:30:00-05:00,BEA
GDP,2023-10-01,3.2,2024-02-28T08:30:00-05:00,BEA
GDP,2023-10-01,3.4,2024-03-28T08:30:00-04:00,BEA
GDP,2024-01-01,1.6,2024-04-25T08:30:00-04:00,BEA
RATE,2024-03-01,5.33,2024-03-01T21:15:00Z,Fed
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "prices.csv").write_text(PRICES)
    (tmp_path / "series.csv").write_text(SERIES)
    return tmp_path


@pytest.fixture
def market(folder: Path) -> Market:
    return open_market(folder)


def known(market: Market, name: str, *moment: int) -> dict[str, float]:
    series = market.view(datetime(*moment, tzinfo=UTC)).series(name)  # type: ignore[arg-type, misc]
    assert series.name == name
    assert series.index.name == "date"
    return {str(stamp.date()): value for stamp, value in series.items()}  # type: ignore[attr-defined]


def test_a_revision_replaces_the_release_from_its_own_time_on(market: Market) -> None:
    assert known(market, "GDP", 2024, 1, 25, 13, 30) == {"2023-10-01": 3.3}
    assert known(market, "GDP", 2024, 2, 28, 13, 29, 59) == {"2023-10-01": 3.3}
    assert known(market, "GDP", 2024, 2, 28, 13, 30) == {"2023-10-01": 3.2}
    assert known(market, "GDP", 2024, 3, 28, 12, 30) == {"2023-10-01": 3.4}
    assert known(market, "GDP", 2024, 4, 30, 21) == {"2023-10-01": 3.4, "2024-01-01": 1.6}


def test_a_series_is_unknown_before_its_first_release(market: Market) -> None:
    early = market.view(datetime(2024, 1, 25, 13, 29, tzinfo=UTC))
    assert early.series_names == ()
    with pytest.raises(InputError, match=r"no series 'GDP' is known .*; known: none"):
        early.series("GDP")
    later = market.view(datetime(2024, 4, 30, 21, tzinfo=UTC))
    assert later.series_names == ("GDP", "RATE")
    with pytest.raises(InputError, match=r"no series 'CPI' is known .*; known: GDP, RATE"):
        later.series("CPI")


def test_series_are_part_of_the_fingerprint_only_where_there_are_any(folder: Path) -> None:
    with_series = open_dataset(folder)
    assert tuple(with_series.series.columns) == SERIES_COLUMNS
    (folder / "series.csv").write_text(SERIES.replace("5.33", "5.34"))
    assert open_dataset(folder).fingerprint != with_series.fingerprint
    (folder / "series.csv").write_text(SERIES.splitlines()[0])
    empty = open_dataset(folder)
    assert empty.series.empty
    (folder / "series.csv").unlink()
    assert open_dataset(folder).fingerprint == empty.fingerprint


def test_the_order_of_rows_and_the_packing_of_series_do_not_matter(folder: Path) -> None:
    plain = open_dataset(folder).fingerprint
    frame = pd.read_csv(folder / "series.csv")
    (folder / "series.csv").unlink()
    frame["available_at"] = pd.to_datetime(frame["available_at"], utc=True)
    frame.iloc[::-1].to_parquet(folder / "series.parquet")
    assert open_dataset(folder).fingerprint == plain


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("-05:00,BEA\nGDP,2023-10-01,3.2", ",BEA\nGDP,2023-10-01,3.2", "line 2, column available_at: .* no time zone"),
        ("2024-03-01T21:15:00Z", "", "line 6, column available_at: '' is no time"),
        ("5.33", ".", "line 6, column value: '.' is no number"),
        ("RATE,", ",", "line 6, column series: the cell is empty"),
        ("RATE,2024-03-01", "RATE,2024-03", "line 6, column date: '2024-03' is no date"),
        ("02-28T08:30:00-05", "01-25T08:30:00-05", "line 3, column available_at: GDP of 2023-10-01 is released at"),
        ("available_at", "released", r"series\.csv has no column available_at"),
    ],
)
def test_a_defect_of_a_series_is_refused_with_its_place(folder: Path, old: str, new: str, message: str) -> None:
    assert old in SERIES
    (folder / "series.csv").write_text(SERIES.replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        open_dataset(folder)
