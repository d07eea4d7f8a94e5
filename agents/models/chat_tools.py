"""Tools for a model that was never trained on any: a short list in the system turn, a scored choice, a held call."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .bounding import STRING, bounded
from .core import ModelInputError
from .schemas import Schema, Shape, shape_of
from .template import Turn

NONE = "none"
"""What the model is to write where no tool is wanted."""
_CHOOSE = (
    "Write the name of the tool that the message asks for. If it asks for none of them, write none.",
    "Write the name of the tool that fits the message best.",
)
_AGAIN = "Is another tool needed, or none?"
_KINDS = {"string": "text", "integer": "integer", "number": "number", "boolean": "true or false", "null": "nothing"}


@dataclass(frozen=True)
class Tool:
    """A tool as the model sees it."""

    name: str
    description: str
    schema: Schema
    """Of its arguments, bounded."""
    shape: Shape

    @classmethod
    def of(cls, tool: dict[str, Any], longest: int = STRING) -> "Tool":
        """The tool that an OpenAI-style description names; its strings have at most `longest` characters.

        Raises:
            ModelInputError: its arguments cannot be bounded.
        """
        function = tool["function"]
        schema = bounded({"type": "object", "properties": {}, **function.get("parameters", {})}, longest)
        return cls(function["name"], function.get("description", ""), schema, shape_of(schema))

    def line(self) -> str:
        """Name, arguments and what it is for, on one line."""
        fields = self.schema.get("properties", {})
        arguments = ", ".join(f"{name}: {brief(sub)}" for name, sub in fields.items())
        about = " ".join(self.description.split())
        return f"- {self.name}({arguments})" + (f": {about}" if about else "")


def brief(schema: Schema) -> str:
    """A bounded schema in a few words: `text`, `list of integer`, `buy or sell`."""
    words = _words(schema)
    about = " ".join(schema.get("description", "").split())
    return f"{words} ({about})" if about else words


def _words(schema: Schema) -> str:
    if "const" in schema:
        return "nothing"
    if "enum" in schema:
        return " or ".join(str(value) for value in schema["enum"][:12])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_words(option) for option in schema["anyOf"]))
    if "prefixItems" in schema:
        return "list of " + ", ".join(_words(item) for item in schema["prefixItems"])
    match schema["type"]:
        case "array":
            return f"list of {_words(schema['items'])}"
        case "object" if "properties" in schema:
            return "{" + ", ".join(f"{name}: {brief(sub)}" for name, sub in schema["properties"].items()) + "}"
        case "object":
            return f"named values, each {_words(schema['additionalProperties'])}"
        case kind:
            return schema.get("format") or _KINDS[kind]


def chosen_by(choice: Any, tools: Sequence[Tool]) -> tuple[list[Tool], bool]:
    """The tools that may be called, and whether one must be.

    Args:
        choice: None or `auto`; `any`, `required` or True; `none` or False; a tool's name, also in the forms that
            OpenAI and Anthropic give it.
        tools: all that are known.

    Raises:
        ModelInputError: there is no such tool.
    """
    if isinstance(choice, dict):
        named = choice.get("function", choice)
        choice = named.get("name", choice.get("type"))
    if choice in (None, "auto"):
        return list(tools), False
    if choice in ("none", False):
        return [], False
    if choice in ("any", "required", True):
        return list(tools), True
    found = [tool for tool in tools if tool.name == choice]
    if not found:
        names = ", ".join(tool.name for tool in tools) or "none"
        raise ModelInputError(f"There is no tool {choice!r} to choose; bound are: {names}.")
    return found, True


def with_system(turns: Sequence[Turn], text: str) -> list[Turn]:
    """The conversation with a paragraph more in its first system turn."""
    if turns and turns[0].speaker == "system":
        return [Turn("system", f"{turns[0].text}\n\n{text}"), *turns[1:]]
    return [Turn("system", text), *turns]


def asking(turns: Sequence[Turn], tools: Sequence[Tool], *, forced: bool, answered: bool) -> list[Turn]:
    """The conversation as it is shown to the model that is to choose a tool.

    Args:
        turns: the conversation.
        tools: those to choose from.
        forced: whether `none` is no answer.
        answered: whether the last turn is what a tool returned.
    """
    told = list(turns)
    if answered and not forced:
        told[-1] = Turn(told[-1].speaker, f"{told[-1].text}\n{_AGAIN}")
    lines = "\n".join(tool.line() for tool in tools)
    return with_system(told, f"These tools are available:\n{lines}\n{_CHOOSE[forced]}")


def call_id(prompt: Sequence[int], name: str) -> str:
    """A name for a call, decided by the conversation that led to it."""
    return "call_" + hashlib.sha256(repr((tuple(prompt), name)).encode()).hexdigest()[:24]
