"""The exact probability of each option after each prompt, in the pass that reads the prompt."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import fsum

import numpy as np
import numpy.typing as npt

from .engine import FloatArray, Token

Path = tuple[int, ...]
"""Tokens."""


def log_softmax_at(logits: FloatArray, tokens: Sequence[int]) -> npt.NDArray[np.float64]:
    """The natural logarithm of p(token) under logits of shape (n_vocab,), in double precision, for each token."""
    x = logits.astype(np.float64)
    x -= x.max()
    at: npt.NDArray[np.float64] = x[np.asarray(tokens)] - np.log(np.exp(x).sum())
    return at


@dataclass(frozen=True)
class Tree:
    """Options as a tree of tokens.

    Each option has a sequence of its own. The prompt's tokens are those of all of them, and each node is evaluated
    once, as a token of the sequences that pass through it. The last token of an option (its terminator) is only looked
    up, never evaluated, so "buy" and "buyer" are told apart by what follows.
    """

    options: tuple[Path, ...]
    """Tokens of each option, terminator included."""
    nodes: tuple[tuple[Path, tuple[int, ...]], ...]
    """The proper prefixes of the options, shallow ones first, each with the options that pass through it."""

    @classmethod
    def of(cls, options: Sequence[Path]) -> "Tree":
        """The tree of these options; without any, a prompt has one sequence and nothing is scored."""
        through: dict[Path, list[int]] = {}
        for j, option in enumerate(options):
            for n in range(1, len(option)):
                through.setdefault(option[:n], []).append(j)
        nodes = sorted(through.items(), key=lambda item: len(item[0]))
        return cls(tuple(options), tuple((node, tuple(users)) for node, users in nodes))

    @property
    def width(self) -> int:
        """Sequences that a prompt needs."""
        return max(1, len(self.options))

    def tokens(self, prompt: Sequence[int], begin: int, sequences: Sequence[int]) -> list[Token]:
        """What to evaluate: the prompt from position `begin` on, then the nodes."""
        last = len(prompt) - 1
        own = tuple(sequences)
        read = [Token(prompt[i], i, own, logits=i == last) for i in range(begin, len(prompt))]
        return read + [
            Token(node[-1], last + len(node), tuple(own[j] for j in users), logits=True) for node, users in self.nodes
        ]

    def log_probabilities(self, rows: Iterator[FloatArray]) -> tuple[list[float], FloatArray]:
        """Sum of log p(token | prompt, tokens before) over each option's tokens; and the logits after the prompt.

        Args:
            rows: the logits of `tokens`, in order; as many are taken as there are.
        """
        after_prompt = next(rows)
        terms: list[list[float]] = [[] for _ in self.options]
        everyone = tuple(range(len(self.options)))
        for depth, users, row in self._levels(after_prompt, rows, everyone):
            looked_up = log_softmax_at(row, [self.options[j][depth] for j in users])
            for j, value in zip(users, looked_up.tolist(), strict=True):
                terms[j].append(value)
        return [fsum(values) for values in terms], after_prompt

    def _levels(
        self, after_prompt: FloatArray, rows: Iterator[FloatArray], everyone: tuple[int, ...]
    ) -> Iterator[tuple[int, tuple[int, ...], FloatArray]]:
        if everyone:
            yield 0, everyone, after_prompt
        for node, users in self.nodes:
            yield len(node), users, next(rows)
