"""Reading a folder: what is made of it, and everything that is refused at the border."""

import gzip
import json
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paperdesk.tools.errors import DataError
from paperdesk.tools.market.check import check_folder
from paperdesk.tools.market.dataset import open_dataset
from paperdesk.tools.market.records import FACT_COLUMNS

from .small_folder import NEWS, PRICES, folder

__all__ = ["folder"]  # a fixture


def change(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))


def test_a_folder_becomes_bars_on_every_session_with_nan_where_nothing_traded(folder: Path) -> None:
    dataset = open_dataset(folder)
    bars = dataset.bars
    assert bars.tickers == ("AAA", "IDX")
    assert bars.sessions == (date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4), date(2024, 1, 5), date(2024, 1, 8))
    np.testing.assert_array_equal(bars.close[:, 0], [10.5, 11, 5.75, np.nan, 5.9])
    np.testing.assert_array_equal(bars.volume[:, 0], [1000, 1000, 2000, 0, 2000])
    np.testing.assert_array_equal(bars.split[:, 0], [1, 1, 2, 1, 1])
    np.testing.assert_array_equal(bars.dividend[:, 0], [0, 0.2, 0, 0, 0.1])
    assert dataset.name == folder.name
    assert not dataset.generated


def test_split_adjusted_prices_are_turned_back_into_what_was_printed_on_the_day(folder: Path) -> None:
    (folder / "market.toml").unlink()
    bars = open_dataset(folder).bars
    np.testing.assert_array_equal(bars.close[:, 0], [21, 22, 5.75, np.nan, 5.9])
    np.testing.assert_array_equal(bars.open[:, 0], [20, 22, 5.5, np.nan, 5.75])
    np.testing.assert_array_equal(bars.volume[:, 0], [500, 500, 2000, 0, 2000])
    np.testing.assert_array_equal(bars.dividend[:, 0], [0, 0.4, 0, 0, 0.1])
    np.testing.assert_array_equal(bars.close[:, 1], [100, 100, 100, np.nan, 100])


def test_the_only_instrument_without_a_company_is_the_benchmark(folder: Path) -> None:
    dataset = open_dataset(folder)
    assert list(dataset.companies) == ["AAA"]
    assert dataset.companies["AAA"].sector == "Widgets"
    assert dataset.benchmark == "IDX"


def test_without_a_companies_file_every_instrument_is_a_company_and_none_the_benchmark(folder: Path) -> None:
    (folder / "companies.csv").unlink()
    dataset = open_dataset(folder)
    assert [row.name for row in dataset.companies.values()] == ["AAA", "IDX"]
    assert dataset.benchmark is None


def test_only_prices_are_needed(folder: Path) -> None:
    for name in ("companies.csv", "fundamentals.csv", "news.jsonl", "market.toml"):
        (folder / name).unlink()
    dataset = open_dataset(folder)
    assert dataset.facts.empty
    assert tuple(dataset.facts.columns) == FACT_COLUMNS
    assert dataset.documents == ()


def test_market_toml_names_the_market_its_benchmark_and_its_window(folder: Path) -> None:
    (folder / "market.toml").write_text(
        'name = "toy"\nnote = "A toy."\nbenchmark = "AAA"\nwindow = [2024-01-03, 2024-01-08]\ncalendar = "XNYS"\n'
    )
    dataset = open_dataset(folder)
    assert (dataset.name, dataset.note, dataset.benchmark) == ("toy", "A toy.", "AAA")
    assert dataset.window == (date(2024, 1, 3), date(2024, 1, 8))


def test_a_fact_is_known_at_its_acceptance_or_else_at_the_open_after_its_filing(folder: Path) -> None:
    facts = open_dataset(folder).facts.set_index("concept")
    assert facts.loc["NetIncome", "available_at"] == pd.Timestamp("2024-01-03T21:05:00Z")
    assert facts.loc["Revenue", "available_at"] == pd.Timestamp("2024-01-05T14:30:00Z")
    assert facts.loc[["Assets"], "period_start"].isna().all()
    assert set(facts["ticker"]) == {"AAA"}


def test_instruments_stand_in_the_order_that_market_toml_asks_for(folder: Path) -> None:
    (folder / "market.toml").write_text('prices = "as_traded"\ninstruments = ["IDX", "AAA"]\nbenchmark = ""\n')
    dataset = open_dataset(folder)
    assert dataset.bars.tickers == ("IDX", "AAA")
    np.testing.assert_array_equal(dataset.bars.close[:, 1], [10.5, 11, 5.75, np.nan, 5.9])
    assert dataset.benchmark is None


def test_a_sequence_orders_what_became_known_at_one_moment(folder: Path) -> None:
    header = "ticker,concept,period_end,value,filed,accession,sequence\n"
    rows = ["AAA,Assets,2023-12-31,5,2024-01-04,a,2\n", "AAA,Assets,2023-12-31,6,2024-01-04,b,1\n"]
    (folder / "fundamentals.csv").write_text(header + "".join(rows))
    assert open_dataset(folder).facts["value"].tolist() == [6, 5]
    (folder / "fundamentals.csv").write_text(header + "".join(row[:-2] + "\n" for row in rows))
    assert open_dataset(folder).facts["value"].tolist() == [5, 6]


def test_aliases_are_read_and_count(folder: Path) -> None:
    plain = open_dataset(folder)
    assert plain.companies["AAA"].aliases == ()
    (folder / "companies.csv").write_text("ticker,name,industry,aliases\nAAA,Alpha Corp,Widgets, Alf ;;Alpha Beta\n")
    named = open_dataset(folder)
    assert named.companies["AAA"].aliases == ("Alf", "Alpha Beta")
    assert named.fingerprint != plain.fingerprint
    (folder / "companies.csv").write_text("ticker,name,industry,aliases\nAAA,Alpha Corp,Widgets,\n")
    assert open_dataset(folder).fingerprint == plain.fingerprint


def test_documents_are_in_utc(folder: Path) -> None:
    (document,) = open_dataset(folder).documents
    assert document.published_at == datetime(2024, 1, 3, 21, 5, tzinfo=UTC)
    assert document.text == "Alpha grows\nA lot."


def test_the_fingerprint_depends_on_the_content_and_not_on_the_packing(folder: Path) -> None:
    plain = open_dataset(folder).fingerprint
    for name in ("prices.csv", "news.jsonl"):
        (folder / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))
        (folder / name).unlink()
    assert open_dataset(folder).fingerprint == plain
    assert len(plain) == 64


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("prices.csv", "10.5,1000", "10.6,1000"),
        ("prices.csv", "0.2,0", "0.3,0"),
        ("companies.csv", "Alpha Corp", "Alpha Inc"),
        ("fundamentals.csv", "2023-12-31,1000", "2023-12-31,1001"),
        ("fundamentals.csv", "2024-01-03,a-0", "2024-01-02,a-0"),
        ("news.jsonl", "A lot.", "A bit."),
    ],
)
def test_any_change_of_content_changes_the_fingerprint(folder: Path, file: str, old: str, new: str) -> None:
    before = open_dataset(folder).fingerprint
    change(folder, file, old, new)
    assert open_dataset(folder).fingerprint != before


def test_a_ticker_that_spells_a_missing_value_is_a_ticker(folder: Path) -> None:
    (folder / "companies.csv").unlink()
    (folder / "prices.csv").write_text(PRICES.replace("AAA", "NA"))
    assert open_dataset(folder).bars.tickers == ("IDX", "NA")


REFUSALS = [
    ("prices.csv", "10.5,1000", ",1000", r"prices\.csv, line 2, column close: '' is no number"),
    ("prices.csv", "10.5,1000", "nan,1000", r"prices\.csv, line 2, column close: nan is not finite"),
    ("prices.csv", "10.5,1000", "inf,1000", r"prices\.csv, line 2, column close: inf is not finite"),
    ("prices.csv", "10.5,1000", "ten,1000", r"prices\.csv, line 2, column close: 'ten' is no number"),
    ("prices.csv", "IDX,100,101,99,100", "IDX,100,101,0,100", r"prices\.csv, line 3, column low: 0 is not above zero"),
    ("prices.csv", "IDX,100,101,99,100", "IDX,-100,101,99,100", r"line 3, column open: -100 is not above zero"),
    ("prices.csv", "11,12,10,11,", "11,9,10,11,", r"prices\.csv, line 4, column high: 9 is below the low"),
    ("prices.csv", "11,12,10,11,", "11,12,10,13,", r"prices\.csv, line 4, column close: 13 lies outside low and high"),
    ("prices.csv", "11,12,10,11,", "9,12,10,11,", r"prices\.csv, line 4, column open: 9 lies outside low and high"),
    ("prices.csv", "10.5,1000", "10.5,-1", r"prices\.csv, line 2, column volume: -1 is negative"),
    ("prices.csv", "1000,0.2,0", "1000,-0.2,0", r"prices\.csv, line 4, column dividend: -0.2 is negative"),
    ("prices.csv", "2000,0,2,", "2000,0,-2,", r"prices\.csv, line 6, column split: -2 is negative"),
    ("prices.csv", "2024-01-03,AAA", "2024-01-02,AAA", r"line 4, column date: AAA has a second row for 2024-01-02"),
    (
        "prices.csv",
        "2024-01-08,AAA",
        "2024-01-03,AAA",
        r"line 8, column date: 2024-01-03 comes after 2024-01-04 for AAA",
    ),
    ("prices.csv", "2024-01-03,AAA", "03/01/2024,AAA", r"line 4, column date: '03/01/2024' is no date"),
    ("prices.csv", "2024-01-03,AAA", "2024-02-30,AAA", r"line 4, column date: '2024-02-30' is no date"),
    ("prices.csv", "2024-01-03,AAA", ",AAA", r"line 4, column date: '' is no date"),
    ("prices.csv", "2024-01-08,AAA", "2024-01-06,AAA", r"line 8, column date: 2024-01-06 is no session of XNYS"),
    ("prices.csv", "2024-01-02,AAA", "2024-01-02,", r"prices\.csv, line 2, column ticker: the cell is empty"),
    ("prices.csv", "10.5,1000,0,0,", "10.5,1000", r"prices\.csv, line 2 has 7 cells where the header has 10"),
    ("prices.csv", ",volume,", ",vol,", r"prices\.csv has no column volume"),
    ("prices.csv", ",remark", ",close", r"prices\.csv has the column close twice"),
    ("companies.csv", "AAA,Alpha", "AAB,Alpha", r"companies\.csv, line 2, column ticker: AAB has no prices"),
    ("companies.csv", "Alpha Corp", "", r"companies\.csv, line 2, column name: the cell is empty"),
    (
        "companies.csv",
        "AAA,Alpha",
        "AAA,One,X\nAAA,Alpha",
        r"companies\.csv, line 3, column ticker: AAA has a second row",
    ),
    ("companies.csv", "AAA,Alpha Corp,Widgets\n", "", r"companies\.csv has no rows"),
    (
        "fundamentals.csv",
        "2024-01-04,a-1",
        "2023-12-30,a-1",
        r"line 2, column filed: 2023-12-30 is before the period's end",
    ),
    ("fundamentals.csv", "2023-10-01,2023-12-31,1000", "2024-10-01,2023-12-31,1000", r"line 2, column period_start"),
    ("fundamentals.csv", "2023-12-31,1000", "2023-12-31,", r"fundamentals\.csv, line 2, column value: '' is no number"),
    (
        "fundamentals.csv",
        "2024-01-04,a-1",
        "2024-01-04,",
        r"fundamentals\.csv, line 2, column accession: the cell is empty",
    ),
    ("fundamentals.csv", "05:00-05:00", "05:00", r"fundamentals\.csv, line 4, column accepted_at: .* has no time zone"),
    (
        "fundamentals.csv",
        "2024-01-03T16",
        "2023-01-03T16",
        r"line 4, column accepted_at: 2023-01-03 is before the period's end",
    ),
    ("fundamentals.csv", "2024-01-03T16:05:00-05:00", "soon", r"line 4, column accepted_at: 'soon' is no time"),
    ("prices.csv", "2024-01-08,AAA", "0204-01-08,AAA", r"line 8, column date: 0204-01-08 is not between 1900 and 2199"),
    ("prices.csv", "2024-01-08,AAA", "2024-W02-1,AAA", r"line 8, column date: '2024-W02-1' is no date"),
    ("fundamentals.csv", "2024-01-04,a-1", "9999-12-31,a-1", r"line 2, column filed: 9999-12-31 is not between"),
    (
        "fundamentals.csv",
        "AAA,Assets,,2023-12-31,5000",
        "AAA,Revenue,2023-10-01,2023-12-31,5000",
        r"line 3, column value: Revenue of AAA to 2023-12-31 is 5000 here and 1000 in line 2, in one filing",
    ),
    ("fundamentals.csv", "form,accepted_at", "form,sequence", r"line 4, column sequence: '2024-01-03T.*' is no number"),
    ("news.jsonl", "05:00-05:00", "05:00", r"news\.jsonl, line 1, field published_at: .* has no time zone"),
    ("news.jsonl", '"body": "A lot."', '"body": "A lot.', r"news\.jsonl, line 1 is no JSON object"),
    ("news.jsonl", "{", '["x"]\n{', r"news\.jsonl, line 1 is no JSON object"),
    (
        "news.jsonl",
        '"headline": "Alpha grows"',
        '"headline": ""',
        r"news\.jsonl, line 1, field headline: '' is no text",
    ),
    ("news.jsonl", '"headline": "Alpha grows"', '"headline": 7', r"news\.jsonl, line 1, field headline: 7 is no text"),
    ("market.toml", "as_traded", "adjusted", r"market\.toml, key prices: "),
    ("market.toml", "prices", "price", r"market\.toml, key price: .*; the keys are name, note"),
    ("market.toml", "prices =", "prices", r"market\.toml is no TOML"),
    ("market.toml", "prices", 'benchmark = "QQQ"\nprices', r"market\.toml, key benchmark: QQQ has no prices"),
    (
        "market.toml",
        "prices",
        "window = [2024-01-02, 2025-01-02]\nprices",
        r"market\.toml, key window: .* is not within",
    ),
    ("market.toml", "prices", 'instruments = ["AAA"]\nprices', r"key instruments: IDX stands in only one of the list"),
    ("market.toml", "prices", 'instruments = ["AAA", "AAA", "IDX"]\nprices', r"a ticker stands twice"),
    ("market.toml", "prices", 'calendar = "XNYS+27y"\nprices', r"key calendar: .* is shifted by 27 years"),
    ("market.toml", "prices", 'calendar = "MOON"\nprices', r"no exchange calendar named 'MOON'"),
]


@pytest.mark.parametrize(("file", "old", "new", "message"), REFUSALS, ids=[row[3] for row in REFUSALS])
def test_a_defect_is_refused_in_one_sentence_with_its_place(
    folder: Path, file: str, old: str, new: str, message: str
) -> None:
    change(folder, file, old, new)
    with pytest.raises(DataError, match=message) as refusal:
        open_dataset(folder)
    assert "\n" not in str(refusal.value)
    assert check_folder(folder).errors[0].sentence == str(refusal.value)


def test_a_second_document_with_the_same_id_is_refused(folder: Path) -> None:
    (folder / "documents.jsonl").write_text("\n" + json.dumps(NEWS))
    with pytest.raises(DataError, match=r"documents\.jsonl, line 2, field id: n-1 is used twice"):
        open_dataset(folder)


def test_missing_folders_and_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no folder"):
        open_dataset(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"holds no prices\.csv"):
        open_dataset(tmp_path)


def test_two_files_for_the_same_table_are_refused(folder: Path) -> None:
    (folder / "prices.csv.gz").write_bytes(gzip.compress(PRICES.encode()))
    with pytest.raises(DataError, match=r"holds both prices\.csv and prices\.csv\.gz"):
        open_dataset(folder)


@pytest.mark.parametrize(
    "content", [b"not gzip at all", gzip.compress(PRICES.encode())[:-20], gzip.compress(b"\xff\xfe")]
)
def test_a_broken_archive_is_refused(folder: Path, content: bytes) -> None:
    (folder / "prices.csv").unlink()
    (folder / "prices.csv.gz").write_bytes(content)
    with pytest.raises(DataError, match=r"prices\.csv\.gz cannot be read"):
        open_dataset(folder)


def test_an_empty_prices_file_is_refused(folder: Path) -> None:
    (folder / "prices.csv").write_text(PRICES.splitlines()[0] + "\n")
    with pytest.raises(DataError, match=r"prices\.csv has no rows"):
        open_dataset(folder)


def test_us8_has_the_fingerprint_it_had_when_it_was_read_row_by_row(us8: Path) -> None:
    fingerprint = "860a4a05fb8167cee3dd787a39f6d4d64b561bfe9f3db2b69baa3d98d4e6a563"
    assert open_dataset(us8).fingerprint == fingerprint


def test_us8_is_read_whole(us8: Path) -> None:
    dataset = open_dataset(us8)
    assert dataset.bars.close.shape == (1256, 8)
    assert not np.isnan(dataset.bars.close).any()
    assert dataset.benchmark == "SPY"
    assert len(dataset.companies) == 7
    assert len(dataset.facts) == 11_287
    assert len(dataset.documents) == 156
    assert dataset.facts["available_at"].is_monotonic_increasing


def test_us8_before_a_split_shows_the_prices_of_that_day(us8: Path) -> None:
    bars = open_dataset(us8).bars
    row, column = bars.sessions.index(date(2024, 6, 10)), bars.column("NVDA")
    assert bars.split[row, column] == 10
    assert bars.close[row - 1, column] == pytest.approx(1208.88)
    assert bars.close[row, column] == pytest.approx(121.79)
