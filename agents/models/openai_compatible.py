"""A mind behind any server that speaks `/v1/chat/completions` (llama-server, vLLM, Ollama, hosted ones).

Each question takes one request for the option, and one more for the object where a schema is given; both are held to
a JSON schema by `response_format`. Where the server returns log-probabilities, an option's probability is read from
them at the tokens where the options part (`logprobs.distribution`); otherwise the chosen option gets `CHOSEN` and the
others share the rest. `settings["distribution"]` says that either may happen. Whatever cannot be read is a failure.
"""

import json
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from ...tools.frozen import content_hash
from .core import Answer, Failure, FailureKind, Fingerprint, ModelError, ModelInputError, Reply, Request, Usage
from .distribution import best, calibrate
from .grammar import longest
from .logprobs import distribution, smoothed
from .schemas import Schema, shape_of, violation

RETRIED = frozenset((408, 429, 500, 502, 503, 504))
ATTEMPTS = 4
BACKOFF_SECONDS = 0.5
"""Doubled after each attempt, unless the server says how long to wait."""
LONGEST_WAIT_SECONDS = 30.0
TOP_LOGPROBS = 20


class _Unusable(Exception):
    """A reply that came but cannot be used; the text is a clause."""

    def __init__(self, clause: str, kind: FailureKind = "invalid") -> None:
        super().__init__(clause)
        self.kind = kind


class OpenAICompatible:
    """A served model.

    Args:
        url: base address up to and including `/v1`.
        model: the served model's name; None: the only one that the server lists.
        api_key_env: name of the environment variable that holds the key; an unset one means no key.
        timeout_seconds: for each request, from connecting to the last byte.
        seed: sent with each request; servers are free to ignore it.
        sleep: how to wait between attempts.

    Raises:
        ModelInputError: nothing listens, the server refuses, or it does not have that model.
    """

    def __init__(
        self,
        url: str,
        model: str | None = None,
        *,
        api_key_env: str = "PAPERDESK_API_KEY",
        timeout_seconds: float = 120.0,
        seed: int = 0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = url.rstrip("/")
        self._sleep = sleep
        key = os.environ.get(api_key_env, "")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(headers=headers, timeout=timeout_seconds)
        try:
            entry = self._find(model, api_key_env)
        except BaseException:
            self._client.close()
            raise
        self._model = str(entry["id"])
        self._seed = seed
        # what changes from one start of a server to the next is no part of the model
        stable = {name: value for name, value in entry.items() if name not in ("created", "permission", "status")}
        self._fingerprint = Fingerprint(
            backend="openai_compatible",
            name=self._model,
            digest=content_hash(stable),
            settings={
                "url": self._url,
                "seed": seed,
                "temperature": 0,
                "top_logprobs": TOP_LOGPROBS,
                "distribution": "logprobs, else one option smoothed",
            },
        )

    @property
    def fingerprint(self) -> Fingerprint:
        """What the server says about its model; never a key."""
        return self._fingerprint

    def close(self) -> None:
        """Close the connections; harmless to repeat."""
        self._client.close()

    def answer(self, request: Request) -> Reply:
        """All answers, one question after the other.

        Raises:
            ModelError: the server cannot be reached any more or keeps refusing.
            ModelInputError: an unbounded schema.
        """
        spent = _Spent()
        bias: dict[str, float] = {}
        if request.options and request.content_free is not None:
            try:
                bias = self._score(request, request.content_free, spent)
            except _Unusable as error:
                reason = f"The server's answer to the content-free question is not usable: {error}."
                failure = Failure(kind=error.kind, reason=reason)
                return Reply(answers=tuple(Answer(ticker=q.ticker, failure=failure) for q in request.questions))
        answers = tuple(self._one(request, i, bias, spent) for i in range(len(request.questions)))
        return Reply(answers=answers, usage=Usage(prompt_tokens=spent.prompt, generated_tokens=spent.generated))

    def _one(self, request: Request, index: int, bias: dict[str, float], spent: "_Spent") -> Answer:
        question, schemas, text = request.questions[index], request.schemas_of(index), ""
        try:
            raw = self._score(request, question.text, spent) if request.options else {}
            probabilities = calibrate(raw, bias) if bias else raw
            written = None
            if schemas:
                schema = schemas[best(probabilities) if probabilities else ""]
                shape = shape_of(schema)
                said = best(probabilities) + request.lead_in if probabilities else request.lead_in
                budget = request.max_tokens or longest(shape)
                choice = self._ask(request, question.text, schema, said, budget, spent)
                text = _content(choice)
                written = _parsed(text)
                fault = violation(shape, written)
                if fault:
                    raise _Unusable(fault)
        except _Unusable as error:
            failure = Failure(kind=error.kind, reason=f"The server's answer is not usable: {error}.")
            return Answer(ticker=question.ticker, completion=text, failure=failure)
        return Answer(ticker=question.ticker, probabilities=probabilities, raw=raw, object=written, completion=text)

    def _score(self, request: Request, text: str, spent: "_Spent") -> dict[str, float]:
        schema: Schema = {
            "type": "object",
            "properties": {"answer": {"enum": list(request.options)}},
            "required": ["answer"],
            "additionalProperties": False,
        }
        budget = longest(shape_of(schema))
        choice = self._ask(request, text, schema, "", budget, spent, top_logprobs=TOP_LOGPROBS)
        written = _parsed(_content(choice))
        fault = violation(shape_of(schema), written)
        if fault:
            raise _Unusable(fault)
        chosen: str = written["answer"]
        return distribution(choice.get("logprobs"), request.options, chosen) or smoothed(request.options, chosen)

    def _ask(
        self,
        request: Request,
        text: str,
        schema: Schema,
        said: str,
        max_tokens: int,
        spent: "_Spent",
        top_logprobs: int = 0,
    ) -> dict[str, Any]:
        """The first choice of one completion."""
        messages = [{"role": "system", "content": request.system}] if request.system else []
        messages.append({"role": "user", "content": request.prefix + text})
        if said:
            messages += [{"role": "assistant", "content": said}, {"role": "user", "content": "Now the JSON object."}]
        body: dict[str, Any] = {
            "model": self._model,
            "messages": messages,
            "temperature": 0,
            "seed": self._seed,
            "max_tokens": max_tokens,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": schema},
            },
        }
        if top_logprobs:
            body |= {"logprobs": True, "top_logprobs": top_logprobs}
        document = _parsed(self._send("POST", "/chat/completions", body).text)
        spent.add(document)
        choices = document.get("choices") if isinstance(document, dict) else None
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            raise _Unusable("it has no choices")
        choice: dict[str, Any] = choices[0]
        return choice

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """A response with status 200; busy servers and broken connections are tried again.

        Raises:
            ModelError: refused, or still failing after the last attempt.
        """
        why = ""
        for attempt in range(ATTEMPTS):
            wait = BACKOFF_SECONDS * 2**attempt
            try:
                response = self._client.request(method, self._url + path, json=body)
            except httpx.TransportError as error:
                why = f"{type(error).__name__}"
            else:
                if response.status_code == httpx.codes.OK:
                    return response
                why = f"status {response.status_code}"
                if response.status_code not in RETRIED:
                    raise ModelError(f"The model server at {self._url} refuses a request ({why}): check its log.")
                wait = _asked_wait(response, wait)
            if attempt + 1 < ATTEMPTS:
                self._sleep(min(wait, LONGEST_WAIT_SECONDS))
        raise ModelError(f"The server at {self._url} failed {ATTEMPTS} times ({why}): restart it, then resume.")

    def _find(self, model: str | None, api_key_env: str) -> dict[str, Any]:
        """The server's own entry for a model."""
        try:
            response = self._client.get(f"{self._url}/models")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ModelInputError(
                f"No model server answers at {self._url} ({type(error).__name__}): start one, or check the address."
            ) from error
        if response.status_code in (401, 403):
            raise ModelInputError(f"The model server at {self._url} wants a key: set {api_key_env}.")
        try:
            entries = {str(one["id"]): one for one in response.json()["data"]}
        except (ValueError, KeyError, TypeError) as error:
            raise ModelInputError(
                f"{self._url}/models (status {response.status_code}) is no list of models: give the address up to /v1."
            ) from error
        if model is None and len(entries) == 1:
            return dict(next(iter(entries.values())))
        if model not in entries:
            listed = ", ".join(sorted(entries)[:8]) or "none"
            asked = f"has no model {model!r}" if model else "has several models or none"
            raise ModelInputError(
                f"The server at {self._url} {asked}: put one of these after # in the address: {listed}."
            )
        return dict(entries[model])


class _Spent:
    """Tokens so far, as the server counts them."""

    def __init__(self) -> None:
        self.prompt = 0
        self.generated = 0

    def add(self, document: Any) -> None:
        usage = document.get("usage") if isinstance(document, dict) else None
        if isinstance(usage, dict):
            self.prompt += int(usage.get("prompt_tokens") or 0)
            self.generated += int(usage.get("completion_tokens") or 0)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise _Unusable("it is not JSON") from error


def _content(choice: Mapping[str, Any]) -> str:
    if choice.get("finish_reason") == "length":
        raise _Unusable("it was cut off at its token budget", "unfinished")
    message = choice.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, str):
        raise _Unusable("it has no text")
    return content


def _asked_wait(response: httpx.Response, wait: float) -> float:
    """What `Retry-After` says in seconds, else `wait`."""
    asked = response.headers.get("Retry-After", "")
    return float(asked) if asked.isdigit() else wait
