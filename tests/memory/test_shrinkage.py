"""Shrinkage against the posterior of the whole normal model, and agreement against the exact combination."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.memory.calibration.agreement import PRIOR_PAIRS, correlation, discounts
from paperdesk.memory.calibration.columns import Columns, row_of
from paperdesk.memory.calibration.shrinkage import (
    AGENT_SPREAD,
    BOUND,
    PRIOR_IC,
    REGIME_SPREAD,
    agent_skill,
    bounded,
    regime_skill,
)

from .conftest import outcome

cells = st.lists(st.tuples(st.floats(-1, 1), st.floats(0.5, 2000)), min_size=1, max_size=4)


def posterior(found: list[tuple[float, float]]) -> np.ndarray:
    """Posterior means of (theta_g, theta_g1, ...): the joint normal density, by its precision matrix."""
    size = len(found)
    precision = np.zeros((size + 1, size + 1))
    linear = np.zeros(size + 1)
    precision[0, 0] += 1 / AGENT_SPREAD**2
    linear[0] += PRIOR_IC / AGENT_SPREAD**2
    for k, (ic, count) in enumerate(found, 1):
        between = 1 / REGIME_SPREAD**2
        precision[np.ix_([0, k], [0, k])] += between * np.array([[1, -1], [-1, 1]])
        precision[k, k] += count
        linear[k] += count * ic
    return np.linalg.solve(precision, linear)


@given(cells)
def test_both_steps_are_the_posterior_of_the_whole_model(found: list[tuple[float, float]]) -> None:
    expected = posterior(found)
    agent = agent_skill(found)
    assert agent == pytest.approx(expected[0], abs=1e-9)
    for k, (ic, count) in enumerate(found, 1):
        assert regime_skill(ic, count, agent) == pytest.approx(expected[k], abs=1e-9)


@given(cells)
def test_an_agent_lies_between_its_record_and_the_prior(found: list[tuple[float, float]]) -> None:
    values = [PRIOR_IC, *(ic for ic, _ in found)]
    assert min(values) - 1e-12 <= agent_skill(found) <= max(values) + 1e-12


def test_without_a_record_the_prior_holds_and_a_long_one_outweighs_it() -> None:
    assert agent_skill([]) == PRIOR_IC
    assert regime_skill(0.08, 1e9, agent_skill([(0.08, 1e9)])) == pytest.approx(0.08, abs=1e-6)


def test_nobody_is_bet_against_and_nobody_counts_for_more_than_the_bound() -> None:
    assert (bounded(-0.3), bounded(0.04), bounded(0.9)) == (0.0, 0.04, BOUND)


def said(scores: np.ndarray) -> Columns:
    count = len(scores)
    return Columns(
        known=(datetime(2031, 1, 1, tzinfo=UTC),) * count,
        about=tuple(range(count)),
        regimes=np.full(count, "calm"),
        scores=scores,
        surprises=np.zeros(count),
        weights=np.ones(count),
        probabilities=np.full((count, 3), 1 / 3),
        came=np.zeros(count, dtype=np.int64),
    )


def test_two_copies_share_one_weight_and_strangers_keep_theirs() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 20_000))
    both = discounts([said(one), said(one)])
    assert both == pytest.approx([0.5, 0.5], abs=1e-2)
    assert discounts([said(one), said(other)]) == pytest.approx([1, 1], abs=0.02)
    assert discounts([said(one), said(-one)]) == [1, 1]  # disagreement takes nothing


def test_it_is_the_exact_combination_where_coefficients_and_correlations_are_equal() -> None:
    rng = np.random.default_rng(1)
    common, own = rng.normal(size=20_000), rng.normal(size=(3, 20_000))
    voices = [said(common + row) for row in own]  # each pair correlates by a half
    shrunk = 20_000 / (20_000 + PRIOR_PAIRS)
    matrix = np.full((3, 3), 0.5 * shrunk) + np.eye(3) * (1 - 0.5 * shrunk)
    exact = np.linalg.solve(matrix, np.full(3, 0.05))
    assert [0.05 * left for left in discounts(voices)] == pytest.approx(exact.tolist(), rel=0.02)


def test_only_what_both_spoke_about_counts() -> None:
    def spoken(agent: str, rows: list[tuple[str, int, float, float]]) -> Columns:
        outcomes = [outcome(day, agent=agent, ticker=name, score=s, weight=w) for name, day, s, w in rows]
        return Columns.of(row_of(row) for row in outcomes)

    one = spoken("a", [("AURX", 1, 0.5, 1.0), ("AURX", 2, -0.5, 1.0), ("BLTN", 1, 0.9, 1.0)])
    other = spoken("b", [("AURX", 1, 0.2, 0.5), ("AURX", 2, -0.2, 0.5), ("CRDL", 1, 0.9, 1.0)])
    assert correlation(one, other) == pytest.approx(1.0 * 1 / (1 + PRIOR_PAIRS))
    assert correlation(one, spoken("b", [("BLTN", 1, 0.1, 1.0)])) == 0
