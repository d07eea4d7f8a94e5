"""What a served mind asks, and how it reads what comes back."""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from paperdesk.agents.models.core import ModelError, ModelInputError, Question, Request
from paperdesk.agents.models.distribution import calibrate, pooled
from paperdesk.agents.models.served.logprobs import smoothed
from paperdesk.agents.models.served.mind import OpenAICompatible

from .fake import Body, Fake, Kind, Reply, says

Start = Callable[[Kind], Fake]
Minds = Callable[..., OpenAICompatible]
Ask = Callable[..., Request]
Schema = Callable[..., dict[str, Any]]

OPTIONS = ("sell", "hold", "buy")
BUY = says('{"answer": "buy"}')
CLAIMS = says('{"claims": [{"supports": "buy", "evidence": "E1"}]}')


def test_option_and_object_come_by_schema(
    mind: OpenAICompatible, server: Fake, ask: Ask, claims_schema: Schema
) -> None:
    server.script = [BUY, CLAIMS]
    reply = mind.answer(ask("E1: up", schema=(claims_schema(),), lead_in="\n"))
    (answer,) = reply.answers
    assert answer.probabilities == answer.raw == smoothed(OPTIONS, "buy")
    assert answer.order_sensitivity == 0
    assert answer.object == {"claims": [{"evidence": "E1", "supports": "buy"}]}
    assert (reply.usage.prompt_tokens, reply.usage.generated_tokens) == (20, 6)
    form = server.asked[0]["response_format"]
    assert form["json_schema"]["schema"]["properties"]["answer"]["enum"] == list(OPTIONS)
    assert server.asked[1]["messages"][2] == {"role": "assistant", "content": "buy\n"}


def test_the_bias_of_a_question_without_content_is_divided_out(mind: OpenAICompatible, server: Fake, ask: Ask) -> None:
    server.script = [BUY, BUY]
    (answer,) = mind.answer(ask("E1: up", content_free="E1 N/A")).answers
    assert answer.raw == smoothed(OPTIONS, "buy")
    assert answer.probabilities == pytest.approx(dict.fromkeys(OPTIONS, 1 / 3))


def test_other_orders_of_the_evidence_are_averaged_after_the_correction(
    mind: OpenAICompatible, server: Fake, ask: Ask
) -> None:
    question = Question(ticker="T", text="E1 E2", reorderings=("E2 E1", "E2 E1 again"))
    server.script = [says('{"answer": "hold"}'), BUY, says('{"answer": "sell"}'), BUY]
    (answer,) = mind.answer(ask(questions=(question,), content_free="N/A")).answers
    bias = smoothed(OPTIONS, "hold")
    rows = [calibrate(smoothed(OPTIONS, chosen), bias) for chosen in ("buy", "sell", "buy")]
    assert (answer.probabilities, answer.order_sensitivity) == pooled(rows)
    assert answer.order_sensitivity > 0.1
    assert answer.raw == smoothed(OPTIONS, "buy")
    assert [body["messages"][-1]["content"].split("\n")[1] for body in server.asked] == [
        "N/A",
        "E1 E2",
        "E2 E1",
        "E2 E1 again",
    ]


def test_an_order_that_cannot_be_read_fails_its_question(mind: OpenAICompatible, server: Fake, ask: Ask) -> None:
    question = Question(ticker="T", text="E1 E2", reorderings=("E2 E1",))
    server.script = [BUY, says("nonsense")]
    (answer,) = mind.answer(ask(questions=(question,))).answers
    assert answer.failure is not None
    assert answer.failure.kind == "invalid"
    assert answer.probabilities == {}


def test_only_objects_are_drawn_at_a_temperature(
    mind: OpenAICompatible, server: Fake, ask: Ask, claims_schema: Schema
) -> None:
    mind.answer(ask("E1: up", schema=(claims_schema(),), temperature=0.7, seed=9))
    assert [(body["temperature"], body["seed"]) for body in server.asked] == [(0, 9), (0.7, 9)]


def test_an_object_without_options_takes_one_completion(
    mind: OpenAICompatible, server: Fake, ask: Ask, claims_schema: Schema
) -> None:
    server.script = [CLAIMS]
    (answer,) = mind.answer(ask("E1: up", options=(), schema=(claims_schema(),), max_tokens=77)).answers
    assert answer.object is not None
    assert len(server.asked) == 1
    assert server.asked[0]["max_tokens"] == 77


def test_a_model_that_thinks_gets_room_for_its_thoughts(fakes: Start, minds: Minds, ask: Ask) -> None:
    server = fakes(Kind(thoughts=600, logprobs=0))
    (answer,) = minds(server).answer(ask("x")).answers
    assert answer.failure is None
    assert server.asked[0]["max_tokens"] > 600


def test_without_any_hold_only_the_exact_answer_counts(
    fakes: Start, minds: Minds, ask: Ask, claims_schema: Schema
) -> None:
    server = fakes(Kind(json_schema="refuse", json_object="refuse", logprobs=0, logprobs_deed="ignore"))
    mind = minds(server, concurrency=1)
    object_ = '{"claims": [{"evidence": "E1", "supports": "buy"}]}'
    request = ask("E1: up", schema=(claims_schema(),), lead_in="\n")
    for option, written in ((" buy\n", object_), ("buy", f"```json\n{object_}\n```\n")):
        server.script = [says(option), says(written)]
        (answer,) = mind.answer(request).answers
        assert answer.failure is None
        assert answer.object == json.loads(object_)
    for option in ("Buy", "buy.", "I would buy", '"buy"', "```\nbuy\n```", "", "buy or hold"):
        server.script = [says(option)]
        (answer,) = mind.answer(request).answers
        assert answer.failure is not None, option
        assert answer.completion == option
    for written in (f"Here it is: {object_}", f"{object_}{object_}", f"```json\n{object_}\n``` Done.", "```json\n```"):
        server.script = [says("buy"), says(written)]
        (answer,) = mind.answer(request).answers
        assert answer.failure is not None, written
        assert answer.object is None
        assert answer.completion == written


def test_a_fence_is_no_json_where_json_was_promised(mind: OpenAICompatible, server: Fake, ask: Ask) -> None:
    server.script = [says('```json\n{"answer": "buy"}\n```')]
    (answer,) = mind.answer(ask("x")).answers
    assert answer.failure is not None


def test_tokens_that_nobody_counts_are_counted_by_characters(fakes: Start, minds: Minds, ask: Ask) -> None:
    server = fakes(Kind(usage=False, logprobs=0))
    reply = minds(server).answer(ask("E1: up" * 50))
    words = server.asked[0]["messages"]
    assert reply.usage.prompt_tokens >= sum(len(message["content"]) for message in words) / 2
    assert reply.usage.generated_tokens >= len('{"answer": "buy"}') / 2


@pytest.mark.parametrize(
    "usage", ["many", {"prompt_tokens": "10"}, {"prompt_tokens": -3, "completion_tokens": True}, []]
)
def test_counts_that_are_none_are_replaced(mind: OpenAICompatible, server: Fake, ask: Ask, usage: Any) -> None:
    document = json.loads(BUY.body) | {"usage": usage}
    server.script = [Reply.of(document)]
    reply = mind.answer(ask("x"))
    assert reply.answers[0].failure is None
    assert reply.usage.prompt_tokens > 10


@pytest.mark.parametrize("limit", [1, 3])
def test_as_many_requests_as_allowed_are_under_way_and_answers_stay_in_order(
    server: Fake, minds: Minds, ask: Ask, limit: int
) -> None:
    mind = minds(server, concurrency=limit)
    server.think_s = 0.03
    texts = [f"E1: {i}" for i in range(7)]
    reply = mind.answer(ask(*texts))
    assert server.at_once == limit
    assert [answer.ticker for answer in reply.answers] == [f"T{i}" for i in range(7)]
    alone = [mind.answer(ask(text)).answers[0].raw for text in texts]
    assert [answer.raw for answer in reply.answers] == alone
    assert len({json.dumps(raw) for raw in alone}) > 1


def test_a_fatal_error_ends_the_other_requests_at_once(server: Fake, minds: Minds, ask: Ask) -> None:
    mind = minds(server, concurrency=2, timeout_seconds=60)

    def slow(_: Body) -> Reply:
        return Reply(silence_s=50)

    def refuse(_: Body) -> Reply:
        return Reply.error(401, "who are you?")

    server.script = [slow, refuse]
    began = time.monotonic()
    with pytest.raises(ModelError, match="does not let us in"):
        mind.answer(ask("a", "b", "c", "d"))
    assert time.monotonic() - began < 20
    assert len(server.asked) <= 3
    server.script = []
    assert mind.answer(ask("a")).answers[0].failure is None  # and the mind is as good as before


def test_a_mind_works_inside_somebody_s_event_loop(mind: OpenAICompatible, ask: Ask) -> None:
    async def notebook() -> None:
        assert mind.answer(ask("x")).answers[0].failure is None

    asyncio.run(notebook())


def test_closing_ends_the_thread_and_may_be_repeated(server: Fake, minds: Minds, ask: Ask) -> None:
    def threads() -> int:
        return sum(thread.name == "model server" for thread in threading.enumerate())

    before = threads()
    mind = minds(server)
    assert threads() == before + 1
    mind.close()
    mind.close()
    assert threads() == before
    with pytest.raises(ModelError, match="closed"):
        mind.answer(ask("x"))


def test_an_unbounded_schema_is_refused_before_it_is_sent(mind: OpenAICompatible, server: Fake, ask: Ask) -> None:
    with pytest.raises(ModelInputError, match="cannot be held"):
        mind.answer(ask("x", options=(), schema=({"type": "string"},)))
    assert server.asked == []
