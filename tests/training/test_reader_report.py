"""The figures by which a reader is chosen and reported."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.simulations.training.reader.course import tempered_loss
from paperdesk.simulations.training.reader.report import bins_of, report_of


@given(st.floats(-2.0, 2.0))
def test_a_look_does_not_mind_how_sure_a_reader_is(log_scale: float) -> None:
    rng = np.random.default_rng(0)
    logits, truth = rng.normal(size=(40, 3)), rng.integers(0, 3, 40)
    logits[np.arange(40), truth] += 1.0
    weights = np.ones(40)
    found = tempered_loss(logits, truth, weights)
    assert tempered_loss(logits * np.exp(log_scale), truth, weights) == pytest.approx(found, abs=1e-4)
    assert found < np.log(3)
    assert tempered_loss(logits * np.nan, truth, weights) == np.inf


def test_bins_and_figures_by_class() -> None:
    found = np.array([[0.9, 0.05, 0.05], [0.95, 0.03, 0.02], [0.2, 0.45, 0.35], [0.1, 0.2, 0.7]])
    truth = np.array([0, 1, 1, 2])
    bins = bins_of(found, truth)
    assert [(b.texts, b.right) for b in bins] == [(1, 1.0), (1, 1.0), (1, 1.0), (1, 0.0)]
    assert bins[-1].sure == pytest.approx(0.95)
    report = report_of(found, found, truth)
    assert report.by_class["negative"].precision == 0.5
    assert report.by_class["neutral"].recall == 0.5
    assert report.majority == 0.5
