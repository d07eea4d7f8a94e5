"""The vendor `alpaca`: bars and news as they were known, splits undone, keys unseen."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest

from paperdesk.tools.market.vendors.alpaca import KEY_VARIABLE, SECRET_VARIABLE, Alpaca
from paperdesk.tools.market.vendors.errors import (
    UnknownSymbol,
    VendorError,
    VendorRefused,
    VendorSchemaError,
    VendorUnavailable,
)
from paperdesk.tools.market.vendors.protocol import Kind, Piece, Request

from .loopback import FakeTime, Loopback, Reply

BARS, ACTIONS, NEWS = "/v2/stocks/bars", "/v1/corporate-actions", "/v1beta1/news"
SECRET = "a-very-secret-word"


def bar(stamp: str, close: float, volume: float = 100.0) -> dict[str, Any]:
    return {"t": stamp, "o": close - 1, "h": close + 1, "l": close - 2, "c": close, "v": volume, "n": 3, "vw": close}


def bars(*rows: dict[str, Any], following: str | None = None) -> Reply:
    return Reply.of_json({"bars": {"ACME": list(rows)}, "next_page_token": following})


def actions(**kinds: list[dict[str, Any]]) -> Reply:
    return Reply.of_json({"corporate_actions": kinds, "next_page_token": None})


@pytest.fixture
def alpaca(loopback: Loopback, fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch) -> Iterator[Alpaca]:
    monkeypatch.setenv(KEY_VARIABLE, "AKEXAMPLE")
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    loopback.on(ACTIONS, actions())
    vendor = Alpaca(fake_time.settings(base_urls={"alpaca": loopback.url}))
    yield vendor
    vendor.close()


def pulled(alpaca: Alpaca, kind: Kind = "prices", end: date = date(2024, 12, 31)) -> Piece:
    return alpaca.fetch(Request(kind=kind, symbol="ACME", start=date(2024, 1, 1), end=end))


@pytest.mark.parametrize("missing", [KEY_VARIABLE, SECRET_VARIABLE])
def test_without_a_key_it_says_which_variables_to_set(
    missing: str, fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "a")
    monkeypatch.setenv(SECRET_VARIABLE, "b")
    monkeypatch.delenv(missing)
    with pytest.raises(VendorRefused, match=f"set {KEY_VARIABLE} and {SECRET_VARIABLE}"):
        Alpaca(fake_time.settings())


def test_a_bar_belongs_to_the_day_of_new_york_on_either_side_of_the_clock_change(
    alpaca: Alpaca, loopback: Loopback
) -> None:
    loopback.on(BARS, bars(bar("2024-03-08T05:00:00Z", 10.0), bar("2024-03-11T04:00:00Z", 11.0)))
    assert [row["date"] for row in pulled(alpaca).rows] == ["2024-03-08", "2024-03-11"]


def test_prices_are_divided_by_the_splits_that_follow_and_by_nothing_else(alpaca: Alpaca, loopback: Loopback) -> None:
    loopback.on(
        BARS, bars(bar("2024-06-06T04:00:00Z", 1200.0), bar("2024-06-07T04:00:00Z", 1210.0),
                   bar("2024-06-10T04:00:00Z", 122.0, 1000.0))
    )  # fmt: skip
    loopback.on(
        ACTIONS,
        actions(
            forward_splits=[{"symbol": "ACME", "new_rate": 10, "old_rate": 1, "ex_date": "2024-06-10"}],
            cash_dividends=[{"symbol": "ACME", "rate": 0.4, "ex_date": "2024-06-07"}],
        ),
    )
    rows = pulled(alpaca).rows
    assert [row["close"] for row in rows] == pytest.approx([120.0, 121.0, 122.0])
    assert [row["volume"] for row in rows] == pytest.approx([1000.0, 1000.0, 1000.0])
    assert [row["split"] for row in rows] == [0.0, 0.0, 10.0]
    assert [row["dividend"] for row in rows] == pytest.approx([0.0, 0.04, 0.0])
    assert {row.query["adjustment"] for row in loopback.asked_for(BARS)} == {"raw"}


def test_a_reverse_split_on_a_day_without_trade_counts_at_the_next_trade(alpaca: Alpaca, loopback: Loopback) -> None:
    loopback.on(BARS, bars(bar("2024-06-07T04:00:00Z", 5.0), bar("2024-06-11T04:00:00Z", 51.0)))
    loopback.on(ACTIONS, actions(reverse_splits=[{"new_rate": 1, "old_rate": 10, "ex_date": "2024-06-10"}]))
    rows = pulled(alpaca).rows
    assert [row["close"] for row in rows] == pytest.approx([50.0, 51.0])
    assert [row["split"] for row in rows] == [0.0, 0.1]


@pytest.mark.parametrize(
    ("now", "newest"),
    [
        (datetime(2024, 6, 20, 20, 30, tzinfo=UTC), "2024-06-19"),  # 16:30 in New York: not final yet
        (datetime(2024, 6, 20, 21, 0, tzinfo=UTC), "2024-06-20"),
        (datetime(2024, 6, 21, 2, 0, tzinfo=UTC), "2024-06-20"),
    ],
)
def test_a_day_that_is_not_over_is_not_asked_for(
    now: datetime, newest: str, alpaca: Alpaca, loopback: Loopback, fake_time: FakeTime
) -> None:
    fake_time.now = now
    loopback.on(BARS, bars(bar("2024-06-07T04:00:00Z", 5.0)))
    pulled(alpaca)
    assert loopback.asked_for(BARS)[0].query["end"] == f"{newest}T23:59:59Z"


def test_pages_follow_each_other(alpaca: Alpaca, loopback: Loopback) -> None:
    loopback.on(BARS, bars(bar("2024-06-06T04:00:00Z", 5.0), following="abc"), bars(bar("2024-06-07T04:00:00Z", 6.0)))
    piece = pulled(alpaca)
    assert len(piece.rows) == 2
    assert [row.query.get("page_token") for row in loopback.asked_for(BARS)] == [None, "abc"]
    assert len(piece.sources) == 3


def test_an_article_is_known_from_its_last_revision_on(alpaca: Alpaca, loopback: Loopback) -> None:
    article = {
        "id": 7, "headline": "ACME opens a plant", "source": "wire", "summary": "Short.", "symbols": ["ACME"],
        "content": "<p>ACME opened <b>a plant</b>.</p>", "created_at": "2024-05-01T19:55:00Z",
        "updated_at": "2024-05-01T20:05:00Z",
    }  # fmt: skip
    loopback.on(NEWS, Reply.of_json({"news": [article], "next_page_token": None}))
    assert [dict(row) for row in pulled(alpaca, "documents").rows] == [
        {
            "id": "alpaca-ACME-7",
            "ticker": "ACME",
            "published_at": "2024-05-01T20:05:00+00:00",
            "source": "wire",
            "headline": "ACME opens a plant",
            "body": "ACME opened a plant.",
        }
    ]


def test_the_key_is_sent_and_never_kept(alpaca: Alpaca, loopback: Loopback) -> None:
    loopback.on(BARS, bars(bar("2024-06-06T04:00:00Z", 5.0)))
    piece = pulled(alpaca)
    assert loopback.asked[0].headers["apca-api-secret-key"] == SECRET
    assert SECRET not in piece.model_dump_json()


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=403), VendorRefused),
        (Reply(status=429, headers={"Retry-After": "3"}), VendorUnavailable),
        (Reply(status=504), VendorUnavailable),
        (Reply(b'{"bars": {"ACME": [', cut_at=9), VendorUnavailable),
        (Reply.of_json({"bars": {}, "next_page_token": None}), UnknownSymbol),
        (Reply.of_json({"bars": None, "next_page_token": None}), UnknownSymbol),
        (Reply.of_json({"candles": {}}), VendorSchemaError),
        (Reply.of_json({"bars": {"ACME": [{"t": "2024-06-06T04:00:00Z", "open": 1}]}}), VendorSchemaError),
        (Reply.of_json({"bars": {"ACME": [bar("2024-06-06T04:00:00", 5.0)]}}), VendorSchemaError),
        (Reply.of_json([]), VendorSchemaError),
    ],
    ids=["403", "429", "504", "cut", "no bars", "null", "other name", "other columns", "no zone", "no object"],
)
def test_a_failing_server_is_a_typed_error_of_one_sentence(
    reply: Reply, error: type[VendorError], alpaca: Alpaca, loopback: Loopback
) -> None:
    loopback.on(BARS, reply)
    with pytest.raises(error) as caught:
        pulled(alpaca)
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)


def test_other_kinds_are_not_its_business(alpaca: Alpaca) -> None:
    with pytest.raises(UnknownSymbol, match="alpaca has no companies"):
        pulled(alpaca, "companies")
