"""The champion's pointer moves in one step, back as easily as forth, and never to a file that is not the one known."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.agents.models.digest import file_digest
from paperdesk.simulations.config import load_config
from paperdesk.simulations.training.exercises import TrainingError
from paperdesk.simulations.training.kept import Damaged
from paperdesk.simulations.training.places import ADAPTER_FILE, CARD_FILE
from paperdesk.simulations.training.registry import (
    FIRST,
    REGISTRY_FILE,
    Registry,
    Step,
    champion_of,
    folder_of,
    read_registry,
    record,
    roll_back,
)

NOW = datetime(2031, 1, 1, tzinfo=UTC)


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    return version(tmp_path / "a", FIRST)


def version(adapter: Path, name: str) -> Path:
    folder = folder_of(adapter, name)
    folder.mkdir(parents=True)
    (folder / ADAPTER_FILE).write_text(name)
    card = {"base": "b.gguf", "base_sha256": "", "adapter_sha256": file_digest(folder / ADAPTER_FILE)}
    (folder / CARD_FILE).write_text(json.dumps(card))
    return adapter


def step(adapter: Path, name: str, *, promoted: bool = True, champion: str = FIRST) -> Step:
    return Step(
        what="promoted" if promoted else "kept_aside",
        version=name,
        champion=name if promoted else champion,
        at=NOW,
        as_of=date(2030, 12, 31),
        adapter_sha256=file_digest(folder_of(version(adapter, name), name) / ADAPTER_FILE),
    )


def test_an_adapter_that_was_never_updated_is_its_own_champion(adapter: Path) -> None:
    assert champion_of(adapter) == adapter / ADAPTER_FILE
    assert not (adapter / REGISTRY_FILE).exists(), "reading writes nothing"
    (adapter / ADAPTER_FILE).write_text("other")
    with pytest.raises(Damaged, match="is not the file that was written as version first"):
        champion_of(adapter)
    (adapter / CARD_FILE).write_text("{}")
    with pytest.raises(Damaged, match="is no card of an adapter"):
        champion_of(adapter)


def test_a_session_that_names_the_folder_has_the_champion_of_its_day(adapter: Path) -> None:
    given = {"adapter": f"{adapter}, technical={adapter},other.gguf"}
    first = load_config(None, given)
    assert first.adapter == (f"{adapter}/adapter.gguf", f"technical={adapter}/adapter.gguf", "other.gguf")
    record(adapter, step(adapter, "b"), challenged=FIRST)
    assert load_config(None, given).adapter[0] == f"{adapter}/updates/b/adapter.gguf"
    assert load_config(None, first.model_dump()) == first
    with pytest.raises(TrainingError, match="holds no trained adapter"):
        load_config(None, {"adapter": str(adapter.parent)})


def test_a_challenger_kept_aside_changes_nothing_but_the_history(adapter: Path) -> None:
    registry = record(adapter, step(adapter, "b", promoted=False), challenged=FIRST)
    assert read_registry(adapter) == registry
    assert champion_of(adapter) == adapter / ADAPTER_FILE
    assert [s.what for s in registry.history] == ["trained", "kept_aside"]


def test_rollback_goes_back_one_champion_at_a_time(adapter: Path) -> None:
    record(adapter, step(adapter, "b"), challenged=FIRST)
    record(adapter, step(adapter, "c", promoted=False, champion="b"), challenged="b")
    record(adapter, step(adapter, "d"), challenged="b")
    assert champion_of(adapter).read_text() == "d"
    assert roll_back(adapter, clock=lambda: NOW).champion == "b", "c was never champion"
    assert roll_back(adapter, clock=lambda: NOW).champion == FIRST
    with pytest.raises(TrainingError, match="nothing to go back to"):
        roll_back(adapter)
    assert roll_back(adapter, "d", clock=lambda: NOW).champion == "d", "one that was left can be had again"
    with pytest.raises(TrainingError, match="name one of these: first, b, c"):
        roll_back(adapter, "z")


@given(st.lists(st.sampled_from(["promote", "aside", "back"]), max_size=12))
def test_going_back_undoes_the_last_promotion(moves: list[str]) -> None:
    line, history = [FIRST], [Step(what="trained", version=FIRST, champion=FIRST, at=NOW, adapter_sha256="")]
    for count, move in enumerate(moves):
        match move:
            case "promote":
                line.append(str(count))
                history.append(history[0].model_copy(update={"version": line[-1], "champion": line[-1]}))
            case "aside":
                history.append(history[0].model_copy(update={"version": str(count), "champion": line[-1]}))
            case "back" if len(line) > 1:
                line.pop()
                new = {"what": "rolled_back", "version": line[-1], "champion": line[-1]}
                history.append(history[0].model_copy(update=new))
    before = Registry(champion=line[-1], history=tuple(history)).champion_before
    assert before == (line[-2] if len(line) > 1 else None)


def test_a_challenger_to_a_champion_that_was_replaced_meanwhile_is_kept_aside(adapter: Path) -> None:
    record(adapter, step(adapter, "b"), challenged=FIRST)
    registry = record(adapter, step(adapter, "c"), challenged=FIRST)
    assert registry.champion == "b"
    assert registry.history[-1].what == "kept_aside"
    assert "became b meanwhile" in registry.history[-1].reason


def test_a_pointer_that_is_half_written_leaves_the_old_one(adapter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(adapter, step(adapter, "b"), challenged=FIRST)

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(Exception, match="cannot be written"):
        roll_back(adapter)
    monkeypatch.undo()
    assert read_registry(adapter).champion == "b"
    assert not list(adapter.glob(".registry*"))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda text: text[: len(text) // 2], "cannot be read"),
        (
            lambda text: text.replace('"champion": "b"', '"champion": "c"', 1),
            "is not the one that the history ends with",
        ),
        (lambda text: text.replace('"b"', '"c"').replace('"version": "c"', '"version": "b"'), "never trained"),
    ],
)
def test_a_damaged_registry_is_refused(adapter: Path, spoil: Callable[[str], str], words: str) -> None:
    record(adapter, step(adapter, "b"), challenged=FIRST)
    path = adapter / REGISTRY_FILE
    path.write_text(spoil(path.read_text()))
    with pytest.raises(Damaged, match=words):
        read_registry(adapter)


def test_a_champion_whose_file_was_changed_is_refused_and_can_be_left(adapter: Path) -> None:
    record(adapter, step(adapter, "b"), challenged=FIRST)
    (folder_of(adapter, "b") / ADAPTER_FILE).write_text("other")
    with pytest.raises(Damaged, match="is not the file that was written as version b"):
        champion_of(adapter)
    assert roll_back(adapter, clock=lambda: NOW).champion == FIRST
    assert champion_of(adapter) == adapter / ADAPTER_FILE
    with pytest.raises(Damaged):
        roll_back(adapter, "b")
    with pytest.raises(TrainingError, match="holds no trained adapter"):
        read_registry(adapter / "updates")
