"""Full-text search over what was said."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paperdesk.memory.journal import Journal, JournalRefused, search, verify
from paperdesk.memory.journal.events import Event
from paperdesk.memory.journal.index import query_of


def test_words_are_found_in_any_form_and_attributed(told: Path) -> None:
    journal = Journal.open_readonly(told)
    hits = search(journal, "rise margin BLTN")
    assert {(hit.kind, hit.field, hit.ticker, hit.agent) for hit in hits} == {
        ("signal_issued", "rationale", "BLTN", "technical")
    }
    assert [hit.seq for hit in hits] == sorted(hit.seq for hit in hits)
    assert {hit.decision for hit in hits} == {0, 1, 2}
    assert "[margins]" in hits[0].snippet
    journal.close()


@pytest.mark.parametrize(
    ("text", "kind", "field"),
    [
        ("overdue filing", "audit_issued", "finding"),
        ('"target weight"', "order_submitted", "reason"),
        ("überschuß", "signal_issued", "rationale"),
        ('"3-month return" "63 sessions"', "tool_called", "evidence AURX/momentum_3m/2031-03-28"),
        ("+10.0%", "tool_called", "evidence AURX/momentum_3m/2031-03-28"),
    ],
)
def test_findings_reasons_and_evidence_are_searched(told: Path, text: str, kind: str, field: str) -> None:
    journal = Journal.open_readonly(told)
    assert (kind, field) in {(hit.kind, hit.field) for hit in search(journal, text)}
    journal.close()


def test_words_in_quotes_must_follow_each_other(told: Path) -> None:
    journal = Journal.open_readonly(told)
    assert search(journal, "weight target")
    assert not search(journal, '"weight target"')
    assert len(search(journal, "momentum", limit=2)) == 2
    journal.close()


def test_the_index_follows_a_growing_session(tmp_path: Path, events: list[Event]) -> None:
    with Journal.create(tmp_path / "s") as journal:
        for event in events[:5]:
            journal.append(event)
        assert len(search(journal, "margins")) == 1
        for event in events[5:]:
            journal.append(event)
        assert len(search(journal, "margins")) == 6
        assert len(search(journal, "margins")) == 6
        journal.finish()
    assert verify(tmp_path / "s").ok


def test_an_index_that_is_spoilt_or_of_another_session_is_not_believed(told: Path, stopped: Path) -> None:
    journal = Journal.open_readonly(told)
    expected = search(journal, "margins")
    (told / "search.db").write_bytes(b"not a database at all, but long enough to be looked at as one" * 50)
    assert search(journal, "margins") == expected
    (told / "search.db").unlink()
    other = Journal.in_memory()
    assert search(other, "margins") == []
    other.close()
    journal.close()


def test_a_session_in_a_read_only_folder_can_be_searched(told: Path) -> None:
    told.chmod(0o555)
    try:
        journal = Journal.open_readonly(told)
        assert len(search(journal, "margins")) == 6
        journal.close()
    finally:
        told.chmod(0o755)


def test_nothing_to_search_for_is_refused(told: Path) -> None:
    journal = Journal.open_readonly(told)
    with pytest.raises(JournalRefused, match="no word"):
        search(journal, ' "" * ( -')
    journal.close()


@given(st.text(max_size=30))
@example("0\0")
@example("a\ud800 OR b* NEAR(c) -d ^e col:f")
def test_no_text_is_mistaken_for_a_query_operator(text: str) -> None:
    journal = Journal.in_memory()
    try:
        query_of(text)
    except JournalRefused:
        return
    assert search(journal, text) == []
    journal.close()
