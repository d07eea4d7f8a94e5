"""From evidence back to the very sentence, and never to one from the future."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperdesk.tools.errors import InputError, LookAheadError
from paperdesk.tools.evidence import Span
from paperdesk.tools.indicators import indicators
from paperdesk.tools.market.documents.passages import Piece, whole_sentences
from paperdesk.tools.market.documents.reader import open_passage, span_named
from paperdesk.tools.market.documents.search import search_many
from paperdesk.tools.market.view import Market, MarketView, open_market


@pytest.fixture(scope="module", autouse=True)
def in_memory() -> Iterator[None]:
    """No index of these markets stays on the user's disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PAPERDESK_CACHE", "off")
        yield


@pytest.fixture(scope="module")
def market() -> Market:
    return open_market("generated")


@pytest.fixture(scope="module")
def view(market: Market) -> MarketView:
    return market.view(market.calendar.close_of(date(2023, 8, 31)))


@pytest.fixture(scope="module")
def real(us8: Path) -> MarketView:
    market = open_market(us8)
    return market.view(market.calendar.close_of(date(2024, 11, 29)))


@given(query=st.text(min_size=1, max_size=30), around=st.integers(0, 900))
@settings(max_examples=15)
def test_a_passage_stands_in_its_document_as_the_evidence_says(real: MarketView, query: str, around: int) -> None:
    texts = {row.id: row for row in real.documents()}
    for items in search_many(real, real.tickers[:2], query, k=2).values():
        for item in items:
            found, document = open_passage(real, item, around), texts[item.source]
            text = document.text
            assert found.text == item.text == text[found.start : found.end]
            assert found.before + found.text + found.after in text
            assert text[found.start - len(found.before) : found.start] == found.before
            assert len(found.before) >= min(around, found.start)
            assert len(found.after) >= min(around, len(text) - found.end)
            assert found.sentence_start <= found.start < found.end <= found.sentence_end
            assert found.sentence == text[found.sentence_start : found.sentence_end]
            assert found.start - len(found.before) <= found.sentence_start
            assert found.sentence_end <= found.end + len(found.after)
            assert (found.headline, found.source, found.published_at) == (
                document.headline,
                document.source,
                document.published_at,
            )
            assert open_passage(real, span_named(real, item.id), around) == found
            assert span_named(real, f"{item.source}:{found.start}-{found.end}") == item.span


def test_an_overlong_sentence_is_shown_whole() -> None:
    long = "The company " + "sold a great many of its gear presses to workshops " * 8 + "this year."
    text = f"Before that.\nIt began small. {long} It ended well.\nA | table | line\nAfter."
    start = text.index("gear presses", 200)
    whole = whole_sentences(text, Piece(start, start + 30))
    assert text[whole.start : whole.end] == long
    row = text.index("table")
    line = whole_sentences(text, Piece(row, row + 5))
    assert text[line.start : line.end] == "A | table | line"


@given(st.text(alphabet=st.sampled_from("aB. |\n5!\u201d"), min_size=1, max_size=80), st.data())
def test_whole_sentences_hold_the_piece_for_any_text(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    whole = whole_sentences(text, Piece(start, end))
    assert 0 <= whole.start <= start < end <= whole.end <= len(text)


def test_a_passage_is_marked_in_its_surroundings(view: MarketView) -> None:
    item = next(item for items in search_many(view, view.tickers, "outlook").values() for item in items)
    found = open_passage(view, item, 60)
    assert found.marked("[[", "]]") == f"{found.before}[[{item.text}]]{found.after}"


def test_a_document_of_the_future_cannot_be_opened(market: Market, view: MarketView) -> None:
    later = next(row for row in market.dataset.documents if row.published_at > view.as_of)
    name = f"{later.id}:0-4"
    with pytest.raises(LookAheadError, match="later time"):
        open_passage(view, Span(document=later.id, start=0, end=4))
    with pytest.raises(LookAheadError, match="later time"):
        span_named(view, name)
    then = market.view(later.published_at + timedelta(seconds=1))
    assert open_passage(then, span_named(then, name)).text == later.text[:4]


def test_what_is_no_passage_is_refused_in_one_sentence(market: Market, view: MarketView) -> None:
    known = view.documents()[0]
    figure = indicators(view, view.tickers[0])[0]
    with pytest.raises(InputError, match="is a figure"):
        open_passage(view, figure)
    with pytest.raises(InputError, match="no document 'nothing'"):
        open_passage(view, Span(document="nothing", start=0, end=1))
    for start, end in ((5, 5), (-1, 3), (0, len(known.text) + 1), (7, 2)):
        with pytest.raises(InputError, match="characters, no place"):
            open_passage(view, Span(document=known.id, start=start, end=end))
    for name in ("nothing", "a:b", ""):
        with pytest.raises(InputError, match="names no passage"):
            span_named(view, name)
    with pytest.raises(InputError, match="no excerpt"):
        span_named(view, f"{known.ticker}/passage/{known.id}:1")


def test_evidence_of_another_market_is_not_shown_as_this_one_s(view: MarketView) -> None:
    item = next(item for items in search_many(view, view.tickers, "outlook").values() for item in items)
    assert item.span is not None
    moved = item.model_copy(update={"span": item.span.model_copy(update={"start": item.span.start + 1})})
    with pytest.raises(InputError, match="does not quote"):
        open_passage(view, moved)
