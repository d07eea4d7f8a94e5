"""LangChain messages as turns of a conversation: all of it is text, so nothing in a message can become markup."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, FunctionMessage, ToolCall, ToolMessage

from .core import ModelInputError
from .template import Turn

_SPEAKERS = {
    "system": "system",
    "developer": "system",
    "human": "user",
    "user": "user",
    "ai": "assistant",
    "assistant": "assistant",
    "AIMessageChunk": "assistant",
    "HumanMessageChunk": "user",
    "SystemMessageChunk": "system",
}
_SAID_ELSEWHERE = {"tool_use", "tool_call", "tool_call_chunk", "function_call", "invalid_tool_call"}
"""Blocks that repeat what is in `tool_calls`."""
_EMPTY = "N/A"
_THOUGHT = {"thinking", "redacted_thinking", "reasoning"}
"""Blocks that were never said aloud; they are left out."""


def turns_of(messages: Sequence[BaseMessage]) -> list[Turn]:
    """One turn per message, with the calls of tools as the model wrote them: for a model that is to call one.

    Raises:
        ModelInputError: no message at all, a kind of message or content that is not text.
    """
    _not_empty(messages)
    calls = _calls(messages)
    return [_turn(message, calls) for message in messages]


def told(messages: Sequence[BaseMessage]) -> list[Turn]:
    """The turns for a model that is to answer in words: what tools returned stands below the question.

    A small model that sees its own calls as turns goes on writing such; one that sees question and result answers.

    Raises:
        ModelInputError: as for `turns_of`.
    """
    _not_empty(messages)
    calls = _calls(messages)
    names = [call["name"] for call in calls.values()]
    turns: list[Turn] = []
    for message in messages:
        if isinstance(message, AIMessage) and message.tool_calls:
            text = _text(message)
            if text:
                turns.append(Turn("assistant", text))
            continue
        turn = _turn(message, calls)
        call = calls.get(getattr(message, "tool_call_id", None))
        if call and names.count(call["name"]) > 1:
            turn = Turn(turn.speaker, f"{call['name']} {_json(call['args'])}{turn.text.removeprefix(call['name'])}")
        if is_result(message) and turns and turns[-1].speaker == turn.speaker:
            turns[-1] = Turn(turn.speaker, f"{turns[-1].text}\n\n{turn.text}")
        else:
            turns.append(turn)
    return turns


def _not_empty(messages: Sequence[BaseMessage]) -> None:
    if not messages:
        raise ModelInputError("A chat needs at least one message: give one.")


def _calls(messages: Sequence[BaseMessage]) -> dict[str | None, ToolCall]:
    """The calls in a conversation by their ids."""
    return {call["id"]: call for m in messages if isinstance(m, AIMessage) for call in m.tool_calls}


def call_text(name: str, arguments: dict[str, Any]) -> str:
    """How a call of a tool reads in a conversation; the model writes it so, too."""
    return f"{name}\n{_json(arguments)}"


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def is_result(message: BaseMessage) -> bool:
    """Whether a message is what a tool returned."""
    return isinstance(message, ToolMessage | FunctionMessage)


def without_content(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The conversation with nothing said in it since the user spoke last: a choice that is made then is habit.

    What the model itself said stays, and with it the habit of doing so again.
    """
    since = last_question(messages)
    return [
        message.model_copy(update={"content": _EMPTY})
        if i >= since and (message.type == "human" or is_result(message))
        else message
        for i, message in enumerate(messages)
    ]


def last_question(messages: Sequence[BaseMessage]) -> int:
    """Where the user spoke last; 0 where he never did."""
    return max((i for i, message in enumerate(messages) if message.type == "human"), default=0)


def answered_calls(messages: Sequence[BaseMessage]) -> set[str]:
    """The calls, as text, that were made since the user spoke last."""
    return {
        call_text(call["name"], call["args"])
        for message in messages[last_question(messages) :]
        if isinstance(message, AIMessage)
        for call in message.tool_calls
    }


def _turn(message: BaseMessage, calls: Mapping[str | None, ToolCall]) -> Turn:
    text = _text(message)
    if isinstance(message, ToolMessage | FunctionMessage):
        call = calls.get(getattr(message, "tool_call_id", None))
        name = message.name or (call["name"] if call else "The tool")
        return Turn("user", f"{name} {'failed' if getattr(message, 'status', '') == 'error' else 'returned'}: {text}")
    kind = message.role if isinstance(message, ChatMessage) else message.type
    if kind not in _SPEAKERS:
        raise ModelInputError(f"This chat model takes system, human, ai and tool messages, not a {kind} message.")
    if isinstance(message, AIMessage):
        made = [call_text(call["name"], call["args"]) for call in message.tool_calls]
        return Turn("assistant", "\n".join(part for part in (text, *made) if part))
    speaker = _SPEAKERS[kind]
    return Turn(speaker, f"{message.name}: {text}" if message.name and speaker == "user" else text)


def _text(message: BaseMessage) -> str:
    if isinstance(message.content, str):
        return message.content
    texts: list[str] = []
    for block in message.content:
        kind = "text" if isinstance(block, str) else block.get("type")
        if kind == "text":
            texts.append(block if isinstance(block, str) else str(block["text"]))
        elif kind not in _SAID_ELSEWHERE | _THOUGHT:
            raise ModelInputError(f"This chat model reads text only, not {kind}: leave that block out.")
    return "\n".join(texts)
