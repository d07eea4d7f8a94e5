"""Sessions of the research house: a debate on record, limits that are only tightened, an equal head after any end."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from paperdesk.agents.debate.weigh import AT_MOST
from paperdesk.memory.journal import Filters, Journal, search, verify
from paperdesk.orchestration.approval import Answer, ApprovalRequest
from paperdesk.simulations.approvers import parse_line
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.digest import Digest
from paperdesk.simulations.reading import Session
from paperdesk.simulations.session import replay, start
from paperdesk.simulations.show import choose
from paperdesk.simulations.transcript import transcript

from .conftest import Finished, Killer, run

pytestmark = pytest.mark.slow

SHORT: dict[str, Any] = {"desk": "research-house", "start": "2023-02-10", "end": "2023-04-14", "frequency": "monthly"}
SEATS = ("fundamental", "technical", "news", "bull", "bear", "risk")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A session in which the risk officer has something to worry about."""
    config = SessionConfig(model="scorecard", desk="research-house", start=date(2023, 1, 3), end=date(2023, 7, 31))
    return run(config, tmp_path_factory.mktemp("house") / "session")


def test_every_point_on_record_answers_a_claim_that_is_on_record(house: Finished) -> None:
    known: set[str] = set()
    points = 0
    for event in house.events:
        if event.kind == "decision_opened":
            known.clear()
        elif event.kind == "signal_issued":
            known |= {f"{event.ticker}/{event.agent}/{claim['alias']}" for claim in event.signal["claims"]}
        elif event.kind == "point_made" and event.how != "silent":
            assert event.answers in known
            assert event.stands
            known.add(event.point["id"])
            points += 1
    assert points > 50
    rounds = {event.round for event in house.of("point_made")}
    assert rounds == {1, 2}
    replies = [event for event in house.of("point_made") if re.search("/(bull|bear)/", event.answers)]
    assert {event.agent for event in replies} == {"bull", "bear"}


def test_the_debate_only_lowers_what_a_signal_counts_for(house: Finished) -> None:
    factors = [factor for event in house.of("debate_closed") for factor in event.factors.values()]
    assert all(1 - AT_MOST <= factor <= 1 for factor in factors)
    assert min(factors) < 0.9


def test_the_risk_officer_only_tightens(house: Finished) -> None:
    readings = {event.reading for event in house.of("risk_read")}
    assert readings >= {"accept", "cut"}
    for before, reading, after in zip(house.events, house.events[2:], house.events[4:], strict=False):
        if reading.kind != "risk_read" or reading.reading == "accept":
            continue
        # mind's call on either side: proposal, call, reading, call, proposal
        assert before.kind == after.kind == "proposal_made"
        assert after.proposal["risk_aversion"] > before.proposal["risk_aversion"]
        for name, cap in reading.tightening["caps"].items():
            assert cap < before.weights[name]
            assert after.weights[name] <= cap + 1e-9
    for number in range(len(house.of("decision_opened"))):
        told = [event for event in house.of("risk_read") if event.decision == number]
        assert sum(event.reading != "accept" for event in told) <= 1


def test_it_is_told_in_show_on_the_console_and_found_by_a_search(house: Finished) -> None:
    with Session.open(house.outcome.folder) as opened:
        chosen, every = choose(opened, Filters(decision=0)), choose(opened, Filters())
        lines = [line for line, _ in transcript(opened.at(chosen.numbers), detailed=True)]
        in_short = [line for line, _ in transcript(opened.at(every.numbers), detailed=False)]
    with Journal.open_readonly(house.outcome.folder) as journal:
        digest = Digest()
        console = [line.text for record in journal.events() for line in digest.take(record.event)]
        assert search(journal, "attacks speaks")
        assert search(journal, "turbulence aversion")
    assert any(
        re.match(r"  Bull on \w+ \(round 1\): C\d+ (attacks|supports) C\d of \w+: .* speaks for buy", x) for x in lines
    )
    assert any(re.match(r"      answers \w+/\w+/\w+", x) for x in lines)
    assert any(re.match(r"  Debate on \w+: .* x 0\.\d\d", x) for x in in_short)
    assert any(x.startswith("  Risk officer: cut: ") for x in in_short)
    assert any(re.match(r"  Bear +\w+ (attacks|supports) ", x) for x in console)
    assert any(re.match(r"  Debate +\w+ .* x 0\.\d\d", x) for x in console)
    assert any(re.match(r"  Risk officer +cut: ", x) for x in console)


def test_it_replays_to_the_same_head_without_a_model(house: Finished) -> None:
    again = replay(house.outcome.folder)
    assert (again.head, again.model_calls) == (house.outcome.head, 0)


@pytest.mark.parametrize("seat", SEATS)
def test_it_runs_without_any_one_of_its_seats(seat: str, tmp_path: Path) -> None:
    config = SessionConfig(
        model="scorecard", universe=("BRQL", "OSTW", "ZEPL"), without=(seat,), **SHORT | {"end": "2023-03-15"}
    )
    start(config, tmp_path / "session")
    with Journal.open_readonly(tmp_path / "session") as journal:
        kinds = {record.event.kind for record in journal.events()}
        spoke = {record.event.agent for record in journal.events("point_made")}
        assert len(list(journal.events("decision_closed"))) == 2
    assert spoke == {"bull", "bear"} - {seat}
    assert "debate_closed" in kinds
    assert ("risk_read" in kinds) == (seat != "risk")


def test_a_person_is_asked_after_debate_and_tightening_and_nothing_is_lost_while_waiting(tmp_path: Path) -> None:
    class Yes:
        asked = 0

        def ask(self, request: ApprovalRequest, timeout_seconds: float | None) -> Answer:
            self.asked += 1
            return parse_line("approve", request, "Ada")

    yes = Yes()
    config = SessionConfig(model="scorecard", approve="terminal", **SHORT)
    outcome = start(config, tmp_path / "session", approver=yes)
    with Journal.open_readonly(tmp_path / "session") as journal:
        readings = [record.event.reading for record in journal.events("risk_read")]
    assert set(readings) - {"accept"}
    assert yes.asked > 1
    assert replay(tmp_path / "session").head == outcome.head


PLACES = {
    "a debater was about to speak": ("paperdesk.orchestration.debate_nodes", "argue", "before", 6),
    "the risk officer had thought": ("paperdesk.orchestration.risk_nodes", "read_risk", "after", 2),
}


@pytest.fixture(scope="module")
def undisturbed(killer: Killer, tmp_path_factory: pytest.TempPathFactory) -> str:
    head: str = killer.ask("start", tmp_path_factory.mktemp("undisturbed") / "session", config=SHORT)["head"]
    return head


@pytest.mark.parametrize("place", PLACES.values(), ids=list(PLACES))
def test_killed_within_a_debate_it_ends_the_same(
    killer: Killer,
    undisturbed: str,
    tmp_path: Path,
    place: tuple[str, str, str, int],
) -> None:
    folder = tmp_path / "session"
    assert killer.ask("start", folder, at=place, config=SHORT)["killed"]
    assert verify(folder).status == "running"
    again = killer.go_on(folder)
    assert again["error"] is None
    assert verify(folder).head == undisturbed
