"""A pulled market is brought up to date: whole or not at all, and the old one stays until then."""

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from paperdesk.tools.errors import DataError
from paperdesk.tools.market.dataset import open_dataset
from paperdesk.tools.market.vendors.errors import IncompletePull, PullRefused, UnknownSymbol, VendorUnavailable
from paperdesk.tools.market.vendors.manifest import Manifest, PullRequest
from paperdesk.tools.market.vendors.protocol import Piece, Request
from paperdesk.tools.market.vendors.pull import pull, pulled, update

from .loopback import FakeTime
from .shop import SESSIONS, Shop

EVENING = {day: datetime(2024, 6, day, 21, 0, tzinfo=UTC) for day in range(5, 15)}
"""An hour after each close."""


def asked(**fields: Any) -> PullRequest:
    base: dict[str, Any] = {"tickers": ("ACME", "BOLT"), "start": SESSIONS[0], "vendors": ("shop",)}
    return PullRequest.model_validate(base | fields)


def last_session(out: Path) -> date:
    return open_dataset(out).bars.sessions[-1]


def brought(out: Path, vendor: Shop, time: FakeTime) -> tuple[Manifest, bool]:
    return update(out, pulled(out), [vendor], clock=time.clock)


@pytest.fixture
def tuesday(tmp_path: Path, fake_time: FakeTime) -> Path:
    """A market that was pulled on the evening of the 11th of June."""
    fake_time.now = EVENING[11]
    pull(asked(form="csv"), tmp_path / "tech", [Shop(fake_time)], clock=fake_time.clock)
    assert last_session(tmp_path / "tech") == date(2024, 6, 11)
    return tmp_path / "tech"


def test_it_reaches_the_last_session_that_has_closed(tuesday: Path, fake_time: FakeTime) -> None:
    before, shop = {path.name for path in tuesday.iterdir()}, Shop(fake_time)
    fake_time.now = datetime(2024, 6, 13, 14, 0, tzinfo=UTC)  # within the session of the 13th
    manifest, new = brought(tuesday, shop, fake_time)
    assert new
    assert manifest.end == last_session(tuesday) == date(2024, 6, 12)
    assert manifest.fingerprint == open_dataset(tuesday).fingerprint
    assert manifest.started_at >= datetime(2024, 6, 13, 14, 0, tzinfo=UTC)
    assert {path.name for path in tuesday.iterdir()} == before
    assert len(shop.asked) == 8
    again, new = brought(tuesday, shop, fake_time)
    assert (again, new, len(shop.asked)) == (manifest, False, 8)


def test_it_is_what_a_pull_into_a_new_folder_would_be(tuesday: Path, fake_time: FakeTime) -> None:
    fake_time.now = EVENING[13]
    fresh = pull(asked(name="tech"), tuesday.parent / "fresh", [Shop(fake_time)], clock=fake_time.clock)
    manifest, _ = brought(tuesday, Shop(fake_time), fake_time)
    assert manifest.fingerprint == fresh.fingerprint


def test_what_was_corrected_since_is_corrected(tuesday: Path, fake_time: FakeTime) -> None:
    fake_time.now = EVENING[12]
    update(
        tuesday,
        pulled(tuesday),
        [Shop(fake_time, changes={("prices", "ACME"): {"volume": 7.0}})],
        clock=fake_time.clock,
    )
    assert open_dataset(tuesday).bars.volume[0].tolist() == [7.0, 1000.0]


def test_a_file_that_is_not_needed_any_more_goes(tuesday: Path, fake_time: FakeTime) -> None:
    class Wordless(Shop):
        def fetch(self, request: Request) -> Piece:
            piece = super().fetch(request)
            return piece.model_copy(update={"rows": ()}) if request.kind == "documents" else piece

    assert (tuesday / "documents.jsonl.gz").is_file()
    fake_time.now = EVENING[12]
    brought(tuesday, Wordless(fake_time), fake_time)
    assert not open_dataset(tuesday).documents
    assert not list(tuesday.glob("documents.*"))


def test_until_the_new_one_is_whole_the_old_one_stays(tuesday: Path, fake_time: FakeTime) -> None:
    old = open_dataset(tuesday).fingerprint
    fake_time.now = EVENING[12]
    shop = Shop(fake_time, fails={("documents", "BOLT"): VendorUnavailable("gone; wait")})
    with pytest.raises(IncompletePull, match="1 of 8 parts are missing"):
        brought(tuesday, shop, fake_time)
    assert open_dataset(tuesday).fingerprint == old
    before = len(shop.asked)
    brought(tuesday, shop, fake_time)
    assert shop.asked[before:] == [("documents", "BOLT")]
    assert last_session(tuesday) == date(2024, 6, 12)
    assert not (tuesday / ".pull").exists()


def test_what_was_begun_the_day_before_is_ended_and_then_followed(tuesday: Path, fake_time: FakeTime) -> None:
    fake_time.now = EVENING[12]
    shop = Shop(fake_time, fails={("documents", "BOLT"): VendorUnavailable("gone; wait")})
    with pytest.raises(IncompletePull):
        brought(tuesday, shop, fake_time)
    fake_time.now = EVENING[13]
    manifest, _ = brought(tuesday, shop, fake_time)
    assert manifest.end == last_session(tuesday) == date(2024, 6, 13)


def test_a_bar_that_comes_late_is_asked_for_again(tuesday: Path, fake_time: FakeTime) -> None:
    class Late(Shop):
        late = True

        def fetch(self, request: Request) -> Piece:
            piece = super().fetch(request)
            if request.kind == "prices" and request.symbol == "BOLT" and self.late:
                return piece.model_copy(update={"rows": piece.rows[:-1]})
            return piece

    fake_time.now, shop = EVENING[12], Late(fake_time)
    assert brought(tuesday, shop, fake_time)[1]
    assert open_dataset(tuesday).bars.close[-1].tolist()[0] == 105.0
    assert brought(tuesday, shop, fake_time)[1]
    shop.late = False
    assert brought(tuesday, shop, fake_time)[1]
    assert open_dataset(tuesday).bars.close[-1].tolist() == [105.0, 105.0]
    assert not brought(tuesday, shop, fake_time)[1]


def test_who_trades_no_more_is_not_waited_for(tuesday: Path, fake_time: FakeTime) -> None:
    class Delisted(Shop):
        def fetch(self, request: Request) -> Piece:
            piece = super().fetch(request)
            if request.kind == "prices" and request.symbol == "BOLT":
                return piece.model_copy(update={"rows": piece.rows[:3]})
            return piece

    fake_time.now, shop = EVENING[12], Delisted(fake_time)
    assert brought(tuesday, shop, fake_time)[1]
    assert not brought(tuesday, shop, fake_time)[1]


def test_what_cannot_be_brought_up_to_date_is_refused(tmp_path: Path, fake_time: FakeTime) -> None:
    shop = Shop(fake_time)
    with pytest.raises(PullRefused, match="holds no market that was pulled to its end"):
        brought(tmp_path / "nowhere", shop, fake_time)
    assert not (tmp_path / "nowhere").exists()
    pull(asked(end=SESSIONS[2]), tmp_path / "fixed", [shop], clock=fake_time.clock)
    with pytest.raises(PullRefused, match="was pulled to 2024-06-07; pull without --to"):
        brought(tmp_path / "fixed", shop, fake_time)
    unfinished = Shop(fake_time, fails={("prices", "BOLT"): UnknownSymbol("none; check")})
    with pytest.raises(IncompletePull):
        pull(asked(), tmp_path / "begun", [unfinished], clock=fake_time.clock)
    with pytest.raises(PullRefused, match="holds no market that was pulled to its end"):
        brought(tmp_path / "begun", shop, fake_time)
    assert list((tmp_path / "begun/.pull/pieces").iterdir())


def test_a_folder_that_was_changed_since_is_left_alone(tuesday: Path, fake_time: FakeTime) -> None:
    with (tuesday / "prices.csv.gz").open("ab") as file:
        file.write(b"\n")
    fake_time.now = EVENING[12]
    with pytest.raises(PullRefused, match=r"prices\.csv\.gz in .* was changed since it was pulled"):
        brought(tuesday, Shop(fake_time), fake_time)


@pytest.mark.slow
def test_killed_at_any_write_it_is_the_old_market_or_the_new_one_or_none_and_goes_on(
    tmp_path: Path, fake_time: FakeTime
) -> None:
    program = Path(__file__).with_name("killed.py")
    done = subprocess.run([sys.executable, program, tmp_path, "update"], check=True, capture_output=True, text=True)
    killed = int(done.stdout)
    assert killed > 40, done.stderr
    old, new = (open_dataset(tmp_path / name).fingerprint for name in ("old", str(killed)))
    assert old != new
    found: dict[str | None, int] = {old: 0, new: 0, None: 0}
    for write in range(killed):
        out = tmp_path / str(write)
        state = open_dataset(out).fingerprint if list(out.glob("prices.*")) else None
        if state is None:
            with pytest.raises(DataError, match="holds no prices"):
                open_dataset(out)
        found[state] += 1
        if write % 3 and state is not None:
            continue  # a third of the continuations says as much in a third of the time
        fake_time.now = EVENING[14]
        manifest, _ = brought(out, Shop(fake_time), fake_time)
        assert manifest.fingerprint == open_dataset(out).fingerprint == new
        assert not (out / ".pull").exists()
    assert found[old] > found[new] > 0
    assert 0 < found[None] < 15
