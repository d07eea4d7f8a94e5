"""What is fitted, judged where it was not: a fit that knows something gains, one that knows nothing does not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from paperdesk.simulations.evaluation.fitted import Cut, probability_gains, regime_gains
from paperdesk.simulations.evaluation.skill import Judged
from paperdesk.simulations.evaluation.splits import Spans, Split, combinatorial, walk_forward
from paperdesk.tools.hidden_markov import Parameters, log_densities, stationary

CHAIN = Parameters(
    start=(0.5, 0.5), transitions=((0.98, 0.02), (0.05, 0.95)), means=(0.001, -0.001), variances=(4e-5, 6e-4)
)


def returns_of(model: Parameters, count: int, seed: int) -> np.ndarray:
    """A path of the model."""
    rng = np.random.default_rng(seed)
    state, found = 0, []
    for _ in range(count):
        found.append(rng.normal(model.means[state], model.variances[state] ** 0.5))
        state = int(rng.random() < model.transitions[state][1])
    return np.array(found)


def spans(count: int) -> Spans:
    """One session each."""
    return Spans(np.arange(count), np.arange(count) + 1)


@pytest.mark.parametrize("cut", [lambda s: walk_forward(s, 6), lambda s: combinatorial(s, 5, 1, embargo=1)])
def test_two_states_gain_where_there_are_two(cut: Cut) -> None:
    returns = returns_of(CHAIN, 1500, 3)
    gains = [regime_gains(returns, split, 0).mean() for split in cut(spans(len(returns))) if len(split.train) > 400]
    assert len(gains) >= 3
    assert np.mean(gains) > 0.1


def test_two_states_gain_nothing_where_there_is_one() -> None:
    returns = np.random.default_rng(5).normal(0.0005, 0.01, 900)
    gains = [regime_gains(returns, split, 0).mean() for split in walk_forward(spans(900), 3)]
    assert abs(np.mean(gains)) < 0.02


def test_what_comes_later_does_not_change_an_earlier_gain() -> None:
    returns = returns_of(CHAIN, 900, 1)
    split = Split(np.arange(600), np.arange(600, 900))
    altered = returns.copy()
    altered[750:] *= -3
    before, after = regime_gains(returns, split, 0), regime_gains(altered, split, 0)
    np.testing.assert_array_equal(before[:150], after[:150])
    assert (before[150:] != after[150:]).all()


@given(st.floats(0.01, 0.99), st.floats(-0.05, 0.05), st.floats(-0.05, 0.05))
def test_densities_are_those_of_the_mixture_written_out(calm: float, first: float, second: float) -> None:
    belief = np.array([calm, 1 - calm])
    sd = np.sqrt(CHAIN.variances)
    expected = belief @ np.array(CHAIN.transitions)
    told = []
    for value in (first, second):
        joint = expected * norm.pdf(value, CHAIN.means, sd)
        told.append(np.log(joint.sum()))
        expected = joint / joint.sum() @ np.array(CHAIN.transitions)
    np.testing.assert_allclose(log_densities(CHAIN, belief, np.array([first, second])), told, rtol=1e-9)


def test_stationary_is_left_as_it_is_by_a_session() -> None:
    shares = stationary(CHAIN)
    np.testing.assert_allclose(shares @ np.array(CHAIN.transitions), shares)
    assert shares.sum() == pytest.approx(1)


@pytest.mark.parametrize(("slope", "least", "most"), [(3.0, 0.05, 0.25), (0.0, -0.02, 0.01)])
def test_a_probability_gains_where_scores_foretell(slope: float, least: float, most: float) -> None:
    rng = np.random.default_rng(2)
    score = rng.uniform(-1, 1, 600)
    outcome = np.where(rng.random(600) < 1 / (1 + np.exp(-slope * score)), 0.5, -0.5)
    judged = Judged(np.repeat(np.arange(60), 10), score, np.full(600, 0.5), outcome)
    starts = judged.decision * 21
    gains = np.concatenate([probability_gains(judged, s) for s in walk_forward(Spans(starts, starts + 21), 5)])
    assert least < gains.mean() < most


def test_one_kind_of_outcome_has_no_gain() -> None:
    judged = Judged(np.arange(10), np.linspace(-1, 1, 10), np.full(10, 0.5), np.ones(10))
    assert np.isnan(probability_gains(judged, Split(np.arange(5), np.arange(5, 10)))).all()
