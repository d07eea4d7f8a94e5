"""The market's regime: filtered, named by volatility, the same every time."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from paperdesk.tools.market.records import Dataset
from paperdesk.tools.market.view import Market, open_market
from paperdesk.tools.regime import MINIMUM, Parameters, filtered, regime


@pytest.fixture(scope="module")
def market() -> Market:
    return open_market("generated")


def with_fund_prices(dataset: Dataset, closes: np.ndarray) -> Market:
    """The market with other prices of its benchmark."""
    bars = dataset.bars
    column = bars.column("HXSI")
    changed = {}
    for name in ("open", "high", "low", "close"):
        matrix = getattr(bars, name).copy()
        matrix[:, column] = closes
        changed[name] = matrix
    return Market(replace(dataset, bars=replace(bars, **changed)))


def test_the_filter_is_bayes_rule_over_all_paths_of_states() -> None:
    model = Parameters(start=(0.7, 0.3), transitions=((0.9, 0.1), (0.2, 0.8)), means=(0.1, -0.2), variances=(0.5, 2.0))
    returns = np.array([0.3, -1.2, 0.1, 2.0, -0.4])
    weight = np.zeros(2)
    for path in np.ndindex(*(2,) * len(returns)):
        chance = model.start[path[0]]
        for t, state in enumerate(path):
            chance *= model.transitions[path[t - 1]][state] if t else 1.0
            spread = model.variances[state]
            chance *= np.exp(-((returns[t] - model.means[state]) ** 2) / (2 * spread)) / np.sqrt(2 * np.pi * spread)
        weight[path[-1]] += chance
    assert filtered(model, returns)[-1] == pytest.approx(weight / weight.sum())


def test_filtered_beliefs_of_the_past_do_not_change_when_the_future_arrives() -> None:
    model = Parameters(start=(0.5, 0.5), transitions=((0.9, 0.1), (0.1, 0.9)), means=(0, 0), variances=(1e-4, 9e-4))
    returns = np.random.default_rng(5).normal(0, 0.02, 300)
    assert np.array_equal(filtered(model, returns)[:200], filtered(model, returns[:200]))


def test_an_extreme_day_does_not_break_the_filter() -> None:
    model = Parameters(start=(0.5, 0.5), transitions=((0.9, 0.1), (0.1, 0.9)), means=(0, 0), variances=(1e-6, 1e-4))
    beliefs = filtered(model, np.array([0.0, -0.9, 0.0]))
    assert np.isfinite(beliefs).all()
    assert beliefs[1] == pytest.approx([0, 1], abs=1e-9)


@pytest.mark.parametrize("last_days_risk", [0.004, 0.03])
def test_a_market_with_two_plain_states_is_recognised(market: Market, last_days_risk: float) -> None:
    rng = np.random.default_rng(3)
    count = len(market.dataset.bars.sessions)
    risk = np.where((np.arange(count) // 120) % 2 == 0, 0.004, 0.03)
    risk[-60:] = last_days_risk
    seen = with_fund_prices(market.dataset, 100 * np.exp(np.cumsum(risk * rng.standard_normal(count))))
    found = regime(seen.view(seen.calendar.close_of(date(2023, 12, 29))))
    assert found is not None
    assert found.name == ("calm" if last_days_risk < 0.01 else "turbulent")
    assert found.probability > 0.95
    assert found.fitted_until == date(2023, 12, 29)
    assert sum(found.probabilities.values()) == pytest.approx(1)
    assert found.probability == found.probabilities[found.name]


def test_the_generated_market_s_true_states_are_mostly_found(market: Market) -> None:
    # drawn turbulent from 2022-12-02 to 2023-05-03, calm from 2023-05-04 on
    names = {}
    for day in (date(2023, 3, 31), date(2023, 4, 28), date(2023, 6, 30), date(2023, 10, 31)):
        found = regime(market.view(market.calendar.close_of(day)))
        names[day.month] = found.name if found else None
    assert names == {3: "turbulent", 4: "turbulent", 6: "calm", 10: "calm"}


def test_the_same_view_gives_the_same_regime(market: Market) -> None:
    view = market.view(market.calendar.close_of(date(2023, 8, 31)))
    assert regime(view) == regime(view)
    again = open_market("generated")
    assert regime(again.view(view.as_of)) == regime(view)


def test_too_short_a_history_has_no_regime(market: Market) -> None:
    sessions = market.dataset.bars.sessions
    assert regime(market.view(market.calendar.close_of(sessions[MINIMUM - 1]))) is None
    assert regime(market.view(market.calendar.close_of(sessions[MINIMUM]))) is not None


def test_a_market_that_never_moves_has_no_regime(market: Market) -> None:
    flat = with_fund_prices(market.dataset, np.full(len(market.dataset.bars.sessions), 100.0))
    assert regime(flat.view(flat.calendar.close_of(date(2023, 12, 29)))) is None


def test_without_a_benchmark_the_universe_is_the_market(market: Market) -> None:
    alone = Market(replace(market.dataset, benchmark=None))
    found = regime(alone.view(alone.calendar.close_of(date(2023, 3, 31))))
    assert found is not None
    assert found.note.startswith("equally weighted universe, 564 daily")


def test_the_real_market_was_turbulent_in_2022_and_calm_in_early_2024(us8: Path) -> None:
    real = open_market(us8)
    names = []
    for day in (date(2022, 6, 30), date(2022, 10, 31), date(2024, 2, 29), date(2024, 5, 31)):
        found = regime(real.view(real.calendar.close_of(day)))
        names.append(found.name if found else None)
    assert names == ["turbulent", "turbulent", "calm", "calm"]
