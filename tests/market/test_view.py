"""The door: what a view shows, and that it shows nothing later than its time."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperdesk.tools.clock import TradingCalendar
from paperdesk.tools.errors import InputError, LookAheadError
from paperdesk.tools.market.bars import Bars
from paperdesk.tools.market.dataset import facts_frame, open_dataset
from paperdesk.tools.market.fundamentals import ratios
from paperdesk.tools.market.records import FACT_COLUMNS, Company, Dataset, Document
from paperdesk.tools.market.view import Market, MarketView, open_market

SESSIONS = (date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4), date(2024, 1, 5), date(2024, 1, 8), date(2024, 1, 9))


@pytest.fixture(scope="module")
def real(us8: Path) -> Market:
    return open_market(us8)


def after_close(market: Market, day: date) -> MarketView:
    return market.view(market.calendar.close_of(day))


def small_market() -> Market:
    """HALT splits 2:1 while halted (2024-01-05, back on 01-08); LATE is listed on 2024-01-08."""
    nan = np.nan
    close = np.array([[10, nan], [11, nan], [nan, nan], [nan, nan], [6, 50], [6.3, 51]], dtype=np.float64)
    split = np.ones_like(close)
    split[3, 0] = 2
    dividend = np.zeros_like(close)
    dividend[3, 0] = 0.25
    volume = np.where(np.isnan(close), 0.0, 100.0)
    bars = Bars(SESSIONS, ("HALT", "LATE"), close, close, close, close, volume, dividend, split)
    dataset = Dataset(
        name="small",
        note="",
        generated=False,
        calendar="XNYS",
        bars=bars,
        companies={name: Company(name, name) for name in ("HALT", "LATE")},
        facts=facts_frame({name: [] for name in FACT_COLUMNS}),
        documents=(),
    )
    return Market(dataset)


def test_history_does_not_jump_at_a_split_and_is_in_the_shares_of_its_day(real: Market) -> None:
    after = after_close(real, date(2024, 6, 10)).history("NVDA", 3)
    assert after["close"].round(3).tolist() == [120.998, 120.888, 121.79]
    assert after["split"].tolist() == [1, 1, 10]
    before = after_close(real, date(2024, 6, 7)).history("NVDA", 2)
    assert before["close"].round(2).tolist() == [1209.98, 1208.88]
    np.testing.assert_allclose(after["volume"].iloc[:2], before["volume"] * 10)


def test_history_after_all_splits_is_what_the_vendor_adjusted(real: Market, us8: Path) -> None:
    raw = pd.read_csv(us8 / "prices.csv.gz").set_index("ticker")
    view = after_close(real, date(2025, 8, 8))
    for ticker in real.instruments:
        history = view.history(ticker)
        for column in ("open", "high", "low", "close", "volume", "dividend"):
            np.testing.assert_allclose(history[column], raw.loc[[ticker], column], rtol=1e-12)


def test_returns_are_those_of_the_vendor_s_adjusted_closes(real: Market, us8: Path) -> None:
    table = pd.read_csv(us8 / "prices.csv.gz", parse_dates=["date"])
    raw = {
        name: table.pivot(index="date", columns="ticker", values=name) for name in ("adj_close", "close", "dividend")
    }
    expected = raw["adj_close"].pct_change().iloc[1:]
    returns = after_close(real, date(2025, 8, 8)).returns(real.instruments, 1255)[list(expected.columns)]
    # The vendor reinvests at the close before the ex-date, close / (previous - dividend); we pay out at the close.
    paid = (raw["dividend"] / raw["close"].shift()).iloc[1:]
    np.testing.assert_allclose((1 + returns - paid) / (1 - paid) - 1, expected, atol=1e-4)
    np.testing.assert_allclose(returns, expected, atol=5e-4)
    assert (paid > 0).to_numpy().sum() > 50


def test_returns_pass_over_a_halt_with_its_split_and_dividend(real: Market) -> None:
    market = small_market()
    returns = after_close(market, SESSIONS[-1]).returns(("HALT", "LATE"), 6)
    # One share at 11 becomes two at 6, each of which also received 0.25.
    np.testing.assert_allclose(returns["HALT"], [np.nan, 0.1, np.nan, np.nan, 2 * 6.25 / 11 - 1, 0.05])
    np.testing.assert_allclose(returns["LATE"], [np.nan] * 5 + [0.02])


def test_a_halted_name_keeps_its_last_close_in_today_s_shares_and_is_not_tradable() -> None:
    market = small_market()
    before, during, after = (after_close(market, day) for day in (SESSIONS[1], SESSIONS[3], SESSIONS[5]))
    assert (before.close("HALT"), during.close("HALT"), after.close("HALT")) == (11, 5.5, 6.3)
    assert after.close("HALT", on=date(2024, 1, 7)) == 5.5
    assert before.is_tradable("HALT")
    assert not during.is_tradable("HALT")
    assert len(during.history("HALT")) == 2


def test_a_name_before_its_listing_has_no_history_and_no_price() -> None:
    view = after_close(small_market(), SESSIONS[3])
    assert view.history("LATE").empty
    assert not view.is_tradable("LATE")
    with pytest.raises(InputError, match="LATE had not traded by 2024-01-05"):
        view.close("LATE")


def test_splits_since_counts_those_after_the_day_and_up_to_the_view(real: Market) -> None:
    assert after_close(real, date(2024, 6, 10)).splits_since("NVDA", date(2024, 6, 7)) == 10
    assert after_close(real, date(2024, 6, 10)).splits_since("NVDA", date(2024, 6, 10)) == 1
    assert after_close(real, date(2024, 6, 7)).splits_since("NVDA", date(2024, 1, 2)) == 1
    assert after_close(real, date(2024, 6, 10)).splits_since("NVDA", date(2020, 1, 2)) == 40


def test_the_session_is_the_last_one_that_has_closed(real: Market) -> None:
    close = real.calendar.close_of(date(2024, 7, 3))
    assert real.view(close).session == date(2024, 7, 3)
    assert real.view(close - timedelta(seconds=1)).session == date(2024, 7, 2)
    assert real.view(close + timedelta(days=1)).session == date(2024, 7, 3)


def test_a_fact_appears_at_the_moment_it_became_known_and_the_newest_filing_wins(real: Market) -> None:
    # Apple's 10-Q for the quarter to 2024-06-29 was filed on 2024-08-02, without an acceptance time.
    known = real.calendar.open_of(date(2024, 8, 5))
    end = pd.Timestamp("2024-06-29")
    before, after = (real.view(moment).facts("AAPL", "Revenue") for moment in (known - timedelta(seconds=1), known))
    assert end not in set(before["period_end"])
    quarter = after[(after["period_end"] == end) & (after["period_start"] == pd.Timestamp("2024-03-31"))]
    assert quarter["value"].tolist() == [85_777_000_000.0]
    assert quarter["accession"].tolist() == ["0000320193-24-000081"]
    # Nvidia restated its split-affected quarters: the same period, another filing, another number of shares.
    period = pd.Timestamp("2024-01-29"), pd.Timestamp("2024-04-28")
    for day, expected in ((date(2024, 6, 3), 5.98), (date(2025, 6, 3), 0.60)):
        facts = after_close(real, day).facts("NVDA", "EPSDiluted").set_index(["period_start", "period_end"])
        assert facts["value"].to_dict()[period] == expected


def test_documents_appear_at_the_second_of_their_publication(real: Market) -> None:
    document = real.dataset.documents[40]
    before, at = (real.view(document.published_at - timedelta(seconds=s)) for s in (1, 0))
    assert document not in before.documents()
    assert document in at.documents(document.ticker)
    assert document in at.documents(since=document.published_at)
    assert all(row.ticker == document.ticker for row in at.documents(document.ticker))
    assert at.documents(since=document.published_at + timedelta(0))[-1] == document


def test_arguments_that_point_past_the_view_are_refused(real: Market) -> None:
    view = after_close(real, date(2024, 7, 3))
    later = view.as_of + timedelta(seconds=1)
    for ask in (
        lambda: view.at(later),
        lambda: view.documents(since=later),
        lambda: view.close("AAPL", on=date(2024, 7, 5)),
    ):
        with pytest.raises(LookAheadError):
            ask()
    assert view.at(view.as_of).session == view.session


def test_times_without_a_zone_are_refused(real: Market) -> None:
    naive = datetime(2024, 7, 3, 20)  # noqa: DTZ001
    view = real.view(naive.replace(tzinfo=UTC))
    for ask in (lambda: real.view(naive), lambda: view.at(naive), lambda: view.documents(since=naive)):
        with pytest.raises(InputError, match="has no zone"):
            ask()


def test_unknown_tickers_are_refused_with_the_known_ones(real: Market) -> None:
    view = after_close(real, date(2024, 7, 3))
    for ask in (
        lambda: view.history("TSLA"),
        lambda: view.close("TSLA"),
        lambda: view.returns(("AAPL", "TSLA"), 5),
        lambda: view.facts("TSLA"),
        lambda: view.documents("TSLA"),
        lambda: view.company("TSLA"),
        lambda: view.is_tradable("TSLA"),
        lambda: real.bars(("TSLA",), SESSIONS[0], SESSIONS[1]),
    ):
        with pytest.raises(InputError, match=r"'TSLA'.*AAPL.*UNH"):
            ask()


def test_the_benchmark_has_prices_but_is_no_company(real: Market) -> None:
    view = after_close(real, date(2024, 7, 3))
    assert view.benchmark == "SPY"
    assert "SPY" not in view.tickers
    assert view.is_tradable("SPY")
    with pytest.raises(InputError):
        view.company("SPY")


def test_views_outside_the_prices_are_refused(real: Market) -> None:
    with pytest.raises(InputError, match="ends on 2025-08-08"):
        after_close(real, date(2025, 8, 11))
    with pytest.raises(InputError, match="no session has closed"):
        real.view(real.calendar.open_of(date(2020, 8, 10)))


def test_asking_for_no_sessions_is_refused(real: Market) -> None:
    view = after_close(real, date(2024, 7, 3))
    with pytest.raises(InputError):
        view.history("AAPL", 0)
    with pytest.raises(InputError):
        view.returns(("AAPL",), 0)


def test_what_a_view_returns_can_be_changed_without_harm(real: Market) -> None:
    view = after_close(real, date(2024, 7, 3))
    for read in (lambda: view.history("AAPL"), lambda: view.returns(("AAPL",), 9), lambda: view.facts("AAPL")):
        expected = read()
        spoiled = read()
        spoiled.iloc[:, -1] = spoiled.iloc[::-1, -1].to_numpy()
        pd.testing.assert_frame_equal(read(), expected)


def test_a_view_has_no_public_way_to_the_whole_market(real: Market) -> None:
    view = after_close(real, date(2024, 7, 3))
    public = [getattr(view, name) for name in dir(view) if not name.startswith("_")]
    assert not any(isinstance(value, Market | Dataset | Bars) for value in public)


def test_without_a_recommendation_the_window_leaves_a_year_of_history(real: Market) -> None:
    assert real.window == (real.dataset.bars.sessions[252], date(2025, 8, 8))


def test_a_market_that_is_neither_built_in_nor_a_folder_is_refused_with_the_names() -> None:
    with pytest.raises(InputError, match=r"'us9'.*generated, us-tech or sp20"):
        open_market("us9")


def truncated(dataset: Dataset, moment: datetime, market: Market) -> Dataset:
    """The data set as somebody would have it who stopped collecting at that moment."""
    kept = tuple(day for day in dataset.bars.sessions if market.calendar.close_of(day) <= moment)
    return replace(
        dataset,
        bars=dataset.bars.select(dataset.bars.tickers, kept[0], kept[-1]),
        facts=dataset.facts[dataset.facts["available_at"] <= pd.Timestamp(moment)],
        documents=tuple(row for row in dataset.documents if row.published_at <= moment),
    )


def assert_same_sight(one: MarketView, other: MarketView, market: Market) -> None:
    assert one.session == other.session
    assert one.sessions == other.sessions
    for ticker in market.instruments:
        pd.testing.assert_frame_equal(one.history(ticker), other.history(ticker), check_exact=True)
        pd.testing.assert_frame_equal(one.facts(ticker), other.facts(ticker), check_exact=True)
        assert one.close(ticker) == other.close(ticker)
        assert one.splits_since(ticker, market.dataset.bars.sessions[0]) == other.splits_since(
            ticker, market.dataset.bars.sessions[0]
        )
    for ticker in market.tickers:
        assert ratios(one, ticker) == ratios(other, ticker)
    columns = market.instruments
    pd.testing.assert_frame_equal(one.returns(columns, 300), other.returns(columns, 300), check_exact=True)
    assert one.documents() == other.documents()


@pytest.mark.slow
@given(minutes=st.integers(min_value=0, max_value=1570 * 24 * 60))
@settings(max_examples=12)
def test_deleting_the_future_changes_nothing_that_a_view_shows(real: Market, minutes: int) -> None:
    moment = datetime(2021, 4, 20, tzinfo=UTC) + timedelta(minutes=minutes)
    cut = Market(truncated(real.dataset, moment, real))
    assert_same_sight(real.view(moment), cut.view(moment), real)


def test_falsifying_the_future_changes_nothing_that_a_view_shows(real: Market) -> None:
    moment = real.calendar.close_of(date(2024, 6, 7))
    bars, row = real.dataset.bars, real.dataset.bars.sessions.index(date(2024, 6, 7)) + 1
    rng = np.random.default_rng(7)

    def spoiled(matrix: np.ndarray) -> np.ndarray:
        return np.vstack([matrix[:row], matrix[row:] * rng.uniform(0.5, 2, matrix[row:].shape)])

    later = real.dataset.facts["available_at"] > pd.Timestamp(moment)
    facts = real.dataset.facts.assign(value=real.dataset.facts["value"].where(~later, -1.0))
    documents = tuple(
        row if row.published_at <= moment else Document(row.id, row.ticker, row.published_at, "", "false", "")
        for row in real.dataset.documents
    )
    names = ("open", "high", "low", "close", "volume", "dividend", "split")
    changes: dict[str, Any] = {name: spoiled(getattr(bars, name)) for name in names}
    false = replace(bars, **changes)
    market = Market(replace(real.dataset, bars=false, facts=facts, documents=documents))
    assert_same_sight(real.view(moment), market.view(moment), real)
    day = real.calendar.close_of(date(2024, 6, 12))
    with pytest.raises(AssertionError):
        assert_same_sight(real.view(day), market.view(day), real)


def test_levels_do_not_depend_on_splits_that_come_later(us8: Path, tmp_path: Path) -> None:
    """A vendor's file downloaded before Nvidia's split, and one from a year after, give the same 2024-06-07."""
    raw = pd.read_csv(us8 / "prices.csv.gz")
    early = raw[raw["date"] <= "2024-06-07"].copy()
    nvidia = early["ticker"] == "NVDA"
    early.loc[nvidia, ["open", "high", "low", "close", "dividend"]] *= 10
    early.loc[nvidia, "volume"] /= 10
    early.to_csv(tmp_path / "prices.csv", index=False)
    one, other = open_dataset(tmp_path).bars, open_dataset(us8).bars
    count = len(one.sessions)
    for name in ("open", "close", "volume", "dividend", "split"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name)[:count], rtol=1e-9)


def test_the_generated_market_opens_by_its_name_and_seed() -> None:
    market = open_market("generated")
    assert market.generated
    assert market.fingerprint == open_market("generated", seed=7).fingerprint
    assert market.fingerprint != open_market("generated", seed=8).fingerprint


def test_a_market_opens_where_its_exchange_has_not_announced_the_next_year() -> None:
    market = small_market()
    sessions = TradingCalendar("XSHG", date(2026, 12, 1), date(2026, 12, 31)).sessions(
        date(2026, 12, 24), date(2026, 12, 31)
    )
    bars = replace(market.dataset.bars, sessions=sessions)
    shanghai = Market(replace(market.dataset, calendar="XSHG", bars=bars, window=None))
    assert shanghai.view(shanghai.calendar.close_of(sessions[-1])).session == sessions[-1]
