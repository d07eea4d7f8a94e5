"""An update goes on from the champion with what is new and what is old, and replaces it only where it is better."""

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from paperdesk.agents.models.digest import file_digest
from paperdesk.simulations.training import update_command
from paperdesk.simulations.training.adapter import load_base, train_adapter
from paperdesk.simulations.training.anchor import Anchor
from paperdesk.simulations.training.desk_command import Card
from paperdesk.simulations.training.exercises import TooLittleData, TrainingError
from paperdesk.simulations.training.journal_exercises import FromJournals, NothingKnown, harvest
from paperdesk.simulations.training.kept import KEPT_FILE, Damaged, Kept, read_kept
from paperdesk.simulations.training.places import ADAPTER_FILE, CARD_FILE, CHECKPOINT, WEIGHTS_FILE
from paperdesk.simulations.training.registry import (
    FIRST,
    UPDATES,
    Registry,
    Step,
    champion_of,
    folder_of,
    read_registry,
    record,
    roll_back,
)
from paperdesk.simulations.training.update_command import (
    OtherBase,
    UpdateCard,
    UpdatePlan,
    lesson_of,
    read_card,
    update_adapter,
)

from .champions import RECIPE, known, write_champion
from .journals import day_of, write_journal

torch, peft = pytest.importorskip("torch"), pytest.importorskip("peft")
pytestmark = pytest.mark.filterwarnings("ignore:Could not find a config file")
NOW = datetime(2033, 1, 1, tzinfo=UTC)


def by_sign(figure: int, rng: np.random.Generator) -> int:
    return 3 if figure > 0 else 1


def still(figure: int, rng: np.random.Generator) -> int:
    return 2 if rng.random() < 0.9 else 3


@pytest.fixture(scope="module")
def place(able: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Journals of an old and a new time, and of one that turns; a champion sure of nonsense, and one that is unsure."""
    place = tmp_path_factory.mktemp("update")
    write_journal(place / "old", by_sign, decisions=60)
    write_journal(place / "new", by_sign, decisions=70, first=60, seed=1)
    write_journal(place / "still", still, decisions=70, first=60, seed=2)
    write_journal(place / "moving", by_sign, decisions=42, first=130, seed=3)
    write_journal(place / "still again", still, decisions=28, first=172, seed=4)
    kept = known(harvest(FromJournals(sessions=(str(place / "old"),))).exercises)
    write_champion(place / "sure", able, size=0.3, kept=kept, as_of=day_of(59))
    write_champion(place / "unsure", able, size=0.1, kept=kept, as_of=day_of(59))
    return place


def plan(able: Path, place: Path, **how: Any) -> UpdatePlan:
    fields = {"learning_rate": 1e-2, "epochs": 4, "batch": 8, "threads": 1, "keep": 0.1} | how
    return UpdatePlan(model=str(able), journals=FromJournals(sessions=(str(place / "new"),), examined=0.4), **fields)


def updated(able: Path, place: Path, name: str, to: Path) -> UpdateCard:
    shutil.copytree(place / name, to)
    return taught(to, plan(able, place))


def taught(folder: Path, asked: UpdatePlan, *sessions: Path) -> UpdateCard:
    if sessions:
        journals = asked.journals.model_copy(update={"sessions": tuple(map(str, sessions))})
        asked = asked.model_copy(update={"journals": journals})
    return update_adapter(folder, asked, say=lambda text: None, listen=lambda at: None, clock=lambda: NOW)


@pytest.fixture(scope="module")
def promoted(able: Path, place: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, UpdateCard]:
    folder = tmp_path_factory.mktemp("promoted") / "a"
    return folder, updated(able, place, "sure", folder)


def test_a_better_challenger_is_promoted_and_one_command_goes_back(promoted: tuple[Path, UpdateCard]) -> None:
    folder, card = promoted
    registry = read_registry(folder)
    assert card.promoted
    assert card.new.gain is not None
    assert card.new.gain.low > 0
    challenger = folder_of(folder, registry.champion)
    assert champion_of(folder) == challenger / ADAPTER_FILE
    assert file_digest(challenger / ADAPTER_FILE) == card.adapter_sha256
    assert read_card(challenger) == card
    assert registry.history[-1].gain == card.new.gain
    assert not (challenger / CHECKPOINT).exists()
    shown = CliRunner().invoke(app(), ["train", "history", str(folder), "--json"])
    assert [step["what"] for step in json.loads(shown.stdout)["history"]] == ["trained", "promoted"]
    back = CliRunner().invoke(app(), ["train", "rollback", str(folder)])
    assert back.exit_code == 0, back.output
    assert champion_of(folder) == folder / ADAPTER_FILE
    roll_back(folder, registry.champion, clock=lambda: NOW)


def app() -> Any:
    from paperdesk.cli import app as commands

    return commands


def test_nothing_examined_was_asked_before_what_was_learnt_was_known(
    able: Path, place: Path, promoted: tuple[Path, UpdateCard]
) -> None:
    asked = plan(able, place)
    kept = read_kept(place / "sure", Card.model_validate_json((place / "sure" / CARD_FILE).read_bytes()).kept_sha256)
    lesson = lesson_of(harvest(asked.journals, after=day_of(59)), kept, asked, after=day_of(59))
    first = min(e.day for e in lesson.exam)
    assert max(e.known for e in (*lesson.learn, *lesson.held_back, *lesson.replay)) < first
    assert not {e.text for e in lesson.replay} & {e.text for e in kept.held_out}
    card = promoted[1]
    assert (card.learnt, card.replayed) == (len(lesson.learn), len(lesson.replay))


def test_a_text_learnt_on_two_days_stands_on_one_side_only(able: Path, place: Path) -> None:
    asked = plan(able, place)
    kept = read_kept(place / "sure", Card.model_validate_json((place / "sure" / CARD_FILE).read_bytes()).kept_sha256)
    twice = [replace(e, day=e.day - timedelta(days=7), known=e.known - timedelta(days=7)) for e in kept.replay]
    double = Kept([*kept.replay, *twice], kept.held_out)
    lesson = lesson_of(harvest(asked.journals, after=day_of(59)), double, asked, after=day_of(59))
    assert lesson.replay
    assert not {e.text for e in (*lesson.learn, *lesson.replay)} & {e.text for e in lesson.held_back}


def test_an_adapter_of_one_analyst_goes_on_with_that_one(able: Path, place: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(place / "sure", tmp_path / "a")
    path = folder / CARD_FILE
    card = json.loads(path.read_text())
    path.write_text(json.dumps(card | {"plan": card["plan"] | {"agent": "fundamental_analyst"}}))
    with pytest.raises(NothingKnown, match="for fundamental_analyst became known after"):
        taught(folder, plan(able, place))


def test_old_and_new_exercises_stay_with_the_challenger(place: Path, promoted: tuple[Path, UpdateCard]) -> None:
    folder, card = promoted
    before = read_kept(folder, read_card(folder).kept_sha256)
    after = read_kept(folder_of(folder, read_registry(folder).champion), card.kept_sha256)
    assert {e.text for e in before.replay} < {e.text for e in after.replay}
    assert {e.text for e in before.held_out} < {e.text for e in after.held_out}
    assert not {e.text for e in after.replay} & {e.text for e in after.held_out}


def test_what_is_no_better_is_kept_aside_with_its_figures(able: Path, place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "unsure", tmp_path / "a")
    first = taught(tmp_path / "a", plan(able, place, replayed=0.0), place / "still")
    assert first.promoted
    champion, weights = read_registry(tmp_path / "a").champion, champion_of(tmp_path / "a").read_bytes()
    # what it learns next holds for a while only, and not where it is examined
    card = taught(tmp_path / "a", plan(able, place, replayed=0.0), place / "moving", place / "still again")
    assert not card.promoted
    assert "not better" in card.reason or "worse" in card.reason
    registry = read_registry(tmp_path / "a")
    assert registry.champion == champion != FIRST
    assert champion_of(tmp_path / "a").read_bytes() == weights
    aside = registry.history[-1]
    assert (aside.what, aside.gain) == ("kept_aside", card.new.gain)
    assert (folder_of(tmp_path / "a", aside.version) / ADAPTER_FILE).is_file()


def test_the_penalty_is_the_squared_distance_of_the_changes_of_weights(able: Path, place: Path) -> None:
    model = load_base(able, RECIPE, place / "sure")
    anchor, before = Anchor(model, 3.0), changes(model)
    assert anchor.penalty().item() == pytest.approx(0, abs=1e-5)
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:
                weight += torch.randn(weight.shape, generator=draw) * 0.2
    gap = sum(float(((now - then) ** 2).sum()) for now, then in zip(changes(model), before, strict=True))
    size = sum(float((then**2).sum()) for then in before)
    assert anchor.penalty().item() == pytest.approx(3 / 2 * gap / size, rel=1e-4)
    with torch.no_grad():  # the same change by other factors is at no distance
        for module in changed(model):
            module.lora_A["default"].weight *= 2
            module.lora_B["default"].weight /= 2
    assert anchor.penalty().item() == pytest.approx(3 / 2 * gap / size, rel=1e-4)
    with pytest.raises(TrainingError, match="has nothing to keep"):
        Anchor(load_base(able, RECIPE), 1.0)


def changed(model: Any) -> list[Any]:
    return [module for module in model.modules() if "default" in getattr(module, "lora_A", ())]


def changes(model: Any) -> list[Any]:
    """The change of each projection's weights, B A."""
    return [
        (module.lora_B["default"].weight @ module.lora_A["default"].weight).detach().clone()
        for module in changed(model)
    ]


def test_a_penalty_holds_training_back(able: Path, place: Path) -> None:
    asked = harvest(plan(able, place).journals).exercises

    def moved(keep: float) -> float:
        recipe = RECIPE.model_copy(update={"keep": keep, "epochs": 4, "batch": 32})
        trained = train_adapter(able, asked[:96], asked[-16:], recipe, begin_with=place / "sure")
        model = load_base(able, RECIPE, place / "sure")
        anchor = Anchor(model, 1.0)
        peft.set_peft_model_state_dict(model, trained.state)
        return float(anchor.penalty().item())

    assert moved(100.0) < moved(0.0) * 0.9


def test_an_interrupted_update_ends_as_if_it_had_not_been(
    able: Path, place: Path, promoted: tuple[Path, UpdateCard], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(Exception):
        pass

    def stop(at: Any) -> None:
        if at.step == 30:
            raise Stopped

    folder = shutil.copytree(place / "sure", tmp_path / "a")
    with pytest.raises(Stopped):
        update_adapter(folder, plan(able, place), say=lambda text: None, listen=stop, clock=lambda: NOW)
    assert read_registry(folder).versions == (FIRST,)
    steps = list[int]()
    card = update_adapter(
        folder, plan(able, place), say=lambda text: None, listen=lambda at: steps.append(at.step), clock=lambda: NOW
    )
    assert min(steps) > 1
    assert card.adapter_sha256 == promoted[1].adapter_sha256
    (folder / "registry.json").unlink()  # as if it had been killed before it was written down
    again = update_adapter(folder, plan(able, place), say=lambda text: None, listen=stop, clock=lambda: NOW)
    assert again == card
    assert read_registry(folder).champion != FIRST
    (folder / "registry.json").unlink()  # as if another one had been promoted while it was trained
    other = shutil.copytree(champion_of(folder).parent / UPDATES / card_version(folder), folder / UPDATES / "other")
    moved = Step(
        what="promoted",
        version="other",
        champion="other",
        at=NOW,
        adapter_sha256=file_digest(other / ADAPTER_FILE),
    )
    monkeypatch.setattr(update_command, "record", lambda *args, **how: late(moved, *args, **how))
    late_card = update_adapter(folder, plan(able, place), say=lambda text: None, listen=stop, clock=lambda: NOW)
    assert (late_card.promoted, late_card.reason) == (False, "the champion became other meanwhile")
    assert read_card(folder_of(folder, card_version(folder))) == late_card
    roll_back(folder, clock=lambda: NOW)
    with pytest.raises(TrainingError, match="was made before"):
        update_adapter(folder, plan(able, place), say=lambda text: None, listen=stop, clock=lambda: NOW)


def card_version(folder: Path) -> str:
    """The version of the only update."""
    return next(path.name for path in (folder / UPDATES).iterdir() if path.name != "other")


def late(moved: Step, adapter: Path, step: Step, *, challenged: str) -> Registry:
    """`record`, after somebody else's promotion."""
    record(adapter, moved, challenged=challenged)
    return record(adapter, step, challenged=challenged)


def test_what_cannot_be_gone_on_from_is_refused(able: Path, place: Path, tmp_path: Path) -> None:
    def refused(error: type[TrainingError], words: str, folder: Path, **how: Any) -> None:
        with pytest.raises(error, match=words):
            update_adapter(folder, plan(able, place).model_copy(update=how), say=print, listen=lambda at: None)

    sure = place / "sure"
    other = tmp_path / "other.gguf"
    other.write_bytes(able.read_bytes()[:-4] + b"\0\0\0\0")
    refused(OtherBase, r"was trained on able.gguf and not on other.gguf", sure, model=str(other))
    journals = plan(able, place).journals
    early = journals.model_copy(update={"as_of": day_of(70)})
    refused(NothingKnown, "was known by", sure, journals=early.model_copy(update={"as_of": day_of(1)}))
    refused(TooLittleData, "exercises that became known", sure, journals=early)
    short = journals.model_copy(update={"as_of": day_of(110), "examined": 0.2})
    refused(TooLittleData, "questions of 10 days and 20 are needed", sure, journals=short)
    old = journals.model_copy(update={"sessions": (str(place / "old"),)})
    refused(NothingKnown, "became known after", sure, journals=old)
    bare = shutil.copytree(sure, tmp_path / "bare")
    (bare / WEIGHTS_FILE).write_bytes(b"")
    refused(Damaged, f"{WEIGHTS_FILE} is not the file that was written with the adapter", bare)
    (bare / WEIGHTS_FILE).unlink()
    refused(Damaged, f"{WEIGHTS_FILE} is not the file that was written with the adapter", bare)
    spoilt = shutil.copytree(sure, tmp_path / "spoilt")
    (spoilt / KEPT_FILE).write_bytes(b"")
    refused(Damaged, "is not the file that was written with the adapter", spoilt)
    (spoilt / CARD_FILE).write_text("{}")
    refused(Damaged, "is no card of an adapter", spoilt)
    refused(TrainingError, "holds no trained adapter", tmp_path)
    assert not (sure / "updates").exists(), "nothing was begun"
