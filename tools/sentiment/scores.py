"""How good distributions over three classes are: the scores of a comparison."""

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..frozen import Frozen
from .classifier import CLASSES, Probabilities

BINS = 10
"""Of the expected calibration error, equally wide."""
FLOOR = 1e-12
"""Probabilities below it count as it in the log loss."""


class Scores(Frozen):
    """Of predictions on texts whose class is known; lower is better but for the first two."""

    accuracy: float
    """Part of the texts whose most probable class is the true one."""
    macro_f1: float
    """Mean over the classes of the harmonic mean of precision and recall, 0 for a class that is never predicted."""
    brier: float
    """Mean over texts of the sum over classes of (p_k - y_k)^2, 0..2 (Brier 1950); 2/3 for a third each."""
    log_loss: float
    """Mean of -log p of the true class, in nats; log 3 = 1.099 for a third each."""
    ece: float
    """Expected calibration error (Guo et al. 2017, eq. 3): texts in `BINS` bins by the probability of their most
    probable class, mean over texts of |accuracy - mean probability| of their bin."""
    confusion: tuple[tuple[int, int, int], tuple[int, int, int], tuple[int, int, int]] = Field(repr=False)
    """Counts: a row per true class, a column per predicted one, in the order of `CLASSES`."""


def scores(probabilities: Probabilities, truth: NDArray[np.int64]) -> Scores:
    """The scores of predictions (n, 3) against the true columns (n,); of equal probabilities the first is predicted."""
    # imported here: scikit-learn takes a second
    from sklearn.metrics import accuracy_score, brier_score_loss, confusion_matrix, f1_score, log_loss

    predicted, columns = probabilities.argmax(axis=1), list(range(len(CLASSES)))
    floored = np.maximum(probabilities, FLOOR)
    floored /= floored.sum(axis=1, keepdims=True)
    counts = confusion_matrix(truth, predicted, labels=columns).tolist()
    return Scores(
        accuracy=float(accuracy_score(truth, predicted)),
        macro_f1=float(f1_score(truth, predicted, labels=columns, average="macro", zero_division=0.0)),
        brier=float(brier_score_loss(truth, floored, labels=columns, scale_by_half=False)),
        log_loss=float(log_loss(truth, floored, labels=columns)),
        ece=expected_calibration_error(probabilities, truth),
        confusion=tuple(tuple(row) for row in counts),  # type: ignore[arg-type]
    )


def expected_calibration_error(probabilities: Probabilities, truth: NDArray[np.int64]) -> float:
    """The mean gap between how sure and how often right, over `BINS` bins of the top probability; in [0, 1]."""
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    # a bin holds its upper border, as in the paper
    bins = np.clip(np.ceil(sure * BINS).astype(int) - 1, 0, BINS - 1)
    gaps = np.bincount(bins, weights=right - sure, minlength=BINS)
    return float(np.abs(gaps).sum() / len(truth))
