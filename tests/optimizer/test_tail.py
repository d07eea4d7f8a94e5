"""VaR and CVaR against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.tools.optimizer.tail import conditional_value_at_risk, tail_weights, value_at_risk


def by_definition(losses: np.ndarray, chances: np.ndarray, beta: float) -> float:
    """min over a of a + E[max(0, L - a)] / (1 - beta); the minimum is at one of the losses."""
    return min(float(a + chances @ np.maximum(0, losses - a) / (1 - beta)) for a in losses)


@given(
    data=st.data(),
    size=st.integers(1, 40),
    beta=st.floats(0.01, 0.99),
)
def test_cvar_is_the_minimum_of_rockafellar_and_uryasev(data: st.DataObject, size: int, beta: float) -> None:
    losses = np.array(data.draw(st.lists(st.floats(-1, 1), min_size=size, max_size=size)))
    raw = np.array(data.draw(st.lists(st.floats(0, 1), min_size=size, max_size=size))) + 1e-3
    chances = raw / raw.sum()
    exact = conditional_value_at_risk(losses, chances, beta)
    assert exact == pytest.approx(by_definition(losses, chances, beta), abs=1e-9)
    assert exact >= value_at_risk(losses, chances, beta) - 1e-9
    assert exact >= float(chances @ losses) - 1e-9


@pytest.mark.parametrize(
    ("scenarios", "beta", "worst"),
    [(1000, 0.95, 50.0), (100, 0.95, 5.0), (30, 0.95, 1.5), (10, 0.95, 0.5), (7, 0.6, 2.8)],
)
def test_the_boundary_scenario_counts_with_what_is_left(scenarios: int, beta: float, worst: float) -> None:
    losses = np.arange(scenarios, 0, -1.0)
    chances = np.full(scenarios, 1 / scenarios)
    whole = int(worst + 1e-9)
    expected = (losses[:whole].sum() + (worst - whole) * losses[min(whole, scenarios - 1)]) / worst
    assert conditional_value_at_risk(losses, chances, beta) == pytest.approx(expected, rel=1e-12)


def test_var_is_the_lower_quantile_whatever_rounding_says() -> None:
    # (1 - 0.95) * 1000 is 50.00000000000004: 50 of 1000 losses may lie above the VaR, not 51 and not 49.
    losses = np.arange(1000.0)
    assert value_at_risk(losses, np.full(1000, 1e-3), 0.95) == 949.0


def test_tail_weights_are_a_measure_within_its_density_bound() -> None:
    rng = np.random.default_rng(1)
    chances = rng.dirichlet(np.ones(50))
    weights = tail_weights(rng.normal(size=50), chances, 0.9)
    assert weights.sum() == pytest.approx(1)
    assert (weights <= chances / 0.1 + 1e-12).all()
