"""Trends: cases without the future, splits without overlap, baselines, and a verdict that noise cannot win."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paperdesk.simulations.evaluation.splits import Spans, Split, walk_forward
from paperdesk.simulations.training.exercises import Leakage, OneClass, TooLittleData, TrainingError
from paperdesk.simulations.training.places import CARD_FILE
from paperdesk.simulations.training.trend import command
from paperdesk.simulations.training.trend.cases import MOMENTUM, Cases, cases_of
from paperdesk.simulations.training.trend.command import (
    TrendPlan,
    margins_of,
    refuse_overlap,
    refuse_poor,
    train_trend,
    verdict_of,
)
from paperdesk.simulations.training.trend.model import Scale, TrendRecipe, baseline, fit_trend
from paperdesk.tools.market.view import Market, open_market

RECIPE = TrendRecipe(members=1, epochs=15, hidden=8, threads=1)
PLAN = TrendPlan(market="generated", sessions=10, every=3, parts=3)


@pytest.fixture(scope="module")
def market() -> Market:
    return open_market("generated", 7)


@pytest.fixture(scope="module")
def cases(market: Market) -> Cases:
    return cases_of(market, 10, 10)


def made(strength: float, *, closes: int = 120, companies: int = 8, seed: int = 1) -> Cases:
    """Cases whose answer follows from the first figure as strongly as asked, and from nothing else."""
    rng = np.random.default_rng(seed)
    count = closes * companies
    figures = rng.normal(size=(count, 3))
    excess = strength * np.tanh(3 * figures[:, 0]) * np.sign(figures[:, 1]) + rng.normal(size=count)
    first = np.repeat(np.arange(closes) * 5, companies)
    return Cases(
        measures=("a", "b", MOMENTUM),
        figures=figures,
        words=np.zeros((count, 256), dtype=np.float32),
        above=(excess > 0).astype(np.int64),
        excess=excess,
        spans=Spans(first, first + 10),
        tickers=tuple(f"T{i % companies}" for i in range(count)),
    )


def test_a_case_says_what_was_known_and_what_the_share_did_afterwards(market: Market, cases: Cases) -> None:
    days = market.dataset.bars.sessions
    row = len(cases) // 2
    place, ticker = int(cases.spans.first[row]), cases.tickers[row]
    growth = market.total_returns[place + 1 : place + 11, market.column(ticker)]
    of_market = market.market_returns[place + 1 : place + 11]
    assert cases.excess[row] == pytest.approx(np.prod(1 + growth) - np.prod(1 + of_market))
    assert cases.above[row] == (cases.excess[row] > 0)
    assert int(cases.spans.last[row]) == place + 10
    view = market.view(market.calendar.close_of(days[place]))
    closes = view.history(ticker)["close"]
    momentum = cases.figures[row, cases.measures.index(MOMENTUM)]
    assert np.isfinite(momentum)
    assert abs(momentum - (closes.iloc[-22] / closes.iloc[-253] - 1)) < 0.05  # beside dividends
    assert np.linalg.norm(cases.words[row]) == pytest.approx(1.0, abs=1e-3)


def test_what_comes_later_changes_no_figure(market: Market, cases: Cases) -> None:
    longer = cases_of(market, 15, 10)
    rows = {(int(f), t): i for i, (f, t) in enumerate(zip(longer.spans.first, longer.tickers, strict=True))}
    both = [
        (row, rows.get((int(f), t))) for row, (f, t) in enumerate(zip(cases.spans.first, cases.tickers, strict=True))
    ]
    pairs = [(row, other) for row, other in both if other is not None]
    assert len(pairs) == len(longer) > 50, "the same closes, but for the last of them"
    for row, other in pairs:
        np.testing.assert_array_equal(cases.figures[row], longer.figures[other])
        np.testing.assert_array_equal(cases.words[row], longer.words[other])


def test_answers_that_were_not_known_yet_are_refused() -> None:
    spans = Spans(np.arange(0, 100), np.arange(10, 110))
    for split in walk_forward(spans, 4):
        refuse_overlap(spans, split)
    careless = Split(np.arange(50), np.arange(50, 60))
    with pytest.raises(Leakage, match="is known at session 59, and the cases judged begin at 50: leave out"):
        refuse_overlap(spans, careless)


def test_too_little_and_one_class_are_refused() -> None:
    with pytest.raises(TooLittleData, match="has 160 cases of 20 closes, and 400 of 40 are needed"):
        refuse_poor(made(1.0, closes=20))
    one = made(1.0)
    with pytest.raises(OneClass, match="All cases end above the market"):
        refuse_poor(replace(one, above=np.ones(len(one), dtype=np.int64)))


def test_baselines_say_what_they_are_said_to() -> None:
    cases = made(2.0)
    cases = replace(cases, above=(cases.figures[:, 0] > 0).astype(np.int64))
    learn, judge = np.arange(480), np.arange(480, 960)
    share = (cases.above[learn].sum() + 1) / 482
    assert baseline("majority", cases, learn, judge).tolist() == [share] * 480
    momentum = baseline("momentum", cases, learn, judge)
    assert len(set(momentum.tolist())) == 2
    logistic = baseline("logistic", cases, learn, judge)
    right = (logistic > 0.5) == (cases.above[judge] == 1)
    assert right.mean() > 0.9


def test_unknown_figures_count_as_usual_ones() -> None:
    figures = np.array([[1.0, np.nan], [3.0, np.nan], [np.nan, np.nan]])
    np.testing.assert_allclose(Scale.of(figures).apply(figures), [[-1, 0], [1, 0], [0, 0]])


@pytest.mark.slow
def test_a_trend_that_is_there_beats_every_baseline_and_noise_does_not() -> None:
    pytest.importorskip("torch", reason="needs the extra nlp")
    plan = PLAN.model_copy(update={"every": 5})
    sharp = TrendRecipe(
        members=1, epochs=80, threads=1, batch=64, learning_rate=2e-3, weight_decay=0.05, dropout=0.3, hidden=16
    )
    for strength, beaten in ((4.0, True), (0.0, False)):
        cases = made(strength)
        said: dict[Any, list[Any]] = {name: [] for name in ("trend", "majority", "momentum", "logistic")}
        splits = list(walk_forward(cases.spans, 3))
        for split in splits:
            trend = fit_trend(cases, split.train, sharp)
            said["trend"].append(trend.predict(cases, split.test))
            for name in ("majority", "momentum", "logistic"):
                said[name].append(baseline(name, cases, split.train, split.test))
        judged = np.concatenate([split.test for split in splits])
        margins = margins_of(cases, judged, {name: np.concatenate(p) for name, p in said.items()}, plan, 0)
        assert all(margin.beyond_noise for margin in margins.values()) is beaten, (strength, margins)
        verdict = verdict_of(margins)
        assert verdict.startswith("The trend beats every baseline" if beaten else "The trend does not beat majority")


@pytest.mark.slow
def test_a_folder_holds_the_card_alone_and_an_interrupted_command_goes_on(
    market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch", reason="needs the extra nlp")
    card = train_trend(market, PLAN, RECIPE, tmp_path / "a")
    assert [path.name for path in (tmp_path / "a").iterdir()] == [CARD_FILE]
    assert set(card.contenders) == {"trend", "majority", "momentum", "logistic"}
    assert card.judged < card.cases
    assert card.purged > 0
    assert "beat" in card.verdict
    with pytest.raises(TrainingError, match="holds a trained trend"):
        train_trend(market, PLAN, RECIPE, tmp_path / "a")

    whole, done = command._judged, list[int]()

    def stopped(cases: Cases, split: Split, recipe: TrendRecipe) -> Any:
        if done:
            raise KeyboardInterrupt
        done.append(len(split.test))
        return whole(cases, split, recipe)

    monkeypatch.setattr(command, "_judged", stopped)
    with pytest.raises(KeyboardInterrupt):
        train_trend(market, PLAN, RECIPE, tmp_path / "b")
    fitted = list[int]()

    def counted(cases: Cases, split: Split, recipe: TrendRecipe) -> Any:
        fitted.append(len(split.test))
        return whole(cases, split, recipe)

    monkeypatch.setattr(command, "_judged", counted)
    again = train_trend(market, PLAN, RECIPE, tmp_path / "b")
    assert len(fitted) == 1, "the first part was judged before"
    assert again == card
