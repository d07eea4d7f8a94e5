"""A conversation with a model: a prompt, what is written after it, and an engine that others use in between.

Nobody holds the engine while a reader thinks about the words that he was given. Between two pieces of a stream another
answer may take the engine's memory; then the conversation is read again from its tokens, which are all its state, and
is written to its end at once, so that two streams in turn cost one reading more each and not one per token.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from ..core import ModelError
from ..distribution import softmax
from ..grammar import Grammar
from .engine import FloatArray, Token
from .sampling import Sampler
from .scoring import Tree
from .shared import Loaded
from .stops import Visible

Finish = Literal["stop", "length"]


class Piece(NamedTuple):
    """A stretch of an answer: whole characters, never a part of a stop sequence."""

    text: str
    tokens: int
    """Written since the piece before; the end of the turn is none."""
    finish: Finish | None = None
    """On the last piece: whether the model (or a stop sequence) ended the answer, or its length did."""


@dataclass
class Talk:
    """One prompt and its answer. Its iterators may be dropped at any time; the engine is free between two pieces.

    Raises:
        ModelError: from any method: the model is closed, or llama.cpp failed.
    """

    loaded: Loaded
    ready: Callable[[], AbstractContextManager[None]]
    """The engine to ourselves, and open."""
    tokens: list[int]
    """The prompt, then what was written."""
    sampler: Sampler
    _logits: FloatArray | None = None
    _evaluated: int = 0
    """How many of the tokens the engine has read."""
    _epoch: int = -1
    """Of the engine's memory (see `Slots.epoch`), when it last held this conversation."""
    _interrupted: bool = field(default=False)
    _prompt: int = field(init=False)

    def __post_init__(self) -> None:
        self._prompt = len(self.tokens)

    @property
    def prompt_tokens(self) -> int:
        """Length of the prompt."""
        return self._prompt

    @property
    def room(self) -> int:
        """Tokens that the context can still take."""
        return max(self.loaded.engine.n_ctx - len(self.tokens), 0)

    def score(self, options: Sequence[tuple[int, ...]]) -> list[float]:
        """The probability of each option among them, as the next tokens."""
        tree, engine = Tree.of(options), self.loaded.engine
        own = range(1, 1 + tree.width)
        with self._turn():
            logits = self._next_logits()
            engine.copy(0, own)
            nodes = engine.evaluate(tree.tokens(self.tokens, len(self.tokens), own))
            engine.drop(own)
        logs, _ = tree.log_probabilities(iter([logits, *nodes]))
        found: list[float] = softmax(logs).tolist()
        return found

    def words(self, most: int, stop: Sequence[str] = ()) -> Iterator[Piece]:
        """Free text up to the end of the turn, a stop sequence or `most` tokens; less where the context ends."""
        visible = Visible(stop)
        left = min(most, self.room)
        finish: Finish | None = None if left > 0 else "length"
        while finish is None:
            pieces: list[Piece] = []
            with self._turn():
                while finish is None:
                    token = self._choose()
                    if self.loaded.engine.ends(token):
                        finish = "stop"
                        break
                    left -= 1
                    self.tokens.append(token)
                    pieces.append(Piece(visible.add(self.loaded.vocabulary.pieces[token]), 1))
                    finish = "stop" if visible.stopped else None if left else "length"
                    if not self._interrupted:
                        break
            yield from pieces
        yield Piece(visible.rest(), 0, finish)

    def text_of(self, grammar: Grammar) -> Iterator[Piece]:
        """The text of a bounded shape; the last piece ends it.

        Raises:
            ModelError: the context ended first, or no token of the vocabulary can go on.
        """
        visible = Visible(())
        forced, grammar = grammar.forced()
        before = len(self.tokens)
        self._force(forced)
        yield Piece(visible.add(forced), len(self.tokens) - before)
        while not grammar.complete:
            pieces: list[Piece] = []
            with self._turn():
                while not grammar.complete:
                    before = len(self.tokens)
                    if not self.room:
                        raise ModelError(
                            f"The object did not end within the context of {self.loaded.engine.n_ctx} tokens: shorten "
                            "the conversation or the schema."
                        )
                    logits = self.sampler.perturb(self._next_logits())
                    choice = self.loaded.vocabulary.choose(logits, grammar)
                    if choice is None:
                        raise ModelError("No token of this model's vocabulary can go on with the object: simplify it.")
                    token, grammar = choice
                    forced, grammar = grammar.forced()
                    self.tokens.append(token)
                    self._force(forced)
                    text = self.loaded.vocabulary.pieces[token] + forced
                    pieces.append(Piece(visible.add(text), len(self.tokens) - before))
                    if not self._interrupted:
                        break
            yield from pieces
        yield Piece(visible.rest(), 0, "stop")

    def say(self, text: str) -> None:
        """Put words into the model's mouth: they count as written, and the answer goes on after them."""
        self._force(text.encode())

    def _force(self, text: bytes) -> None:
        self.tokens += self.loaded.engine.tokenize(text.decode())

    def _choose(self) -> int:
        return int(np.argmax(self.sampler.perturb(self._next_logits())))

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """The engine to ourselves; what was under way when something broke is not to be built upon."""
        with self.ready():
            try:
                yield
            except BaseException:
                self.loaded.slots.spoil()
                raise

    def _next_logits(self) -> FloatArray:
        """The logits after all tokens, in sequence 0 of an engine whose memory holds this conversation alone."""
        engine, slots = self.loaded.engine, self.loaded.slots
        if self._epoch != slots.epoch or self._logits is None:
            self._interrupted = self._logits is not None
            slots.spoil()
            self._epoch, self._evaluated, self._logits = slots.epoch, 0, None
        if self._logits is None or self._evaluated < len(self.tokens):
            last = len(self.tokens) - 1
            new = range(self._evaluated, len(self.tokens))
            (self._logits,) = engine.evaluate([Token(self.tokens[i], i, (0,), logits=i == last) for i in new])
            self._evaluated = len(self.tokens)
        return self._logits
