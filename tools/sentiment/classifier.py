"""The one protocol behind which every measure of sentiment stands: texts in, a distribution over three classes out."""

from collections.abc import Sequence
from typing import Literal, Protocol, get_args, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError

Label = Literal["negative", "neutral", "positive"]
CLASSES: tuple[Label, ...] = get_args(Label)
"""What news can be for the one who reads it as an owner, in the order of the columns of every prediction."""

Probabilities = NDArray[np.float64]
"""Shape (texts, 3), columns as in `CLASSES`, rows sum to 1."""


class SentimentClassifier(Protocol):
    """Says how texts sound.

    The answer for a text does not depend on the other texts of a call, but for rounding in the last digits where a
    neural network works in batches.
    """

    @property
    def name(self) -> str:
        """For people."""
        ...

    @property
    def classes(self) -> tuple[Label, ...]:
        """The columns of `predict`: always `CLASSES`."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hash of all that determines the answers: weights, parameters, versions."""
        ...

    def predict(self, texts: Sequence[str]) -> Probabilities:
        """The distribution of each text, (len(texts), 3); any text has one, the empty one too."""
        ...


@runtime_checkable
class Remembers(Protocol):
    """A classifier that knows which texts it was fitted to."""

    def has_seen(self, text: str) -> bool:
        """Whether it was fitted to this text."""
        ...


def softmax(logits: ArrayLike) -> Probabilities:
    """exp(x) / sum(exp(x)) of each row, computed relative to its maximum; (n, k) to (n, k)."""
    x = np.asarray(logits, dtype=np.float64)
    weights = np.exp(x - x.max(axis=1, keepdims=True))
    total: Probabilities = weights / weights.sum(axis=1, keepdims=True)
    return total


def tones(probabilities: Probabilities) -> NDArray[np.float64]:
    """P(positive) - P(negative) of each row, in [-1, 1]."""
    balance: NDArray[np.float64] = (
        probabilities[:, CLASSES.index("positive")] - probabilities[:, CLASSES.index("negative")]
    )
    return balance


def columns_of(labels: Sequence[str]) -> NDArray[np.int64]:
    """The column of each label.

    Raises:
        InputError: a label is none of `CLASSES`.
    """
    strange = sorted(set(labels) - set(CLASSES))
    if strange:
        raise InputError(f"{strange[0]!r} is no sentiment; label texts with {', '.join(CLASSES)}")
    return np.array([CLASSES.index(label) for label in labels], dtype=np.int64)


def refuse_few(labels: Sequence[str], least: int, purpose: str) -> None:
    """Refuse labels from which nothing can be learnt about some class.

    Raises:
        InputError: a label is unknown, or a class has fewer than `least` texts.
    """
    counts = np.bincount(columns_of(labels), minlength=len(CLASSES))
    if counts.min() < least:
        told = ", ".join(f"{count} {name}" for name, count in zip(CLASSES, counts.tolist(), strict=True))
        raise InputError(f"{purpose} needs at least {least} texts of each class, not {told}; add labelled texts")
