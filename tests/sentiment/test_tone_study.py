"""How classifiers read a market's releases: figures that can be computed by hand, and markets with too little."""

from pathlib import Path

import numpy as np
import pytest

from paperdesk.simulations import tone_study
from paperdesk.simulations.tone_study import print_study, study_market
from paperdesk.tools.errors import InputError
from paperdesk.tools.market.laboratory import LaboratoryPlan, make
from paperdesk.tools.market.view import Market, open_market
from paperdesk.tools.sentiment.classifier import CLASSES
from paperdesk.tools.sentiment.lexicon import LexiconClassifier, spoken


@pytest.fixture(scope="module")
def market() -> Market:
    return Market(make(LaboratoryPlan(companies=10, years=6, seed=4, edges={"tone_drift": 10.0})).dataset)


def test_returns_and_agreement_are_those_of_the_documents(market: Market, capsys: pytest.CaptureFixture[str]) -> None:
    study = study_market("", ["lexicon", "embedding"], market=market)
    texts, first, columns, left_out = tone_study._documents(market)
    assert (study.documents, study.left_out) == (len(texts), left_out)
    taken = LexiconClassifier().predict(texts).argmax(axis=1)
    beyond = market.total_returns - market.market_returns[:, None]
    reading = study.readings[0]
    for place, name in enumerate(CLASSES):
        mine = taken == place
        assert reading.counts[name] == mine.sum()
        assert reading.reaction[name].value == pytest.approx(beyond[first[mine], columns[mine]].mean())
        assert reading.later[name].value == pytest.approx(beyond[first[mine] + 1, columns[mine]].mean())
        low, value, high = (getattr(reading.reaction[name], bound) for bound in ("low", "value", "high"))
        assert low < value < high
    (pair,) = study.agreements
    assert 0 < pair.same < 1
    assert -1 < pair.kappa < pair.same
    print_study(study)
    assert f"{pair.kappa:.2f}" in capsys.readouterr().out


def test_a_document_moves_the_first_session_that_opens_after_it(market: Market) -> None:
    texts, first, columns, _ = tone_study._documents(market)
    days = market.dataset.bars.sessions
    view = market.view(market.calendar.close_of(days[-1]))
    published = {
        (market.column(ticker), spoken(document.text, view.company(ticker).name)): document.published_at
        for ticker in market.tickers
        for document in view.stories(ticker)
    }
    for text, row, column in list(zip(texts, first, columns, strict=True))[::9]:
        moment = published[column, text]
        assert market.calendar.open_of(days[row]) > moment
        assert market.calendar.open_of(days[row - 1]) <= moment


def test_a_market_with_few_documents_is_refused() -> None:
    few = Market(make(LaboratoryPlan(companies=2, years=2, seed=4, distractors=0)).dataset)
    with pytest.raises(InputError, match=r"documents, and 20 are needed: take another market"):
        study_market("", ["lexicon"], market=few)


def test_real_releases_are_read(us8: Path) -> None:
    study = study_market(str(us8), ["lexicon", "embedding"], market=open_market(us8))
    assert study.documents + study.left_out > 120
    for reading in study.readings:
        assert sum(reading.counts.values()) == study.documents
        low, high = reading.later_correlation[1:]
        assert low < 0 < high, "one year of eight companies tells nothing about the session after"
    assert all(np.isfinite(pair.kappa) for pair in study.agreements)
