"""The desk's model learns the tone of labelled texts of one's own, and reads others with what it learnt."""

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from paperdesk.agents.models.digest import file_digest
from paperdesk.agents.models.files.trust import record_trust
from paperdesk.agents.sentiment_prompt import tone_request
from paperdesk.cli import app
from paperdesk.simulations.sentiment_comparison import open_classifier
from paperdesk.simulations.training.adapter import Recipe
from paperdesk.simulations.training.desk_command import DeskPlan, train_desk
from paperdesk.simulations.training.exercises import Leakage, TooLittleData
from paperdesk.simulations.training.phrasebook.releases import releases
from paperdesk.simulations.training.places import ADAPTER_FILE
from paperdesk.simulations.training.tone_exercises import FromFile, file_exercises
from paperdesk.tools.errors import DataError, InputError

from ..models.files.tiny_llama import gguf, metadata, weights

pytest.importorskip("torch")

RECIPE = Recipe(epochs=2, examine_every=4, threads=1, rank=4, alpha=8, learning_rate=1e-3)


def written(file: Path, rows: Sequence[tuple[str, ...]], header: tuple[str, ...] = ("text", "label")) -> Path:
    with file.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([header, *rows])
    return file


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = releases(180, "learn", seed=3)
    return written(tmp_path_factory.mktemp("texts") / "labelled.csv", [(r.text, r.label) for r in made])


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with room for a release in bytes."""
    keys = metadata() | {"llama.context_length": 4096}
    tokens: list[str] = keys["tokenizer.ggml.tokens"]  # type: ignore[assignment]
    file = tmp_path_factory.mktemp("base") / "tiny.gguf"
    file.write_bytes(gguf(keys, weights(len(tokens))))
    return file


def test_parts_are_those_of_a_reader_and_asked_as_the_sentiment_tool_asks(labelled: Path) -> None:
    learn, stop, exam = file_exercises(FromFile(labelled=labelled))
    assert len(learn) > 100
    assert len(stop) > 15 < len(exam)
    assert {e.sheet for part in (learn, stop, exam) for e in part} == {learn[0].sheet}
    assert learn[0].sheet.agent == "sentiment"
    texts = [{e.text for e in part} for part in (learn, stop, exam)]
    assert not texts[0] & texts[1] | texts[0] & texts[2] | texts[1] & texts[2]


def test_dated_texts_are_examined_on_the_latest(tmp_path: Path) -> None:
    made = releases(180, "learn", seed=3)
    rows = [(r.text, r.label, f"2024-{1 + i // 15:02d}-{1 + i % 15:02d}") for i, r in enumerate(made)]
    dated = written(tmp_path / "dated.csv", rows, ("text", "label", "date"))
    exam = {e.text for e in file_exercises(FromFile(labelled=dated))[2]}
    questions = tone_request([text for text, _, _ in rows]).questions
    asked = [when for question, (_, _, when) in zip(questions, rows, strict=True) if question.text in exam]
    assert len(asked) == len(exam)
    assert min(asked) > "2024-10"
    other = written(tmp_path / "exam.csv", rows[:60], ("text", "label", "date"))
    with pytest.raises(Leakage):
        file_exercises(FromFile(labelled=dated, exam=other))


def test_what_cannot_be_learnt_is_refused(tmp_path: Path) -> None:
    few = written(tmp_path / "few.csv", [("Sales rose.", "positive"), ("Sales fell.", "negative")])
    with pytest.raises(TooLittleData):
        file_exercises(FromFile(labelled=few))
    with pytest.raises(DataError, match="label"):
        file_exercises(FromFile(labelled=written(tmp_path / "odd.csv", [("Sales rose.", "great")])))


@pytest.mark.slow
def test_an_adapter_for_texts_is_trained_and_read_with(
    base: Path, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    out = tmp_path / "tone"
    plan = DeskPlan(model=str(base), texts=FromFile(labelled=labelled))
    card = train_desk(plan, out, RECIPE, say=lambda text: None, listen=lambda at: None)
    assert card.after.keys() == {"sentiment"}
    assert card.losses[-1][2] < card.losses[0][2]
    assert card.plan.texts == plan.texts
    record_trust(base, file_digest(base), now=datetime(2031, 3, 28, tzinfo=UTC), command="a test")
    texts = ["Sales rose by a fifth.", "The plant burnt down."]
    found = []
    for adapter in ("none", out, out / ADAPTER_FILE):
        with open_classifier(f"prompt:{base},adapter={adapter}", threads=1) as classifier:
            found.append(classifier.predict(texts).tolist())
    assert found[0] != found[1] == found[2]


def test_a_spec_with_an_adapter_that_has_no_name_is_refused() -> None:
    with pytest.raises(InputError, match="the adapter has no name"), open_classifier("prompt:smollm2,adapter="):
        pass


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--exam", "b.csv"], "about labelled texts"),
        (["a.csv", "--agent", "technical_analyst"], "not from both"),
        (["a.csv", "--from", "runs"], "not from both"),
    ],
)
def test_options_that_do_not_go_together_are_refused(given: list[str], words: str, tmp_path: Path) -> None:
    command = ["train", "desk", *given, "--out", str(tmp_path / "a")]
    done = CliRunner().invoke(app, command, env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert words in done.output
    assert not (tmp_path / "a").exists()
