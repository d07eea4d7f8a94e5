"""Sessions whose mind is behind a server: stopped by a budget, resumed, compared; and no key in what they leave."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from paperdesk.agents.models.budget import Budget, BudgetExhausted
from paperdesk.agents.models.core import ModelError
from paperdesk.agents.models.served.access import Access
from paperdesk.memory.journal import Journal, verify
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.session import replay, resume, start
from paperdesk.simulations.stages import SessionError

from ..models.served.fake import Body, Fake, Kind, Reply, answer_of

pytestmark = pytest.mark.slow

KEY = "sk-9f8e7d6c5b4a"
WORDS = (sys.executable, "-c", "from paperdesk.cli import main; main()")
WINDOW = {"start": "2023-11-15", "end": "2023-12-29", "universe": "ZEPL,BRQL"}
"""Two decisions."""
PRICES = Budget(None, None, 2.0, 8.0)


@pytest.fixture(scope="module")
def server() -> Iterator[Fake]:
    running = Fake(Kind())
    yield running
    running.close()


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch, server: Fake) -> None:
    monkeypatch.setenv("PAPERDESK_API_KEY", KEY)
    server.script = []


def config(server: Fake, **fields: object) -> SessionConfig:
    return SessionConfig.model_validate({"model": server.url, **WINDOW, **fields})


@pytest.fixture(scope="module")
def straight(server: Fake, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, int]:
    """A session that was never stopped: folder, head, tokens."""
    outcome = start(config(server), tmp_path_factory.mktemp("served") / "session", budget=PRICES)
    spent = outcome.spent
    assert spent.cost_usd == pytest.approx(spent.prompt_tokens * 2e-6 + spent.generated_tokens * 8e-6)
    assert not spent.estimated
    return outcome.folder, outcome.head, spent.prompt_tokens + spent.generated_tokens


def paperdesk(*words: str | Path | int) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*WORDS, *map(str, words)], capture_output=True, text=True, env=os.environ, check=False)


def holds(folder: Path, secret: str) -> list[str]:
    """Files of a folder with these bytes in them."""
    return [path.name for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


def options(fields: dict[str, str]) -> list[str]:
    return [word for name, value in fields.items() for word in (f"--{name}", value)]


def test_a_session_counts_its_tokens_and_derives_again_without_the_server(straight: tuple[Path, str, int]) -> None:
    folder, head, tokens = straight
    assert tokens > 0
    again = replay(folder)
    assert (again.head, again.model_calls) == (head, 0)
    assert again.spent.prompt_tokens + again.spent.generated_tokens == tokens
    with Journal.open_readonly(folder) as journal:
        model = next(iter(journal.events("session_started"))).event.model
        signals = [record.event for record in journal.events("signal_issued")]
    assert model["settings"]["answers"] == "json_schema"
    assert any(not signal.abstained for signal in signals)


def test_stopped_by_its_budget_and_resumed_it_ends_the_same(
    server: Fake, straight: tuple[Path, str, int], tmp_path: Path
) -> None:
    _, head, tokens = straight
    folder = tmp_path / "my session"
    common = ["--price-prompt", "2", "--price-generated", "8"]
    stopped = paperdesk(
        "run", "--model", server.url, *options(WINDOW), "--out", folder, "--budget-tokens", 4_000, *common
    )
    assert stopped.returncode == 1, stopped.stderr
    assert stopped.stdout == ""
    last = stopped.stderr.splitlines()[-1]
    assert last.startswith("paperdesk: the budget may not suffice for the next request of ")
    assert last.endswith(f" of 4,000 tokens: resume it with a larger budget (`paperdesk resume '{folder}'`).")
    checked = paperdesk("verify", folder)
    assert (checked.returncode, checked.stdout[:7]) == (0, "intact:")
    before = len(server.asked)
    again = paperdesk("resume", folder, "--budget-tokens", 4_000)  # nothing was gained: it stops where it stopped
    assert again.returncode == 1
    assert again.stderr.splitlines()[-1] == last
    paid = [body for body in server.asked[before:] if len(body["messages"]) > 1]
    assert paid == []  # the discovery's questions have no system message
    with pytest.raises(BudgetExhausted, match="US dollars"):
        resume(folder, budget=Budget(None, 0.012, 2.0, 8.0))
    done = paperdesk("resume", folder, "--budget-tokens", 10 * tokens, "--budget-usd", "5", *common, "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["head"] == head == verify(folder).head
    assert result["spent"]["prompt_tokens"] + result["spent"]["generated_tokens"] == tokens
    read, written = result["spent"]["prompt_tokens"], result["spent"]["generated_tokens"]
    assert result["spent"]["cost_usd"] == pytest.approx(read * 2e-6 + written * 8e-6)
    assert f"spent        {read:,} tokens read, {written:,} written, " in done.stderr
    assert holds(folder, KEY) == []
    assert KEY not in stopped.stderr + again.stderr + done.stderr + done.stdout


def test_concurrency_does_not_change_a_session(server: Fake, straight: tuple[Path, str, int], tmp_path: Path) -> None:
    serial = start(config(server), tmp_path / "session", access=Access(concurrency=1))
    assert serial.head == straight[1]


def test_a_server_that_fails_and_tells_the_key_leaves_no_trace_of_it(
    server: Fake, straight: tuple[Path, str, int], tmp_path: Path
) -> None:
    folder = tmp_path / "session"
    seen = 0

    def tell(_: Body) -> Reply:
        nonlocal seen
        seen += 1
        return Reply.error(422 if seen < 4 else 401, f"Authorization: Bearer {KEY}")

    # three requests find out what the server can do; then some answers, then refusals that quote the key
    server.script = [lambda body: _fine(server, body)] * 12 + [tell] * 40
    stopped = paperdesk("run", "--model", server.url, *options(WINDOW), "--out", folder, "--concurrency", "1")
    assert stopped.returncode == 1, stopped.stderr
    last = stopped.stderr.splitlines()[-1]
    assert "does not let us in (status 401): set PAPERDESK_API_KEY to a valid key" in last
    assert "INFO" not in stopped.stderr
    assert verify(folder).ok
    assert verify(folder).count > 1
    assert holds(folder, KEY) == []
    assert KEY not in stopped.stderr + stopped.stdout


def _fine(server: Fake, body: Body) -> Reply:
    return answer_of(server.kind, body)


def test_a_server_that_dies_is_told_and_the_session_can_be_resumed(
    server: Fake, straight: tuple[Path, str, int], tmp_path: Path
) -> None:
    server.script = [lambda body: _fine(server, body)] * 15 + [Reply(hang_up=True)] * 80
    folder = tmp_path / "session"
    with pytest.raises(ModelError, match=r"failed 5 times .*: restart it, then resume\."):
        start(config(server), folder, access=Access(concurrency=2))
    assert verify(folder).ok
    server.script = []
    assert resume(folder).head == straight[1]


def test_a_stated_training_cutoff_becomes_part_of_the_mind(
    server: Fake, straight: tuple[Path, str, int], tmp_path: Path
) -> None:
    dated = config(server, training_cutoff="2023-06-30")
    with pytest.raises(BudgetExhausted):
        start(dated, tmp_path / "session", budget=Budget(tokens=1))
    with Journal.open_readonly(tmp_path / "session") as journal:
        started = next(iter(journal.events("session_started"))).event
    assert started.model["training_cutoff"] == "2023-06-30"
    assert resume(tmp_path / "session").head != straight[1]


@pytest.mark.parametrize("model", ["scorecard", "smollm2"])
def test_a_cutoff_that_the_mind_knows_better_is_refused(model: str, tmp_path: Path) -> None:
    stated = SessionConfig.model_validate({"model": model, "training_cutoff": date(2020, 1, 1), **WINDOW})
    with pytest.raises(SessionError, match=r": leave training_cutoff out\.$"):
        start(stated, tmp_path / "session")
    assert not (tmp_path / "session").exists()


def test_impossible_options_are_refused_before_anything_is_written(server: Fake, tmp_path: Path) -> None:
    out = tmp_path / "session"
    for words, told in (
        (("--budget-usd", "1"), "a budget in money needs prices"),
        (("--api-key-env", KEY), "never by itself"),
    ):
        done = paperdesk("run", "--model", server.url, *options(WINDOW), "--out", out, *words)
        assert done.returncode == 2, done.stderr
        assert told in done.stderr.splitlines()[-1]
        assert not out.exists()
        assert KEY not in done.stderr
