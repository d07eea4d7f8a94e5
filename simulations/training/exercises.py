"""What a mind is trained and examined on: prompts word for word as the desk sends them, with the answer that was right.

An exercise is one question of a `Request`. Exercises with the same beginning (system message and prefix) and the same
options share a `Sheet`, so that a model reads the beginning once for all of them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...agents.models.core import Question, Request
from ...tools.errors import InputError
from ...tools.frozen import content_hash


class TrainingError(InputError):
    """Something cannot be trained or examined as asked."""


class TooLittleData(TrainingError):
    """There are too few exercises to learn from or to be examined on."""


class OneClass(TrainingError):
    """All exercises have the same answer: there is nothing to tell apart."""


class Leakage(TrainingError):
    """What a mind is examined on was among what it learnt from."""


@dataclass(frozen=True)
class Sheet:
    """What exercises have in common."""

    agent: str
    system: str
    prefix: str
    options: tuple[str, ...]
    lead_in: str = ""
    content_free: str | None = None


@dataclass(frozen=True)
class Exercise:
    """One question and the distribution over its options that was right."""

    sheet: Sheet
    text: str
    """After the prefix; ends where the mind is to answer."""
    target: tuple[float, ...]
    """Over `sheet.options`, of sum 1; one of them where the answer is known."""
    day: date
    """When it could be asked first."""
    known: date
    """When its answer was known; examinations come after what was known at the time of training."""
    group: str
    """What must not stand on both sides of a split: the company, the wording."""
    rank: float = 0.0
    """The figure behind the answer, where there is one: what a score is to be correlated with."""

    @property
    def answer(self) -> int:
        """Index of the most probable option."""
        return int(np.argmax(self.target))


def requests_of(exercises: Sequence[Exercise], most: int = 24) -> Iterator[tuple[Request, list[int]]]:
    """The exercises as requests to a mind, with the places of their questions among the exercises.

    Args:
        exercises: in any order.
        most: questions per request.
    """
    by_sheet: dict[Sheet, list[int]] = {}
    for place, exercise in enumerate(exercises):
        by_sheet.setdefault(exercise.sheet, []).append(place)
    for sheet, places in by_sheet.items():
        for first in range(0, len(places), most):
            some = places[first : first + most]
            questions = tuple(Question(ticker=str(place), text=exercises[place].text) for place in some)
            yield request_of(sheet, questions), some


def request_of(sheet: Sheet, questions: tuple[Question, ...]) -> Request:
    """Questions on a sheet, as the desk would ask them, without the object that follows."""
    return Request(
        role=sheet.agent,
        task="stance",
        system=sheet.system,
        prefix=sheet.prefix,
        questions=questions,
        options=sheet.options,
        content_free=sheet.content_free,
        lead_in=sheet.lead_in,
    )


def sheet_of(request: Request | dict[str, Any]) -> Sheet:
    """What the questions of a request have in common."""
    asked = request if isinstance(request, Request) else Request.model_validate(request)
    return Sheet(asked.role, asked.system, asked.prefix, asked.options, asked.lead_in, asked.content_free)


def refuse_poor(exercises: Sequence[Exercise], least: int, what: str) -> None:
    """Refuse what nothing can be learnt from.

    Args:
        exercises: of one agent or of all.
        least: how many are needed.
        what: they are for, as in "to train on".

    Raises:
        TooLittleData: there are fewer.
        OneClass: all have the same most probable answer.
    """
    if len(exercises) < least:
        raise TooLittleData(
            f"There are {len(exercises)} exercises {what} and {least} are needed: give more sessions, markets or rows."
        )
    answers = {exercise.sheet.options[exercise.answer] for exercise in exercises}
    if len(answers) < 2:
        raise OneClass(f"All exercises {what} have the answer {answers.pop()}: give some with another.")


def refuse_leaks(learnt: Iterable[Exercise], examined: Iterable[Exercise], *, by_time: bool) -> None:
    """Refuse examinations on what was learnt.

    Args:
        learnt: trained on.
        examined: to be examined on.
        by_time: whether both are of one market: then every answer learnt must have been known before the first question
            of the examination was asked.

    Raises:
        Leakage: a text stands on both sides, or an answer learnt was not known yet.
    """
    learnt, examined = list(learnt), list(examined)
    if not learnt or not examined:
        return
    texts = {(exercise.sheet.prefix, exercise.text) for exercise in learnt}
    twice = next((e for e in examined if (e.sheet.prefix, e.text) in texts), None)
    if twice is not None:
        first = twice.text.splitlines()[0]
        raise Leakage(f"An exercise of the examination was learnt ({first[:60]!r}): split again.")
    latest, earliest = max(e.known for e in learnt), min(e.day for e in examined)
    if by_time and latest >= earliest:
        raise Leakage(
            f"The answers learnt were known by {latest}, and the examination begins on {earliest}: leave out what lies "
            "between."
        )


def purged(exercises: Sequence[Exercise], share: float) -> tuple[list[Exercise], list[Exercise]]:
    """The earlier part and the later part, without what was asked before the cut and known after it.

    Args:
        exercises: of one market.
        share: of the days that the later part takes, between 0 and 1.
    """
    days = sorted({exercise.day for exercise in exercises})
    cut = days[min(len(days) - 1, round(len(days) * (1 - share)))]
    later = [exercise for exercise in exercises if exercise.day >= cut]
    return [exercise for exercise in exercises if exercise.known < cut], later


def some_of(exercises: Sequence[Exercise], count: int, rng: np.random.Generator) -> list[Exercise]:
    """At most so many, as they come: how often an answer is right is learnt, too."""
    return [exercises[place] for place in rng.permutation(len(exercises))[:count]]


def digest_of(exercises: Iterable[Exercise]) -> str:
    """Hash of all that is learnt, for a model card."""
    return content_hash([[e.sheet.agent, e.sheet.prefix, e.text, list(e.target)] for e in exercises])


def targets_of(exercises: Sequence[Exercise]) -> NDArray[np.float64]:
    """(n, options) what was right; all exercises have the same number of options."""
    return np.array([exercise.target for exercise in exercises], dtype=float)
