"""A fork shares the past hash by hash, has one thing otherwise from a decision on, and stands without its parent."""

import shutil
import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from paperdesk.memory.journal import Journal, JournalDamaged, JournalDivergence, JournalRefused, Record, verify
from paperdesk.memory.journal.events import Event
from paperdesk.simulations.changes import parse_changes
from paperdesk.simulations.config import load_config
from paperdesk.simulations.fork import fork
from paperdesk.simulations.reading.comparison import differences
from paperdesk.simulations.reading.comparison_parts import Closing, DecisionDifference, Opening
from paperdesk.simulations.session import Outcome, replay, resume, start
from paperdesk.tools.errors import InputError

from .conftest import Finished
from .forked import CONFIG

MIDDLE = date(2023, 10, 31)
"""The third of four decisions of the small session."""


def events_of(folder: Path) -> list[Event]:
    with Journal.open_readonly(folder) as journal:
        return [record.event for record in journal.events()]


def before(event: Event) -> bool:
    """Whether it belongs to a decision before the middle one."""
    assert event.decision is not None
    return event.decision < 2


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return start(load_config(None, CONFIG), tmp_path_factory.mktemp("parent") / "session")


Forked = Callable[..., Outcome]


@pytest.fixture
def forked(parent: Outcome, tmp_path: Path) -> Forked:
    """Makes a fork of the small session, or of another one."""

    def make(*settings: str, of: Path | None = None, at: date = MIDDLE, name: str = "fork") -> Outcome:
        return fork(of or parent.folder, tmp_path / name, at, settings, by="Ada")

    return make


@pytest.mark.slow
def test_in_the_middle_of_a_us8_session_with_nothing_changed_the_head_is_equal(
    us8_session: Finished, tmp_path: Path
) -> None:
    outcome = fork(us8_session.outcome.folder, tmp_path / "fork", date(2024, 10, 31))
    assert outcome.head == us8_session.outcome.head
    assert outcome.model_calls == 0
    with Journal.open_readonly(outcome.folder) as journal:
        assert journal.manifest is not None
        (branch,) = journal.manifest.branches
    assert (branch.parent_head, branch.parent_count) == (us8_session.outcome.head, us8_session.outcome.events)
    assert (branch.decision, branch.at, branch.settings) == (10, date(2024, 10, 31), ())
    opening, closing = differences(us8_session.outcome.folder, outcome.folder)
    assert isinstance(opening, Opening)
    assert isinstance(closing, Closing)
    assert opening.equal
    assert closing.different == 0


@pytest.mark.slow
def test_with_one_stance_changed_the_difference_is_that_stance_and_what_followed(
    us8_session: Finished, tmp_path: Path
) -> None:
    setting = "signal:fundamental_analyst:AMZN=strong_sell"
    outcome = fork(us8_session.outcome.folder, tmp_path / "fork", date(2024, 10, 31), [setting])
    opening, first, *_, closing = differences(us8_session.outcome.folder, outcome.folder)
    assert isinstance(opening, Opening)
    assert isinstance(first, DecisionDifference)
    assert isinstance(closing, Closing)
    # everything before is equal, hash by hash
    assert opening.first is not None
    assert (opening.first.kind_a, opening.first.kind_b) == ("decision_opened", "desk_changed")
    assert opening.choices == []
    before = [e for e in us8_session.events if e.decision is not None and e.decision < 10]
    assert opening.shared_events >= len(before)
    # in the decision itself: what was set, that one signal, and then its consequences; no other signal or audit
    assert first.session == date(2024, 10, 31)
    assert first.equity_a == first.equity_b
    said = [(row.what, row.subject) for row in first.differences if row.what in ("desk", "signal", "audit")]
    assert said == [("desk", "set"), ("signal", "fundamental_analyst on AMZN")]
    assert first.differences[1].b == "strong sell 100.0%, set by hand"
    assert {row.what for row in first.differences} >= {"weight", "order", "fill"}
    weights = {row.subject: (row.a, row.b) for row in first.differences if row.what == "weight"}
    assert float(weights["AMZN"][0] or 0) > float(weights["AMZN"][1] or 0)
    # later on, every signal is the same: stances do not depend on the portfolio
    assert closing.different is not None
    assert closing.different > 1
    assert closing.equity_a != closing.equity_b


@pytest.mark.slow
def test_a_fork_stands_without_its_parent(parent: Outcome, forked: Forked, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(parent.folder, tmp_path / "moved"))
    outcome = forked("signal:fundamental_analyst:VYDN=sell@0.6", of=moved)
    shutil.rmtree(moved)
    assert verify(outcome.folder).ok
    assert replay(outcome.folder).head == outcome.head
    events = events_of(outcome.folder)
    (changed,) = (e for e in events if e.kind == "desk_changed")
    (hand,) = (e for e in events if e.kind == "stance_set")
    (signal,) = (e for e in events if e.kind == "signal_issued" and e.signal["model"] == "by hand")
    assert (changed.parent_head, changed.parent_count, changed.at) == (parent.head, parent.events, MIDDLE)
    assert changed.settings == ["signal:fundamental_analyst:VYDN=sell@0.6"]
    assert (hand.by, hand.stance, hand.probability) == ("Ada", "sell", 0.6)
    assert hand.replaced["model"] != "by hand"
    assert (signal.stance, signal.confidence) == ("sell", 0.6)
    assert "by Ada" in signal.rationale
    assert sum(signal.signal["probabilities"].values()) == pytest.approx(1)
    # the auditor lets it pass with a note; what a person said is not held against the analyst's record
    audits = [e for e in events if e.kind == "audit_issued" and e.decision == 2 and e.ticker == "VYDN"]
    (audit,) = (e for e in audits if e.agent == "fundamental_analyst")
    assert (audit.verdict, [f["rule"] for f in audit.report["findings"]]) == ("pass", ["set_by_hand"])
    resolved = [e for e in events if e.kind == "signal_resolved" and e.issued_in == 2]
    assert not [e for e in resolved if (e.agent, e.ticker) == ("fundamental_analyst", "VYDN")]


@pytest.mark.slow
def test_a_limit_holds_from_the_decision_on_and_not_before(parent: Outcome, forked: Forked) -> None:
    outcome = forked("max_weight=0.3", "policy=strict")
    proposals = [e for e in events_of(outcome.folder) if e.kind == "proposal_made"]
    for event in proposals:
        assert max(event.weights.values()) <= (0.35 if before(event) else 0.3) + 1e-9
    assert max(proposals[1].weights.values()) > 0.34
    policies = {e.decision: e.report["policy"] for e in events_of(outcome.folder) if e.kind == "rule_verdict"}
    assert {policies[d] for d in policies if d is not None and d < 2} == {"standard"}
    assert {policies[d] for d in policies if d is not None and d >= 2} == {"strict"}


@pytest.mark.slow
def test_another_roster_speaks_from_the_decision_on(forked: Forked) -> None:
    outcome = forked("without=technical")
    spoken = {(before(e), e.agent) for e in events_of(outcome.folder) if e.kind == "signal_issued"}
    assert spoken == {(True, "fundamental_analyst"), (True, "technical_analyst"), (False, "fundamental_analyst")}
    assert replay(outcome.folder).head == outcome.head


@pytest.mark.slow
def test_another_mind_answers_from_the_decision_on_and_the_first_is_not_needed(
    parent: Outcome, forked: Forked, monkeypatch: pytest.MonkeyPatch
) -> None:
    from paperdesk.agents.models.scorecard import Scorecard
    from paperdesk.simulations import stages

    other = Scorecard().fingerprint.model_copy(update={"name": "another scorecard"})

    class Other(Scorecard):
        fingerprint = property(lambda self: other)

    monkeypatch.setattr(stages, "mind_of", lambda config, access: Other())
    outcome = forked("model=smollm2")  # any name: what it opens is the other mind
    events = events_of(outcome.folder)
    (changed,) = (e for e in events if e.kind == "desk_changed")
    assert changed.mind is not None
    assert changed.mind["name"] == "another scorecard"
    keys = {(before(e), e.signal["model"]) for e in events if e.kind == "signal_issued"}
    assert keys == {(True, Scorecard().fingerprint.key()), (False, other.key())}
    monkeypatch.setattr(stages, "mind_of", lambda config, access: pytest.fail("a replay opens no mind"))
    assert replay(outcome.folder).head == outcome.head


@pytest.mark.slow
def test_a_fork_can_be_forked_before_and_at_its_own_decision(parent: Outcome, forked: Forked) -> None:
    child = forked("max_weight=0.3", name="child")
    for number, at in enumerate([date(2023, 9, 29), MIDDLE]):
        same = forked(of=child.folder, at=at, name=f"same-{number}")
        assert same.head == child.head
    later = forked("signal:technical_analyst:BRQL=abstain", of=child.folder, at=MIDDLE, name="later")
    changes = [e for e in events_of(later.folder) if e.kind == "desk_changed"]
    assert [e.settings for e in changes] == [["max_weight=0.3"], ["signal:technical_analyst:BRQL=abstain"]]
    assert [e.parent_head for e in changes] == [parent.head, child.head]
    assert replay(later.folder).head == later.head
    # a change that comes before another one keeps the other one at its own date
    earlier = forked("max_weight=0.33", of=child.folder, at=date(2023, 9, 29), name="earlier")
    largest = {e.decision: max(e.weights.values()) for e in events_of(earlier.folder) if e.kind == "proposal_made"}
    assert largest[1] <= 0.33 + 1e-9
    assert max(largest[d] for d in (2, 3)) <= 0.3 + 1e-9


@pytest.mark.slow
def test_an_unfinished_session_can_be_forked_as_far_as_it_came(parent: Outcome, tmp_path: Path) -> None:
    folder = tmp_path / "stopped"

    def stop(record: Record, fresh: bool) -> None:
        if record.event.kind == "decision_opened" and record.event.decision == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start(load_config(None, CONFIG), folder, stop)
    assert fork(folder, tmp_path / "fork", MIDDLE).head == parent.head
    with pytest.raises(InputError, match="was stopped before its decision at 2023-11-30"):
        fork(folder, tmp_path / "late", date(2023, 11, 30))
    assert not (tmp_path / "late").exists()
    assert resume(folder).head == parent.head


BAD = {
    "no decision": (date(2023, 11, 1), [], r"decides nothing at 2023-11-01: .* nearest are 2023-10-31 and 2023-11-30"),
    "before all": (date(2020, 1, 2), [], r"nearest is 2023-09-15"),
    "after all": (date(2024, 1, 2), [], r"nearest is 2023-11-30"),
    "unknown analyst": (MIDDLE, ["signal:news:BRQL=buy"], r"No analyst 'news' sits .* fundamental_analyst, technical"),
    "unknown ticker": (MIDDLE, ["signal:technical_analyst:NVDA=buy"], r"does not trade 'NVDA': choose from BRQL"),
    "unknown stance": (MIDDLE, ["signal:technical_analyst:BRQL=huge"], r"'huge' is no stance: choose from strong_sell"),
    "unlikely": (MIDDLE, ["signal:technical_analyst:BRQL=buy@0.1"], r"makes every other stance more probable"),
    "no probability": (MIDDLE, ["signal:technical_analyst:BRQL=buy@x"], r"no stance with a probability"),
    "no seat": (MIDDLE, ["signal:BRQL=buy"], r"names no signal"),
    "unknown field": (MIDDLE, ["colour=red"], r"There is no 'colour' to set: use one of max_weight"),
    "not from a date on": (MIDDLE, ["cash=5"], r"cash is decided once for a whole session"),
    "no value": (MIDDLE, ["max_weight"], r"'max_weight' sets nothing"),
    "out of range": (MIDDLE, ["max_weight=7"], r"'7' of 'max_weight' is refused"),
    "as it is": (MIDDLE, ["max_weight=0.4"], r"max_weight is 0.4 at that decision anyway"),
    "twice": (MIDDLE, ["max_weight=0.2", "max_weight=0.3"], r"max_weight is set twice"),
    "no such desk": (MIDDLE, ["desk=bench"], r"there is no desk 'bench'"),
    "nobody left": (MIDDLE, ["without=technical,fundamental"], r"no analyst is left"),
    "no such model": (MIDDLE, ["model=/no/where.gguf"], r"/no/where.gguf"),
    "no such policy": (MIDDLE, ["policy=tough"], r"tough"),
}


@pytest.mark.parametrize(("at", "settings", "sentence"), BAD.values(), ids=list(BAD))
def test_bad_input_is_one_sentence_and_nothing_is_written(
    parent: Outcome, tmp_path: Path, at: date, settings: list[str], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence) as refused:
        fork(parent.folder, tmp_path / "fork", at, settings)
    assert str(refused.value).count("\n") == 0
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_parent_and_a_taken_folder_are_refused(parent: Outcome, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(parent.folder, tmp_path / "damaged"))
    with sqlite3.connect(damaged / "journal.db") as database:
        database.execute("UPDATE events SET body = replace(body, 'buy', 'bux') WHERE kind = 'signal_issued'")
    database.close()
    with pytest.raises(JournalDamaged, match="cannot be forked: Event"):
        fork(damaged, tmp_path / "fork", MIDDLE)
    with pytest.raises(JournalRefused, match="already holds a session"):
        fork(parent.folder, damaged, MIDDLE)
    with pytest.raises(JournalRefused, match="holds no session"):
        fork(tmp_path, tmp_path / "fork", MIDDLE)
    assert not (tmp_path / "fork").exists()


@pytest.mark.slow
def test_a_past_that_comes_out_otherwise_leaves_nothing(
    parent: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("paperdesk.simulations.session.prompts_hash", lambda _: "0" * 64)
    with pytest.raises(JournalDivergence, match="Event 1 "):
        fork(parent.folder, tmp_path / "fork", MIDDLE)
    assert list(tmp_path.iterdir()) == []


def test_settings_are_read_as_they_are_written() -> None:
    changes = parse_changes(["max_weight = 0.2", "training_cutoff=none", "signal:a:B=sell@0.5", "signal:a:C=abstain"])
    assert changes.config == {"max_weight": "0.2", "training_cutoff": None}
    assert changes.stances == {("a", "B"): ("sell", 0.5), ("a", "C"): ("abstain", 1.0)}
