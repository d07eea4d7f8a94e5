"""Scaling: it stays a distribution, never worsens what it was fitted to, and repairs known faults."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from paperdesk.tools.errors import InputError
from paperdesk.tools.sentiment.calibration import CalibratedClassifier, Calibration, Method, calibrate, fit
from paperdesk.tools.sentiment.classifier import CLASSES, Probabilities, softmax
from paperdesk.tools.sentiment.embedding import EmbeddingClassifier
from paperdesk.tools.sentiment.labelled import Labelled
from paperdesk.tools.sentiment.lexicon import LexiconClassifier
from paperdesk.tools.sentiment.scores import expected_calibration_error, scores

METHODS: tuple[Method, ...] = ("vector", "temperature")


def drawn(seed: int, count: int, sharpness: float, bias: tuple[float, float, float]) -> tuple[Probabilities, list[str]]:
    """Predictions that are distorted in a known way, and labels that follow the undistorted ones."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0.0, 1.5, (count, 3))
    labels: list[str] = [CLASSES[rng.choice(3, p=row)] for row in softmax(logits)]
    labels[:15] = [*CLASSES] * 5
    return softmax(logits * sharpness + np.array(bias)), labels


@given(
    seed=st.integers(0, 10**6),
    count=st.integers(15, 60),
    sharpness=st.floats(0.0, 8.0),
    bias=st.tuples(*[st.floats(-20, 20)] * 3),
    method=st.sampled_from(METHODS),
)
def test_scaling_never_worsens_what_it_was_fitted_to(
    seed: int, count: int, sharpness: float, bias: tuple[float, float, float], method: Method
) -> None:
    predicted, labels = drawn(seed, count, sharpness, bias)
    found = fit(predicted, ["t"] * count, labels, "f", method)
    assert found.log_loss_after <= found.log_loss_before
    scaled = found.apply(predicted)
    assert np.isfinite(scaled).all()
    np.testing.assert_allclose(scaled.sum(axis=1), 1.0, atol=1e-12)
    if method == "temperature":
        assert len(set(found.weights)) == 1
        assert found.biases == (0.0, 0.0, 0.0)


def test_a_known_distortion_is_undone() -> None:
    predicted, labels = drawn(1, 4000, 3.0, (2.0, -1.0, 0.0))
    found = fit(predicted, ["t"] * 4000, labels, "f")
    assert found.weights == pytest.approx((1 / 3,) * 3, abs=0.05)
    assert found.biases[0] - found.biases[1] == pytest.approx(-1.0, abs=0.15)
    temperature = fit(predicted, ["t"] * 4000, labels, "f", "temperature")
    assert found.log_loss_after < temperature.log_loss_after < temperature.log_loss_before
    fresh, truth = drawn(2, 4000, 3.0, (2.0, -1.0, 0.0))
    columns = np.array([CLASSES.index(one) for one in truth])
    before, after = scores(fresh, columns), scores(found.apply(fresh), columns)
    assert after.ece < 0.03 < 0.15 < before.ece
    assert after.brier < before.brier


def test_a_temperature_keeps_the_order_of_the_classes() -> None:
    predicted, labels = drawn(3, 300, 0.2, (0.0, 0.0, 0.0))
    found = fit(predicted, ["t"] * 300, labels, "f", "temperature")
    assert np.array_equal(np.argsort(found.apply(predicted)), np.argsort(predicted))
    assert found.weights[0] > 1.5


def test_a_classifier_that_is_always_right_gets_no_infinite_weight() -> None:
    labels = [*CLASSES] * 10
    predicted = softmax(5.0 * np.eye(3)[[CLASSES.index(one) for one in labels]])
    found = fit(predicted, labels, labels, "f")
    assert found.log_loss_after < found.log_loss_before
    assert max(found.weights) < 20
    zero_one = np.eye(3)[[CLASSES.index(one) for one in labels]]
    assert np.isfinite(fit(zero_one, labels, labels, "f").log_loss_after)


@pytest.mark.parametrize("method", METHODS)
def test_real_classifiers_stay_distributions(
    embedding: EmbeddingClassifier, sayings: Labelled, method: Method, tmp_path: Path
) -> None:
    for classifier in (LexiconClassifier(), embedding):
        found = calibrate(classifier, sayings.texts, sayings.labels, method)
        predicted = found.predict([*sayings.texts, "", "\u4e2d"])
        np.testing.assert_allclose(predicted.sum(axis=1), 1.0, atol=1e-12)
        assert found.calibration.log_loss_after < found.calibration.log_loss_before
        assert found.name == f"{classifier.name}, calibrated"
        assert found.fingerprint != classifier.fingerprint
        found.calibration.save(tmp_path / "calibration.json")
        again = CalibratedClassifier(classifier, Calibration.load(tmp_path / "calibration.json"))
        assert again.fingerprint == found.fingerprint
        assert np.array_equal(again.predict(sayings.texts), found.predict(sayings.texts))


def test_a_calibration_fits_its_own_classifier_only(embedding: EmbeddingClassifier, sayings: Labelled) -> None:
    of_lexicon = calibrate(LexiconClassifier(), sayings.texts, sayings.labels).calibration
    with pytest.raises(InputError, match="belongs to another classifier than embedding"):
        CalibratedClassifier(embedding, of_lexicon)


def test_texts_that_cannot_carry_a_fit_are_refused() -> None:
    lexicon = LexiconClassifier()
    with pytest.raises(InputError, match="at least 5 texts of each class, not 5 negative, 0 neutral, 5 positive"):
        calibrate(lexicon, ["x"] * 10, ["negative", "positive"] * 5)
    with pytest.raises(InputError, match="at least 5 texts of each class, not 0 negative"):
        calibrate(lexicon, [], [])
    with pytest.raises(InputError, match="one label for each text"):
        calibrate(lexicon, ["x"], ["negative", "positive"])
    with pytest.raises(InputError, match="'up' is no sentiment"):
        calibrate(lexicon, ["x"], ["up"])
    labels = [*CLASSES] * 5
    for broken in (np.full((15, 3), np.nan), np.full((15, 3), 0.5), np.tile([1.5, -0.5, 0.0], (15, 1))):
        with pytest.raises(InputError, match="no distributions"):
            fit(broken, labels, labels, "f")


@pytest.mark.parametrize("text", ["", "{}", '{"method": "vector"}', "\xff"])
def test_a_file_that_is_no_calibration_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.json").write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match="is no calibration"):
        Calibration.load(tmp_path / "c.json")
    with pytest.raises(InputError, match="cannot be read"):
        Calibration.load(tmp_path / "none.json")


def test_a_weight_that_turns_a_class_round_is_refused(tmp_path: Path) -> None:
    labels = [*CLASSES] * 5
    found = fit(np.full((15, 3), 1 / 3), labels, labels, "f")
    (tmp_path / "c.json").write_text(found.model_dump_json().replace('"weights":[', '"weights":[-'), encoding="utf-8")
    with pytest.raises(InputError, match="not positive"):
        Calibration.load(tmp_path / "c.json")
    with pytest.raises(ValidationError):
        Calibration.model_validate({**found.model_dump(), "biases": [float("nan"), 0.0, 0.0]})


def test_scores_of_a_case_done_by_hand() -> None:
    predicted = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.4, 0.5, 0.1], [0.0, 0.0, 1.0]])
    truth = np.array([0, 2, 0, 1])
    found = scores(predicted, truth)
    assert found.accuracy == 0.5
    assert found.confusion == ((1, 1, 0), (0, 0, 1), (0, 0, 1))
    # F1: 2/3 (precision 1, recall 1/2), 0, 2/3 (precision 1/2, recall 1)
    assert found.macro_f1 == pytest.approx((2 / 3 + 0 + 2 / 3) / 3)
    assert found.brier == pytest.approx((0.14 + 0.26 + 0.62 + 2.0) / 4)
    assert found.log_loss == pytest.approx(-np.log([0.7, 0.6, 0.4, 1e-12]).mean(), rel=1e-6)
    # each text alone in its bin: |1 - 0.7|, |1 - 0.6|, |0 - 0.5|, |0 - 1|
    assert found.ece == pytest.approx((0.3 + 0.4 + 0.5 + 1.0) / 4)
    assert expected_calibration_error(np.tile([0.5, 0.3, 0.2], (4, 1)), np.array([0, 0, 1, 2])) == pytest.approx(0.0)
