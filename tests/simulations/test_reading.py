"""The reading model tells what the journal holds, no more and no less."""

import shutil
import sqlite3
from math import fsum, isclose
from pathlib import Path

import pytest

from paperdesk.memory.journal import Filters, Journal, chain
from paperdesk.memory.journal.index import FILE as INDEX_FILE
from paperdesk.memory.journal.rows import Row
from paperdesk.simulations.reading import Library, Session
from paperdesk.simulations.reading.path import path_of
from paperdesk.simulations.reading.series import thinned
from paperdesk.tools.errors import InputError
from paperdesk.tools.frozen import canonical_json
from tests.simulations.conftest import Finished


@pytest.fixture(scope="module")
def session(generated_session: Finished) -> Session:
    return Session.open(generated_session.outcome.folder)


def test_a_summary_is_that_of_the_session(session: Session, generated_session: Finished) -> None:
    summary = session.summary()
    outcome = generated_session.outcome
    assert (summary.events, summary.head, summary.status) == (outcome.events, outcome.head, "finished")
    assert summary.decided == summary.decisions == len(generated_session.of("decision_opened"))
    assert summary.metrics == tuple(outcome.metrics["rows"])
    assert summary.total_return == pytest.approx(outcome.metrics["rows"][0]["total_return"])
    assert summary.contamination == "none"


def test_decisions_are_paged_in_both_directions(session: Session) -> None:
    numbers = [line.number for line in session.decisions(limit=1000)]
    assert numbers == list(range(session.summary().decided))
    paged: list[int] = []
    while page := session.decisions(after=paged[-1] if paged else -1, limit=5):
        paged += [line.number for line in page]
    assert paged == numbers
    backwards = session.decisions(limit=4, newest_first=True)
    assert [line.number for line in backwards] == numbers[:-5:-1]
    further = session.decisions(after=backwards[-1].number, limit=4, newest_first=True)
    assert [line.number for line in further] == numbers[-5:-9:-1]


def test_the_counts_of_a_decision_are_those_of_its_events(session: Session, generated_session: Finished) -> None:
    for line in session.decisions(limit=3):
        events = [event for event in generated_session.events if event.decision == line.number]
        assert line.counts["tool_called"] == sum(event.kind == "tool_called" for event in events)
        sent_back = [e for e in events if e.kind == "audit_issued" and e.verdict != "pass"]
        assert line.objections == len(sent_back)
        assert [order["ticker"] for order in line.orders] == [e.ticker for e in events if e.kind == "order_submitted"]


def test_a_decision_says_who_spoke_what_was_wanted_and_what_it_cost(
    session: Session, generated_session: Finished
) -> None:
    decision = session.decision(0)
    events = [event for event in generated_session.events if event.decision == 0]
    assert decision.agents == ("fundamental_analyst", "technical_analyst")
    proposal = [event for event in events if event.kind == "proposal_made"][-1]
    assert {move.ticker: move.after for move in decision.moves} == proposal.weights
    fills = [event.fill for event in events if event.kind == "order_filled"]
    assert isclose(decision.commission, fsum(fill.commission for fill in fills))
    assert [step.node for step in decision.path][:2] == ["open", "fundamental_analyst"]
    assert decision.path[-1].node == "record"
    assert decision.closed
    assert decision.seconds is not None
    assert [record["agent"] for record in decision.weighed] == list(decision.agents)
    assert decision.others == []


def test_a_case_leads_from_the_order_to_the_evidence(session: Session, generated_session: Finished) -> None:
    order = generated_session.of("order_submitted")[0]
    case = session.case(0, order.ticker)
    assert case.move.ordered is not None
    assert case.move.ordered.reason == order.reason
    assert case.move.ordered.fills
    assert {tool.ticker for tool in case.tools} == {order.ticker}
    for statement in case.statements:
        for claim in statement.claims:
            found = session.cited(0, claim["evidence"])
            assert found.evidence.id == claim["evidence"]
            assert claim in [citation.claim for citation in found.citations]
    assert all(call.asked[0].ticker == order.ticker for call in case.calls)


def test_a_case_tells_what_became_of_its_signals(session: Session) -> None:
    outcomes = session.outcomes()
    assert outcomes
    for ticker in session.universe:
        for number in (0, 1, 5, session.summary().decided - 1):
            expected = [one for one in outcomes if (one.issued_in, one.ticker) == (number, ticker)]
            assert session.case(number, ticker).outcomes == expected


def test_a_passage_is_opened_in_its_document(session: Session) -> None:
    passages = (
        item
        for line in session.decisions(limit=100)
        for ticker in session.universe
        for item in session.case(line.number, ticker).evidence.values()
        if item["span"]
    )
    item = next(passages)
    decision = int(next(r.decision for r in session.rows(("tool_called",)) if item in r.document["evidence"]) or 0)
    evidence = session.cited(decision, item["id"]).evidence
    passage = session.passage(evidence)
    assert passage.text == evidence.text
    assert passage.text in passage.sentence


@pytest.mark.parametrize(
    "filters",
    [
        Filters(kind="order_filled"),
        Filters(ticker="ZEPL", agent="technical_analyst"),
        Filters(verdict="revise"),
        Filters(decision=3, kind="signal_issued"),
        Filters(ticker="NONE"),
    ],
)
def test_filters_find_what_a_walk_over_all_events_finds(session: Session, filters: Filters) -> None:
    given = {name: getattr(filters, name) for name in ("kind", "ticker", "agent", "verdict", "decision")}
    wanted = {name: value for name, value in given.items() if value is not None}
    expected = [
        row.seq for row in session.rows() if all(row.document.get(name) == value for name, value in wanted.items())
    ]
    assert [row.seq for row in session.entries(filters)] == expected
    assert [row.seq for row in session.entries(filters, newest_first=True)] == expected[::-1]
    paged: list[int] = []
    while page := session.entries(filters, after=paged[-1] if paged else 0, limit=7):
        paged += [row.seq for row in page]
    assert paged == expected


def test_days_bound_what_is_found(session: Session, generated_session: Finished) -> None:
    bars = generated_session.of("bar_closed")
    first, last = bars[10].session, bars[20].session
    found = session.entries(Filters(kind="bar_closed", since=first, until=last))
    assert [row.document["session"] for row in found] == [bar.session.isoformat() for bar in bars[10:21]]
    fills = session.entries(Filters(kind="order_filled", until=first))
    assert [row.seq for row in fills] == [r.seq for r in session.rows(("order_filled",)) if _day(r) <= str(first)]


def _day(row: Row) -> str:
    return str(row.document["fill"]["session"])


def test_hits_are_in_the_order_of_the_journal_and_marked(session: Session) -> None:
    hits = session.hits(Filters(text="revenue", agent="fundamental_analyst"), limit=20, marks=("\x02", "\x03"))
    assert [hit.seq for hit in hits] == sorted(hit.seq for hit in hits)
    assert all("\x02" in hit.snippet and "[" not in hit.snippet.split("\x02")[1][:8] for hit in hits)
    more = session.hits(Filters(text="revenue", agent="fundamental_analyst"), after=hits[-1].seq, limit=20)
    assert not {hit.seq for hit in hits} & {hit.seq for hit in more}


def test_the_table_of_events_is_the_journal(session: Session) -> None:
    frame = session.events()
    assert len(frame) == session.count
    assert frame["hash"].iloc[-1] == session.journal.head
    head = chain.GENESIS
    for body, digest in zip(frame["event"], frame["hash"], strict=True):
        head = chain.chain_hash(head, body)
        assert head == digest


def test_a_kind_of_event_from_elsewhere_is_shown_as_it_is(generated_session: Finished, tmp_path: Path) -> None:
    folder = tmp_path / "newer"
    shutil.copytree(generated_session.outcome.folder, folder)
    (folder / INDEX_FILE).unlink(missing_ok=True)
    newer = {"kind": "debate_held", "decision": 0, "agent": "bull", "ticker": "ZEPL", "text": "a hedgehog"}
    with sqlite3.connect(folder / "journal.db") as database:
        last = database.execute("SELECT MAX(seq) FROM events").fetchone()[0]
        values = (last + 1, canonical_json(newer), "x", "2024-01-01T00:00:00+00:00")
        database.execute("INSERT INTO events (seq, body, hash, written_at) VALUES (?, ?, ?, ?)", values)
    with Session.open(folder) as session:
        (row,) = session.case(0, "ZEPL").others
        assert (row.kind, row.event, row.document["text"]) == ("debate_held", None, "a hedgehog")
        assert [hit.seq for hit in session.hits(Filters(text="hedgehog"))] == [last + 1]
        assert "bull" in [step.node for step in session.decision(0).path]


def test_a_running_session_is_read_as_far_as_it_is(generated_session: Finished, tmp_path: Path) -> None:
    folder = tmp_path / "running"
    with Journal.create(folder) as journal:
        assert Session.open(folder).summary().decided == 0
        assert Session.open(folder).decisions() == []
        for event in generated_session.events:
            journal.append(event)
            if event.kind == "audit_issued":
                break
        with Session.open(folder) as session:
            decision = session.decision(0)
            assert (decision.closed, decision.proposal) == (False, None)
            assert [line.number for line in session.decisions()] == [0]
            assert session.entries(Filters(kind="audit_issued"))


def test_names_in_a_library_lead_nowhere_else(generated_session: Finished, tmp_path: Path) -> None:
    folder = generated_session.outcome.folder
    (tmp_path / "sweep").mkdir()
    shutil.copytree(folder, tmp_path / "sweep" / "a")
    library = Library(tmp_path)
    assert list(library.folders()) == ["sweep~a"]
    assert library.open("sweep~a").name == "sweep~a"
    assert [getattr(one, "name", one) for one in library.summaries()] == ["sweep~a"]
    for name in ("..", "../x", str(folder), "sweep/a", ""):
        with pytest.raises(InputError, match="no session"):
            library.open(name)
    assert list(Library(folder).folders()) == [folder.name]


def test_a_damaged_session_in_a_library_is_named_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "journal.db").write_bytes(b"nothing")
    ((name, why),) = list(Library(tmp_path).summaries())  # type: ignore[misc]
    assert name == "broken"
    assert "manifest" in why


def test_a_path_that_goes_back_starts_a_new_row() -> None:
    nodes = ["signal_issued", "audit_issued", "signal_issued", "audit_issued", "proposal_made"]
    steps = path_of([(i, kind, "a" if kind == "signal_issued" else None) for i, kind in enumerate(nodes)])
    assert [(step.node, step.row, step.column) for step in steps] == [
        ("a", 0, 0),
        ("audit", 0, 1),
        ("a", 1, 0),
        ("audit", 1, 1),
        ("portfolio_manager", 1, 2),
    ]


def test_thinned_series_keep_their_ends(session: Session) -> None:
    bars = session.bars()
    few = thinned(bars, 10)
    assert (few[0], few[-1], len(few)) == (bars[0], bars[-1], 10)
    assert thinned(bars, 10**6) == bars
