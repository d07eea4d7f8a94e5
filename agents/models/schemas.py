"""Bounded JSON schemas: the subset that a small model can be held to, and how a value is checked against it.

Accepted are:

- objects whose properties all are required and written in order, or whose fields share one schema (`maxProperties`);
- arrays with `maxItems`, or with `prefixItems` alone;
- strings with `enum`, `const`, `maxLength` (and optionally a `pattern` that is one repeated character class), or a
  `format` of fixed form;
- booleans, null, integers with both bounds, and numbers by `enum` or with both bounds and a power of ten as
  `multipleOf`;
- `anyOf`/`oneOf` of these, and `$ref` into the schema's own `$defs` without recursion.

All else is refused: a schema without bounds lets a model run to its budget and leaves JSON cut in half.
"""

import re
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

from .core import ModelInputError

Schema = dict[str, Any]
MAX_ITEMS = 64
MAX_LENGTH = 2000
PLAIN_TEXT = "[^\\x00-\\x1f]"
"""The characters of a string without a pattern."""
MAX_NAME = 40
"""Characters of a field's name where the schema does not give it."""
MAX_RANGE = 1000
"""Up to so many integers are written out as an enumeration; more are written digit by digit."""
MAX_NUMBER = 10**15
"""Numbers lie within plus and minus this, so that a double holds every one of them exactly enough."""
MAX_PLACES = 9
_PATTERN = re.compile(r"\^(\[(?:[^\]\\]|\\.)+\])(?:\*|\+|\{\d+(?:,\d*)?\})\$")
_KNOWN = {"type", "properties", "required", "additionalProperties", "items", "minItems", "maxItems", "enum", "const"}
_KNOWN |= {"minLength", "maxLength", "pattern", "minimum", "maximum", "anyOf", "oneOf", "allOf", "$ref", "$defs"}
_KNOWN |= {"definitions", "title", "description", "default", "$schema", "examples"}
_KNOWN |= {"multipleOf", "format", "prefixItems", "minProperties", "maxProperties"}
_DAY = ("19|20", "[0-9]{2}", "-", "0[1-9]|1[0-2]", "-", "0[1-9]|1[0-9]|2[0-8]")
_TIME = ("[01][0-9]|2[0-3]", ":", "[0-5][0-9]", ":", "[0-5][0-9]", "Z")


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
class Number:
    """A number from `low` to `high` in plain decimal notation, with at most `places` digits after the point."""

    low: Decimal
    high: Decimal
    places: int
    """0: an integer."""


@dataclass(frozen=True)
class Form:
    """A string of a fixed form: parts in order, each one of several `|` runs of characters (see `FORMS`)."""

    parts: tuple[str, ...]


FORMS = {
    "date": Form(_DAY),
    "time": Form(_TIME),
    "date-time": Form((*_DAY, "T", *_TIME)),
    "uuid": Form(
        ("[0-9a-f]{8}", "-", "[0-9a-f]{4}", "-", "4[0-9a-f]{3}", "-", "[89ab][0-9a-f]{3}", "-", "[0-9a-f]{12}")
    ),
}
"""The values of `format` that bound a string. Dates end on the 28th, so that every one exists."""


@dataclass(frozen=True)
class Map:
    """An object with up to `maximum` fields whose names and values have one shape each."""

    name: Text
    value: "Shape"
    minimum: int
    maximum: int


@dataclass(frozen=True)
class Row:
    """An array with a shape for each place."""

    items: tuple["Shape", ...]


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


Shape = Words | Text | Number | Form | List | Row | Record | Map | Either
"""A schema that was found bounded."""


def shape_of(schema: Schema, where: str = "the schema") -> Shape:
    """The bounded shape that a JSON schema describes; an error calls it `where`.

    Raises:
        ModelInputError: the schema is unbounded or uses what cannot be held to; the message names the place.
    """
    return _shape(schema, schema, where, ())


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
            return _integer(schema, where)
        case "number":
            return _number(schema, where)
        case other:
            raise _refuse(where, f"has the type {other!r}, which is not supported")


def _integer(schema: Schema, where: str) -> Words | Number:
    low, high = schema.get("minimum"), schema.get("maximum")
    if not isinstance(low, int) or not isinstance(high, int) or not -MAX_NUMBER <= low <= high <= MAX_NUMBER:
        raise _refuse(where, f"is an integer without a minimum and maximum within {MAX_NUMBER:.0e}")
    if "multipleOf" in schema:
        raise _refuse(where, "is an integer with multipleOf: list its values as enum")
    if high - low < MAX_RANGE:
        return Words(tuple(range(low, high + 1)))
    return Number(Decimal(low), Decimal(high), 0)


def _number(schema: Schema, where: str) -> Number:
    low, high, step = (schema.get(key) for key in ("minimum", "maximum", "multipleOf"))
    numeric = all(isinstance(value, int | float) for value in (low, high, step))
    places = {10.0**-n: n for n in range(MAX_PLACES + 1)}.get(float(step or 0))
    if not numeric or places is None or not -MAX_NUMBER <= low <= high <= MAX_NUMBER:  # type: ignore[operator]
        raise _refuse(
            where, "is a number without enum, or without minimum, maximum and a power of ten as multipleOf (0.01)"
        )
    number = Number(Decimal(repr(low)), Decimal(repr(high)), places)
    grid = Decimal(1).scaleb(-places)
    if number.low.quantize(grid, ROUND_CEILING) > number.high:
        raise _refuse(where, "is a number whose minimum and maximum have no multiple between them")
    return number


def _map(schema: Schema, root: Schema, where: str, seen: tuple[str, ...]) -> Map:
    low, high = schema.get("minProperties", 0), schema.get("maxProperties")
    if not isinstance(high, int) or not 0 <= low <= min(high, 1) or high > MAX_ITEMS:
        raise _refuse(where, f"is an object of any fields without a maxProperties of at most {MAX_ITEMS}")
    value = _shape(schema["additionalProperties"], root, f"a field of {where}", seen)
    return Map(Text(1, MAX_NAME, "[A-Za-z0-9_ .-]"), value, low, high)


def _row(schema: Schema, root: Schema, where: str, seen: tuple[str, ...]) -> Row:
    items = schema["prefixItems"]
    if (
        not items
        or schema.get("minItems", len(items)) != len(items)
        or schema.get("maxItems", len(items)) != len(items)
    ):
        raise _refuse(where, "has prefixItems and another number of items")
    return Row(tuple(_shape(item, root, f"item {i} of {where}", seen) for i, item in enumerate(items, 1)))


def _record(schema: Schema, root: Schema, where: str, seen: tuple[str, ...]) -> Record | Map:
    properties: dict[str, Schema] = schema.get("properties", {})
    if not properties and isinstance(schema.get("additionalProperties"), dict):
        return _map(schema, root, where, seen)
    if not properties:
        raise _refuse(where, "is an object without properties")
    if schema.get("additionalProperties") not in (None, False):
        raise _refuse(where, "allows additional properties")
    if not set(schema.get("required", ())) <= set(properties):
        raise _refuse(where, "requires a property that it does not describe")
    return Record(tuple((name, _shape(sub, root, f"`{name}`", seen)) for name, sub in properties.items()))


def _list(schema: Schema, root: Schema, where: str, seen: tuple[str, ...]) -> List | Row:
    if "prefixItems" in schema:
        return _row(schema, root, where, seen)
    low, high = schema.get("minItems", 0), schema.get("maxItems")
    if not isinstance(high, int) or not 0 <= low <= high <= MAX_ITEMS:
        raise _refuse(where, f"is an array without a maxItems of at most {MAX_ITEMS}")
    if not isinstance(schema.get("items"), dict):
        raise _refuse(where, "is an array that does not describe its items")
    return List(_shape(schema["items"], root, f"an item of {where}", seen), low, high)


def _text(schema: Schema, where: str) -> Text | Form:
    if schema.get("format") in FORMS and not schema.keys() & {"pattern", "minLength", "maxLength"}:
        return FORMS[schema["format"]]
    low, high = schema.get("minLength", 0), schema.get("maxLength")
    if not isinstance(high, int) or not 0 <= low <= high <= MAX_LENGTH:
        raise _refuse(where, f"is a string without enum or a maxLength of at most {MAX_LENGTH}")
    pattern = schema.get("pattern")
    if pattern is None:
        return Text(low, high, PLAIN_TEXT)
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
        case Number():
            return _off_number(shape, value, where)
        case Form(parts):
            if not isinstance(value, str) or not re.fullmatch("".join(f"({part})" for part in parts), value):
                return f"{where} does not have the form that its format asks for"
        case List() | Row():
            return _off_list(shape, value, where)
        case Record() | Map():
            return _off_object(shape, value, where)
        case Either(shapes):
            if all(violation(one, value, where) for one in shapes):
                return f"{where} fits none of {len(shapes)} shapes"
    return None


def _off_number(shape: Number, value: Any, where: str) -> str | None:
    # True is an int in Python, but not in JSON
    if not isinstance(value, int if shape.places == 0 else int | float) or isinstance(value, bool):
        return f"{where} is not {'an integer' if shape.places == 0 else 'a number'}"
    exact = Decimal(repr(value))
    if not exact.is_finite() or not shape.low <= exact <= shape.high:
        return f"{where} is not between {shape.low} and {shape.high}"
    if exact != exact.quantize(Decimal(1).scaleb(-shape.places)):
        return f"{where} has more than {shape.places} digits after the point"
    return None


def _off_list(shape: List | Row, value: Any, where: str) -> str | None:
    low, high = (shape.minimum, shape.maximum) if isinstance(shape, List) else (len(shape.items),) * 2
    if not isinstance(value, list) or not low <= len(value) <= high:
        return f"{where} is not a list of {low} to {high} items"
    items = [shape.item] * len(value) if isinstance(shape, List) else shape.items
    faults = (
        violation(item, one, f"item {i} of {where}") for i, (item, one) in enumerate(zip(items, value, strict=True), 1)
    )
    return next((fault for fault in faults if fault), None)


def _off_object(shape: Record | Map, value: Any, where: str) -> str | None:
    if isinstance(shape, Record):
        if not isinstance(value, dict) or set(value) != {name for name, _ in shape.fields}:
            return f"{where} does not have exactly the fields {', '.join(name for name, _ in shape.fields)}"
        faults = (violation(sub, value[name], f"`{name}`") for name, sub in shape.fields)
        return next((fault for fault in faults if fault), None)
    if not isinstance(value, dict) or not shape.minimum <= len(value) <= shape.maximum:
        return f"{where} is not an object of {shape.minimum} to {shape.maximum} fields"
    for name, one in value.items():
        fault = violation(shape.name, name, f"a name in {where}") or violation(shape.value, one, f"`{name}`")
        if fault:
            return fault
    return None
