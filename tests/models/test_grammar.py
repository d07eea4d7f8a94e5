import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.agents.models.core import ModelInputError
from paperdesk.agents.models.grammar import Grammar, longest
from paperdesk.agents.models.schemas import shape_of, violation

LEAVES = st.one_of(
    st.lists(st.text(max_size=5), min_size=1, max_size=4, unique=True).map(lambda words: {"enum": words}),
    st.tuples(st.integers(0, 3), st.integers(3, 9)).map(
        lambda ends: {"type": "string", "minLength": ends[0], "maxLength": ends[1]}
    ),
    st.just({"type": "string", "maxLength": 6, "pattern": "^[A-Za-z ]*$"}),
    st.tuples(st.integers(-20, 5), st.integers(5, 120)).map(
        lambda ends: {"type": "integer", "minimum": ends[0], "maximum": ends[1]}
    ),
    st.just({"enum": [0.25, 1.5, -3, "x", None, True]}),
    st.tuples(st.integers(-(10**6), 10), st.integers(10, 10**6)).map(
        lambda ends: {"type": "integer", "minimum": ends[0], "maximum": ends[1]}
    ),
    st.tuples(st.integers(-1000, 1000), st.integers(0, 1000), st.integers(0, 4)).map(
        lambda n: {"type": "number", "minimum": n[0] / 7, "maximum": n[0] / 7 + n[1] + 1, "multipleOf": 10.0 ** -n[2]}
    ),
    st.sampled_from([{"type": "string", "format": form} for form in ("date", "time", "date-time", "uuid")]),
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {"const": "é"}]),
)


def _objects(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.text(max_size=4), inner, min_size=1, max_size=3).map(
        lambda fields: {
            "type": "object",
            "properties": fields,
            "required": list(fields),
            "additionalProperties": False,
        }
    )


def _lists(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(inner, st.integers(0, 2), st.integers(2, 3)).map(
        lambda parts: {"type": "array", "items": parts[0], "minItems": parts[1], "maxItems": parts[2]}
    )


def _maps(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return inner.map(lambda value: {"type": "object", "additionalProperties": value, "maxProperties": 2})


def _rows(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.lists(inner, min_size=1, max_size=3).map(lambda items: {"type": "array", "prefixItems": items})


def _unions(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.lists(inner, min_size=1, max_size=2).map(lambda options: {"anyOf": options})


def _multiple(_validator: Any, step: float, value: Any, _schema: Any) -> Iterator[jsonschema.ValidationError]:
    # the library divides doubles, and 0.3 is then no multiple of 0.1
    if not isinstance(value, bool) and isinstance(value, int | float) and Decimal(repr(value)) % Decimal(repr(step)):
        yield jsonschema.ValidationError(f"{value} is not a multiple of {step}")


EXACT = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"multipleOf": _multiple})
SCHEMAS = _objects(
    st.recursive(
        LEAVES,
        lambda inner: st.one_of(_objects(inner), _lists(inner), _unions(inner), _maps(inner), _rows(inner)),
        max_leaves=4,
    )
)


@given(schema=SCHEMAS, seed=st.integers(0, 2**32 - 1))
def test_whatever_the_grammar_admits_is_valid_by_the_schema(schema: dict[str, Any], seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = shape_of(schema)
    grammar, text = Grammar.of(shape), b""
    while not grammar.complete:
        choices = sorted(grammar.next_bytes())
        byte = bytes([choices[rng.integers(len(choices))]])
        after = grammar.after(byte)
        assert after is not None
        text, grammar = text + byte, after
    value = json.loads(text)
    EXACT(schema).validate(value)
    assert violation(shape, value) is None
    assert len(text) <= longest(shape)


@given(schema=SCHEMAS)
def test_forced_text_is_whole_characters_and_can_follow(schema: dict[str, Any]) -> None:
    grammar = Grammar.of(shape_of(schema))
    text, rest = grammar.forced()
    assert text.decode()
    after = grammar.after(text)
    assert after is not None
    assert after.next_bytes() == rest.next_bytes()


def test_forced_text_stops_before_a_character_whose_first_byte_is_shared() -> None:
    grammar = Grammar.of(shape_of({"type": "object", "properties": {"a": {"enum": ["é", "è"]}}}))
    assert grammar.forced()[0].decode() == '{"a":"'


def test_a_word_that_begins_another_is_still_distinguished() -> None:
    grammar = Grammar.of(shape_of({"type": "object", "properties": {"a": {"enum": ["E1", "E10"]}}}))
    after = grammar.after(b'{"a":"E1')
    assert after is not None
    assert after.next_bytes() == frozenset(b'0"')


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "object", "properties": {"a": {"type": "array", "items": {"const": 1}}}}, "without a maxItems"),
        ({"type": "object", "properties": {"a": {"type": "string"}}}, "maxLength"),
        (
            {"type": "object", "properties": {"a": {"type": "number", "minimum": 0, "maximum": 1}}},
            "number without enum",
        ),
        ({"type": "object", "properties": {"a": {"type": "integer", "minimum": 0}}}, "integer without"),
        ({"type": "integer", "minimum": 0, "maximum": 10**30}, "integer without"),
        ({"type": "number", "minimum": 0, "maximum": 1, "multipleOf": 0.3}, "power of ten"),
        ({"type": "number", "minimum": 0.2, "maximum": 0.3, "multipleOf": 1}, "no multiple between"),
        ({"type": "object", "additionalProperties": {"const": 1}}, "without a maxProperties"),
        ({"type": "array", "prefixItems": [{"const": 1}], "maxItems": 0}, "another number of items"),
        ({"type": "object"}, "without properties"),
        ({"type": "object", "properties": {"a": {"$ref": "#"}}}, "outside|refers to itself"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}}}, "refers to itself"),
        ({"$ref": "#/$defs/b", "$defs": {}}, "does not exist"),
        ({"type": "string", "maxLength": 9, "pattern": "(a|b)+"}, "only one repeated character class"),
        ({"type": "string", "maxLength": 9, "pattern": "^[z-a]*$"}, "only one repeated character class"),
        ({"type": "string", "maxLength": 10**9}, "maxLength"),
        ({"type": "object", "properties": {"a": {"const": 1}}, "patternProperties": {}}, "patternProperties"),
        ({"enum": []}, "empty enum"),
    ],
)
def test_an_unbounded_schema_is_refused_in_a_sentence(schema: dict[str, Any], reason: str) -> None:
    with pytest.raises(ModelInputError, match=reason) as caught:
        shape_of(schema)
    assert str(caught.value).endswith(".")


def test_a_pattern_without_a_plain_character_is_refused() -> None:
    with pytest.raises(ModelInputError, match="no plain character"):
        Grammar.of(shape_of({"type": "string", "maxLength": 3, "pattern": '^["]*$'}))


@pytest.mark.parametrize("value", [{"a": 1.0}, {"a": True}, {"a": "x", "b": 1}, [], {"a": "xx"}])
def test_a_value_that_does_not_fit_is_told(value: Any) -> None:
    assert violation(shape_of({"type": "object", "properties": {"a": {"enum": [1, "x"]}}}), value) is not None


@given(low=st.decimals(-50, 50, places=2), width=st.decimals(0, 30, places=2), places=st.integers(0, 2))
def test_the_numerals_of_a_range_are_exactly_those_within_it(low: Decimal, width: Decimal, places: int) -> None:
    high, step = low + width, Decimal(1).scaleb(-places)
    schema = {"type": "number", "minimum": float(low), "maximum": float(high), "multipleOf": float(step)}
    inside = [k for k in range(-8100, 8101) if low <= k * step <= high]
    if not inside:
        with pytest.raises(ModelInputError, match="no multiple"):
            shape_of(schema)
        return
    grammar = Grammar.of(shape_of(schema))
    for k in {inside[0] - 1, inside[0], inside[len(inside) // 2], inside[-1], inside[-1] + 1}:
        after = grammar.after(f"{k * step:.{places}f}".encode())
        assert (after is not None and after.complete) == (k in inside)


def test_a_wide_grammar_admits_all_characters_and_only_whole_ones() -> None:
    grammar = Grammar.of(shape_of({"type": "string", "maxLength": 4}), wide=True)
    for text in ("é", "你好", "\U0001f680", "a\u07ff\ud7ff\U0010ffff"):
        after = grammar.after(f'"{text}"'.encode())
        assert after is not None
        assert after.complete
    for data in (b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80", b"\xc3" + b'"', "你好你好你".encode()):
        assert grammar.after(b'"' + data) is None
    assert Grammar.of(shape_of({"type": "string", "maxLength": 4})).after('"é'.encode()) is None
