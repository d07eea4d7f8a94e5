"""Views: means move as told, and nothing moves further than it must."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from paperdesk.tools.errors import ProblemError
from paperdesk.tools.optimizer.scenarios import Scenarios
from paperdesk.tools.optimizer.views import View, pooled, shifted


def history(seed: int = 0, rows: int = 200) -> Scenarios:
    rng = np.random.default_rng(seed)
    return Scenarios(("A", "B", "C"), rng.standard_t(4, (rows, 3)) * 0.01, window="history")


def relative_entropy(new: np.ndarray, old: np.ndarray) -> float:
    return float(new @ np.log(new / old))


def test_a_shift_moves_the_mean_and_nothing_else() -> None:
    prior = history()
    moved = shifted(prior, {"B": 0.002})
    assert moved.mean()[1] == pytest.approx(0.002)
    np.testing.assert_array_equal(moved.returns[:, [0, 2]], prior.returns[:, [0, 2]])
    np.testing.assert_allclose(np.cov(moved.returns.T), np.cov(prior.returns.T))


@settings(max_examples=30)
@given(seed=st.integers(0, 500), push=st.floats(-1, 1), relative=st.floats(-0.5, 0.5))
def test_pooled_views_hold(seed: int, push: float, relative: float) -> None:
    prior = history(seed)
    spread = prior.returns.std(axis=0)
    mean = float(prior.mean()[0] + 0.3 * push * spread[0])
    difference = float((prior.mean()[1] - prior.mean()[2]) + 0.3 * relative * spread[1])
    found = pooled(prior, [View.mean("A", mean), View({"B": 1.0, "C": -1.0}, least=difference, most=difference)])
    assert found.chances.sum() == pytest.approx(1)
    assert (found.chances > 0).all()
    assert found.mean()[0] == pytest.approx(mean, abs=1e-9)
    assert found.mean()[1] - found.mean()[2] == pytest.approx(difference, abs=1e-9)


def test_pooled_probabilities_are_the_nearest_by_another_solver() -> None:
    prior = history(3, rows=40)
    views = [View.mean("A", 0.003), View({"B": 1.0}, least=0.001)]
    found = pooled(prior, views)
    start = prior.chances
    solved = minimize(
        lambda p: float(p @ np.log(p / start)),
        start,
        jac=lambda p: np.log(p / start) + 1,
        bounds=[(1e-9, 1)] * 40,
        constraints=[
            {"type": "eq", "fun": lambda p: p.sum() - 1},
            {"type": "eq", "fun": lambda p: 100 * (p @ prior.returns[:, 0] - 0.003)},
            {"type": "ineq", "fun": lambda p: 100 * (p @ prior.returns[:, 1] - 0.001)},
        ],
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert relative_entropy(found.chances, start) == pytest.approx(float(solved.fun), rel=1e-5)
    np.testing.assert_allclose(found.chances, solved.x, atol=1e-4)


def test_a_view_that_already_holds_changes_nothing() -> None:
    prior = history()
    found = pooled(prior, [View({"A": 1.0}, least=float(prior.mean()[0]) - 0.01)])
    np.testing.assert_allclose(found.chances, prior.chances, atol=1e-12)


def test_confidence_mixes_with_the_prior() -> None:
    prior = history()
    whole = pooled(prior, [View.mean("A", 0.004)])
    half = pooled(prior, [View.mean("A", 0.004)], confidence=0.5)
    np.testing.assert_allclose(half.chances, (whole.chances + prior.chances) / 2)
    assert pooled(prior, []) is prior


def test_views_that_no_scenario_supports_are_refused() -> None:
    with pytest.raises(ProblemError, match=r"No probabilities|worth only"):
        pooled(history(), [View.mean("A", 0.5)])
    with pytest.raises(ProblemError, match=r"No probabilities|worth only"):
        pooled(history(), [View.mean("A", 0.002), View.mean("A", -0.002)])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: View({"A": 1.0}),
        lambda: View({"A": float("nan")}, least=0.0),
        lambda: View({"A": 1.0}, least=0.2, most=0.1),
        lambda: pooled(history(), [View.mean("GHOST", 0.1)]),
        lambda: pooled(history(), [View.mean("A", 0.001)], confidence=2.0),
        lambda: shifted(history(), {"GHOST": 0.1}),
        lambda: shifted(history(), {"A": float("inf")}),
    ],
)
def test_views_that_cannot_be_meant_are_refused(wrong: object) -> None:
    with pytest.raises(ProblemError):
        wrong()  # type: ignore[operator]
