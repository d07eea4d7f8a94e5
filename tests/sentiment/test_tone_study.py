"""How classifiers read a market's releases: figures that can be computed by hand, and markets with too little."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from paperdesk.simulations import tone_study
from paperdesk.simulations.tone_study import print_study, study_market
from paperdesk.tools.errors import InputError
from paperdesk.tools.market.laboratory import LaboratoryPlan, make
from paperdesk.tools.market.view import Market, open_market
from paperdesk.tools.sentiment.classifier import CLASSES
from paperdesk.tools.sentiment.comparison import ClassFrequencies
from paperdesk.tools.sentiment.embedding import EmbeddingClassifier
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
    other = EmbeddingClassifier.default().predict(texts).argmax(axis=1)
    assert pair.same == pytest.approx((taken == other).mean())
    assert pair.kappa == pytest.approx(cohen_kappa_score(taken, other))
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


def test_who_says_the_same_of_every_document_is_correlated_with_nothing(
    market: Market, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def opened(spec: str, *, threads: int) -> Iterator[ClassFrequencies]:
        yield ClassFrequencies((0.2, 0.5, 0.3) if spec.endswith("a/x") else (0.1, 0.6, 0.3))

    monkeypatch.setattr(tone_study, "open_classifier", opened)
    study = study_market("", ["reader:a/x", "reader:b/x"], market=market)
    assert [reading.classifier for reading in study.readings] == ["reader:a/x", "reader:b/x"], "both, under one name"
    (pair,) = study.agreements
    assert (pair.first, pair.second, pair.same, pair.correlation) == ("reader:a/x", "reader:b/x", 1.0, 0.0)
    assert study.readings[0].reaction_correlation is study.readings[0].later_correlation is None
    print_study(study)
    assert "rank correlation" in capsys.readouterr().out


def test_returns_of_one_session_have_no_interval() -> None:
    returns, of = np.array([0.01, 0.03, 0.05]), np.array([True, True, False])
    times = np.ones((4, 3))
    assert tone_study._mean(returns, of, np.array([5, 5, 6]), times).low is None
    assert tone_study._mean(returns, of, np.array([5, 6, 6]), times).low == pytest.approx(0.02)


def test_a_rare_tone_has_a_correlation_within_bounds() -> None:
    rng = np.random.default_rng(0)
    tone = np.zeros(30)
    tone[:2] = 1.0
    times = np.array([np.bincount(draw, minlength=30) for draw in rng.integers(0, 30, (500, 30))], dtype=float)
    found = tone_study._correlation(tone, rng.normal(size=30), times)
    assert found is not None
    assert all(-1 <= figure <= 1 for figure in found)


def test_real_releases_are_read(us8: Path) -> None:
    study = study_market(str(us8), ["lexicon", "embedding"], market=open_market(us8))
    assert study.documents + study.left_out > 120
    for reading in study.readings:
        assert sum(reading.counts.values()) == study.documents
        for found in (reading.reaction_correlation, reading.later_correlation):
            assert found is not None
            value, low, high = found
            assert -1 < low < value < high < 1
    assert all(np.isfinite(pair.kappa) for pair in study.agreements)
