"""The cache of opened markets: quick the second time, and never another market than the folder holds."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from paperdesk.tools import user_cache
from paperdesk.tools.clock import TradingCalendar, _whole_years
from paperdesk.tools.errors import DataError
from paperdesk.tools.market import cache, dataset
from paperdesk.tools.market.check import inspect_folder
from paperdesk.tools.market.dataset import fingerprinted, open_dataset
from paperdesk.tools.market.documents import index_folder
from paperdesk.tools.market.records import Dataset

PRICES = """\
date,ticker,open,high,low,close,volume,dividend,split
2024-01-02,AAA,10,11,9,10.5,1000,0,0
2024-01-03,AAA,11,12,10,11,1000,0.2,0
2024-01-04,AAA,5.5,6,5,5.75,2000,0,2
"""
FACTS = """\
ticker,concept,period_start,period_end,value,unit,filed,accession,form,accepted_at
AAA,Revenue,2023-10-01,2023-12-31,1000,USD,2024-01-03,a-1,10-Q,
AAA,Assets,,2023-12-31,5000,USD,2024-01-03,a-1,10-Q,2024-01-03T16:05:00-05:00
"""
NEWS = (
    '{"id": "n", "ticker": "AAA", "published_at": "2024-01-03T10:00:00Z", "headline": "Alpha \\u00e9", "body": "B"}\n'
)
SERIES = "series,date,value,available_at\nCPI,2023-12-01,3.1,2024-01-03T13:30:00Z\n"
COMPANIES = "ticker,name,industry,aliases\nAAA,Alpha Corp,Widgets,Alf; Alpher\n"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of one's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("PAPERDESK_CACHE", raising=False)
    return tmp_path / "cache" / "paperdesk" / "markets"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "alpha"
    folder.mkdir()
    texts = {"prices": PRICES, "fundamentals": FACTS, "series": SERIES, "companies": COMPANIES}
    for stem, text in texts.items():
        (folder / f"{stem}.csv").write_text(text)
    (folder / "news.jsonl").write_text(NEWS)
    return folder


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that are parsed from here on."""
    folders: list[Path] = []

    def recorded(folder: Path) -> object:
        folders.append(folder)
        return inspect_folder(folder)

    monkeypatch.setattr(dataset, "inspect_folder", recorded)
    return folders


def assert_equal(one: Dataset, other: Dataset) -> None:
    for name in ("name", "note", "generated", "calendar", "companies", "documents", "benchmark", "window"):
        assert getattr(one, name) == getattr(other, name)
    assert one.fingerprint == other.fingerprint == fingerprinted(other).fingerprint
    for name in ("facts", "series"):
        frame, same = getattr(one, name), getattr(other, name)
        assert frame.equals(same)
        assert frame.dtypes.tolist() == same.dtypes.tolist()


def test_the_second_time_a_folder_is_not_parsed_and_is_the_same(home: Path, folder: Path, parsed: list[Path]) -> None:
    first, second = open_dataset(folder), open_dataset(folder)
    assert parsed == [folder]
    assert_equal(first, second)


def test_us8_is_the_same_from_the_cache(home: Path, us8: Path, parsed: list[Path]) -> None:
    assert_equal(open_dataset(us8), open_dataset(us8))
    assert parsed == [us8]


def test_a_market_without_figures_texts_and_series_is_the_same_from_the_cache(
    home: Path, folder: Path, parsed: list[Path]
) -> None:
    for name in ("fundamentals.csv", "series.csv", "news.jsonl", "companies.csv"):
        (folder / name).unlink()
    assert_equal(open_dataset(folder), open_dataset(folder))
    assert parsed == [folder]


@pytest.mark.parametrize("name", ["prices.csv", "fundamentals.csv", "series.csv", "companies.csv", "news.jsonl"])
def test_a_file_that_was_replaced_is_read_anew(home: Path, folder: Path, parsed: list[Path], name: str) -> None:
    before = open_dataset(folder)
    path = folder / name
    times = path.stat()
    changes = {"11,12,10,11,": "11,12,10,12,", "1000": "1001", "3.1": "3.2", "Alf;": "Alg;", '"B"': '"C"'}
    old, new = next((old, new) for old, new in changes.items() if old in path.read_text())
    path.write_text(path.read_text().replace(old, new))
    # Neither size nor time says that the file is another one.
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert path.stat().st_size == times.st_size
    assert open_dataset(folder).fingerprint != before.fingerprint
    assert len(parsed) == 2


def test_a_defect_that_comes_later_is_refused_every_time(home: Path, folder: Path) -> None:
    open_dataset(folder)
    (folder / "prices.csv").write_text(PRICES.replace("10.5,1000", "10.5,-1"))
    for _ in range(2):
        with pytest.raises(DataError, match="line 2, column volume"):
            open_dataset(folder)


def test_a_file_that_is_replaced_while_it_is_read_is_not_kept_as_the_old_one(
    home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    def late(folder: Path) -> object:
        (folder / "prices.csv").write_text(PRICES.replace("10.5,1000", "10.6,1000"))
        return inspect_folder(folder)

    monkeypatch.setattr(dataset, "inspect_folder", late)
    changed = open_dataset(folder)
    monkeypatch.undo()
    (folder / "prices.csv").write_text(PRICES)
    assert open_dataset(folder).fingerprint != changed.fingerprint


def test_a_copy_of_a_folder_has_its_own_name(home: Path, folder: Path, parsed: list[Path]) -> None:
    open_dataset(folder)
    shutil.copytree(folder, folder.with_name("beta"))
    copy = open_dataset(folder.with_name("beta"))
    assert (copy.name, copy.note) == ("beta", "Data from the folder beta.")
    assert parsed == [folder]


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "foreign"])
def test_a_damaged_entry_is_discarded_and_made_again(home: Path, folder: Path, parsed: list[Path], damage: str) -> None:
    first = open_dataset(folder)
    (entry,) = home.iterdir()
    content = entry.read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    entry.write_bytes({"cut": content[:-100], "flipped": flipped, "empty": b"", "foreign": PRICES.encode()}[damage])
    assert_equal(first, open_dataset(folder))
    assert entry.read_bytes() == content
    open_dataset(folder)
    assert len(parsed) == 2


def test_the_cache_can_be_switched_off(
    home: Path, folder: Path, parsed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERDESK_CACHE", "off")
    open_dataset(folder)
    open_dataset(folder)
    assert len(parsed) == 2
    assert not home.exists()


def test_a_home_that_cannot_be_written_works_without_a_cache(
    folder: Path, parsed: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A file where the folder should be refuses even a superuser.
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert_equal(open_dataset(folder), open_dataset(folder))
    assert len(parsed) == 2


def test_a_user_without_a_home_works_without_a_cache(
    folder: Path, parsed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A container may run as a number that no password file knows.
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("PAPERDESK_CACHE", raising=False)
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", lambda number: {}[number])
    assert not user_cache.cache_is_on()
    assert index_folder.passages_folder() is None
    assert_equal(open_dataset(folder), open_dataset(folder))
    assert len(parsed) == 2


def test_only_the_markets_opened_last_are_kept(home: Path, folder: Path, parsed: list[Path]) -> None:
    def market(i: int) -> Path:
        (folder / "prices.csv").write_text(PRICES.replace("10.5,1000", f"10.5,{1000 + i}"))
        return folder

    for i in range(cache.KEEP):
        open_dataset(market(i))
        time.sleep(0.01)
    open_dataset(market(0))
    for i in range(cache.KEEP, cache.KEEP + 2):
        time.sleep(0.01)
        open_dataset(market(i))
    assert len(list(home.iterdir())) == cache.KEEP
    parsed.clear()
    open_dataset(market(0))
    assert parsed == []
    open_dataset(market(1))
    assert len(parsed) == 1


def test_two_processes_may_open_a_folder_at_once(home: Path, folder: Path) -> None:
    code = "import sys, pathlib; from paperdesk.tools.market.dataset import open_dataset\n"
    code += "for _ in range(5): print(open_dataset(pathlib.Path(sys.argv[1])).fingerprint)"
    processes = [
        subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    printed = {line for process in processes for line in process.communicate()[0].splitlines()}
    assert [process.returncode for process in processes] == [0, 0]
    assert printed == {open_dataset(folder).fingerprint}
    assert [path.suffix for path in home.iterdir()] == [".npz256"]


def test_a_kill_during_a_write_leaves_no_entry_that_is_broken(home: Path) -> None:
    code = """
import numpy as np
from paperdesk.tools.user_cache import store_arrays
for i in range(10**6):
    store_arrays("markets", f"{i % 3}", {"x": np.full(2_000_000, i % 3)}, 8)
    print(i, flush=True)
"""
    for kill in range(4):
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.013 * kill)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        entries = sorted(path.stem for path in home.glob("*.npz256"))
        assert entries
        for key in entries:
            arrays = user_cache.load_arrays("markets", key)
            assert arrays is not None
            assert (arrays["x"] == int(key)).all()


def test_drafts_of_killed_processes_are_cleared_away(home: Path, folder: Path) -> None:
    home.mkdir(parents=True)
    old, new = home / "old.part", home / "new.part"
    old.write_bytes(b"half")
    new.write_bytes(b"half")
    os.utime(old, (0, 0))
    open_dataset(folder)
    assert not old.exists()
    assert new.exists()


def test_a_second_process_knows_the_sessions_without_exchange_calendars(home: Path, folder: Path) -> None:
    code = "import sys, pathlib; from paperdesk.tools.market.view import open_market\n"
    code += "market = open_market(sys.argv[1])\n"
    code += "print('exchange_calendars' in sys.modules, market.calendar.close_of(market.calendar.next_session("
    code += "market.dataset.bars.sessions[-1])))"
    runs = [
        subprocess.run([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert runs == ["True 2024-01-05 21:00:00+00:00\n", "False 2024-01-05 21:00:00+00:00\n"]


def test_a_schedule_from_the_cache_is_the_one_that_was_built(home: Path) -> None:
    first, last = date(2023, 1, 1), date(2024, 12, 31)
    _whole_years.cache_clear()
    built = TradingCalendar("XTKS", first, last)
    _whole_years.cache_clear()
    kept = TradingCalendar("XTKS", first, last)
    assert len(list((home.parent / "calendars").iterdir())) == 1
    assert built._schedule == kept._schedule
    assert {moment.tzinfo for moment in kept._schedule.opens} == {moment.tzinfo for moment in built._schedule.opens}
