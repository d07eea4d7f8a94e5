"""Beginnings of prompts, evaluated once: for all questions of a request, and kept for the next requests of the role.

What is kept changes no answer: it lies in whole tiles (see `slots`), so what is read back equals to the bit what would
be computed again. On a GPU, which promises no bits, nothing is kept.
"""

from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from .engine import KEPT, LIVE, Engine, Token
from .slots import TILE, Part, Region, Slots

Stem = tuple[Path | None, tuple[int, ...]]
"""The adapter that was worn, and the tokens."""


class Stems:
    """The beginnings in an engine's memory."""

    def __init__(self, engine: Engine, slots: Slots) -> None:
        self._engine = engine
        self._slots = slots
        self._kept: dict[Stem, int] = {}
        """Adapter and tokens to the sequence that holds them."""

    def begin(self, tokens: Sequence[int]) -> None:
        """Put a beginning into sequence 0."""
        stem = self._engine.worn, tuple(tokens)
        if not self._slots.ready:
            self.forget()
        if not tokens:
            return
        if stem in self._kept:
            self._engine.copy(self._kept[stem], (0,))
            return
        found = self._place(stem)
        if found is None:
            self.forget()
            found = self._place(stem)
        region, shared = found or (self._slots.region(len(tokens)), 0)
        self._slots.evaluate([Part(region, [Token(tokens[i], i, (0,)) for i in range(shared, len(tokens))])])
        if found is not None:
            self._kept[stem] = LIVE + len(self._kept)
            self._engine.copy(0, (self._kept[stem],))

    def forget(self) -> None:
        """Empty the engine's memory, kept beginnings included."""
        self._kept.clear()
        self._slots.reset()

    def _place(self, stem: Stem) -> tuple[Region, int] | None:
        """Where a beginning can be kept, and how much of it another one already holds; None where it cannot."""
        if not self._slots.aligned or len(self._kept) == KEPT:
            return None
        worn, tokens = stem
        # what was read with another adapter is another beginning
        alike = {kept: _common(kept[1], tokens) for kept in self._kept if kept[0] == worn}
        best = max(alike, key=lambda kept: alike[kept], default=stem)
        # whole tiles only: a tile that is shared in part would add up otherwise than one of its own
        shared = min(alike.get(best, 0), len(tokens) - 1) // TILE * TILE
        region = self._slots.keep(len(tokens) - shared)
        if region is None:
            return None
        if shared:
            self._engine.copy(self._kept[best], (0,), end=shared)
        return region, shared


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
