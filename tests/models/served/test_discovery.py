"""What a server can do is found out from what it does, and comes out the same each time."""

from collections.abc import Callable
from typing import Any

import pytest

from paperdesk.agents.models.core import ModelInputError, Request
from paperdesk.agents.models.served.capabilities import THINKING_TOKENS
from paperdesk.agents.models.served.mind import OpenAICompatible

from .fake import KINDS, Fake, Kind, Reply, says

Start = Callable[[Kind], Fake]
Minds = Callable[..., OpenAICompatible]
Ask = Callable[..., Request]

FOUND = {
    "llama-server": {"answers": "json_schema", "top_logprobs": 20, "context": 8192},
    "vllm": {"answers": "json_schema", "top_logprobs": 20, "context": 32768},
    "vllm with few alternatives": {"answers": "json_schema", "top_logprobs": 5, "context": 4096},
    "ollama": {"answers": "json_schema", "top_logprobs": 0},
    "old ollama": {"answers": "json_object", "top_logprobs": 0},
    "lm studio": {"answers": "json_schema", "top_logprobs": 0},
    "hosted": {"answers": "json_schema", "top_logprobs": 20},
    "hosted thinker": {
        "answers": "json_schema",
        "top_logprobs": 0,
        "budget_field": "max_completion_tokens",
        "temperature": False,
        "thinking_tokens": THINKING_TOKENS,
    },
    "llama_cpp.server": {"answers": "json_object_schema", "top_logprobs": 0},
    "only text": {"answers": "text", "top_logprobs": 0, "usage": "counted by characters"},
    "silent about fields": {"answers": "json_object", "top_logprobs": 0, "seed": False, "temperature": True},
}
COMMON = {"budget_field": "max_tokens", "temperature": True, "seed": True, "thinking_tokens": 0}
COMMON |= {"usage": "as the server counts"}


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_of_server_is_known_by_what_it_does(
    name: str, fakes: Start, minds: Minds, ask: Ask, claims_schema: Callable[..., dict[str, Any]]
) -> None:
    server = fakes(KINDS[name])
    mind = minds(server)
    settings = mind.fingerprint.settings
    for setting, value in (COMMON | FOUND[name]).items():
        assert settings[setting] == value, setting
    assert ("context" in settings) == ("context" in FOUND[name])
    # and then every question is one that it takes
    reply = mind.answer(ask("E1: up", "E1: down", schema=(claims_schema(),) * 2, lead_in="\n", content_free="N/A"))
    for answer in reply.answers:
        assert answer.failure is None
        assert sum(answer.probabilities.values()) == pytest.approx(1)
        assert answer.object is not None


@pytest.mark.parametrize("name", KINDS)
def test_the_same_server_has_the_same_fingerprint_again(name: str, fakes: Start, minds: Minds) -> None:
    server = fakes(KINDS[name])
    first = minds(server).fingerprint
    server.models = Reply.of({"data": [{"id": "tiny", "created": 99, "status": "loaded", **KINDS[name].entry}]})
    assert minds(server).fingerprint == first


def test_another_model_behind_the_same_name_is_another_mind(server: Fake, minds: Minds) -> None:
    first = minds(server).fingerprint
    server.models = Reply.of({"data": [{"id": "tiny", "root": "other"}]})
    assert minds(server).fingerprint.digest != first.digest


def test_a_model_that_is_described_only_once_it_is_loaded_keeps_its_fingerprint(server: Fake, minds: Minds) -> None:
    full = Reply.of({"data": [{"id": "tiny", "meta": {"n_params": 7}}]})
    server.models = Reply.of({"data": [{"id": "tiny", "meta": None}]})

    def load(_: dict[str, Any]) -> Reply:
        server.models = full
        return says("Hello!")

    server.script = [load]
    first = minds(server).fingerprint
    assert minds(server).fingerprint == first


@pytest.mark.parametrize(
    ("models", "name", "reason"),
    [
        (Reply.of({"data": [{"id": "a"}, {"id": "b"}]}), None, "several models or none"),
        (Reply.of({"data": [{"id": "a"}]}), "c", r"has no model 'c'.*: a\."),
        (Reply(b"nothing", 404), None, r"give its address up to /v1"),
        (Reply(b"<html>", 200), None, r"is no list of models: give the server's address up to /v1\."),
        (Reply.of({"data": "none"}), None, "is no list of models"),
        (Reply.of({}, 401), None, r"does not let us in \(status 401\): set PAPERDESK_API_KEY"),
        (Reply(b"", 301, {"Location": "http://127.0.0.1:9/"}), None, "does not take requests at this address"),
    ],
)
def test_a_model_that_cannot_be_had_is_told_at_once(
    server: Fake, minds: Minds, models: Reply, name: str | None, reason: str
) -> None:
    server.models = models
    with pytest.raises(ModelInputError, match=reason):
        minds(server, name)


def test_a_server_that_lists_nothing_is_asked_for_the_model_that_is_named(server: Fake, minds: Minds) -> None:
    server.models = Reply(b"nothing", 404)
    assert minds(server, "gpt-x").fingerprint.name == "gpt-x"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply.error(400, "no such thing"), "takes no plain question .status 400: no such thing"),
        (Reply(b"<html>"), "is no model server .it is not JSON"),
        (Reply(b"busy", 503), "failed 5 times .status 503"),
    ],
)
def test_a_server_that_takes_no_question_cannot_be_opened(
    server: Fake, minds: Minds, reply: Reply, reason: str
) -> None:
    server.script = [reply] * 9
    with pytest.raises(ModelInputError, match=reason):
        minds(server)


def test_a_server_that_is_not_there_is_told_in_a_sentence(server: Fake, minds: Minds, waits: list[float]) -> None:
    server.close()
    with pytest.raises(ModelInputError, match=r"^No model server answers at .*: start one, or check the address\.$"):
        minds(server)
    assert waits == []
