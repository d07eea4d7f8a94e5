import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paperdesk.agents.models.core import ModelInputError
from paperdesk.agents.models.digest import file_digest
from paperdesk.agents.models.files.catalogue import catalogue, cutoff_of, known_by_digest
from paperdesk.agents.models.files.places import trust_path
from paperdesk.agents.models.files.source import PREFIX, HubFile
from paperdesk.agents.models.files.trust import record_trust, trusted, verdict
from paperdesk.agents.models.llama_cpp import LlamaCpp
from paperdesk.agents.models.open import bundled_model, open_model

NOW = datetime(2031, 3, 28, 20, tzinfo=UTC)


def trust(file: Path) -> None:
    record_trust(file, file_digest(file), now=NOW, command=f"check {file.name}")


def test_the_bundled_model_is_the_one_of_the_catalogue() -> None:
    known = known_by_digest(file_digest(bundled_model()))
    assert known is not None
    assert (known.name, known.file) == ("smollm2", bundled_model().name)
    assert cutoff_of(file_digest(bundled_model())) == "2024-10-31"
    assert verdict(file_digest(bundled_model())).by == "catalogue"


def test_the_catalogue_vouches_for_no_hash_that_was_not_computed_here() -> None:
    assert [model.name for model in catalogue().values() if model.sha256 or model.measured] == ["smollm2"]


def test_every_model_of_the_catalogue_can_be_named_and_says_where_a_cutoff_is_from() -> None:
    assert len(catalogue()) >= 5
    for model in catalogue().values():
        assert bool(model.training_cutoff) == bool(model.cutoff_source), model.name
        if model.source.startswith(PREFIX):
            assert str(HubFile.of(model.source)) == model.source


def test_a_file_that_nobody_vouches_for_is_not_opened_and_the_command_is_named(tiny: Path) -> None:
    with pytest.raises(ModelInputError, match=r"not on the allow-list.*`paperdesk models check .*tiny\.gguf --trust`"):
        open_model(str(tiny))


def test_a_trusted_file_is_opened(tiny: Path) -> None:
    trust(tiny)
    mind = open_model(str(tiny))
    mind.close()
    assert mind.fingerprint.training_cutoff is None


def test_whoever_asks_for_it_in_python_opens_any_file(tiny: Path) -> None:
    open_model(str(tiny), trust=True).close()
    LlamaCpp(tiny).close()


def test_trust_is_of_the_bytes_not_of_the_name(tiny: Path) -> None:
    trust(tiny)
    elsewhere = tiny.rename(tiny.with_name("other.gguf"))
    open_model(str(elsewhere)).close()
    with elsewhere.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x01")
    with pytest.raises(ModelInputError, match="allow-list"):
        open_model(str(elsewhere))


def test_the_trust_file_says_what_when_and_how(tiny: Path) -> None:
    trust(tiny)
    written = tomllib.loads(trust_path().read_text())
    assert written == {file_digest(tiny): {"name": "tiny.gguf", "when": NOW, "command": "check tiny.gguf"}}
    assert [path.name for path in trust_path().parent.iterdir()] == ["trusted_models.toml"]


@pytest.mark.parametrize("name", ['a "b" \\ c', "tab\there", "del\x7f", "モデル \U0001f680", "half \udc80", "#=[x]"])
def test_odd_names_survive_the_trust_file(tmp_path: Path, name: str) -> None:
    record_trust(tmp_path / name, "a" * 64, now=NOW, command=name)
    assert trusted()["a" * 64].name == name.replace("\udc80", "?")


def test_entries_are_added_and_kept(tmp_path: Path) -> None:
    for letter in "abca":
        record_trust(tmp_path / letter, letter * 64, now=NOW, command=f"say {letter}")
    assert {digest[0]: entry.command for digest, entry in trusted().items()} == {x: f"say {x}" for x in "abc"}


@pytest.mark.parametrize(
    "text",
    ["[", "x = 1", '[abc]\nname = "x"\nwhen = 2031-03-28T20:00:00Z\ncommand = ""', f"[{'a' * 64}]\nname = 3", "\x00"],
)
def test_a_damaged_trust_file_is_one_sentence_and_is_left_alone(tiny: Path, text: str) -> None:
    trust_path().parent.mkdir(parents=True)
    trust_path().write_text(text)
    for act in (trusted, lambda: trust(tiny), lambda: open_model(str(tiny))):
        with pytest.raises(ModelInputError, match=r"trusted_models\.toml is damaged: correct it or remove it"):
            act()
    assert trust_path().read_text() == text


def test_a_trust_file_that_cannot_be_written_is_one_sentence(home: Path, tiny: Path) -> None:
    home.mkdir()
    (home / "config").write_text("a file")
    with pytest.raises(ModelInputError, match=r"trusted_models\.toml cannot be written"):
        trust(tiny)


def test_a_digest_is_that_of_the_file_as_it_is_now(tmp_path: Path) -> None:
    file = tmp_path / "x"
    digests = set()
    for content in (b"one", b"two", b"one"):
        file.write_bytes(content)
        digests.add(file_digest(file))
    assert len(digests) == 2
