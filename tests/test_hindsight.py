"""The usual size of a return: with and without gaps it is what numpy's own functions for gaps say, digit by digit."""

import warnings

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.orchestration.hindsight import LEAST_SESSIONS, deviation


@given(
    sessions=st.integers(0, 260), names=st.integers(1, 9), gaps=st.sampled_from([0, 0, 3, 80]), seed=st.integers(0, 99)
)
def test_a_past_without_gaps_is_measured_as_one_with_gaps(sessions: int, names: int, gaps: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    past = np.asfortranarray(rng.normal(0, 0.02, (sessions, names)))
    if sessions:
        past[rng.integers(0, sessions, gaps), rng.integers(0, names, gaps)] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        expected = np.nanstd(past - np.nanmean(past, axis=1, keepdims=True), axis=0, ddof=1)
    expected[np.isfinite(past).sum(axis=0) < LEAST_SESSIONS] = np.nan
    np.testing.assert_array_equal(deviation(past), expected)
