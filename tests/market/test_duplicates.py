"""Near-repeats: the earliest stays, whoever tells the story again, and however late."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.tools.market.documents.duplicates import DUPLICATE_DAYS, DUPLICATE_SIMILARITY, collapse, similarity
from paperdesk.tools.market.records import Document

NOON = datetime(2030, 1, 2, 17, 0, tzinfo=UTC)


def note(number: int, body: str, days: float = 0, ticker: str = "ABC", source: str = "wire") -> Document:
    return Document(f"d{number}", ticker, NOON + timedelta(days=days), source, "Note", body)


STORY = " ".join(f"word{i} of the long story" for i in range(60))


def test_of_near_equal_documents_the_earliest_stays() -> None:
    first, repeat, other = note(1, STORY), note(2, STORY + " Corrected.", days=1), note(3, STORY[::-1], days=2)
    assert collapse([first, repeat, other]) == (first, other)


def test_equal_texts_of_other_companies_or_long_after_are_no_repeats() -> None:
    documents = [note(1, STORY), note(2, STORY, days=1, ticker="XYZ"), note(3, STORY, days=30)]
    assert collapse(documents) == tuple(documents)


def test_similarity_is_that_of_sets_of_five_words() -> None:
    assert similarity("a b c d e f", "a b c d e f") == 1
    assert similarity("a b c d e f", "a b c d e g") == pytest.approx(1 / 3)
    assert similarity("a b", "a c") == pytest.approx(1 / 3)


def test_another_source_that_repeats_a_story_later_adds_nothing_and_takes_nothing() -> None:
    first, copy = note(1, STORY), note(2, STORY, days=3, source="another wire")
    assert collapse([first, copy]) == (first,)
    assert collapse([copy]) == (copy,)


def test_a_repeat_of_a_repeat_is_measured_against_the_one_that_stays() -> None:
    documents = [note(1, STORY), note(2, STORY, days=10), note(3, STORY, days=20), note(4, STORY, days=25)]
    assert [row.id for row in collapse(documents)] == ["d1", "d3"]


def test_texts_without_words_are_the_same_story() -> None:
    bare = [Document(f"d{i}", "ABC", NOON + timedelta(days=i), "wire", "--", "!") for i in range(2)]
    assert collapse(bare) == (bare[0],)


def slowly(documents: list[Document]) -> tuple[Document, ...]:
    """Every pair compared, as the definition says."""
    kept: list[Document] = []
    for document in documents:
        oldest = document.published_at - timedelta(days=DUPLICATE_DAYS)
        recent = (other for other in kept if other.ticker == document.ticker and other.published_at >= oldest)
        if not any(similarity(other.text, document.text) >= DUPLICATE_SIMILARITY for other in recent):
            kept.append(document)
    return tuple(kept)


bodies = st.lists(st.sampled_from("abcde"), min_size=0, max_size=24).map(" ".join)


stories = st.tuples(bodies, st.integers(0, 400), st.sampled_from(["ABC", "XYZ"]))


@given(st.lists(stories, max_size=14), st.integers(0, 14))
def test_the_kept_are_those_of_all_pairs_and_of_the_past_alone(rows: list[tuple[str, int, str]], cut: int) -> None:
    rows.sort(key=lambda row: row[1])
    documents = [note(i, body, days=hours / 10, ticker=ticker) for i, (body, hours, ticker) in enumerate(rows)]
    kept = collapse(documents)
    assert kept == slowly(documents)
    past = documents[:cut]
    assert collapse(past) == tuple(row for row in kept if row in past)
