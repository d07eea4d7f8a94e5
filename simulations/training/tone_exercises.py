"""Exercises about the tone of press releases, asked as the sentiment tool asks a mind (`prompt:MODEL`)."""

from collections.abc import Sequence
from datetime import date

from ...agents.sentiment_prompt import tone_request
from ...tools.sentiment.classifier import CLASSES
from .exercises import Exercise, sheet_of
from .phrasebook.releases import Release

TIMELESS = date.min
"""The day of what could always be asked: an invented release has no date."""


def tone_exercises(releases: Sequence[Release]) -> list[Exercise]:
    """One exercise for each release, in their order."""
    request = tone_request([release.text for release in releases])
    sheet = sheet_of(request)
    return [
        Exercise(
            sheet,
            question.text,
            tuple(float(name == release.label) for name in CLASSES),
            TIMELESS,
            TIMELESS,
            f"phrasebook/{release.trade}",
            float(CLASSES.index(release.label) - 1),
        )
        for question, release in zip(request.questions, releases, strict=True)
    ]
