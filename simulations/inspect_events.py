"""Events of a session in the classes of Inspect AI's transcripts (extra `inspect`).

Every event keeps its place in the journal: `metadata["seq"]` is its number there, its id is made of its hash.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from math import log
from typing import Any

from inspect_ai.event import Event, InfoEvent, ModelEvent, SpanBeginEvent, SpanEndEvent, ToolEvent
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    Logprob,
    Logprobs,
    ModelOutput,
    TopLogprob,
)

from ..memory.journal.rows import Row
from .reading.calls import Asked, Call
from .reading.path import node_of
from .transcript import said_in


def prompt_of(call: Call, asked: Asked, row: Row) -> list[ChatMessage]:
    """What a mind read: the desk's words to it, then the beginning that all questions share and the question."""
    question = "\n\n".join(part for part in (call.prefix, asked.text) if part)
    found: list[ChatMessage] = [ChatMessageUser(id=_id(row, f"user-{asked.ticker}"), content=question)]
    if call.system:
        found.insert(0, ChatMessageSystem(id=_id(row, "system"), content=call.system))
    return found


def answer_of(asked: Asked, row: Row, model: str) -> ModelOutput:
    """What it answered. A stance is scored, not generated: its distribution stands where logprobs stand."""
    likeliest = max(asked.probabilities, key=asked.probabilities.__getitem__, default="")
    written = asked.completion or (json.dumps(asked.object) if asked.object else "")
    said = "\n".join(part for part in (likeliest, written) if part)
    choice = ChatCompletionChoice(
        message=ChatMessageAssistant(id=_id(row, f"assistant-{asked.ticker}"), content=said, model=model),
        stop_reason="stop" if asked.failure is None else "unknown",
        logprobs=_logprobs(asked.probabilities, likeliest),
    )
    return ModelOutput(model=model, choices=[choice], error=json.dumps(asked.failure) if asked.failure else None)


def _logprobs(probabilities: Mapping[str, float], likeliest: str) -> Logprobs | None:
    logs = {option: log(p) for option, p in probabilities.items() if p > 0}
    if likeliest not in logs:
        return None
    ranked = sorted(logs.items(), key=lambda item: -item[1])
    top = [TopLogprob(token=option, logprob=value) for option, value in ranked]
    return Logprobs(content=[Logprob(token=likeliest, logprob=logs[likeliest], top_logprobs=top)])


def model_event(call: Call, asked: Asked, model: str, began: datetime) -> ModelEvent:
    """One question to a mind."""
    row = call.row
    request = row.document["request"]
    output = answer_of(asked, row, model)
    return ModelEvent(
        model=model,
        role=call.agent,
        input=prompt_of(call, asked, row),
        tools=[],
        tool_choice="none",
        config=GenerateConfig(
            temperature=request.get("temperature"), seed=request.get("seed"), max_tokens=request.get("max_tokens")
        ),
        output=output,
        error=output.error,
        **_placed(row, asked.ticker, began),
        metadata={"seq": row.seq, "task": call.task, "ticker": asked.ticker, "options": list(call.options)},
    )


def tool_event(row: Row, began: datetime) -> ToolEvent:
    """A call of a tool; most are the role's plan, which code carries out before its mind is asked."""
    document = row.document
    return ToolEvent(
        id=_id(row, "call"),
        function=document["tool"],
        arguments=document["arguments"],
        result=json.dumps(document["evidence"], ensure_ascii=False),
        completed=row.written_at,
        **_placed(row, "", began),
        metadata={"seq": row.seq, "agent": document["agent"], "ticker": document["ticker"]}
        | ({"note": document["note"]} if document.get("note") else {}),
    )


def info_event(row: Row, began: datetime) -> InfoEvent:
    """Any other event, whole."""
    said = {"said": said_in(row)} if said_in(row) else {}
    return InfoEvent(source=row.kind, data=row.document, **_placed(row, "", began), metadata={"seq": row.seq} | said)


def in_turns(named: Iterable[tuple[Row, Event]], began: datetime) -> Iterator[Event]:
    """Events with a span around each turn: who was at work, as the graph's nodes are called."""
    at: Row | None = None
    node: str | None = None
    span = ""
    for row, event in named:
        now = node_of(row.kind, row.agent)
        if now is not None and now != node:
            if at is not None and node is not None:
                yield _end(at, span, began)
            node, span = now, _id(row, "span")
            yield SpanBeginEvent(
                id=span, type="agent", name=now.replace("_", " "), span_id=span, **_placed(row, "begin", began)
            )
        event.span_id = span or None
        yield event
        at = row
    if at is not None and node is not None:
        yield _end(at, span, began)


def _end(row: Row, span: str, began: datetime) -> SpanEndEvent:
    return SpanEndEvent(id=span, span_id=span, **_placed(row, "end", began))


def _placed(row: Row, salt: str, began: datetime) -> dict[str, Any]:
    """Its id and its time: when it was written, and that from the start of the sample in seconds."""
    return {
        "uuid": _id(row, salt),
        "timestamp": row.written_at,
        "working_start": (row.written_at - began).total_seconds(),
    }


def _id(row: Row, salt: str) -> str:
    return f"{row.hash[:20]}-{salt}" if salt else row.hash[:20]
