"""Splits for everything that is fitted to outcomes: no fold is judged by what overlaps with what it was fitted to.

An outcome spans the sessions from its signal to the end of its horizon. Two outcomes that share a session are not
independent, however far apart their signals are, so what overlaps with a test span is purged from the training set, and
what begins within an embargo after it as well (Lopez de Prado 2018, "Advances in financial machine learning", ch. 7).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from .metrics import EvaluationError

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Spans:
    """Outcomes by the sessions that they span, ascending by start."""

    first: Places
    """(n,) session after which the outcome begins."""
    last: Places
    """(n,) session at which it is known."""

    def __post_init__(self) -> None:
        if len(self.first) != len(self.last) or (self.last < self.first).any() or (np.diff(self.first) < 0).any():
            raise EvaluationError("Outcomes must ascend by their start and end no earlier: sort them by decision.")

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True)
class Split:
    """Places of the outcomes to fit to, and of those to judge by."""

    train: Places
    test: Places


def walk_forward(spans: Spans, parts: int) -> Iterator[Split]:
    """Each part but the first is judged by what was known before it began: outcomes that had ended by then.

    Args:
        spans: the outcomes.
        parts: how many parts of about equal size, cut between starts, at least 2.

    Yields:
        One split per part that has something to be fitted to.
    """
    for test in _parts(spans, parts)[1:]:
        train = np.flatnonzero(spans.last <= spans.first[test[0]])
        if len(train):
            yield Split(train, test)


def combinatorial(spans: Spans, parts: int, tested: int, embargo: int = 0) -> Iterator[Split]:
    """Every choice of `tested` parts is judged once, by the others, purged (chapter 12).

    Args:
        spans: the outcomes.
        parts: N parts of about equal size, cut between starts.
        tested: k of them are judged at a time: C(N, k) splits.
        embargo: sessions after a test span in which no training outcome may begin.

    Raises:
        EvaluationError: the numbers do not fit together.
    """
    if not 0 < tested < parts:
        raise EvaluationError(f"{tested} of {parts} parts cannot be judged by the rest: choose fewer than all.")
    cut = _parts(spans, parts)
    for chosen in combinations(range(len(cut)), tested):
        test = np.concatenate([cut[i] for i in chosen])
        train = np.setdiff1d(np.arange(len(spans)), test)
        for i in chosen:
            begin, end = spans.first[cut[i]].min(), spans.last[cut[i]].max()
            clear = (spans.last[train] <= begin) | (spans.first[train] >= end + embargo)
            train = train[clear]
        if len(train):
            yield Split(train, test)


def _parts(spans: Spans, parts: int) -> list[Places]:
    """About equal parts; outcomes of one start stay together."""
    starts = np.unique(spans.first)
    if parts < 2 or len(starts) < parts:
        raise EvaluationError(f"{len(starts)} decisions cannot be cut into {parts} parts: take fewer, at least two.")
    return [np.flatnonzero(np.isin(spans.first, group)) for group in np.array_split(starts, parts)]
