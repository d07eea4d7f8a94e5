"""A session as a log of Inspect AI, read back by Inspect AI."""

import json
import subprocess
import sys
from collections.abc import Iterator
from math import exp
from pathlib import Path
from typing import Any

import pytest

from paperdesk.memory.journal import Journal
from paperdesk.memory.outcome import DIRECTION_OF
from paperdesk.simulations.exporting import export
from paperdesk.simulations.reading import Session
from paperdesk.tools.errors import InputError

from .conftest import Finished

reading = pytest.importorskip("inspect_ai.log", reason="needs the extra inspect")

from inspect_ai.analysis import samples_df  # noqa: E402


@pytest.fixture(scope="module")
def file(generated_session: Finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file: Path = tmp_path_factory.mktemp("inspect") / "session.eval"
    export(generated_session.outcome.folder, str(file))
    return file


@pytest.fixture(scope="module")
def log(file: Path) -> Any:
    return reading.read_eval_log(file)


def numbers(sample: Any) -> Iterator[int]:
    return (event.metadata["seq"] for event in sample.events if event.metadata and "seq" in event.metadata)


def test_every_event_of_a_decision_is_in_a_sample(generated_session: Finished, log: Any) -> None:
    wanted = {number for number, event in enumerate(generated_session.events, 1) if event.decision is not None}
    assert {number for sample in log.samples for number in numbers(sample)} == wanted
    for sample in log.samples:
        assert list(numbers(sample)) == sorted(numbers(sample))


def test_each_question_to_a_mind_stands_once(generated_session: Finished, log: Any) -> None:
    asked = [question for event in generated_session.of("model_called") for question in event.request["questions"]]
    assert len([event for sample in log.samples for event in sample.events if event.event == "model"]) == len(asked)


def test_a_signal_is_scored_by_what_came(generated_session: Finished, log: Any) -> None:
    days = {event.decision: event.session.isoformat() for event in generated_session.of("decision_opened")}
    outcomes = {
        f"{days[event.issued_in]}/{event.agent}/{event.ticker}": event.record
        for event in generated_session.of("signal_resolved")
    }
    scored = {sample.id: sample for sample in log.samples if sample.scores}
    assert set(scored) == set(outcomes)
    hits = 0
    for name, outcome in outcomes.items():
        direction = scored[name].scores["direction"]
        hit = DIRECTION_OF[outcome.stance] == outcome.came
        hits += hit
        assert direction.value == ("C" if hit else "I")
        assert direction.metadata["excess"] == outcome.excess
        assert scored[name].target == outcome.came
    assert log.results.scores[0].metrics["accuracy"].value == pytest.approx(hits / len(outcomes))


def test_a_signals_sample_is_its_conversation(generated_session: Finished, log: Any) -> None:
    signals = [event for event in generated_session.of("signal_issued") if not event.abstained]
    sample = next(sample for sample in log.samples if sample.id == "2023-01-03/fundamental_analyst/BRQL")
    first = next(event for event in signals if (event.agent, event.ticker) == ("fundamental_analyst", "BRQL"))
    assert [message.role for message in sample.messages] == ["system", "user", "assistant", "assistant"]
    assert "revenue growth" in sample.messages[1].text
    assert sample.messages[-1].text == first.rationale
    (scored,) = sample.output.choices[0].logprobs.content
    told = {top.token: exp(top.logprob) for top in scored.top_logprobs}
    assert told == pytest.approx({option: p for option, p in first.signal["probabilities"].items() if p > 0})
    tools = [event for event in sample.events if event.event == "tool"]
    called = [e for e in generated_session.of("tool_called") if e.decision == 0 and e.ticker == "BRQL"]
    assert [tool.function for tool in tools] == [e.tool for e in called if e.agent == "fundamental_analyst"]
    assert json.loads(tools[0].result)[0]["id"] == called[0].evidence[0].id


def test_it_says_what_the_session_was(generated_session: Finished, log: Any) -> None:
    assert log.status == "success"
    assert log.eval.model == "scorecard"
    assert log.eval.metadata["head"] == generated_session.outcome.head
    assert log.eval.packages["pandas"]


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # Inspect with pandas 3.1
def test_inspects_own_tools_read_it(file: Path) -> None:
    table = samples_df([str(file)])
    assert len(table) == len(set(table["id"]))
    assert set(table["score_direction"].dropna()) == {"C", "I"}
    command = [str(Path(sys.executable).with_name("inspect")), "log", "list", "--json", "--log-dir", str(file.parent)]
    listed = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert [(one["task"], one["size"]) for one in listed] == [("paperdesk", file.stat().st_size)]


def test_nothing_decided_is_refused_and_nothing_is_left(generated_session: Finished, tmp_path: Path) -> None:
    with Journal.create(tmp_path / "empty") as journal:
        journal.append(generated_session.events[0])
    with pytest.raises(InputError, match="decided nothing yet"):
        export(tmp_path / "empty", str(tmp_path / "log.eval"))
    assert not list(tmp_path.glob("log.eval*"))


def test_a_session_that_runs_is_told_as_far_as_it_has_come(generated_session: Finished, tmp_path: Path) -> None:
    with Journal.create(tmp_path / "half") as journal:
        for event in generated_session.events[:60]:
            journal.append(event)
    export(tmp_path / "half", str(tmp_path / "half.eval"))
    half = reading.read_eval_log(tmp_path / "half.eval")
    assert half.status == "started"
    assert not half.results.scores
    with Session.open(tmp_path / "half") as session:
        assert len(half.samples) == 2 * len(session.universe) + 1


def test_without_the_extra_it_is_named(
    generated_session: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "paperdesk.simulations.inspect_log")
    monkeypatch.setitem(sys.modules, "inspect_ai.event", None)
    with pytest.raises(InputError, match=r"pip install 'paperdesk\[inspect\]'"):
        export(generated_session.outcome.folder, str(tmp_path / "log.eval"))
    assert not list(tmp_path.iterdir())
