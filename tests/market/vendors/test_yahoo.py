"""The real yfinance against a server that answers in the form of Yahoo's."""

import copy
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from paperdesk.tools.market.dataset import open_dataset
from paperdesk.tools.market.vendors.errors import (
    UnknownSymbol,
    VendorRefused,
    VendorSchemaError,
    VendorUnavailable,
)
from paperdesk.tools.market.vendors.manifest import PullRequest
from paperdesk.tools.market.vendors.protocol import Piece, Request
from paperdesk.tools.market.vendors.pull import pull

from .loopback import FakeTime, Loopback, Reply

pytest.importorskip("yfinance", reason="yfinance (extra markets) is not installed")
EASTERN = ZoneInfo("America/New_York")
CHART = "/v8/finance/chart/ACME"


def stamp(day: date, hour: int = 9, minute: int = 30) -> int:
    return int(datetime.combine(day, time(hour, minute), EASTERN).timestamp())


def chart(
    bars: Mapping[date, tuple[float | None, ...]],
    dividends: dict[date, float] | None = None,
    splits: dict[date, tuple[int, int]] | None = None,
    **meta: Any,
) -> dict[str, Any]:
    """An answer as Yahoo gives it: prices adjusted for all splits in it, times in epoch seconds of the open."""
    days = sorted(bars)
    names = ("open", "high", "low", "close", "volume")
    quote = {name: [bars[day][place] for day in days] for place, name in enumerate(names)}
    events: dict[str, Any] = {}
    if dividends:
        events["dividends"] = {str(stamp(day)): {"amount": cash, "date": stamp(day)} for day, cash in dividends.items()}
    if splits:
        events["splits"] = {
            str(stamp(day)): {"date": stamp(day), "numerator": new, "denominator": old, "splitRatio": f"{new}:{old}"}
            for day, (new, old) in splits.items()
        }
    return {
        "chart": {
            "result": [
                {
                    "meta": {
                        "currency": "USD",
                        "symbol": "ACME",
                        "exchangeName": "NMS",
                        "fullExchangeName": "NasdaqGS",
                        "instrumentType": "EQUITY",
                        "firstTradeDate": 345479400,
                        "regularMarketTime": stamp(days[-1], 16, 0),
                        "gmtoffset": -14400,
                        "timezone": "EDT",
                        "exchangeTimezoneName": "America/New_York",
                        "longName": "Acme Corporation",
                        "priceHint": 2,
                        "dataGranularity": "1d",
                        "range": "",
                        "validRanges": ["1d", "5d", "1mo", "max"],
                        **meta,
                    },
                    "timestamp": [stamp(day) for day in days],
                    **({"events": events} if events else {}),
                    "indicators": {"quote": [quote], "adjclose": [{"adjclose": [1.0] * len(days)}]},
                }
            ],
            "error": None,
        }
    }


def session_of(day: date) -> dict[str, Any]:
    zone = {"timezone": "EDT", "gmtoffset": -14400}
    return {"regular": {**zone, "start": stamp(day), "end": stamp(day, 16, 0)}}


WEEK = {
    date(2024, 6, 5): (116.0, 118.0, 115.5, 117.0, 1000),
    date(2024, 6, 6): (117.0, 119.0, 116.5, 118.0, 2000),
    date(2024, 6, 7): (118.0, 120.0, 117.5, 119.0, 3000),
    date(2024, 6, 10): (119.0, 121.0, 118.5, 120.0, 40000),
    date(2024, 6, 11): (120.0, 122.0, 119.5, 121.0, 50000),
}
NO_SUCH = {
    "chart": {
        "result": None,
        "error": {"code": "Not Found", "description": "No data found, symbol may be delisted"},
    }
}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("yfinance")


@pytest.fixture(autouse=True)
def yahoo_side(loopback: Loopback) -> None:
    """The parts of Yahoo that hand out cookies and crumbs."""
    loopback.on("", Reply(b"", status=404))
    loopback.on("/", Reply(b"", status=404))
    loopback.on("/v1/test/getcrumb", Reply(b"hush-crumb"))
    loopback.on("/consent", Reply(b"<html></html>"))


@pytest.fixture
def fetch(loopback: Loopback, fake_time: FakeTime, cache: Path) -> Iterator[Callable[..., Piece]]:
    from paperdesk.tools.market.vendors.yahoo import Yahoo

    opened = []

    def run(
        kind: str = "prices", start: date = date(2024, 6, 5), end: date = date(2024, 6, 11), **settings: Any
    ) -> Piece:
        fields = {"base_urls": {"yahoo": loopback.url}, "cache_folder": cache, **settings}
        vendor = Yahoo(fake_time.settings(**fields))
        opened.append(vendor)
        return vendor.fetch(Request.model_validate({"kind": kind, "symbol": "ACME", "start": start, "end": end}))

    yield run
    for vendor in opened:
        vendor.close()


def column(piece: Piece, name: str) -> list[Any]:
    return [row[name] for row in piece.rows]


def test_bars_dividends_and_splits_become_tidy_rows(fetch: Callable[..., Piece], loopback: Loopback) -> None:
    loopback.on(CHART, Reply.of_json(chart(WEEK, {date(2024, 6, 11): 0.1}, {date(2024, 6, 10): (10, 1)})))
    piece = fetch()
    assert column(piece, "date") == ["2024-06-05", "2024-06-06", "2024-06-07", "2024-06-10", "2024-06-11"]
    assert piece.rows[3] == {
        "date": "2024-06-10",
        "ticker": "ACME",
        "open": 119.0,
        "high": 121.0,
        "low": 118.5,
        "close": 120.0,
        "volume": 40000.0,
        "dividend": 0.0,
        "split": 10.0,
    }
    assert column(piece, "split") == [0.0, 0.0, 0.0, 10.0, 0.0]
    assert column(piece, "dividend") == [0.0, 0.0, 0.0, 0.0, 0.1]
    assert piece.sources
    assert all("hush" not in source.url and source.sha256 for source in piece.sources)


def test_a_split_after_the_end_is_undone(fetch: Callable[..., Piece], loopback: Loopback) -> None:
    loopback.on(CHART, Reply.of_json(chart(WEEK, {date(2024, 6, 6): 0.04}, {date(2024, 6, 10): (10, 1)})))
    piece = fetch(end=date(2024, 6, 7))
    assert column(piece, "close") == [1170.0, 1180.0, 1190.0]
    assert column(piece, "volume") == [100.0, 200.0, 300.0]
    assert column(piece, "dividend") == [0.0, 0.4, 0.0]
    assert column(piece, "split") == [0.0, 0.0, 0.0]
    assert int(loopback.asked_for(CHART)[-1].query["period2"]) > stamp(date(2024, 6, 20)), "later splits were not asked"


def test_a_day_without_trade_has_no_row_and_loses_no_event(fetch: Callable[..., Piece], loopback: Loopback) -> None:
    halted = {**WEEK, date(2024, 6, 7): (None, None, None, None, None)}
    loopback.on(CHART, Reply.of_json(chart(halted, {date(2024, 6, 7): 0.3}, {date(2024, 6, 7): (2, 1)})))
    piece = fetch()
    assert column(piece, "date") == ["2024-06-05", "2024-06-06", "2024-06-10", "2024-06-11"]
    assert column(piece, "split") == [0.0, 0.0, 2.0, 0.0]
    assert column(piece, "dividend") == [0.0, 0.0, 0.3, 0.0]


def test_a_bar_with_holes_is_refused(fetch: Callable[..., Piece], loopback: Loopback) -> None:
    loopback.on(CHART, Reply.of_json(chart({**WEEK, date(2024, 6, 7): (None, 120.0, 117.5, 119.0, 3000)})))
    with pytest.raises(VendorSchemaError, match="no open of ACME on 2024-06-07"):
        fetch()


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (datetime(2024, 6, 11, 17, 0, tzinfo=UTC), "2024-06-10"),  # 13:00 in New York
        (datetime(2024, 6, 11, 20, 10, tzinfo=UTC), "2024-06-10"),  # ten minutes after the close
        (datetime(2024, 6, 11, 20, 30, tzinfo=UTC), "2024-06-11"),
        (datetime(2024, 6, 12, 1, 0, tzinfo=UTC), "2024-06-11"),  # the next day in UTC, the same in New York
    ],
)
def test_a_session_that_has_not_settled_has_no_bar(
    fetch: Callable[..., Piece], loopback: Loopback, fake_time: FakeTime, now: datetime, last: str
) -> None:
    fake_time.now = now
    period = session_of(date(2024, 6, 11))
    loopback.on(CHART, Reply.of_json(chart(WEEK, currentTradingPeriod=period)))
    assert column(fetch(), "date")[-1] == last


def test_a_split_of_the_running_session_is_undone(
    fetch: Callable[..., Piece], loopback: Loopback, fake_time: FakeTime
) -> None:
    fake_time.now = datetime(2024, 6, 11, 17, 0, tzinfo=UTC)
    period = session_of(date(2024, 6, 11))
    loopback.on(CHART, Reply.of_json(chart(WEEK, splits={date(2024, 6, 11): (4, 1)}, currentTradingPeriod=period)))
    assert column(fetch(), "close")[-1] == 480.0


def test_before_the_open_yesterdays_bar_counts(
    fetch: Callable[..., Piece], loopback: Loopback, fake_time: FakeTime
) -> None:
    fake_time.now = datetime(2024, 6, 12, 12, 0, tzinfo=UTC)
    period = session_of(date(2024, 6, 12))
    loopback.on(CHART, Reply.of_json(chart(WEEK, currentTradingPeriod=period)))
    assert column(fetch(), "date")[-1] == "2024-06-11"


@pytest.mark.parametrize("day", [date(2024, 3, 8), date(2024, 3, 11), date(2024, 11, 1), date(2024, 11, 4)])
def test_the_change_of_the_clocks_moves_no_day(
    fetch: Callable[..., Piece], loopback: Loopback, fake_time: FakeTime, day: date
) -> None:
    fake_time.now = datetime(2024, 12, 20, tzinfo=UTC)
    loopback.on(CHART, Reply.of_json(chart({day: (10.0, 11.0, 9.0, 10.5, 100)})))
    assert column(fetch(start=day - timedelta(days=1), end=day), "date") == [day.isoformat()]


def test_capital_gains_of_a_fund_are_cash_too(fetch: Callable[..., Piece], loopback: Loopback) -> None:
    answer = chart(WEEK, {date(2024, 6, 7): 0.5}, instrumentType="ETF")
    answer["chart"]["result"][0]["events"]["capitalGains"] = {
        str(stamp(date(2024, 6, 7))): {"amount": 0.25, "date": stamp(date(2024, 6, 7))}
    }
    loopback.on(CHART, Reply.of_json(answer))
    assert column(fetch(), "dividend") == [0.0, 0.0, 0.75, 0.0, 0.0]


def test_an_unknown_ticker_is_unknown(fetch: Callable[..., Piece], loopback: Loopback) -> None:
    loopback.on(CHART, Reply.of_json(NO_SUCH, status=404))
    with pytest.raises(UnknownSymbol, match=r"nothing for ACME \(No data found, symbol may be delisted\)"):
        fetch()


def test_dates_without_prices_are_said(fetch: Callable[..., Piece], loopback: Loopback) -> None:
    empty = chart(WEEK)
    empty["chart"]["result"][0].pop("timestamp")
    empty["chart"]["result"][0]["indicators"] = {"quote": [{}], "adjclose": [{}]}
    loopback.on(CHART, Reply.of_json(empty))
    with pytest.raises(UnknownSymbol, match="no prices of ACME in these dates"):
        fetch()
    loopback.on(CHART, Reply.of_json(chart(WEEK)))
    with pytest.raises(UnknownSymbol, match="no prices of ACME from 2023-06-05 to 2023-06-09"):
        fetch(start=date(2023, 6, 5), end=date(2023, 6, 9))


def without(*path: str | int) -> dict[str, Any]:
    answer = copy.deepcopy(chart(WEEK, {date(2024, 6, 7): 0.3}, {date(2024, 6, 7): (2, 1)}))
    place: Any = answer
    for key in path[:-1]:
        place = next(iter(place.values())) if key == "*" else place[key]
    del place[path[-1]]
    return answer


RESULT = ("chart", "result", 0)


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ({"finance": {"result": None}}, "chart"),
        (without("chart", "result"), "result"),
        (without(*RESULT, "meta"), "meta"),
        (without(*RESULT, "meta", "currency"), "currency"),
        (without(*RESULT, "meta", "exchangeTimezoneName"), "exchangeTimezoneName"),
        (without(*RESULT, "timestamp"), "timestamp"),
        (without(*RESULT, "indicators"), "indicators"),
        (without(*RESULT, "indicators", "quote", 0, "close"), "close"),
        (without(*RESULT, "indicators", "quote", 0, "high", 0), "high"),
        (without(*RESULT, "events", "splits", "*", "numerator"), "numerator"),
        (without(*RESULT, "events", "dividends", "*", "amount"), "amount"),
    ],
)
def test_a_changed_answer_is_refused_by_its_field(
    fetch: Callable[..., Piece], loopback: Loopback, answer: dict[str, Any], field: str
) -> None:
    loopback.on(CHART, Reply.of_json(answer))
    with pytest.raises(VendorSchemaError, match=rf"\(field {field}\); update yfinance"):
        fetch()


def test_another_currency_is_refused(fetch: Callable[..., Piece], loopback: Loopback) -> None:
    loopback.on(CHART, Reply.of_json(chart(WEEK, currency="GBp")))
    with pytest.raises(VendorSchemaError, match="in GBp and not in USD"):
        fetch()
    assert fetch(options={"yahoo.currency": "GBp"}).rows


@pytest.mark.parametrize(
    "broken",
    [
        Reply(b"Too Many Requests", status=429),
        Reply(status=500),
        Reply(b'{"chart": {"result"', cut_at=10),
        Reply(hang_up=True),
        Reply(b"<html>Will be right back</html>"),
    ],
    ids=["429", "500", "cut", "hung up", "down for repairs"],
)
def test_what_may_pass_is_tried_again(
    fetch: Callable[..., Piece], loopback: Loopback, fake_time: FakeTime, broken: Reply
) -> None:
    good = Reply.of_json(chart(WEEK))
    loopback.on(CHART, broken, broken, good)
    assert len(fetch().rows) == 5
    assert [seconds for seconds in fake_time.slept if seconds > 0.1], "it did not wait"
    loopback.on(CHART, broken)
    with pytest.raises(VendorUnavailable, match=r"yahoo did not answer https://query2.*ACME.* \(.*, 3 attempts\)"):
        fetch()


def test_a_wait_that_yahoo_asks_for_is_kept(
    fetch: Callable[..., Piece], loopback: Loopback, fake_time: FakeTime
) -> None:
    loopback.on(CHART, Reply(status=429, headers={"Retry-After": "30"}), Reply.of_json(chart(WEEK)))
    assert fetch().rows
    assert 30.0 in fake_time.slept


def test_a_refusal_is_said(fetch: Callable[..., Piece], loopback: Loopback) -> None:
    body = {"finance": {"result": None, "error": {"code": "Unauthorized", "description": "Invalid Crumb"}}}
    loopback.on(CHART, Reply.of_json(body, status=401))
    with pytest.raises(VendorRefused, match="yahoo refused ACME"):
        fetch()


def test_a_company_has_name_industry_and_sector(fetch: Callable[..., Piece], loopback: Loopback) -> None:
    profile = {"assetProfile": {"sector": "Technology", "industry": "Widgets"}, "quoteType": {"longName": "Acme Corp."}}
    loopback.on("/v10/finance/quoteSummary/ACME", Reply.of_json({"quoteSummary": {"result": [profile], "error": None}}))
    assert fetch("companies").rows == (
        {"ticker": "ACME", "name": "Acme Corp.", "industry": "Widgets", "sector": "Technology"},
    )


def test_a_profile_that_yahoo_does_not_show_leaves_the_name(fetch: Callable[..., Piece], loopback: Loopback) -> None:
    denied = Reply.of_json({"finance": {"result": None, "error": {"code": "Unauthorized"}}}, status=401)
    loopback.on("/v10/finance/quoteSummary/ACME", denied)
    loopback.on(CHART, Reply.of_json(chart(WEEK)))
    assert fetch("companies").rows == ({"ticker": "ACME", "name": "Acme Corporation", "industry": "", "sector": ""},)


def test_a_pull_from_yahoo_opens_as_it_was_traded(
    loopback: Loopback, fake_time: FakeTime, cache: Path, tmp_path: Path
) -> None:
    from paperdesk.tools.market.vendors.yahoo import Yahoo

    profile = {"assetProfile": {"sector": "Technology", "industry": "Widgets"}, "quoteType": {"longName": "Acme Corp."}}
    loopback.on("/v10/finance/quoteSummary/ACME", Reply.of_json({"quoteSummary": {"result": [profile], "error": None}}))
    answer = chart(WEEK, {date(2024, 6, 6): 0.1}, {date(2024, 6, 7): (2, 1), date(2024, 6, 11): (10, 1)})
    loopback.on(CHART, Reply.of_json(answer))
    vendor = Yahoo(fake_time.settings(base_urls={"yahoo": loopback.url}, cache_folder=cache))
    request = PullRequest(
        tickers=("ACME",), start=date(2024, 6, 5), end=date(2024, 6, 10), vendors=("yahoo",), skip_missing=True
    )
    manifest = pull(request, tmp_path / "out", [vendor], clock=fake_time.clock)
    vendor.close()
    dataset = open_dataset(tmp_path / "out")
    assert dataset.bars.close[:, 0].tolist() == [2340.0, 2360.0, 1190.0, 1200.0]
    assert dataset.bars.dividend[1, 0] == 2.0
    assert dataset.companies["ACME"].sector == "Technology"
    assert "yfinance" in manifest.software["yahoo"]
    assert "crumb" not in (tmp_path / "out/manifest.json").read_text()


def test_yfinance_keeps_its_settings(fetch: Callable[..., Piece], loopback: Loopback) -> None:
    import yfinance

    loopback.on(CHART, Reply.of_json(NO_SUCH, status=404))
    with pytest.raises(UnknownSymbol):
        fetch()
    assert yfinance.config.debug.hide_exceptions is True


@pytest.fixture(autouse=True)
def quiet_yfinance() -> Iterator[None]:
    """yfinance says on its logger that a crumb could not be had, which some tests provoke."""
    logger = logging.getLogger("yfinance")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(before)
