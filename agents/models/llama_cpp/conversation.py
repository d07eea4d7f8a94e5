"""One prompt, one answer: what a chat model needs of an engine whose memory is empty."""

from typing import NamedTuple

import numpy as np

from ..core import ModelError
from ..grammar import Grammar
from ..schemas import Shape
from .engine import Engine, FloatArray, Token
from .generation import Writer, write_all
from .vocabulary import Vocabulary


class Completion(NamedTuple):
    """What was written, and in how many tokens."""

    text: str
    tokens: int


def free_text(engine: Engine, vocabulary: Vocabulary, prompt: list[int], max_tokens: int) -> Completion:
    """Greedy text up to the end of the turn, or `max_tokens`.

    Raises:
        ModelError: prompt and answer do not fit the context.
    """
    logits = _read(engine, prompt, max_tokens)
    written: list[int] = []
    while len(written) < max_tokens:
        token = int(np.argmax(logits))
        if engine.ends(token):
            break
        written.append(token)
        (logits,) = engine.evaluate([Token(token, len(prompt) + len(written) - 1, (0,), logits=True)])
    text = b"".join(vocabulary.pieces[token] for token in written)
    return Completion(text.decode(errors="replace"), len(written))


def held_text(engine: Engine, vocabulary: Vocabulary, prompt: list[int], shape: Shape, budget: int) -> Completion:
    """The JSON text of a shape.

    Raises:
        ModelError: prompt and answer do not fit the context, or the object did not end.
    """
    logits = _read(engine, prompt, budget)
    writer = Writer(0, len(prompt), Grammar.of(shape), budget)
    writer.begin(engine, vocabulary, logits)
    write_all(engine, vocabulary, [writer])
    if writer.failure:
        raise ModelError(f"The model could not write the object ({writer.failure}): simplify the schema.")
    return Completion(writer.text.decode(), writer.used)


def _read(engine: Engine, prompt: list[int], more: int) -> FloatArray:
    if len(prompt) + more > engine.n_ctx:
        raise ModelError(
            f"The prompt has {len(prompt)} tokens and may need {more} more, but the context holds {engine.n_ctx}: "
            "shorten it."
        )
    last = len(prompt) - 1
    return engine.evaluate([Token(token, i, (0,), logits=i == last) for i, token in enumerate(prompt)])[-1]
