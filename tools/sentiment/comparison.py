"""Sentiment classifiers side by side, on the same held-out texts, before and after calibration.

The labelled texts are split once, class by class: one part for what is fitted to this very file, one to calibrate on,
and one to be judged on, which nothing else has seen. A head that was fitted to texts of the last two parts is refused.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import numpy as np

from ..errors import InputError
from ..frozen import Frozen, content_hash
from . import calibration
from .calibration import Calibration, Method
from .classifier import CLASSES, Label, Probabilities, Remembers, SentimentClassifier, columns_of
from .embedding import EmbeddingClassifier
from .labelled import Labelled, split
from .scores import Scores, scores

SHARES = (0.5, 0.2, 0.3)
"""Of the texts: to fit, to calibrate, to judge."""
MINIMUM = 25
"""Texts of each class without which the calibration part would have fewer than it needs."""


@dataclass(frozen=True)
class Fitted:
    """A contender that is fitted to the first part of the compared texts."""

    name: str
    fit: Callable[[Sequence[str], Sequence[str]], SentimentClassifier]
    """Texts and labels in, a classifier out."""


Contender = SentimentClassifier | Fitted


class Result(Frozen):
    """One classifier's."""

    classifier: str
    fingerprint: str
    before: Scores
    after: Scores
    """With the calibration."""
    calibration: Calibration
    items_per_second: float
    """Texts judged in a second, measured over the texts of the last part, the model loaded and warm."""


class Comparison(Frozen):
    """All results on one set of labelled texts."""

    data: str
    data_sha256: str
    repeats_left_out: int
    classes: tuple[str, ...] = CLASSES
    seed: int
    fitted_on: int
    calibrated_on: int
    judged_on: int
    results: tuple[Result, ...]
    """In the order asked for, the baseline first."""

    @property
    def accuracy_error(self) -> float:
        """The largest standard error that an accuracy here can have, sqrt(0.25 / n)."""
        return sqrt(0.25 / self.judged_on)


@dataclass(frozen=True)
class ClassFrequencies:
    """The baseline: it knows how frequent each class is, and reads nothing."""

    frequencies: tuple[float, ...]
    name: str = "majority class"
    classes: ClassVar[tuple[Label, ...]] = CLASSES

    @classmethod
    def fit(cls, texts: Sequence[str], labels: Sequence[str]) -> "ClassFrequencies":
        """The frequencies among labels."""
        counts = np.bincount(columns_of(labels), minlength=len(CLASSES))
        return cls(tuple((counts / len(texts)).tolist()))

    @property
    def fingerprint(self) -> str:
        """Hash of the frequencies."""
        return content_hash(["frequencies", self.frequencies])

    def predict(self, texts: Sequence[str]) -> Probabilities:
        """The same for every text, (len(texts), 3)."""
        return np.tile(self.frequencies, (len(texts), 1))


def compare(
    contenders: Sequence[Contender],
    labelled: Labelled,
    *,
    timer: Callable[[], float],
    seed: int = 0,
    method: Method = "vector",
    progress: Callable[[str], None] = lambda line: None,
) -> Comparison:
    """Judge classifiers on labelled texts.

    Args:
        contenders: classifiers, and ones to be fitted to a part of the texts.
        labelled: at least `MINIMUM` texts of each class.
        timer: seconds from some beginning (`time.perf_counter`).
        seed: of the split.
        method: of calibration.
        progress: is told what is being done.

    Raises:
        InputError: too few texts of a class, a negative seed, or a contender was fitted to texts it would be judged on.
        PaperDeskError: a classifier broke.
    """
    _refuse_too_few(labelled)
    if seed < 0:
        raise InputError(f"the seed cannot be {seed}; give 0 or a larger whole number")
    parts = split(labelled.labels, SHARES, np.random.default_rng(seed))
    fitting, calibrating, judging = (labelled.rows(part) for part in parts)
    results = []
    for contender in [Fitted(ClassFrequencies.name, ClassFrequencies.fit), *contenders]:
        progress(f"{contender.name}: {len(labelled)} texts")
        classifier = contender
        if isinstance(classifier, Fitted):
            classifier = classifier.fit(fitting.texts, fitting.labels)
        _refuse_seen(classifier, (*calibrating.texts, *judging.texts))
        results.append(_judged(classifier, calibrating, judging, timer, method))
    return Comparison(
        data=labelled.name,
        data_sha256=labelled.sha256,
        repeats_left_out=labelled.repeats,
        seed=seed,
        fitted_on=len(fitting),
        calibrated_on=len(calibrating),
        judged_on=len(judging),
        results=tuple(results),
    )


def _judged(
    classifier: SentimentClassifier,
    calibrating: Labelled,
    judging: Labelled,
    timer: Callable[[], float],
    method: Method,
) -> Result:
    # the calibration part first: it loads what is loaded at first use, so that the clock runs on a warm model
    held_out = classifier.predict(calibrating.texts)
    scaling = calibration.fit(held_out, calibrating.texts, calibrating.labels, classifier.fingerprint, method)
    began = timer()
    predicted = classifier.predict(judging.texts)
    seconds = max(timer() - began, 1e-9)
    truth = columns_of(judging.labels)
    return Result(
        classifier=classifier.name,
        fingerprint=classifier.fingerprint,
        before=scores(predicted, truth),
        after=scores(scaling.apply(predicted), truth),
        calibration=scaling,
        items_per_second=len(judging) / seconds,
    )


def _refuse_too_few(labelled: Labelled) -> None:
    counts = np.bincount(columns_of(labelled.labels), minlength=len(CLASSES))
    if counts.min() < MINIMUM:
        told = ", ".join(f"{count} {name}" for name, count in zip(CLASSES, counts.tolist(), strict=True))
        raise InputError(f"{labelled.name} has {told}; a comparison needs at least {MINIMUM} different texts of each")


def _refuse_seen(classifier: SentimentClassifier, texts: Sequence[str]) -> None:
    seen = sum(classifier.has_seen(text) for text in texts) if isinstance(classifier, Remembers) else 0
    if seen:
        instead = "compare embedding:fit instead, or " if isinstance(classifier, EmbeddingClassifier) else ""
        raise InputError(
            f"{classifier.name} was fitted to {seen} of the {len(texts)} texts it would be judged on;"
            f" {instead}use other texts"
        )
