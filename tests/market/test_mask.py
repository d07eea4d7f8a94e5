"""Masking a whole data set: everything moves together, nothing of the future is needed, ratios stay what they were."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paperdesk.tools.clock import TradingCalendar
from paperdesk.tools.errors import InputError
from paperdesk.tools.indicators import indicators
from paperdesk.tools.market.fundamentals import ratios
from paperdesk.tools.market.generated import generate
from paperdesk.tools.market.mask import MASKABLE, Masked, MaskKey, identity_of, mask, years
from paperdesk.tools.market.records import Dataset, Document
from paperdesk.tools.market.view import Market, open_market
from paperdesk.tools.sentiment.lexicon import tone_of

EVERYTHING = frozenset(MASKABLE)


@pytest.fixture(scope="module")
def generated() -> Dataset:
    return generate(7)


@pytest.fixture(scope="module")
def masked(generated: Dataset) -> Masked:
    return mask(generated, EVERYTHING, 0)


@pytest.fixture(scope="module")
def us8_masked(us8: Path) -> Masked:
    return mask(open_market(us8).dataset, EVERYTHING, 0)


def known_at(dataset: Dataset, moment: datetime) -> Dataset:
    """The data set as somebody would have it who stopped collecting at a moment; companies are static."""
    last = TradingCalendar(dataset.calendar, dataset.bars.sessions[0], dataset.bars.sessions[-1]).last_closed(moment)
    return replace(
        dataset,
        bars=dataset.bars.select(dataset.bars.tickers, dataset.bars.sessions[0], last),
        facts=dataset.facts[dataset.facts["available_at"] <= pd.Timestamp(moment)].reset_index(drop=True),
        documents=tuple(row for row in dataset.documents if row.published_at <= moment),
        window=None,
    )


def same(one: Dataset, other: Dataset) -> bool:
    bars = [(getattr(one.bars, n), getattr(other.bars, n)) for n in ("open", "high", "low", "close", "volume", "split")]
    return (
        one.bars.sessions == other.bars.sessions
        and one.bars.tickers == other.bars.tickers
        and all(np.array_equal(a, b, equal_nan=True) for a, b in bars)
        and one.facts.equals(other.facts)
        and one.documents == other.documents
        and one.companies == other.companies
    )


def test_a_mask_has_one_fingerprint_per_seed_and_selection(generated: Dataset, masked: Masked) -> None:
    assert mask(generated, EVERYTHING, 0).dataset.fingerprint == masked.dataset.fingerprint
    found = {masked.dataset.fingerprint, generated.fingerprint, mask(generated, EVERYTHING, 1).dataset.fingerprint}
    for what in ("names", "dates", "levels"):
        found.add(mask(generated, frozenset({what}), 0).dataset.fingerprint)
    assert len(found) == 6


def test_nothing_is_masked_that_was_not_asked_for(generated: Dataset) -> None:
    names = mask(generated, frozenset({"names"}), 0).dataset
    assert names.bars.sessions == generated.bars.sessions
    assert np.array_equal(names.bars.close, generated.bars.close, equal_nan=True)
    levels = mask(generated, frozenset({"levels"}), 0).dataset
    assert levels.bars.tickers == generated.bars.tickers
    assert [row.id for row in levels.documents] == [row.id for row in generated.documents]
    dates = mask(generated, frozenset({"dates"}), 0).dataset
    assert dates.companies == generated.companies
    assert np.array_equal(dates.facts["value"], generated.facts["value"])
    with pytest.raises(InputError, match="names, dates, levels"):
        mask(generated, frozenset(), 0)


@pytest.mark.parametrize("share", [0.3, 0.71, 0.9])
def test_masking_needs_nothing_of_the_future(generated: Dataset, masked: Masked, share: float) -> None:
    session = generated.bars.sessions[int(len(generated.bars.sessions) * share)]
    moment = datetime(session.year, session.month, session.day, 22, 30, tzinfo=UTC)
    later = moment + masked.key.shift
    assert same(mask(known_at(generated, moment), EVERYTHING, 0).dataset, known_at(masked.dataset, later))


@pytest.mark.slow
def test_masking_real_data_needs_nothing_of_the_future(us8_masked: Masked) -> None:
    moment = datetime(2024, 10, 31, 21, tzinfo=UTC)
    later = moment + us8_masked.key.shift
    assert same(mask(known_at(us8_masked.original, moment), EVERYTHING, 0).dataset, known_at(us8_masked.dataset, later))


def test_weekdays_holidays_and_times_of_day_stay(generated: Dataset, masked: Masked) -> None:
    pairs = list(zip(generated.bars.sessions, masked.dataset.bars.sessions, strict=True))
    assert all((a.month, a.day, a.weekday()) == (b.month, b.day, b.weekday()) for a, b in pairs)
    assert {b.year - a.year for a, b in pairs} == {masked.key.years}
    assert masked.key.years in {28, 56}
    assert Market(masked.dataset).calendar.is_session(masked.dataset.bars.sessions[100])
    for row, moved in zip(generated.documents, masked.dataset.documents, strict=True):
        assert (row.published_at.month, row.published_at.day, row.published_at.time()) == (
            moved.published_at.month,
            moved.published_at.day,
            moved.published_at.time(),
        )


def test_both_shifts_are_drawn_and_a_market_too_late_is_refused(generated: Dataset) -> None:
    found = {mask(replace(generated, documents=()), frozenset({"dates"}), seed).key.years for seed in range(12)}
    assert found == {28, 56}
    late = tuple(day + timedelta(days=2 * 10_227) for day in generated.bars.sessions)
    far = replace(generated, bars=replace(generated.bars, sessions=late), documents=(), window=None)
    with pytest.raises(InputError, match="no calendar repeats"):
        mask(far, frozenset({"dates"}), 0)


def test_tickers_keep_their_order_and_meet_no_original(generated: Dataset, masked: Masked) -> None:
    tickers = masked.key.tickers
    assert set(tickers) == set(generated.bars.tickers)
    assert not set(tickers) & set(tickers.values())
    assert [tickers[name] for name in sorted(tickers)] == sorted(tickers.values())
    names = {company.name for company in masked.dataset.companies.values()}
    assert len(names) == len(generated.companies)
    assert all(company.aliases == () for company in masked.dataset.companies.values())
    assert [(c.industry, c.sector) for c in masked.dataset.companies.values()] == [
        (c.industry, c.sector) for c in generated.companies.values()
    ]


def test_levels_move_and_ratios_and_indicators_do_not(generated: Dataset, masked: Masked) -> None:
    plain, other, key = Market(generated), Market(masked.dataset), masked.key
    assert all(0.2 <= factor <= 5 and abs(factor - 1) > 0.1 for factor in key.factors.values())
    compared = 0
    for session in generated.bars.sessions[300::150]:
        close = plain.calendar.close_of(session)
        a, b = plain.view(close), other.view(close + key.shift)
        for ticker in plain.tickers:
            for tool in (indicators, ratios):
                one, two = tool(a, ticker), tool(b, key.tickers[ticker])
                assert [e.measure for e in one] == [e.measure for e in two]
                for x, y in zip(one, two, strict=True):
                    assert x.value == pytest.approx(y.value, rel=1e-9, abs=1e-9)
                    compared += 1
            if a.is_tradable(ticker):
                assert b.close(key.tickers[ticker]) == pytest.approx(a.close(ticker) * key.factors[ticker])
    assert compared > 300


@pytest.mark.slow
def test_ratios_and_indicators_of_real_data_do_not_move(us8_masked: Masked) -> None:
    plain, other, key = Market(us8_masked.original), Market(us8_masked.dataset), us8_masked.key
    compared = 0
    for session in (date(2022, 7, 29), date(2024, 6, 28), date(2025, 7, 31)):
        close = plain.calendar.close_of(session)
        a, b = plain.view(close), other.view(close + key.shift)
        for ticker in plain.tickers:
            for tool in (indicators, ratios):
                one, two = tool(a, ticker), tool(b, key.tickers[ticker])
                assert [e.measure for e in one] == [e.measure for e in two]
                for x, y in zip(one, two, strict=True):
                    assert x.value == pytest.approx(y.value, rel=1e-9, abs=1e-9)
                    compared += 1
    assert compared > 300


@pytest.mark.slow
def test_no_document_of_real_data_keeps_a_name_or_an_original_year(us8_masked: Masked) -> None:
    identity, key = identity_of(us8_masked.original), us8_masked.key
    original = range(us8_masked.original.bars.sessions[0].year, us8_masked.original.bars.sessions[-1].year + 1)
    for row, masked in zip(us8_masked.original.documents, us8_masked.dataset.documents, strict=True):
        assert identity.found_in(row.text)
        assert identity.found_in(masked.text) == []
        assert identity.found_in(masked.id + " " + masked.source) == []
        moved = {year.year + key.years for year in years(row.text)}
        assert not {year.year for year in years(masked.text) if year.year in original} - moved
    assert not {row.id for row in us8_masked.original.documents} & {row.id for row in us8_masked.dataset.documents}


@pytest.mark.slow
def test_the_tone_of_real_documents_stays(us8_masked: Masked) -> None:
    pairs = zip(us8_masked.original.documents, us8_masked.dataset.documents, strict=True)
    moved = [abs(tone_of(a.text) - tone_of(b.text)) for a, b in pairs]
    assert max(moved) <= 0.02
    assert np.mean(moved) <= 0.0005


def test_the_tone_of_generated_documents_stays_exactly(generated: Dataset, masked: Masked) -> None:
    for row, other in zip(generated.documents, masked.dataset.documents, strict=True):
        assert tone_of(row.text) == tone_of(other.text)


def test_accessions_are_opaque_and_still_tell_filings_apart(generated: Dataset, masked: Masked) -> None:
    assert masked.dataset.facts["accession"].nunique() == generated.facts["accession"].nunique()
    assert not set(masked.dataset.facts["accession"]) & set(generated.facts["accession"])
    assert masked.dataset.facts["available_at"].is_monotonic_increasing


def test_the_key_says_what_stands_for_what(masked: Masked, tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    masked.key.write(path)
    assert MaskKey.read(path) == masked.key
    row = masked.dataset.documents[0]
    ticker = next(old for old, new in masked.key.tickers.items() if new == row.ticker)
    assert masked.key.unmask(row.ticker) == ticker
    assert masked.key.unmask(f"{row.ticker}/passage/{row.id}:0").split("/")[0] == ticker
    assert masked.original.companies[ticker].name.split()[0] in masked.key.unmask(row.text)
    name = masked.original.companies[ticker].name
    assert masked.key.masked(f"{name.lower()}, ({ticker})").endswith(f", ({row.ticker})")
    assert masked.key.masked(name.split()[0].lower()) == masked.key.companies[ticker].split()[0]
    path.write_text("{}")
    with pytest.raises(InputError, match="key of a mask"):
        MaskKey.read(path)


def test_aliases_of_the_table_of_companies_are_masked(generated: Dataset) -> None:
    ticker, company = next(iter(generated.companies.items()))
    document = Document(
        "d1",
        ticker,
        datetime(2023, 3, 1, 21, tzinfo=UTC),
        "wire",
        "The new gear",
        "We sell Ember and Blue Harbour.",
    )
    named = replace(company, aliases=("Ember", "Blue Harbour"))
    told = replace(generated, companies=generated.companies | {ticker: named}, documents=(document,))
    text = mask(told, frozenset({"names"}), 0).dataset.documents[0].text
    assert not any(word in text for word in ("Ember", "Blue", "Harbour"))
    assert text.startswith("The new gear\nWe sell ")
    untold = mask(replace(generated, documents=(document,)), frozenset({"names"}), 0).dataset.documents[0].text
    assert "Ember" in untold


def test_seeds_invent_different_names(generated: Dataset) -> None:
    few = replace(generated, documents=generated.documents[:3])
    keys = [mask(few, frozenset({"names"}), seed).key for seed in range(4)]
    for one, other in combinations(keys, 2):
        assert set(one.companies.values()).isdisjoint(other.companies.values())
        assert set(one.tickers.values()) != set(other.tickers.values())
