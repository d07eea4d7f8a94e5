"""Risk statistics by hand, and against empyrical."""

import math

import empyrical
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from paperdesk.tools.risk import annual_volatility, changes, market_model, max_drawdown

RETURNS = st.integers(3, 60).flatmap(lambda n: arrays(np.float64, (2, n), elements=st.floats(-0.3, 0.3)))


def test_changes_are_simple_returns() -> None:
    assert changes(np.array([100.0, 110.0, 99.0])).tolist() == pytest.approx([0.10, -0.10])


def test_volatility_by_hand() -> None:
    # mean 0.02, squared deviations 0.0004 + 0 + 0.0004, over 2, root 0.02
    assert annual_volatility(np.array([0.0, 0.02, 0.04])) == pytest.approx(0.02 * math.sqrt(252))
    assert math.isnan(annual_volatility(np.array([0.01])))


def test_the_deepest_drawdown_by_hand_is_not_the_last_one() -> None:
    # 120 to 90 is a quarter; from 130 to 117 a tenth
    assert max_drawdown(np.array([100.0, 120.0, 90.0, 130.0, 117.0])) == pytest.approx(-0.25)
    assert max_drawdown(np.array([1.0, 2.0, 3.0])) == 0.0
    assert math.isnan(max_drawdown(np.array([])))


def test_beta_and_what_it_leaves_by_hand() -> None:
    market = np.array([0.01, -0.01, 0.02, -0.02])
    # beta 1.5 and residuals +0.01, +0.01, -0.01, -0.01, which have mean 0 and no part of the market
    own = 1.5 * market + np.array([0.01, 0.01, -0.01, -0.01])
    assert float(market @ np.array([0.01, 0.01, -0.01, -0.01])) == pytest.approx(0)
    model = market_model(own, market)
    assert model.beta == pytest.approx(1.5)
    assert model.idiosyncratic_volatility == pytest.approx(math.sqrt(0.0004 / 2) * math.sqrt(252))


def test_a_shifted_copy_of_the_market_has_its_beta_and_no_risk_of_its_own() -> None:
    market = np.random.default_rng(1).normal(0, 0.01, 252)
    model = market_model(0.001 - 2 * market, market)
    assert model.beta == pytest.approx(-2)
    assert model.idiosyncratic_volatility == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("still", [0.0, 0.01, -0.003])
def test_without_moves_of_the_market_there_is_no_beta(still: float) -> None:
    model = market_model(np.random.default_rng(1).normal(0, 0.01, 252), np.full(252, still))
    assert math.isnan(model.beta)
    assert math.isnan(model.idiosyncratic_volatility)


@given(RETURNS)
def test_empyrical_says_the_same(returns: np.ndarray) -> None:
    own, market = returns
    assert annual_volatility(own) == pytest.approx(empyrical.annual_volatility(own), abs=1e-9)
    levels = np.cumprod(np.concatenate([[1.0], 1 + own]))
    assert max_drawdown(levels) == pytest.approx(empyrical.max_drawdown(own), abs=1e-9)
    expected = empyrical.beta(own, market)
    if np.std(market) > 1e-4:
        assert market_model(own, market).beta == pytest.approx(expected, rel=1e-6, abs=1e-6)


@given(arrays(np.float64, st.tuples(st.integers(1, 5), st.integers(3, 300)), elements=st.floats(-0.3, 0.3)))
def test_an_instrument_has_the_same_bits_alone_as_among_others(returns: np.ndarray) -> None:
    levels, market = np.cumprod(1 + returns, axis=1), returns[0]
    model, volatility, deepest = market_model(returns, market), annual_volatility(returns), max_drawdown(levels)
    for row, own in enumerate(returns):
        np.testing.assert_array_equal(volatility[row], annual_volatility(own))
        np.testing.assert_array_equal(deepest[row], max_drawdown(levels[row]))
        np.testing.assert_array_equal(changes(levels)[row], changes(levels[row]))
        np.testing.assert_array_equal([part[row] for part in model], market_model(own, market))
