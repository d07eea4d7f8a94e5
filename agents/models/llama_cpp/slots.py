"""Where in the engine's memory each token lies, so that an answer is the same to the bit whatever lies beside it.

llama.cpp's flash attention on a CPU has two ways to add up. From 64 tokens at once on, it works through the memory in
tiles of 64 cells: three times as fast, but a token's sum then depends on which of its cells share a tile. Below, it
goes cell by cell. So here

- every prompt gets a region of its own that begins where a tile begins, and grows in it as it would alone;
- regions are held by fillers, because llama.cpp takes the first free cells that it finds: exactly the cells that the
  next tokens are to take are freed;
- fewer than 64 tokens are made 64 by scratch tokens that nobody reads, so that there is one way to add up, not two.

Fillers are written by restoring the saved state of one evaluated tile, which costs a copy and no arithmetic. On a GPU,
which promises nothing about the last digits, tokens are placed as they come.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..core import ModelError
from .engine import LIVE, SCRATCH, SEQUENCES, WASTE, Engine, FloatArray, Token

TILE = 64
"""Cells that llama.cpp's flash attention treats together on a CPU, and the rows from which on it does so."""
FILLER_TOKEN = 1


@dataclass
class Region:
    """Consecutive cells for one prompt and what follows it."""

    first: int
    size: int
    used: int = 0


class Part(NamedTuple):
    """Tokens that go into one region."""

    region: Region
    tokens: Sequence[Token]


class Slots:
    """The memory of an engine, divided: kept beginnings, then regions of the request at hand, then scratch cells.

    Only what is in use is filled: llama.cpp looks at every cell up to the last one that is taken.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.aligned = engine.places_matter
        # a large context has more tiles than llama.cpp has sequences: then a filler holds several
        self._block = TILE * -(-(engine.cells // TILE) // engine.fillers) if self.aligned else 1
        self._saved: ctypes.Array[ctypes.c_uint8] | None = None
        self.ready = False
        """Whether the memory is as this object left it."""
        self.epoch = 0
        """How often the memory was emptied: what somebody put there since is there while this number stands."""
        self._begin = 0
        """The first cell after what is kept."""
        self._next = 0
        """The first cell after all regions."""

    def reset(self) -> None:
        """Forget everything."""
        self._engine.clear()
        self.epoch += 1
        self._begin = self._next = 0
        if self.aligned and self._saved is None:
            self._saved = self._save()
        self.ready = True

    def spoil(self) -> None:
        """Someone else uses the engine: it is emptied, and nothing here holds any more."""
        self.ready = False
        self._engine.clear()
        self.epoch += 1

    def keep(self, cells: int) -> Region | None:
        """A region that outlives the request; None where there is no room left for it. No other region is open."""
        if self._begin + self._rounded(cells) > self._engine.kept:
            return None
        region = self.region(cells)
        self._begin = self._next
        return region

    def region(self, cells: int) -> Region:
        """A region for the request at hand; whether there is room is told by `fits`."""
        region = Region(self._next, self._rounded(cells))
        self._next += region.size
        if self.aligned:
            for first in range(region.first, self._next, self._block):
                self._engine.restore(SEQUENCES + first // self._block, self._filler())
        return region

    def fits(self, cells: Sequence[int]) -> bool:
        """Whether regions of these sizes fit beside each other, and beside those of the request that are open."""
        # what is kept must not matter, or a request would be cut into other groups after other requests
        return self._next - self._begin + sum(map(self._rounded, cells)) <= self._engine.n_ctx + WASTE

    def mark(self) -> int:
        """What `release` goes back to."""
        return self._next

    def release(self, mark: int | None = None) -> None:
        """The regions made since `mark` (all of the request by default) and their sequences end.

        Sequence 0 ends only without a mark.
        """
        first = self._begin if mark is None else mark
        self._engine.drop(range(0 if mark is None else 1, LIVE))
        if self.aligned:
            self._engine.drop(range(SEQUENCES + first // self._block, SEQUENCES + self._next // self._block))
        self._next = first

    def evaluate(self, parts: Sequence[Part]) -> list[FloatArray]:
        """Append tokens to their regions; the logits after each token that asks for them, in order.

        Args:
            parts: by region, in the order in which the regions were made.
        """
        tokens = [token for part in parts for token in part.tokens]
        if not tokens:
            return []
        if not self.aligned:
            return self._engine.evaluate(tokens)
        for region, own in parts:
            self._open(region, len(own))
        scratch = [Token(FILLER_TOKEN, i, (SCRATCH,)) for i in range(max(0, TILE - len(tokens)))]
        found = self._engine.evaluate([*tokens, *scratch])
        if scratch:
            self._engine.drop((SCRATCH,))
        return found

    def _rounded(self, cells: int) -> int:
        return -(-cells // self._block) * self._block if self.aligned else cells

    def _open(self, region: Region, count: int) -> None:
        """Free the next `count` cells of a region."""
        begin, end = region.first + region.used, region.first + region.used + count
        if region.used + count > region.size:
            raise ModelError("A prompt outgrew its region of the context: report it.")
        region.used += count
        while begin < end:
            block = begin // self._block
            upto = min(end, (block + 1) * self._block)
            self._engine.cut(SEQUENCES + block, begin - block * self._block, upto - block * self._block)
            begin = upto

    def _filler(self) -> "ctypes.Array[ctypes.c_uint8]":
        assert self._saved is not None  # `reset` came first
        return self._saved

    def _save(self) -> "ctypes.Array[ctypes.c_uint8]":
        """The state of one block of fillers."""
        self._engine.evaluate([Token(FILLER_TOKEN, i, (SCRATCH,)) for i in range(self._block)])
        saved = self._engine.state(SCRATCH)
        self._engine.clear()
        return saved
