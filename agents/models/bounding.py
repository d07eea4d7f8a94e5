"""Bounds for the schemas that people write, so that a model can be held to them.

Every text of a bounded schema is valid by the schema it came from: bounds are only ever narrowed. Strings have at most
200 characters, also where the schema allows more. Where it leaves something open, these limits are set: arrays and
objects of any fields of at most 8, integers of 9 digits, numbers of 9 digits before the point and 6 after. All
properties are written, also those that could be left out, and no others. Of a union the parts that can be held to are
kept. A schema that contains itself is followed twice and then ends, in an empty array or another part of a union. An
array of unique items has one item.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, NamedTuple

from .core import ModelInputError
from .schemas import FORMS, MAX_LENGTH, MAX_NUMBER, MAX_PLACES, MAX_RANGE, Schema, shape_of

STRING = 200
ITEMS = 8
LARGEST = 999_999_999
PLACES = 6
DEPTH = 2
"""How often a schema may contain itself."""
_ANNOTATIONS = {"title", "default", "examples", "example", "$schema", "$id", "$comment", "deprecated", "readOnly"}
_ANNOTATIONS |= {"writeOnly", "discriminator", "contentMediaType", "contentEncoding", "$defs", "definitions"}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "null": type(None),
    "integer": int,
    "number": (int, float),
    "array": list,
    "object": dict,
}
_BY_TYPE = {
    "string": {"minLength", "maxLength", "pattern", "format"},
    "integer": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "array": {"items", "prefixItems", "minItems", "maxItems", "uniqueItems"},
    "object": {"properties", "required", "additionalProperties", "minProperties", "maxProperties"},
}
_BY_TYPE["number"] = _BY_TYPE["integer"]
_SHORT_CLASSES = {r"^\d": "^[0-9]", r"^\w": "^[A-Za-z0-9_]"}


class _Root(NamedTuple):
    """What is being bounded."""

    schema: Schema
    longest: int


class _EndlessError(ModelInputError):
    """A schema that contains itself was followed far enough."""


def bounded(schema: Schema, longest: int = STRING) -> Schema:
    """A bounded schema, without references, whose texts are all valid by `schema`.

    Args:
        schema: any JSON schema.
        longest: characters of a string where the schema allows more.

    Raises:
        ModelInputError: the schema cannot be bounded; the message names the place. (What is bounded but cannot be
            held to, like most patterns, is refused by `shape_of`.)
    """
    return _bounded(schema, _Root(schema, longest), "the schema", ())


def _refuse(where: str, what: str) -> ModelInputError:
    return ModelInputError(f"A model cannot be held to this schema: {where} {what}.")


def _bounded(schema: Any, root: _Root, where: str, seen: tuple[str, ...]) -> Schema:
    if schema is True:
        schema = {}
    if not isinstance(schema, dict):
        raise _refuse(where, "is no schema that a value could fit")
    open_ = {key: value for key, value in schema.items() if key not in _ANNOTATIONS}
    description = {"description": open_.pop("description")} if "description" in open_ else {}
    return {**_kind(open_, root, where, seen), **description}


def _kind(schema: Schema, root: _Root, where: str, seen: tuple[str, ...]) -> Schema:
    if "$ref" in schema:
        _alone(schema, {"$ref"}, where)
        name = schema["$ref"]
        if seen.count(name) >= DEPTH:
            raise _EndlessError(f"A model cannot be held to this schema: {where} contains itself by {name}.")
        return _bounded(_resolve(name, root.schema, where), root, where, (*seen, name))
    for key in ("const", "enum"):
        if key in schema:
            return _listed(schema, key, where)
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            return _union(schema, union, root, where, seen)
    kind = schema.get("type")
    if isinstance(kind, list):
        options = [{**_only(schema, one), "type": one} for one in kind]
        return _union({"anyOf": options}, "anyOf", root, where, seen)
    match kind or _guess(schema):
        case "object":
            return _object(schema, root, where, seen)
        case "array":
            return _array(schema, root, where, seen)
        case "string":
            return _string(schema, where, root.longest)
        case "integer":
            return _integer(schema, where)
        case "number":
            return _number(schema, where)
        case None:
            _alone(schema, set(), where)
            simple = ({"type": "string"}, {"type": "number"}, {"type": "boolean"}, {"type": "null"})
            return {"anyOf": [_bounded(one, root, where, seen) for one in simple]}
        case _:
            return schema  # boolean and null need no bounds, and what is unknown `shape_of` refuses


def _guess(schema: Schema) -> str | None:
    """The type that keywords without a type speak of."""
    return next((kind for kind, keys in _BY_TYPE.items() if schema.keys() & keys), None)


def _only(schema: Schema, kind: str) -> Schema:
    """A schema without the keywords that speak of other types."""
    others = set().union(*_BY_TYPE.values()) - _BY_TYPE.get(kind, set())
    return {key: value for key, value in schema.items() if key not in others}


def _alone(schema: Schema, known: set[str], where: str) -> None:
    beside = sorted(schema.keys() - known)
    if beside:
        raise _refuse(where, f"uses {', '.join(beside)} where that is not supported")


def _resolve(name: str, root: Schema, where: str) -> Any:
    node: Any = root
    for part in name.removeprefix("#").strip("/").split("/") if name != "#" else ():
        if not name.startswith("#/") or not isinstance(node, dict) or part not in node:
            raise _refuse(where, f"refers to {name}, which does not exist in it")
        node = node[part]
    return node


def _listed(schema: Schema, key: str, where: str) -> Schema:
    _alone(schema, {key, "type"}, where)
    kinds = schema.get("type", list(_TYPES))
    kinds = kinds if isinstance(kinds, list) else [kinds]
    values = [schema[key]] if key == "const" else schema[key]
    fitting = [value for value in values if any(_is(value, kind) for kind in kinds)]
    if not fitting:
        raise _refuse(where, f"lists no value of the type {schema.get('type')}")
    return {"enum": fitting}


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, _TYPES.get(kind, ())) and (kind == "boolean" or not isinstance(value, bool))


def _union(schema: Schema, union: str, root: _Root, where: str, seen: tuple[str, ...]) -> Schema:
    _alone(schema, {union}, where)
    options = schema[union]
    if not options or (union == "allOf" and len(options) > 1):
        raise _refuse(where, f"has an {union} that is empty or has several parts")
    found: list[Schema] = []
    refused: list[ModelInputError] = []
    for option in options:
        try:
            found.append(_bounded(option, root, where, seen))
        except ModelInputError as error:
            refused.append(error)  # told below where no other part remains
    if not found:
        raise refused[0]
    return found[0] if len(found) == 1 else {"anyOf": found}


def _object(schema: Schema, root: _Root, where: str, seen: tuple[str, ...]) -> Schema:
    _alone(schema, _BY_TYPE["object"] | {"type"}, where)
    described: Schema = schema.get("properties", {})
    properties = {**described, **{name: {} for name in schema.get("required", ()) if name not in described}}
    more = schema.get("additionalProperties", True)
    low, high = schema.get("minProperties", 0), schema.get("maxProperties")
    if not properties and ("properties" in schema or more is False):
        return {"const": {}}
    if not properties:
        if low > 1:
            raise _refuse(where, "is an object of at least two fields that have no names")
        value = _bounded(more, root, f"a field of {where}", seen)
        most = ITEMS if high is None else min(high, ITEMS)
        return {"type": "object", "additionalProperties": value, "minProperties": low, "maxProperties": most}
    fields: Schema = {}
    for name, sub in properties.items():
        try:
            fields[name] = _bounded(sub, root, f"`{name}`", seen)
        except _EndlessError:
            if name in schema.get("required", ()):
                raise
    if not low <= len(fields) <= (len(fields) if high is None else high):
        raise _refuse(where, "describes another number of properties than it allows")
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def _array(schema: Schema, root: _Root, where: str, seen: tuple[str, ...]) -> Schema:
    _alone(schema, _BY_TYPE["array"] | {"type"}, where)
    low, high = schema.get("minItems", 0), schema.get("maxItems")
    items, row = schema.get("items", {}), schema.get("prefixItems")
    if row is None and isinstance(items, list):
        row = items
    if row and not schema.get("uniqueItems"):
        if not low <= len(row) <= (len(row) if high is None else high):
            raise _refuse(where, "describes another number of items than it allows")
        return {"type": "array", "prefixItems": [_bounded(one, root, f"an item of {where}", seen) for one in row]}
    high = min(ITEMS if high is None else high, max(ITEMS, low))
    if schema.get("uniqueItems"):
        high = min(high, 1)
    if low > high:
        raise _refuse(where, "asks for more items than a model can be held to")
    try:
        return {
            "type": "array",
            "items": _bounded(items, root, f"an item of {where}", seen),
            "minItems": low,
            "maxItems": high,
        }
    except _EndlessError:
        if low:
            raise
        return {"const": []}


def _string(schema: Schema, where: str, longest: int) -> Schema:
    _alone(schema, _BY_TYPE["string"] | {"type"}, where)
    lengths = {key: schema[key] for key in ("minLength", "maxLength", "pattern") if key in schema}
    if schema.get("format") in FORMS and not lengths:
        return {"type": "string", "format": schema["format"]}
    low = lengths.get("minLength", 0)
    high = min(lengths.get("maxLength", longest), max(longest, low), MAX_LENGTH)
    text: Schema = {"type": "string", "minLength": low, "maxLength": high}
    if "pattern" in lengths:
        pattern = lengths["pattern"]
        short = next((short for short in _SHORT_CLASSES if pattern.startswith(short)), "")
        text["pattern"] = pattern.replace(short, _SHORT_CLASSES[short], 1) if short else pattern
        shape_of(text, where)  # refused here already, so that a union can go on without it
    return text


def _limits(schema: Schema, step: Decimal, where: str) -> tuple[Decimal, Decimal]:
    """The least and the greatest multiple of `step` that a schema admits, within the limits."""
    for key in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        if key in schema and (isinstance(schema[key], bool) or not isinstance(schema[key], int | float)):
            raise _refuse(where, f"has the {key} {schema[key]!r}, which is no number")
    bounds = {key: Decimal(repr(schema[key])) / step for key in schema if key.startswith(("min", "max", "exclusive"))}
    lows = [
        *([bounds["minimum"].to_integral_value(ROUND_CEILING)] if "minimum" in bounds else []),
        *([bounds["exclusiveMinimum"].to_integral_value(ROUND_FLOOR) + 1] if "exclusiveMinimum" in bounds else []),
    ]
    highs = [
        *([bounds["maximum"].to_integral_value(ROUND_FLOOR)] if "maximum" in bounds else []),
        *([bounds["exclusiveMaximum"].to_integral_value(ROUND_CEILING) - 1] if "exclusiveMaximum" in bounds else []),
    ]
    wide = (Decimal(LARGEST) / step).to_integral_value(ROUND_FLOOR)
    low = max(lows, default=min(-wide, *(high - wide for high in highs), Decimal(0)))
    high = min(highs, default=max(wide, low + wide))
    most = (Decimal(MAX_NUMBER) / step).to_integral_value(ROUND_FLOOR)
    low, high = max(low, -most), min(high, most)
    if low > high:
        raise _refuse(where, "has a minimum and maximum with nothing between them")
    return low * step, high * step


def _integer(schema: Schema, where: str) -> Schema:
    _alone(schema, _BY_TYPE["integer"] | {"type", "format"}, where)
    step = schema.get("multipleOf", 1)
    if isinstance(step, bool) or not isinstance(step, int) or step < 1:
        raise _refuse(where, f"has the multipleOf {step!r}, which is no positive integer")
    low, high = (int(limit) for limit in _limits(schema, Decimal(step), where))
    if step == 1:
        return {"type": "integer", "minimum": low, "maximum": high}
    first = max(low, min(0, high) - MAX_RANGE // 2 * step) if high < 0 or low < 0 else low
    return {"enum": list(range(first, min(high, first + (MAX_RANGE - 1) * step) + 1, step))}


def _number(schema: Schema, where: str) -> Schema:
    _alone(schema, _BY_TYPE["number"] | {"type", "format"}, where)
    step = Decimal(repr(schema.get("multipleOf", 10.0**-PLACES)))
    if step not in {Decimal(1).scaleb(-places) for places in range(MAX_PLACES + 1)}:
        raise _refuse(where, f"has the multipleOf {schema['multipleOf']!r}, which is no power of ten")
    low, high = _limits(schema, step, where)
    return {"type": "number", "minimum": float(low), "maximum": float(high), "multipleOf": float(step)}
