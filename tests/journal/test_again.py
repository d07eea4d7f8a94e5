"""A session that is executed again, to be resumed or replayed, must come to what is on record."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from paperdesk.memory.journal import (
    GENESIS,
    Journal,
    JournalDamaged,
    JournalDivergence,
    JournalError,
    JournalRefused,
    Manifest,
    Record,
    verify,
)
from paperdesk.memory.journal.events import Event, ModelCalled, SignalIssued

Tell = Callable[..., list[Event]]


# -- resume ------------------------------------------------------------------------------------------------------------


def test_a_resumed_session_ends_like_an_uninterrupted_one(told: Path, stopped: Path, events: list[Event]) -> None:
    fresh: list[bool] = []
    with Journal.open_for_resume(stopped) as journal:
        journal.subscribe(lambda record, new: fresh.append(new))
        assert journal.recorded == 15
        for event in events:
            journal.append(event)
        journal.finish()
    assert fresh == [False] * 15 + [True] * (len(events) - 15)
    assert verify(stopped).head == verify(told).head


def test_the_past_is_invisible_until_it_is_derived_again(stopped: Path, events: list[Event]) -> None:
    with Journal.open_for_resume(stopped) as journal:
        assert journal.count == 0
        assert journal.head == GENESIS
        assert list(journal.events()) == []
        journal.append(events[0])
        journal.append(events[1])
        assert [record.event for record in journal.events()] == events[:2]


def test_model_answers_are_read_back_before_they_are_derived_again(stopped: Path, events: list[Event]) -> None:
    asked = [event for event in events[:15] if isinstance(event, ModelCalled)]
    assert asked
    with Journal.open_for_resume(stopped) as journal:
        for event in asked:
            assert journal.reply_for(event.request_key) == event.reply
        assert journal.reply_for("never asked") is None


def test_a_divergence_names_the_event_and_the_first_differing_field(stopped: Path, events: list[Event]) -> None:
    signal = events[4]
    assert isinstance(signal, SignalIssued)
    changed = signal.model_copy(update={"signal": {"stance": "hold", "probabilities": {"buy": 0.31}}})
    with Journal.open_for_resume(stopped) as journal:
        for event in events[:4]:
            journal.append(event)
        with pytest.raises(JournalDivergence) as found:
            journal.append(changed)
        message = str(found.value)
        assert "Event 5 (signal_issued)" in message
        assert "signal.probabilities.buy was 0.30000000000000004 and is 0.31 now" in message
        assert found.value.exit_code == 3
        with pytest.raises(JournalError, match="nothing more"):
            journal.append(signal)
    assert verify(stopped).count == 15


def test_another_kind_of_event_is_a_divergence(stopped: Path, events: list[Event]) -> None:
    with (
        Journal.open_for_resume(stopped) as journal,
        pytest.raises(JournalDivergence, match="was session_started when recorded and is decision_opened now"),
    ):
        journal.append(events[1])


def test_ending_before_the_recorded_past_is_exhausted_is_a_divergence(stopped: Path, events: list[Event]) -> None:
    with Journal.open_for_resume(stopped) as journal:
        journal.append(events[0])
        with pytest.raises(JournalDivergence, match="ended after event 1 although 15 are on record"):
            journal.finish()


def test_a_resumed_session_never_moves_the_manifest_back(stopped: Path, events: list[Event]) -> None:
    before = (stopped / "manifest.json").read_bytes()
    with Journal.open_for_resume(stopped) as journal:
        journal.append(events[0])
        journal.mark()
        assert (stopped / "manifest.json").read_bytes() == before
    assert (stopped / "manifest.json").read_bytes() == before


def test_a_finished_session_is_not_resumed(told: Path) -> None:
    with pytest.raises(JournalRefused, match="is finished"):
        Journal.open_for_resume(told)
    assert verify(told).ok


def test_a_damaged_session_is_not_resumed(stopped: Path) -> None:
    with sqlite3.connect(stopped / "journal.db") as database:
        database.execute("UPDATE events SET body = replace(body, '0.7', '0.8') WHERE seq = 5")
    database.close()
    with pytest.raises(JournalDamaged, match="cannot be resumed: Event 5"):
        Journal.open_for_resume(stopped)


HALFWAY = """
import os, signal, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
for words in ("wal_checkpoint(TRUNCATE)", "journal_mode = DELETE", "cache_size = 1", "cache_spill = 1"):
    database.execute(f"PRAGMA {words}").fetchone()
database.execute("BEGIN IMMEDIATE")
database.execute("UPDATE events SET written_at = hex(zeroblob(200000))")
os.kill(os.getpid(), signal.SIGKILL)
"""
"""SQLite stopped where a journal is sealed: half of a change is in the file, what undoes it lies beside it."""


def test_a_session_killed_in_the_middle_of_its_seal_is_whole_again(stopped: Path) -> None:
    before = verify(stopped)
    subprocess.run([sys.executable, "-c", HALFWAY, str(stopped / "journal.db")], check=False)
    assert (stopped / "journal.db-journal").stat().st_size > 0
    assert verify(stopped) == before
    assert not (stopped / "journal.db-journal").exists()
    with Journal.open_readonly(stopped) as journal:
        assert journal.count == before.count == len(list(journal.events()))
    with Journal.open_for_resume(stopped) as journal:
        assert journal.recorded == before.count


# -- replay ------------------------------------------------------------------------------------------------------------


def test_a_replay_ends_at_the_recorded_head(told: Path, events: list[Event]) -> None:
    recorded = Journal.open_readonly(told)
    replay = Journal.in_memory(against=recorded)
    asked = next(event for event in events if isinstance(event, ModelCalled))
    assert replay.reply_for(asked.request_key) == asked.reply
    seen: list[Record] = []
    replay.subscribe(lambda record, new: seen.append(record))
    for event in events:
        replay.append(event)
    replay.finish()
    assert replay.head == recorded.head
    assert [record.event for record in replay.events()] == events == [record.event for record in seen]
    replay.close()
    recorded.close()


def test_a_replay_that_differs_or_goes_on_is_a_divergence(told: Path, events: list[Event], tell: Tell) -> None:
    recorded = Journal.open_readonly(told)
    other = Journal.in_memory(against=recorded)
    with pytest.raises(JournalDivergence, match=r"config\.seed was 7 and is 8 now"):
        other.append(tell(seed=8)[0])
    longer = Journal.in_memory(against=recorded)
    for event in events:
        longer.append(event)
    with pytest.raises(JournalDivergence, match="goes on with event"):
        longer.append(events[-1])
    for journal in (other, longer, recorded):
        journal.close()


def test_a_session_stopped_while_it_is_sealed_can_be_resumed_and_sealed(
    tmp_path: Path, told: Path, events: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "s"
    journal = Journal.create(folder)
    for event in events:
        journal.append(event)

    def full(manifest: Manifest, folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Manifest, "write", full)
        with pytest.raises(JournalError, match="No space left"):
            journal.finish()
    journal.close()
    assert verify(folder).ok
    with Journal.open_for_resume(folder) as again:
        for event in events:
            again.append(event)
        again.finish()
        assert again.count == sum(1 for _ in again.events()) == len(events)
    found = verify(folder)
    assert (found.ok, found.status, found.head) == (True, "finished", verify(told).head)
