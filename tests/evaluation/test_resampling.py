"""The stationary bootstrap, against `arch` and against what it must be."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.simulations.evaluation.metrics import DegenerateTrack
from paperdesk.simulations.evaluation.resampling import block_length, interval, stationary_places


def series(seed: int, count: int, memory: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 0.01, count)
    for i in range(1, count):
        values[i] += memory * values[i - 1]
    return values


@pytest.mark.parametrize("memory", [-0.5, 0.0, 0.3, 0.9])
@pytest.mark.parametrize("count", [40, 252, 1500])
def test_the_block_length_is_that_of_arch(memory: float, count: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of statsmodels, on import
        from arch.bootstrap import optimal_block_length
    for seed in range(5):
        values = series(seed, count, memory)
        expected = float(optimal_block_length(values)["stationary"].iloc[0])
        assert block_length(values) == pytest.approx(max(1.0, expected), rel=1e-6)


def test_a_constant_or_short_track_has_no_block_length() -> None:
    with pytest.raises(DegenerateTrack):
        block_length(np.full(100, 0.01))
    with pytest.raises(DegenerateTrack):
        block_length(np.arange(5.0))


@given(st.integers(2, 60), st.floats(1.0, 20.0), st.integers(0, 100))
def test_histories_are_made_of_runs_on_a_circle(count: int, length: float, seed: int) -> None:
    places = stationary_places(count, 20, length, np.random.default_rng(seed))
    assert places.shape == (20, count)
    assert places.min() >= 0
    assert places.max() < count


def test_blocks_have_the_asked_mean_length_and_every_place_is_as_likely() -> None:
    places = stationary_places(500, 2000, 8.0, np.random.default_rng(1))
    follows = (np.diff(places, axis=1) % 500) == 1
    assert follows.mean() == pytest.approx(1 - 1 / 8 + 1 / 8 / 500, abs=0.002)
    counts = np.bincount(places.ravel(), minlength=500)
    assert counts.std() / counts.mean() < 0.1
    assert np.array_equal(places, stationary_places(500, 2000, 8.0, np.random.default_rng(1)))


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    hits = 0
    for seed in range(100):
        values = series(seed, 250, 0.3)
        places = stationary_places(250, 400, block_length(values), np.random.default_rng(seed))
        low, high = interval(values[places].mean(axis=1))
        hits += low < 0 < high
    assert 0.85 <= hits / 100 <= 0.99


def test_a_figure_that_mostly_does_not_exist_has_no_interval() -> None:
    with pytest.raises(DegenerateTrack):
        interval(np.array([1.0, np.nan, np.nan, np.nan]))
