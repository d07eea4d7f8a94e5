"""Sentiment by embeddings: multinomial logistic regression on the desk's static vectors, no network, no torch.

    P(class k | text)  proportional to  exp(W_k . v(text) + c_k),
v the 256-dimensional unit vector of the text, W and c fitted by maximum likelihood with a ridge penalty whose strength
is chosen by cross-validated log loss. The lexicon's words, and plain words of business, join the labelled texts as
texts of one word with a small weight: they tell where good, bad and plain words lie, which a few hundred sentences
cannot.

A static vector is a mean over words. It knows what a text is about better than in which direction things went, and it
does not read negations; docs/sentiment.md says how good this is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import as_file, files
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from ..disk import save
from ..errors import InputError
from ..frozen import Frozen, content_hash
from ..market.documents.embedding import DIMENSIONS, VERSION, embed
from .classifier import CLASSES, Label, Probabilities, columns_of, refuse_few, softmax
from .lexicon import NEGATIVE, POSITIVE

WORD_WEIGHT = 0.3
"""Of a single word, beside a labelled text's 1."""
_PLAIN = """
about account address administration agenda agreement also among annual appointed approval article audit auditor
based board bond branch building business calendar chairman chapter city closing committee company conference
consists contract country currency customer data date day department described director division document employee
employees entitled equipment euro event exchange fiscal following form framework group head held holder holding hour
include included index industry information investor issue item lease letter listed local location main manage
manager market material meeting member method million month name named notice number office official operate
operates organisation owner page paper part participant period place plan plant policy present previous procedure
process product programme proposal public publish published purpose quarter register registered regular remain
report representative section sector segment service session shareholder shares site staff standard state statement
store structure subject subsidiary table term third timetable today type unchanged unit update usual various vote
website week weekly year yearly
"""
STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0)
"""Inverse ridge penalties that are tried (`C` of scikit-learn)."""
FOLDS = 5
"""Of the cross-validation; also the fewest texts of a class."""
CARD, WEIGHTS = "card.json", "weights.npz"

Array = NDArray[np.float64]


class Card(Frozen):
    """What a head was made of."""

    classes: tuple[str, ...] = CLASSES
    embedding: str
    """Version of the vectors and of the package they come from."""
    data: str
    """Name of the labelled texts."""
    data_sha256: str
    texts: tuple[str, ...]
    """Short hashes of the texts it was fitted to, so that it is not tested on them."""
    seed: int
    strength: float
    """The inverse ridge penalty that was chosen."""
    accuracy: float
    """Cross-validated at this strength."""
    log_loss: float
    """The same, in nats."""
    weights_sha256: str = ""


@dataclass(frozen=True, eq=False)
class EmbeddingClassifier:
    """A head on the desk's vectors; make one with `default`, `fit` or `load`."""

    weights: Array
    """(3, 256)."""
    intercepts: Array
    """(3,)."""
    card: Card
    name: str = "embedding"
    classes: ClassVar[tuple[Label, ...]] = CLASSES

    @classmethod
    def default(cls) -> Self:
        """The head that comes with PaperDesk, fitted to `examples.csv` (docs/sentiment.md says how)."""
        with as_file(files(__package__).joinpath("head")) as folder:
            return cls.load(folder, "embedding")

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        labels: Sequence[str],
        seed: int = 0,
        *,
        data: str = "",
        name: str = "embedding, fitted",
    ) -> Self:
        """Fit a head.

        Args:
            texts: at least `FOLDS` of each class.
            labels: one for each text.
            seed: of the folds; nothing else is drawn.
            data: what the texts are called, for the card.
            name: of the classifier.

        Raises:
            InputError: not one label for each text, an unknown label, or too few texts of a class.
        """
        if len(texts) != len(labels):
            raise InputError(f"{len(texts)} texts came with {len(labels)} labels; give one label for each text")
        refuse_few(labels, FOLDS, "An embedding head")
        vectors, truth = embed(list(texts)).astype(np.float64), columns_of(labels)
        strength, accuracy, log_loss = _best_strength(vectors, truth, seed)
        weights, intercepts = _fitted(vectors, truth, strength)
        card = Card(
            embedding=_vectors_version(),
            data=data,
            data_sha256=content_hash([list(texts), list(labels)]),
            texts=tuple(sorted(short_hash(text) for text in texts)),
            seed=seed,
            strength=strength,
            accuracy=accuracy,
            log_loss=log_loss,
        )
        return cls(weights, intercepts, card, name)

    @classmethod
    def load(cls, folder: Path, name: str = "") -> Self:
        """Read what `save` wrote.

        Raises:
            InputError: a file is missing, damaged or does not fit, or the head is for other vectors.
        """
        try:
            card = Card.model_validate_json((folder / CARD).read_bytes())
            content = (folder / WEIGHTS).read_bytes()
        except OSError as error:
            raise InputError(f"{error.filename} cannot be read ({error.strerror}); name the folder of a head") from None
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"])) or "the file"
            raise InputError(f"{folder / CARD} is no card of a head ({where} does not fit); fit it again") from None
        if sha256(content).hexdigest() != card.weights_sha256:
            raise InputError(f"{folder / WEIGHTS} does not match its card; fit the head again")
        try:
            with np.load(BytesIO(content), allow_pickle=False) as arrays:
                weights = np.asarray(arrays["weights"], dtype=np.float64)
                intercepts = np.asarray(arrays["intercepts"], dtype=np.float64)
        except (KeyError, ValueError, BadZipFile) as error:
            raise InputError(f"{folder / WEIGHTS} holds no head ({error}); fit it again") from None
        count = len(CLASSES)
        if card.classes != CLASSES or weights.shape != (count, DIMENSIONS) or intercepts.shape != (count,):
            raise InputError(f"{folder} holds a head of another shape, {weights.shape}; fit it again")
        if not np.isfinite(weights.sum() + intercepts.sum()):
            raise InputError(f"{folder} holds a head with weights that are not finite; fit it again")
        if card.embedding != _vectors_version():
            raise InputError(f"{folder} was fitted to {card.embedding}, not {_vectors_version()}; fit the head again")
        return cls(weights, intercepts, card, name or f"embedding:{folder.name}")

    def save(self, folder: Path) -> None:
        """Write the head as `weights.npz` and `card.json`.

        Raises:
            InputError: the folder cannot be written.
        """
        content = BytesIO()
        np.savez(content, weights=self.weights, intercepts=self.intercepts)
        digest = sha256(content.getvalue()).hexdigest()
        save(folder / WEIGHTS, content.getvalue())
        # the card last: a head without a matching card is refused
        card = self.card.model_copy(update={"weights_sha256": digest})
        save(folder / CARD, card.model_dump_json(indent=1).encode())

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the weights and of the version of the vectors."""
        parts = (self.weights.tobytes(), self.intercepts.tobytes(), self.card.embedding.encode())
        return sha256(b"".join(sha256(part).digest() for part in parts)).hexdigest()

    def predict(self, texts: Sequence[str]) -> Probabilities:
        """The distribution of each text, (len(texts), 3)."""
        if not texts:
            return np.empty((0, len(CLASSES)))
        # a product per text: one over all would round differently with their number
        return softmax([self.weights @ vector + self.intercepts for vector in embed(list(texts)).astype(np.float64)])

    def has_seen(self, text: str) -> bool:
        """Whether it was fitted to this text."""
        return short_hash(text) in self._seen

    @cached_property
    def _seen(self) -> frozenset[str]:
        return frozenset(self.card.texts)


def short_hash(text: str) -> str:
    """Sixteen digits that tell a text among thousands."""
    return sha256(text.strip().encode()).hexdigest()[:16]


def _vectors_version() -> str:
    return f"{VERSION}, wordllama {version('wordllama')}"


def _best_strength(vectors: Array, truth: NDArray[np.int64], seed: int) -> tuple[float, float, float]:
    """The strength of least cross-validated log loss, with its accuracy and log loss."""
    # imported here: scikit-learn takes a second, and a saved head needs no fit
    from sklearn.metrics import log_loss
    from sklearn.model_selection import StratifiedKFold

    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(vectors, truth))
    tried = []
    for strength in STRENGTHS:
        predicted = np.empty((len(truth), len(CLASSES)))
        for kept, left in folds:
            weights, intercepts = _fitted(vectors[kept], truth[kept], strength)
            predicted[left] = softmax(vectors[left] @ weights.T + intercepts)
        loss = float(log_loss(truth, predicted, labels=range(len(CLASSES))))
        tried.append((round(loss, 6), strength, float((predicted.argmax(axis=1) == truth).mean())))
    loss, strength, accuracy = min(tried)
    return strength, accuracy, loss


def _fitted(vectors: Array, truth: NDArray[np.int64], strength: float) -> tuple[Array, Array]:
    """Weights (3, 256) and intercepts (3,) at one strength."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    words, sides = _words()
    model: Any = LogisticRegression(C=strength, max_iter=5000, tol=1e-5)
    # one thread: so small a problem is slower on several, and sums in another order
    with threadpool_limits(1, user_api="blas"):
        model.fit(
            np.vstack([vectors, words]),
            np.concatenate([truth, sides]),
            sample_weight=np.concatenate([np.ones(len(truth)), np.full(len(sides), WORD_WEIGHT)]),
        )
    return model.coef_, model.intercept_


@cache
def _words() -> tuple[Array, NDArray[np.int64]]:
    """The vectors of the single words and their columns."""
    plain = _PLAIN.split()
    words = [*sorted(POSITIVE), *sorted(NEGATIVE), *plain]
    sides = ["positive"] * len(POSITIVE) + ["negative"] * len(NEGATIVE) + ["neutral"] * len(plain)
    return embed(words).astype(np.float64), columns_of(sides)
