"""How probable each answer of a question is, as far as the figures in it tell.

Which stance was right follows from causes that the figures show only in part and rounded, so the right answer to one
question says little about what its figures mean. Gradient-boosted trees (Friedman 2001, "Greedy function
approximation") find that out from the table of figures; a small language model that is taught their probabilities in
place of the answers (soft targets; Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network") can
learn the same from fewer questions.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .exercises import Exercise, TrainingError

FIGURE = re.compile(r"^E\d+ (?P<name>[A-Za-z ]+?) (?P<value>[+-]?[\d.]+)%?$", re.MULTILINE)
"""A line of evidence that is a figure."""
DIGITS = 3
"""Of the probabilities."""


def figures_of(text: str) -> dict[str, float]:
    """The figures of a question by their names, in the units in which they are shown."""
    return {found["name"]: float(found["value"]) for found in FIGURE.finditer(text)}


def with_odds(markets: Sequence[Sequence[Exercise]]) -> list[list[Exercise]]:
    """The exercises with the probabilities of their answers as targets, each from what the other markets teach.

    Args:
        markets: at least two; their exercises have one right answer each.

    Raises:
        TrainingError: there is only one market, so that its own answers would be all there is to judge by.
    """
    if len(markets) < 2:
        raise TrainingError(
            "How probable a stance is takes two markets at least to tell: name more --seeds, or give `--targets truth`."
        )
    found = [list(market) for market in markets]
    for agent in sorted({exercise.sheet.agent for market in markets for exercise in market}):
        for place, market in enumerate(markets):
            own = [i for i, exercise in enumerate(market) if exercise.sheet.agent == agent]
            others = [
                exercise
                for other, some in enumerate(markets)
                if other != place
                for exercise in some
                if exercise.sheet.agent == agent
            ]
            for i, odds in zip(own, _odds(others, [market[i] for i in own]), strict=True):
                found[place][i] = replace(market[i], target=tuple(np.round(odds, DIGITS).tolist()))
    return found


def _odds(learnt: Sequence[Exercise], asked: Sequence[Exercise]) -> NDArray[np.float64]:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    names = sorted({name for exercise in learnt for name in figures_of(exercise.text)})
    model = HistGradientBoostingClassifier(
        max_iter=100, learning_rate=0.05, max_leaf_nodes=4, min_samples_leaf=100, l2_regularization=1.0, random_state=0
    )
    found = np.zeros((len(asked), len(learnt[0].target)))
    with threadpool_limits(1):  # a second's work; threads that wait for each other on a busy machine take minutes
        model.fit(table_of(learnt, names), [exercise.answer for exercise in learnt])
        found[:, model.classes_] = model.predict_proba(table_of(asked, names))
    return found


def table_of(exercises: Sequence[Exercise], names: Sequence[str]) -> NDArray[np.float64]:
    """(n, names) the figures of exercises; NaN where a question shows none of that name."""
    shown = [figures_of(exercise.text) for exercise in exercises]
    return np.array([[figures.get(name, np.nan) for name in names] for figures in shown], dtype=float)
