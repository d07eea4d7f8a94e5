"""The text of a model is the canonical JSON of what it dumps, whatever is in it."""

from datetime import UTC, date, datetime, timedelta, timezone
from math import inf, nan
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AwareDatetime, Field

from paperdesk.tools.broker.protocol import OrderIntent
from paperdesk.tools.frozen import Frozen, canonical_json
from paperdesk.tools.written import Written


class Leaf(Frozen):
    """A model inside another."""

    name: str
    weight: float = 0.0


class Tree(Frozen):
    """Every type of field that an event or a request has."""

    kind: Literal["tree"] = "tree"
    number: int
    share: float
    sure: bool
    on: date
    at: AwareDatetime
    maybe: float | None = None
    leaf: Leaf | None = None
    leaves: tuple[Leaf, ...] = ()
    words: list[str] = Field(default_factory=list)
    pair: tuple[str, float] = ("", 0.0)
    weights: dict[str, float] = Field(default_factory=dict)
    by_side: dict[Literal["buy", "sell"], float] = Field(default_factory=dict)
    by_day: dict[date, Leaf] = Field(default_factory=dict)
    by_name: dict[str, Leaf] = Field(default_factory=dict)
    documents: list[dict[str, Any]] = Field(default_factory=list)
    document: dict[str, Any] = Field(default_factory=dict)
    schema_: tuple[dict[str, Any], ...] = Field(default=(), alias="schema")


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=-5)), ZoneInfo("Asia/Tokyo")])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.dictionaries(TEXT, JSON, max_size=3)
LEAVES = st.builds(Leaf, name=TEXT, weight=NUMBERS)
TREES = st.builds(
    Tree,
    number=st.integers(),
    share=NUMBERS,
    sure=st.booleans(),
    on=st.dates(),
    at=st.datetimes(min_value=datetime(1990, 1, 1), timezones=ZONES),  # noqa: DTZ001
    maybe=st.none() | NUMBERS,
    leaf=st.none() | LEAVES,
    leaves=st.lists(LEAVES, max_size=3),
    words=st.lists(TEXT, max_size=3),
    pair=st.tuples(TEXT, NUMBERS),
    weights=st.dictionaries(TEXT, NUMBERS, max_size=3),
    by_side=st.dictionaries(st.sampled_from(["sell", "buy"]), NUMBERS, max_size=2),
    by_day=st.dictionaries(st.dates(), LEAVES, max_size=3),
    by_name=st.dictionaries(TEXT, LEAVES, max_size=3),
    documents=st.lists(DOCUMENTS | st.sampled_from([{"a": 1}, {"a": 1.0}, {"a": True}]), max_size=4),
    document=DOCUMENTS,
    schema=st.lists(DOCUMENTS, max_size=2),
)


@given(TREES)
def test_a_model_is_written_as_what_it_dumps(tree: Tree) -> None:
    assert tree.canonical() == canonical_json(tree.model_dump(mode="json", by_alias=True))
    assert Tree.model_validate_json(tree.canonical()) == tree


def test_a_field_that_is_left_out_at_times_is_left_out_of_the_text() -> None:
    plain = {"client_order_id": "a", "ticker": "AURX", "side": "buy", "quantity": 1.0, "reference_price": 10.0}
    for more in ({}, {"time_in_force": "gtc"}):
        order = OrderIntent.model_validate({**plain, **more, "decided_at": datetime(2031, 1, 3, tzinfo=UTC)})
        assert order.canonical() == canonical_json(order.model_dump(mode="json"))
        assert ("time_in_force" in order.canonical()) == bool(more)


@pytest.mark.parametrize("value", [nan, inf, -inf])
def test_what_json_cannot_say_is_refused(value: float) -> None:
    for document in ({"a": value}, {"a": [{"b": value}]}, {"a": {date(2031, 1, 3): value}}):
        with pytest.raises(ValueError, match="not JSON compliant"):
            Shelf(held=document).canonical()


class Shelf(Frozen):
    """A model that holds anything, written already or not."""

    held: Written | dict[str, Any]


def test_what_is_written_already_goes_into_the_text_as_it_is() -> None:
    document = {"b": [1, 2.5], "a": None}
    written = Written(canonical_json(document))
    shelf, other = Shelf(held=written), Shelf(held=document)
    assert shelf.held is written
    assert shelf.canonical() == other.canonical()
    assert shelf == other
    assert shelf.model_dump(mode="json") == other.model_dump(mode="json") == {"held": document}
    assert written["b"] == [1, 2.5]
    assert list(written) == ["a", "b"]
    assert type(Shelf.model_validate_json(shelf.canonical()).held) is dict
