import json
import math
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from paperdesk.agents.models.core import ModelError, ModelInputError, Request
from paperdesk.agents.models.logprobs import distribution, smoothed
from paperdesk.agents.models.openai_compatible import OpenAICompatible

Ask = Callable[..., Request]
Schema = Callable[..., dict[str, Any]]
Turn = tuple[int, str] | Callable[[dict[str, Any]], tuple[int, str]]


class Server:
    """A loopback server that answers completions from a script, and says what it was asked."""

    def __init__(self) -> None:
        self.script: list[Turn] = []
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.models: tuple[int, str] = (200, json.dumps({"data": [{"id": "tiny", "created": 1}]}))
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._reply(*outer.models)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append(body)
                outer.keys.append(self.headers.get("Authorization"))
                turn = outer.script.pop(0)
                self._reply(*(turn(body) if callable(turn) else turn))

            def _reply(self, status: int, text: str) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(text.encode())))
                if status == 429:
                    self.send_header("Retry-After", "7")
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def close(self) -> None:
        if not self._thread.is_alive():
            return
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def mind(server: Server, waits: list[float]) -> Iterator[OpenAICompatible]:
    model = OpenAICompatible(server.url, sleep=waits.append, timeout_seconds=5)
    yield model
    model.close()


def says(content: str, logprobs: Any = None, finish: str = "stop") -> tuple[int, str]:
    choice = {"message": {"role": "assistant", "content": content}, "finish_reason": finish, "logprobs": logprobs}
    return 200, json.dumps({"choices": [choice], "usage": {"prompt_tokens": 10, "completion_tokens": 3}})


BUY = says('{"answer": "buy"}')


def test_option_and_object_come_by_schema(
    mind: OpenAICompatible, server: Server, ask: Ask, claims_schema: Schema
) -> None:
    server.script = [BUY, says('{"claims": [{"supports": "buy", "evidence": "E1"}]}')]
    reply = mind.answer(ask("E1: up", schema=(claims_schema(),), lead_in="\n"))
    (answer,) = reply.answers
    assert answer.probabilities == smoothed(("sell", "hold", "buy"), "buy")
    assert answer.object == {"claims": [{"evidence": "E1", "supports": "buy"}]}
    assert reply.usage.prompt_tokens == 20
    assert server.asked[0]["response_format"]["json_schema"]["schema"]["properties"]["answer"]["enum"] == [
        "sell",
        "hold",
        "buy",
    ]
    assert server.asked[1]["messages"][2] == {"role": "assistant", "content": "buy\n"}


def test_busy_servers_are_asked_again_a_bounded_number_of_times(
    mind: OpenAICompatible, server: Server, waits: list[float], ask: Ask
) -> None:
    server.script = [(503, ""), (429, ""), BUY]
    assert mind.answer(ask("x")).answers[0].failure is None
    assert waits == [0.5, 7.0]
    server.script = [(500, "")] * 9
    with pytest.raises(ModelError, match="failed 4 times"):
        mind.answer(ask("x"))
    assert len(server.script) == 5


def test_a_refusal_is_not_repeated(mind: OpenAICompatible, server: Server, waits: list[float], ask: Ask) -> None:
    server.script = [(400, "no such field")]
    with pytest.raises(ModelError, match="refuses a request"):
        mind.answer(ask("x"))
    assert waits == []


@pytest.mark.parametrize(
    ("turn", "why"),
    [
        ((200, "<html>"), "not JSON"),
        ((200, "{}"), "no choices"),
        ((200, '{"choices": [{}]}'), "no text"),
        (says("I would buy."), "not JSON"),
        (says('{"answer": "moon"}'), "not one of 3"),
        (says('["buy"]'), "fields answer"),
        (says('{"answer": "bu', finish="length"), "cut off"),
    ],
)
def test_what_cannot_be_read_is_a_failure_and_never_a_stance(
    mind: OpenAICompatible, server: Server, ask: Ask, turn: Turn, why: str
) -> None:
    server.script = [turn, BUY]
    broken, fine = mind.answer(ask("x", "y")).answers
    assert broken.failure is not None
    assert why in broken.failure.reason
    assert broken.probabilities == {}
    assert fine.failure is None


def test_a_server_that_is_not_there_is_told_in_a_sentence(server: Server) -> None:
    server.close()
    with pytest.raises(ModelInputError, match=r"^No model server answers at .*: start one, or check the address\.$"):
        OpenAICompatible(server.url)


@pytest.mark.parametrize(
    ("models", "name", "reason"),
    [
        ((200, '{"data": [{"id": "a"}, {"id": "b"}]}'), None, "several models or none"),
        ((200, '{"data": [{"id": "a"}]}'), "c", "has no model 'c'.*: a"),
        ((404, "nothing"), None, "no list of models"),
        ((401, "{}"), None, "wants a key: set PAPERDESK_API_KEY"),
    ],
)
def test_a_model_that_cannot_be_had_is_told_at_once(
    server: Server, models: tuple[int, str], name: str | None, reason: str
) -> None:
    server.models = models
    with pytest.raises(ModelInputError, match=reason):
        OpenAICompatible(server.url, name)


def test_a_key_is_sent_but_never_told(server: Server, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_KEY", "s3cret")
    model = OpenAICompatible(server.url, api_key_env="DESK_KEY", sleep=lambda _: None)
    server.script = [BUY, (400, "")]
    model.answer(ask("x"))
    assert server.keys == ["Bearer s3cret"]
    with pytest.raises(ModelError) as caught:
        model.answer(ask("x"))
    model.close()
    assert "s3cret" not in model.fingerprint.model_dump_json() + str(caught.value)


def token(text: str, **others: float) -> dict[str, Any]:
    listed = [{"token": name, "logprob": math.log(p)} for name, p in others.items()]
    return {"token": text, "logprob": math.log(others.get(text, 1.0)), "top_logprobs": listed}


def test_log_probabilities_are_read_where_the_options_part() -> None:
    # buy 0.6; "strong" 0.4 leads to two options, about which the server says nothing: half each
    logprobs = {"content": [token('{"answer": "'), token("buy", buy=0.6, strong=0.4), token('"}')]}
    found = distribution(logprobs, ("strong_sell", "buy", "strong_buy"), "buy")
    assert found == pytest.approx({"strong_sell": 0.2, "buy": 0.6, "strong_buy": 0.2}, abs=1e-5)


def test_log_probabilities_follow_a_shared_beginning() -> None:
    logprobs = {
        "content": [token('{"answer":"'), token("strong", buy=0.2, strong=0.8), token("_sell", _sell=0.75, _buy=0.25)]
    }
    logprobs["content"].append(token('"}'))
    found = distribution(logprobs, ("strong_sell", "buy", "strong_buy"), "strong_sell")
    assert found == pytest.approx({"strong_sell": 0.6, "buy": 0.2, "strong_buy": 0.2}, abs=1e-5)


@pytest.mark.parametrize(
    "logprobs", [None, {}, {"content": []}, {"content": [{"token": "x"}]}, {"content": [token("x")]}]
)
def test_without_usable_log_probabilities_there_is_no_distribution(logprobs: Any) -> None:
    assert distribution(logprobs, ("buy", "sell"), "buy") is None
