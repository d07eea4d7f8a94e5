"""A loopback server that speaks `/v1/chat/completions` as one of several kinds of server does, or fails."""

import hashlib
import json
import math
import re
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Deed = Literal["honour", "ignore", "refuse"]
Body = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """One answer of HTTP."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut_at: int | None = None
    """Send so many bytes only, whatever was announced, and hang up."""
    chunked: bool = False
    announce: bool = True
    """Say the length; without it the end of the connection is the end of the answer."""
    hang_up: bool = False
    """Close the connection without a word."""
    silence_s: float = 0.0
    drip_s: float = 0.0
    """Pause after each byte."""

    @classmethod
    def of(cls, document: Any, status: int = 200, **more: Any) -> "Reply":
        return cls(json.dumps(document).encode(), status, **more)

    @classmethod
    def error(cls, status: int, message: str, **fields: Any) -> "Reply":
        return cls.of({"error": {"message": message, "type": "invalid_request_error", **fields}}, status)


def says(content: Any, finish: str | None = "stop", logprobs: Any = None, **message: Any) -> Reply:
    """A completion."""
    said = {"role": "assistant", "content": content, **message}
    choice = {"index": 0, "message": said, "finish_reason": finish, "logprobs": logprobs}
    return Reply.of({"choices": [choice], "usage": {"prompt_tokens": 10, "completion_tokens": 3}})


@dataclass(frozen=True)
class Kind:
    """What a server takes and does."""

    json_schema: Deed = "honour"
    json_object: Deed = "honour"
    object_schema: bool = False
    """Whether a schema beside `json_object` is honoured."""
    logprobs: int = 20
    """Alternatives that it lists at most; 0: none."""
    logprobs_deed: Deed = "honour"
    """What it does when asked for more than that."""
    refused: tuple[str, ...] = ()
    """Fields that it does not take."""
    names_fields: bool = True
    """Whether its errors name the field."""
    status: int = 400
    """Of its errors about fields."""
    thoughts: int = 0
    """Tokens that it spends before it answers."""
    usage: bool = True
    entry: dict[str, Any] = field(default_factory=dict)
    """What it says about its model."""
    props: dict[str, Any] | None = None


KINDS = {
    "llama-server": Kind(
        entry={"owned_by": "llamacpp", "meta": {"n_params": 8_000_000_000}},
        props={"default_generation_settings": {"n_ctx": 8192}},
    ),
    "vllm": Kind(entry={"owned_by": "vllm", "max_model_len": 32768, "permission": [{"id": "random"}]}),
    "vllm with few alternatives": Kind(logprobs=5, logprobs_deed="refuse", entry={"max_model_len": 4096}),
    "ollama": Kind(logprobs=0, logprobs_deed="ignore", entry={"owned_by": "library"}),
    "old ollama": Kind(json_schema="ignore", logprobs=0, logprobs_deed="ignore"),
    "lm studio": Kind(
        json_object="refuse", logprobs=0, logprobs_deed="ignore", entry={"owned_by": "organization_owner"}
    ),
    "hosted": Kind(logprobs=20, logprobs_deed="refuse"),
    "hosted thinker": Kind(
        logprobs=0,
        logprobs_deed="refuse",
        refused=("max_tokens", "temperature"),
        thoughts=600,
        entry={"owned_by": "system"},
    ),
    "llama_cpp.server": Kind(
        json_schema="refuse", object_schema=True, status=500, logprobs=0, logprobs_deed="refuse", usage=True
    ),
    "only text": Kind(json_schema="refuse", json_object="refuse", logprobs=0, logprobs_deed="ignore", usage=False),
    "silent about fields": Kind(
        json_schema="refuse", logprobs=0, logprobs_deed="refuse", refused=("seed",), names_fields=False, status=422
    ),
}


class Fake:
    """A running server. `script` answers first, then the kind does."""

    def __init__(self, kind: Kind | None = None) -> None:
        self.kind = kind or Kind()
        self.script: Sequence[Reply | Callable[[Body], Reply]] = []
        self.models: Reply | None = None
        self.asked: list[Body] = []
        self.headers: list[dict[str, str]] = []
        self.at_once = 0
        """The most completions that were under way at the same time."""
        self.think_s = 0.0
        """How long each completion takes."""
        self._under_way = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def close(self) -> None:
        if self._thread.is_alive():
            self._stop.set()
            self._http.shutdown()
            self._thread.join()
            self._http.server_close()

    def forget(self) -> None:
        """What was asked so far."""
        self.asked.clear()
        self.headers.clear()

    def completion(self, body: Body) -> Reply:
        with self._lock:
            self.asked.append(body)
            self._under_way += 1
            self.at_once = max(self.at_once, self._under_way)
            scripted, self.script = (self.script[0], self.script[1:]) if self.script else (None, ())
        try:
            self._stop.wait(self.think_s)
            if callable(scripted):
                return scripted(body)
            return scripted or answer_of(self.kind, body)
        finally:
            with self._lock:
                self._under_way -= 1

    def listing(self) -> Reply:
        return self.models or Reply.of({"object": "list", "data": [{"id": "tiny", "created": 1, **self.kind.entry}]})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if self.path == "/v1/models":
                    self._send(fake.listing())
                elif self.path == "/props" and fake.kind.props is not None:
                    self._send(Reply.of(fake.kind.props))
                else:
                    self._send(Reply(b"not here", 404))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                fake.headers.append({name.lower(): value for name, value in self.headers.items()})
                if self.path != "/v1/chat/completions":
                    self._send(Reply(b"not here", 404))
                    return
                self._send(fake.completion(body))

            def _send(self, reply: Reply) -> None:
                self.close_connection = True
                if fake._stop.wait(reply.silence_s) or reply.hang_up:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if reply.chunked:
                    self.send_header("Transfer-Encoding", "chunked")
                elif reply.announce:
                    self.send_header("Content-Length", str(len(reply.body)))
                self.send_header("Connection", "close")
                self.end_headers()
                try:
                    self._write(reply)
                except OSError:
                    return  # the client gave up, which some tests are about

            def _write(self, reply: Reply) -> None:
                body = reply.body if reply.cut_at is None else reply.body[: reply.cut_at]
                if reply.chunked:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(body), body))
                    if reply.cut_at is None:
                        self.wfile.write(b"0\r\n\r\n")
                elif reply.drip_s:
                    for place in range(len(body)):
                        self.wfile.write(body[place : place + 1])
                        if fake._stop.wait(reply.drip_s):
                            return
                else:
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def answer_of(kind: Kind, body: Body) -> Reply:
    """What a server of this kind answers, the same each time."""
    if (refusal := _refusal(kind, body)) is not None:
        return refusal
    budget = body.get("max_tokens") or body.get("max_completion_tokens") or 0
    form = body.get("response_format", {})
    schema = None
    if form.get("type") == "json_schema" and kind.json_schema == "honour":
        schema = form["json_schema"]["schema"]
    elif form.get("type") == "json_object" and "schema" in form and kind.object_schema:
        schema = form["schema"]
    prompt = "\n".join(message["content"] for message in body["messages"])
    text = _text(prompt, schema, held=form.get("type") == "json_object" and kind.json_object == "honour")
    thought_out = budget > kind.thoughts
    choice = {
        "message": {"role": "assistant", "content": text if thought_out else ""},
        "finish_reason": "stop" if thought_out else "length",
        "logprobs": _logprobs(text, body["top_logprobs"]) if body.get("logprobs") and kind.logprobs else None,
    }
    document: dict[str, Any] = {"choices": [choice]}
    if kind.usage:
        document["usage"] = {
            "prompt_tokens": len(prompt) // 4,
            "completion_tokens": len(text) // 4 + kind.thoughts,
        }
        if kind.thoughts:
            document["usage"]["completion_tokens_details"] = {"reasoning_tokens": kind.thoughts}
    return Reply.of(document)


def example_of(schema: dict[str, Any], seed: str) -> Any:
    """An object of a schema, drawn by a seed."""
    draw = int(hashlib.sha256(seed.encode()).hexdigest(), 16)
    if "enum" in schema:
        return schema["enum"][draw % len(schema["enum"])]
    if schema["type"] == "array":
        return [example_of(schema["items"], f"{seed}/{i}") for i in range(max(schema.get("minItems", 0), 1))]
    return {name: example_of(sub, f"{seed}/{name}") for name, sub in schema["properties"].items()}


def _refusal(kind: Kind, body: Body) -> Reply | None:
    def refuse(name: str) -> Reply:
        told = (
            f"Unsupported parameter: '{name}' is not supported with this model." if kind.names_fields else "Bad Request"
        )
        return Reply.error(kind.status, told, param=name if kind.names_fields else None)

    for name in kind.refused:
        if name in body:
            return refuse(name)
    form = body.get("response_format", {}).get("type")
    if (form == "json_schema" and kind.json_schema == "refuse") or (
        form == "json_object" and kind.json_object == "refuse"
    ):
        return refuse("response_format")
    if body.get("top_logprobs", 0) > kind.logprobs and kind.logprobs_deed == "refuse":
        return refuse("top_logprobs" if kind.logprobs else "logprobs")
    return None


def _text(prompt: str, schema: dict[str, Any] | None, *, held: bool) -> str:
    """What the model writes: as it was held to, else as it was told to, else what it likes."""
    if schema is not None:
        return json.dumps(example_of(schema, prompt))
    if told := re.findall(r"must fit this JSON Schema: (.*)", prompt):
        return json.dumps(example_of(json.loads(told[-1]), prompt))
    if told := re.findall(r"of these and nothing else: (.*)\.", prompt):
        return str(example_of({"enum": told[-1].split(", ")}, prompt))
    if told := re.findall(r"X being one of: (.*)\.", prompt):
        return json.dumps({"answer": example_of({"enum": told[-1].split(", ")}, prompt)})
    return '{"greeting": "Hello!"}' if held else "Hello! How are you?"


def _logprobs(text: str, number: int) -> dict[str, Any]:
    tokens = re.findall(r"\w+|\W", text)
    others = [{"token": f"other{i}", "logprob": -9999.0, "bytes": None} for i in range(number - 1)]
    return {
        "content": [
            {"token": t, "logprob": math.log(0.9), "top_logprobs": [{"token": t, "logprob": math.log(0.9)}, *others]}
            for t in tokens
        ]
    }
