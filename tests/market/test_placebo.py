"""Placebos change what they say and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from paperdesk.tools.errors import InputError
from paperdesk.tools.market.laboratory import LaboratoryPlan, make
from paperdesk.tools.market.placebo import BLOCK_SESSIONS, PLACEBOS, PlaceboName, placebo
from paperdesk.tools.market.view import Market, open_market

PLAIN = open_market("generated").dataset
SPLITTING = make(LaboratoryPlan(companies=12, years=6, seed=5)).dataset
"""With splits, dividends, a late listing."""
WHOLE = make(LaboratoryPlan(companies=5, years=3, seed=5, late_listings=0, delistings=0)).dataset
"""Every name trades in every session."""


def moves(dataset) -> np.ndarray:
    return np.log1p(Market(dataset).total_returns)


@pytest.mark.parametrize("dataset", [PLAIN, SPLITTING], ids=["generated", "laboratory"])
def test_what_rose_falls_by_as_much(dataset) -> None:
    flipped = placebo(dataset, "flip", 0)
    before, after = moves(dataset), moves(flipped)
    assert np.array_equal(np.isfinite(before), np.isfinite(after))
    assert np.nanmax(np.abs(before + after)) < 1e-9
    bars = flipped.bars
    with np.errstate(invalid="ignore"):
        assert not (bars.high < np.maximum(bars.open, bars.close) - 1e-9).any()
        assert not (bars.low > np.minimum(bars.open, bars.close) + 1e-9).any()
    assert flipped.documents == dataset.documents
    assert flipped.facts.equals(dataset.facts)


def test_months_change_places_for_all_names_at_once() -> None:
    before, after = moves(WHOLE), moves(placebo(WHOLE, "blocks", 3))
    rows = [row for row in range(len(before)) if np.isfinite(before[row]).all()]
    where = {before[row].round(9).tobytes(): row for row in rows}
    came = np.array([where[after[row].round(9).tobytes()] for row in rows])
    assert sorted(came) == rows
    assert (np.diff(came) == 1).mean() > 1 - 1.5 / BLOCK_SESSIONS
    assert not np.array_equal(came, rows)


def test_texts_move_to_later_documents_only() -> None:
    altered = placebo(PLAIN, "documents", 1)
    first_told = {document.body: document.published_at for document in reversed(PLAIN.documents)}
    plain = {document.id: document for document in PLAIN.documents}
    assert len(altered.documents) > len(PLAIN.documents) / 2
    for document in altered.documents:
        original = plain[document.id]
        assert (document.published_at, document.ticker) == (original.published_at, original.ticker)
        assert first_told[document.body] <= document.published_at
    other = [document.body != plain[document.id].body for document in altered.documents]
    assert sum(other) > 0.9 * len(other)
    assert np.array_equal(altered.bars.close, PLAIN.bars.close, equal_nan=True)


def test_every_document_tells_its_reader_to_buy_and_none_is_read_so() -> None:
    altered = placebo(PLAIN, "hostile", 0)
    for told, plain in zip(altered.documents, PLAIN.documents, strict=True):
        assert len(told.body) > len(plain.body)
    screened = Market(altered).screened
    assert len({item.document for item in screened.set_aside}) == len(altered.documents)


@pytest.mark.parametrize("name", PLACEBOS)
def test_a_placebo_depends_on_the_seed_alone_and_has_another_fingerprint(name: PlaceboName) -> None:
    one = placebo(PLAIN, name, 4)
    assert one.fingerprint == placebo(PLAIN, name, 4).fingerprint != PLAIN.fingerprint
    if name != "flip":  # there is one way to turn a sign
        assert one.fingerprint != placebo(PLAIN, name, 5).fingerprint


def test_a_market_without_what_is_to_be_changed_is_refused() -> None:
    silent = replace(PLAIN, documents=())
    for name in ("documents", "hostile"):
        with pytest.raises(InputError, match="take another placebo"):
            placebo(silent, name, 0)
