"""The lexicon's tone: signs, negations, and which document counts as the latest."""

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.tools.market.generated import CAST, business
from paperdesk.tools.market.view import Market, open_market
from paperdesk.tools.sentiment.lexicon import NEGATIONS, NEGATIVE, POSITIVE, count, latest_tone, tone_of


@pytest.fixture(scope="module")
def market() -> Market:
    return open_market("generated")


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("Demand was strong and margins improved; we raised our outlook.", 1),
        ("Orders fell, demand weakened and we recorded an impairment.", -1),
        ("The quarter was not profitable and did not improve.", -1),
        ("The year closed without a loss, and demand never weakened.", 1),
        ("The annual meeting takes place in May.", 0),
        ("STRONG GROWTH. RECORD QUARTER.", 1),
        ("Demand wasn\u2019t strong.", -1),
    ],
)
def test_the_sign_of_plain_sentences(text: str, sign: int) -> None:
    assert np.sign(tone_of(text)) == sign


def test_a_negation_reaches_neither_far_nor_into_the_next_sentence() -> None:
    assert tone_of("We did not open the new plant in spring but growth continued.") > 0
    assert tone_of("We are not there. Growth continued.") > 0


def test_one_word_is_not_an_extreme_and_tables_have_no_tone() -> None:
    assert tone_of("growth") == pytest.approx(1 / 4)
    assert tone_of("Loss | 1.0 | 2.0\nGross loss | 3 | 4") == 0
    assert tone_of("") == 0


def test_the_lists_do_not_overlap() -> None:
    assert not POSITIVE & NEGATIVE
    assert not (POSITIVE | NEGATIVE) & NEGATIONS


@given(
    st.lists(st.sampled_from(sorted(POSITIVE | NEGATIVE | NEGATIONS | {"the", "plant", ".", "|", "\n"})), max_size=40)
)
def test_tone_stays_within_its_bounds(words: list[str]) -> None:
    text = " ".join(words)
    assert -1 < tone_of(text) < 1
    assert sum(count(text)) <= len(words)


def test_tone_follows_the_surprise_of_generated_quarters(market: Market) -> None:
    texts = {(d.ticker, d.published_at): d.text for d in market.dataset.documents}
    pairs = [(r.quarter.surprise, tone_of(texts[p.ticker, r.published_at])) for p in CAST for r in business(p)[1]]
    assert np.corrcoef(np.array(pairs).T)[0, 1] > 0.7


def test_the_latest_telling_release_counts_and_old_ones_do_not(market: Market) -> None:
    release = business(CAST[1])[1][-1]
    view = market.view(market.calendar.close_of(market.calendar.next_session(release.announced)))
    tone = latest_tone(view, "OSTW")
    assert tone is not None
    assert tone.available_at == release.published_at
    assert (tone.measure, tone.unit, tone.ticker) == ("tone", "ratio", "OSTW")
    document = next(d for d in market.dataset.documents if d.id == tone.source)
    assert tone.value == tone_of(document.text)
    # at the close of the day itself, minutes before the release, it is another document's or none
    before = latest_tone(market.view(market.calendar.close_of(release.announced)), "OSTW")
    assert before is None or before.source != tone.source
    later = market.view(view.as_of + timedelta(days=30))
    assert latest_tone(later, "OSTW", since_days=20) is None


def test_a_reissued_release_is_not_newer_news(market: Market) -> None:
    repeat = next(d for d in market.dataset.documents if d.headline.startswith("Corrected"))
    view = market.view(market.calendar.close_of(market.calendar.next_session(repeat.published_at.date())))
    tone = latest_tone(view, "ZEPL")
    assert tone is not None
    assert tone.source != repeat.id
    assert tone.available_at < repeat.published_at


def test_a_company_without_documents_has_no_tone(market: Market) -> None:
    assert latest_tone(market.view(market.calendar.close_of(date(2022, 6, 16))), "MELQ") is None
