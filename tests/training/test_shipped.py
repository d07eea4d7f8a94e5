"""Whoever wants to train the shipped adapter further begins a folder with it: its weights, and what it learnt from."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from paperdesk.agents.models.adapters import SHIPPED
from paperdesk.agents.models.open import bundled_model
from paperdesk.cli import app
from paperdesk.simulations.training import shipped
from paperdesk.simulations.training.adapter import NoTorch
from paperdesk.simulations.training.desk_command import Card
from paperdesk.simulations.training.exercises import TrainingError
from paperdesk.simulations.training.journal_exercises import FromJournals, harvest
from paperdesk.simulations.training.kept import HELD_OUT, KEPT, KEPT_FILE, read_kept
from paperdesk.simulations.training.phrasebook.releases import Pack, releases
from paperdesk.simulations.training.places import ADAPTER_FILE, CARD_FILE, CHECKPOINT, WEIGHTS_FILE
from paperdesk.simulations.training.registry import FIRST, champion_of, read_registry
from paperdesk.simulations.training.shipped import begin_with_shipped
from paperdesk.simulations.training.tone_exercises import tone_exercises
from paperdesk.simulations.training.update_command import OtherBase, UpdatePlan, update_adapter

from .champions import known, write_champion
from .journals import day_of, rising, write_journal

pytest.importorskip("torch", reason="needs the extra nlp")
pytestmark = pytest.mark.filterwarnings("ignore:Could not find a config file")


@pytest.fixture(scope="module")
def ours(able: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter of the tiny model and a session."""
    place = tmp_path_factory.mktemp("shipped")
    write_journal(place / "runs" / "old", rising, decisions=40)
    write_journal(place / "runs" / "new", rising, decisions=70, first=60, seed=1)
    kept = known(harvest(FromJournals(sessions=(str(place / "runs" / "old"),))).exercises)
    write_champion(place / "adapter", able, size=0.1, kept=kept, as_of=day_of(39))
    return place


@pytest.fixture
def bare(ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same as it would be shipped."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    for name in (ADAPTER_FILE, CARD_FILE, KEPT_FILE):
        shutil.copy(ours / "adapter" / name, folder / name)
    monkeypatch.setattr(shipped, "SHIPPED", folder)
    return folder


def test_an_update_goes_on_from_the_very_weights_that_are_shipped(
    able: Path, ours: Path, bare: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    begin_with_shipped(mine, str(able))
    assert (mine / WEIGHTS_FILE).read_bytes() == (ours / "adapter" / WEIGHTS_FILE).read_bytes()
    assert champion_of(mine) == mine / ADAPTER_FILE
    journals = FromJournals(sessions=(str(ours / "runs"),), examined=0.4)
    plan = UpdatePlan(model=str(able), journals=journals, learning_rate=1e-2, batch=8, threads=1)

    def updated(folder: Path) -> Any:
        clock = lambda: datetime(2033, 1, 1, tzinfo=UTC)  # noqa: E731
        return update_adapter(folder, plan, say=lambda text: None, listen=lambda at: None, clock=clock)

    card = updated(mine)
    assert card.replayed > 0, "what it learnt before came along"
    trained = shutil.copytree(ours / "adapter", tmp_path / "trained")
    assert updated(trained).adapter_sha256 == card.adapter_sha256, "as from the folder that was trained here"
    begin_with_shipped(mine, str(able))  # the same command again goes on
    assert read_registry(mine).versions != (FIRST,)


def test_the_command_begins_a_new_folder_and_no_other(able: Path, ours: Path, bare: Path, tmp_path: Path) -> None:
    def run(folder: Path, *more: str) -> Any:
        given = ["train", "update", str(folder), "--from", str(ours / "runs"), "--model", str(able)]
        return CliRunner().invoke(app, [*given, "--as-of", str(day_of(62)), *more])

    new = tmp_path / "new"
    refused = run(new)
    assert isinstance(refused.exception, TrainingError)
    assert "begin a new one with the adapter that comes with PaperDesk by `--begin shipped`" in str(refused.exception)
    assert not new.exists()
    short = run(new, "--begin", "shipped")
    assert "No outcome in" in str(short.exception), "it went as far as to read the sessions"
    assert champion_of(new) == new / ADAPTER_FILE


def test_a_folder_that_holds_something_else_is_left_alone(
    able: Path, ours: Path, bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = known(harvest(FromJournals(sessions=(str(ours / "runs" / "old"),))).exercises)
    other = write_champion(tmp_path / "other", able, size=0.2, kept=kept)
    before = {path.name: path.read_bytes() for path in other.iterdir()}
    with pytest.raises(TrainingError, match="holds another adapter than the one that comes with PaperDesk"):
        begin_with_shipped(other, str(able))
    assert {path.name: path.read_bytes() for path in other.iterdir()} == before
    half = tmp_path / "half"
    half.mkdir()
    (half / CHECKPOINT).write_bytes(b"")
    with pytest.raises(TrainingError, match=rf"is no new folder, for it holds {CHECKPOINT}: name another"):
        begin_with_shipped(half, str(able))
    with pytest.raises(OtherBase, match=r"is of able\.gguf and not of"):
        begin_with_shipped(tmp_path / "new", "smollm2")
    monkeypatch.setattr(shipped, "versions", _none)
    with pytest.raises(NoTorch):
        begin_with_shipped(tmp_path / "new", str(able))
    assert not (tmp_path / "new").exists()


def _none() -> dict[str, str]:
    raise NoTorch("Training needs peft.")


def test_a_beginning_that_was_interrupted_is_begun_again(able: Path, bare: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    begin_with_shipped(mine, str(able))
    (mine / CARD_FILE).unlink()  # it is written last
    (mine / WEIGHTS_FILE).write_bytes(b"half")
    (mine / f".{KEPT_FILE}.4711").write_bytes(b"half")
    begin_with_shipped(mine, str(able))
    assert (mine / WEIGHTS_FILE).stat().st_size > 1000


@pytest.mark.slow
def test_the_adapter_that_is_shipped_can_be_gone_on_from(tmp_path: Path) -> None:
    begin_with_shipped(tmp_path / "mine", "smollm2")
    card = Card.model_validate_json((tmp_path / "mine" / CARD_FILE).read_bytes())
    as_shipped = Card.model_validate_json((SHIPPED / CARD_FILE).read_bytes())
    assert card == as_shipped, "the weights are to the bit those that were trained"
    from safetensors.torch import load_file

    tensors = load_file(tmp_path / "mine" / WEIGHTS_FILE)
    assert len(tensors) == 30 * 4 * 2, "A and B of four projections in thirty layers"
    assert champion_of(tmp_path / "mine").read_bytes() == (SHIPPED / ADAPTER_FILE).read_bytes()
    assert bundled_model().name == card.base


def test_what_is_kept_with_the_shipped_adapter_is_what_it_learnt_and_what_it_never_saw() -> None:
    card = Card.model_validate_json((SHIPPED / CARD_FILE).read_bytes())
    kept = read_kept(SHIPPED, card.kept_sha256)
    assert (len(kept.replay), len(kept.held_out)) == (KEPT, HELD_OUT)

    def texts(pack: Pack, count: int) -> set[str]:
        return {exercise.text for exercise in tone_exercises(releases(count, pack, seed=card.plan.seeds[0]))}

    learnt, never = texts("learn", card.plan.releases), texts("exam", card.plan.releases_examined)
    for part, among in ((kept.replay, learnt), (kept.held_out, never)):
        tones = [exercise for exercise in part if exercise.sheet.agent == "sentiment"]
        assert tones
        assert {exercise.text for exercise in tones} <= among
        stances = {exercise.group.split("/")[-2] for exercise in part if exercise.sheet.agent != "sentiment"}
        seeds = card.plan.seeds if part is kept.replay else (card.plan.exam_seed,)
        assert stances == {str(seed) for seed in seeds}
