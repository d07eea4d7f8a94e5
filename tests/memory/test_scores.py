"""The figures of a record against independent libraries, and their intervals against what they promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from paperdesk.memory.calibration.scores import (
    PRIOR_HITS,
    brier,
    calibration_error,
    correlation,
    deflation,
    foretold,
    information_coefficient,
    interval,
    reliability,
)


def drawn(seed: int, count: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of three directions, and directions that come by them or by chance."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet((1.0, 0.7, 1.3), count)
    came = np.array([rng.choice(3, p=0.5 * row + 0.5 / 3) for row in probabilities])
    return probabilities, came


@pytest.mark.parametrize("seed", range(5))
def test_the_brier_score_is_that_of_scikit_learn(seed: int) -> None:
    probabilities, came = drawn(seed)
    assert brier(probabilities, came) == pytest.approx(brier_score_loss(came, probabilities, labels=[0, 1, 2]))


def test_knowing_nothing_scores_two_thirds() -> None:
    assert brier(np.full((9, 3), 1 / 3), np.arange(9) % 3) == pytest.approx(2 / 3)


@pytest.mark.parametrize("seed", range(5))
def test_the_reliability_diagram_is_that_of_scikit_learn(seed: int) -> None:
    probabilities, came = drawn(seed)
    confidence, hit = foretold(probabilities, came)
    hits, means = calibration_curve(hit, confidence, n_bins=10, strategy="uniform")
    bins = reliability(probabilities, came)
    assert [row.hit_rate for row in bins] == pytest.approx(hits.tolist())
    assert [row.confidence for row in bins] == pytest.approx(means.tolist())
    assert sum(row.count for row in bins) == len(came)
    weights = np.array([row.count for row in bins]) / len(came)
    assert calibration_error(bins) == pytest.approx(float(weights @ np.abs(hits - means)))


def test_ten_sure_forecasts_of_which_seven_come_err_by_a_fifth() -> None:
    probabilities = np.tile([0.05, 0.05, 0.9], (10, 1))
    came = np.array([2] * 7 + [0] * 3)
    (only,) = reliability(probabilities, came)
    assert (only.count, only.hit_rate) == (10, 0.7)
    assert only.confidence == pytest.approx(0.9)
    assert calibration_error((only,)) == pytest.approx(0.2)


@pytest.mark.parametrize("seed", range(5))
def test_coefficient_and_interval_are_those_of_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=80)
    surprises = 0.2 * scores + rng.normal(size=80)
    expected = stats.pearsonr(scores, surprises)
    ic = information_coefficient(scores, surprises)
    assert ic == pytest.approx(expected.statistic)
    bounds = expected.confidence_interval(0.95)
    assert interval(float(expected.statistic), 80) == pytest.approx((bounds.low, bounds.high), abs=1e-6)


@pytest.mark.parametrize("count", [2, 3, 17, 400])
def test_the_correlation_is_that_of_numpy_to_the_last_bit(count: int) -> None:
    rng = np.random.default_rng(count)
    for scale in (1e-6, 0.3, 1e4):
        one, other = rng.normal(size=(2, count)) * scale
        for pair in ((one, other), (one, one + 1e-9 * other), (one, -one)):
            assert correlation(*pair) == np.corrcoef(*pair)[0, 1]


def test_what_does_not_vary_has_no_coefficient_and_three_outcomes_no_interval() -> None:
    assert information_coefficient(np.full(5, 0.5), np.arange(5.0)) is None
    assert information_coefficient(np.arange(5.0), np.full(5, 0.5)) is None
    assert interval(0.4, 3.0) is None


def overlapping(rng: np.random.Generator, names: int, dates: int, lags: int, persistence: float) -> float:
    """A correlation under the null: each return overlaps with `lags - 1` later ones; scores change slowly."""
    daily = rng.normal(size=(dates + lags, names))
    returns = np.array([daily[t : t + lags].sum(axis=0) for t in range(dates)])
    scores = np.empty((dates, names))
    scores[0] = rng.normal(size=names)
    for t in range(1, dates):
        scores[t] = persistence * scores[t - 1] + np.sqrt(1 - persistence**2) * rng.normal(size=names)
    found = information_coefficient(scores.ravel(), returns.ravel())
    assert found is not None
    return found


def covered(persistence: float, corrected: bool, sessions: int = 400) -> float:
    """How often the interval covers the true coefficient, 0."""
    rng = np.random.default_rng(1)
    names, dates, lags = 8, 48, 3
    count = names * (1 + (dates - 1) / lags) if corrected else names * dates
    bounds = [interval(overlapping(rng, names, dates, lags, persistence), count) for _ in range(sessions)]
    return float(np.mean([low <= 0 <= high for low, high in filter(None, bounds)]))


def test_the_interval_holds_its_level_where_horizons_overlap_and_scores_hardly_change() -> None:
    assert covered(0.98, corrected=True) >= 0.93
    assert covered(0.98, corrected=False) < 0.85  # what the correction is for


def test_the_interval_is_too_wide_rather_than_too_narrow_where_scores_change() -> None:
    assert covered(0.0, corrected=True) > 0.97


def test_overconfidence_is_deflated_by_observed_over_expected_hits() -> None:
    confidence, hit = np.full(100, 0.8), np.array([1.0] * 40 + [0.0] * 60)
    assert deflation(confidence, hit, np.ones(100)) == pytest.approx((40 + PRIOR_HITS) / (80 + PRIOR_HITS))
    assert deflation(confidence, hit, np.full(100, 1 / 3)) == pytest.approx((40 / 3 + 10) / (80 / 3 + 10))
    assert deflation(confidence, np.ones(100), np.ones(100)) == 1.0  # modesty is not rewarded


@given(st.lists(st.tuples(st.floats(1 / 3, 1), st.booleans(), st.floats(0.01, 1)), min_size=1, max_size=60))
def test_deflation_never_raises_and_never_silences_by_itself(rows: list[tuple[float, bool, float]]) -> None:
    confidence, hit, weights = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    assert 0 < deflation(confidence, hit, weights) <= 1
