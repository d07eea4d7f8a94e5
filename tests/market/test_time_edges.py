"""Clock changes, half days, and what a filing at 15:55 or 16:05 means."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperdesk.tools.clock import TradingCalendar
from paperdesk.tools.errors import InputError, LookAheadError
from paperdesk.tools.market.documents.search import search
from paperdesk.tools.market.frames import facts_frame
from paperdesk.tools.market.invariance import comparable
from paperdesk.tools.market.records import Dataset, Document
from paperdesk.tools.market.view import Market, MarketView, open_market

EASTERN = ZoneInfo("America/New_York")
NEW_YORK = TradingCalendar("XNYS", date(2024, 1, 2), date(2024, 12, 31))

# the last session before and the first after each change of the clocks, and a half day in each season
EDGES = [date(2024, 3, 8), date(2024, 3, 11), date(2024, 11, 1), date(2024, 11, 4)]
HALF_DAYS = [date(2024, 7, 3), date(2024, 11, 29), date(2024, 12, 24)]


@pytest.mark.parametrize(
    ("session", "opens", "closes"),
    [
        (date(2024, 3, 8), "14:30", "21:00"),
        (date(2024, 3, 11), "13:30", "20:00"),
        (date(2024, 11, 1), "13:30", "20:00"),
        (date(2024, 11, 4), "14:30", "21:00"),
        (date(2024, 7, 3), "13:30", "17:00"),
        (date(2024, 11, 29), "14:30", "18:00"),
        (date(2024, 12, 24), "14:30", "18:00"),
    ],
)
def test_a_session_of_new_york_in_utc(session: date, opens: str, closes: str) -> None:
    assert f"{NEW_YORK.open_of(session):%H:%M}" == opens
    assert f"{NEW_YORK.close_of(session):%H:%M}" == closes


@pytest.mark.parametrize(
    ("name", "session", "closes"),
    [
        ("XLON", date(2024, 3, 28), "16:30"),  # Thursday before Easter, London in winter time
        ("XLON", date(2024, 4, 2), "15:30"),
        ("XTKS", date(2024, 3, 28), "06:00"),
        ("24/7", date(2024, 3, 31), "00:00"),  # midnight, as the next day begins
    ],
)
def test_other_exchanges_keep_their_own_hours(name: str, session: date, closes: str) -> None:
    calendar = TradingCalendar(name, date(2024, 1, 4), date(2024, 6, 28))
    assert f"{calendar.close_of(session):%H:%M}" == closes
    assert calendar.last_closed(calendar.close_of(session)) == session
    assert calendar.last_closed(calendar.close_of(session) - timedelta(microseconds=1)) < session


@pytest.fixture(scope="module")
def year(us8: Path) -> Dataset:
    return open_market(us8).dataset


def published(dataset: Dataset, moment: datetime) -> Market:
    document = Document("late", "NVDA", moment.astimezone(UTC), "wire", "Plant opened", "The company opened a plant.")
    return Market(replace(dataset, documents=(document,)))


def accepted(dataset: Dataset, moment: datetime) -> Market:
    row: dict[str, list[object]] = {
        "ticker": ["NVDA"],
        "concept": ["Revenue"],
        "period_start": [date(2023, 10, 1)],
        "period_end": [date(2023, 12, 31)],
        "value": [5.0],
        "unit": ["USD"],
        "filed": [moment.date()],
        "available_at": [moment.astimezone(UTC)],
        "accession": ["0001-24-1"],
        "form": ["10-Q"],
    }
    return Market(replace(dataset, facts=facts_frame(row)))


@pytest.mark.parametrize("session", EDGES)
def test_what_comes_at_1555_eastern_is_known_at_the_close_and_what_comes_at_1605_is_not(
    session: date, year: Dataset
) -> None:
    close = NEW_YORK.close_of(session)
    following = NEW_YORK.close_of(NEW_YORK.next_session(session))
    at = partial(datetime, session.year, session.month, session.day, tzinfo=EASTERN)
    for minute, known in ((at(hour=15, minute=55), True), (at(hour=16, minute=5), False)):
        news, figures = published(year, minute), accepted(year, minute)
        assert bool(news.view(close).documents("NVDA")) is known
        assert bool(search(news.view(close), "NVDA", "plant")) is known
        assert (not figures.view(close).facts("NVDA").empty) is known
        assert news.view(following).documents("NVDA")
        assert not figures.view(following).facts("NVDA").empty


@pytest.mark.parametrize("session", HALF_DAYS)
def test_on_a_half_day_the_desk_decides_at_one_and_does_not_know_what_comes_at_five_past(
    session: date, year: Dataset
) -> None:
    late = datetime(session.year, session.month, session.day, 13, 5, tzinfo=EASTERN)
    assert not published(year, late).view(NEW_YORK.close_of(session)).documents("NVDA")
    assert published(year, late - timedelta(minutes=10)).view(NEW_YORK.close_of(session)).documents("NVDA")


def test_to_the_second_and_to_the_microsecond(year: Dataset) -> None:
    moment = datetime(2024, 5, 22, 20, 20, 0, 500_000, tzinfo=UTC)
    market = published(year, moment)
    for offset, known in ((-1, False), (0, True), (1, True)):
        view = market.view(moment + timedelta(microseconds=offset))
        assert bool(view.documents("NVDA")) is known
    # passages know whole seconds: rounded up, so never early
    assert not search(market.view(moment), "NVDA", "plant")
    assert search(market.view(moment + timedelta(seconds=1)), "NVDA", "plant")


def test_one_moment_is_one_view_in_any_zone(year: Dataset) -> None:
    market = Market(year)
    close = NEW_YORK.close_of(date(2024, 6, 7))
    views = [market.view(close.astimezone(ZoneInfo(name))) for name in ("UTC", "Asia/Tokyo", "America/Los_Angeles")]
    assert len({view.as_of for view in views}) == 1
    assert len({view.session for view in views}) == 1
    with pytest.raises(InputError, match="has no zone"):
        market.view(close.replace(tzinfo=None))


def test_a_filing_without_a_time_is_known_from_the_next_open(us8: Path) -> None:
    market = open_market(us8)
    facts = market.dataset.facts
    row = facts[(facts["ticker"] == "AAPL") & (facts["filed"] == "2024-05-03")].iloc[0]  # a Friday
    opens = market.calendar.open_of(date(2024, 5, 6))
    assert row["available_at"] == opens
    for moment, known in ((market.calendar.close_of(date(2024, 5, 3)), False), (opens - timedelta(seconds=1), False),
                          (opens, True)):  # fmt: skip
        assert (row["accession"] in set(market.view(moment).facts("AAPL")["accession"])) is known


def seen(view: MarketView, ticker: str) -> object:
    documents = tuple(document.id for document in view.documents(ticker))
    return comparable([view.session, view.history(ticker, 30), view.facts(ticker), documents])


@given(early=st.integers(300, 1200), later=st.integers(1, 50), hours=st.integers(0, 15))
@settings(max_examples=40)
def test_a_later_view_remembers_what_an_earlier_one_saw(us8: Path, early: int, later: int, hours: int) -> None:
    market = _opened(us8)
    sessions = market.dataset.bars.sessions
    first = market.calendar.close_of(sessions[early]) + timedelta(hours=hours)
    second = market.calendar.close_of(sessions[min(early + later, len(sessions) - 1)]) + timedelta(hours=15)
    then, now = market.view(first), market.view(second)
    assert seen(now.at(first), "NVDA") == seen(then, "NVDA")
    assert {d.id for d in then.documents("NVDA")} <= {d.id for d in now.documents("NVDA")}
    with pytest.raises(LookAheadError):
        then.at(second)


_MARKETS: dict[Path, Market] = {}


def _opened(folder: Path) -> Market:
    if folder not in _MARKETS:
        _MARKETS[folder] = open_market(folder)
    return _MARKETS[folder]
