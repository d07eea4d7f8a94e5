import random
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from paperdesk.agents.models.core import ModelInputError
from paperdesk.agents.models.files.check import check_file, trust_file
from paperdesk.agents.models.files.probing import Probe, probe_file
from paperdesk.agents.models.files.trust import trusted
from paperdesk.agents.models.llama_cpp.gguf import read_header
from paperdesk.agents.models.open import bundled_model, open_model
from paperdesk.benchmarks.model_corruptions import KINDS, corruptions

from .tiny_llama import gguf, metadata, weights

NOW = datetime(2031, 3, 28, 20, tzinfo=UTC)
TOKENS = len(metadata()["tokenizer.ggml.tokens"])  # type: ignore[arg-type]


def never(path: Path) -> Probe:
    raise AssertionError("a damaged header must not come this far")


def write(path: Path, keys: dict[str, object], tensors: dict[str, np.ndarray] | None = None) -> Path:
    path.write_bytes(gguf(keys, weights(TOKENS) if tensors is None else tensors))
    return path


def test_a_sound_file_is_not_allowed_until_it_is_trusted(tiny: Path) -> None:
    before = check_file(tiny)
    assert (before.sound, before.verdict.allowed, before.exit_code) == (True, False, 3)
    assert before.probe is not None
    assert before.probe.vocabulary == TOKENS
    after = trust_file(tiny, now=NOW, command="trust it")
    assert (after.sound, after.verdict.by, after.exit_code) == (True, "user", 0)
    assert check_file(tiny, probe=lambda path: Probe(problem="")).exit_code == 0


def test_the_bundled_model_is_sound_and_allowed() -> None:
    found = check_file(bundled_model())
    assert (found.exit_code, found.verdict.by) == (0, "catalogue")


def test_a_file_that_fails_is_not_trusted(tiny: Path) -> None:
    found = trust_file(tiny, now=NOW, command="", probe=lambda path: Probe(problem="llama.cpp crashes on it"))
    assert (found.sound, found.exit_code) == (False, 2)
    assert trusted() == {}


def test_what_is_no_file_is_a_sentence(tmp_path: Path) -> None:
    for name in ("absent.gguf", "folder"):
        (tmp_path / "folder").mkdir(exist_ok=True)
        found = check_file(tmp_path / name, probe=never)
        assert found.exit_code == 2
        assert "check the path" in found.problem


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"general.architecture": None}, "does not name an architecture"),
        ({"general.type": "adapter"}, "is of the type adapter, not a model"),
        ({"tokenizer.ggml.tokens": None}, "has no vocabulary"),
        ({"tokenizer.ggml.model": None}, "has no vocabulary"),
        ({"tokenizer.ggml.scores": [0.0]}, "differ in length"),
        ({"tokenizer.ggml.token_type": [1] * 4}, "differ in length"),
        ({"general.alignment": 3}, "alignment is 3"),
        ({"general.alignment": "32"}, "alignment is no number"),
    ],
)
def test_what_a_language_model_cannot_be_without_is_missed(
    tmp_path: Path, change: dict[str, object], clause: str
) -> None:
    keys = {name: value for name, value in (metadata() | change).items() if value is not None}
    found = check_file(write(tmp_path / "odd.gguf", keys), probe=never)
    assert clause in found.problem


@pytest.mark.parametrize(
    ("old", "new", "clause"),
    [
        (b"blk.0.attn_q.weight", b"blk.0.attn_k.weight", "two tensors called 'blk.0.attn_k.weight'"),
        (b"llama.block_count", b"llama.vocab_size ", "name of a key"),
        (b"llama.block_count", b"general.file_type", "key 'general.file_type' twice"),
        (b"blk.0.attn_q.weight", b"blk.0.\xff\xfftn_q.weight", "name of a tensor"),
    ],
)
def test_names_that_cannot_be_are_refused(tiny: Path, content: bytes, old: bytes, new: bytes, clause: str) -> None:
    damaged = content.replace(old, new, 1)
    assert len(damaged) == len(content)
    assert damaged != content
    tiny.write_bytes(damaged)
    with pytest.raises(ModelInputError, match=clause):
        read_header(tiny)


def tensor_entry(content: bytes, name: bytes) -> int:
    """Where the dimensions of a tensor's entry begin."""
    return content.index(name) + len(name)


@pytest.mark.parametrize(
    ("at", "value", "clause"),
    [
        (0, (9).to_bytes(4, "little"), "has 9 dimensions"),
        (0, (0).to_bytes(4, "little"), "has 0 dimensions"),
        (4, (0).to_bytes(8, "little"), "has the shape 0x265"),
        (4, (1 << 62).to_bytes(8, "little"), "has the shape 4611686018427387904x265"),
        (4, (128).to_bytes(8, "little"), "not behind the one before it"),
        (20, (4).to_bytes(4, "little"), "unknown type 4"),
        (20, (999).to_bytes(4, "little"), "unknown type 999"),
        (20, (12).to_bytes(4, "little"), "whole blocks"),
        (24, (32).to_bytes(8, "little"), "lies at 32"),
        (24, (1).to_bytes(8, "little"), "lies at 1"),
        (24, (1 << 63).to_bytes(8, "little"), "lies at 9223372036854775808"),
    ],
)
def test_impossible_tensors_are_refused(tiny: Path, content: bytes, at: int, value: bytes, clause: str) -> None:
    place = tensor_entry(content, b"token_embd.weight") + at
    tiny.write_bytes(content[:place] + value + content[place + len(value) :])
    with pytest.raises(ModelInputError, match=clause):
        read_header(tiny)


@pytest.mark.parametrize("at", [8, 16])
@pytest.mark.parametrize("count", [1 << 20, 1 << 40, (1 << 64) - 1])
def test_absurd_counts_are_refused_before_anything_is_read(tiny: Path, content: bytes, at: int, count: int) -> None:
    tiny.write_bytes(content[:at] + count.to_bytes(8, "little") + content[at + 8 :])
    with pytest.raises(ModelInputError, match=r"too short for|announces"):
        read_header(tiny)


def test_weights_that_are_no_numbers_are_noticed_by_the_trial(tmp_path: Path) -> None:
    tensors = weights(TOKENS)
    tensors["output.weight"][3, 5] = np.nan
    found = check_file(write(tmp_path / "nan.gguf", metadata(), tensors))
    assert "computes numbers that are not finite" in found.problem


def test_weights_that_say_nothing_are_noticed_by_the_trial(tmp_path: Path) -> None:
    tensors = weights(TOKENS)
    tensors["output.weight"][:] = 0
    found = check_file(write(tmp_path / "zero.gguf", metadata(), tensors))
    assert "every token for equally likely" in found.problem


def test_an_architecture_that_llama_cpp_does_not_know_is_noticed_by_the_trial(tmp_path: Path) -> None:
    found = check_file(write(tmp_path / "new.gguf", metadata() | {"general.architecture": "abacus"}))
    assert "llama.cpp does not load it" in found.problem


CHILDREN = {
    "import os; os.kill(os.getpid(), 11)": "crashes on it (SIGSEGV)",
    "import os; os.abort()": "crashes on it (SIGABRT)",
    "import time; time.sleep(60)": "did not finish loading it within 1 seconds",
    "print('<html>')": "gave no clear result",
    "pass": "gave no clear result",
    "raise SystemExit(7)": "failed with exit code 7",
    "bytearray(1 << 40)": "failed with exit code 1",
}


@pytest.mark.parametrize("code", CHILDREN)
def test_whatever_the_child_does_becomes_a_clause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny: Path, code: str
) -> None:
    (tmp_path / "child_of_a_test.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = probe_file(tiny, module="child_of_a_test", seconds=1.0)
    assert CHILDREN[code] in found.problem


def test_200_random_corruptions_of_a_model_are_each_one_sentence(tiny: Path, content: bytes) -> None:
    """None is opened: what the header lets pass is another file to its sha256."""
    header = read_header(tiny)
    told: Counter[tuple[str, bool]] = Counter()
    for kind, damaged in corruptions(content, header, 200, seed=20):
        tiny.write_bytes(damaged)
        with pytest.raises(ModelInputError) as caught:
            open_model(str(tiny))
        sentence = str(caught.value)
        assert sentence.endswith(".")
        assert "\n" not in sentence
        told[kind, "allow-list" in sentence] += 1
    assert sum(told.values()) >= 195
    assert {kind for kind, _ in told} == set(KINDS)
    assert told["cut off", True] == 0
    assert told["bytes of the weights", False] == 0


@pytest.mark.slow
def test_random_corruptions_that_pass_the_header_do_not_harm_the_one_who_checks(tiny: Path, content: bytes) -> None:
    """The 200 of the bundled model are in benchmarks/model_corruptions.py."""
    header = read_header(tiny)
    cases = list(corruptions(content, header, 400, seed=21))
    tried = 0
    for _, damaged in random.Random(3).sample(cases, 60):
        tiny.write_bytes(damaged)
        found = check_file(tiny)
        assert found.exit_code in (2, 3)
        assert "\n" not in found.problem
        assert found.sound is not bool(found.problem)
        tried += found.probe is not None
    assert tried > 15


def test_random_corruptions_of_the_head_of_the_bundled_model_are_each_one_sentence(tmp_path: Path) -> None:
    header = read_header(bundled_model())
    with bundled_model().open("rb") as source:
        head = source.read(header.data_start)
    file = tmp_path / "damaged.gguf"
    rng = np.random.default_rng(5)
    sentences = []
    for _ in range(200):
        damaged = bytearray(head)
        for place in rng.integers(4, len(head), size=40):
            damaged[place] = rng.integers(256)
        file.write_bytes(damaged)
        with file.open("r+b") as target:
            target.truncate(bundled_model().stat().st_size)  # the weights are a hole: only the head is read
        try:
            read_header(file)
        except ModelInputError as error:
            sentences.append(str(error))
    assert len(sentences) > 100
    assert not any("\n" in sentence for sentence in sentences)
