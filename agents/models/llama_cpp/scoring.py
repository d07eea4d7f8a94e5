"""The exact probability of each option after each prompt."""

from collections.abc import Sequence
from math import fsum

import numpy as np
import numpy.typing as npt

from .engine import Engine, FloatArray, Token


def log_softmax_at(logits: FloatArray, token: int) -> float:
    """The natural logarithm of p(token) under logits of shape (n_vocab,), in double precision."""
    x = logits.astype(np.float64)
    top = x.max()
    return float(x[token] - top - np.log(np.exp(x - top).sum()))


def option_log_probabilities(
    engine: Engine,
    last: Sequence[FloatArray],
    positions: Sequence[int],
    sequences: Sequence[int],
    options: Sequence[tuple[int, ...]],
    free: Sequence[int],
) -> npt.NDArray[np.float64]:
    """Sum of log p(token | prompt, tokens before) over each option's tokens, for each prompt.

    The options form a tree of tokens. A prompt's sequence is shared by one sequence per option, and each node of the
    tree is evaluated once, as a token of all the sequences that pass through it. The last token of an option (its
    terminator) is only looked up, never evaluated, so "buy" and "buyer" are told apart by what follows.

    Args:
        engine: holds the prompts.
        last: logits after each prompt.
        positions: the position after each prompt.
        sequences: the sequence of each prompt.
        options: tokens of each option, terminator included.
        free: sequences that may be used and are empty again afterwards; at least as many as options.

    Returns:
        Shape (prompts, options).
    """
    found = np.zeros((len(last), len(options)))
    at_once = max(1, len(free) // len(options))
    for begin in range(0, len(last), at_once):
        chosen = range(begin, min(begin + at_once, len(last)))
        tokens: list[Token] = []
        nodes: list[tuple[int, tuple[int, ...]]] = []
        for k in chosen:
            own = free[(k - begin) * len(options) : (k - begin + 1) * len(options)]
            engine.copy(sequences[k], own)
            for node, through in _tree(options):
                users = tuple(own[j] for j in through)
                tokens.append(Token(node[-1], positions[k] + len(node) - 1, users, logits=True))
                nodes.append((k, node))
        after = dict(zip(nodes, engine.evaluate(tokens), strict=True))
        for k in chosen:
            for j, option in enumerate(options):
                logits = [last[k], *(after[k, option[:n]] for n in range(1, len(option)))]
                found[k, j] = fsum(log_softmax_at(x, token) for x, token in zip(logits, option, strict=True))
        engine.drop(free)
    return found


def _tree(options: Sequence[tuple[int, ...]]) -> list[tuple[tuple[int, ...], list[int]]]:
    """The proper prefixes of the options, shallow ones first, each with the options that pass through it."""
    through: dict[tuple[int, ...], list[int]] = {}
    for j, option in enumerate(options):
        for n in range(1, len(option)):
            through.setdefault(option[:n], []).append(j)
    return sorted(through.items(), key=lambda item: len(item[0]))
