"""Drawing a token by the Gumbel-max trick, so that all decoding stays a search for the largest logit.

argmax_i(x_i / T + g_i) with independent standard Gumbel g_i draws token i with probability softmax(x / T)_i (Gumbel
1954; Maddison, Tarlow and Minka 2014, "A* Sampling", section 2). Restricted to the tokens that a grammar admits, the
same perturbed logits draw from the distribution renormalised over those.
"""

import hashlib
from collections.abc import Sequence

import numpy as np

from .engine import FloatArray


class Sampler:
    """The noise of one answer: a stream that is decided by the seed and the prompt.

    Args:
        temperature: 0 leaves logits untouched, and nothing is drawn.
        seed: any integer.
        prompt: tokens; two prompts with the same seed get independent noise.
    """

    def __init__(self, temperature: float, seed: int, prompt: Sequence[int]) -> None:
        self._temperature = temperature
        digest = hashlib.sha256(repr((seed, tuple(prompt))).encode()).digest()
        self._random = np.random.Generator(np.random.Philox(int.from_bytes(digest[:16])))

    def perturb(self, logits: FloatArray) -> FloatArray:
        """Logits, shape (n_vocab,), whose largest element is the token drawn; the next call draws anew."""
        if self._temperature == 0:
            return logits
        noise = self._random.gumbel(size=logits.shape)
        return (logits / self._temperature + noise).astype(np.float32)
