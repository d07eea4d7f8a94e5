"""Exercises that stay with an adapter: some of all that it learnt from, to be learnt again, and some that it never saw.

What is kept of a growing set is the part with the smallest hashes (bottom-k sampling; Cohen and Kaplan 2007,
"Summarizing data using bottom-k sketches"). A hash is as good as a number drawn by lot, so that is a sample of all that
was ever put in, each as likely as any other, as a reservoir is (Vitter 1985); but it depends on no order, and the
sample of a union is found from the two samples.
"""

import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from ...tools.disk import save
from ...tools.frozen import canonical_json, content_hash
from .exercises import Exercise, Sheet, TrainingError

KEPT_FILE = "exercises.json.gz"
"""In an adapter's folder."""
KEPT, HELD_OUT = 1000, 400
"""The most exercises that are kept to be learnt again, and to measure what was forgotten."""


class Damaged(TrainingError):
    """A file beside an adapter is not what was written."""


@dataclass(frozen=True)
class Kept:
    """What stays with an adapter."""

    replay: list[Exercise] = field(default_factory=list)
    """A sample of what was learnt."""
    held_out: list[Exercise] = field(default_factory=list)
    """A sample of what was never learnt: forgetting shows there."""


def sampled(exercises: Iterable[Exercise], most: int) -> list[Exercise]:
    """At most so many of them, each as likely as any other; equal ones count once.

    Args:
        exercises: in any order; parts that were sampled before, with the same or a larger bound, stand for their whole.
        most: how many.
    """
    by_hash = {content_hash(_key(exercise)): exercise for exercise in exercises}
    return [by_hash[digest] for digest in sorted(by_hash)[:most]]


def write_kept(folder: Path, kept: Kept) -> str:
    """Write the exercises of an adapter into its folder.

    Returns:
        The file's sha256.
    """
    sheets: dict[Sheet, int] = {}
    document = {
        "replay": [_row(exercise, sheets) for exercise in kept.replay],
        "held_out": [_row(exercise, sheets) for exercise in kept.held_out],
    }
    document["sheets"] = [[s.agent, s.system, s.prefix, list(s.options), s.lead_in, s.content_free] for s in sheets]
    content = gzip.compress(canonical_json(document).encode(), mtime=0)
    save(folder / KEPT_FILE, content)
    return sha256(content).hexdigest()


def read_kept(folder: Path, digest: str) -> Kept:
    """The exercises of an adapter.

    Args:
        folder: of the adapter.
        digest: the file's sha256, from the adapter's card.

    Raises:
        Damaged: the file is missing or another one.
    """
    path = folder / KEPT_FILE
    try:
        content = path.read_bytes()
    except OSError:
        raise Damaged(f"{path} is missing, so what was learnt cannot be kept: train the adapter anew.") from None
    if sha256(content).hexdigest() != digest:
        raise Damaged(f"{path} is not the file that was written with the adapter: put the old one back, or train anew.")
    document = json.loads(gzip.decompress(content))
    sheets = [
        Sheet(agent, system, prefix, tuple(options), lead_in, content_free)
        for agent, system, prefix, options, lead_in, content_free in document["sheets"]
    ]
    return Kept(*([_read(row, sheets) for row in document[part]] for part in ("replay", "held_out")))


def _key(exercise: Exercise) -> list[Any]:
    sheet = exercise.sheet
    return [sheet.agent, sheet.system, sheet.prefix, exercise.text, exercise.day.isoformat(), list(exercise.target)]


def _row(exercise: Exercise, sheets: dict[Sheet, int]) -> list[Any]:
    place = sheets.setdefault(exercise.sheet, len(sheets))
    days = [exercise.day.isoformat(), exercise.known.isoformat()]
    return [place, exercise.text, list(exercise.target), *days, exercise.group, exercise.rank]


def _read(row: list[Any], sheets: list[Sheet]) -> Exercise:
    place, text, target, day, known, group, rank = row
    return Exercise(sheets[place], text, tuple(target), date.fromisoformat(day), date.fromisoformat(known), group, rank)
