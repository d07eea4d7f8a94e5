import math
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.tools.errors import InputError
from paperdesk.tools.market.vendors.csv_folder import CsvFolder, open_vendor
from paperdesk.tools.market.vendors.errors import UnknownSymbol, VendorSchemaError
from paperdesk.tools.market.vendors.protocol import Piece, Request

from .loopback import FakeTime

YAHOO = """Date,Open,High,Low,Close,Adj Close,Volume
2024-06-05,116.0,118.0,115.5,117.0,99.1,1000
2024-06-06,117.0,119.0,116.5,118.0,99.2,2000
2024-06-07,null,null,null,null,null,null
2024-06-10,119.0,121.0,118.5,120.0,99.4,4000
"""
STOOQ = """Date,Open,High,Low,Close,Volume
2024-06-05,116.0,118.0,115.5,117.0,1000
2024-06-06,117.0,119.0,116.5,118.0,2000
2024-06-10,119.0,121.0,118.5,120.0,4000
"""
NASDAQ = """Date;Close/Last;Volume;Open;High;Low\r
2024/06/10;$120.0;"4,000";$119.0;$121.0;$118.5\r
2024/06/06;$118.0;"2,000";$117.0;$119.0;$116.5\r
2024/06/05;$117.0;"1,000";$116.0;$118.0;$115.5\r
"""
TABS = """<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<VOL>
20240605\t116.0\t118.0\t115.5\t117.0\t1000
20240606\t117.0\t119.0\t116.5\t118.0\t2000
20240610\t119.0\t121.0\t118.5\t120.0\t4000
"""
Fetch = Callable[..., Piece]


@pytest.fixture
def fetch(tmp_path: Path, fake_time: FakeTime) -> Fetch:
    def run(text: str, end: date = date(2024, 6, 10), name: str = "ACME.csv", **settings: Any) -> Piece:
        (tmp_path / name).write_bytes(text.encode())
        vendor = CsvFolder(tmp_path, fake_time.settings(), **settings)
        return vendor.fetch(Request(kind="prices", symbol="ACME", start=date(2024, 6, 5), end=end))

    return run


def column(piece: Piece, name: str) -> list[Any]:
    return [row[name] for row in piece.rows]


@pytest.mark.parametrize(
    "text", [YAHOO, STOOQ, NASDAQ, TABS, "\ufeff" + STOOQ], ids=["yahoo", "stooq", "nasdaq", "tabs", "bom"]
)
def test_the_usual_downloads_are_read(fetch: Fetch, text: str) -> None:
    piece = fetch(text)
    assert column(piece, "date") == ["2024-06-05", "2024-06-06", "2024-06-10"]
    assert piece.rows[1] == {
        "date": "2024-06-06",
        "ticker": "ACME",
        "open": 117.0,
        "high": 119.0,
        "low": 116.5,
        "close": 118.0,
        "volume": 2000.0,
        "dividend": 0.0,
        "split": 0.0,
    }
    assert piece.sources[0].url == "ACME.csv"


@pytest.mark.parametrize("name", ["acme.csv", "ACME.TXT", "acme.us.txt"])
def test_the_file_is_found_by_the_ticker(fetch: Fetch, name: str) -> None:
    assert len(fetch(STOOQ, name=name).rows) == 3


SPLIT = """date,open,high,low,close,volume,dividend,split
2024-06-05,{0},{0},{0},{0},{3},{5},
2024-06-06,{1},{1},{1},{1},{4},,2:1
2024-06-10,{2},{2},{2},{2},400,,10/1
"""


@pytest.mark.parametrize("prices", ["as_traded", "split_adjusted"])
def test_both_ways_to_show_prices_mean_the_same(fetch: Fetch, prices: str) -> None:
    # printed: 2400, then 1200 after 2:1, then 120 after 10:1; a dividend of 4.8 on the first day
    printed, adjusted = SPLIT.format(2400, 1200, 120, 20, 40, 4.8), SPLIT.format(120, 120, 120, 400, 400, 0.24)
    text = printed if prices == "as_traded" else adjusted
    whole = fetch(text, prices=prices)
    assert column(whole, "close") == [120.0, 120.0, 120.0]
    assert column(whole, "volume") == [400.0, 400.0, 400.0]
    assert column(whole, "dividend") == pytest.approx([0.24, 0.0, 0.0])
    assert column(whole, "split") == [0.0, 2.0, 10.0]
    # a split after the end is none of the piece's business
    part = fetch(text, date(2024, 6, 6), prices=prices)
    assert column(part, "close") == [1200.0, 1200.0]
    assert column(part, "volume") == [40.0, 40.0]
    assert column(part, "dividend") == pytest.approx([2.4, 0.0])


@given(
    splits=st.lists(st.sampled_from([0.0, 1.0, 2.0, 0.25, 10.0]), min_size=4, max_size=4),
    last=st.integers(min_value=5, max_value=8),
)
def test_as_traded_and_adjusted_files_agree(
    tmp_path_factory: pytest.TempPathFactory, splits: list[float], last: int
) -> None:
    """A share that is worth 100 before any split, told in both ways."""
    folder = tmp_path_factory.mktemp("csv")
    printed: list[str] = []
    adjusted: list[str] = []
    total = 1.0
    after = [1.0] * 5
    for place in range(3, -1, -1):
        after[place] = after[place + 1] * (splits[place] or 1.0)
    for place, split in enumerate(splits):
        total *= split or 1.0
        for rows, price in ((printed, 100 / total), (adjusted, 100 / total / after[place + 1])):
            rows.append(f"2024-06-0{place + 5},{price!r},{price!r},{price!r},{price!r},10,{split}")
    header = "date,open,high,low,close,volume,split\n"
    pieces = []
    for name, rows in (("as_traded", printed), ("split_adjusted", adjusted)):
        (folder / "X.csv").write_text(header + "\n".join(rows))
        vendor = CsvFolder(folder, FakeTime().settings(), name)  # type: ignore[arg-type]
        pieces.append(vendor.fetch(Request(kind="prices", symbol="X", start=date(2024, 6, 5), end=date(2024, 6, last))))
    assert column(pieces[0], "close") == pytest.approx(column(pieces[1], "close"))
    total = math.prod(split or 1.0 for split in splits[: last - 4])
    assert column(pieces[0], "close")[-1] == pytest.approx(100 / total)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("date,open,high,low,volume\n", "ACME.csv has no column close"),
        ("date,open,high,low,close,close,volume\n", "two columns for close"),
        ("", "has no column date"),
        (STOOQ.replace("118.0,115.5", "x,115.5"), r"ACME.csv, line 2, column high: 'x' is no number"),
        (STOOQ.replace("119.0,116.5", "inf,116.5"), r"line 3, column high: 'inf' is no number"),
        (STOOQ.replace("2024-06-06", "06.06.2024"), r"line 3, column date: '06.06.2024' is no date"),
        (STOOQ.replace("2024-06-06", "2024-06-05"), "ACME.csv has two rows for 2024-06-05"),
        (STOOQ.replace(",118.5,120.0,4000", ""), "line 4 has 3 cells, fewer than the header"),
        ("date,open,high,low,close,volume,split\n2024-06-05,,,,,,2\n", "line 2 has a split and no prices"),
        ("date,open,high,low,close,volume,dividend\n2024-06-05,,,,,,0.5\n", "line 2 has a dividend and no prices"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(fetch: Fetch, text: str, message: str) -> None:
    with pytest.raises(VendorSchemaError, match=message):
        fetch(text)


def test_other_encodings_are_refused(tmp_path: Path, fake_time: FakeTime) -> None:
    (tmp_path / "ACME.csv").write_bytes(STOOQ.encode("utf-16"))
    with pytest.raises(VendorSchemaError, match="no UTF-8 text"):
        CsvFolder(tmp_path, fake_time.settings()).fetch(
            Request(kind="prices", symbol="ACME", start=date(2024, 6, 5), end=date(2024, 6, 10))
        )


def test_a_ticker_without_file_or_rows_is_unknown(fetch: Fetch) -> None:
    with pytest.raises(UnknownSymbol, match=r"holds no ACME.csv"):
        fetch(STOOQ, name="OTHER.csv")
    with pytest.raises(UnknownSymbol, match=r"has no prices from 2024-06-05"):
        fetch(STOOQ.replace("2024", "2021"))


def test_two_files_of_one_ticker_are_refused(fetch: Fetch) -> None:
    fetch(STOOQ)
    with pytest.raises(VendorSchemaError, match="keep only one file per ticker"):
        fetch(STOOQ, name="acme.txt")


def test_the_entry_point_needs_its_folder(tmp_path: Path, fake_time: FakeTime) -> None:
    with pytest.raises(InputError, match="name their folder"):
        open_vendor(fake_time.settings())
    with pytest.raises(InputError, match="there is no folder"):
        open_vendor(fake_time.settings(csv_folder=tmp_path / "nowhere"))
    with pytest.raises(InputError, match="choose split_adjusted or as_traded"):
        open_vendor(fake_time.settings(csv_folder=tmp_path, options={"csv.prices": "adjusted"}))
