"""A reader: a classifier that `paperdesk train reader` made, with its temperature and what it was trained on.

A text much longer than those it learnt from is read in pieces of whole sentences, each about as long as what it knows,
and has the mean of their distributions; lines of tables are passed over.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import Field, ValidationError

from ..disk import file_sha256
from ..errors import InputError
from ..frozen import Frozen, content_hash
from ..market.documents.passages import Piece, parts
from .calibration import Calibration
from .classifier import CLASSES, Label, Probabilities
from .embedding import short_hash
from .transformer import TransformersClassifier

READER_FILE = "reader.json"
"""Beside the weights: what a folder must hold to be a reader."""
MOST_PIECES = 10
"""Of a long text, the first ones are read."""


class ReaderFile(Frozen):
    """What a reader is, beside its weights."""

    weights: dict[str, str]
    """sha256 by file name."""
    calibration: Calibration
    """`classifier` is the hash of the weights."""
    words: int = Field(ge=1)
    """Words of nearly all texts that it learnt from; longer ones are read in pieces."""
    texts: tuple[str, ...]
    """Short hashes of the texts that it was trained, stopped and calibrated on, so that it is not judged on them."""


class Reader:
    """A trained reader in a folder.

    Args:
        folder: that `paperdesk train reader` wrote.
        batch: texts at once.
        device: where it runs, in torch's terms.

    Raises:
        InputError: the folder holds no reader, its weights are not those that were trained, or the extra `nlp` is
            missing.
    """

    classes: ClassVar[tuple[Label, ...]] = CLASSES

    def __init__(self, folder: Path, *, batch: int = 32, device: str = "cpu") -> None:
        try:
            self.file = ReaderFile.model_validate_json((folder / READER_FILE).read_bytes())
            found = {name: file_sha256(folder / name) for name in self.file.weights}
        except OSError as error:
            why = f"{error.filename} cannot be read ({error.strerror})"
            raise InputError(f"{why}; name the folder of a reader") from None
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"])) or "the file"
            raise InputError(f"{folder / READER_FILE} is of no reader ({where} does not fit); train it again") from None
        changed = sorted(name for name, digest in found.items() if digest != self.file.weights[name])
        if changed:
            raise InputError(f"{folder / changed[0]} is not what was trained; train the reader again")
        self._classifier = TransformersClassifier(folder, batch=batch, device=device)
        self.name = f"reader:{folder.resolve().name}"

    @cached_property
    def fingerprint(self) -> str:
        """Hash of weights, libraries, temperature and how long texts are read."""
        scaling, read = self.file.calibration, (self.file.words, MOST_PIECES)
        return content_hash([self._classifier.fingerprint, scaling.weights, scaling.biases, *read])

    def predict(self, texts: Sequence[str]) -> Probabilities:
        """The distribution of each text, (len(texts), 3)."""
        return self.both(texts)[1]

    def both(self, texts: Sequence[str]) -> tuple[Probabilities, Probabilities]:
        """The distribution of each text without the temperature and with it, each (len(texts), 3)."""
        pieces = [pieces_of(text, self.file.words) for text in texts]
        plain = self._classifier.predict([piece for some in pieces for piece in some])
        ends = np.cumsum([len(some) for some in pieces])
        spans = [slice(end - len(some), end) for some, end in zip(pieces, ends, strict=True)]

        def means(answers: Probabilities) -> Probabilities:
            return np.array([answers[span].mean(axis=0) for span in spans]).reshape(len(texts), len(CLASSES))

        return means(plain), means(self.file.calibration.apply(plain))

    def has_seen(self, text: str) -> bool:
        """Whether it was trained, stopped or calibrated on this text."""
        return short_hash(text) in self._seen

    @cached_property
    def _seen(self) -> frozenset[str]:
        return frozenset(self.file.texts)


def pieces_of(text: str, words: int) -> list[str]:
    """A text as pieces of whole sentences of at most so many words (a longer sentence is one piece).

    A text up to half as long again is one piece; of a longer one the first `MOST_PIECES` are taken, without the lines
    of its tables where it has anything else.
    """
    if len(text.split()) <= 1.5 * words:
        return [text]
    sentences = [text[piece.start : piece.end].strip() for piece in parts(text, Piece(0, len(text)))]
    spoken = [sentence for sentence in sentences if sentence and "|" not in sentence]
    pieces: list[str] = []
    room = 0
    for sentence in spoken or sentences:
        size = len(sentence.split())
        if not pieces or size > room:
            if len(pieces) == MOST_PIECES:
                break
            pieces.append(sentence)
            room = words - size
        else:
            pieces[-1] += " " + sentence
            room -= size
    return pieces
