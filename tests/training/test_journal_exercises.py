"""Journals teach what was asked and what came of it, and nothing that was not known at the day of training."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from paperdesk.agents.signals import STANCES
from paperdesk.memory.journal import Journal
from paperdesk.memory.journal.events import SignalResolved
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.session import start
from paperdesk.simulations.training.exercises import TooLittleData, TrainingError
from paperdesk.simulations.training.journal_exercises import (
    FromJournals,
    NothingKnown,
    answered,
    harvest,
    parts_of,
    session_folders,
)
from paperdesk.tools.market.laboratory import LaboratoryPlan, make, write_laboratory

from .journals import HORIZON_DAYS, TICKERS, day_of, luck, rising, write_journal


def source(*places: Path, **how: object) -> FromJournals:
    return FromJournals.model_validate({"sessions": tuple(map(str, places))} | how)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_journal(tmp_path_factory.mktemp("runs") / "001", rising, decisions=40, too_long_at=3)


def test_an_exercise_is_the_question_as_it_was_sent_with_the_stance_that_turned_out_right(session: Path) -> None:
    found = harvest(source(session))
    weeks = HORIZON_DAYS // 7
    assert len(found.exercises) == (40 - weeks) * len(TICKERS), "the last weeks' outcomes are not known yet"
    for exercise in found.exercises:
        figure = int(exercise.text.split()[1].rstrip("%"))
        assert exercise.answer == rising(figure, np.random.default_rng())
        assert exercise.known == exercise.day + timedelta(days=HORIZON_DAYS)
        assert not exercise.text.startswith("a long story"), "it was not answered"
    assert found.as_of == day_of(39)


def test_what_became_known_after_the_day_of_training_is_not_there(session: Path) -> None:
    for as_of in (day_of(10), day_of(10) - timedelta(days=1)):
        found = harvest(source(session, as_of=as_of))
        assert max(e.known for e in found.exercises) <= as_of
        assert found.as_of == as_of
    assert max(e.known for e in harvest(source(session, as_of=day_of(10))).exercises) == day_of(10)


def test_of_what_was_learnt_before_nothing_comes_again(session: Path) -> None:
    all_, old = harvest(source(session)), harvest(source(session, as_of=day_of(20)))
    new = harvest(source(session), after=day_of(20))
    assert len(old.exercises) + len(new.exercises) == len(all_.exercises)
    assert min(e.known for e in new.exercises) > day_of(20)


def test_parts_are_purged_of_what_overlaps_them(session: Path) -> None:
    where = source(session)
    learn, held_back, exam = parts_of(harvest(where).exercises, where)
    assert max(e.known for e in learn) < min(e.day for e in held_back)
    assert max(e.known for e in held_back) < min(e.day for e in exam)


def test_a_session_and_its_copy_teach_once(session: Path, tmp_path: Path) -> None:
    write_journal(tmp_path / "a", rising, decisions=30)
    write_journal(tmp_path / "b", rising, decisions=20)
    found = harvest(source(tmp_path))
    assert found.exercises == harvest(source(tmp_path / "a")).exercises
    assert len(found.heads) == 2


def test_a_teacher_is_learnt_from_by_its_whole_distribution(tmp_path: Path) -> None:
    folder = write_journal(
        tmp_path / "t", luck, decisions=10, scores=lambda figure: [0.1, 0.2, 0.4, 0.2, 0.1] if figure else [0.2] * 5
    )
    found = harvest(source(folder, by="teacher"))
    assert len(found.exercises) == 10 * len(TICKERS), "what came of it is of no matter"
    assert {e.target for e in found.exercises if " +0%" not in e.text} == {(0.1, 0.2, 0.4, 0.2, 0.1)}
    assert all(e.known == e.day for e in found.exercises)


def test_what_cannot_teach_is_refused(session: Path, tmp_path: Path) -> None:
    with pytest.raises(NothingKnown, match=r"No outcome .* was known by 2030-01-05; the first came on 2030-01-25"):
        harvest(source(session, as_of=date(2030, 1, 5)))
    with pytest.raises(NothingKnown, match="became known after"):
        harvest(source(session), after=day_of(60))
    short = write_journal(tmp_path / "short", rising, decisions=2)
    with pytest.raises(NothingKnown, match="run the sessions on"):
        harvest(source(short))
    with pytest.raises(TrainingError, match="There is no session in"):
        session_folders([str(tmp_path / "nowhere")])
    for config, words in (({"placebo": "flip"}, "is a placebo"), ({"mask": ["dates"]}, "hides its dates")):
        folder = write_journal(tmp_path / words.split()[-1], rising, decisions=8, config=config)
        with pytest.raises(TrainingError, match=words):
            harvest(source(folder))


def test_too_few_outcomes_are_refused_before_anything_is_trained(session: Path, tmp_path: Path) -> None:
    from paperdesk.simulations.training.desk_command import DeskPlan, journal_parts

    plan = DeskPlan(journals=source(session, as_of=day_of(12)))
    with pytest.raises(TooLittleData, match=r"exercises to learn from with answers known by 2030-03-29 and 64"):
        journal_parts(plan, lambda text: None)


@pytest.mark.slow
def test_a_session_of_the_desk_teaches_what_its_journal_says(tmp_path: Path) -> None:
    plan = LaboratoryPlan(companies=2, years=3, seed=5, edges={"momentum": 1.0})
    write_laboratory(make(plan), tmp_path / "market")
    start(SessionConfig(market=str(tmp_path / "market"), model="scorecard", repeats=0), tmp_path / "session")
    found = harvest(source(tmp_path / "session"))
    with Journal.open_readonly(tmp_path / "session") as journal:
        asked = {(a.request.prefix, a.question.text): a for a in reversed(list(answered(journal)))}
        resolved = [r.event for r in journal.events("signal_resolved") if isinstance(r.event, SignalResolved)]
    by_seat = {(e.issued_in, e.agent, e.ticker): e.record for e in resolved}
    assert len(found.exercises) == len(by_seat)
    for exercise in found.exercises:
        sent = asked[exercise.sheet.prefix, exercise.text]
        outcome = by_seat[sent.decision, exercise.sheet.agent, sent.question.ticker]
        assert exercise.rank == outcome.surprise
        assert exercise.sheet.options == STANCES
        assert exercise.known == outcome.available_at.date() > exercise.day == outcome.issued_on
