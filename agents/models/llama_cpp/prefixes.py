"""Beginnings of prompts that stay in the engine's memory, because a role asks with the same one again and again.

This does not make an answer depend on what was asked before: on a CPU, what is computed for a token is the same to the
bit whatever it is evaluated with (see `engine.CPU_BATCH`), so a beginning that is read back equals one that is computed
again. Where that does not hold (on a GPU) nothing is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from .engine import SEQUENCES, Engine, Token

KEPT = 4
"""Beginnings kept at once, each in a sequence of its own."""
LIVE = SEQUENCES - KEPT
"""Sequences below this are for the request at hand."""
WORTHWHILE = 32
"""Tokens that a kept beginning must share with a new one to be used."""


@dataclass
class Prefixes:
    """The beginnings in memory."""

    engine: Engine
    enabled: bool
    _kept: dict[tuple[int, ...], int] = field(default_factory=dict)
    """Tokens to the sequence that holds them."""
    epoch: int = 0
    """Grows whenever sequences below `LIVE` are taken over: who finds another number than he left must begin again."""

    @property
    def cells(self) -> int:
        """Memory cells that the kept beginnings take."""
        return sum(len(tokens) for tokens in self._kept)

    def forget(self) -> None:
        """Empty the engine's memory, kept beginnings included."""
        self.epoch += 1
        self._kept.clear()
        self.engine.clear()

    def begin(self, tokens: Sequence[int]) -> None:
        """Put `tokens` into sequence 0, from a kept beginning as far as there is one, and keep them."""
        head = tuple(tokens)
        self.epoch += 1
        # Kept beginnings lie one after the other at the start of the memory, so what comes after them has later cells;
        # attention adds up in the order of cells, and must not meet a prompt's end before its beginning.
        self.engine.drop(range(LIVE))
        best = max(self._kept, key=lambda kept: _common(kept, head), default=())
        # two tokens at least are evaluated: a lone one is added up in another order
        shared = min(_common(best, head), len(head) - 2)
        if shared < WORTHWHILE:
            shared = 0
            if len(self._kept) == KEPT:
                self.forget()  # dropping one alone would leave a hole below the others
        else:
            self.engine.copy(self._kept[best], (0,), shared)
        self.engine.evaluate([Token(head[i], i, (0,)) for i in range(shared, len(head))])
        # what shares all but its last few tokens with a kept beginning is served well enough by that one
        if self.enabled and len(head) >= WORTHWHILE and shared < len(head) * 3 // 4 and len(self._kept) < KEPT:
            self._kept[head] = LIVE + len(self._kept)
            self.engine.copy(0, (self._kept[head],))


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
