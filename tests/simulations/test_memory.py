"""Memory in whole sessions: outcomes as they were, weights as they were known, carried forward and never back."""

import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from paperdesk.agents.portfolio_manager import told, unheard
from paperdesk.agents.signals import Signal
from paperdesk.cli import app
from paperdesk.memory.calibration import AgentRecord, Calibration
from paperdesk.memory.calibration.shrinkage import PRIOR_IC
from paperdesk.memory.journal import Journal
from paperdesk.memory.journal.events import AgentWeighed, SignalResolved
from paperdesk.memory.journal.record import Record
from paperdesk.simulations.carrying import outcomes_of
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.session import replay, resume, start
from paperdesk.tools.errors import InputError
from paperdesk.tools.market.view import open_market

from .conftest import Finished, run

pytestmark = pytest.mark.slow


def config(first: date, last: date, **other: object) -> SessionConfig:
    fields = {
        "model": "scorecard",
        "start": first,
        "end": last,
        "universe": ("BRQL", "OSTW", "VYDN"),
        "max_weight": 0.4,
    }
    return SessionConfig.model_validate(fields | other)


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """January to September: it goes on while `later` has begun."""
    return run(config(date(2023, 1, 3), date(2023, 9, 29)), tmp_path_factory.mktemp("earlier") / "session")


@pytest.fixture(scope="module")
def later(earlier: Finished, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """June to October, with the memory of `earlier`."""
    asked = config(date(2023, 6, 1), date(2023, 10, 31), memory=(str(earlier.outcome.folder),))
    return run(asked, tmp_path_factory.mktemp("later") / "session")


@pytest.fixture(scope="module")
def experienced(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    asked = config(date(2023, 1, 3), date(2023, 9, 29), desk="experienced")
    return run(asked, tmp_path_factory.mktemp("experienced") / "session")


def weighings(session: Finished) -> dict[int | None, tuple[AgentRecord, ...]]:
    """What each analyst counted for, by decision."""
    found: dict[int | None, tuple[AgentRecord, ...]] = {}
    for event in session.events:
        if isinstance(event, AgentWeighed):
            found[event.decision] = (*found.get(event.decision, ()), event.record)
    return found


def test_an_outcome_is_what_happened_in_the_market(generated_session: Finished) -> None:
    market = open_market("generated")
    closes = {event.session: event for event in generated_session.of("decision_opened")}
    view = market.view(market.calendar.close_of(market.dataset.bars.sessions[-1]))
    returns = view.returns(market.tickers, len(view.sessions))
    excess = returns.sub(returns.mean(axis=1), axis=0)
    row = {day: i for i, day in enumerate(view.sessions)}
    events = generated_session.of("signal_resolved")
    assert len(events) > 100
    for event in events:
        found = event.record
        first = row[found.issued_on] + 1
        last = first + found.horizon_days
        assert found.issued_on in closes
        assert found.available_at == market.calendar.close_of(view.sessions[last - 1])
        growth = np.prod(1 + returns.iloc[first:last].to_numpy(), axis=0) - 1
        gained = growth[market.tickers.index(found.ticker)] - growth.mean()
        assert found.excess == pytest.approx(gained, rel=1e-9)
        usual = np.std(excess[found.ticker].iloc[first - 252 : first], ddof=1) * np.sqrt(found.horizon_days)
        assert found.surprise == pytest.approx(gained / usual, rel=1e-9)


def test_outcomes_count_for_what_the_one_before_leaves(generated_session: Finished) -> None:
    found = [event.record for event in generated_session.of("signal_resolved")]
    monthly = {o.weight for o in found if o.agent == "technical_analyst" and o.issued_on > date(2023, 2, 1)}
    assert max(monthly) <= 5 / 6  # six excess returns that add up to nothing hold five facts
    quarterly = [o.weight for o in found if o.agent == "fundamental_analyst" and o.issued_on > date(2023, 2, 1)]
    assert max(quarterly) <= 23 / 63 * 5 / 6


def test_every_weight_is_that_of_what_was_known_by_then(generated_session: Finished) -> None:
    outcomes = [event.record for event in generated_session.events if isinstance(event, SignalResolved)]
    opened = {event.decision: event for event in generated_session.of("decision_opened")}
    weighed = weighings(generated_session)
    assert len(weighed) == len(opened)
    moved = 0
    for decision, records in weighed.items():
        as_of, regime = opened[decision].as_of, opened[decision].regime.get("name", "unknown")
        calibration = Calibration()
        calibration.add(*outcomes)  # all of them, the later ones too
        agents = [record.agent for record in records]
        assert calibration.records(agents, records[0].model, regime, as_of) == records
        moved += any(record.weight != PRIOR_IC for record in records)
    assert moved > 8


def test_the_manager_says_what_each_voice_counts_for(generated_session: Finished) -> None:
    by_decision = weighings(generated_session)
    for proposal in generated_session.of("proposal_made"):
        records = by_decision[proposal.decision]
        for record in records:
            assert told(record) in proposal.rationale
        parts = {name for view in proposal.proposal["views"] for name in view["parts"]}
        assert parts <= {record.agent for record in records if record.weight > 0}


def record_with(**fields: object) -> AgentRecord:
    return AgentRecord.model_validate({"agent": "technical_analyst", "model": "m", "regime": "calm"} | fields)


def test_a_signal_is_not_heard_without_weight_or_when_its_deflated_confidence_is_no_better_than_chance(
    generated_session: Finished,
) -> None:
    said = [Signal.model_validate(e.signal) for e in generated_session.of("signal_issued") if not e.abstained]
    assert all(not unheard(signal, record_with()) for signal in said)
    assert all("earns no weight" in unheard(signal, record_with(weight=0.0)) for signal in said)
    half = [unheard(signal, record_with(deflation=0.6)) for signal in said]
    assert any(half)
    assert not all(half)


def test_memory_is_carried_and_counts_from_its_own_time_on(earlier: Finished, later: Finished) -> None:
    (carried,) = later.of("memory_carried")
    (first,) = later.of("session_started")
    opened = later.of("decision_opened")
    assert [row["head"] for row in first.memory] == [carried.head] == [earlier.outcome.head]
    theirs = [event.record for event in earlier.of("signal_resolved")]
    assert carried.outcomes == [row for row in theirs if row.available_at <= opened[-1].as_of]
    future = [row for row in carried.outcomes if row.available_at > opened[0].as_of]
    assert future, "the earlier session has to go on while the later one runs"
    weighed = weighings(later)
    assert weighed[0][1].outcomes == sum(
        row.agent == "technical_analyst" and row.available_at <= opened[0].as_of for row in theirs
    )
    assert weighed[0][1].weight != PRIOR_IC
    own = [event.record for event in later.of("signal_resolved")]
    for opening in opened:
        records = weighed[opening.decision]
        calibration = Calibration()
        calibration.add(*(row for row in [*carried.outcomes, *own] if row.available_at <= opening.as_of))
        agents = [record.agent for record in records]
        regime = opening.regime.get("name", "unknown")
        assert calibration.records(agents, records[0].model, regime, opening.as_of) == records


def test_a_session_with_a_memory_is_derived_again_without_the_earlier_one(
    earlier: Finished, later: Finished, tmp_path: Path
) -> None:
    copied = tmp_path / "copied"
    shutil.copytree(later.outcome.folder, copied)
    hidden = earlier.outcome.folder.with_name("hidden")
    earlier.outcome.folder.rename(hidden)
    try:
        assert replay(copied).head == later.outcome.head
    finally:
        hidden.rename(earlier.outcome.folder)


class Stopped(Exception):
    """Somebody pulled the plug."""


@pytest.mark.parametrize("after", [1, 150])
def test_resumed_with_a_memory_it_comes_to_the_same_end(later: Finished, tmp_path: Path, after: int) -> None:
    def stop(record: Record, fresh: bool) -> None:
        if record.seq == after:
            raise Stopped

    folder = tmp_path / "session"
    with pytest.raises(Stopped):
        start(later.config, folder, stop)
    assert resume(folder).head == later.outcome.head


def test_the_memory_of_a_memory_is_carried_on(later: Finished, tmp_path: Path) -> None:
    found = run(
        config(date(2023, 11, 1), date(2023, 12, 29), memory=(str(later.outcome.folder),)), tmp_path / "session"
    )
    with Journal.open_readonly(later.outcome.folder) as journal:
        whole = outcomes_of(journal)
    (carried,) = found.of("memory_carried")
    assert carried.outcomes == whole
    assert len({row.key() for row in whole}) == len(whole)


def test_a_desk_that_recalls_is_shown_only_what_was_known(experienced: Finished) -> None:
    opened = {event.decision: event.as_of for event in experienced.of("decision_opened")}
    calls = [event for event in experienced.of("tool_called") if event.tool == "past_lessons"]
    assert calls
    assert not [event for event in calls if event.decision == 0 and event.evidence]
    lessons = [(event, item) for event in calls for item in event.evidence]
    assert len(lessons) > 30
    outcomes = list(experienced.of("signal_resolved"))
    for event, item in lessons:
        assert item.available_at <= item.as_of == opened[event.decision]
        agent, ticker, day, _ = item.source.split(":")
        (origin,) = [e for e in outcomes if (e.agent, e.ticker, str(e.record.issued_on)) == (agent, ticker, day)]
        assert agent == event.agent
        assert (origin.decision or 0) <= (event.decision or 0)
        assert item.text is not None
        assert f"{abs(origin.record.excess):.1%}" in item.text
    asked = [e.request for e in experienced.of("model_called") if e.task == "stance" and e.decision == 7]
    assert all("lesson <<<" in question["text"] for request in asked for question in request["questions"])


def test_a_desk_that_recalls_is_derived_again(experienced: Finished, tmp_path: Path) -> None:
    assert replay(experienced.outcome.folder).head == experienced.outcome.head

    def stop(record: Record, fresh: bool) -> None:
        if record.event.kind == "signal_resolved" and record.event.decision == 5:
            raise Stopped

    folder = tmp_path / "session"
    with pytest.raises(Stopped):
        start(experienced.config, folder, stop)
    assert resume(folder).head == experienced.outcome.head


def test_memory_that_does_not_fit_is_refused(earlier: Finished, tmp_path: Path) -> None:
    folder = str(earlier.outcome.folder)
    first, last = date(2023, 10, 2), date(2023, 12, 29)
    with pytest.raises(InputError, match="holds no session"):
        start(config(first, last, memory=(str(tmp_path),)), tmp_path / "a")
    with pytest.raises(InputError, match="named twice"):
        start(config(first, last, memory=(folder, folder)), tmp_path / "a")
    with pytest.raises(InputError, match="another mask"):
        start(config(first, last, memory=(folder,), mask=("names",)), tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_the_command_line_shows_records_and_lessons(earlier: Finished) -> None:
    runner, folder = CliRunner(), str(earlier.outcome.folder)
    shown = runner.invoke(app, ["memory", "show", folder])
    assert shown.exit_code == 0
    assert "Technical analyst" in shown.stdout
    rows = json.loads(runner.invoke(app, ["memory", "show", folder, "--json"]).stdout)
    together = {row["agent"]: row for row in rows if row["regime"] == "all"}
    split = [row for row in rows if row["agent"] == "technical_analyst" and row["regime"] != "all"]
    assert sum(row["outcomes"] for row in split) == together["technical_analyst"]["outcomes"]
    last = list(weighings(earlier).values())[-1]
    assert {name: row["outcomes"] for name, row in together.items()} == {r.agent: r.outcomes for r in last}
    (current,) = [row for row in split if row["regime"] == last[1].regime]
    assert current["weight"] == pytest.approx(last[1].weight)
    until = ["--as-of", str(date(2023, 2, 1) + timedelta(days=10))]
    past = json.loads(runner.invoke(app, ["memory", "show", folder, "--json", *until]).stdout)
    assert sum(row["outcomes"] for row in past if row["regime"] == "all") < 10
    lessons = json.loads(runner.invoke(app, ["memory", "lessons", folder, "--json", "--limit", "5"]).stdout)
    assert len(lessons) == 5
    like = ["--agent", "technical_analyst", "--like", "turbulent market month sell", "--limit", "2"]
    found = json.loads(runner.invoke(app, ["memory", "lessons", folder, "--json", *like]).stdout)
    assert all("turbulent" in lesson["situation"] for lesson in found)
    refused = runner.invoke(app, ["memory", "lessons", folder, "--like", "calm"])
    assert isinstance(refused.exception, InputError)
