"""The vendor `fred`: what was known when, and a key that nobody sees."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from paperdesk.tools.market.vendors.errors import UnknownSymbol, VendorRefused, VendorSchemaError
from paperdesk.tools.market.vendors.fred import KEY_VARIABLE, Fred
from paperdesk.tools.market.vendors.protocol import Piece, Request

from .loopback import FakeTime, Loopback, Reply

PATH = "/fred/series/observations"
KEY = "0123456789abcdef0123456789abcdef"


def observations(*rows: tuple[str, str, str], count: int | None = None) -> Reply:
    listed = [{"realtime_start": v, "realtime_end": "9999-12-31", "date": d, "value": x} for v, d, x in rows]
    return Reply.of_json({"count": len(rows) if count is None else count, "offset": 0, "observations": listed})


@pytest.fixture
def fred(loopback: Loopback, fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fred]:
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    vendor = Fred(fake_time.settings(base_urls={"fred": loopback.url}))
    yield vendor
    vendor.close()


def pulled(fred: Fred, start: date = date(2024, 1, 1), end: date = date(2024, 12, 31), series: str = "GDPC1") -> Piece:
    return fred.fetch(Request(kind="series", symbol=series, start=start, end=end))


def rows(piece: Piece) -> list[tuple[Any, ...]]:
    return [(row["date"], row["value"], row["available_at"]) for row in piece.rows]


def test_without_a_key_it_says_which_variable_to_set(fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    with pytest.raises(VendorRefused, match=f"set {KEY_VARIABLE}"):
        Fred(fake_time.settings())


def test_a_revision_is_known_from_the_end_of_its_day_in_st_louis(fred: Fred, loopback: Loopback) -> None:
    loopback.on(
        PATH,
        observations(
            ("2024-03-28", "2024-01-01", "22960.6"),
            ("2024-01-25", "2023-10-01", "22672.9"),
            ("2024-09-26", "2024-01-01", "23053.5"),
        ),
    )
    piece = pulled(fred)
    assert rows(piece) == [
        ("2023-10-01", 22672.9, "2024-01-26T06:00:00+00:00"),  # standard time
        ("2024-01-01", 22960.6, "2024-03-29T05:00:00+00:00"),  # daylight time
        ("2024-01-01", 23053.5, "2024-09-27T05:00:00+00:00"),
    ]
    assert {row["series"] for row in piece.rows} == {"GDPC1"}


def test_missing_values_are_left_out(fred: Fred, loopback: Loopback) -> None:
    loopback.on(PATH, observations(("2024-01-02", "2024-01-01", "."), ("2024-01-03", "2024-01-02", "3.95")))
    assert [row[0] for row in rows(pulled(fred))] == ["2024-01-02"]


def test_a_long_history_is_asked_for_in_parts_and_what_stands_is_not_told_twice(fred: Fred, loopback: Loopback) -> None:
    loopback.on(
        PATH,
        observations(("2015-01-02", "2015-01-01", "1.0"), ("2018-11-01", "2018-10-01", "2.0")),
        # the next part begins with what stood on its first day
        observations(("2018-11-02", "2015-01-01", "1.0"), ("2018-11-02", "2018-10-01", "2.0"),
                     ("2019-05-01", "2018-10-01", "2.5")),
        observations(),
    )  # fmt: skip
    piece = pulled(fred, date(2015, 1, 1), date(2024, 12, 31))
    assert [(row[0], row[1]) for row in rows(piece)] == [("2015-01-01", 1.0), ("2018-10-01", 2.0), ("2018-10-01", 2.5)]
    windows = [(row.query["realtime_start"], row.query["realtime_end"]) for row in loopback.asked]
    assert windows == [("2015-01-01", "2018-11-01"), ("2018-11-02", "2022-09-02"), ("2022-09-03", "2024-12-31")]


def test_pages_follow_each_other(fred: Fred, loopback: Loopback) -> None:
    loopback.on(
        PATH,
        observations(("2024-01-02", "2024-01-01", "1.0"), count=2),
        observations(("2024-01-03", "2024-01-02", "2.0"), count=2),
    )
    assert len(pulled(fred).rows) == 2
    assert [row.query["offset"] for row in loopback.asked] == ["0", "1"]


def test_the_key_is_sent_and_never_kept(fred: Fred, loopback: Loopback) -> None:
    loopback.on(PATH, observations(("2024-01-02", "2024-01-01", "1.0")))
    piece = pulled(fred)
    assert loopback.asked[0].query["api_key"] == KEY
    assert KEY not in piece.model_dump_json()


@pytest.mark.parametrize(
    ("message", "error", "words"),
    [
        ("Bad Request. The series does not exist.", UnknownSymbol, "no series GDPC1"),
        ("Bad Request. The value for variable api_key is not registered.", VendorRefused, KEY_VARIABLE),
        ("Bad Request. Something new.", VendorSchemaError, "Something new"),
    ],
)
def test_what_fred_refuses_is_told_apart(
    message: str, error: type[Exception], words: str, fred: Fred, loopback: Loopback
) -> None:
    loopback.on(PATH, Reply.of_json({"error_code": 400, "error_message": message}, status=400))
    with pytest.raises(error, match=words) as caught:
        pulled(fred)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("content", [{}, {"count": 1, "observations": [{"date": "2024-01-01"}]}, {"observations": 3}])
def test_a_changed_answer_is_refused(content: dict[str, Any], fred: Fred, loopback: Loopback) -> None:
    loopback.on(PATH, Reply.of_json(content))
    with pytest.raises(VendorSchemaError, match="not in the expected form"):
        pulled(fred)


def test_a_series_without_values_is_named(fred: Fred, loopback: Loopback) -> None:
    loopback.on(PATH, observations())
    with pytest.raises(UnknownSymbol, match="no values of GDPC1"):
        pulled(fred)
