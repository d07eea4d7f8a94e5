"""Passages, near-duplicates and search: exact offsets, the brute-force ranking, and nothing from the net."""

import socket
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.tools.errors import InputError
from paperdesk.tools.market.documents import PassageIndex, collapse, embed, search, similarity
from paperdesk.tools.market.passages import EXCERPT_CHARACTERS, Piece, excerpts, passages
from paperdesk.tools.market.records import Document
from paperdesk.tools.market.view import Market, open_market

NOON = datetime(2030, 1, 2, 17, 0, tzinfo=UTC)
QUERIES = ("quarterly results, guidance and outlook", "dividend and share repurchase", "departure of an executive")


@pytest.fixture(scope="module")
def market() -> Market:
    return open_market("generated")


@pytest.fixture(scope="module")
def real(us8: Path) -> Market:
    return open_market(us8)


def note(number: int, body: str, days: float = 0, ticker: str = "ABC") -> Document:
    return Document(f"d{number}", ticker, NOON + timedelta(days=days), "test", "Note", body)


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


def check_passages(text: str) -> None:
    found = passages(text)
    covered = "".join(text[piece.start : piece.end] for piece in found)
    assert "".join(covered.split()) == "".join(text.split())  # nothing lost, nothing twice
    for piece, following in pairwise(found):
        assert piece.end <= following.start
    for piece in found:
        assert text[piece.start : piece.end] == text[piece.start : piece.end].strip() != ""
        for part in excerpts(text, piece):
            assert piece.start <= part.start < part.end <= piece.end
            assert part.end - part.start <= EXCERPT_CHARACTERS


@given(st.text(alphabet=st.sampled_from('aB. |\n\t"5!\u201d\u2022'), max_size=600))
def test_passages_cover_any_text_once(text: str) -> None:
    check_passages(text)


def test_passages_of_real_filings_are_of_readable_size(real: Market) -> None:
    sizes = []
    for document in real.dataset.documents[:40]:
        check_passages(document.text)
        sizes += [len(document.text[p.start : p.end].split()) for p in passages(document.text)]
    assert np.percentile(sizes, 5) > 40
    assert max(sizes) < 200


def test_passages_keep_sentences_and_table_lines_whole() -> None:
    sentence = "The company sold a great many of its gear presses to workshops in the north this year."
    row = "Revenue of the northern workshops | 1,234.5 | 1,111.0"
    text = "\n".join([" ".join([sentence] * 9), *[row] * 20])
    for piece in passages(text):
        content = text[piece.start : piece.end]
        assert content.startswith(("The company", "Revenue of"))
        assert content.endswith(("this year.", "1,111.0"))


def test_excerpts_begin_at_units_and_end_at_borders() -> None:
    text = " ".join(f"Sentence number {i} says something of no importance at all." for i in range(12))
    parts = excerpts(text, Piece(0, len(text)))
    assert len(parts) == 12
    assert all(text[part.start : part.end].endswith("at all.") for part in parts)
    assert all(text[part.start :].startswith("Sentence") for part in parts)


@pytest.mark.slow
def test_search_ranks_as_brute_force_does_on_real_filings(real: Market) -> None:
    index = PassageIndex(real.dataset.documents)
    rows = [(document, piece) for document in collapse(real.dataset.documents) for piece in passages(document.text)]
    assert index.size == len(rows)
    vectors = embed([document.text[piece.start : piece.end] for document, piece in rows])
    for day in (date(2024, 5, 31), date(2025, 2, 28)):
        as_of = real.calendar.close_of(day)
        oldest = as_of - timedelta(days=120)
        for ticker in real.tickers:
            known = [i for i, (d, _) in enumerate(rows) if d.ticker == ticker and oldest <= d.published_at <= as_of]
            for query in QUERIES:
                scores = np.round(vectors[known] @ embed([query])[0], 6)
                ranked = sorted((-score, *named(rows[i])) for i, score in zip(known, scores, strict=True))
                hits = index.nearest(ticker, query, 5, int(oldest.timestamp()), int(as_of.timestamp()))
                assert [(hit.document, hit.piece.start) for hit in hits] == [
                    (name, start) for _, name, start in ranked[:5]
                ]
                assert len(hits) == 5


def named(row: tuple[Document, Piece]) -> tuple[str, int]:
    """What a passage is called."""
    return row[0].id, row[1].start


def test_markets_with_equal_documents_share_an_index(market: Market) -> None:
    again = open_market("generated")
    as_of = market.calendar.close_of(date(2023, 8, 31))
    first = search(market.view(as_of), "VYDN", QUERIES[0])
    assert search(again.view(as_of), "VYDN", QUERIES[0]) == first
    assert search(market.view(as_of), "VYDN", QUERIES[0]) == first


def test_evidence_is_the_text_at_its_span_and_known(market: Market) -> None:
    view = market.view(market.calendar.close_of(date(2023, 8, 31)))
    documents = {document.id: document for document in market.dataset.documents}
    for ticker in market.tickers:
        found = search(view, ticker, QUERIES[0])
        assert found
        for item in found:
            assert item.span is not None
            document = documents[item.span.document]
            assert item.text == document.text[item.span.start : item.span.end]
            assert len(item.text) <= EXCERPT_CHARACTERS
            assert item.id == f"{ticker}/passage/{document.id}:{item.span.start}"
            assert document.ticker == ticker
            assert view.as_of - timedelta(days=120) <= item.available_at == document.published_at <= view.as_of


def test_a_release_is_found_from_its_second_on(market: Market) -> None:
    release = next(d for d in market.dataset.documents if "Outlook." in d.body and d.published_at.year == 2023)
    moment = release.published_at
    before = search(market.view(moment - timedelta(seconds=1)), release.ticker, release.headline, k=20)
    after = search(market.view(moment), release.ticker, release.headline, k=20)
    assert release.id not in {item.source for item in before}
    assert release.id in {item.source for item in after}


def test_a_repeat_is_never_found(market: Market) -> None:
    repeat = next(d for d in market.dataset.documents if d.headline.startswith("Corrected"))
    view = market.view(repeat.published_at + timedelta(days=3))
    assert repeat.id not in {item.source for item in search(view, "ZEPL", repeat.headline, k=50)}


def test_ties_go_in_the_order_of_ids_and_a_search_repeats_itself(market: Market) -> None:
    # equal texts thirty days apart are no repeats, and tie
    first = market.dataset.documents[0]
    texts = [replace(first, id=f"tie-{name}", published_at=first.published_at + timedelta(days=30 * i)) for i, name in
             enumerate("cab")]  # fmt: skip
    index = PassageIndex(texts)
    hits = index.nearest(first.ticker, "news", 3, 0, 2**40)
    assert [hit.document for hit in hits if hit.score == hits[0].score] == ["tie-a", "tie-b", "tie-c"]
    view = market.view(market.calendar.close_of(date(2023, 8, 31)))
    assert search(view, "BRQL", QUERIES[0]) == search(view, "BRQL", QUERIES[0])


def test_no_known_document_means_no_passage(market: Market) -> None:
    assert search(market.view(market.calendar.close_of(date(2022, 6, 16))), "MELQ", QUERIES[0]) == []


def test_an_unknown_ticker_is_refused(market: Market) -> None:
    with pytest.raises(InputError, match="NOPE"):
        search(market.view(market.calendar.close_of(date(2023, 8, 31))), "NOPE", QUERIES[0])


def test_nothing_is_sent_over_the_network(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[object] = []

    def refuse(*address: object, **_: object) -> None:
        called.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    index = PassageIndex(market.dataset.documents[:5])
    assert index.nearest(market.dataset.documents[0].ticker, "news", 1, 0, 2**40)
    assert called == []


def test_equal_texts_have_equal_vectors_whatever_stands_beside_them() -> None:
    text = "Net income rose by a tenth."
    assert np.array_equal(embed([text])[0], embed(["x " * 500, text, "another one"])[1])
    assert np.linalg.norm(embed([text])[0]) == pytest.approx(1)
    assert embed([]).shape == (0, 256)
