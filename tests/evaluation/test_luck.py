"""Probabilistic and deflated Sharpe ratios against the examples of their papers."""

from math import ceil, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from paperdesk.simulations.evaluation.luck import (
    Moments,
    deflated_sharpe,
    expected_best,
    minimum_track_length,
    moments_of,
    probabilistic_sharpe,
    standard_error,
)
from paperdesk.simulations.evaluation.metrics import DegenerateTrack, EvaluationError

STRATEGY = Moments(sharpe=2.5 / sqrt(250), skew=-3.0, kurtosis=10.0, observations=1250)
"""The strategy of Bailey and Lopez de Prado (2014), section "a numerical example"."""


def test_the_example_of_the_deflated_sharpe_ratio() -> None:
    spread = sqrt(0.5 / 250)
    assert expected_best(100, spread) == pytest.approx(0.1132, abs=5e-5)
    assert deflated_sharpe(STRATEGY, 100, spread) == pytest.approx(0.9004, abs=5e-5)
    assert deflated_sharpe(STRATEGY, 46, spread) == pytest.approx(0.9505, abs=5e-5)


def test_the_examples_of_the_sharpe_ratio_efficient_frontier() -> None:
    # Bailey and Lopez de Prado (2012), "what is the probability": 24 months at 0.458 a month, a hedge fund's moments
    normal = Moments(0.458, 0.0, 3.0, 24)
    skewed = Moments(0.458, -2.448, 10.164, 24)
    assert probabilistic_sharpe(normal, 0.0) == pytest.approx(0.982, abs=5e-4)
    assert probabilistic_sharpe(skewed, 0.0) == pytest.approx(0.913, abs=5e-4)


@pytest.mark.parametrize(
    ("a_year", "skew", "kurtosis", "years"),
    [(250, 0.0, 3.0, 2.73), (52, 0.0, 3.0, 2.83), (12, 0.0, 3.0, 3.24), (12, -0.72, 5.78, 4.99)],
)
def test_the_minimum_track_lengths_of_the_same_paper(a_year: int, skew: float, kurtosis: float, years: float) -> None:
    """A Sharpe ratio of 2 a year above 1 with 95 %: from days, weeks, months, and the months of a hedge fund index."""
    found = minimum_track_length(Moments(2 / sqrt(a_year), skew, kurtosis, 100), 1 / sqrt(a_year))
    assert found == ceil(years * a_year)


def test_the_best_of_many_without_skill_is_what_simulation_says() -> None:
    rng = np.random.default_rng(3)
    for trials in (5, 50, 500):
        best = rng.normal(0, 0.2, (4000, trials)).max(axis=1).mean()
        assert expected_best(trials, 0.2) == pytest.approx(best, rel=0.04)
    assert expected_best(1, 0.2) == 0.0
    with pytest.raises(EvaluationError):
        expected_best(0, 0.2)


def test_the_standard_error_is_that_of_the_delta_method() -> None:
    """The influence function of mean over deviation (Serfling 1980, 3.3; Lo 2002), squared and averaged."""
    returns = np.random.default_rng(8).standard_t(5, 400) * 0.01 + 0.0007
    mean, deviation = returns.mean(), returns.std()
    ratio = mean / deviation
    influence = (returns - mean) / deviation - ratio / 2 * (((returns - mean) / deviation) ** 2 - 1)
    found = Moments(ratio, float(stats.skew(returns)), float(stats.kurtosis(returns, fisher=False)), 400)
    assert standard_error(found) == pytest.approx(sqrt((influence**2).mean() / 399), rel=1e-6)


def test_the_standard_error_is_that_of_simulated_sharpe_ratios() -> None:
    rng = np.random.default_rng(5)
    draws = rng.gamma(4.0, 0.01, (6_000, 250)) - 0.035
    ratios = draws.mean(axis=1) / draws.std(axis=1, ddof=1)
    whole = moments_of(draws.ravel())
    found = standard_error(Moments(whole.sharpe, whole.skew, whole.kurtosis, 250))
    assert found == pytest.approx(float(ratios.std()), rel=0.04)


@given(st.lists(st.floats(-0.1, 0.1), min_size=5, max_size=60).filter(lambda v: np.ptp(v) > 1e-3))
def test_moments_are_those_of_scipy(values: list[float]) -> None:
    found, returns = moments_of(np.array(values)), np.array(values)
    assert found.skew == pytest.approx(float(stats.skew(returns)), rel=1e-6, abs=1e-9)
    assert found.kurtosis == pytest.approx(float(stats.kurtosis(returns, fisher=False)), rel=1e-6)


def test_more_trials_never_raise_the_probability() -> None:
    values = [deflated_sharpe(STRATEGY, n, 0.04) for n in (1, 2, 10, 100, 1000)]
    assert values == sorted(values, reverse=True)


def test_what_does_not_exist_is_refused() -> None:
    with pytest.raises(DegenerateTrack):
        moments_of(np.full(50, 0.001))
    with pytest.raises(DegenerateTrack):
        minimum_track_length(Moments(-0.1, 0.0, 3.0, 100))
