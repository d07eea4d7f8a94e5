import json
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from paperdesk.agents.models.bounding import ITEMS, STRING, bounded
from paperdesk.agents.models.core import ModelInputError
from paperdesk.agents.models.grammar import Grammar
from paperdesk.agents.models.schemas import shape_of

BOUND = st.integers(-(10**12), 10**12) | st.integers(-5, 5)


def _with(base: dict[str, Any], **options: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A schema with any of the options."""
    return st.fixed_dictionaries({}, optional=options).map(lambda given: {**base, **given})


LEAVES = st.one_of(
    _with({"type": "string"}, minLength=st.integers(0, 20), maxLength=st.integers(20, 5000), title=st.just("T")),
    _with({"type": "integer"}, minimum=BOUND) | _with({"type": "integer"}, exclusiveMaximum=BOUND),
    _with({"type": "integer"}, minimum=st.integers(-9, 0), maximum=st.integers(0, 10**7), multipleOf=st.integers(1, 9)),
    _with({"type": "number"}, minimum=BOUND) | _with({"type": "number"}, exclusiveMaximum=st.floats(-1e9, 1e9)),
    _with({"type": "number", "exclusiveMinimum": 0, "maximum": 1}),
    st.sampled_from([{}, True, {"type": "boolean"}, {"type": ["string", "null"], "minLength": 2}, {"type": "object"}]),
    st.sampled_from([{"enum": ["a", 1, None], "type": ["string", "integer"]}, {"const": "é"}, {"type": "array"}]),
    st.sampled_from([{"type": "string", "format": form} for form in ("date", "time", "date-time", "uuid", "email")]),
    st.sampled_from([{"type": "string", "pattern": r"^\d{3}$"}, {"type": "string", "pattern": "^[A-Z]+$"}]),
)


def _objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    fields = st.dictionaries(st.text(max_size=4), inner, max_size=3)
    return st.tuples(fields, st.booleans(), st.sampled_from([{}, {"additionalProperties": True}])).map(
        lambda parts: {"type": "object", "properties": parts[0], "required": list(parts[0])[parts[1] :], **parts[2]}
    )


SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        _objects(inner),
        inner.map(lambda item: {"type": "object", "additionalProperties": item}),
        st.tuples(inner, st.integers(0, 2)).map(lambda p: {"type": "array", "items": p[0], "minItems": p[1]}),
        inner.map(lambda item: {"type": "array", "items": item, "uniqueItems": True}),
        st.lists(inner, min_size=1, max_size=2).map(lambda items: {"type": "array", "prefixItems": items}),
        st.lists(inner, min_size=1, max_size=2).map(lambda options: {"anyOf": options, "description": "either"}),
    ),
    max_leaves=4,
)


def written(schema: Any, seed: int, *, wide: bool = False) -> Any:
    """A value that a model could write: any byte that may follow, ends of strings more often than by chance."""
    rng = np.random.default_rng(seed)
    grammar, text = Grammar.of(shape_of(schema), wide=wide), b""
    while not grammar.complete:
        choices = sorted(grammar.next_bytes())
        quote = ord('"') in choices and rng.random() < 0.2
        byte = b'"' if quote else bytes([choices[rng.integers(len(choices))]])
        after = grammar.after(byte)
        assert after is not None
        text, grammar = text + byte, after
    return json.loads(text)


@settings(max_examples=150)
@given(schema=SCHEMAS, seed=st.integers(0, 2**32 - 1), wide=st.booleans())
def test_whatever_a_bounded_schema_admits_is_valid_by_the_schema_it_came_from(
    schema: Any, seed: int, wide: bool
) -> None:
    value = written(bounded(schema), seed, wide=wide)
    jsonschema.Draft202012Validator(schema).validate(value)


class Side(Enum):
    BUY = "buy"
    SELL = "sell"


class Leg(BaseModel):
    name: str
    parts: list["Leg"] = []


class Order(BaseModel):
    """What ordinary people write."""

    side: Side
    kind: Literal["limit", "market"] = "limit"
    quantity: int = Field(gt=0)
    price: float | None = Field(default=None, gt=0, lt=1000)
    day: date
    at: datetime
    clock: time
    id: UUID
    lot: Annotated[int, Field(multiple_of=100, ge=0)]
    code: Annotated[str, Field(pattern=r"^\d{4}$")]
    weights: dict[str, float]
    pair: tuple[int, str]
    tags: set[str] = set()
    notes: list[str]
    legs: list[Leg]
    other: Any = None
    extra: dict[str, Any] = {}


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32 - 1))
def test_an_awkward_pydantic_model_accepts_what_is_written(seed: int) -> None:
    Order.model_validate(written(bounded(Order.model_json_schema()), seed))


def test_a_decimal_is_written_as_a_number_or_as_its_own_pattern_allows() -> None:
    class Price(BaseModel):
        value: Decimal

    schema = bounded(Price.model_json_schema())
    assert all("pattern" not in part for part in schema["properties"]["value"].get("anyOf", ()))


def test_open_ends_get_the_limits_that_are_documented() -> None:
    found = bounded({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "array"}}})
    assert found["properties"]["a"]["maxLength"] == STRING
    assert found["properties"]["b"]["maxItems"] == ITEMS
    assert bounded({"type": "string"}, 20)["maxLength"] == 20
    assert bounded({"type": "integer", "minimum": 5})["minimum"] == 5


def test_a_schema_that_contains_itself_ends() -> None:
    assert written(bounded(Leg.model_json_schema()), 3)["parts"] is not None
    endless = {"$ref": "#/$defs/a", "$defs": {"a": {"properties": {"a": {"$ref": "#/$defs/a"}}, "required": ["a"]}}}
    with pytest.raises(ModelInputError, match="contains itself"):
        bounded(endless)


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "string", "pattern": "(a|b)+"}, "only one repeated character class"),
        ({"type": "integer", "minimum": 3, "maximum": 2}, "nothing between"),
        ({"type": "number", "multipleOf": 0.3}, "no power of ten"),
        ({"type": "number", "minimum": "low"}, "is no number"),
        ({"type": "array", "items": {}, "minItems": 2, "uniqueItems": True}, "more items"),
        ({"type": "object", "minProperties": 2}, "no names"),
        ({"type": "object", "patternProperties": {}}, "patternProperties"),
        ({"allOf": [{"type": "string"}, {"minLength": 1}]}, "several parts"),
        ({"anyOf": []}, "empty"),
        ({"enum": ["a"], "type": "integer"}, "lists no value"),
        ({"properties": {"a": False}}, "no schema that a value could fit"),
        ({"$ref": "other.json"}, "does not exist"),
        ({"not": {}}, "uses not"),
    ],
)
def test_what_cannot_be_bounded_is_refused_in_a_sentence(schema: dict[str, Any], reason: str) -> None:
    with pytest.raises(ModelInputError, match=reason) as caught:
        shape_of(bounded(schema))
    assert str(caught.value).endswith(".")
