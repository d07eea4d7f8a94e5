"""Exercises as tokens: the very ones that the desk's engine evaluates, in batches that share a beginning."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...agents.models.core import Question
from ...agents.models.llama_cpp.mind import LlamaCpp
from .exercises import Exercise, Sheet, request_of

SLIGHT = 0.02
"""Options whose target is below it are not read; the others share its part."""
Row = tuple[list[int], tuple[int, ...], float]
"""Tokens after the beginning, tokens of an option, weight."""


@dataclass(frozen=True)
class Batch:
    """Rows to read after one beginning."""

    stem: list[int]
    rows: list[Row]

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
        """Batches of one sheet each, in random order.

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
            order = rng.permutation(len(some))
            cuts += [(sheet, [some[i] for i in order[at : at + size]]) for at in range(0, len(some), size)]
        for place in rng.permutation(len(cuts)):
            sheet, some = cuts[place]
            yield self._batch(sheet, some, content_free)

    def _batch(self, sheet: Sheet, exercises: Sequence[Exercise], content_free: float) -> Batch:
        laid = self._sheets[sheet]
        rows: list[Row] = [
            (laid.rests[exercise.text], option, weight)
            for exercise in exercises
            for option, weight in _weighted(laid.options, exercise.target)
        ]
        if content_free and laid.content_free is not None:
            share = content_free / len(laid.options)
            rows += [(laid.content_free, option, share) for option in laid.options]
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


def _weighted(options: Sequence[tuple[int, ...]], target: Sequence[float]) -> list[tuple[tuple[int, ...], float]]:
    kept = [(option, weight) for option, weight in zip(options, target, strict=True) if weight >= SLIGHT]
    total = math.fsum(weight for _, weight in kept)
    return [(option, weight / total) for option, weight in kept]
