"""The command line as a person and as a program use it."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import pytest

from paperdesk.memory.journal import Journal, verify
from paperdesk.orchestration.graph import desk_graph, session_graph
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.session import start

from .conftest import Finished

WORDS = (sys.executable, "-c", "from paperdesk.cli import main; main()")
WINDOW = ("--start", "2023-11-15", "--end", "2023-12-29")
"""Two decisions."""


def paperdesk(*words: str | Path, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, its output in pipes."""
    return subprocess.run(
        [*WORDS, *map(str, words)], cwd=cwd, capture_output=True, text=True, env=os.environ | environment, check=False
    )


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A session of two decisions, run from Python."""
    config = SessionConfig(model="scorecard", start=date(2023, 11, 15), end=date(2023, 12, 29))
    outcome = start(config, tmp_path_factory.mktemp("cli") / "session")
    with Journal.open_readonly(outcome.folder) as journal:
        return Finished(config, outcome, [record.event for record in journal.events()])


def test_help_imports_nothing_heavy() -> None:
    probe = """
import sys
from paperdesk.cli import main
sys.argv = ["paperdesk", *sys.argv[1:]]
try:
    main()
finally:
    heavy = {"numpy", "pandas", "langgraph", "llama_cpp", "chromadb"} & set(sys.modules)
    sys.stderr.write(" ".join(sorted(heavy)))
"""
    for words in (["--help"], ["run", "--help"], ["show", "--help"]):
        done = subprocess.run([sys.executable, "-c", probe, *words], capture_output=True, text=True, check=True)
        assert "Usage: paperdesk" in done.stdout
        assert done.stderr == ""


def test_graph_draws_every_node_as_mermaid() -> None:
    done = paperdesk("graph")
    assert done.returncode == 0
    assert "graph TD" in done.stdout
    nodes = {*session_graph().get_graph().nodes, *desk_graph().get_graph().nodes} - {"desk", "__start__", "__end__"}
    assert {"advance", "open", "audit", "portfolio_manager", "pre_trade", "execute"} <= nodes
    for node in nodes:
        assert re.search(rf"\b(desk_)?{node}\b", done.stdout), node


def test_version_is_the_package_s() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", paperdesk("version").stdout)


def test_show_tells_of_an_order_why_it_was_made(session: Finished) -> None:
    order = session.of("order_submitted")[0].order
    told = paperdesk("show", session.outcome.folder, "--decision", "1", "--ticker", order.ticker)
    assert told.returncode == 0
    text = told.stdout
    steps = [
        rf"Fundamental analyst on {order.ticker}: .+  \[\d+%\]",
        rf"E\d+ = {order.ticker}/\w+/[\d-]+: .*; known 20\d\d-\d\d-\d\d \d\d:\d\d UTC; \S+",  # a claim's evidence
        r"Auditor\b.*: passed",
        r"Portfolio manager \(\w+\): .*" + order.ticker,
        rf"Rules: approve {order.side} [\d,]+ {order.ticker}",
        r"position_weight\b.*\b0\.\d+.*\b0\.\d+",  # a rule with its value and limit
        rf"Order {order.side} [\d,]+ {order.ticker} \([\d,]+ at the close\)",
        r"why: \S+",
        rf"Filled 2023-11-16 {order.side} [\d,]+ {order.ticker} at [\d.,]+ \(open [\d.,]+\), commission",
    ]
    place = 0
    for step in steps:
        found = re.compile(step).search(text, place)
        assert found, f"{step} does not follow in {text[place:]}"
        place = found.end()


def documents(text: str) -> list[dict[str, object]]:
    return [json.loads(line)["event"] for line in text.splitlines()]


def test_show_as_json_is_the_whole_journal_one_event_a_line(session: Finished) -> None:
    told = paperdesk("show", session.outcome.folder, "--json")
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert [line["event"] for line in lines] == [event.model_dump(mode="json") for event in session.events]
    assert [line["seq"] for line in lines] == list(range(1, session.outcome.events + 1))
    assert lines[-1]["hash"] == session.outcome.head
    assert told.stderr == ""


@pytest.mark.parametrize(
    ("filters", "field", "value"),
    [
        (["--decision", "1"], "decision", 0),
        (["--ticker", "OSTW"], "ticker", "OSTW"),
        (["--agent", "technical_analyst"], "agent", "technical_analyst"),
    ],
)
def test_show_filters(session: Finished, filters: list[str], field: str, value: object) -> None:
    told = documents(paperdesk("show", session.outcome.folder, *filters, "--json").stdout)
    everything = [event.model_dump(mode="json") for event in session.events]
    wanted = [event for event in everything if event.get(field) == value]
    assert wanted
    assert [event for event in told if event.get(field) == value] == wanted
    assert len(told) < len(everything)
    headings = {"session_started", "session_ended", "decision_opened"}
    assert {event.get(field) for event in told if event["kind"] not in headings} <= {value, None}


def test_show_searches(session: Finished) -> None:
    told = documents(paperdesk("show", session.outcome.folder, "--search", "month returns", "--json").stdout)
    headings = {"session_started", "session_ended", "decision_opened"}
    found = [event for event in told if event["kind"] not in headings]
    assert found
    assert len(found) < len(session.events)
    # the label of a piece of evidence is in the index, not in the event
    said = [json.dumps(event).lower() for event in found if event["kind"] != "tool_called"]
    assert said
    assert all("month" in text and "return" in text for text in said)
    nothing = documents(paperdesk("show", session.outcome.folder, "--search", "rhinoceros", "--json").stdout)
    assert {event["kind"] for event in nothing} <= headings


def test_what_goes_into_a_pipe_has_no_escape_codes(session: Finished, tmp_path: Path) -> None:
    for words in (["show", session.outcome.folder, "--decision", "1"], ["verify", session.outcome.folder], ["graph"]):
        done = paperdesk(*words)
        assert "\x1b" not in done.stdout + done.stderr
    replayed = paperdesk("replay", session.outcome.folder)
    assert "\x1b" not in replayed.stdout + replayed.stderr
    assert "\r" not in replayed.stderr


def test_replay_and_verify_say_that_all_is_well(session: Finished) -> None:
    replayed = paperdesk("replay", session.outcome.folder, "--json")
    assert replayed.returncode == 0
    assert json.loads(replayed.stdout)["head"] == session.outcome.head
    assert json.loads(replayed.stdout)["model_calls"] == 0
    assert "equal: all" in replayed.stderr
    verified = paperdesk("verify", session.outcome.folder)
    assert verified.returncode == 0
    assert verified.stdout == f"intact: {session.outcome.events} events, head {session.outcome.head}\n"
    assert json.loads(paperdesk("verify", session.outcome.folder, "--json").stdout)["ok"] is True


def test_a_changed_byte_makes_verify_return_three(session: Finished, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(session.outcome.folder, tmp_path / "changed"))
    content = (folder / "journal.db").read_bytes()
    place = content.index(b'"stance":"buy"')
    (folder / "journal.db").write_bytes(content[:place] + content[place:].replace(b"buy", b"bux", 1))
    done = paperdesk("verify", folder)
    assert done.returncode == 3
    assert re.fullmatch(r"not intact: Event \d+ .*\n", done.stdout)
    assert json.loads(paperdesk("verify", folder, "--json").stdout)["ok"] is False


def test_a_replay_of_another_history_returns_three_and_names_the_event(session: Finished, tmp_path: Path) -> None:
    """The journal is consistent in itself: only deriving it again shows that it is not what happened."""
    folder = tmp_path / "forged"
    config = session.config.model_dump(mode="json")
    with Journal.create(folder, config=config) as journal:
        for event in session.events:
            if event.kind == "order_filled":
                event = event.model_copy(
                    update={"fill": event.fill.model_copy(update={"price": event.fill.price * 1.001})}
                )
            journal.append(event)
        journal.finish()
    assert paperdesk("verify", folder).returncode == 0
    replayed = paperdesk("replay", folder)
    assert replayed.returncode == 3
    last = replayed.stderr.splitlines()[-1]
    assert re.match(r"paperdesk: event \d+ \(order_filled\) differs from the recorded one: fill\.price was", last)
    assert "Traceback" not in replayed.stderr


@pytest.mark.slow
def test_run_prints_json_alone_on_standard_output_and_options_win_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "desk.toml").write_text('model = "scorecard"\nmax_weight = 0.25\ncash = 5000.0\nend = 2023-12-29\n')
    words = ("run", "--config", "desk.toml", "--cash", "250000", "--start", "2023-11-15", "--json")
    done = paperdesk(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert "\x1b" not in done.stdout + done.stderr
    assert result["folder"] == "runs/001"
    assert result["head"] == verify(tmp_path / "runs/001").head
    assert result["metrics"]["rows"][0]["name"] == "desk"
    with Journal.open_readonly(tmp_path / "runs/001") as journal:
        assert journal.manifest is not None
        config = SessionConfig.model_validate(journal.manifest.config)
        bar = next(iter(journal.events("bar_closed"))).event
    assert (config.cash, config.max_weight, config.model) == (250_000.0, 0.25, "scorecard")
    assert bar.equity == pytest.approx(250_000, rel=0.01)


@pytest.mark.slow
def test_sessions_are_numbered_and_a_broken_off_one_is_not_overwritten(tmp_path: Path) -> None:
    for name in ("007", "notes", "010.old"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    for expected in ("008", "009"):
        done = paperdesk("run", "--model", "scorecard", *WINDOW, cwd=tmp_path)
        assert done.returncode == 0
        assert verify(tmp_path / "runs" / expected).status == "finished"
    assert list((tmp_path / "runs" / "007").iterdir()) == []


def events_on_disk(folder: Path) -> int:
    if not (folder / "journal.db").exists():
        return 0
    database = sqlite3.connect(f"file:{folder / 'journal.db'}?mode=ro", uri=True)
    try:
        return int(database.execute("SELECT COUNT(*) FROM events").fetchone()[0])
    finally:
        database.close()


@pytest.mark.slow
@pytest.mark.parametrize("events", [1, 60])
def test_ctrl_c_says_how_to_go_on_and_one_can(session: Finished, tmp_path: Path, events: int) -> None:
    folder = tmp_path / "my session"
    words = [*WORDS, "run", "--model", "scorecard", *WINDOW, "--out", str(folder)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as desk:
        while events_on_disk(folder) < events:
            assert desk.poll() is None
            time.sleep(0.01)
        desk.send_signal(signal.SIGINT)
        out, err = desk.communicate()
    assert desk.returncode == 130
    assert out == ""
    assert err.splitlines()[-1] == (
        f"paperdesk: interrupted: `paperdesk resume '{folder}'` continues the session from here."
    )
    assert "Traceback" not in err
    assert verify(folder).ok
    assert paperdesk("resume", folder).returncode == 0
    assert verify(folder).head == session.outcome.head


@pytest.mark.slow
def test_ctrl_c_before_anything_was_written_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "session"
    words = [*WORDS, "run", "--model", "scorecard", *WINDOW, "--out", str(folder)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as desk:
        assert desk.stderr is not None
        first = desk.stderr.readline()
        desk.send_signal(signal.SIGINT)
        rest = desk.stderr.read()
    assert first == "00:00  starting\n"
    assert desk.returncode == 130
    assert rest.splitlines()[-1] == "paperdesk: interrupted: nothing was changed, run the command again."
    assert not folder.exists()
