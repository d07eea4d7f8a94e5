"""A key is sent, and is found nowhere else."""

import json
import logging
from collections.abc import Callable

import pytest

from paperdesk.agents.models.core import ModelError, ModelInputError, Request
from paperdesk.agents.models.open import open_model
from paperdesk.agents.models.served.access import Access
from paperdesk.agents.models.served.mind import OpenAICompatible
from paperdesk.simulations.config import load_config

from .fake import Body, Fake, Reply, says

KEY = "sk-live/9f8e7d+c6b5=="
Minds = Callable[..., OpenAICompatible]
Ask = Callable[..., Request]


def test_a_key_is_sent_and_an_unset_one_is_not(
    server: Fake, minds: Minds, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PAPERDESK_API_KEY", raising=False)
    minds(server).answer(ask("x"))
    assert "authorization" not in server.headers[0]
    monkeypatch.setenv("DESK_KEY", f" {KEY}\n")
    minds(server, api_key_env="DESK_KEY").answer(ask("x"))
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


def test_a_server_that_sends_the_key_back_does_not_get_it_on_record(
    server: Fake,
    minds: Minds,
    ask: Ask,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("PAPERDESK_API_KEY", KEY)
    server.models = Reply.of({"data": [{"id": "tiny", "root": f"for {KEY}"}]})
    mind = minds(server, concurrency=1)
    told = [repr(mind), repr(mind.fingerprint), mind.fingerprint.model_dump_json()]

    def escaped(_: Body) -> Reply:
        return Reply(json.dumps({"error": {"message": f"Bearer {KEY}"}}).replace("/", "\\/").encode(), 400)

    server.script = [
        says(f"your key is {KEY}"),
        Reply.error(422, f"headers: Authorization: Bearer {KEY}"),
        escaped,
        Reply.error(400, "filtered", code="content_filter", headers=f"Bearer {KEY}"),
        says('{"answer": "buy"}'),
    ]
    reply = mind.answer(ask("a", "b", "c", "d", "e"))
    assert [answer.failure is None for answer in reply.answers] == [False, False, False, False, True]
    told.append(reply.model_dump_json())
    for trouble in (
        Reply.error(401, f"Incorrect API key provided: {KEY}"),
        Reply.error(404, f"no route for Bearer {KEY}"),
        Reply.error(400, f"odd header {KEY}"),
    ):
        server.script = [trouble]
        with pytest.raises(ModelError) as caught:
            mind.answer(ask("x"))
        told += [str(caught.value), repr(caught.value), repr(caught.value.__context__), repr(caught.value.__cause__)]
    out, err = capfd.readouterr()
    told += [caplog.text, out, err]
    assert KEY in server.headers[0]["authorization"]
    for text in told:
        assert KEY not in text
        assert json.dumps(KEY)[1:-1].replace("/", "\\/") not in text


def test_a_short_key_is_blotted_out_where_it_is_sent_back_as_one(
    server: Fake, minds: Minds, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAPERDESK_API_KEY", "buy")  # a word that the model may well say
    server.script = []
    mind = minds(server, concurrency=1)
    server.script = [Reply.error(422, "Authorization: Bearer buy"), says('{"answer": "buy"}')]
    refused, fine = mind.answer(ask("x", "y")).answers
    assert refused.failure is not None
    assert "Bearer ***" in refused.failure.reason
    assert fine.failure is None


@pytest.mark.parametrize("value", ["two words", "line\nbreak", "sch\u00f6n"])
def test_a_value_that_cannot_be_a_key_is_refused_without_repeating_it(
    server: Fake, minds: Minds, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("PAPERDESK_API_KEY", value)
    with pytest.raises(ModelInputError, match="PAPERDESK_API_KEY cannot be a key") as caught:
        minds(server)
    assert value not in str(caught.value)


def test_a_key_in_place_of_a_variable_s_name_is_refused_without_repeating_it(server: Fake, minds: Minds) -> None:
    with pytest.raises(ModelInputError, match="never by itself: name the variable that holds it") as caught:
        minds(server, api_key_env=KEY)
    assert KEY not in str(caught.value)
    assert KEY not in repr(Access())


@pytest.mark.parametrize(
    "address",
    [
        "http://user:s3cret@127.0.0.1:1/v1",
        "HTTPS://s3cret@example.org/v1#name",
        "http://127.0.0.1:1/v1?api_key=s3cret",
        "http://127.0.0.1:1/v1?key=s3cret#name",
    ],
)
def test_secrets_in_an_address_are_refused_before_anything_is_written(address: str) -> None:
    refusals = (
        lambda: open_model(address),
        lambda: OpenAICompatible(address),
        lambda: load_config(None, {"model": address}),
    )
    for refuse in refusals:
        with pytest.raises(ModelInputError, match=r"must hold no user, password or query") as caught:
            refuse()
        assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("address", ["http://", "http://:80/v1", "http://h:99999/v1", "http://[::1/v1"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ModelInputError, match=r"give one like http://127\.0\.0\.1:8080/v1#name"):
        open_model(address)
