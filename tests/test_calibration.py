"""Calibration: a prior without a record, shrinkage with one, and bounds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.memory.calibration import BOUND, PRIOR_IC, PRIOR_WEIGHT, Calibration


def test_without_a_record_the_prior_holds() -> None:
    assert Calibration().information_coefficient("anyone") == PRIOR_IC


def test_constant_scores_teach_nothing() -> None:
    book = Calibration()
    for outcome in (0.1, -0.2, 0.3):
        book.add("a", 0.5, outcome)
    assert book.information_coefficient("a") == PRIOR_IC


def test_the_record_moves_the_prior_by_its_length() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=100)
    outcomes = 0.1 * scores + rng.normal(size=100)
    book = Calibration()
    for score, outcome in zip(scores, outcomes, strict=True):
        book.add("a", float(score), float(outcome))
    correlation = np.corrcoef(scores, outcomes)[0, 1]
    expected = (100 * correlation + PRIOR_WEIGHT * PRIOR_IC) / (100 + PRIOR_WEIGHT)
    assert book.information_coefficient("a") == pytest.approx(expected)
    assert book.information_coefficient("b") == PRIOR_IC


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), max_size=50))
def test_no_record_leaves_the_bounds(pairs: list[tuple[float, float]]) -> None:
    book = Calibration()
    for score, outcome in pairs:
        book.add("a", score, outcome)
    assert 0 <= book.information_coefficient("a") <= BOUND
