import errno
import hashlib
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from paperdesk.tools.errors import DataError, InputError
from paperdesk.tools.market.dataset import open_dataset
from paperdesk.tools.market.vendors.csv_folder import CsvFolder
from paperdesk.tools.market.vendors.errors import (
    IncompletePull,
    PullRefused,
    UnknownSymbol,
    VendorError,
    VendorRefused,
    VendorUnavailable,
)
from paperdesk.tools.market.vendors.manifest import Manifest, PullRequest
from paperdesk.tools.market.vendors.protocol import Kind, Row
from paperdesk.tools.market.vendors.pull import Progress, pull
from paperdesk.tools.market.vendors.store import PullFolder
from paperdesk.tools.market.view import Market

from .loopback import FakeTime
from .shop import SESSIONS, Shop

Fails = dict[tuple[Kind, str], VendorError]
START, END = SESSIONS[0], SESSIONS[-1]


def asked(**fields: Any) -> PullRequest:
    base: dict[str, Any] = {"tickers": ("ACME", "BOLT"), "start": START, "end": END, "vendors": ("shop",)}
    return PullRequest.model_validate({**base, **fields})


def test_everything_becomes_a_market(tmp_path: Path, fake_time: FakeTime) -> None:
    out, shop = tmp_path / "mine", Shop(fake_time)
    steps: list[Progress] = []
    manifest = pull(asked(benchmark="FUND", series=("DGS10",)), out, [shop], clock=fake_time.clock, report=steps.append)
    market = Market(open_dataset(out))
    assert market.name == "mine"
    assert market.tickers == ("ACME", "BOLT")
    assert market.benchmark == "FUND"
    assert market.companies["ACME"].sector == "Things"
    assert "from 2024-06-05 to 2024-06-14, pulled from shop" in market.note
    assert manifest.fingerprint == market.fingerprint
    view = market.view(market.calendar.close_of(END))
    assert view.facts("ACME")["value"].tolist() == [1000.0]
    assert [row.id for row in view.documents("BOLT")] == ["BOLT-1"]
    assert view.series("DGS10").tolist() == [4.25]
    assert sorted(path.name for path in out.iterdir()) == [
        "companies.parquet",
        "documents.jsonl.gz",
        "fundamentals.parquet",
        "manifest.json",
        "market.toml",
        "prices.parquet",
        "series.parquet",
    ]
    assert [step.state for step in steps[-2:]] == ["writing", "finished"]
    assert steps[-1].done == steps[-1].total == 10


def test_the_manifest_says_where_everything_came_from(tmp_path: Path, fake_time: FakeTime) -> None:
    out = tmp_path / "out"
    manifest = pull(asked(), out, [Shop(fake_time)], clock=fake_time.clock)
    assert Manifest.model_validate_json((out / "manifest.json").read_bytes()) == manifest
    assert {row.name for row in manifest.files} == {path.name for path in out.iterdir()} - {"manifest.json"}
    for row in manifest.files:
        raw = (out / row.name).read_bytes()
        assert (row.sha256, row.bytes) == (hashlib.sha256(raw).hexdigest(), len(raw))
    assert {row.name: row.rows for row in manifest.files}["prices.parquet"] == 2 * len(SESSIONS)
    assert len(manifest.pieces) == 8
    assert manifest.pieces[0].sources[0].url == "shop://prices/ACME"
    assert str(tmp_path) not in (out / "manifest.json").read_text()


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_both_forms_open_as_the_same_market(tmp_path: Path, fake_time: FakeTime, form: str) -> None:
    one = pull(asked(series=("DGS10",)), tmp_path / "a", [Shop(fake_time)], clock=fake_time.clock)
    other = pull(asked(series=("DGS10",), form=form), tmp_path / "b", [Shop(fake_time)], clock=fake_time.clock)
    assert one.fingerprint == other.fingerprint


def test_a_split_adjusted_piece_is_turned_back_to_what_was_printed(tmp_path: Path, fake_time: FakeTime) -> None:
    rows = "".join(
        f"{day},{p},{p},{p},{p},400,{split}\n"
        for day, p, split in zip(SESSIONS[:4], (120.0, 121.0, 122.0, 123.0), (0, 0, 10, 0), strict=True)
    )
    (tmp_path / "csv").mkdir()
    (tmp_path / "csv/ACME.csv").write_text("date,open,high,low,close,volume,split\n" + rows)
    vendor = CsvFolder(tmp_path / "csv", fake_time.settings())
    request = asked(tickers=("ACME",), vendors=("csv",), end=SESSIONS[3])
    pull(request, tmp_path / "out", [vendor], clock=fake_time.clock)
    bars = open_dataset(tmp_path / "out").bars
    assert bars.close[:, 0].tolist() == [1200.0, 1210.0, 122.0, 123.0]


def test_an_unfinished_folder_is_no_market_and_is_continued(tmp_path: Path, fake_time: FakeTime) -> None:
    out, shop = tmp_path / "out", Shop(fake_time, fails={("documents", "ACME"): VendorUnavailable("gone; wait")})
    with pytest.raises(IncompletePull, match=r"1 of 8 parts are missing: documents from shop for ACME \(.* gone\)"):
        pull(asked(), out, [shop], clock=fake_time.clock)
    with pytest.raises(DataError, match="no prices"):
        open_dataset(out)
    before = len(shop.asked)
    fake_time.sleep(86_400)
    steps: list[Progress] = []
    pull(asked(), out, [shop], clock=fake_time.clock, report=steps.append)
    assert shop.asked[before:] == [("documents", "ACME")]
    assert [step.state for step in steps].count("kept") == 7
    assert len(open_dataset(out).documents) == 2


def test_a_finished_folder_is_not_asked_for_again(tmp_path: Path, fake_time: FakeTime) -> None:
    out, shop = tmp_path / "out", Shop(fake_time)
    first = pull(asked(), out, [shop], clock=fake_time.clock)
    before = len(shop.asked)
    assert pull(asked(), out, [shop], clock=fake_time.clock) == first
    assert len(shop.asked) == before
    assert not (out / ".pull").exists()


def test_the_last_day_is_fixed_when_the_pull_begins(tmp_path: Path, fake_time: FakeTime) -> None:
    fake_time.now = datetime(2024, 6, 12, 20, 15, tzinfo=UTC)  # a quarter of an hour after the close
    out, shop = tmp_path / "out", Shop(fake_time, fails={("prices", "BOLT"): VendorUnavailable("gone; wait")})
    with pytest.raises(IncompletePull):
        pull(asked(end=None), out, [shop], clock=fake_time.clock)
    fake_time.now += timedelta(days=1)
    assert pull(asked(end=None), out, [shop], clock=fake_time.clock).end == date(2024, 6, 11)
    assert open_dataset(out).bars.sessions[-1] == date(2024, 6, 11)


def test_a_damaged_piece_is_asked_for_again(tmp_path: Path, fake_time: FakeTime) -> None:
    out, shop = tmp_path / "out", Shop(fake_time, fails={("companies", "BOLT"): VendorUnavailable("gone; wait")})
    with pytest.raises(IncompletePull):
        pull(asked(), out, [shop], clock=fake_time.clock)
    pieces = sorted((out / ".pull/pieces").glob("prices-*.json"))
    pieces[0].write_bytes(pieces[0].read_bytes()[:-100])
    pieces[1].write_bytes(pieces[1].read_bytes().replace(b'"volume":1000', b'"volume":9000', 1))
    before = len(shop.asked)
    manifest = pull(asked(), out, [shop], clock=fake_time.clock)
    assert {("prices", "ACME"), ("prices", "BOLT"), ("companies", "BOLT")} == set(shop.asked[before:])
    assert manifest.fingerprint == pull(asked(), tmp_path / "b", [Shop(fake_time)], clock=fake_time.clock).fingerprint


def test_all_that_failed_is_named_and_the_rest_is_kept(tmp_path: Path, fake_time: FakeTime) -> None:
    unknown = UnknownSymbol("shop has no such thing; check the name")
    fails: Fails = {("prices", "ACME"): unknown, ("prices", "NOPE"): unknown, ("companies", "BOLT"): unknown}
    shop = Shop(fake_time, fails=fails)
    with pytest.raises(IncompletePull) as caught:
        pull(asked(tickers=("ACME", "BOLT", "NOPE")), tmp_path / "out", [shop], clock=fake_time.clock)
    assert str(caught.value) == (
        "3 of 12 parts are missing: prices from shop for ACME NOPE, companies from shop for BOLT (the first because "
        "shop has no such thing); what is there is kept, correct the names, or give --skip-missing"
    )
    assert len(list((tmp_path / "out/.pull/pieces").iterdir())) == 9


def test_what_is_missing_can_be_left_out_and_is_said(tmp_path: Path, fake_time: FakeTime) -> None:
    unknown = UnknownSymbol("shop has no such thing; check the name")
    fails: Fails = {("prices", "NOPE"): unknown, ("fundamentals", "BOLT"): unknown}
    out, shop = tmp_path / "out", Shop(fake_time, fails=fails)
    request = asked(tickers=("ACME", "BOLT", "NOPE"), skip_missing=True)
    manifest = pull(request, out, [shop], clock=fake_time.clock)
    assert [(row.kind, row.symbol) for row in manifest.skipped] == [("prices", "NOPE"), ("fundamentals", "BOLT")]
    dataset = open_dataset(out)
    assert tuple(dataset.companies) == ("ACME", "BOLT")
    assert "left out: prices of NOPE, fundamentals of BOLT." in dataset.note
    assert ("documents", "NOPE") not in shop.asked


def test_the_benchmark_is_never_left_out(tmp_path: Path, fake_time: FakeTime) -> None:
    shop = Shop(fake_time, fails={("prices", "FUND"): UnknownSymbol("no; check")})
    with pytest.raises(IncompletePull, match="prices from shop for FUND"):
        pull(asked(benchmark="FUND", skip_missing=True), tmp_path / "out", [shop], clock=fake_time.clock)


def test_a_vendor_that_stays_silent_is_left_alone(tmp_path: Path, fake_time: FakeTime) -> None:
    tickers = tuple(f"T{number}" for number in range(20))
    fails: Fails = {("prices", name): VendorUnavailable("gone; wait") for name in tickers}
    shop = Shop(fake_time, fails=fails)
    with pytest.raises(IncompletePull, match="run the same command again later"):
        pull(asked(tickers=tickers), tmp_path / "out", [shop], clock=fake_time.clock)
    assert len(shop.asked) == 3


def test_a_refusal_ends_the_pull_at_once(tmp_path: Path, fake_time: FakeTime) -> None:
    shop = Shop(fake_time, fails={("companies", "ACME"): VendorRefused("no key; set SHOP_KEY")})
    with pytest.raises(VendorRefused, match="set SHOP_KEY"):
        pull(asked(), tmp_path / "out", [shop], clock=fake_time.clock)
    assert shop.asked[-1] == ("companies", "ACME")
    assert pull(asked(), tmp_path / "out", [shop], clock=fake_time.clock).pieces


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("prices", {"high": 1.0}, r"shop, prices of ACME, row 1, field high: 1 on 2024-06-05 is below the low"),
        ("prices", {"close": 0.0}, "field close: 0 on 2024-06-05 is not above zero"),
        ("prices", {"open": 500.0}, "field open: 500 on 2024-06-05 lies outside"),
        ("prices", {"close": None}, "field close: None is no number"),
        ("prices", {"volume": -1.0}, "field volume: -1.0 on 2024-06-05 is negative"),
        ("prices", {"date": "2024-06-08"}, "field date: 2024-06-08 is no session of XNYS"),
        ("prices", {"date": "2023-06-05"}, "field date: 2023-06-05 was not asked for"),
        ("prices", {"date": "2024-06-06"}, "row 2, field date: 2024-06-06 comes after 2024-06-06"),
        ("prices", {"ticker": "BOLT"}, "field ticker: 'BOLT' is not what was asked for"),
        ("fundamentals", {"value": "much"}, "field value: 'much' is no number"),
        ("fundamentals", {"filed": "May"}, "field filed: 'May' is no date"),
        (
            "fundamentals",
            {"accepted_at": "2024-05-02T16:05:00"},
            "accepted_at: '2024-05-02T16:05:00' has no zone",
        ),
        ("documents", {"published_at": None}, "field published_at: None is no time"),
        ("documents", {"headline": " "}, "field headline: ' ' is no text"),
        ("documents", {"body": "sold \ud83d"}, "field body: it holds half a character"),
    ],
)
def test_a_defective_piece_is_refused_by_its_field(
    tmp_path: Path, fake_time: FakeTime, kind: Kind, change: Row, message: str
) -> None:
    shop = Shop(fake_time, changes={(kind, "ACME"): change})
    with pytest.raises(IncompletePull, match=message):
        pull(asked(), tmp_path / "out", [shop], clock=fake_time.clock)
    good = pull(asked(skip_missing=True), tmp_path / "out", [shop], clock=fake_time.clock)
    assert [(row.kind, row.symbol) for row in good.skipped] == [(kind, "ACME")]


def test_what_only_the_whole_shows_is_not_published(tmp_path: Path, fake_time: FakeTime) -> None:
    out, shop = tmp_path / "out", Shop(fake_time, changes={("documents", "BOLT"): {"id": "ACME-1"}})
    with pytest.raises(DataError, match=r"break 1 rules of the format and were not published.*ACME-1 is used twice"):
        pull(asked(), out, [shop], clock=fake_time.clock)
    assert [path.name for path in out.iterdir()] == [".pull"]
    # another choice of tickers uses what is there
    before = len(shop.asked)
    pull(asked(tickers=("ACME",)), out, [shop], clock=fake_time.clock)
    assert len(shop.asked) == before
    assert tuple(open_dataset(out).companies) == ("ACME",)


def test_kinds_come_from_the_first_vendor_that_has_them_and_texts_from_all(tmp_path: Path, fake_time: FakeTime) -> None:
    one = Shop(fake_time, name="one", provides=frozenset({"prices", "documents"}))
    two = Shop(fake_time, name="two")
    pull(asked(tickers=("ACME",), vendors=("one", "two")), tmp_path / "out", [one, two], clock=fake_time.clock)
    assert one.asked == [("prices", "ACME"), ("documents", "ACME")]
    assert two.asked == [("companies", "ACME"), ("fundamentals", "ACME"), ("documents", "ACME")]
    assert [row.id for row in open_dataset(tmp_path / "out").documents] == ["one-ACME-1", "two-ACME-1"]


@pytest.mark.parametrize(
    ("fields", "provides", "message"),
    [
        ({}, {"documents"}, "no prices come from shop; add a vendor such as yahoo"),
        ({"series": ("DGS10",)}, {"prices"}, "no series come from shop; add a vendor such as fred"),
        ({"start": date(2024, 6, 20), "end": None}, {"prices"}, "no session from 2024-06-20 on has closed yet"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_written(
    tmp_path: Path, fake_time: FakeTime, fields: dict[str, Any], provides: set[Kind], message: str
) -> None:
    shop = Shop(fake_time, provides=frozenset(provides))
    with pytest.raises(InputError, match=message):
        pull(asked(**fields), tmp_path / "out", [shop], clock=fake_time.clock)
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tickers": ()}, "name at least one"),
        ({"tickers": ("A", "A")}, "given twice"),
        ({"tickers": ("A ",)}, "blanks around it"),
        ({"benchmark": "ACME"}, "cannot be a company and the benchmark"),
        ({"start": END, "end": START}, "is before the start"),
    ],
)
def test_a_request_that_makes_no_sense_is_none(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        asked(**fields)


def test_a_folder_belongs_to_one_pull(tmp_path: Path, fake_time: FakeTime) -> None:
    out = tmp_path / "out"

    def run(request: PullRequest) -> Manifest:
        return pull(request, out, [Shop(fake_time)], clock=fake_time.clock)

    run(asked())
    with pytest.raises(PullRefused, match=r"holds the finished pull of something else \(ACME, BOLT from 2024-06-05"):
        run(asked(tickers=("ACME",)))
    (out / "prices.parquet").write_bytes(b"other")
    with pytest.raises(PullRefused, match=r"prices.parquet in .* was changed since it was pulled"):
        run(asked())
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("x")
    with pytest.raises(PullRefused, match=r"holds thesis.txt, which no pull has made"):
        pull(asked(), other, [Shop(fake_time)], clock=fake_time.clock)
    assert [path.name for path in other.iterdir()] == ["thesis.txt"]


def test_an_unfinished_pull_keeps_its_dates(tmp_path: Path, fake_time: FakeTime) -> None:
    shop = Shop(fake_time, fails={("prices", "BOLT"): VendorUnavailable("gone; wait")})
    with pytest.raises(IncompletePull):
        pull(asked(), tmp_path / "out", [shop], clock=fake_time.clock)
    with pytest.raises(PullRefused, match=r"unfinished pull with other choices \(start was 2024-06-05"):
        pull(asked(start=SESSIONS[1]), tmp_path / "out", [shop], clock=fake_time.clock)


def test_two_pulls_do_not_write_to_one_folder(tmp_path: Path, fake_time: FakeTime) -> None:
    with PullFolder(tmp_path / "out"), pytest.raises(PullRefused, match="another pull is writing"):
        pull(asked(), tmp_path / "out", [Shop(fake_time)], clock=fake_time.clock)
    assert pull(asked(), tmp_path / "out", [Shop(fake_time)], clock=fake_time.clock).pieces


@pytest.mark.slow
def test_a_pull_that_is_killed_at_any_write_is_continued(tmp_path: Path, fake_time: FakeTime) -> None:
    program = Path(__file__).with_name("killed.py")
    done = subprocess.run([sys.executable, program, tmp_path], check=True, capture_output=True, text=True)
    killed = int(done.stdout)
    assert killed > 40, done.stderr
    whole = open_dataset(tmp_path / str(killed)).fingerprint
    opened = 0
    for write in range(killed):
        out = tmp_path / str(write)
        kept = len(list((out / ".pull/pieces").glob("*.json")))
        if (out / "prices.parquet").is_file():
            opened += 1
            kept = 8
            assert open_dataset(out).fingerprint == whole
        else:
            with pytest.raises(DataError, match="holds no prices"):
                open_dataset(out)
        if write % 3:
            continue  # a third of the continuations says as much in a third of the time
        shop = Shop(fake_time)
        assert pull(asked(name="whole"), out, [shop], clock=fake_time.clock).fingerprint == whole
        assert len(shop.asked) == 8 - kept
        assert not (out / ".pull").exists()
    assert 0 < opened < killed / 2


@pytest.mark.parametrize("full_at", [0, 3, 8, 20])
def test_a_full_disk_is_said_and_the_pull_goes_on_from_there(
    tmp_path: Path, fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch, full_at: int
) -> None:
    written = 0
    flushed = os.fsync

    def full(handle: int) -> None:
        nonlocal written
        written += 1
        if written > full_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        flushed(handle)

    shop = Shop(fake_time)
    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        with pytest.raises(PullRefused, match=r"cannot be written \(No space left on device\); make room"):
            pull(asked(), tmp_path / "out", [shop], clock=fake_time.clock)
    assert not any((tmp_path / "out").glob("prices.*"))
    pull(asked(), tmp_path / "out", [shop], clock=fake_time.clock)
    assert open_dataset(tmp_path / "out").bars.tickers == ("ACME", "BOLT")
    # Only the answer that could not be kept is asked for twice.
    assert len(shop.asked) - len(set(shop.asked)) <= 1


def test_an_interrupted_pull_gives_its_lock_back(tmp_path: Path, fake_time: FakeTime) -> None:
    def stop(progress: Progress) -> None:
        if progress.state == "fetched" and progress.done == 3:
            raise KeyboardInterrupt

    shop = Shop(fake_time)
    with pytest.raises(KeyboardInterrupt):
        pull(asked(), tmp_path / "out", [shop], clock=fake_time.clock, report=stop)
    pull(asked(), tmp_path / "out", [shop], clock=fake_time.clock)
    assert len(shop.asked) == 8


def test_a_secret_of_the_environment_reaches_no_file(
    tmp_path: Path, fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_KEY", "hush-hush")
    shop = Shop(fake_time, fails={("documents", "BOLT"): VendorUnavailable("gone; wait")})
    with pytest.raises(IncompletePull):
        pull(asked(), tmp_path / "out", [shop], clock=fake_time.clock)
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(files) == 9
    assert not [path for path in files if b"hush" in path.read_bytes()]
