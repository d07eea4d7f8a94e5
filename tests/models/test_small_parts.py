import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.agents.models.core import Answer, Fingerprint, ModelError, ModelInputError, Reply, Request
from paperdesk.agents.models.distribution import best, calibrate, softmax
from paperdesk.agents.models.open import open_model
from paperdesk.agents.models.replay import Replay
from paperdesk.agents.models.scorecard import Scorecard
from paperdesk.agents.models.template import GEMMA, PLAIN, Turn, template_for


def test_the_content_free_answer_is_divided_out() -> None:
    raw = {"sell": 0.2, "hold": 0.2, "buy": 0.6}
    bias = {"sell": 0.1, "hold": 0.1, "buy": 0.8}
    # 2, 2 and 0.75, renormalised by 4.75
    assert calibrate(raw, bias) == pytest.approx({"sell": 2 / 4.75, "hold": 2 / 4.75, "buy": 0.75 / 4.75})


@given(st.lists(st.floats(-1e6, 0), min_size=1, max_size=9))
def test_a_softmax_is_positive_and_sums_to_one(logs: list[float]) -> None:
    found = softmax(logs)
    assert found.sum() == pytest.approx(1)
    assert (found > 0).all()


def test_the_first_of_equals_is_best() -> None:
    assert best({"sell": 0.4, "buy": 0.4, "hold": 0.2}) == "sell"


def test_replay_returns_what_was_recorded_and_nothing_else(ask: Callable[..., Request]) -> None:
    fingerprint = Fingerprint(backend="scorecard", name="recorded", digest="0")
    known, unknown = ask("a"), ask("b")
    reply = Reply(answers=(Answer(ticker="T0", probabilities={"buy": 1.0}),))
    mind = Replay({known.key(fingerprint.key()): reply}, fingerprint)
    assert mind.fingerprint == fingerprint
    assert mind.answer(known) == reply
    with pytest.raises(ModelError, match="technical's stance request"):
        mind.answer(unknown)


def test_a_spec_opens_its_mind() -> None:
    assert isinstance(open_model("scorecard"), Scorecard)


@pytest.mark.parametrize("spec", ["gpt-9", "", "model.bin", "ftp://host/v1"])
def test_an_unknown_spec_lists_what_is_possible(spec: str) -> None:
    with pytest.raises(ModelInputError, match=r"smollm2.*scorecard.*\.gguf.*http"):
        open_model(spec)


def test_opening_loads_no_model_library_before_it_is_needed() -> None:
    code = (
        "import sys; from paperdesk.agents.models.open import open_model; open_model('scorecard');"
        "assert not {'llama_cpp', 'httpx', 'langchain_core'} & set(sys.modules), 'a heavy import'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})


def test_a_template_without_a_system_role_puts_it_before_the_user() -> None:
    pieces = GEMMA.lay_out([Turn("system", "Be brief."), Turn("user", "Hello")])
    assert "".join(piece.text for piece in pieces) == (
        "<start_of_turn>user\nBe brief.\n\nHello<end_of_turn>\n<start_of_turn>model\n"
    )
    assert [piece.text for piece in pieces if not piece.markup] == ["Be brief.\n\nHello"]


def test_a_template_without_a_system_role_keeps_every_system_turn() -> None:
    said = "".join(
        piece.text for piece in GEMMA.lay_out([Turn("system", "One."), Turn("system", "Two."), Turn("user", "Hi")])
    )
    assert "One.\n\nTwo.\n\nHi" in said
    late = "".join(piece.text for piece in GEMMA.lay_out([Turn("user", "Hi"), Turn("system", "Three.")]))
    assert "Three.<end_of_turn>" in late


def test_a_vocabulary_without_markers_gets_the_plain_template() -> None:
    assert template_for(lambda text: False) is PLAIN
