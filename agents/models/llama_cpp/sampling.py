"""Drawing a token: noise on the logits, so that the most probable admissible token of the noisy ones is a draw.

Adding independent Gumbel(0, 1) noise to logits / temperature and taking the greatest among any subset of tokens draws
from the softmax over that subset (Gumbel 1954; Maddison, Tarlow and Minka 2014, section 2). So one rule serves greedy
and random decoding, with and without a grammar.
"""

import hashlib
from collections.abc import Sequence

import numpy as np

from .engine import FloatArray

VERSION = "gumbel-1"
"""Part of a fingerprint."""


class Sampler:
    """The noise for one answer; a function of the seed and the prompt, so that an answer does not depend on others.

    Args:
        temperature: 0 adds nothing: decoding is greedy.
        seed: of the request.
        prompt: the prompt's tokens.
    """

    def __init__(self, temperature: float, seed: int, prompt: Sequence[int]) -> None:
        self._temperature = temperature
        self._generator: np.random.Generator | None = None
        if temperature > 0:
            digest = hashlib.sha256(np.array([seed, *prompt], dtype="<i8").tobytes()).digest()
            self._generator = np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))

    def perturb(self, logits: FloatArray) -> FloatArray:
        """Logits whose order is the order to choose in; shape (n_vocab,) to (n_vocab,)."""
        if self._generator is None:
            return logits
        noise = self._generator.gumbel(size=logits.shape)
        noisy: FloatArray = (logits / self._temperature + noise).astype(np.float32)
        return noisy
