"""Probabilities that mean what they say: a classifier's distribution sharpened, softened and shifted on held-out texts.

With p the classifier's distribution of a text, the calibrated one is (Guo, Pleiss, Sun and Weinberger 2017, section
4.2, on log-probabilities, which are logits up to a constant)
    q_k  proportional to  exp(w_k log p_k + b_k).
Vector scaling has a weight w_k > 0 and a bias b_k for each class; temperature scaling has one weight w = 1 / T and no
bias, so it never changes which class is the most probable. Fitted is the minimum over n held-out texts of
    mean over i of -log q_i[label_i]  +  (1 / (2 n)) (sum_k log(w_k)^2 + sum_k b_k^2),
the posterior mode under standard normal priors on log w_k and b_k. They matter when n is small, and keep the minimum
finite where a classifier is right every time. As the identity (w = 1, b = 0) has no penalty, the log loss on the texts
that were fitted to never rises.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from ..disk import save
from ..errors import InputError
from ..frozen import Frozen, content_hash
from .classifier import CLASSES, Label, Probabilities, SentimentClassifier, columns_of, refuse_few, softmax

Method = Literal["vector", "temperature"]
MINIMUM = 5
"""Held-out texts of each class without which nothing is fitted."""
FLOOR = 1e-12
"""Probabilities below it count as it: a network's can be exactly zero."""

Triple = tuple[float, float, float]
"""One number per class, in the order of `CLASSES`."""


class Calibration(Frozen):
    """What was learnt on held-out texts about one classifier."""

    method: Method
    weights: Triple
    """Above 0; 1 leaves a class's log-probability alone."""
    biases: Triple
    texts: int = Field(ge=1)
    """How many it was fitted to."""
    log_loss_before: float
    """Mean on these texts, in nats."""
    log_loss_after: float
    data_sha256: str
    """Of these texts and labels."""
    classifier: str
    """Fingerprint of the classifier: it is meant for no other."""

    def apply(self, probabilities: Probabilities) -> Probabilities:
        """The calibrated distributions of predictions, (n, 3) to (n, 3)."""
        return _scaled(np.log(np.maximum(probabilities, FLOOR)), np.array(self.weights), np.array(self.biases))

    def save(self, path: Path) -> None:
        """Write it as JSON.

        Raises:
            InputError: the file cannot be written.
        """
        save(path, self.model_dump_json(indent=1).encode())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            InputError: there is no such file, or it holds no calibration.
        """
        try:
            found = cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise InputError(f"{path} cannot be read ({error.strerror}); calibrate and save again") from None
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"])) or "the file"
            raise InputError(f"{path} is no calibration ({where} does not fit); calibrate and save again") from None
        if min(found.weights) <= 0:
            raise InputError(f"{path} is no calibration (a weight is not positive); calibrate and save again")
        return found


@dataclass(frozen=True)
class CalibratedClassifier:
    """A classifier seen through its calibration.

    Raises:
        InputError: the calibration was fitted to another classifier.
    """

    classifier: SentimentClassifier
    calibration: Calibration

    def __post_init__(self) -> None:
        if self.calibration.classifier != self.classifier.fingerprint:
            raise InputError(
                f"this calibration belongs to another classifier than {self.classifier.name}; calibrate this one"
            )

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.classifier.name}, calibrated"

    @property
    def classes(self) -> tuple[Label, ...]:
        """The columns of `predict`."""
        return CLASSES

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the classifier's fingerprint and the scaling."""
        scaling = self.calibration
        return content_hash([self.classifier.fingerprint, scaling.weights, scaling.biases])

    def predict(self, texts: Sequence[str]) -> Probabilities:
        """The calibrated distribution of each text, (len(texts), 3)."""
        return self.calibration.apply(self.classifier.predict(texts))


def calibrate(
    classifier: SentimentClassifier, texts: Sequence[str], labels: Sequence[str], method: Method = "vector"
) -> CalibratedClassifier:
    """The classifier with the scaling that fits these texts best; they must not be ones that it was trained on.

    Raises:
        InputError: the texts cannot carry a fit (see `fit`).
    """
    return CalibratedClassifier(
        classifier, fit(classifier.predict(texts), texts, labels, classifier.fingerprint, method)
    )


def fit(
    probabilities: Probabilities,
    texts: Sequence[str],
    labels: Sequence[str],
    fingerprint: str,
    method: Method = "vector",
) -> Calibration:
    """The calibration of predictions that are at hand.

    Args:
        probabilities: a classifier's, (n, 3).
        texts: what was classified.
        labels: what is true.
        fingerprint: of the classifier.
        method: `vector` or `temperature`.

    Raises:
        InputError: not one label for each text, an unknown label, fewer than `MINIMUM` texts of a class, or predictions
            that are no distributions.
    """
    # imported here: scipy takes a moment, and a saved calibration needs no fit
    from scipy.optimize import minimize
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    if not len(probabilities) == len(texts) == len(labels):
        raise InputError(f"{len(texts)} texts came with {len(labels)} labels; give one label for each text")
    refuse_few(labels, MINIMUM, "A calibration")
    sums_off = np.abs(probabilities.sum(axis=1) - 1).max()
    if not isfinite(sums_off) or probabilities.min() < 0 or sums_off > 1e-6:
        raise InputError("these predictions are no distributions; repair the classifier before calibrating it")
    logs, truth = np.log(np.maximum(probabilities, FLOOR)), columns_of(labels)

    def objective(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """The value and its gradient."""
        weights, biases = _unpacked(parameters)
        scaled = _scaled(logs, weights, biases)
        value = _log_loss(scaled, truth) + float((parameters**2).sum()) / (2 * len(truth))
        surplus = scaled - np.eye(len(CLASSES))[truth]
        slopes = (surplus * logs).sum(axis=0) * weights
        slopes = slopes.sum(keepdims=True) if method == "temperature" else np.append(slopes, surplus.sum(axis=0))
        return value, (slopes + parameters) / len(truth)

    start = np.zeros(1 if method == "temperature" else 2 * len(CLASSES))
    # one thread: for six numbers those of a BLAS only wait for each other
    with threadpool_limits(1, user_api="blas"):
        found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=[(-6.0, 6.0)] * len(start)).x
    before = _log_loss(_scaled(logs, *_unpacked(start)), truth)
    weights, biases = _unpacked(found)
    after = _log_loss(_scaled(logs, weights, biases), truth)
    if after > before:  # the minimizer's last digits
        (weights, biases), after = _unpacked(start), before
    return Calibration(
        method=method,
        weights=_triple(weights),
        biases=_triple(biases),
        texts=len(truth),
        log_loss_before=before,
        log_loss_after=after,
        data_sha256=content_hash([list(texts), list(labels)]),
        classifier=fingerprint,
    )


def _unpacked(parameters: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights and biases from log weights (one or three) and biases (none or three)."""
    count = len(CLASSES)
    if len(parameters) == 1:
        return np.full(count, np.exp(parameters[0])), np.zeros(count)
    return np.exp(parameters[:count]), parameters[count:]


def _scaled(logs: NDArray[np.float64], weights: NDArray[np.float64], biases: NDArray[np.float64]) -> Probabilities:
    return softmax(logs * weights + biases)


def _log_loss(probabilities: Probabilities, truth: NDArray[np.int64]) -> float:
    chosen = probabilities[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(chosen, FLOOR)).mean())


def _triple(values: NDArray[np.float64]) -> Triple:
    first, second, third = values.tolist()
    return first, second, third
