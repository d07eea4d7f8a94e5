"""What can go wrong with a server, and what comes of it: another attempt, an abstention, or a sentence."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import numpy as np
import pytest

from paperdesk.agents.models.core import ModelError, Request
from paperdesk.agents.models.served import wire
from paperdesk.agents.models.served.mind import OpenAICompatible
from paperdesk.agents.models.served.wire import ATTEMPTS

from .fake import Fake, Reply, says

Minds = Callable[..., OpenAICompatible]
Ask = Callable[..., Request]

BUY = says('{"answer": "buy"}')

PASSING = {
    "408": Reply(b"", 408),
    "409": Reply(b"", 409),
    "425": Reply(b"", 425),
    "429": Reply(b"", 429),
    "500": Reply(b"oops", 500),
    "502 with HTML": Reply(b"<html>Bad Gateway</html>", 502),
    "503": Reply(b"", 503),
    "529": Reply(b"", 529),
    "hangs up": Reply(hang_up=True),
    "cut": Reply(BUY.body, cut_at=30),
    "cut before the body": Reply(BUY.body, cut_at=0),
    "cut in chunks": Reply(BUY.body, chunked=True, cut_at=30),
    "cut without a length": Reply(BUY.body, announce=False, cut_at=30),
    "empty without a length": Reply(b"", announce=False),
}


@pytest.mark.parametrize("fault", PASSING)
def test_what_may_pass_is_tried_again(
    mind: OpenAICompatible, server: Fake, waits: list[float], ask: Ask, fault: str
) -> None:
    server.script = [PASSING[fault], PASSING[fault], BUY]
    assert mind.answer(ask("x")).answers[0].failure is None
    assert len(server.asked) == 3
    assert 0 <= waits[0] <= 0.5
    assert 0 <= waits[1] <= 1.0


@pytest.mark.parametrize("fault", PASSING)
def test_attempts_are_bounded(mind: OpenAICompatible, server: Fake, waits: list[float], ask: Ask, fault: str) -> None:
    server.script = [PASSING[fault]] * 20
    with pytest.raises(ModelError, match=rf"failed {ATTEMPTS} times \(.*\): restart it, then resume\.$"):
        mind.answer(ask("x"))
    assert len(server.asked) == ATTEMPTS
    assert len(waits) == ATTEMPTS - 1


def test_waits_are_drawn_by_the_generator_under_a_growing_bound(
    mind: OpenAICompatible, server: Fake, waits: list[float], ask: Ask
) -> None:
    server.script = [Reply(b"", 503)] * 4 + [BUY]
    mind.answer(ask("x"))
    rng = np.random.default_rng(1)  # as in the fixture
    assert waits == [rng.uniform(0, bound) for bound in (0.5, 1.0, 2.0, 4.0)]


@pytest.mark.parametrize(("drip", "silence"), [(0.02, 0.0), (0.0, 5.0)])
def test_a_server_that_drips_or_keeps_silent_cannot_hold_a_session(
    server: Fake, minds: Minds, ask: Ask, drip: float, silence: float
) -> None:
    mind = minds(server, timeout_seconds=0.2)
    server.script = [Reply(BUY.body, drip_s=drip, silence_s=silence)] * ATTEMPTS
    began = time.monotonic()
    with pytest.raises(ModelError, match=r"no whole answer within 0\.2 s"):
        mind.answer(ask("x"))
    assert time.monotonic() - began < 10
    assert len(server.asked) == ATTEMPTS


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_server_that_says_how_long_to_wait_is_obeyed(
    mind: OpenAICompatible, server: Fake, waits: list[float], ask: Ask, form: str
) -> None:
    def later(_: dict[str, Any]) -> Reply:
        moment = datetime.now(UTC) + timedelta(seconds=7)
        asked = "7" if form == "seconds" else format_datetime(moment, usegmt=True)
        return Reply(b"", 429, {"Retry-After": asked})

    server.script = [later, BUY]
    assert mind.answer(ask("x")).answers[0].failure is None
    assert waits == [pytest.approx(7, abs=1.5)]


def test_a_server_that_wants_too_long_a_wait_is_left_alone(
    mind: OpenAICompatible, server: Fake, waits: list[float], ask: Ask
) -> None:
    server.script = [Reply(b"", 429, {"Retry-After": "3600"})]
    with pytest.raises(ModelError, match=r"wants us to wait 3600 s \(status 429\): resume after that\.$"):
        mind.answer(ask("x"))
    assert waits == []


def test_an_empty_account_is_not_asked_again(
    mind: OpenAICompatible, server: Fake, waits: list[float], ask: Ask
) -> None:
    server.script = [Reply.error(429, "You exceeded your current quota.", code="insufficient_quota")]
    with pytest.raises(ModelError, match=r"nothing left to spend .*: top it up, then resume"):
        mind.answer(ask("x"))
    assert waits == []


def test_a_server_that_is_gone_is_told_after_all_attempts(mind: OpenAICompatible, server: Fake, ask: Ask) -> None:
    server.close()
    with pytest.raises(ModelError, match=rf"failed {ATTEMPTS} times \(no connection\)"):
        mind.answer(ask("x"))


UNUSABLE = {
    "HTML": (Reply(b"<html>"), "invalid", "not JSON"),
    "nothing": (Reply(b""), "invalid", "not JSON"),
    "no choices": (Reply.of({"choices": []}), "invalid", "no choices"),
    "another document": (Reply.of([1]), "invalid", "no choices"),
    "no message": (Reply.of({"choices": [{}]}), "invalid", "no text"),
    "no text": (says(None), "invalid", "no text"),
    "a list for a text": (says([{"type": "text", "text": "buy"}]), "invalid", "no text"),
    "prose": (says("I would buy."), "invalid", "not JSON"),
    "invalid JSON": (says('{"answer": "buy"'), "invalid", "not JSON"),
    "JSON with words around it": (says('Sure! {"answer": "buy"}'), "invalid", "not JSON"),
    "another option": (says('{"answer": "moon"}'), "invalid", "not one of 3"),
    "another form": (says('["buy"]'), "invalid", "fields answer"),
    "a field too many": (says('{"answer": "buy", "why": "up"}'), "invalid", "fields answer"),
    "a key twice": (says('{"answer": "sell", "answer": "buy"}'), "invalid", "names a key twice"),
    "NaN": (says('{"answer": NaN}'), "invalid", "holds NaN"),
    "an infinity": (says('{"answer": 1e999}'), "invalid", "infinity"),
    "NaN around it": (Reply(BUY.body.replace(b"10", b"NaN")), "invalid", "holds NaN"),
    "half a character": (says('{"answer": "\\ud83d"}'), "invalid", "half a character"),
    "half a character outside": (Reply(BUY.body.replace(b"buy", b"\\ud83d")), "invalid", "half a character"),
    "deep nesting": (says("[" * 100_000), "invalid", "not JSON"),
    "cut at its budget": (says('{"answer": "bu', finish="length"), "unfinished", "cut off"),
    "filtered": (says("", finish="content_filter"), "refused", "refused to answer"),
    "a refusal": (says(None, refusal="I cannot help with that."), "refused", "refused to answer"),
    "filtered with a status": (
        Reply.error(400, "The response was filtered", code="content_filter"),
        "refused",
        "content filter",
    ),
    "too long": (
        Reply.error(400, "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens"),
        "context",
        "too long for the server by 904 tokens",
    ),
    "too long, with status 500": (
        Reply.error(500, "the input length exceeds the context length"),
        "context",
        "too long",
    ),
    "too large": (Reply(b"<html>Request Entity Too Large</html>", 413), "context", "too long"),
    "not taken": (Reply.error(422, "no such\nfield"), "refused", r"(status 422: no such field)"),
}


@pytest.mark.parametrize("fault", UNUSABLE)
def test_what_cannot_be_used_is_a_typed_abstention_and_the_rest_goes_on(
    mind: OpenAICompatible, server: Fake, waits: list[float], ask: Ask, fault: str
) -> None:
    reply, kind, why = UNUSABLE[fault]
    server.script = [reply, BUY]
    answered = mind.answer(ask("x", "y"))
    broken, fine = answered.answers
    assert broken.failure is not None
    assert broken.failure.kind == kind
    assert why in broken.failure.reason
    assert broken.probabilities == {}
    assert fine.failure is None
    assert waits == []
    answered.model_dump_json().encode()  # fit for a journal


def test_the_excess_of_a_prompt_is_told(mind: OpenAICompatible, server: Fake, ask: Ask) -> None:
    server.script = [UNUSABLE["too long"][0]]
    failure = mind.answer(ask("x", "y")).answers[0].failure
    assert failure is not None
    assert failure.excess_tokens == 904


def test_a_huge_answer_is_not_read_to_its_end(
    mind: OpenAICompatible, server: Fake, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "MOST_BYTES", 10_000)
    server.script = [says("x" * 20_000), BUY]
    broken, fine = mind.answer(ask("x", "y")).answers
    assert broken.failure is not None
    assert "more than 10,000 bytes" in broken.failure.reason
    assert fine.failure is None


def test_a_content_free_question_that_fails_fails_all(mind: OpenAICompatible, server: Fake, ask: Ask) -> None:
    server.script = [says("nonsense")]
    for answer in mind.answer(ask("x", "y", content_free="N/A")).answers:
        assert answer.failure is not None
        assert answer.failure.reason.startswith("The content-free question was not answered.")


def test_a_server_that_takes_no_question_stops_the_session(mind: OpenAICompatible, server: Fake, ask: Ask) -> None:
    server.script = [Reply.error(400, "unknown field 'x'")] * 2
    with pytest.raises(
        ModelError, match=r"takes none of the questions\. .*unknown field 'x'\): see its log, then resume"
    ):
        mind.answer(ask("x", "y"))


@pytest.mark.parametrize("status", [401, 403, 402, 404])
def test_what_no_attempt_mends_stops_the_session(
    mind: OpenAICompatible, server: Fake, waits: list[float], ask: Ask, status: int
) -> None:
    server.script = [Reply.error(status, "no")]
    with pytest.raises(ModelError) as caught:
        mind.answer(ask("x"))
    assert f"(status {status}" in str(caught.value)
    assert ("PAPERDESK_API_KEY" in str(caught.value)) == (status in (401, 403))
    assert waits == []


def test_an_object_that_fails_takes_its_stance_along(
    mind: OpenAICompatible, server: Fake, ask: Ask, claims_schema: Callable[..., dict[str, Any]]
) -> None:
    written = json.dumps({"claims": []})
    server.script = [BUY, says(written)]
    (answer,) = mind.answer(ask("x", schema=(claims_schema(),))).answers
    assert answer.failure is not None
    assert (answer.failure.kind, answer.probabilities, answer.object) == ("invalid", {}, None)
    assert answer.completion == written
