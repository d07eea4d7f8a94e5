"""Figures of many histories at once, against empyrical, scipy, scikit-learn and the optimizer's own CVaR."""

import empyrical
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from paperdesk.simulations.evaluation import figures
from paperdesk.simulations.evaluation.metrics import DegenerateTrack
from paperdesk.simulations.evaluation.resampling import stationary_places
from paperdesk.tools.optimizer.tail import conditional_value_at_risk

RETURNS = np.random.default_rng(7).standard_t(4, (6, 300)) * 0.01 + 0.0005
SHORT = st.lists(st.floats(-0.2, 0.2), min_size=2, max_size=60).map(np.array)


@pytest.mark.parametrize(
    ("figure", "referee"),
    [
        (figures.total_return, empyrical.cum_returns_final),
        (figures.annual_return, empyrical.annual_return),
        (figures.volatility, empyrical.annual_volatility),
        (figures.sharpe, empyrical.sharpe_ratio),
        (figures.sortino, empyrical.sortino_ratio),
        (figures.calmar, empyrical.calmar_ratio),
        (figures.max_drawdown, empyrical.max_drawdown),
    ],
)
def test_figures_are_those_of_empyrical(figure: object, referee: object) -> None:
    found = figure(RETURNS)  # type: ignore[operator]
    for row, value in zip(RETURNS, found, strict=True):
        assert value == pytest.approx(float(referee(row)), rel=1e-6)  # type: ignore[operator]


@given(SHORT)
def test_cvar_is_that_of_the_optimizer(returns: np.ndarray) -> None:
    expected = conditional_value_at_risk(-returns, np.full(len(returns), 1 / len(returns)), figures.TAIL)
    assert figures.cvar(returns[None, :])[0] == pytest.approx(expected, rel=1e-6, abs=1e-9)


@given(SHORT)
def test_the_longest_drawdown_is_the_longest_run_below_a_high(returns: np.ndarray) -> None:
    wealth, high, run, longest = 1.0, 1.0, 0, 0
    for r in returns:
        wealth *= 1 + r
        high = max(high, wealth)
        run = run + 1 if wealth / high - 1 < -1e-12 else 0
        longest = max(longest, run)
    assert figures.longest_drawdown(returns[None, :])[0] == longest


def test_alpha_and_beta_are_those_of_a_regression() -> None:
    own, market = RETURNS[0] + 0.8 * RETURNS[1], RETURNS[1]
    beta, alpha = figures.market_model(own[None, :], market[None, :])
    expected = stats.linregress(market, own)
    assert beta[0] == pytest.approx(expected.slope, rel=1e-6)
    assert alpha[0] == pytest.approx(expected.intercept * 252, rel=1e-6)
    assert beta[0] == pytest.approx(empyrical.beta(own, market), rel=1e-6)
    rest = figures.residual(own, market)
    assert np.corrcoef(rest, market)[0, 1] == pytest.approx(0.0, abs=1e-9)
    assert rest.mean() * 252 == pytest.approx(alpha[0], rel=1e-6)


def test_the_interval_of_a_figure_holds_it_and_narrows_with_the_record() -> None:
    rng = np.random.default_rng(1)
    widths = []
    for count in (250, 2500):
        returns = rng.normal(0.0004, 0.01, count)
        found = figures.estimate(figures.sharpe, returns, stationary_places(count, 500, 5.0, rng))
        assert found.low is not None
        assert found.high is not None
        assert found.low < found.value < found.high
        widths.append(found.high - found.low)
    assert widths[1] < widths[0] / 2


def test_a_constant_track_has_no_ratio_and_no_beta() -> None:
    flat, places = np.zeros(60), stationary_places(60, 50, 2.0, np.random.default_rng(0))
    for figure in (figures.sharpe, figures.sortino, figures.calmar, figures.hit_rate):
        with pytest.raises(DegenerateTrack):
            figures.estimate(figure, flat, places)
    with pytest.raises(DegenerateTrack):
        figures.residual(RETURNS[0][:60], flat)
    with pytest.raises(DegenerateTrack):
        figures.against(RETURNS[0][:60], flat, places)
