"""Nothing leaves without an answer; answers are checked, on record, and read back."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from paperdesk.memory.journal import Journal
from paperdesk.memory.journal.events import Event
from paperdesk.orchestration.approval import Answer, AnswerRefused, ApprovalRequest, AskedOrder, stopped_by
from paperdesk.simulations.approvers import ApprovalPending, FileApprover, TerminalApprover, parse_line
from paperdesk.simulations.config import SessionConfig, load_config
from paperdesk.simulations.fork import fork
from paperdesk.simulations.session import replay, resume, start
from paperdesk.simulations.stages import SessionError

from .forked import CONFIG


def order(ticker: str, side: str) -> AskedOrder:
    return AskedOrder.model_validate(
        {
            "ticker": ticker,
            "side": side,
            "quantity": 10,
            "value": 1000.0,
            "exit": side == "sell",
            "weight": 0.1,
            "target": 0.2,
            "reason": "because",
        }
    )


def request(*orders: AskedOrder) -> ApprovalRequest:
    return ApprovalRequest(
        decision=2,
        session=date(2023, 10, 31),
        as_of=datetime(2023, 10, 31, 20, tzinfo=UTC),
        equity=1e6,
        cash=0.03,
        rationale="Because.",
        orders=orders,
    )


MIXED = request(order("OUT", "sell"), order("AAA", "buy"), order("BBB", "buy"))
EXITS = request(order("OUT", "sell"))


@pytest.mark.parametrize(
    ("line", "stopped"),
    [
        ("approve", ()),
        ("APPROVE: looks fine", ()),
        ("reject: too early", ("AAA", "BBB")),  # an exit leaves unless it is named
        ("reject OUT: too early", ("OUT", "AAA", "BBB")),
        ("veto BBB: too much of it", ("BBB",)),
        ("veto OUT, BBB : too much", ("OUT", "BBB")),
    ],
)
def test_what_an_answer_stops(line: str, stopped: tuple[str, ...]) -> None:
    assert stopped_by(parse_line(line, MIXED, "Ada"), MIXED) == stopped


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "That is no answer"),
        ("yes", "That is no answer"),
        ("reject", "needs a reason"),
        ("veto BBB", "needs a reason"),
        ("veto: why not", "names no order"),
        ("veto CCC: unknown", "No order for CCC waits: choose from OUT, AAA, BBB"),
        ("veto BBB BBB: twice", "names an order twice"),
        ("approve BBB", "approve means all orders"),
    ],
)
def test_a_bad_answer_is_refused_in_a_sentence(line: str, sentence: str) -> None:
    with pytest.raises(AnswerRefused, match=sentence) as refused:
        parse_line(line, MIXED, "Ada")
    assert "\n" not in str(refused.value)


def test_exits_are_stopped_by_name_only() -> None:
    with pytest.raises(AnswerRefused, match="All orders are exits, which only their names stop"):
        parse_line("reject: no", EXITS, "Ada")
    assert stopped_by(parse_line("veto OUT: keep it", EXITS, "Ada"), EXITS) == ("OUT",)


def test_an_answer_to_something_else_is_refused() -> None:
    answer = Answer(request=EXITS.key, verdict="approve", by="Ada")
    assert stopped_by(answer, EXITS) == ()
    with pytest.raises(AnswerRefused, match="names another request"):
        stopped_by(answer, MIXED)


Typed = tuple[TerminalApprover, Callable[[bytes], object], list[str], Callable[[], None]]


@pytest.fixture
def typed() -> Iterator[Typed]:
    """A terminal with a keyboard, what it showed, and a way to close it."""
    reading, writing = os.pipe()
    shown: list[str] = []
    ends = [reading, writing]

    def close() -> None:
        os.close(writing)
        ends.remove(writing)

    yield TerminalApprover(shown.append, reading, "Ada"), lambda text: os.write(writing, text), shown, close
    for end in ends:
        os.close(end)


def test_the_terminal_asks_until_the_answer_is_one(typed: Typed) -> None:
    approver, write, shown, _ = typed
    write(b"perhaps\nveto CCC: no\nveto AAA: enough\napprove\n")
    answer = approver.ask(MIXED, None)
    assert (answer.verdict, answer.orders, answer.reason, answer.by) == ("veto", ("AAA",), "enough", "Ada")
    assert sum("That is no answer" in line or "No order for CCC" in line for line in shown) == 2
    assert any("OUT" in line and "exit" in line for line in shown)
    assert approver.ask(EXITS, None).verdict == "approve"  # what was typed ahead is not lost


def test_the_terminal_without_an_answer_is_never_a_yes(typed: Typed) -> None:
    approver, write, _, close = typed
    write(b"appr")  # half a line is no answer
    late = approver.ask(MIXED, 0.05)
    assert (late.verdict, late.by) == ("unanswered", "nobody")
    assert stopped_by(late, MIXED) == ("OUT", "AAA", "BBB")
    close()
    with pytest.raises(ApprovalPending, match="resume the session"):  # the half line is refused, then the input ends
        approver.ask(MIXED, None)


def test_files_are_asked_until_the_answer_is_one(tmp_path: Path) -> None:
    said: list[str] = []
    approver, folder = FileApprover(tmp_path, said.append), tmp_path / "approvals"
    found: list[Answer] = []
    waiting = threading.Thread(target=lambda: found.append(approver.ask(MIXED, 20)))
    waiting.start()

    def asked(problem: str | None) -> dict[str, object]:
        for _ in range(3000):
            path = folder / "decision-003.request.json"
            if path.exists():
                document: dict[str, object] = json.loads(path.read_text())
                if (problem or "") in (document["problem"] or "") and bool(problem) == bool(document["problem"]):  # type: ignore[operator]
                    return document
            time.sleep(0.02)
        raise AssertionError(f"nobody asked: {said}")

    answer_file = folder / "decision-003.answer.json"
    document = asked(None)
    assert document["key"] == MIXED.key
    assert document["request"] == MIXED.model_dump(mode="json")
    good = {"request": MIXED.key, "verdict": "approve", "by": "Ada"}
    for text, problem in (
        (json.dumps(good | {"request": "0"}), "another request"),
        (json.dumps(good | {"verdict": "maybe"}), "'verdict'"),
        (json.dumps(good | {"colour": "red"}), "'colour'"),
        (json.dumps(good | {"verdict": "unanswered"}), "approve, reject or veto"),
        ('{"request": ', "no JSON"),
    ):
        answer_file.write_text(text)
        asked(problem)
    text = json.dumps(good)
    answer_file.write_text(text[:20])  # caught while it is being written
    time.sleep(0.3)
    answer_file.write_text(text)
    waiting.join(60)
    assert [(a.verdict, a.by) for a in found] == [("approve", "Ada")]
    assert len(list(folder.glob("*.refused-*.json"))) == 5
    assert FileApprover(tmp_path).ask(MIXED, 0.1).verdict == "approve"  # it is still there after a restart
    assert FileApprover(tmp_path).ask(EXITS, 0.1).verdict == "unanswered"  # but it answers nothing else


class Scripted:
    """Answers by a rule, and keeps what it was asked."""

    def __init__(self, rule: Callable[[ApprovalRequest], str]) -> None:
        self.rule, self.asked = rule, list[ApprovalRequest]()

    def ask(self, request: ApprovalRequest, timeout_seconds: float | None) -> Answer:
        self.asked.append(request)
        return parse_line(self.rule(request), request, "Ada")


def config(**more: object) -> SessionConfig:
    return load_config(None, CONFIG | {"approve": "terminal"} | more)


def events_of(folder: Path, kind: str) -> list[Event]:
    with Journal.open_readonly(folder) as journal:
        return [record.event for record in journal.events(kind)]


def trades(folder: Path) -> list[tuple[int | None, str, str, float]]:
    return [(e.decision, e.ticker, e.order.side, e.order.quantity) for e in events_of(folder, "order_submitted")]


@pytest.mark.slow
def test_approving_everything_changes_no_order_and_is_read_back(tmp_path: Path) -> None:
    plain = start(load_config(None, CONFIG), tmp_path / "plain")
    person = Scripted(lambda request: "approve")
    outcome = start(config(), tmp_path / "asked", approver=person)
    assert trades(outcome.folder) == trades(plain.folder)
    assert len(person.asked) == len({t[0] for t in trades(plain.folder)}) > 1
    given = events_of(outcome.folder, "approval_given")
    assert [e.request_key for e in given] == [r.key for r in person.asked]
    assert replay(outcome.folder).head == outcome.head
    # a fork in which nothing is changed asks nobody what was answered before
    nobody = Scripted(lambda request: pytest.fail("asked again"))
    same = fork(outcome.folder, tmp_path / "same", date(2023, 10, 31), approver=nobody)
    assert same.head == outcome.head
    # and one from whose date on a person is asked begins to ask there
    later = Scripted(lambda request: "approve")
    fork(plain.folder, tmp_path / "later", date(2023, 10, 31), ["approve=terminal"], approver=later)
    assert {r.decision for r in later.asked} == {r.decision for r in person.asked if r.decision >= 2}


@pytest.mark.slow
def test_what_a_person_stops_does_not_leave(tmp_path: Path) -> None:
    def rule(request: ApprovalRequest) -> str:
        exits = [o.ticker for o in request.orders if o.exit]
        if request.decision == 0:
            return f"veto {request.orders[0].ticker}: not this one"
        if exits and len(exits) < len(request.orders):
            return f"veto {exits[0]}: keep it"
        return "approve"

    person = Scripted(rule)
    outcome = start(config(), tmp_path / "asked", approver=person)
    given = events_of(outcome.folder, "approval_given")
    assert [e.verdict for e in given].count("veto") > 1
    left = trades(outcome.folder)
    for event, asked in zip(given, person.asked, strict=True):
        sent = {t[1]: t[3] for t in left if t[0] == event.decision}
        assert set(sent) <= {o.ticker for o in asked.orders} - set(event.stopped)
        # purchases that counted on a stopped sale were judged again: never larger than approved
        assert all(sent[o.ticker] <= o.quantity for o in asked.orders if o.ticker in sent)
    again = [e for e in given if e.verdict == "veto" and e.decision]
    assert again
    for event in again:
        (asked,) = (r for r in person.asked if r.decision == event.decision)
        verdicts = [e for e in events_of(outcome.folder, "rule_verdict") if e.decision == event.decision]
        assert len(verdicts) == 2 * len(asked.orders) - 1
    with Journal.open_readonly(outcome.folder) as journal:
        bars = [record.event for record in journal.events("bar_closed")]
    assert min(bar.cash for bar in bars) >= 0
    assert replay(outcome.folder).head == outcome.head


@pytest.mark.slow
def test_a_desk_with_a_debate_waits_and_goes_on(tmp_path: Path) -> None:
    settings = config(desk="research-house", start="2023-11-20")
    person = Scripted(lambda request: "approve")
    outcome = start(settings, tmp_path / "asked", approver=person)
    plain = start(settings.model_copy(update={"approve": None}), tmp_path / "plain")
    assert person.asked
    assert trades(outcome.folder) == trades(plain.folder)


@pytest.mark.slow
def test_without_an_answer_in_time_everything_stays_as_it_is(tmp_path: Path) -> None:
    outcome = start(config(approve="file", approval_timeout=0.05), tmp_path / "session")
    given = events_of(outcome.folder, "approval_given")
    assert {e.verdict for e in given} == {"unanswered"}
    assert trades(outcome.folder) == []
    assert {e.equity for e in events_of(outcome.folder, "bar_closed")} == {1e6}
    assert replay(outcome.folder).head == outcome.head


@pytest.mark.slow
def test_a_session_that_asks_nobody_is_not_told_where_to_ask(tmp_path: Path) -> None:
    def stop(record: object, fresh: bool) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start(load_config(None, CONFIG), tmp_path / "session", stop)
    with pytest.raises(SessionError, match="asks for no approval"):
        resume(tmp_path / "session", approve="file")


WORDS = (sys.executable, "-c", "from paperdesk.cli import main; main()")
RUN = ("run", "--model", "scorecard", "--start", "2023-11-15", "--end", "2023-12-29", "--universe", "BRQL,OSTW,VYDN")


def wait_for(path: Path) -> dict[str, object]:
    for _ in range(3000):
        if path.exists():
            document: dict[str, object] = json.loads(path.read_text())
            return document
        time.sleep(0.02)
    raise AssertionError(f"{path} did not appear")


@pytest.mark.slow
def test_killed_while_it_waits_it_asks_again_or_reads_the_answer(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    asked = folder / "approvals" / "decision-001.request.json"
    with subprocess.Popen([*WORDS, *RUN, "--approve", "file", "--out", str(folder)], stderr=subprocess.DEVNULL) as desk:
        document = wait_for(asked)
        desk.kill()
    assert desk.returncode == -signal.SIGKILL
    assert trades(folder) == []
    with Journal.open_readonly(folder) as journal:
        waiting = journal.count
    # at a terminal whose input ends it is asked again, and nothing happens
    done = subprocess.run(
        [*WORDS, "resume", str(folder), "--approve", "terminal"],
        input="perhaps\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Decision 1 at 2023-11-15 waits for approval." in done.stderr
    assert "That is no answer" in done.stderr
    assert "nobody can answer here" in done.stderr.splitlines()[-1]
    with Journal.open_readonly(folder) as journal:
        assert journal.count == waiting
    # an answer that was given meanwhile is read; the next question is answered while the session waits
    answer = {"request": document["key"], "verdict": "approve", "by": "Ada"}
    (folder / "approvals" / "decision-001.answer.json").write_text(json.dumps(answer))

    def second() -> None:
        key = wait_for(folder / "approvals" / "decision-002.request.json")["key"]
        text = json.dumps({"request": key, "verdict": "reject", "reason": "enough", "by": "Ada"})
        (folder / "approvals" / "decision-002.answer.json").write_text(text)

    thread = threading.Thread(target=second)
    thread.start()
    done = subprocess.run([*WORDS, "resume", str(folder)], capture_output=True, text=True, check=False)
    thread.join()
    assert done.returncode == 0, done.stderr
    assert [(e.verdict, e.by) for e in events_of(folder, "approval_given")] == [("approve", "Ada"), ("reject", "Ada")]
    assert [t for t in trades(folder) if t[0] == 1 and t[2] == "buy"] == []
    with Journal.open_readonly(folder) as journal:
        head = journal.head
    assert replay(folder).head == head
