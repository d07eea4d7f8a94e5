"""Sentiment by the desk's own mind: the three words scored after each text, the mind's bias divided out."""

from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar

import numpy as np

from ..tools.frozen import content_hash
from ..tools.sentiment.classifier import CLASSES, Label, Probabilities
from .evidence_text import quoted
from .models.core import ModelCore, ModelError, Question, Request
from .roles import prompt_of

BATCH = 24
"""Texts per request."""
MAX_CHARACTERS = 1200
"""Of a text that are read, about 300 tokens: a release says early what it is about, and time grows with every token."""


class PromptClassifier:
    """The distribution of a mind over the three words, after a prompt that quotes the text as data.

    It borrows the mind: who opened it closes it.

    Args:
        mind: any that scores options (the scorecard does not read texts and refuses).
        name: what a person calls the mind.
        batch: texts per request; no answer depends on it.
        max_characters: what of a text is read; the rest is cut off at a word's end.
    """

    classes: ClassVar[tuple[Label, ...]] = CLASSES

    def __init__(self, mind: ModelCore, name: str, *, batch: int = BATCH, max_characters: int = MAX_CHARACTERS) -> None:
        self._mind = mind
        self._batch = batch
        self._max_characters = max_characters
        self.name = f"prompt:{name}"

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the mind's fingerprint, the prompt, and how much of a text is read."""
        prompt = prompt_of("sentiment")
        texts = [part.template for part in (prompt.system, prompt.prefix, prompt.question)]
        return content_hash([self._mind.fingerprint.key(), texts, self._max_characters])

    def predict(self, texts: Sequence[str]) -> Probabilities:
        """The distribution of each text, (len(texts), 3).

        Raises:
            ModelError: the mind broke or could not answer one of the texts.
            ModelInputError: the mind does not score texts.
        """
        found = np.empty((len(texts), len(CLASSES)))
        for first in range(0, len(texts), self._batch):
            some = texts[first : first + self._batch]
            reply = self._mind.answer(tone_request(some, self._max_characters))
            for row, answer in enumerate(reply.answers, first):
                if answer.failure:
                    why = answer.failure.reason.rstrip(".")
                    raise ModelError(f"{self.name} has no answer to text {row + 1} ({why}); try another")
                found[row] = [answer.probabilities[name] for name in CLASSES]
        # a server's figures sum to 1 only as far as it prints them
        scaled: Probabilities = found / found.sum(axis=1, keepdims=True)
        return scaled


def tone_request(texts: Sequence[str], max_characters: int = MAX_CHARACTERS) -> Request:
    """What a mind is asked about texts.

    Args:
        texts: one question each, by its number.
        max_characters: what of a text is read; the rest is cut off at a word's end.
    """
    prompt = prompt_of("sentiment")
    ask = prompt.ask
    return Request(
        role="sentiment",
        task="sentiment",
        system=prompt.system.template,
        prefix=prompt.prefix.template + "\n\n",
        questions=tuple(
            Question(ticker=str(i), text=ask(text=quoted(_beginning(text, max_characters))))
            for i, text in enumerate(texts)
        ),
        options=CLASSES,
        content_free=ask(text=quoted("N/A")),
    )


def _beginning(text: str, max_characters: int) -> str:
    """As much of a text as is read, whole words where there are any."""
    if len(text) <= max_characters:
        return text
    cut = text[:max_characters]
    return cut[: cut.rfind(" ")] if " " in cut else cut
