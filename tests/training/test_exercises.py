"""Exercises are split without leaks, and those of markets carry the truth."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.agents.signals import STANCES
from paperdesk.simulations.training.examination import figures
from paperdesk.simulations.training.exercises import Exercise, Leakage, Sheet, purged, refuse_leaks
from paperdesk.simulations.training.market_exercises import laboratory_exercises
from paperdesk.tools.market.laboratory import LaboratoryPlan

SHEET = Sheet("technical_analyst", "system", "prefix", STANCES)


def exercise(place: int, day: int, known: int, answer: int = 0) -> Exercise:
    begin = date(2020, 1, 1)
    target = tuple(float(i == answer) for i in range(5))
    return Exercise(SHEET, f"text {place}", target, begin + timedelta(days=day), begin + timedelta(days=known), "A")


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(1, 90)), min_size=2, max_size=60), st.floats(0.05, 0.95))
def test_nothing_known_after_the_cut_is_learnt(spans: list[tuple[int, int]], share: float) -> None:
    made = [exercise(i, day, day + length) for i, (day, length) in enumerate(spans)]
    earlier, later = purged(made, share)
    cut = min(e.day for e in later)
    assert earlier == [e for e in made if e.known < cut]
    assert later == [e for e in made if e.day >= cut]
    refuse_leaks(earlier, later, by_time=True)


def test_an_answer_that_was_not_known_yet_is_a_leak() -> None:
    with pytest.raises(Leakage, match="known by 2020-01-11"):
        refuse_leaks([exercise(0, 0, 10)], [exercise(1, 5, 15)], by_time=True)
    with pytest.raises(Leakage, match="was learnt"):
        refuse_leaks([exercise(0, 0, 1)], [exercise(0, 5, 15)], by_time=False)


def test_figures_are_those_of_the_textbook() -> None:
    from sklearn.metrics import accuracy_score, brier_score_loss, f1_score

    rng = np.random.default_rng(3)
    found = rng.dirichlet(np.ones(5), 200)
    truth = rng.integers(0, 5, 200)
    rank = rng.normal(size=200)
    examined = figures(found, np.eye(5)[truth], rank)
    assert examined.accuracy == accuracy_score(truth, found.argmax(axis=1))
    assert examined.brier == pytest.approx(brier_score_loss(truth, found, labels=range(5), scale_by_half=False))
    score = found @ np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    assert examined.ic == pytest.approx(np.corrcoef(score, rank)[0, 1])
    sure, hit = found.max(axis=1), found.argmax(axis=1) == truth
    gaps = 0.0
    for border in np.arange(10) / 10:
        inside = (sure > border) & (sure <= border + 0.1)
        gaps += abs(hit[inside].sum() - sure[inside].sum())
    assert examined.ece == pytest.approx(gaps / 200)
    assert examined.macro_f1 == pytest.approx(f1_score(truth, found.argmax(axis=1), average="macro"))
    assert figures(np.full((4, 5), 0.2), np.eye(5)[[0, 1, 2, 2]], np.arange(4.0)).ic is None


@pytest.mark.slow
def test_a_market_with_an_edge_gives_questions_whose_answer_is_the_truth(tmp_path: Path) -> None:
    plan = LaboratoryPlan(companies=4, years=3, seed=5, edges={"momentum": 1.0, "value": 1.0})
    made = laboratory_exercises(plan, folder=tmp_path)
    assert {e.sheet.agent for e in made} == {"fundamental_analyst", "technical_analyst"}
    for one in made:
        cuts = np.searchsorted((-1.5, -0.5, 0.5, 1.5), one.rank)
        assert one.answer == cuts
        assert one.text.endswith("Stance:")
        assert one.known > one.day
    year = [(float(e.text.split("year ")[1].split("%")[0]), e.rank) for e in made if "E3 year" in e.text]
    figure, rank = zip(*year, strict=True)
    assert np.corrcoef(figure, rank)[0, 1] > 0.5, "momentum's answer follows from the year's return"
    assert laboratory_exercises(plan) == made
