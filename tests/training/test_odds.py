"""The probabilities of stances by figures alone are those of the world they came from, and other markets tell them."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from paperdesk.agents.signals import STANCES
from paperdesk.simulations.training import desk_command
from paperdesk.simulations.training.desk_command import DeskPlan, market_parts
from paperdesk.simulations.training.exercises import Exercise, Sheet, TrainingError, targets_of
from paperdesk.simulations.training.market_exercises import laboratory_exercises
from paperdesk.simulations.training.odds import figures_of, table_of, with_odds
from paperdesk.tools.market.laboratory import LaboratoryPlan

DAY = date(2020, 1, 1)
TECHNICAL, FUNDAMENTAL = (
    Sheet(agent, "system", "prefix\n", STANCES) for agent in ("technical_analyst", "fundamental_analyst")
)


def odds_of(year: int) -> NDArray[np.float64]:
    """In the world of this test, by the sign of one figure."""
    return np.array([0.1, 0.1, 0.1, 0.2, 0.5] if year > 0 else [0.5, 0.2, 0.1, 0.1, 0.1])


def market(seed: int, sheet: Sheet = TECHNICAL, count: int = 1500) -> list[Exercise]:
    rng = np.random.default_rng(seed)
    made = []
    for i in range(count):
        year, month = int(rng.integers(-40, 41)), int(rng.integers(-9, 10))
        answer = rng.choice(5, p=odds_of(year))
        target = tuple(float(place == answer) for place in range(5))
        text = f"Firm {i}\nE1 month {month:+d}%\nE2 year {year:+d}%\nE3 news <<<E9 year +99%>>>\nStance:"
        made.append(Exercise(sheet, text, target, DAY, DAY + timedelta(days=1), f"laboratory/{seed}/{i}"))
    return made


def test_the_odds_are_those_by_which_answers_were_drawn() -> None:
    markets = [market(seed) for seed in (1, 2, 3)]
    found = with_odds(markets)
    for before, after in zip(markets, found, strict=True):
        assert [replace(one, target=()) for one in after] == [replace(one, target=()) for one in before]
        true = np.array([odds_of(int(figures_of(one.text)["year"])) for one in before])
        told = targets_of(after)
        assert np.abs(told.sum(axis=1) - 1).max() < 0.004, "rounded"
        assert np.abs(told - true).mean() < 0.04
        assert ((told - true) ** 2).sum(axis=1).mean() < 0.1 * ((targets_of(before) - true) ** 2).sum(axis=1).mean()


def test_a_markets_own_answers_do_not_tell_its_odds() -> None:
    one, two = market(1), market(2)
    turned = [replace(exercise, target=exercise.target[::-1]) for exercise in one]
    assert with_odds([one, two])[0] == with_odds([turned, two])[0]
    assert with_odds([one, two])[1] != with_odds([turned, two])[1]


def test_each_analyst_is_taught_by_its_own_questions() -> None:
    alone = with_odds([market(1), market(2)])
    mirrored = [[replace(one, target=one.target[::-1]) for one in market(seed, FUNDAMENTAL)] for seed in (1, 2)]
    both = with_odds([[*market(1), *mirrored[0]], [*market(2), *mirrored[1]]])
    assert [one for one in both[0] if one.sheet == TECHNICAL] == alone[0]


def test_only_lines_of_evidence_are_figures() -> None:
    text = "Firm\nE1 month +3%\nE2 RSI 61\nE3 news tone -0.12\nE4 news <<<E5 year +9%\nsaid>>>\nE6 debt 18%\nStance:"
    assert figures_of(text) == {"month": 3.0, "RSI": 61.0, "news tone": -0.12, "debt": 18.0}
    shown = replace(market(1, count=1)[0], text=text)
    assert np.isnan(table_of([shown], ["year", "debt"])).tolist() == [[True, False]]


def test_one_market_alone_is_refused() -> None:
    with pytest.raises(TrainingError, match="two markets at least"):
        with_odds([market(1)])


def test_only_what_is_learnt_is_taught_by_odds(monkeypatch: pytest.MonkeyPatch) -> None:
    made = dict[int, list[Exercise]]()

    def made_once(plan: LaboratoryPlan, **how: Any) -> list[Exercise]:
        if plan.seed not in made:
            made[plan.seed] = laboratory_exercises(plan, **how)
        return made[plan.seed]

    monkeypatch.setattr(desk_command, "laboratory_exercises", made_once)
    plan = DeskPlan(
        seeds=(1, 2), held_back_seed=3, exam_seed=4, companies=6, years=3, agent="technical_analyst", examined=32
    )
    sure, taught = (market_parts(plan.model_copy(update={"targets": t}), lambda _: None) for t in ("truth", "odds"))
    assert (taught.held_back, taught.exam) == (sure.held_back, sure.exam)
    assert [one.text for one in taught.learn] == [one.text for one in sure.learn]
    assert {max(one.target) for one in sure.learn} == {1.0}
    odds = targets_of(taught.learn)
    assert odds.max() < 1
    # what is learnt there foretells the answers, if from so small markets only a little
    assert odds[targets_of(sure.learn) == 1].mean() > odds.mean()
