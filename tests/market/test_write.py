"""Writing a dataset as a folder: what opens again is the very same market, or nothing is written."""

import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paperdesk.tools.clock import TradingCalendar
from paperdesk.tools.errors import DataError, InputError
from paperdesk.tools.market import write
from paperdesk.tools.market.bars import Bars
from paperdesk.tools.market.check import check_folder
from paperdesk.tools.market.dataset import facts_frame, fingerprinted, open_dataset
from paperdesk.tools.market.folder.prices import is_ticker
from paperdesk.tools.market.frames import empty_facts, series_frame
from paperdesk.tools.market.records import FACT_COLUMNS, SERIES_COLUMNS, Company, Dataset, Document
from paperdesk.tools.market.view import open_market
from paperdesk.tools.market.write import Form, write_dataset

TYPING = str(Path(__file__).parents[2] / ".typing")
FORMS: tuple[Form, ...] = ("csv", "parquet")
DAYS = TradingCalendar("XNYS", date(2024, 1, 1), date(2024, 12, 31)).sessions(date(2024, 1, 2), date(2024, 2, 29))


@pytest.fixture(autouse=True)
def no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read here is read from the files."""
    monkeypatch.setenv("PAPERDESK_CACHE", "off")


@pytest.fixture(scope="module")
def generated() -> Dataset:
    return open_market("generated").dataset


def assert_same(one: Dataset, other: Dataset) -> None:
    assert one.fingerprint == other.fingerprint == fingerprinted(other).fingerprint
    for name in ("name", "note", "generated", "calendar", "companies", "documents", "benchmark", "window"):
        assert getattr(one, name) == getattr(other, name)
    assert list(one.companies) == list(other.companies)


@pytest.mark.parametrize("form", FORMS)
def test_the_generated_market_survives_being_written(generated: Dataset, tmp_path: Path, form: Form) -> None:
    write_dataset(generated, tmp_path / "market", form)
    assert_same(open_dataset(tmp_path / "market"), generated)
    assert check_folder(tmp_path / "market").defects == ()


@pytest.mark.parametrize("form", FORMS)
def test_us8_survives_being_written(us8: Path, tmp_path: Path, form: Form) -> None:
    original = open_dataset(us8)
    write_dataset(original, tmp_path / "market", form)
    assert_same(open_dataset(tmp_path / "market"), original)


@pytest.mark.parametrize("form", FORMS)
def test_the_same_dataset_is_written_as_the_same_bytes(generated: Dataset, tmp_path: Path, form: Form) -> None:
    for name in ("one", "two"):
        write_dataset(generated, tmp_path / name, form)
    names = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert names == sorted(
        [f"companies.{form}", "documents.jsonl.gz", f"fundamentals.{form}", "market.toml", f"prices.{form}"]
    )
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_csv_is_written_as_people_write_it(generated: Dataset, tmp_path: Path) -> None:
    write_dataset(generated, tmp_path / "market", "csv")
    lines = (tmp_path / "market" / "prices.csv").read_text().splitlines()
    assert lines[:2] == [
        "date,ticker,open,high,low,close,volume,dividend,split",
        "2021-01-04,BRQL,55.24,55.77,55.05,55.74,2675100,0,0",
    ]
    facts = (tmp_path / "market" / "fundamentals.csv").read_text().splitlines()
    assert facts[1] == "BRQL,Revenue,2019-01-01,2019-12-31,4966148000,USD,2021-01-29,,0009900101-21-000146,10-K,0"


prices = st.floats(1e-6, 1e9)
names = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]) | st.sampled_from('\n",;='), min_size=1)
words = names.map(str.strip).filter(bool)
sizes = st.floats(0, 1e12)
moments = st.integers(0, 10**12).map(lambda us: datetime(2024, 1, 2, tzinfo=UTC) + timedelta(microseconds=us))
figures = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    """A few instruments that trade on some of a few sessions, with figures, texts and series about them."""
    tickers = tuple(draw(st.lists(words.filter(is_ticker), min_size=1, max_size=3, unique=True)))
    days = DAYS[: draw(st.integers(2, 8))]
    shape = (len(days), len(tickers))
    traded = np.array(draw(st.lists(st.booleans(), min_size=len(days) * len(tickers), max_size=shape[0] * shape[1])))
    traded = traded.reshape(shape)
    # Somebody trades on the first and the last day, and everybody once.
    traded[0] = True
    traded[-1, 0] = True

    def grid(values: st.SearchStrategy[float], absent: float) -> Any:
        drawn = draw(st.lists(values, min_size=traded.size, max_size=traded.size))
        return np.where(traded, np.array(drawn).reshape(shape), absent)

    opened, close = grid(prices, np.nan), grid(prices, np.nan)
    bars = Bars(
        sessions=days,
        tickers=tickers,
        open=opened,
        high=np.maximum(opened, close) * draw(st.floats(1, 2)),
        low=np.minimum(opened, close) * draw(st.floats(0.5, 1)),
        close=close,
        volume=grid(sizes, 0.0),
        dividend=grid(sizes | st.just(0.0), 0.0),
        split=grid(st.sampled_from([1.0, 2.0, 0.1, 1.5]), 1.0),
    )
    companies = {}
    for ticker in draw(st.lists(st.sampled_from(tickers), min_size=1, unique=True)):
        kind = draw(words | st.just(""))
        aliases = tuple(draw(st.lists(words.filter(lambda word: ";" not in word), max_size=2)))
        companies[ticker] = Company(ticker, draw(words), kind, kind and draw(words), aliases)
    dataset = Dataset(
        name=draw(words),
        note=draw(words),
        generated=draw(st.booleans()),
        calendar="XNYS",
        bars=bars,
        companies=companies,
        facts=draw(facts(tickers)),
        documents=draw(documents(tickers)),
        series=draw(series()),
        benchmark=draw(st.none() | st.sampled_from(tickers)),
        window=draw(st.none() | st.just((days[0], days[-1]))),
    )
    return fingerprinted(dataset)


@st.composite
def facts(draw: st.DrawFn, tickers: tuple[str, ...]) -> pd.DataFrame:
    rows = []
    for i in range(draw(st.integers(0, 4))):
        end = draw(st.dates(date(2023, 6, 30), date(2024, 1, 31)))
        filed = end + timedelta(draw(st.integers(0, 20)))
        start = draw(st.none() | st.just(end - timedelta(90)))
        noon = datetime(filed.year, filed.month, filed.day, 12, tzinfo=UTC)
        known = noon + timedelta(microseconds=draw(st.integers(0, 10**11)))
        texts = [draw(st.sampled_from(tickers)), draw(words)]
        unit, form = draw(words | st.just("")), draw(words | st.just(""))
        rows.append([*texts, start, end, draw(figures), unit, filed, known, f"filing {i}", form])
    columns = {name: [row[j] for row in rows] for j, name in enumerate(FACT_COLUMNS)}
    order = np.array(draw(st.permutations(range(len(rows)))), dtype=np.float64)
    return facts_frame(columns, order) if rows else empty_facts()


@st.composite
def documents(draw: st.DrawFn, tickers: tuple[str, ...]) -> tuple[Document, ...]:
    text = st.text(st.characters(codec="utf-8"))
    rows = [
        Document(identity, draw(st.sampled_from(tickers)), draw(moments), draw(text), draw(words), draw(text))
        for identity in draw(st.lists(words, max_size=3, unique=True))
    ]
    return tuple(sorted(rows, key=lambda row: (row.published_at, row.id)))


@st.composite
def series(draw: st.DrawFn) -> pd.DataFrame:
    key = st.tuples(words, st.dates(date(2020, 1, 1), date(2024, 1, 1)), moments)
    rows = draw(st.lists(key, max_size=4, unique=True))
    columns: dict[str, list[Any]] = {
        "series": [row[0] for row in rows],
        "date": [row[1] for row in rows],
        "value": [draw(figures) for _ in rows],
        "available_at": [row[2] for row in rows],
    }
    return series_frame({name: columns[name] for name in SERIES_COLUMNS})


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(dataset=datasets(), form=st.sampled_from(FORMS))
def test_any_market_survives_being_written(
    tmp_path_factory: pytest.TempPathFactory, dataset: Dataset, form: Form
) -> None:
    folder = tmp_path_factory.mktemp("written") / "market"
    write_dataset(dataset, folder, form)
    assert_same(open_dataset(folder), dataset)
    assert check_folder(folder).errors == ()


CHANGES: dict[str, Callable[[Dataset], Dataset]] = {
    "a split, a dividend or a volume on 2021-01-05 without a price": lambda data: replace(
        data, bars=replace(data.bars, **dict.fromkeys(("open", "high", "low", "close"), holed(data.bars.close)))
    ),
    "only one of industry and sector": lambda data: replace(
        data, companies=data.companies | {"BRQL": Company("BRQL", "Brequill", industry="Machines")}
    ),
    "companies differs": lambda data: replace(
        data, companies=data.companies | {"BRQL": Company("BRQL", "Brequill ", "a", "b")}, fingerprint=""
    ),
    "breaks a rule of the format: market.toml, key window": lambda data: replace(
        data, window=(date(2023, 1, 3), date(2030, 1, 3))
    ),
    "would not read back as it is: name differs": lambda data: replace(data, name=""),
    "would not read back as it is: the fingerprint it was given differs": lambda data: replace(
        data, fingerprint="0" * 64
    ),
}


def holed(close: Any) -> Any:
    close = close.copy()
    close[1, 0] = np.nan
    return close


@pytest.mark.parametrize("message", CHANGES)
def test_what_the_format_cannot_say_is_refused_and_leaves_nothing(
    generated: Dataset, tmp_path: Path, message: str
) -> None:
    with pytest.raises(DataError, match=message) as refusal:
        write_dataset(CHANGES[message](generated), tmp_path / "market")
    assert "\n" not in str(refusal.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_not_touched(generated: Dataset, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        write_dataset(generated, tmp_path)
    with pytest.raises(InputError, match="exists already"):
        write_dataset(generated, tmp_path / "notes.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_an_empty_folder_is_filled_and_parents_are_made(generated: Dataset, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "a" / "b"):
        write_dataset(generated, folder)
        assert open_dataset(folder).fingerprint == generated.fingerprint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "empty"]


def test_a_crash_while_writing_leaves_no_folder(
    generated: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*arguments: object, **options: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(gzip, "compress", crash)
    with pytest.raises(InputError, match="cannot be written \\(No space left on device\\)"):
        write_dataset(generated, tmp_path / "market")
    assert list(tmp_path.iterdir()) == []


def test_the_module_writes_every_fact_column_it_can_read() -> None:
    assert set(write.FACT_FILE_COLUMNS) == set(FACT_COLUMNS) - {"available_at"} | {"accepted_at"}


def test_a_market_on_a_calendar_of_later_years_survives_being_written(tmp_path: Path) -> None:
    days = tuple(day.replace(year=day.year + 28) for day in DAYS)
    flat = np.full((len(days), 1), 10.0)
    filed = pd.Timestamp(days[3])
    figures = {
        "ticker": ["AAA"], "concept": ["Assets"], "period_start": [None], "period_end": [date(2051, 12, 31)],
        "value": [1.0], "unit": [""], "filed": [filed], "accession": ["a"], "form": [""],
        "available_at": [datetime(days[4].year, days[4].month, days[4].day, 14, 30, tzinfo=UTC)],
    }  # fmt: skip
    dataset = Dataset(
        name="later",
        note="Moved by 28 years.",
        generated=True,
        calendar="XNYS+28y",
        bars=Bars(days, ("AAA",), flat, flat, flat, flat, flat, flat * 0, flat / 10),
        companies={"AAA": Company("AAA", "Alpha")},
        facts=facts_frame(figures),
        documents=(),
    )
    write_dataset(dataset, tmp_path / "market", "csv")
    assert_same(open_dataset(tmp_path / "market"), fingerprinted(dataset))
    # The day of filing says when it was known, so the file need not.
    assert "2052-01-05,," in (tmp_path / "market" / "fundamentals.csv").read_text()


def test_what_a_killed_process_left_is_removed_and_what_lives_is_not(generated: Dataset, tmp_path: Path) -> None:
    script = (
        "import os, sys, time\nfrom pathlib import Path\nfrom paperdesk.tools.market.draft import new_folder\n"
        "with new_folder(Path(sys.argv[1])) as draft:\n"
        "    draft.mkdir()\n    (draft / 'half').touch()\n    print('ready', flush=True)\n    time.sleep(60)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "market")]
    drafts: list[tuple[subprocess.Popen[bytes], Path]] = []
    for _ in range(2):
        child = subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": TYPING})
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        drafts.append((child, next(path for path in tmp_path.iterdir() if path not in [d for _, d in drafts])))
    (dead, left), (alive, kept) = drafts
    dead.kill()
    dead.communicate()
    write_dataset(generated, tmp_path / "market")
    assert (left.exists(), kept.exists()) == (False, True)
    alive.kill()
    alive.communicate()
    assert check_folder(tmp_path / "market").defects == ()
