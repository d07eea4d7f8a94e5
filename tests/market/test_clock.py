"""The calendar and the decision sessions."""

from datetime import UTC, date, datetime

import exchange_calendars
import pytest

from paperdesk.tools.clock import Frequency, TradingCalendar
from paperdesk.tools.errors import InputError


@pytest.fixture(scope="module")
def nyse() -> TradingCalendar:
    return TradingCalendar("XNYS", date(2000, 1, 1), date(2026, 12, 31))


def test_a_calendar_reaches_back_further_than_the_library_s_default(nyse: TradingCalendar) -> None:
    assert nyse.is_session(date(2000, 1, 3))
    assert not nyse.is_session(date(2001, 9, 12))


def test_closes_are_utc_and_know_daylight_saving_and_early_closes(nyse: TradingCalendar) -> None:
    assert nyse.close_of(date(2024, 1, 2)) == datetime(2024, 1, 2, 21, tzinfo=UTC)
    assert nyse.close_of(date(2024, 7, 2)) == datetime(2024, 7, 2, 20, tzinfo=UTC)
    assert nyse.close_of(date(2024, 7, 3)) == datetime(2024, 7, 3, 17, tzinfo=UTC)
    assert nyse.open_of(date(2024, 7, 3)) == datetime(2024, 7, 3, 13, 30, tzinfo=UTC)


def test_neighbours_skip_weekends_and_holidays(nyse: TradingCalendar) -> None:
    assert nyse.next_session(date(2024, 7, 3)) == date(2024, 7, 5)
    assert nyse.next_session(date(2024, 7, 4)) == date(2024, 7, 5)
    assert nyse.previous_session(date(2024, 7, 8)) == date(2024, 7, 5)
    assert nyse.previous_session(date(2024, 7, 7)) == date(2024, 7, 5)


def test_a_session_counts_only_once_it_has_closed(nyse: TradingCalendar) -> None:
    close = nyse.close_of(date(2024, 7, 3))
    assert nyse.last_closed(close) == date(2024, 7, 3)
    assert nyse.last_closed(close.replace(minute=59, hour=16)) == date(2024, 7, 2)


def test_monthly_decisions_are_the_first_session_and_each_complete_month_s_last(nyse: TradingCalendar) -> None:
    window = nyse.sessions(date(2024, 1, 10), date(2024, 4, 15))
    chosen = nyse.decision_sessions(window, "monthly")
    assert chosen == (date(2024, 1, 10), date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 28))


def test_a_month_that_the_window_ends_with_is_complete(nyse: TradingCalendar) -> None:
    window = nyse.sessions(date(2024, 2, 29), date(2024, 3, 28))
    assert nyse.decision_sessions(window, "monthly") == (date(2024, 2, 29), date(2024, 3, 28))


@pytest.mark.parametrize(
    ("frequency", "count"), [("daily", 62), ("weekly", 1 + 13), ("monthly", 1 + 3), ("quarterly", 1 + 1)]
)
def test_each_frequency_has_its_own_number_of_decisions(
    nyse: TradingCalendar, frequency: Frequency, count: int
) -> None:
    window = nyse.sessions(date(2023, 12, 29), date(2024, 3, 28))
    assert len(window) == 62
    assert len(nyse.decision_sessions(window, frequency)) == count


def test_an_empty_window_has_no_decisions(nyse: TradingCalendar) -> None:
    assert nyse.decision_sessions((), "daily") == ()


def test_a_window_with_a_holiday_in_it_is_refused(nyse: TradingCalendar) -> None:
    with pytest.raises(InputError, match="2024-07-04 is no session"):
        nyse.decision_sessions((date(2024, 7, 3), date(2024, 7, 4)), "daily")


def test_questions_beyond_the_covered_dates_are_refused() -> None:
    short = TradingCalendar("XNYS", date(2024, 1, 1), date(2024, 1, 31))
    for ask in (
        lambda: short.next_session(date(2024, 1, 31)),
        lambda: short.previous_session(date(2024, 1, 2)),
        lambda: short.close_of(date(2024, 2, 1)),
        lambda: short.sessions(date(2024, 1, 1), date(2024, 2, 1)),
        lambda: short.last_closed(datetime(2024, 2, 1, tzinfo=UTC)),
        lambda: short.last_closed(datetime(2024, 1, 1, tzinfo=UTC)),
    ):
        with pytest.raises(InputError):
            ask()


def test_an_unknown_calendar_is_refused_with_examples() -> None:
    with pytest.raises(InputError, match=r"'NASDAQQ'.*XNYS"):
        TradingCalendar("NASDAQQ", date(2024, 1, 1), date(2024, 1, 31))


def test_a_market_that_never_closes_has_weekend_sessions() -> None:
    crypto = TradingCalendar("24/7", date(2024, 1, 1), date(2024, 1, 31))
    assert crypto.is_session(date(2024, 1, 6))
    assert crypto.close_of(date(2024, 1, 6)) == datetime(2024, 1, 7, tzinfo=UTC)


@pytest.mark.parametrize("years", [28, 56])
def test_a_shifted_calendar_has_every_session_on_its_weekday_so_many_years_later(
    nyse: TradingCalendar, years: int
) -> None:
    first, last = date(2020, 1, 1), date(2025, 12, 31)
    later = TradingCalendar(f"XNYS+{years}y", date(2020 + years, 1, 1), date(2025 + years, 12, 31))
    original = nyse.sessions(first, last)
    moved = later.sessions(later.start, later.end)
    assert moved == tuple(day.replace(year=day.year + years) for day in original)
    assert [day.weekday() for day in moved] == [day.weekday() for day in original]
    for before, after in zip(original, moved, strict=True):
        assert later.open_of(after) == nyse.open_of(before).replace(year=after.year)
        assert later.close_of(after) == nyse.close_of(before).replace(year=after.year)
    half_day = date(2024 + years, 7, 3)
    assert later.close_of(half_day) == datetime(2024 + years, 7, 3, 17, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "first", "last", "message"),
    [
        ("XNYS+27y", 2047, 2050, "shift it by 28 or a multiple"),
        ("XNYS+0y", 2020, 2021, "shift it by 28 or a multiple"),
        ("XNYS+28y", 1928, 1930, "choose years from 1929 to 2099"),
        ("XNYS+84y", 2099, 2100, "choose years from 1985 to 2099"),
        ("MOON+28y", 2048, 2050, "no exchange calendar named 'MOON'"),
    ],
)
def test_a_shift_after_which_weekdays_do_not_repeat_is_refused(name: str, first: int, last: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        TradingCalendar(name, date(first, 1, 1), date(last, 12, 31))


def test_a_calendar_that_fails_says_so_in_one_short_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    # exchange_calendars lists every day that it cannot place: 20,000 characters for XTAE.
    def failing(*_: object, **__: object) -> None:
        raise ValueError("Special dates [" + "2020-01-05 13:40:00+0000, " * 800 + "] are not sessions.")

    monkeypatch.setenv("PAPERDESK_CACHE", "off")
    monkeypatch.setattr(exchange_calendars, "get_calendar", failing)
    with pytest.raises(InputError, match="XETR cannot cover 1991 to 1991") as raised:
        TradingCalendar("XETR", date(1991, 1, 1), date(1991, 12, 31))
    assert len(str(raised.value)) < 400
