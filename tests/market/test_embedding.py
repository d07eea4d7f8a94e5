"""Vectors of texts: the library's tokens, exact arithmetic, nothing that depends on what stands beside a text."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.tools.market.documents import embedding
from paperdesk.tools.market.documents.embedding import Embedder, embed, similarities
from paperdesk.tools.market.documents.passages import passages
from paperdesk.tools.market.view import open_market

texts = st.lists(st.text(max_size=60), max_size=6)


def test_equal_texts_have_equal_vectors_whatever_stands_beside_them() -> None:
    text = "Net income rose by a tenth."
    assert np.array_equal(embed([text])[0], embed(["x " * 500, text, "another one"])[1])
    assert np.linalg.norm(embed([text])[0]) == pytest.approx(1)
    assert embed([]).shape == (0, 256)


def test_the_tokens_of_real_filings_are_those_the_library_reads(us8: Path) -> None:
    documents = open_market(us8).dataset.documents[::12]
    flat = [" ".join(row.text[p.start : p.end].split()) for row in documents for p in passages(row.text)]
    library = embed._model.tokenize(flat)
    for text, own, theirs in zip(flat, embed.tokens(flat), library, strict=True):
        assert own == theirs.ids[: sum(theirs.attention_mask)], text


def test_a_vector_is_the_library_s_mean_of_token_vectors() -> None:
    text = "Revenue of the segment declined 4.5% to $1,234 million"
    ids = embed._model.tokenize([text])[0].ids
    mean = embed._model.embedding[ids].astype(np.float64).mean(axis=0)
    assert embed([text])[0] == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)


def test_white_space_of_any_kind_is_one_space() -> None:
    vectors = embed(["Net income rose", "  Net\tincome\n\nrose ", "Net\u00a0income\u2003rose"])
    assert np.array_equal(vectors[0], vectors[1])
    assert np.array_equal(vectors[0], vectors[2])
    assert not embed([" \n", ""]).any()


@given(texts)
def test_sums_of_parts_are_exactly_the_sum_of_the_whole(parts: list[str]) -> None:
    assert np.array_equal(embed.sums(parts).sum(axis=0), embed.sums([" ".join(parts)])[0])


@given(texts, st.text(max_size=20))
def test_similarities_are_exact_in_any_order_and_number(parts: list[str], query: str) -> None:
    vectors, wanted = embed(parts), embed([query])[0]
    scores = similarities(vectors, wanted)
    assert np.array_equal(scores[::-1], similarities(vectors[::-1], wanted))
    for row, score in zip(vectors, scores, strict=True):
        assert similarities(row[None], wanted)[0] == score
        assert row[::-1].astype(np.float64) @ wanted[::-1].astype(np.float64) == score
    assert np.all(np.abs(scores) < 1 + 1e-6)


def test_forgetting_words_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    small = Embedder()
    monkeypatch.setattr(embedding, "_WORDS_KEPT", 5)
    said = ["one two three four", "five six seven eight", "one two nine"]
    assert np.array_equal(np.concatenate([small([text]) for text in said]), embed(said))
    assert len(small._known) <= 5


def test_reading_the_vectors_leaves_logging_as_it_was() -> None:
    # in a process of its own: the package is imported once, and its import turns on everybody's notes
    code = """
import logging, sys
from paperdesk.tools.market.documents.embedding import embed
embed(["Net income rose."])
assert "wordllama" in sys.modules
print(logging.getLogger().level, logging.getLogger().handlers, logging.getLogger("httpx").level)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["30", "[]", "0"]
    assert done.stderr == ""
