"""Bounded JSON schemas: the subset that a small model can be held to, and how a value is checked against it.

Accepted: objects whose properties all are required and written in order, arrays with `maxItems`, strings with `enum`,
`const` or `maxLength` (and optionally a `pattern` that is one repeated character class), booleans, null, integers
with both bounds, numbers by `enum`, `anyOf`/`oneOf` of these, and `$ref` into the schema's own `$defs` without
recursion. All else is refused: a schema without bounds lets a model run to its budget and leaves JSON cut in half.
"""

import re
from dataclasses import dataclass
from typing import Any

from .core import ModelInputError

Schema = dict[str, Any]
MAX_ITEMS = 64
MAX_LENGTH = 2000
MAX_RANGE = 1000
"""Integers are written out as an enumeration: at most so many values."""
_PATTERN = re.compile(r"\^(\[(?:[^\]\\]|\\.)+\])(?:\*|\+|\{\d+(?:,\d*)?\})\$")
_KNOWN = {"type", "properties", "required", "additionalProperties", "items", "minItems", "maxItems", "enum", "const"}
_KNOWN |= {"minLength", "maxLength", "pattern", "minimum", "maximum", "anyOf", "oneOf", "allOf", "$ref", "$defs"}
_KNOWN |= {"definitions", "title", "description", "default", "$schema", "examples"}


@dataclass(frozen=True)
class Words:
    """One of a few values, each written as JSON."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Text:
    """A string of `minimum` to `maximum` characters, all of the class `characters` (a regular expression)."""

    minimum: int
    maximum: int
    characters: str


@dataclass(frozen=True)
class List:
    """`minimum` to `maximum` items of one shape."""

    item: "Shape"
    minimum: int
    maximum: int


@dataclass(frozen=True)
class Record:
    """An object with these fields, in this order."""

    fields: tuple[tuple[str, "Shape"], ...]


@dataclass(frozen=True)
class Either:
    """Any of several shapes."""

    shapes: tuple["Shape", ...]


Shape = Words | Text | List | Record | Either
"""A schema that was found bounded."""


def shape_of(schema: Schema) -> Shape:
    """The bounded shape that a JSON schema describes.

    Raises:
        ModelInputError: the schema is unbounded or uses what cannot be held to; the message names the place.
    """
    return _shape(schema, schema, "the schema", ())


def _refuse(where: str, what: str) -> ModelInputError:
    return ModelInputError(f"A model cannot be held to this schema: {where} {what}.")


def _shape(schema: Schema, root: Schema, where: str, seen: tuple[str, ...]) -> Shape:
    unknown = sorted(schema.keys() - _KNOWN)
    if unknown:
        raise _refuse(where, f"uses {', '.join(unknown)}, which is not supported")
    if "$ref" in schema:
        name = schema["$ref"]
        if name in seen:
            raise _refuse(where, f"refers to itself by {name}, so it has no bound")
        return _shape(_resolve(name, root, where), root, where, (*seen, name))
    if "const" in schema:
        return Words((schema["const"],))
    if "enum" in schema:
        if not schema["enum"]:
            raise _refuse(where, "has an empty enum")
        return Words(tuple(schema["enum"]))
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            options = schema[union]
            if not options or (union == "allOf" and len(options) > 1):
                raise _refuse(where, f"has an {union} that is empty or has several parts")
            return Either(tuple(_shape(option, root, where, seen) for option in options))
    return _typed(schema, root, where, seen)


def _resolve(name: str, root: Schema, where: str) -> Schema:
    node: Any = root
    if not name.startswith("#/"):
        raise _refuse(where, f"refers to {name}, which is outside of it")
    for part in name[2:].split("/"):
        if not isinstance(node, dict) or part not in node:
            raise _refuse(where, f"refers to {name}, which does not exist")
        node = node[part]
    resolved: Schema = node
    return resolved


def _typed(schema: Schema, root: Schema, where: str, seen: tuple[str, ...]) -> Shape:
    match schema.get("type"):
        case "object":
            return _record(schema, root, where, seen)
        case "array":
            return _list(schema, root, where, seen)
        case "string":
            return _text(schema, where)
        case "boolean":
            return Words((True, False))
        case "null":
            return Words((None,))
        case "integer":
            low, high = schema.get("minimum"), schema.get("maximum")
            if not isinstance(low, int) or not isinstance(high, int) or not 0 <= high - low < MAX_RANGE:
                raise _refuse(where, f"is an integer without a minimum and maximum at most {MAX_RANGE} apart")
            return Words(tuple(range(low, high + 1)))
        case "number":
            raise _refuse(where, "is a number without enum")
        case other:
            raise _refuse(where, f"has the type {other!r}, which is not supported")


def _record(schema: Schema, root: Schema, where: str, seen: tuple[str, ...]) -> Record:
    properties: dict[str, Schema] = schema.get("properties", {})
    if not properties:
        raise _refuse(where, "is an object without properties")
    if schema.get("additionalProperties") not in (None, False):
        raise _refuse(where, "allows additional properties")
    if not set(schema.get("required", ())) <= set(properties):
        raise _refuse(where, "requires a property that it does not describe")
    return Record(tuple((name, _shape(sub, root, f"`{name}`", seen)) for name, sub in properties.items()))


def _list(schema: Schema, root: Schema, where: str, seen: tuple[str, ...]) -> List:
    low, high = schema.get("minItems", 0), schema.get("maxItems")
    if not isinstance(high, int) or not 0 <= low <= high <= MAX_ITEMS:
        raise _refuse(where, f"is an array without a maxItems of at most {MAX_ITEMS}")
    if not isinstance(schema.get("items"), dict):
        raise _refuse(where, "is an array that does not describe its items")
    return List(_shape(schema["items"], root, f"an item of {where}", seen), low, high)


def _text(schema: Schema, where: str) -> Text:
    low, high = schema.get("minLength", 0), schema.get("maxLength")
    if not isinstance(high, int) or not 0 <= low <= high <= MAX_LENGTH:
        raise _refuse(where, f"is a string without enum or a maxLength of at most {MAX_LENGTH}")
    pattern = schema.get("pattern")
    if pattern is None:
        return Text(low, high, "[^\\x00-\\x1f]")
    found = _PATTERN.fullmatch(pattern)
    if found is None or not _is_class(found[1]):
        raise _refuse(
            where, f"has the pattern {pattern!r}: only one repeated character class like ^[A-Za-z ]*$ is supported"
        )
    repeat = pattern[len(found[1]) + 1 : -1]
    if repeat == "+":
        low = max(low, 1)
    elif repeat != "*":
        first, _, last = repeat[1:-1].partition(",")
        low, high = max(low, int(first)), min(high, int(last) if last else high if "," in repeat else int(first))
    if low > high:
        raise _refuse(where, "has a pattern and lengths that exclude each other")
    return Text(low, high, found[1])


def _is_class(characters: str) -> bool:
    try:
        re.compile(characters)
    except re.error:
        return False
    return True


def violation(shape: Shape, value: Any, where: str = "the answer") -> str | None:
    """What is wrong with a value, as a clause; None if it fits the shape."""
    match shape:
        case Words(values):
            # True == 1 in Python, but not in JSON
            if not any(type(value) is type(one) and value == one for one in values):
                return f"{where} is {value!r}, not one of {len(values)} allowed values"
        case Text(low, high, characters):
            if not isinstance(value, str) or not low <= len(value) <= high:
                return f"{where} is not a string of {low} to {high} characters"
            if not re.fullmatch(f"{characters}*", value):
                return f"{where} has a character outside {characters}"
        case List(item, low, high):
            if not isinstance(value, list) or not low <= len(value) <= high:
                return f"{where} is not a list of {low} to {high} items"
            faults = (violation(item, one, f"item {i} of {where}") for i, one in enumerate(value, 1))
            return next((fault for fault in faults if fault), None)
        case Record(fields):
            if not isinstance(value, dict) or set(value) != {name for name, _ in fields}:
                return f"{where} does not have exactly the fields {', '.join(name for name, _ in fields)}"
            faults = (violation(sub, value[name], f"`{name}`") for name, sub in fields)
            return next((fault for fault in faults if fault), None)
        case Either(shapes):
            if all(violation(one, value, where) for one in shapes):
                return f"{where} fits none of {len(shapes)} shapes"
    return None
