"""A mind behind any server that speaks `/v1/chat/completions` (llama-server, vLLM, Ollama, LM Studio, hosted ones).

What the server can do is found out when the mind is opened (`capabilities`) and is part of its fingerprint. Each
question takes one completion for the option (one more for each other order of its evidence), and one for the object
where a schema is given. Where the server returns log-probabilities, an option's probability is read from them at the
tokens where the options part (`logprobs.distribution`); otherwise the chosen option gets `CHOSEN` and the others share
the rest. The completions of a request are sent at the same time, as many as `Access.concurrency` allows.

Whatever cannot be read is a failure of that question; nothing is repaired.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import numpy as np

from ..core import Answer, Failure, Fingerprint, ModelError, ModelInputError, Question, Reply, Request, Usage
from ..distribution import best, calibrate, pooled
from ..grammar import longest
from ..schemas import Schema, shape_of, violation
from . import conversation
from .access import Access
from .address import address_of
from .capabilities import Capabilities, discover
from .catalogue import find
from .logprobs import distribution, smoothed
from .loop import Loop
from .reading import Unusable, content_of, first_choice, strict_json, usage_of, without_fence
from .refusals import failure_of, quoted
from .wire import Refused, Sleep, Wire

T = TypeVar("T")


@dataclass(frozen=True)
class _Done(Generic[T]):
    """What one completion came to."""

    usage: Usage
    value: T | None = None
    failure: Failure | None = None
    text: str = ""
    """The answer to the letter, where there was one."""
    puzzling: bool = False
    """Refused for no reason that we understand."""


class OpenAICompatible:
    """A served model.

    Args:
        url: base address up to and including `/v1`.
        model: the served model's name; None: the only one that the server lists.
        access: key, concurrency, time.
        rng: draws the waits between attempts; no answer depends on it.
        sleep: how to wait between attempts.
        clock: tells the time of day.

    Raises:
        ModelInputError: nothing listens, the server refuses or takes no question, or it does not have that model.
    """

    def __init__(
        self,
        url: str,
        model: str | None = None,
        *,
        access: Access | None = None,
        rng: np.random.Generator | None = None,
        sleep: Sleep = asyncio.sleep,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        address = address_of(url)
        # unseeded on purpose: clients that failed together must not come back together
        draw = rng if rng is not None else np.random.default_rng()
        self._wire = Wire(address.url, access or Access(), rng=draw, sleep=sleep, clock=clock)
        self._loop = Loop("model server")
        try:
            self._able, self._fingerprint = self._loop.run(_open(self._wire, model or address.model))
        except ModelError as error:
            self.close()
            raise ModelInputError(str(error)) from None
        except BaseException:
            self.close()
            raise

    @property
    def fingerprint(self) -> Fingerprint:
        """What the server says about its model and was found to do; never a key."""
        return self._fingerprint

    @property
    def capabilities(self) -> Capabilities:
        """What the server was found to do."""
        return self._able

    def close(self) -> None:
        """Close the connections; harmless to repeat."""
        if self._loop.is_open:
            self._loop.run(self._wire.close())
            self._loop.close()

    def answer(self, request: Request) -> Reply:
        """All answers, in order.

        Raises:
            ModelError: the server cannot be reached any more, wants another key, or takes none of the questions.
            ModelInputError: an unbounded schema.
        """
        if not self._loop.is_open:
            raise ModelError("This model is closed: open it again.")
        return self._loop.run(self._answer(request))

    async def _answer(self, request: Request) -> Reply:
        before = [request.content_free] if request.options and request.content_free is not None else []
        texts = [(question.text, *question.reorderings) for question in request.questions] if request.options else []
        scores = await _all([self._score(request, text) for text in (*before, *(t for row in texts for t in row))])
        _refuse_if_all_puzzle(self._wire.url, scores)
        usage = [done.usage for done in scores]
        bias: dict[str, float] = {}
        if before:
            free, scores = scores[0], scores[1:]
            if free.failure:
                reason = f"The content-free question was not answered. {free.failure.reason}"
                failure = free.failure.model_copy(update={"reason": reason})
                answers = tuple(Answer(ticker=q.ticker, failure=failure) for q in request.questions)
                return Reply(answers=answers, usage=_sum(usage))
            bias = free.value or {}
        rows = iter(scores)
        answers = (
            tuple(
                _scored(question, [next(rows) for _ in row], bias)
                for question, row in zip(request.questions, texts, strict=True)
            )
            if request.options
            else tuple(Answer(ticker=question.ticker) for question in request.questions)
        )
        wanted = [i for i, one in enumerate(answers) if request.schemas_of(i) and one.failure is None]
        objects = await _all([self._object(request, i, answers[i].probabilities) for i in wanted])
        _refuse_if_all_puzzle(self._wire.url, objects)
        found = dict(zip(wanted, objects, strict=True))
        return Reply(
            answers=tuple(_completed(one, found[i]) if i in found else one for i, one in enumerate(answers)),
            usage=_sum([*usage, *(done.usage for done in objects)]),
        )

    async def _score(self, request: Request, text: str) -> _Done[dict[str, float]]:
        """The distribution over the options after one text."""
        schema = conversation.option_schema(request.options)
        shape = shape_of(schema)
        plain = self._able.hold == "text"

        def read(content: str, choice: dict[str, Any]) -> dict[str, float]:
            if plain:
                chosen = content.strip()
                if chosen not in request.options:
                    raise Unusable(f"it is not exactly one of {len(request.options)} options")
            else:
                written = strict_json(content)
                if fault := violation(shape, written):
                    raise Unusable(fault)
                chosen = written["answer"]
            told = distribution(choice.get("logprobs"), request.options, chosen, quoted=not plain)
            return told or smoothed(request.options, chosen)

        messages = conversation.option_messages(request, text, self._able.hold)
        body = self._able.body(self._fingerprint.name, max_tokens=longest(shape), temperature=0, seed=request.seed)
        return await self._ask({**body, "messages": messages, **self._able.alternatives()}, schema, read)

    async def _object(self, request: Request, index: int, probabilities: dict[str, float]) -> _Done[dict[str, Any]]:
        """The object that follows the best option."""
        option = best(probabilities) if probabilities else ""
        schema = request.schemas_of(index)[option]
        shape = shape_of(schema)

        def read(content: str, _: dict[str, Any]) -> dict[str, Any]:
            written = strict_json(without_fence(content) if self._able.hold == "text" else content)
            if fault := violation(shape, written):
                raise Unusable(fault)
            value: dict[str, Any] = written
            return value

        text, said = request.questions[index].text, option + request.lead_in
        messages = conversation.object_messages(request, text, said, schema, self._able.hold)
        budget = request.max_tokens or longest(shape)
        body = self._able.body(
            self._fingerprint.name, max_tokens=budget, temperature=request.temperature, seed=request.seed
        )
        return await self._ask({**body, "messages": messages}, schema, read)

    async def _ask(self, body: dict[str, Any], schema: Schema, read: Callable[[str, dict[str, Any]], T]) -> _Done[T]:
        """One completion; whatever is wrong with this one alone is its failure.

        Raises:
            ModelError: the server broke.
        """
        sent = "".join(message["content"] for message in body["messages"])
        content = ""
        usage = Usage()
        try:
            response = await self._wire.post("/chat/completions", body | self._able.form(schema))
            usage = usage_of(None, sent, response.text)  # at most, should it be unreadable
            document = strict_json(response.text)
            choice = first_choice(document)
            usage = usage_of(document, sent, _written(choice))
            content = content_of(choice)
            return _Done(usage, read(content, choice), text=content)
        except Unusable as error:
            return _Done(usage, failure=error.failure(), text=content)
        except Refused as refused:
            known = failure_of(refused.status, refused.text)
            reason = f"The server refused the question (status {refused.status}: {quoted(refused.text)})."
            return _Done(usage, failure=known or Failure(kind="refused", reason=reason), puzzling=known is None)


async def _open(wire: Wire, model: str | None) -> tuple[Capabilities, Fingerprint]:
    name = (await find(wire, model)).name
    able = await discover(wire, name)
    entry = await find(wire, name)  # again: some servers load a model when it is asked, and only then describe it
    settings = {"url": wire.url, "wording": conversation.VERSION, **able.settings()}
    if entry.context:
        settings["context"] = entry.context
    return able, Fingerprint(backend="openai_compatible", name=name, digest=entry.digest, settings=settings)


async def _all(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """The results in order; the first error ends the others before it is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


def _refuse_if_all_puzzle(url: str, done: Sequence[_Done[Any]]) -> None:
    """A question refused without a reason is a failure; all of them refused so are a broken setup.

    Raises:
        ModelError: all were.
    """
    if done and all(one.puzzling for one in done):
        failure = done[0].failure
        assert failure is not None  # that is what puzzles
        raise ModelError(
            f"The model server at {url} takes none of the questions. {failure.reason[:-1]}: see its log, then resume."
        )


def _scored(question: Question, scores: Sequence[_Done[dict[str, float]]], bias: dict[str, float]) -> Answer:
    """The answer to one question from its orders, the question as it stands first."""
    for done in scores:
        if done.failure:
            return Answer(ticker=question.ticker, failure=done.failure, completion=done.text)
    raws = [done.value or {} for done in scores]
    probabilities, sensitivity = pooled([calibrate(raw, bias) if bias else raw for raw in raws])
    return Answer(ticker=question.ticker, probabilities=probabilities, raw=raws[0], order_sensitivity=sensitivity)


def _completed(answer: Answer, done: _Done[dict[str, Any]]) -> Answer:
    """The answer with its object, or the failure in its place."""
    if done.failure:
        return Answer(ticker=answer.ticker, failure=done.failure, completion=done.text)
    return answer.model_copy(update={"object": done.value, "completion": done.text})


def _written(choice: dict[str, Any]) -> str:
    message = choice.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    return content if isinstance(content, str) else ""


def _sum(parts: Sequence[Usage]) -> Usage:
    return Usage(
        prompt_tokens=sum(part.prompt_tokens for part in parts),
        generated_tokens=sum(part.generated_tokens for part in parts),
    )
