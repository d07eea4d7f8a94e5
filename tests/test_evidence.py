"""Evidence keeps its invariants however it is made, and its hash is that of its canonical JSON."""

from copy import copy
from datetime import UTC, datetime, timedelta, timezone
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from paperdesk.tools.evidence import Evidence, FigureRow, Span
from paperdesk.tools.frozen import Frozen, canonical_json, content_hash

CLOSE = datetime(2023, 12, 29, 21, tzinfo=UTC)
FIGURE: dict[str, Any] = {
    "id": "BRQL/return_1m/2023-12-29",
    "kind": "indicator",
    "measure": "return_1m",
    "ticker": "BRQL",
    "as_of": CLOSE,
    "available_at": CLOSE,
    "period": "21 sessions to 2023-12-29",
    "value": 0.03960110074024992,
    "unit": "fraction",
    "source": "prices",
}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
ZONES = st.sampled_from([UTC, ZoneInfo("UTC"), ZoneInfo("America/New_York"), timezone(timedelta(hours=5, minutes=30))])
NAIVE = CLOSE.replace(tzinfo=None)


def plain(time: datetime) -> bool:
    """Whether no change of clocks makes a time ambiguous or skips it: then it equals no other zone's time (PEP 495)."""
    return time.replace(fold=0).utcoffset() == time.replace(fold=1).utcoffset()


TIMES = st.datetimes(NAIVE - timedelta(days=19_000), NAIVE + timedelta(days=19_000), timezones=ZONES).filter(plain)
SPANS = st.none() | st.builds(Span, document=TEXT, start=st.integers(0, 9), end=st.integers(0, 99))


def test_what_is_known_in_time_is_told_by_the_instant_not_by_the_clock() -> None:
    new_york = ZoneInfo("America/New_York")
    before = datetime(2023, 11, 5, 1, 45, tzinfo=new_york)  # fifteen minutes before the clocks go back to 1:00
    after = datetime(2023, 11, 5, 1, 30, fold=1, tzinfo=new_york)
    assert Evidence.of(**FIGURE | {"as_of": after, "available_at": before}).as_of == after
    with pytest.raises(ValidationError, match="became known at"):
        Evidence.of(**FIGURE | {"as_of": before, "available_at": after})


def general_hash(evidence: Evidence) -> str:
    return content_hash(evidence.model_dump(mode="json", exclude={"hash"}))


def test_the_hash_is_the_one_that_journals_already_hold() -> None:
    assert Evidence.of(**FIGURE).hash == "7ab146fc9b7b548640612cad700c148f06157404b1a4523d7b023108172a6436"


@given(
    text=TEXT,
    value=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    as_of=TIMES,
    earlier=st.timedeltas(timedelta(0), timedelta(days=300)),
    zone=ZONES,
    span=SPANS,
)
def test_the_hash_is_that_of_the_canonical_json_and_survives_a_journal(
    text: str, value: float | None, as_of: datetime, earlier: timedelta, zone: Any, span: Span | None
) -> None:
    known = (as_of.astimezone(UTC) - earlier).astimezone(zone)
    assume(plain(known))
    evidence = Evidence.of(
        id=text,
        kind="passage",
        measure=text[::-1],
        ticker=text[:3],
        as_of=as_of,
        available_at=known,
        period=f'"{text}\\',
        value=value,
        text=text if value is None else None,
        unit=text,
        source=text,
        span=span,
    )
    assert evidence.hash == general_hash(evidence)
    assert evidence.canonical() == canonical_json(evidence.model_dump(mode="json"))
    assert copy(evidence).canonical() == evidence.canonical()  # which has no text to remember
    assert Evidence.model_validate_json(evidence.model_dump_json()) == evidence
    assert Evidence.model_validate(evidence.model_dump()) == evidence


def test_equal_times_of_two_zones_keep_their_own_hashes() -> None:
    eastern = CLOSE.astimezone(ZoneInfo("America/New_York"))
    utc, other = Evidence.of(**FIGURE), Evidence.of(**FIGURE | {"as_of": eastern})
    assert utc.as_of == other.as_of
    assert utc.hash != other.hash == general_hash(other)


@pytest.mark.parametrize("value", [1, True, "0.5"])
def test_a_value_is_hashed_as_the_float_that_it_is_read_as(value: Any) -> None:
    evidence = Evidence.of(**FIGURE | {"value": value})
    assert type(evidence.value) is float
    assert evidence.hash == general_hash(evidence)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"available_at": CLOSE + timedelta(microseconds=1)}, "became known at"),
        ({"text": "both"}, "either a value or a text"),
        ({"value": None}, "either a value or a text"),
        ({"value": float("nan")}, "finite"),
        ({"as_of": NAIVE}, "timezone"),
        ({"kind": "rumour"}, "kind"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_no_evidence_cannot_be_made(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Evidence.of(**FIGURE | changed)


@pytest.mark.parametrize("changed", [{"value": 0.04}, {"source": "press"}, {"hash": ""}, {"hash": "0" * 64}])
def test_a_changed_record_is_refused(changed: dict[str, Any]) -> None:
    record = Evidence.of(**FIGURE).model_dump(mode="json") | changed
    with pytest.raises(ValidationError, match="does not match its hash"):
        Evidence.model_validate(record)
    with pytest.raises(ValidationError, match="does not match its hash"):
        Evidence(**record)


def test_a_hash_given_to_the_maker_is_not_believed() -> None:
    assert Evidence.of(**FIGURE | {"hash": "0" * 64}) == Evidence.of(**FIGURE)


def test_evidence_cannot_be_changed() -> None:
    evidence = Evidence.of(**FIGURE)
    with pytest.raises(ValidationError, match="frozen"):
        evidence.hash = ""  # type: ignore[misc]


class Shelf(Frozen):
    """Whoever takes evidence in."""

    evidence: list[Evidence]


def test_a_copy_with_another_figure_is_refused_at_the_next_border() -> None:
    evidence = Evidence.of(**FIGURE)
    assert Shelf(evidence=[evidence]).evidence[0] is evidence
    with pytest.raises(ValidationError, match="does not match its hash"):
        Shelf(evidence=[evidence.model_copy(update={"value": 0.9})])


@given(
    value=st.floats(),
    as_of=TIMES,
    earlier=st.timedeltas(timedelta(minutes=-1), timedelta(days=300)),
    zone=ZONES,
    text=TEXT,
)
def test_the_figures_of_a_tool_are_made_like_any_evidence(
    value: float, as_of: datetime, earlier: timedelta, zone: Any, text: str
) -> None:
    known = (as_of.astimezone(UTC) - earlier).astimezone(zone)
    assume(plain(known))
    row = FigureRow(text, text[::-1], known, f"{text} to", value, "fraction", text)
    fields = row._asdict() | {"kind": "ratio", "ticker": text[:3], "as_of": as_of}
    if not isfinite(value) or known > as_of:
        with pytest.raises(ValidationError, match=r"finite|became known at"):
            Evidence.figures("ratio", text[:3], as_of, [row])
        return
    expected = Evidence.of(**fields)
    (made,) = Evidence.figures("ratio", text[:3], as_of, [row])
    assert made == expected
    assert made.canonical() == expected.canonical() == canonical_json(made.model_dump(mode="json"))
    assert made.model_fields_set == expected.model_fields_set


@given(as_of=TIMES, later=st.timedeltas(timedelta(days=-30), timedelta(days=30)), zone=ZONES, text=TEXT, span=SPANS)
def test_a_fact_gathered_at_another_time_is_made_like_any_evidence(
    as_of: datetime, later: timedelta, zone: Any, text: str, span: Span | None
) -> None:
    other = (as_of.astimezone(UTC) + later).astimezone(zone)
    assume(plain(other))
    passage: dict[str, Any] = {"kind": "passage"} | dict.fromkeys(("id", "measure", "ticker", "period", "source"), text)
    passage |= {"text": f'{text}"hash":"', "span": span, "available_at": as_of}
    kept = Evidence.of(**passage, as_of=as_of)
    if other.astimezone(UTC) < as_of.astimezone(UTC):
        with pytest.raises(ValidationError, match="became known at"):
            kept.at(other)
        return
    expected = Evidence.of(**passage, as_of=other)
    assert kept.at(other) == kept.model_copy().at(other) == expected
    assert kept.at(other).canonical() == expected.canonical()
    assert kept.at(other).model_fields_set == expected.model_fields_set
    assert Shelf(evidence=[kept.at(other)])
