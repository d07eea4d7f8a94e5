"""Adapters are trained on a tiny random model: real transformers, real peft, real llama.cpp."""

import math
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paperdesk.agents.models.llama_cpp import LlamaCpp
from paperdesk.agents.signals import STANCES
from paperdesk.simulations.training import adapter
from paperdesk.simulations.training.adapter import Recipe, Trained, load_base, train_adapter
from paperdesk.simulations.training.batches import Laid
from paperdesk.simulations.training.desk_command import DeskPlan, Exercises, train_desk
from paperdesk.simulations.training.exercises import (
    Exercise,
    Leakage,
    OneClass,
    Sheet,
    TooLittleData,
    TrainingError,
    requests_of,
)
from paperdesk.simulations.training.gguf_adapter import interleaved, read_gguf, write_gguf
from paperdesk.simulations.training.kept import KEPT_FILE
from paperdesk.simulations.training.places import ADAPTER_FILE, CARD_FILE, CHECKPOINT, WEIGHTS_FILE
from paperdesk.simulations.training.short_memory import OutOfMemory

from ..models.files.tiny_llama import tiny_llama

torch = pytest.importorskip("torch")

SHEET = Sheet("technical_analyst", "You judge.", "Market: calm.\n", STANCES, "\n", "N/A\nStance:")
RECIPE = Recipe(epochs=4, examine_every=4, threads=1, rank=4, alpha=8, learning_rate=5e-3)


def exercises(count: int = 128) -> list[Exercise]:
    rng = np.random.default_rng(1)
    day = date(2020, 1, 1)
    made = []
    for i in range(count):
        figure = int(rng.integers(-9, 10))
        answer = int(np.searchsorted((-6, -2, 2, 6), figure))
        target = tuple(float(place == answer) for place in range(5))
        made.append(
            Exercise(SHEET, f"E1 {figure:+d}% {i}\nStance:", target, day, day + timedelta(days=1), str(i), figure)
        )
    return made


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("base") / "tiny.gguf"
    file.write_bytes(tiny_llama())
    return file


@pytest.fixture(scope="module")
def trained(base: Path) -> Trained:
    made = exercises()
    return train_adapter(base, made[:96], made[96:], RECIPE)


def by_torch(base: Path, trained: Trained, exercise: Exercise) -> np.ndarray:
    """The options' probabilities by transformers, from whole prompts without a shared beginning."""
    import peft

    model = load_base(base, trained.recipe)
    peft.set_peft_model_state_dict(model, trained.state)
    model.eval()
    request, _ = next(requests_of([exercise]))
    with closing(LlamaCpp(base, threads=1)) as reader:
        laid = reader.laid_out(request)
    found = []
    for option in laid.options:
        tokens = [*laid.stem, *laid.rests[0], *option]
        with torch.no_grad():
            logs = torch.log_softmax(model(torch.tensor([tokens])).logits[0].double(), -1)
        begin = len(tokens) - len(option)
        found.append(math.fsum(logs[begin - 1 + k, token].item() for k, token in enumerate(option)))
    weights = np.exp(np.array(found) - max(found))
    return np.asarray(weights / weights.sum())


def by_llama(base: Path, adapter: Path | None, exercise: Exercise) -> np.ndarray:
    request, _ = next(requests_of([exercise]))
    with closing(LlamaCpp(base, threads=1, adapter=adapter)) as mind:
        return np.array(list(mind.answer(request).answers[0].raw.values()))


def test_what_is_held_back_gets_likelier(trained: Trained) -> None:
    first, last = trained.losses[0][2], trained.losses[-1][2]
    assert last < first
    assert trained.best == min(loss for _, _, loss in trained.losses)


def test_llama_cpp_answers_with_the_adapter_as_transformers_does(base: Path, trained: Trained, tmp_path: Path) -> None:
    config = load_base(base, trained.recipe).config
    # a large change, so that a wrong order of rows shows
    draw = torch.Generator().manual_seed(5)
    state = {name: torch.randn(tensor.shape, generator=draw) * 0.6 for name, tensor in trained.state.items()}
    grown = Trained(state, trained.recipe, 0)
    right, wrong = tmp_path / "right.gguf", tmp_path / "wrong.gguf"
    write_gguf(state, right, config=config, alpha=8, name="right")
    exercise = exercises()[100]
    expected = by_torch(base, grown, exercise)

    def apart(adapter: Path | None) -> float:
        return float(np.abs(np.log(by_llama(base, adapter, exercise)) - np.log(expected)).max())

    assert apart(right) < 0.05, "llama.cpp keeps keys and values in 16 bits"
    assert apart(None) > 0.1
    turned = {
        name: turned_back(tensor, config) if "lora_B" in name and ("q_proj" in name or "k_proj" in name) else tensor
        for name, tensor in state.items()
    }
    write_gguf(turned, wrong, config=config, alpha=8, name="wrong")
    assert apart(wrong) > 0.2


def test_what_is_written_can_be_read_back(base: Path, trained: Trained, tmp_path: Path) -> None:
    config = load_base(base, trained.recipe).config
    draw = torch.Generator().manual_seed(6)
    state = {name: torch.randn(tensor.shape, generator=draw) for name, tensor in trained.state.items()}
    write_gguf(state, tmp_path / "a.gguf", config=config, alpha=8, name="a")
    found = read_gguf(tmp_path / "a.gguf", config=config)
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], state[name]) for name in state)


def turned_back(tensor: Any, config: Any) -> Any:
    """So turned that writing undoes it: the file holds transformers' order."""
    rows, rank = tensor.shape
    heads = config.num_attention_heads
    return tensor.reshape(heads, rows // heads // 2, 2, rank).swapaxes(1, 2).reshape(rows, rank)


def test_interleaving_puts_the_pairs_of_a_head_side_by_side() -> None:
    rows = np.arange(8, dtype=np.float32)[:, None]
    assert interleaved(rows, 2).ravel().tolist() == [0, 2, 1, 3, 4, 6, 5, 7]


def test_an_interrupted_training_ends_as_if_it_had_not_been(base: Path, trained: Trained, tmp_path: Path) -> None:
    made, checkpoint = exercises(), tmp_path / CHECKPOINT

    class Stopped(Exception):
        pass

    def stop(at: Any) -> None:
        if at.step == 10:
            raise Stopped

    with pytest.raises(Stopped):
        train_adapter(base, made[:96], made[96:], RECIPE, checkpoint=checkpoint, listen=stop)
    steps: list[int] = []
    again = train_adapter(
        base, made[:96], made[96:], RECIPE, checkpoint=checkpoint, listen=lambda at: steps.append(at.step)
    )
    assert steps[0] == 9, "the last look was after step 8"
    assert all(torch.equal(again.state[name], tensor) for name, tensor in trained.state.items())
    with pytest.raises(TrainingError, match="another training"):
        train_adapter(base, made[:95], made[96:], RECIPE, checkpoint=checkpoint)


def test_where_memory_is_short_halves_are_read_and_the_gradient_is_the_same(
    base: Path, trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, said = adapter._Course._loss, list[str]()

    def short(self: Any, batch: Any) -> Any:
        if len(batch.rows) > (8 if self._model.training else 4):
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return whole(self, batch)

    monkeypatch.setattr(adapter._Course, "_loss", short)
    made = exercises()
    again = train_adapter(base, made[:96], made[96:], RECIPE, say=said.append)
    for name, tensor in trained.state.items():
        assert torch.allclose(again.state[name], tensor, atol=2e-3), name
    assert again.best == pytest.approx(trained.best, abs=1e-3)
    assert said[-1] == "memory is short: 4 rows are read at once, with the same gradient", "a look was short of it"

    def none(self: Any, batch: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(adapter._Course, "_loss", none)
    with pytest.raises(OutOfMemory, match="One question does not fit the memory"):
        train_adapter(base, made[:96], made[96:], RECIPE)


def test_options_that_are_read_side_by_side_do_not_see_each_other(base: Path) -> None:
    """Against whole prompts, one for each option, each read alone."""
    course_of, made = adapter._Course, exercises(12)
    uneven = tuple((1 + place) / 15 for place in range(5))
    soft = [
        replace(one, text=one.text * (1 + i % 3), target=uneven if i % 2 else one.target) for i, one in enumerate(made)
    ]
    model, laid = load_base(base, RECIPE), Laid(base, soft)
    torch.manual_seed(3)
    with torch.no_grad():
        for weights in (p for p in model.parameters() if p.requires_grad):
            weights.normal_(std=0.3)  # a fresh adapter changes nothing
    (batch,) = laid.batches(soft, 12, np.random.default_rng(0), content_free=0.5)
    course = course_of.__new__(course_of)
    course._torch, course._model = torch, model.eval()
    expected = 0.0
    for row in batch.rows:
        for option, weight in row.options:
            tokens = [*batch.stem, *row.rest, *option]
            with torch.no_grad():
                logs = torch.log_softmax(model(torch.tensor([tokens])).logits[0].double(), -1)
            begin = len(tokens) - len(option)
            expected -= weight * math.fsum(logs[begin - 1 + k, token].item() for k, token in enumerate(option))
    assert batch.weight == pytest.approx(12.5)
    assert float(course._loss(batch).detach()) == pytest.approx(expected, rel=1e-5)


def test_the_exercises_of_a_batch_are_about_as_long_as_each_other(base: Path) -> None:
    made = [replace(one, text="E1 +1% " * (1 + 7 * i % 31) + one.text) for i, one in enumerate(exercises(256))]
    batches = list(Laid(base, made).batches(made, 8, np.random.default_rng(0)))
    lengths = [[len(row.tokens) for row in batch.rows] for batch in batches]
    assert sum(map(sum, lengths)) > 0.8 * sum(8 * max(one) for one in lengths)
    assert sorted(tuple(row.rest) for batch in batches for row in batch.rows) == sorted(
        tuple(row.rest) for batch in Laid(base, made).batches(made, 256, np.random.default_rng(1)) for row in batch.rows
    ), "each once"
    order = [np.mean(one) for one in lengths]
    assert order != sorted(order), "batches themselves are in random order"


def test_a_loss_that_is_no_number_ends_the_training(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, made = adapter._Course._loss, exercises()
    monkeypatch.setattr(adapter._Course, "_loss", lambda self, batch: whole(self, batch) * math.nan)
    with pytest.raises(TrainingError, match="The loss is no number after 1 steps: take a smaller learning rate"):
        train_adapter(base, made[:96], made[96:], RECIPE)
    # where only the looks say nothing, none of them is the best
    monkeypatch.setattr(
        adapter._Course, "_loss", lambda self, batch: whole(self, batch) * (1 if self._model.training else math.nan)
    )
    found = train_adapter(base, made[:96], made[96:], RECIPE)
    assert (found.steps, found.best) == (0, math.inf)


def test_a_folder_holds_the_adapter_and_its_card(base: Path, tmp_path: Path) -> None:
    made = exercises(200)
    parts = Exercises(made[:96], made[96:128], made[128:])
    plan, said = DeskPlan(model=str(base)), list[str]()
    card = train_desk(plan, tmp_path / "a", RECIPE, say=said.append, listen=lambda at: None, exercises=parts)
    assert {ADAPTER_FILE, CARD_FILE} <= {path.name for path in (tmp_path / "a").iterdir()}
    assert not (tmp_path / "a" / CHECKPOINT).exists()
    assert card.before.keys() == card.after.keys() == {"technical_analyst"}
    assert card.before["technical_analyst"].brier != card.after["technical_analyst"].brier
    again = train_desk(plan, tmp_path / "b", RECIPE, say=said.append, listen=lambda at: None, exercises=parts)
    assert again.adapter_sha256 == card.adapter_sha256
    assert not {path.name for path in (tmp_path / "a").iterdir()} - {
        ADAPTER_FILE,
        CARD_FILE,
        KEPT_FILE,
        WEIGHTS_FILE,
        "adapter_config.json",
        "README.md",
    }
    with pytest.raises(TrainingError, match="holds a trained adapter"):
        train_desk(plan, tmp_path / "a", RECIPE, say=said.append, listen=lambda at: None, exercises=parts)


def test_what_cannot_be_learnt_from_is_refused(base: Path) -> None:
    made = exercises()
    with pytest.raises(TooLittleData, match="There are 20 exercises to learn from"):
        train_adapter(base, made[:20], made[96:], RECIPE)
    same = [exercise for exercise in exercises(400) if exercise.answer == 2]
    with pytest.raises(OneClass, match="have the answer hold"):
        train_adapter(base, same[:64], made[96:], RECIPE)
    with pytest.raises(Leakage, match="was learnt"):
        train_adapter(base, made[:96], made[90:], RECIPE)
