"""Prompts with solved examples: earlier exercises whose answer was known by then, chosen by likeness or by time."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from paperdesk.simulations.training.exercises import Exercise
from paperdesk.tools.market.documents.embedding import embed, similarities

By = Literal["likeness", "time"]
"""The most similar ones (Liu et al. 2022, "What makes good in-context examples for GPT-3?"), or the latest ones."""


def examples_for(asked: Exercise, pool: Sequence[Exercise], count: int, by: By) -> list[Exercise]:
    """Solved examples for a question, the one to stand next to it last.

    Args:
        asked: the question.
        pool: where they are taken from, such of the same agent and options as were answered before the question's day;
            of one company and day one at most.
        count: how many at most.
        by: similarity is the cosine of the desk's static vectors of the texts.
    """
    earlier: dict[tuple[object, ...], Exercise] = {}
    for one in pool:
        same = one.sheet.agent == asked.sheet.agent and one.sheet.options == asked.sheet.options
        if same and one.known < asked.day:
            earlier.setdefault((one.day, one.group), one)
    found = sorted(earlier.values(), key=lambda one: (one.day, one.group))
    if by == "likeness" and found:
        near = similarities(embed([one.text for one in found]), embed([asked.text])[0])
        found = [found[i] for i in np.argsort(near, kind="stable")]
    return found[-count:] if count else []


def with_examples(asked: Exercise, examples: Sequence[Exercise]) -> Exercise:
    """The question after its examples; they stand before the content-free question too."""
    solved = "".join(f"{one.text} {one.sheet.options[one.answer]}\n\n" for one in examples)
    return replace(asked, sheet=replace(asked.sheet, prefix=asked.sheet.prefix + solved))
