"""The market's regime: filtered, named by volatility and drift, fitted by the calendar, the same every time."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from paperdesk.tools.hidden_markov import PERSISTENCE, Parameters, filtered, likeliest
from paperdesk.tools.market.records import Dataset
from paperdesk.tools.market.view import Market, open_market
from paperdesk.tools.regime import MINIMUM, Regime, regime


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


def test_a_return_that_only_an_unreachable_state_explains_leaves_the_belief_where_it_was() -> None:
    # The second state is never left; after years in it the other one is impossible, also to the last bit.
    model = Parameters(start=(0.0, 1.0), transitions=((0.99, 0.01), (0.0, 1.0)), means=(0, 0), variances=(4e-4, 4e-6))
    returns = np.append(np.random.default_rng(0).normal(0, 0.002, 50), [-0.2, 0.001])
    assert filtered(model, returns)[-2:].tolist() == [[0, 1], [0, 1]]


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


@pytest.mark.parametrize("rate", [1e-4, 1e-3, 0.1])
def test_a_market_that_grows_at_one_rate_has_no_regime(market: Market, rate: float) -> None:
    # A fund of the money market: what differs between its returns is the rounding of its price.
    steady = with_fund_prices(market.dataset, 100 * (1 + rate) ** np.arange(len(market.dataset.bars.sessions)))
    assert regime(steady.view(steady.calendar.close_of(date(2023, 12, 29)))) is None


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


def at(market: Market, day: date, seed: int = 0) -> Regime:
    found = regime(market.view(market.calendar.close_of(day)), seed)
    assert found is not None
    return found


def two_states(market: Market, calm: float, turbulent: float, seed: int = 3) -> Market:
    """The market with a fund whose state changes every 120 sessions; the arguments are the daily drifts of the two."""
    rng = np.random.default_rng(seed)
    count = len(market.dataset.bars.sessions)
    quiet = (np.arange(count) // 120) % 2 == 0
    steps = np.where(quiet, calm, turbulent) + np.where(quiet, 0.005, 0.02) * rng.standard_normal(count)
    return with_fund_prices(market.dataset, 100 * np.exp(np.cumsum(steps)))


def test_parameters_are_fitted_until_the_last_completed_quarter(market: Market) -> None:
    days = {
        date(2023, 3, 30): date(2022, 12, 30),
        date(2023, 3, 31): date(2023, 3, 31),  # the quarter's last session has closed
        date(2023, 4, 3): date(2023, 3, 31),
        date(2023, 6, 29): date(2023, 3, 31),
        date(2023, 6, 30): date(2023, 6, 30),
        date(2023, 12, 29): date(2023, 12, 29),
    }
    assert {day: at(market, day).fitted_until for day in days} == days


def test_the_first_fit_waits_for_no_quarter(market: Market) -> None:
    bars = market.dataset.bars
    young = Market(
        replace(market.dataset, bars=bars.select(bars.tickers, bars.sessions[20], bars.sessions[-1]), window=None)
    )
    sessions = young.dataset.bars.sessions
    first = sessions[MINIMUM]  # as many returns are known
    assert first.month == 1  # within a quarter
    assert regime(young.view(young.calendar.close_of(sessions[MINIMUM - 1]))) is None
    for later in (0, 1, 20):
        assert at(young, sessions[MINIMUM + later]).fitted_until == first
    assert at(young, date(2022, 4, 1)).fitted_until == date(2022, 3, 31)


def test_the_regime_of_a_day_does_not_depend_on_which_days_were_asked_before(market: Market) -> None:
    days = [date(2023, 5, 2), date(2023, 5, 31), date(2023, 8, 15)]
    forwards = [at(market, day) for day in days]
    fresh = Market(market.dataset)
    backwards = [at(fresh, day) for day in reversed(days)]
    alone = [at(Market(market.dataset), day) for day in days]
    assert forwards == backwards[::-1] == alone


def test_the_probability_goes_on_from_the_fit_as_one_filter_would(market: Market) -> None:
    quarter = [day for day in market.dataset.bars.sessions if date(2023, 3, 31) < day < date(2023, 6, 30)]
    found = [at(market, day) for day in quarter]
    assert len({f.fitted_until for f in found}) == len({f.note for f in found}) == 1
    assert len({f.probability for f in found}) > 50  # every day tells something
    assert {f.name for f in found} == {"calm", "turbulent"}


@pytest.mark.parametrize("day", [date(2021, 12, 31), date(2022, 9, 30), date(2023, 6, 30), date(2023, 11, 15)])
def test_names_do_not_depend_on_where_em_starts(market: Market, day: date) -> None:
    found = [at(market, day, seed) for seed in range(3)]
    assert len({(f.name, f.drift, f.note) for f in found}) == 1
    assert np.ptp([f.probability for f in found]) < 1e-3


def test_names_do_not_depend_on_where_em_starts_in_real_data(us8: Path) -> None:
    real = open_market(us8)
    for day in (date(2022, 6, 30), date(2025, 6, 30), date(2025, 8, 8)):
        found = [at(real, day, seed) for seed in range(4)]
        assert len({(f.name, f.drift, f.note) for f in found}) == 1
        assert np.ptp([f.probability for f in found]) < 1e-3


@pytest.mark.parametrize("last", [date(2023, 3, 31), date(2023, 9, 29)])
def test_names_survive_a_fit_that_ends_a_session_earlier(market: Market, last: date) -> None:
    seen = two_states(market, 0.001, -0.001)
    sessions = seen.dataset.bars.sessions
    row = sessions.index(last)
    # the same returns, a session later: what was the quarter's last session is now the one before it
    moved = np.concatenate([seen.dataset.bars.close[:1, -1], seen.dataset.bars.close[:-1, -1]])
    shifted = with_fund_prices(seen.dataset, moved)
    for ahead in range(0, 60, 7):
        here, there = at(seen, sessions[row + ahead]), at(shifted, sessions[row + ahead + 1])
        assert (here.name, here.drifts) == (there.name, there.drifts)
        assert here.probability == pytest.approx(there.probability, abs=0.05)


@pytest.mark.parametrize(
    ("calm", "turbulent", "drifts"),
    [
        (0.002, -0.004, {"calm": "rising", "turbulent": "falling"}),
        (-0.002, 0.004, {"calm": "falling", "turbulent": "rising"}),
        (0.0, 0.0, {"calm": "flat", "turbulent": "flat"}),
    ],
)
def test_the_drift_of_a_state_is_where_prices_went_in_it(
    market: Market, calm: float, turbulent: float, drifts: dict[str, str]
) -> None:
    seen = two_states(market, calm, turbulent)
    found = at(seen, date(2023, 12, 29))
    assert found.drifts == drifts
    assert found.drift == drifts[found.name]
    assert found.words == f"{found.name} and {found.drift}"
    assert f"when calm ({drifts['calm']})" in found.note
    assert f"when turbulent ({drifts['turbulent']})" in found.note


def test_single_extreme_days_are_no_regime(market: Market) -> None:
    returns = market.market_returns[1:252]
    fit = likeliest(returns, np.random.default_rng(0))
    assert fit.model.lasting() >= PERSISTENCE
    # the plain likelihood prefers a state that lasts a day
    spike = Parameters(
        start=fit.model.start,
        transitions=((0.78, 0.22), (0.999, 0.001)),
        means=(0.0012, -0.0076),
        variances=(float(0.576 * np.var(returns)), float(2.93 * np.var(returns))),
    )
    assert spike.lasting() < 1.1
    assert log_likelihood(spike, returns) > log_likelihood(fit.model, returns)


def log_likelihood(model: Parameters, returns: np.ndarray) -> float:
    """log p(r_1..r_T): the sum of the logarithms of what each return was expected to be."""
    total, expected = 0.0, np.asarray(model.start)
    for belief, value in zip(filtered(model, returns), returns, strict=True):
        variance = np.asarray(model.variances)
        density = np.exp(-((value - np.asarray(model.means)) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
        total += float(np.log(expected @ density))
        expected = belief @ np.asarray(model.transitions)
    return total


def test_a_gap_in_the_fund_s_prices_is_no_return(market: Market) -> None:
    closes = market.dataset.bars.close[:, market.dataset.bars.column("HXSI")].copy()
    closes[600:603] = np.nan
    seen = with_fund_prices(market.dataset, closes)
    day = seen.dataset.bars.sessions[601]
    assert at(seen, day).probability == at(seen, seen.dataset.bars.sessions[599]).probability
