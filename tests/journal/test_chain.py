"""Whatever happens to a journal's files, `verify` sees it."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.memory.journal import GENESIS, Journal, verify
from paperdesk.memory.journal.chain import chain_hash, first_difference
from paperdesk.memory.journal.events import Event

Tell = Callable[..., list[Event]]


def alter(folder: Path, *statements: str) -> None:
    with closing(sqlite3.connect(folder / "journal.db")) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


def test_an_untouched_session_is_fine(told: Path, events: list[Event]) -> None:
    found = verify(told)
    assert found.ok
    assert (found.status, found.count, found.problem, found.seq) == ("finished", len(events), None, None)


def test_a_changed_figure_is_found_at_its_event(told: Path) -> None:
    alter(told, "UPDATE events SET body = replace(body, '99998.0', '99999.0') WHERE seq = 26")
    found = verify(told)
    assert not found.ok
    assert found.seq == 26
    assert found.problem == "Event 26 (decision_opened) or its hash was changed after it was written."
    assert found.count == 25


def test_a_changed_hash_is_found(told: Path) -> None:
    alter(told, f"UPDATE events SET hash = '{'0' * 64}' WHERE seq = 3")
    assert verify(told).seq == 3


def test_a_body_that_is_no_json_any_more_is_named_so(told: Path) -> None:
    # the index over the generated columns would refuse such a row, so it is written past SQLite, as a bad disk would
    path = told / "journal.db"
    content = path.read_bytes()
    assert content.count(b'"kind":"bar_closed"') == 3
    path.write_bytes(content.replace(b'"kind":"bar_closed"', b'"kind";"bar_closed"'))
    found = verify(told)
    assert found.seq == 12
    assert found.problem == "Event 12 was changed after it was written: it is not valid JSON any more."


def test_a_missing_row_is_found(told: Path) -> None:
    alter(told, "DELETE FROM events WHERE seq = 9")
    found = verify(told)
    assert (found.seq, found.problem) == (9, "Event 9 is missing: event 10 follows event 8.")


def test_a_missing_row_is_found_when_the_rest_is_numbered_anew(told: Path, events: list[Event]) -> None:
    moves = [f"UPDATE events SET seq = {seq - 1} WHERE seq = {seq}" for seq in range(10, len(events) + 1)]
    alter(told, "DELETE FROM events WHERE seq = 9", *moves)
    assert verify(told).seq == 9


def test_reordered_rows_are_found(told: Path) -> None:
    alter(
        told,
        "UPDATE events SET seq = 1000 WHERE seq = 5",
        "UPDATE events SET seq = 5 WHERE seq = 8",
        "UPDATE events SET seq = 8 WHERE seq = 1000",
    )
    found = verify(told)
    assert found.seq == 5
    assert found.problem == "Events were reordered: what was written as event 5 now stands as event 8."


@pytest.mark.parametrize("cut", [1, 2, 10, 35])
def test_a_cut_tail_is_found(told: Path, events: list[Event], cut: int) -> None:
    alter(told, f"DELETE FROM events WHERE seq > {len(events) - cut}")
    found = verify(told)
    assert not found.ok
    assert found.problem is not None
    assert "missing at the end" in found.problem
    assert found.count == len(events) - cut


def test_a_cut_tail_is_found_in_a_stopped_session_up_to_its_manifest(stopped: Path) -> None:
    alter(stopped, "DELETE FROM events WHERE seq > 13")
    found = verify(stopped)
    assert found.problem == "Events 14 to 15 are missing at the end: the manifest counts 15, the database holds 13."


def test_an_added_event_is_found(told: Path, events: list[Event]) -> None:
    found = verify(told)
    body = '{"kind":"session_ended"}'
    alter(
        told,
        "INSERT INTO events (seq, body, hash, written_at) VALUES "
        f"({found.count + 1}, '{body}', '{chain_hash(found.head, body)}', '2031-01-01T00:00:00+00:00')",
    )
    found = verify(told)
    assert found.problem is not None
    assert "added after the session had finished" in found.problem


def test_a_consistently_rewritten_chain_is_found(told: Path, tmp_path: Path, tell: Tell) -> None:
    with Journal.create(tmp_path / "forged") as journal:
        for event in tell(seed=8):
            journal.append(event)
        journal.finish()
    shutil.copy(tmp_path / "forged" / "journal.db", told / "journal.db")
    found = verify(told)
    assert found.problem is not None
    assert "rewritten" in found.problem


def test_a_changed_wall_clock_time_is_found_in_a_finished_session(told: Path) -> None:
    alter(told, "UPDATE events SET written_at = '1999-01-01T00:00:00+00:00' WHERE seq = 2")
    found = verify(told)
    assert found.problem == "Every event is intact but the database file was changed after the session had finished."


@pytest.mark.parametrize("field", ["count", "head", "status", "config", "finished_at", "code"])
def test_a_changed_manifest_is_found(told: Path, field: str) -> None:
    path = told / "manifest.json"
    fields = json.loads(path.read_text())
    replacements = {
        "count": 3,
        "head": GENESIS,
        "status": "running",
        "config": {"x": 1},
        "finished_at": None,
        "code": "",
    }
    path.write_text(json.dumps(fields | {field: replacements[field]}))
    found = verify(told)
    assert not found.ok
    assert found.problem is not None
    assert "manifest.json was changed" in found.problem


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}", "null", '{"seal": 3}', "\x00\xff"])
def test_an_unreadable_manifest_is_found(told: Path, content: str | None) -> None:
    path = told / "manifest.json"
    path.unlink() if content is None else path.write_text(content)
    found = verify(told)
    assert not found.ok
    assert found.status == "unknown"


@pytest.mark.slow
def test_no_flipped_byte_goes_unseen(told: Path) -> None:
    path = told / "journal.db"
    good = path.read_bytes()
    rng = np.random.default_rng(20310401)
    positions = {*range(0, 100, 3), *rng.choice(len(good), size=400, replace=False).tolist()}
    for position in sorted(positions):
        bad = bytearray(good)
        bad[position] ^= int(rng.integers(1, 256))
        path.write_bytes(bad)
        found = verify(told)
        assert not found.ok, f"byte {position}"
        assert found.problem
    path.write_bytes(good)
    assert verify(told).ok
    assert sorted(file.name for file in told.iterdir()) == ["journal.db", "journal.lock", "manifest.json"]


@pytest.mark.slow
def test_no_byte_of_a_chained_event_can_be_flipped_unseen_in_a_stopped_session(stopped: Path) -> None:
    path = stopped / "journal.db"
    good = path.read_bytes()
    with closing(sqlite3.connect(path)) as database:
        bodies = [row[0].encode() for row in database.execute("SELECT body FROM events ORDER BY seq")]
    rng = np.random.default_rng(20310402)
    for seq, body in enumerate(bodies, start=1):
        start = good.find(body)
        if start < 0:
            continue  # this body is spread over overflow pages
        for offset in rng.choice(len(body), size=12).tolist():
            bad = bytearray(good)
            bad[start + offset] ^= 1 << int(rng.integers(0, 8))
            path.write_bytes(bad)
            found = verify(stopped)
            assert not found.ok
            assert found.seq == seq


@pytest.mark.parametrize("keep", [0, 1, 99, 100, 4096, 20_000, -1, -4096])
def test_a_truncated_file_is_found(told: Path, keep: int) -> None:
    path = told / "journal.db"
    path.write_bytes(path.read_bytes()[:keep])
    found = verify(told)
    assert not found.ok
    assert found.problem


def test_a_manifest_may_lag_behind_a_running_session(tmp_path: Path, events: list[Event]) -> None:
    with Journal.create(tmp_path / "s") as journal:
        for event in events[:4]:
            journal.append(event)
        journal.mark()
        for event in events[4:9]:
            journal.append(event)
        found = verify(tmp_path / "s")
        assert found.ok
        assert (found.status, found.count) == ("running", 9)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(values, values)
def test_a_difference_is_found_exactly_where_the_json_differs(before: object, after: object) -> None:
    same = json.dumps(before, sort_keys=True) == json.dumps(after, sort_keys=True)
    if same:
        assert first_difference(before, after) is None
    elif before != after:
        assert first_difference(before, after) is not None
