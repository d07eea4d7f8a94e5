"""What `paperdesk train` refuses, it refuses in a sentence and before it begins."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from paperdesk.cli import app
from paperdesk.simulations.training.exercises import TrainingError
from paperdesk.simulations.training.reader.recipe import ReaderRecipe


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["desk", "--from", ""], "names no folder"),
        (["desk", "--teacher", "a,,b"], "names no folder"),
        (["desk", "--from", "", "--teacher", "b"], "not from both"),
        (["desk", "--from", "runs", "--seeds", "1,2"], "it changes nothing about what sessions teach"),
        (["desk", "--teacher", "runs", "--targets", "odds"], "it changes nothing about what sessions teach"),
        (["desk", "labelled.csv", "--exercises", "100"], "it changes nothing about what texts teach"),
        (
            ["desk", "--agent", "technical_analyst", "--releases", "0"],
            "it changes nothing about what one analyst learns",
        ),
        (["desk", "--learning-rate", "0"], "Invalid value for '--learning-rate'"),
        (["desk", "--learning-rate", "2"], "Invalid value for '--learning-rate'"),
        (["reader", "--phrasebook", "60", "--learning-rate", "0"], "Invalid value for '--learning-rate'"),
    ],
)
def test_options_that_say_nothing_are_refused(given: list[str], words: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["train", *given, "--out", str(tmp_path / "a")], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert words in done.output
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("given", [["--from", ""], ["--from", "runs", "--learning-rate", "0"]])
def test_an_update_refuses_them_too(given: list[str], tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["train", "update", str(tmp_path), *given]).exit_code == 2


def test_an_analyst_that_generated_markets_cannot_teach_is_refused_before_they_are_made(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["train", "desk", "--agent", "fundamental", "--out", str(tmp_path / "a")])
    assert isinstance(done.exception, TrainingError)
    assert "name fundamental_analyst or technical_analyst" in str(done.exception)
    assert not (tmp_path / "a").exists()


def test_a_recipe_takes_what_it_is_given_and_refuses_nothing_silently() -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        ReaderRecipe.of("full", learning_rate=0.0)
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        ReaderRecipe.of("full", epochs=0)
