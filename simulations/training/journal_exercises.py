"""Exercises from sessions' journals: what analysts were asked, word for word, with what happened or with what was said.

By outcome, the right stance is that of the return over the signal's horizon less the universe's, in units of its usual
size (`Outcome.surprise`), cut where the expected returns of generated markets are. By teacher, the target is the whole
distribution that the session's mind gave, after its own correction: with soft targets the cross-entropy differs from
the Kullback-Leibler divergence KL(teacher || pupil) by the teacher's entropy alone, which no weight changes (Hinton,
Vinyals and Dean 2015, "Distilling the knowledge in a neural network", section 2, at temperature 1).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from ...agents.models.core import Answer, Question, Reply, Request
from ...agents.signals import STANCE_SCORE, STANCES
from ...memory.journal import Journal
from ...memory.journal.database import FILE as JOURNAL_FILE
from ...memory.journal.events import DecisionOpened, ModelCalled, SessionStarted, SignalResolved
from ...memory.outcome import Outcome
from ...tools.frozen import Frozen
from .exercises import Exercise, TrainingError, purged, sheet_of
from .market_exercises import CUTS

By = Literal["outcomes", "teacher"]
"""What tells which answer was right: what happened, or what the session's mind said."""


class NothingKnown(TrainingError):
    """No answer was known at the day of training."""


class FromJournals(Frozen):
    """Sessions to learn from."""

    sessions: tuple[str, ...] = Field(min_length=1)
    """Folders of sessions, or folders that hold some."""
    by: By = "outcomes"
    as_of: date | None = None
    """Day of the training: what became known later is left out; nothing is by default."""
    examined: float = Field(default=0.25, gt=0, lt=1)
    """Part of the decisions, the latest, for the examination."""
    held_back: float = Field(default=0.15, gt=0, lt=1)
    """Part of the decisions before those that tells when to stop."""


@dataclass(frozen=True)
class Asked:
    """A question to an analyst that was answered."""

    decision: int
    day: date
    request: Request
    question: Question
    answer: Answer


@dataclass(frozen=True)
class Harvest:
    """What sessions hold for training."""

    exercises: list[Exercise]
    """By day; a question that was asked word for word more than once is there the first time."""
    as_of: date
    """Day of the training: the one asked for, or that of the last answer that became known."""
    heads: tuple[str, ...]
    """Of the sessions' journals."""


def harvest(source: FromJournals, *, agent: str | None = None, after: date | None = None) -> Harvest:
    """The exercises of sessions whose answer was known at the day of training.

    Args:
        source: which sessions, and what is right.
        agent: only those of this analyst.
        after: only those whose answer became known after this day.

    Raises:
        NothingKnown: no answer was known by then.
        TrainingError: a folder holds no session, or one that teaches nothing true.
        JournalRefused: a journal cannot be read.
    """
    known: list[Exercise] = []
    later: list[date] = []
    heads = []
    for folder in session_folders(source.sessions):
        with Journal.open_readonly(folder) as journal:
            _refuse_untrue(journal, folder)
            heads.append(journal.head)
            for exercise in _of(journal, source.by):
                if agent is not None and exercise.sheet.agent != agent:
                    continue
                if source.as_of is not None and exercise.known > source.as_of:
                    later.append(exercise.known)
                else:
                    known.append(exercise)
    # a fork and its parent ask the same, and an analyst without news asks again what it asked before: the first counts
    first: dict[tuple[str, str, str], Exercise] = {}
    for exercise in sorted(known, key=lambda e: (e.day, e.sheet.agent, e.group)):
        first.setdefault((exercise.sheet.system, exercise.sheet.prefix, exercise.text), exercise)
    exercises = [exercise for exercise in first.values() if after is None or exercise.known > after]
    if not exercises:
        raise NothingKnown(_nothing(source, agent, after, later))
    return Harvest(exercises, source.as_of or max(e.known for e in exercises), tuple(heads))


def parts_of(
    exercises: Sequence[Exercise], source: FromJournals
) -> tuple[list[Exercise], list[Exercise], list[Exercise]]:
    """To learn from, to hold back, to be examined on: in the order of time, purged of what overlaps a later part."""
    earlier, exam = purged(exercises, source.examined)
    learn, held_back = purged(earlier, source.held_back) if earlier else ([], [])
    return learn, held_back, exam


def session_folders(places: Sequence[str]) -> list[Path]:
    """The folders of sessions: those named, and those in a folder that holds sessions.

    Raises:
        TrainingError: there is none in one of the places.
    """
    folders: dict[Path, None] = {}
    for place in places:
        path = Path(place).expanduser()
        inside = [path] if (path / JOURNAL_FILE).is_file() else sorted(p.parent for p in path.glob(f"*/{JOURNAL_FILE}"))
        if not inside:
            raise TrainingError(f"There is no session in {place}: name the folder of one, or a folder that holds some.")
        folders |= dict.fromkeys(inside)
    return list(folders)


def answered(journal: Journal) -> Iterator[Asked]:
    """The first question to each analyst about each company at each decision that its mind could answer.

    Later ones are revisions, which speak of the auditor's objections; earlier ones did not fit the mind's context.
    """
    days: dict[int, date] = {
        record.event.decision: record.event.session
        for record in journal.events("decision_opened")
        if isinstance(record.event, DecisionOpened) and record.event.decision is not None
    }
    seen: set[tuple[int, str, str]] = set()
    for record in journal.events("model_called"):
        event = record.event
        if not isinstance(event, ModelCalled) or event.task != "stance":
            continue
        if event.decision is None or event.decision not in days:
            continue
        request, reply = Request.model_validate(event.request), Reply.model_validate(event.reply)
        for question, answer in zip(request.questions, reply.answers, strict=True):
            seat = (event.decision, event.agent, question.ticker)
            if answer.failure is None and seat not in seen:
                seen.add(seat)
                yield Asked(event.decision, days[event.decision], request, question, answer)


def _of(journal: Journal, by: By) -> Iterator[Exercise]:
    outcomes = {
        (record.event.issued_in, record.event.agent, record.event.ticker): record.event.record
        for record in journal.events("signal_resolved")
        if isinstance(record.event, SignalResolved)
    }
    first = next(journal.events("session_started")).event
    assert isinstance(first, SessionStarted)
    market = first.market_fingerprint[:12]
    for asked in answered(journal):
        if asked.request.options != STANCES:
            continue
        group = f"{market}/{asked.question.ticker}"
        if by == "teacher":
            yield _by_teacher(asked, group)
        elif outcome := outcomes.get((asked.decision, asked.request.role, asked.question.ticker)):
            yield _by_outcome(asked, outcome, group)


def _by_outcome(asked: Asked, outcome: Outcome, group: str) -> Exercise:
    place = int(np.searchsorted(CUTS, outcome.surprise))
    target = tuple(float(i == place) for i in range(len(STANCES)))
    known = outcome.available_at.date()
    return Exercise(sheet_of(asked.request), asked.question.text, target, asked.day, known, group, outcome.surprise)


def _by_teacher(asked: Asked, group: str) -> Exercise:
    said = asked.answer.probabilities
    target = tuple(said[stance] for stance in STANCES)
    score = sum(said[stance] * STANCE_SCORE[stance] for stance in STANCES)
    return Exercise(sheet_of(asked.request), asked.question.text, target, asked.day, asked.day, group, score)


def _refuse_untrue(journal: Journal, folder: Path) -> None:
    config = journal.manifest.config if journal.manifest else {}
    if config.get("placebo"):
        raise TrainingError(f"{folder} is a placebo, whose market was made worthless: leave it out.")
    if "dates" in (config.get("mask") or ()):
        raise TrainingError(
            f"{folder} hides its dates, so it cannot be told what was known when: train on sessions that show them."
        )


def _nothing(source: FromJournals, agent: str | None, after: date | None, later: Sequence[date]) -> str:
    where = ", ".join(source.sessions) + (f" for {agent}" if agent else "")
    if source.as_of is not None and later:
        return f"No outcome in {where} was known by {source.as_of}; the first came on {min(later)}: name a later day."
    if after is not None:
        return f"Nothing in {where} became known after {after}, up to which was learnt: name later sessions."
    return f"No signal in {where} has an outcome yet: run the sessions on past the horizons of their signals."
