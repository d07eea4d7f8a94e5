"""Exercises as tokens: the very ones that the desk's engine evaluates, in batches that share a beginning."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...agents.models.core import Question
from ...agents.models.llama_cpp.mind import LlamaCpp
from .exercises import Exercise, Sheet, request_of

SLIGHT = 0.02
"""Options whose target is below it are not read; the others share its part."""
POOL = 16
"""Batches whose exercises are sorted by length among each other, so that few places of a batch stay empty."""


@dataclass(frozen=True)
class Row:
    """A question and the options that are read after it, each as if it were the only one."""

    rest: list[int]
    """Tokens after the beginning."""
    options: tuple[tuple[tuple[int, ...], float], ...]
    """Tokens and weight of each."""

    @property
    def tokens(self) -> list[int]:
        """All that is read: the question, then every option without its last token, after which nothing is asked."""
        return [*self.rest, *(token for option, _ in self.options for token in option[:-1])]

    @property
    def weight(self) -> float:
        """Of all its options."""
        return math.fsum(weight for _, weight in self.options)


@dataclass(frozen=True)
class Batch:
    """Rows to read after one beginning."""

    stem: list[int]
    rows: list[Row]

    @property
    def weight(self) -> float:
        """Of all its rows."""
        return math.fsum(row.weight for row in self.rows)

    def part(self, first: int, count: int) -> "Batch":
        """So many of its rows."""
        return Batch(self.stem, self.rows[first : first + count])


class Laid:
    """The tokens of exercises.

    Args:
        base: the GGUF file whose vocabulary is used.
        exercises: all that will be asked for.
    """

    def __init__(self, base: Path, exercises: Sequence[Exercise]) -> None:
        texts: dict[Sheet, dict[str, None]] = {}
        for exercise in exercises:
            texts.setdefault(exercise.sheet, {})[exercise.text] = None
        reader = LlamaCpp(base, threads=1)
        try:
            self._sheets = {sheet: _lay_out(reader, sheet, list(some)) for sheet, some in texts.items()}
        finally:
            reader.close()

    def batches(
        self, exercises: Sequence[Exercise], size: int, rng: np.random.Generator, *, content_free: float = 0.0
    ) -> Iterator[Batch]:
        """Batches of one sheet each, in random order, of exercises that are about as long as each other.

        Args:
            exercises: among those laid out.
            size: exercises per batch at most.
            rng: shuffles.
            content_free: weight of the sheet's content-free question, all options alike right; 0 leaves it out.
        """
        by_sheet: dict[Sheet, list[Exercise]] = {}
        for exercise in exercises:
            by_sheet.setdefault(exercise.sheet, []).append(exercise)
        cuts: list[tuple[Sheet, list[Exercise]]] = []
        for sheet, some in by_sheet.items():
            order = self._by_length(sheet, some, rng.permutation(len(some)), POOL * size)
            cuts += [(sheet, [some[i] for i in order[at : at + size]]) for at in range(0, len(some), size)]
        for place in rng.permutation(len(cuts)):
            sheet, some = cuts[place]
            yield self._batch(sheet, some, content_free)

    def _by_length(self, sheet: Sheet, exercises: Sequence[Exercise], order: NDArray[np.intp], pool: int) -> list[int]:
        """The order, each pool of it sorted by the length of questions."""
        rests = self._sheets[sheet].rests
        pools = (order[at : at + pool].tolist() for at in range(0, len(order), pool))
        return [i for some in pools for i in sorted(some, key=lambda i: len(rests[exercises[i].text]))]

    def _batch(self, sheet: Sheet, exercises: Sequence[Exercise], content_free: float) -> Batch:
        laid = self._sheets[sheet]
        rows = [Row(laid.rests[one.text], _weighted(laid.options, one.target)) for one in exercises]
        if content_free and laid.content_free is not None:
            share = content_free / len(laid.options)
            rows.append(Row(laid.content_free, tuple((option, share) for option in laid.options)))
        return Batch(laid.stem, rows)


@dataclass(frozen=True)
class _Sheet:
    stem: list[int]
    rests: dict[str, list[int]]
    content_free: list[int] | None
    options: tuple[tuple[int, ...], ...]


def _lay_out(reader: LlamaCpp, sheet: Sheet, texts: list[str]) -> _Sheet:
    questions = tuple(Question(ticker=str(i), text=text) for i, text in enumerate(texts))
    laid = reader.laid_out(request_of(sheet, questions))
    return _Sheet(laid.stem, dict(zip(texts, laid.rests, strict=True)), laid.content_free, laid.options)


def _weighted(options: Sequence[tuple[int, ...]], target: Sequence[float]) -> tuple[tuple[tuple[int, ...], float], ...]:
    kept = [(option, weight) for option, weight in zip(options, target, strict=True) if weight >= SLIGHT]
    total = math.fsum(weight for _, weight in kept)
    return tuple((option, weight / total) for option, weight in kept)
