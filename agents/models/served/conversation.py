"""The words that go to a server: a question for an option, and the request for the object that follows it.

Where the server holds an answer to a schema, the schema is all that is said about the form. Where it does not, the form
is asked for in the prompt, and an answer in another form is refused.
"""

import json
from collections.abc import Sequence
from typing import Any

from ..core import Request
from ..schemas import Schema
from .capabilities import Hold

VERSION = 1
"""Of the wording; part of a fingerprint."""
Message = dict[str, Any]


def option_schema(options: Sequence[str]) -> Schema:
    """The schema of `{"answer": <an option>}`."""
    return {
        "type": "object",
        "properties": {"answer": {"type": "string", "enum": list(options)}},
        "required": ["answer"],
        "additionalProperties": False,
    }


def option_messages(request: Request, text: str, hold: Hold) -> list[Message]:
    """The messages after which the model names one of the request's options."""
    words = ", ".join(request.options)
    match hold:
        case "json_schema" | "json_object_schema":
            form = ""
        case "json_object":
            form = f'\n\nAnswer with a JSON object {{"answer": X}} and nothing else, X being one of: {words}.'
        case "text":
            form = f"\n\nAnswer with exactly one of these and nothing else: {words}."
    return [*_system(request), {"role": "user", "content": request.prefix + text + form}]


def object_messages(request: Request, text: str, said: str, schema: Schema, hold: Hold) -> list[Message]:
    """The messages after which the model writes an object of the schema.

    Args:
        request: what is asked.
        text: of the question.
        said: the option that was chosen, with the lead-in; may be empty.
        schema: of the object.
        hold: what the server can hold the answer to.
    """
    form = "Now the JSON object."
    if hold in ("json_object", "text"):
        form += f" It must fit this JSON Schema: {json.dumps(schema)}\nWrite the object and nothing else."
    question = {"role": "user", "content": request.prefix + text}
    if said:
        return [*_system(request), question, {"role": "assistant", "content": said}, {"role": "user", "content": form}]
    if hold in ("json_object", "text"):
        question["content"] += f"\n\n{form}"
    return [*_system(request), question]


def _system(request: Request) -> list[Message]:
    return [{"role": "system", "content": request.system}] if request.system else []
