"""Nothing that overlaps with a test span is fitted to."""

from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.simulations.evaluation.metrics import EvaluationError
from paperdesk.simulations.evaluation.splits import Spans, combinatorial, walk_forward


def spans(decisions: int, every: int, horizon: int, names: int = 2) -> Spans:
    first = np.repeat(np.arange(decisions) * every, names)
    return Spans(first, first + horizon)


CASES = st.tuples(st.integers(12, 40), st.integers(1, 25), st.integers(1, 70), st.integers(0, 10))


@given(CASES)
def test_no_training_outcome_shares_a_session_with_a_tested_one(case: tuple[int, int, int, int]) -> None:
    decisions, every, horizon, embargo = case
    found = spans(decisions, every, horizon)
    seen = set()
    for split in combinatorial(found, 6, 2, embargo):
        assert not set(split.train) & set(split.test)
        for t in split.test:
            overlap = (found.first[split.train] < found.last[t]) & (found.last[split.train] > found.first[t])
            assert not overlap.any()
        seen |= set(split.test)
    if every >= horizon + embargo:  # nothing is purged, so every part is judged
        assert seen == set(range(len(found)))


@given(CASES)
def test_walking_forward_knows_only_what_had_ended(case: tuple[int, int, int, int]) -> None:
    decisions, every, horizon, _ = case
    found = spans(decisions, every, horizon)
    tested: list[int] = []
    for split in walk_forward(found, 5):
        assert found.last[split.train].max() <= found.first[split.test].min()
        tested += split.test.tolist()
    assert tested == sorted(set(tested))


def test_without_overlap_the_splits_are_those_of_skfolio() -> None:
    model_selection = pytest.importorskip("skfolio.model_selection", reason="needs the extra markets")
    count = 60
    found = Spans(np.arange(count), np.arange(count) + 1)
    ours = list(combinatorial(found, 6, 2))
    assert len(ours) == comb(6, 2)
    referee = model_selection.CombinatorialPurgedCV(n_folds=6, n_test_folds=2, purged_size=0, embargo_size=0)
    splits = list(referee.split(np.zeros((count, 1))))
    theirs = {tuple(np.sort(np.concatenate(tests))): tuple(np.sort(train)) for train, tests in splits}
    assert {tuple(np.sort(s.test)): tuple(s.train) for s in ours} == theirs
    assert len(theirs) == len(list(combinations(range(6), 2)))


def test_what_cannot_be_split_is_refused() -> None:
    with pytest.raises(EvaluationError):
        list(combinatorial(spans(20, 5, 5), 4, 4))
    with pytest.raises(EvaluationError):
        list(walk_forward(spans(3, 5, 5), 5))
    with pytest.raises(EvaluationError):
        Spans(np.array([3, 1]), np.array([4, 2]))
