"""Adapters by role on one engine, on a tiny random model: who wears what, and that nothing is mixed up."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

from paperdesk.agents.models import adapters
from paperdesk.agents.models.adapters import named_adapters
from paperdesk.agents.models.core import ModelInputError, Question, Reply, Request
from paperdesk.agents.models.digest import file_digest
from paperdesk.agents.models.llama_cpp import LlamaCpp
from paperdesk.agents.models.open import bundled_model, open_model
from paperdesk.agents.models.template import Turn

from .files.tiny_adapter import tiny_adapter
from .files.tiny_llama import tiny_llama

AGENTS = ("fundamental_analyst", "technical_analyst", "auditor", "portfolio_manager")
LONG = "The market is calm and the sea is flat today. " * 2


def request(role: str, *texts: str) -> Request:
    """The same words whoever asks: only the adapter can tell the answers apart."""
    questions = tuple(Question(ticker=str(i), text=text) for i, text in enumerate(texts))
    return Request(
        role=role,
        task="stance",
        system="You judge.",
        prefix=LONG,
        questions=questions,
        options=("buy", "sell", "hold"),
        content_free="N/A",
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    folder = tmp_path_factory.mktemp("adapters")
    made = {"base": tiny_llama(), "one": tiny_adapter(1), "two": tiny_adapter(2)}
    found = {}
    for name, data in made.items():
        found[name] = folder / name / f"{name}.gguf"
        found[name].parent.mkdir()
        found[name].write_bytes(data)
    return found


def alone(files: Mapping[str, Path], adapter: str | None, asked: Request) -> Reply:
    with closing(LlamaCpp(files["base"], threads=1, n_ctx=512, adapter=files[adapter] if adapter else None)) as mind:
        return mind.answer(asked)


@pytest.fixture
def both(files: Mapping[str, Path]) -> Iterator[LlamaCpp]:
    worn = {"fundamental_analyst": files["one"], "technical_analyst": files["two"]}
    mind = LlamaCpp(files["base"], threads=1, n_ctx=512, adapter=worn)
    yield mind
    mind.close()


def test_each_role_answers_with_its_own_adapter_to_the_bit_whoever_asked_before(
    files: Mapping[str, Path], both: LlamaCpp
) -> None:
    asked = {role: request(role, "E1: up.", "E1: down 7%.") for role in AGENTS[:3]}
    worn = dict(zip(AGENTS[:3], ("one", "two", None), strict=True))
    expected = {role: alone(files, worn[role], asked[role]).answers for role in asked}
    answers = list(expected.values())
    assert answers[0] != answers[1] != answers[2] != answers[0], "an adapter that changes nothing proves nothing"
    # beginnings and content-free answers are kept by now; in any order each role finds its own
    for role in (*asked, *reversed(asked), "auditor", "technical_analyst", "auditor", "fundamental_analyst"):
        assert both.answer(asked[role]).answers == expected[role]


def test_who_answers_with_an_adapter_is_not_corrected_by_a_content_free_question(both: LlamaCpp) -> None:
    (learnt,) = both.answer(request("technical_analyst", "E1: up.")).answers
    (plain,) = both.answer(request("auditor", "E1: up.")).answers
    assert learnt.probabilities == learnt.raw
    assert plain.probabilities != plain.raw


def test_a_conversation_wears_what_everyone_wears(files: Mapping[str, Path], both: LlamaCpp) -> None:
    turns = [Turn("user", LONG)]
    with closing(LlamaCpp(files["base"], threads=1, n_ctx=512)) as bare:
        options = tuple(tuple(bare.tokenize(word)) for word in ("ab", "cd"))
        expected = bare.talk(turns).score(options)
    talk = both.talk(turns)
    both.answer(request("technical_analyst", "E1: up."))
    assert talk.score(options) == expected
    both.answer(request("fundamental_analyst", "E1: up."))
    assert talk.score(options) == expected


def test_adapters_are_part_of_who_a_mind_is(files: Mapping[str, Path], both: LlamaCpp) -> None:
    settings = both.fingerprint.settings
    assert settings["adapter"] == ""
    assert settings["adapter_fundamental_analyst"] == file_digest(files["one"])
    with closing(LlamaCpp(files["base"], threads=1, n_ctx=512)) as bare:
        assert not any(name.startswith("adapter_") for name in bare.fingerprint.settings)
        assert bare.fingerprint.weights() != both.fingerprint.weights()
        with closing(LlamaCpp(files["base"], threads=1, n_ctx=512, adapter=files["one"])) as one:
            assert len({bare.fingerprint.key(), both.fingerprint.key(), one.fingerprint.key()}) == 3
            assert one.fingerprint.weights() not in (bare.fingerprint.weights(), both.fingerprint.weights())


def carded(folder: Path, files: Mapping[str, Path], **changes: str) -> Path:
    folder.mkdir()
    os.link(files["one"], folder / "adapter.gguf")
    card = {"base": "tiny", "base_sha256": file_digest(files["base"]), "adapter_sha256": file_digest(files["one"])}
    (folder / "card.json").write_text(json.dumps({**card, **changes}))
    return folder / "adapter.gguf"


def test_a_card_that_says_otherwise_is_refused(tmp_path: Path, files: Mapping[str, Path]) -> None:
    LlamaCpp(files["base"], threads=1, n_ctx=512, adapter=carded(tmp_path / "right", files)).close()
    for name, change, said in (
        ("base", {"base_sha256": "0" * 64}, "was trained on the weights of tiny"),
        ("adapter", {"adapter_sha256": "0" * 64}, "is not the adapter that the card beside it describes"),
    ):
        with pytest.raises(ModelInputError, match=said):
            LlamaCpp(files["base"], threads=1, n_ctx=512, adapter=carded(tmp_path / name, files, **change))
    broken = carded(tmp_path / "broken", files)
    (broken.parent / "card.json").write_text("{}")
    with pytest.raises(ModelInputError, match="cannot be read"):
        LlamaCpp(files["base"], threads=1, n_ctx=512, adapter=broken)


@pytest.mark.parametrize(
    ("before", "after", "helps"),
    [
        ({"brier": 0.9}, {"brier": 0.4}, True),
        ({"brier": 0.4}, {"brier": 0.4}, False),
        ({"brier": 0.9, "ic": 0.1}, {"brier": 0.4, "ic": 0.2}, True),
        ({"brier": 0.9, "ic": 0.1}, {"brier": 0.4, "ic": 0.1}, False),
        ({"brier": 0.9, "ic": -0.3}, {"brier": 0.4, "ic": -0.1}, False),
        ({"brier": 0.4, "ic": 0.1}, {"brier": 0.5, "ic": 0.2}, False),
    ],
)
def test_an_adapter_is_for_those_whom_it_helps(before: dict[str, float], after: dict[str, float], helps: bool) -> None:
    card = adapters.AdapterCard.model_validate(
        {"base": "x", "base_sha256": "0", "adapter_sha256": "1", "before": {"a": before}, "after": {"a": after}}
    )
    assert card.helped == (("a",) if helps else ())


def test_adapters_are_named_for_all_or_for_one() -> None:
    assert named_adapters((), AGENTS) is None
    assert named_adapters(("none",), AGENTS) == {}
    assert named_adapters(("a/b.gguf", "fund=c.gguf"), AGENTS) == {
        "": Path("a/b.gguf"),
        "fundamental_analyst": Path("c.gguf"),
    }
    assert named_adapters(("runs/r=8/a.gguf",), AGENTS) == {"": Path("runs/r=8/a.gguf")}
    for given, said in (
        (("none", "a"), "stands beside others"),
        (("bull=a",), "'bull' names 0 agents"),
        (("a", "b"), "for all agents"),
        (("tech=a", "technical_analyst=b"), "for technical_analyst"),
    ):
        with pytest.raises(ModelInputError, match=said):
            named_adapters(given, AGENTS)


def test_only_a_gguf_model_can_have_one(files: Mapping[str, Path]) -> None:
    with pytest.raises(ModelInputError, match="leave the adapter out"):
        open_model("scorecard", adapters={"": files["one"]})
    open_model("scorecard", adapters={}).close()


def test_the_bundled_model_has_the_adapter_that_comes_with_paperdesk() -> None:
    shipped = adapters.shipped()
    with closing(open_model("smollm2")) as mind, closing(open_model("smollm2", adapters={})) as bare:
        assert isinstance(mind, LlamaCpp)
        assert isinstance(bare, LlamaCpp)
        assert mind.adapters == {role: path.resolve() for role, path in shipped.items()}
        assert "sentiment" in shipped
        assert bare.adapters == {}
    card = adapters.card_of(adapters.SHIPPED / "adapter.gguf")
    assert card is not None
    assert card.base_sha256 == file_digest(bundled_model())
    assert card.adapter_sha256 == file_digest(adapters.SHIPPED / "adapter.gguf")
