"""Exercises about the tone of texts, asked as the sentiment tool asks a mind (`prompt:MODEL`)."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from ...agents.sentiment_prompt import tone_request
from ...tools.frozen import Frozen
from ...tools.sentiment.classifier import CLASSES, Label
from .exercises import Exercise, sheet_of
from .phrasebook.releases import Release
from .reader.parts import parts_of_file

TIMELESS = date.min
"""The day of what could always be asked: the parts of a file are kept apart by time before they become exercises."""


class FromFile(Frozen):
    """Labelled texts to learn from, in place of generated markets and releases."""

    labelled: Path
    """CSV with the columns text, label and perhaps date; then its parts follow each other in time."""
    stop: Path | None = None
    """CSV that tells when to stop; else a part of the first."""
    exam: Path | None = None
    """CSV of the examination; else a part of the first."""
    seed: int = 0
    """Of the split where there are no dates."""


def tone_exercises(releases: Sequence[Release]) -> list[Exercise]:
    """One exercise for each invented release, in their order."""
    return _asked(
        [release.text for release in releases],
        [release.label for release in releases],
        [f"phrasebook/{release.trade}" for release in releases],
    )


def file_exercises(source: FromFile) -> tuple[list[Exercise], list[Exercise], list[Exercise]]:
    """Exercises of labelled texts: to learn from, to stop by, to be examined on; no text repeats an earlier part's.

    Raises:
        DataError: a file has a defect.
        Leakage, TooLittleData, OneClass: see `reader.parts.checked`.
    """
    parts = parts_of_file(source.labelled, stop=source.stop, exam=source.exam, seed=source.seed)
    learn, stop, exam = (
        _asked(part.texts, part.labels, [part.name] * len(part)) for part in (parts.learn, parts.stop, parts.exam)
    )
    return learn, stop, exam


def _asked(texts: Sequence[str], labels: Sequence[Label], groups: Sequence[str]) -> list[Exercise]:
    request = tone_request(texts)
    sheet = sheet_of(request)
    return [
        Exercise(
            sheet,
            question.text,
            tuple(float(name == label) for name in CLASSES),
            TIMELESS,
            TIMELESS,
            group,
            float(CLASSES.index(label) - 1),
        )
        for question, label, group in zip(request.questions, labels, groups, strict=True)
    ]
