"""The price of choosing the best: PBO and SPA."""

import warnings
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from paperdesk.simulations.evaluation.metrics import DegenerateTrack, EvaluationError
from paperdesk.simulations.evaluation.resampling import block_length, stationary_places
from paperdesk.simulations.evaluation.selection import long_run_variance, overfitting, superiority

NOISE = np.random.default_rng(11).normal(0, 0.01, (240, 8))


def test_overfitting_is_what_the_definition_says() -> None:
    """Bailey et al. (2017), steps 1 to 5, written out once more, with ranks from scipy."""
    from scipy.stats import rankdata

    parts = np.array_split(np.arange(len(NOISE)), 6)
    logits = []
    for chosen in combinations(range(6), 3):
        inside = np.vstack([NOISE[parts[i]] for i in chosen])
        outside = np.vstack([NOISE[parts[i]] for i in range(6) if i not in chosen])
        best = (inside.mean(0) / inside.std(0, ddof=1)).argmax()
        share = rankdata(outside.mean(0) / outside.std(0, ddof=1))[best] / (NOISE.shape[1] + 1)
        logits.append(np.log(share / (1 - share)))
    found = overfitting(NOISE, parts=6)
    assert found.logits == pytest.approx(np.array(logits), rel=1e-6)
    assert found.probability == pytest.approx(float((np.array(logits) < 0).mean()))
    assert found.splits == 20


def test_a_variant_that_is_better_everywhere_is_no_overfitting() -> None:
    better = NOISE.copy()
    better[:, 3] += 0.02
    assert overfitting(better).probability == 0.0


def test_noise_is_overfitted_half_of_the_time() -> None:
    rng = np.random.default_rng(2)
    found = [overfitting(rng.normal(0, 0.01, (300, 10)), parts=8).probability for _ in range(60)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.1)


def test_what_cannot_be_compared_is_refused() -> None:
    with pytest.raises(EvaluationError):
        overfitting(NOISE[:, :1])
    with pytest.raises(EvaluationError):
        overfitting(NOISE, parts=7)
    with pytest.raises(DegenerateTrack):
        overfitting(np.hstack([NOISE, np.zeros((240, 1))]))
    with pytest.raises(DegenerateTrack):
        superiority(np.hstack([NOISE, np.zeros((240, 1))]))


def test_superiority_is_that_of_arch_on_studentized_differences() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from arch.bootstrap import SPA, StationaryBootstrap
    differences = NOISE + np.linspace(-0.002, 0.0016, 8)
    length: Any = max(block_length(differences[:, k]) for k in range(8))  # arch takes fractions, its types do not
    scaled = differences / np.sqrt(long_run_variance(differences, length))
    referee = SPA(np.zeros(240), -scaled, block_size=length, reps=400, studentize=True, seed=5)
    referee.compute()
    # the very histories that arch drew
    drawn = StationaryBootstrap(length, np.arange(240), seed=5)
    places = np.array([data[0][0] for data in drawn.bootstrap(400)])
    found = superiority(differences, places=places)
    for ours, theirs in ((found.lower, "lower"), (found.p_value, "consistent"), (found.upper, "upper")):
        assert ours == pytest.approx(float(referee.pvalues[theirs]), abs=1e-9)
    assert 0 < found.p_value < 1
    assert found.best == int(np.argmax(scaled.mean(axis=0)))
    assert referee._loss_diff_var == pytest.approx(np.ones(8), rel=1e-6)


def test_superiority_has_its_size_and_finds_what_is_there() -> None:
    rng = np.random.default_rng(4)
    null = [superiority(rng.normal(0, 0.01, (200, 5)), draws=200, seed=i).p_value < 0.05 for i in range(100)]
    assert np.mean(null) <= 0.12
    assert superiority(rng.normal([0.0, 0.004], 0.01, (200, 2)), draws=400).p_value < 0.01


def test_the_histories_can_be_drawn_here_too() -> None:
    places = stationary_places(240, 300, 3.0, np.random.default_rng(0))
    assert superiority(NOISE, places=places) == superiority(NOISE, places=places)
