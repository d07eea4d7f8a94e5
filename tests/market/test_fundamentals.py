"""Ratios, recomputed by hand from the raw rows of named filings, and what has to stay absent."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from paperdesk.tools.evidence import Evidence
from paperdesk.tools.market.fundamentals import (
    STALE_DAYS,
    Figure,
    discrete_quarters,
    ratios,
    twelve_months,
    year_before,
)
from paperdesk.tools.market.view import Market, MarketView, open_market
from paperdesk.tools.measures import MEASURES

Raw = Callable[..., float]


@pytest.fixture(scope="module")
def real(us8: Path) -> Market:
    return open_market(us8)


@pytest.fixture(scope="module")
def raw(us8: Path) -> Raw:
    """The one raw value of (accession, concept, last day, first day)."""
    table = pd.read_csv(us8 / "fundamentals.csv.gz", dtype=str, keep_default_na=False)

    def value(accession: str, concept: str, end: str, start: str = "") -> float:
        rows = table[
            (table["accession"] == accession)
            & (table["concept"] == concept)
            & (table["period_end"] == end)
            & (table["period_start"] == start)
        ]
        (found,) = rows["value"]
        return float(found)

    return value


def after_close(market: Market, day: date) -> MarketView:
    return market.view(market.calendar.close_of(day))


def measured(market: Market, day: date, ticker: str) -> dict[str, Evidence]:
    return {row.measure: row for row in ratios(after_close(market, day), ticker)}


NVDA_10Q = "0001045810-24-000124"  # quarter to 2024-04-28, filed 2024-05-29
NVDA_10K = "0001045810-24-000029"  # year to 2024-01-28, filed 2024-02-21
NVDA_Q2, NVDA_Q3 = "0001045810-23-000175", "0001045810-23-000227"
MSFT_10Q = "0000950170-24-048288"  # quarter to 2024-03-31, accepted 2024-04-25T20:06:24Z
JPM_10Q = "0000019617-24-000453"  # quarter to 2024-06-30, accepted 2024-08-02T20:18:48Z


def test_growth_and_margins_of_nvidia_by_hand(real: Market, raw: Raw) -> None:
    found = measured(real, date(2024, 6, 12), "NVDA")
    now, before = ("2024-04-28", "2024-01-29"), ("2023-04-30", "2023-01-30")
    revenue, revenue_before = raw(NVDA_10Q, "Revenue", *now), raw(NVDA_10Q, "Revenue", *before)
    income, income_before = raw(NVDA_10Q, "NetIncome", *now), raw(NVDA_10Q, "NetIncome", *before)
    assert found["revenue_growth_yoy"].value == pytest.approx(revenue / revenue_before - 1)
    assert found["earnings_growth_yoy"].value == pytest.approx(income / income_before - 1)
    assert found["margin_change_yoy"].value == pytest.approx(income / revenue - income_before / revenue_before)
    assert found["revenue_growth_yoy"].value == pytest.approx(26_044 / 7_192 - 1)
    for measure in ("revenue_growth_yoy", "earnings_growth_yoy", "margin_change_yoy"):
        assert found[measure].source == NVDA_10Q
        assert found[measure].id == f"NVDA/{measure}/2024-04-28"
        assert found[measure].available_at == real.calendar.open_of(date(2024, 5, 30))


def test_twelve_month_figures_of_nvidia_by_hand_with_the_fourth_quarter_from_the_year(real: Market, raw: Raw) -> None:
    found = measured(real, date(2024, 6, 12), "NVDA")

    def trailing(concept: str) -> float:
        fourth = raw(NVDA_10K, concept, "2024-01-28", "2023-01-30") - raw(NVDA_Q3, concept, "2023-10-29", "2023-01-30")
        return (
            raw(NVDA_Q2, concept, "2023-07-30", "2023-05-01")
            + raw(NVDA_Q3, concept, "2023-10-29", "2023-07-31")
            + fourth
            + raw(NVDA_10Q, concept, "2024-04-28", "2024-01-29")
        )

    equity = raw(NVDA_10Q, "Equity", "2024-04-28")
    assert found["net_margin_ttm"].value == pytest.approx(trailing("NetIncome") / trailing("Revenue"))
    assert found["roe_ttm"].value == pytest.approx(trailing("NetIncome") / equity)
    # Filed before the 10:1 split of 2024-06-10, read after it: earnings per share are in today's shares.
    close = real.dataset.bars.close[
        real.dataset.bars.sessions.index(date(2024, 6, 12)), real.dataset.bars.column("NVDA")
    ]
    assert found["earnings_yield"].value == pytest.approx(trailing("EPSDiluted") / 10 / close)
    assert found["earnings_yield"].available_at == real.calendar.close_of(date(2024, 6, 12))
    assert found["earnings_yield"].source == NVDA_10Q


def test_the_earnings_yield_does_not_jump_at_a_split(real: Market) -> None:
    before = measured(real, date(2024, 6, 7), "NVDA")["earnings_yield"].value
    after = measured(real, date(2024, 6, 10), "NVDA")["earnings_yield"].value
    assert before is not None
    assert after == pytest.approx(before * 120.888 / 121.79, rel=1e-6)


def test_cash_conversion_of_microsoft_by_hand(real: Market, raw: Raw) -> None:
    found = measured(real, date(2024, 4, 26), "MSFT")["cash_conversion"]
    quarters = (
        ("0000950170-23-035122", "2023-06-30", "2023-04-01"),
        ("0000950170-23-054855", "2023-09-30", "2023-07-01"),
        ("0000950170-24-008814", "2023-12-31", "2023-10-01"),
        (MSFT_10Q, "2024-03-31", "2024-01-01"),
    )
    cash, income = (
        sum(raw(accession, concept, end, start) for accession, end, start in quarters)
        for concept in ("OperatingCashFlow", "NetIncome")
    )
    assert found.value == pytest.approx(cash / income)
    assert found.source == MSFT_10Q
    assert found.available_at == datetime(2024, 4, 25, 20, 6, 24, tzinfo=UTC)
    assert found.period == "12 months to 2024-03-31"


def test_return_on_equity_and_growth_of_a_bank_by_hand(real: Market, raw: Raw) -> None:
    found = measured(real, date(2024, 8, 5), "JPM")
    quarters = (
        ("0000019617-23-000524", "2023-09-30", "2023-07-01"),
        ("0000019617-24-000225", "2023-12-31", "2023-10-01"),
        ("0000019617-24-000326", "2024-03-31", "2024-01-01"),
        (JPM_10Q, "2024-06-30", "2024-04-01"),
    )
    income = sum(raw(accession, "NetIncome", end, start) for accession, end, start in quarters)
    assert found["roe_ttm"].value == pytest.approx(income / raw(JPM_10Q, "Equity", "2024-06-30"))
    before = raw("0000019617-23-000432", "Revenue", "2023-06-30", "2023-04-01")
    now = raw(JPM_10Q, "Revenue", "2024-06-30", "2024-04-01")
    assert found["revenue_growth_yoy"].value == pytest.approx(now / before - 1)
    assert found["roe_ttm"].source == found["revenue_growth_yoy"].source == JPM_10Q


def test_liabilities_to_assets_are_of_one_and_the_same_day(real: Market, raw: Raw) -> None:
    # At 2025-03-31 the data has Amazon's assets and not its liabilities.
    filing = "0001018724-25-000004"
    found = measured(real, date(2025, 5, 20), "AMZN")["liabilities_to_assets"]
    expected = raw(filing, "Liabilities", "2024-12-31") / raw(filing, "Assets", "2024-12-31")
    assert found.value == pytest.approx(expected)
    assert (found.source, found.period) == (filing, "at 2024-12-31")


def test_a_filing_changes_the_ratios_from_the_moment_it_was_accepted(real: Market) -> None:
    # Accepted 19 minutes after the close of 2024-08-02.
    before, after = (measured(real, day, "JPM")["roe_ttm"] for day in (date(2024, 8, 2), date(2024, 8, 5)))
    assert before.period == "12 months to 2024-03-31"
    assert after.period == "12 months to 2024-06-30"


def test_growth_from_a_loss_is_absent(real: Market) -> None:
    # UnitedHealth lost 1.4 billion in the first quarter of 2024.
    found = measured(real, date(2025, 5, 20), "UNH")
    assert "earnings_growth_yoy" not in found
    assert "revenue_growth_yoy" in found


def test_stale_figures_are_left_out(real: Market) -> None:
    for day in (date(2024, 1, 2), date(2024, 11, 15), date(2025, 8, 8)):
        for ticker in real.tickers:
            for row in ratios(after_close(real, day), ticker):
                end = date.fromisoformat(row.id.rsplit("/", 1)[1])
                assert day - end <= timedelta(days=STALE_DAYS)
    # Nothing was filed for a year here, so nothing is left.
    market = Market(real.dataset)
    market.facts_by_ticker = {
        name: rows[rows["available_at"] < pd.Timestamp("2024-06-01", tz="UTC")]
        for name, rows in real.facts_by_ticker.items()
    }
    assert ratios(after_close(market, date(2025, 6, 2)), "AAPL") == []


def test_every_company_of_us8_has_most_ratios_and_the_measures_units(real: Market) -> None:
    for ticker in real.tickers:
        found = measured(real, date(2025, 2, 28), ticker)
        assert len(found) >= 6
        assert [name for name in MEASURES if name in found] == list(found)
        for row in found.values():
            assert row.unit == MEASURES[row.measure].unit
            assert row.kind == "ratio"
            assert row.available_at <= row.as_of


def figure(value: float, start: str, end: str, source: str = "f") -> Figure:
    last = date.fromisoformat(end)
    return Figure(value, date.fromisoformat(start), last, datetime(last.year, last.month, 28, tzinfo=UTC), source)


YEAR = (
    figure(10, "2023-01-01", "2023-03-31", "q1"),
    figure(22, "2023-01-01", "2023-06-30", "h1"),
    figure(36, "2023-01-01", "2023-09-30", "9m"),
    figure(52, "2023-01-01", "2023-12-31", "fy"),
)


def test_quarters_come_from_running_totals() -> None:
    quarters = discrete_quarters(YEAR)
    assert [quarters[day].value for day in sorted(quarters)] == [10, 12, 14, 16]
    fourth = quarters[date(2023, 12, 31)]
    assert (fourth.start, fourth.source, fourth.months) == (date(2023, 10, 1), "fy", 3)


def test_a_quarter_as_filed_stands_above_a_difference() -> None:
    quarters = discrete_quarters((*YEAR, figure(15, "2023-07-01", "2023-09-30", "q3")))
    assert quarters[date(2023, 9, 30)].value == 15


def test_a_year_without_its_nine_months_gives_no_fourth_quarter() -> None:
    quarters = discrete_quarters((YEAR[0], YEAR[1], YEAR[3]))
    assert sorted(quarters) == [date(2023, 3, 31), date(2023, 6, 30)]


def test_running_totals_of_different_years_are_not_subtracted() -> None:
    quarters = discrete_quarters((figure(36, "2022-01-01", "2022-09-30"), YEAR[3]))
    assert quarters == {}


def test_twelve_months_need_four_consecutive_quarters() -> None:
    quarters = discrete_quarters(YEAR)
    total = twelve_months(quarters, date(2023, 12, 31))
    assert total is not None
    assert (total.value, total.start, total.source) == (52, date(2023, 1, 1), "fy")
    assert twelve_months(quarters, date(2023, 9, 30)) is None
    del quarters[date(2023, 6, 30)]
    assert twelve_months(quarters, date(2023, 12, 31)) is None


def test_a_year_before_is_52_or_53_weeks_and_nothing_else() -> None:
    quarters = discrete_quarters((figure(1, "2023-07-02", "2023-09-30"), figure(2, "2023-10-01", "2023-12-30")))
    for end in (date(2024, 9, 28), date(2024, 9, 30), date(2024, 10, 5)):
        found = year_before(quarters, end)
        assert found is not None
        assert found.value == 1
    assert year_before(quarters, date(2024, 6, 29)) is None
