"""Decoding under a grammar, all sequences of a batch together: the best token each time, or a drawn one.

At each step a sequence is given one chosen token and all the text that is forced after it, so most of a JSON object
is evaluated at the speed of a prompt, and its tail not at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..grammar import Grammar
from .engine import Engine, FloatArray, Token
from .sampling import Sampler
from .slots import Part, Region, Slots
from .vocabulary import Vocabulary


@dataclass
class Writer:
    """One object being written."""

    sequence: int
    position: int
    """Where the next token goes."""
    grammar: Grammar
    budget: int
    """Tokens that the object may take."""
    region: Region = field(default_factory=lambda: Region(0, 0))
    """Where it lies; of no account in an undivided memory."""
    sampler: Sampler = field(default_factory=lambda: Sampler(0.0, 0, ()))
    pending: list[int] = field(default_factory=list)
    """Tokens decided but not evaluated."""
    text: bytes = b""
    used: int = 0
    failure: str | None = None

    def begin(
        self, engine: Engine, vocabulary: Vocabulary, logits: FloatArray, before: Sequence[int] = (), lead_in: str = ""
    ) -> None:
        """Write what comes before the object (tokens, then text) and the object's own forced beginning.

        Where all of that is empty, the first token is chosen by the logits after the prompt.
        """
        forced, self.grammar = self.grammar.forced()
        self.text = forced
        self.pending = [*before, *engine.tokenize(lead_in + forced.decode())]
        self.used = len(engine.tokenize(forced.decode()))
        if not self.pending:
            self.extend(engine, vocabulary, logits)

    def extend(self, engine: Engine, vocabulary: Vocabulary, logits: FloatArray) -> None:
        """Choose a token and add what is forced after it."""
        choice = vocabulary.choose(self.sampler.perturb(logits), self.grammar)
        if choice is None:
            self.failure = "no token of the model's vocabulary can continue the object"
            return
        token, self.grammar = choice
        forced, self.grammar = self.grammar.forced()
        self.pending = [token, *engine.tokenize(forced.decode())]
        self.text += vocabulary.pieces[token] + forced
        self.used += len(self.pending)
        if self.used > self.budget and not self.grammar.complete:
            self.failure = f"the object did not end within its budget of {self.budget} tokens"

    @property
    def live(self) -> bool:
        """Whether there is more to write."""
        return self.failure is None and not self.grammar.complete


def write_all(engine: Engine, vocabulary: Vocabulary, writers: Sequence[Writer], slots: Slots | None = None) -> None:
    """Write every object to its end or its failure. Each writer has begun; `slots` divide the memory, if any do."""
    while live := [writer for writer in writers if writer.live]:
        parts: list[Part] = []
        for writer in live:
            last = len(writer.pending) - 1
            tokens = [
                Token(token, writer.position + i, (writer.sequence,), logits=i == last)
                for i, token in enumerate(writer.pending)
            ]
            parts.append(Part(writer.region, tokens))
            writer.position += len(writer.pending)
        found = slots.evaluate(parts) if slots else engine.evaluate([token for part in parts for token in part.tokens])
        for writer, logits in zip(live, found, strict=True):
            writer.extend(engine, vocabulary, logits)
