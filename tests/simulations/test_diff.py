"""What differs between two sessions is said, whatever sessions they are, and one decision at a time."""

import json
import tracemalloc
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from paperdesk.memory.journal import Journal, JournalRefused
from paperdesk.memory.journal.events import (
    BarClosed,
    DecisionClosed,
    DecisionOpened,
    Event,
    ModelCalled,
    OrderSubmitted,
    SessionStarted,
    SignalIssued,
)
from paperdesk.simulations.diff_screen import print_difference
from paperdesk.simulations.reading.comparison import differences, shared_events
from paperdesk.simulations.reading.comparison_parts import Closing, DecisionDifference, Difference, Opening
from paperdesk.tools.broker.protocol import OrderIntent, PortfolioSnapshot, client_order_id

from .conftest import Finished

FIRST = datetime(2031, 3, 28, 20, 0, tzinfo=UTC)


def opening(days: int, **config: object) -> SessionStarted:
    return SessionStarted(
        config=config,
        market="invented",
        market_fingerprint="f" * 64,
        universe=["AURX", "BLTN"],
        benchmark=None,
        decisions=[(FIRST + timedelta(weeks=i)).date() for i in range(days)],
        model={"backend": "scorecard", "name": "scorecard", "digest": "d"},
        prompts="p" * 64,
    )


def decide(
    number: int, *, quantity: float = 10, stance: str = "buy", equity: float = 1e5, reply: str = ""
) -> list[Event]:
    as_of = FIRST + timedelta(weeks=number)
    portfolio = PortfolioSnapshot(at=as_of, cash=equity, equity=equity, positions={}, prices={})
    order = OrderIntent(
        client_order_id=client_order_id("s", number, "BLTN"),
        ticker="BLTN",
        side="buy",
        quantity=quantity,
        reference_price=10.0,
        decided_at=as_of,
    )
    return [
        BarClosed(session=as_of.date(), cash=equity, equity=equity, positions={}, prices={}),
        DecisionOpened(decision=number, as_of=as_of, session=as_of.date(), regime={}, portfolio=portfolio),
        ModelCalled(
            decision=number, agent="a", task="stance", request_key=f"k{number}", request={}, reply={"text": reply}
        ),
        SignalIssued(
            decision=number,
            agent="technical_analyst",
            ticker="BLTN",
            round=0,
            stance=stance,
            confidence=0.7,
            abstained=False,
            rationale="So.",
            signal={},
        ),
        OrderSubmitted(decision=number, ticker="BLTN", order=order, reason="so"),
        DecisionClosed(decision=number, session=as_of.date()),
    ]


def written(folder: Path, events: Iterable[Event]) -> Path:
    with Journal.create(folder) as journal:
        for event in events:
            journal.append(event)
    return folder


def story(days: int, other: int | None = None, **changed: object) -> list[Event]:
    """So many decisions, one of which may be another one."""
    return [opening(days), *(e for i in range(days) for e in decide(i, **(changed if i == other else {})))]  # type: ignore[arg-type]


def test_equal_sessions_are_equal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = written(tmp_path / "a", story(3)), written(tmp_path / "b", story(3))
    first, last = differences(a, b)
    assert isinstance(first, Opening)
    assert isinstance(last, Closing)
    assert first.equal
    assert first.first is None
    assert (last.decisions, last.different, last.furthest) == (3, 0, None)
    print_difference(a, b)
    assert "equal: all 19 events are the same" in capsys.readouterr().out


def test_the_one_order_that_differs_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = written(tmp_path / "a", story(5)), written(tmp_path / "b", story(5, 3, quantity=11))
    first, decision, last = differences(a, b)
    assert isinstance(first, Opening)
    assert isinstance(decision, DecisionDifference)
    assert isinstance(last, Closing)
    assert first.first is not None
    assert first.shared_events == first.first.seq - 1 == 1 + 3 * 6 + 4
    assert (first.first.where, first.first.a, first.first.b) == ("order.quantity", 10, 11)
    assert (decision.decision_a, [row.what for row in decision.differences]) == (3, ["order"])
    assert (decision.differences[0].a, decision.differences[0].b) == ("buy 10", "buy 11")
    assert (last.decisions, last.different) == (5, 1)
    print_difference(a, b)
    shown = capsys.readouterr().out
    assert "the same up to event 23: decisions 1 to 3 (2031-03-28 to 2031-04-11) are equal" in shown
    assert "first difference: event 24 (order_submitted), order.quantity: 10.0 | 11.0" in shown
    assert "1 of 5 common decisions differ" in shown


def test_as_json_each_part_is_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = written(tmp_path / "a", story(4)), written(tmp_path / "b", story(4, 1, stance="sell", equity=9e4))
    print_difference(a, b, json=True)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["kind"] for line in lines] == ["sessions", "decision", "end"]
    assert (lines[1]["equity_a"], lines[1]["equity_b"]) == (1e5, 9e4)
    assert lines[1]["differences"] == [
        {"what": "signal", "subject": "technical_analyst on BLTN", "a": "buy 70.0%", "b": "sell 70.0%"}
    ]
    assert (lines[2]["furthest"], lines[2]["furthest_b"]) == ("2031-04-04", 9e4)


def test_a_decision_that_one_has_not_ended_yet_differs_from_whichever_side_it_is_looked_at(tmp_path: Path) -> None:
    whole, stopped = written(tmp_path / "a", story(2)), written(tmp_path / "b", story(2)[:-2])
    told = []
    for one, other in ((whole, stopped), (stopped, whole)):
        found = [part for part in differences(one, other) if isinstance(part, DecisionDifference)]
        told.append([(part.session, [(row.what, row.subject) for row in part.differences]) for part in found])
    assert told[0] == told[1] == [((FIRST + timedelta(weeks=1)).date(), [("order", "BLTN")])]


def test_a_person_whose_name_reads_like_a_seat_is_no_agent() -> None:
    for who in ("Ada on call", "Ada"):
        row = Difference(what="approval", subject=who, a="approve", b=None)
        assert (row.agent, row.ticker) == (None, None)
    seat = Difference(what="signal", subject="technical_analyst on BLTN", a="buy", b=None)
    assert (seat.agent, seat.ticker) == ("technical_analyst", "BLTN")


def test_a_session_that_was_stopped_is_compared_as_far_as_it_came(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = written(tmp_path / "a", story(4)), written(tmp_path / "b", story(4)[:14])
    first, *rest = differences(a, b)
    assert isinstance(first, Opening)
    assert first.first is not None
    assert (first.first.kind_a, first.first.kind_b) == ("decision_opened", None)
    only = [part for part in rest if isinstance(part, DecisionDifference)]
    assert [(part.decision_a, part.decision_b) for part in only] == [(2, None), (3, None)]
    print_difference(a, b)
    shown = capsys.readouterr().out
    assert "where B has nothing more and A has decision_opened" in shown
    assert "decided in A only (decision 3)" in shown


def test_what_is_no_session_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalRefused, match="holds no session"):
        list(differences(written(tmp_path / "a", story(1)), tmp_path / "b"))


def test_a_long_session_is_read_one_decision_at_a_time(tmp_path: Path) -> None:
    reply = "x" * 200_000
    stories = ([e for i in range(60) for e in decide(i, reply=reply, quantity=10 + i * side)] for side in (0, 1))
    a, b = (written(tmp_path / name, [opening(60), *events]) for name, events in zip("ab", stories, strict=True))
    assert (a / "journal.db").stat().st_size > 12_000_000
    tracemalloc.start()
    try:
        found = sum(isinstance(part, DecisionDifference) for part in differences(a, b))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found == 59
    assert peak < 3_000_000


def test_the_common_past_is_found_in_few_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = written(tmp_path / "a", story(40)), written(tmp_path / "b", story(40, 33, quantity=11))
    with Journal.open_readonly(a) as left, Journal.open_readonly(b) as right:
        calls = 0
        look = Journal.hash_at

        def counted(journal: Journal, seq: int) -> str:
            nonlocal calls
            calls += 1
            return look(journal, seq)

        monkeypatch.setattr(Journal, "hash_at", counted)
        assert shared_events(left, right) == 1 + 33 * 6 + 4
        assert calls <= 20


@pytest.mark.slow
def test_sessions_of_other_markets_and_names_are_compared_by_what_they_share(
    generated_session: Finished, us_tech_session: Finished, capsys: pytest.CaptureFixture[str]
) -> None:
    print_difference(generated_session.outcome.folder, us_tech_session.outcome.folder)
    shown = capsys.readouterr().out
    assert "chosen otherwise: market: " in shown
    assert "They trade no name in common" in shown
    assert "12 decisions are in A only, 36 in B only" in shown
