"""Writing and reading a journal."""

import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from paperdesk.memory.journal import (
    GENESIS,
    Journal,
    JournalError,
    JournalRefused,
    Manifest,
    code_hash,
    verify,
)
from paperdesk.memory.journal.events import Event, SessionStarted, SignalIssued
from paperdesk.tools.errors import InputError
from paperdesk.tools.frozen import canonical_json

Tell = Callable[..., list[Event]]


def test_events_come_back_equal_and_in_order(told: Path, events: list[Event]) -> None:
    journal = Journal.open_readonly(told)
    records = list(journal.events())
    assert [record.event for record in records] == events
    assert [record.seq for record in records] == list(range(1, len(events) + 1))
    assert records[-1].hash == journal.head
    assert journal.count == len(events)
    journal.close()


def test_filters_narrow_together(told: Path) -> None:
    journal = Journal.open_readonly(told)
    found = [record.event for record in journal.events("signal_issued", decision=1, ticker="BLTN", agent="technical")]
    assert len(found) == 1
    assert isinstance(found[0], SignalIssued)
    assert (found[0].decision, found[0].ticker) == (1, "BLTN")
    assert list(journal.events("signal_issued", agent="nobody")) == []
    journal.close()


def test_more_events_than_one_page_are_all_read(events: list[Event]) -> None:
    journal = Journal.in_memory()
    for _ in range(1201):
        journal.append(events[0])
    assert sum(1 for _ in journal.events()) == 1201
    assert [record.seq for record in journal.events(after=1199)] == [1200, 1201]
    journal.close()


def test_equal_sessions_have_equal_heads_whatever_the_clock_says(told: Path, events: list[Event]) -> None:
    journal = Journal.in_memory()
    for event in events:
        journal.append(event)
    recorded = Journal.open_readonly(told)
    assert journal.head == recorded.head != GENESIS
    recorded.close()
    journal.close()


def test_a_finished_session_is_one_database_file_and_a_manifest(told: Path) -> None:
    assert sorted(path.name for path in told.iterdir()) == ["journal.db", "journal.lock", "manifest.json"]
    manifest = json.loads((told / "manifest.json").read_text())
    assert manifest["status"] == "finished"
    assert manifest["versions"]["python"]
    assert verify(told).ok


def test_a_finished_session_can_be_read_from_a_folder_that_cannot_be_written(told: Path) -> None:
    told.chmod(0o555)
    try:
        assert verify(told).ok
        journal = Journal.open_readonly(told)
        assert sum(1 for _ in journal.events()) == journal.count
        journal.close()
    finally:
        told.chmod(0o755)


def test_a_folder_with_a_session_is_refused_and_left_alone(told: Path) -> None:
    before = {path.name: path.read_bytes() for path in told.iterdir()}
    with pytest.raises(JournalRefused, match="already holds a session") as refusal:
        Journal.create(told)
    assert isinstance(refusal.value, InputError)
    assert refusal.value.exit_code == 2
    assert {path.name: path.read_bytes() for path in told.iterdir()} == before


def test_a_failed_create_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(folder: Path, past: object) -> None:
        (folder / "journal.db.new").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("paperdesk.memory.journal.database.create", full)
    with pytest.raises(JournalRefused, match="No space left"):
        Journal.create(tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_file_where_the_folder_should_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(JournalRefused):
        Journal.create(tmp_path / "file")
    with pytest.raises(JournalRefused):
        Journal.create(tmp_path / "file" / "below")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("opener", [Journal.open_readonly, Journal.open_for_resume, verify])
def test_a_folder_without_a_session_is_refused(tmp_path: Path, opener: Callable[[Path], object]) -> None:
    with pytest.raises(JournalRefused, match="holds no session"):
        opener(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_second_writer_is_refused_while_readers_are_not(tmp_path: Path, events: list[Event]) -> None:
    with Journal.create(tmp_path / "s") as journal:
        journal.append(events[0])
        with pytest.raises(JournalRefused, match="Another process is writing"):
            Journal.open_for_resume(tmp_path / "s")
        reader = Journal.open_readonly(tmp_path / "s")
        assert reader.count == 1
        reader.close()
        assert verify(tmp_path / "s").ok
        code = (
            "import sys; from pathlib import Path; from paperdesk.memory.journal import Journal, JournalRefused\n"
            "try: Journal.open_for_resume(Path(sys.argv[1]))\n"
            "except JournalRefused as refusal: sys.exit(refusal.exit_code)"
        )
        other = subprocess.run([sys.executable, "-c", code, str(tmp_path / "s")], check=False)
        assert other.returncode == 2
    Journal.open_for_resume(tmp_path / "s").close()


def test_appends_from_many_threads_form_one_chain(tmp_path: Path, events: list[Event]) -> None:
    with Journal.create(tmp_path / "s") as journal:
        threads = [threading.Thread(target=lambda: [journal.append(event) for event in events]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert journal.count == 4 * len(events)
    assert verify(tmp_path / "s").ok


def append_and_break(journal: Journal, event: Event) -> None:
    with journal.together():
        journal.append(event)
        raise RuntimeError("the node broke")


def test_events_written_together_are_seen_by_others_when_the_block_ends(tmp_path: Path, events: list[Event]) -> None:
    def seen() -> int:
        with Journal.open_readonly(tmp_path / "s") as reader:
            return reader.count

    with Journal.create(tmp_path / "s") as journal:
        journal.append(events[0])
        with journal.together():
            journal.append(events[1])
            with journal.together():
                journal.append(events[2])
            assert [record.event for record in journal.events()] == events[:3]
            assert (journal.count, seen()) == (3, 1)
            journal.mark()  # what the manifest counts is there
            assert seen() == 3
            journal.append(events[3])
            assert seen() == 3
        assert seen() == 4
        with pytest.raises(RuntimeError, match="the node broke"):
            append_and_break(journal, events[4])
        assert seen() == 5
        for event in events[5:]:
            journal.append(event)
    straight = Journal.in_memory()
    for event in events:
        straight.append(event)
    assert verify(tmp_path / "s").head == straight.head


def test_a_block_that_cannot_be_committed_stops_the_session(
    tmp_path: Path, events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal.create(tmp_path / "s")
    journal.append(events[0])
    real = journal._connection

    class Full:
        in_transaction = True

        def execute(self, query: str, values: tuple[str | int, ...] = ()) -> object:
            if query == "COMMIT":
                raise sqlite3.OperationalError("database or disk is full")
            return real.execute(query, values)

    monkeypatch.setattr(journal, "_connection", Full())
    with pytest.raises(JournalError, match=r"could not write the events up to 2.*full"), journal.together():
        journal.append(events[1])
    monkeypatch.setattr(journal, "_connection", real)
    with pytest.raises(JournalError, match="nothing more"):
        journal.append(events[2])
    journal.close()
    assert verify(tmp_path / "s").count == 1


def test_every_event_is_written_as_what_it_dumps(events: list[Event]) -> None:
    for event in events:
        assert event.canonical() == canonical_json(event.model_dump(mode="json"))


def test_a_read_only_journal_refuses_to_append(told: Path, events: list[Event]) -> None:
    journal = Journal.open_readonly(told)
    with pytest.raises(JournalError, match="reading only"):
        journal.append(events[0])
    journal.close()


def test_after_a_failed_write_nothing_more_is_accepted(
    tmp_path: Path, events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal.create(tmp_path / "s")
    journal.append(events[0])

    class Full:
        def execute(self, *_: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

    real = journal._connection
    monkeypatch.setattr(journal, "_connection", Full())
    with pytest.raises(JournalError, match=r"could not write event 2 .*full"):
        journal.append(events[1])
    monkeypatch.setattr(journal, "_connection", real)
    with pytest.raises(JournalError, match="nothing more"):
        journal.append(events[1])
    with pytest.raises(JournalError, match="nothing more"):
        journal.mark()
    journal.close()
    assert verify(tmp_path / "s").count == 1


def test_an_event_that_json_cannot_say_is_refused(tmp_path: Path, events: list[Event]) -> None:
    journal = Journal.in_memory()
    first = events[0]
    assert isinstance(first, SessionStarted)
    with pytest.raises(JournalError, match="could not write event 1"):
        journal.append(first.model_copy(update={"config": {"seed": float("nan")}}))
    journal.close()


def test_the_manifest_says_what_ran(tmp_path: Path) -> None:
    with Journal.create(tmp_path / "s", config={"seed": 7}) as journal:
        manifest = journal.manifest
    assert manifest is not None
    assert manifest == Manifest.read(tmp_path / "s")
    assert manifest.config == {"seed": 7}
    assert manifest.code == code_hash()
    assert {"python", "numpy", "cvxpy"} <= set(manifest.versions)


def test_the_code_hash_depends_on_every_module_and_prompt(tmp_path: Path) -> None:
    (tmp_path / "agents" / "prompts").mkdir(parents=True)
    prompt = tmp_path / "agents" / "prompts" / "a.md"
    prompt.write_text("one")
    (tmp_path / "cli.py").write_text("1")
    first = code_hash(tmp_path)
    (tmp_path / "notes.txt").write_text("not code")
    assert code_hash(tmp_path) == first
    prompt.write_text("two")
    second = code_hash(tmp_path)
    (tmp_path / "cli.py").write_text("2")
    assert len({first, second, code_hash(tmp_path)}) == 3


def test_the_events_reach_the_disk_before_the_manifest_counts_them(
    tmp_path: Path, events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr("paperdesk.memory.journal.database.sync", lambda folder: done.append("events"))
    write = Manifest.write

    def told(manifest: Manifest, folder: Path) -> None:
        done.append("manifest")
        write(manifest, folder)

    monkeypatch.setattr(Manifest, "write", told)
    with Journal.create(tmp_path / "session") as journal:
        journal.append(events[0])
        done.clear()
        journal.mark()
        assert done == ["events", "manifest"]


def test_a_disk_that_refuses_stops_the_session(
    tmp_path: Path, events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> None:
        raise OSError(5, "Input/output error")

    with Journal.create(tmp_path / "session") as journal:
        journal.append(events[0])
        monkeypatch.setattr("paperdesk.memory.journal.database.sync", refuse)
        with pytest.raises(JournalError, match="could not be brought to the disk"):
            journal.mark()
        with pytest.raises(JournalError, match="accepts nothing more"):
            journal.append(events[0])
