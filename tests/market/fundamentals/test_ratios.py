"""Ratios as evidence: what they are about, when they are absent, and that nothing later reaches them."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperdesk.tools.evidence import Evidence
from paperdesk.tools.market.fundamentals import CONCEPTS, RATIOS, STALE_DAYS, ratios, statements
from paperdesk.tools.market.invariance import comparable, reads_future
from paperdesk.tools.market.view import Market, MarketView
from paperdesk.tools.measures import MEASURES

MakeMarket = Callable[..., Market]
PRICED = tuple(ratio for ratio in RATIOS if ratio.priced)
SPLITS = {
    "AAPL": ("2020-08-31",),
    "NVDA": ("2021-07-20", "2024-06-10"),
    "AMZN": ("2022-06-06",),
    "GOOGL": ("2022-07-18",),
}


def after_close(market: Market, day: date | str) -> MarketView:
    return market.view(market.calendar.close_of(date.fromisoformat(day) if isinstance(day, str) else day))


def measured(market: Market, day: date | str, ticker: str = "ACME") -> dict[str, Evidence]:
    return {row.measure: row for row in ratios(after_close(market, day), ticker)}


def test_every_company_of_us8_has_most_ratios_in_the_order_and_units_of_the_measures(real: Market) -> None:
    for ticker in real.tickers:
        found = measured(real, "2025-02-28", ticker)
        assert len(found) >= 10
        assert [name for name in MEASURES if name in found] == list(found)
        for row in found.values():
            assert row.unit == MEASURES[row.measure].unit
            assert row.kind == "ratio"
            assert row.available_at <= row.as_of
    assert [name for name in MEASURES if name in {ratio.measure for ratio in RATIOS}] == [row.measure for row in RATIOS]


def test_a_complete_company_has_every_ratio(make_market: MakeMarket, complete: Sequence[Any]) -> None:
    assert list(measured(make_market(complete), "2025-03-03")) == [ratio.measure for ratio in RATIOS]


def priced(market: Market, ticker: str, day: date) -> dict[str, float]:
    """The ratios to the price at a day's close."""
    books = statements(after_close(market, day), ticker)
    found = {}
    for ratio in PRICED:
        ends = [end for name in ratio.inputs if (end := books.newest(name)) is not None]
        figure = ratio.formula(books, max(ends)) if ends else None
        if figure is not None:
            found[ratio.measure] = figure.value
    return found


def test_ratios_to_the_price_move_with_the_price_alone_from_filing_to_filing(real: Market) -> None:
    """Day by day over five years and five splits: P/E and P/S by the price, the yields by its inverse."""
    bars = real.dataset.bars
    compared: dict[str, int] = dict.fromkeys((ratio.measure for ratio in PRICED), 0)
    for ticker in real.tickers:
        column = bars.column(ticker)
        filed = sorted(set(real.facts_by_ticker[ticker]["available_at"].dt.to_pydatetime()))
        known = [bisect_right(filed, real.calendar.close_of(day)) for day in bars.sessions]
        before = priced(real, ticker, bars.sessions[0])
        for row in range(1, len(bars.sessions)):
            now = priced(real, ticker, bars.sessions[row])
            if known[row] == known[row - 1]:
                change = bars.close[row, column] * bars.split[row, column] / bars.close[row - 1, column]
                assert now.keys() == before.keys()
                for measure, value in now.items():
                    factor = change if measure.startswith("price") else 1 / change
                    assert value == pytest.approx(before[measure] * factor, rel=1e-9), (ticker, bars.sessions[row])
                    compared[measure] += 1
            before = now
    assert min(compared.values()) > 1000
    assert compared["price_to_earnings"] > 7000


@pytest.mark.parametrize(("ticker", "day"), [(name, day) for name, days in SPLITS.items() for day in days])
def test_no_ratio_jumps_at_a_split(real: Market, ticker: str, day: str) -> None:
    split = date.fromisoformat(day)
    bars = real.dataset.bars
    row, column = bars.sessions.index(split), bars.column(ticker)
    assert bars.split[row, column] > 1
    before, after = measured(real, bars.sessions[row - 1], ticker), measured(real, split, ticker)
    assert before.keys() == after.keys()
    assert "price_to_earnings" in after
    for measure, evidence in after.items():
        assert evidence.value is not None
        assert evidence.value == pytest.approx(before[measure].value, rel=0.12)
        assert evidence.source == before[measure].source


def test_a_filing_changes_the_ratios_from_the_moment_it_was_accepted(real: Market) -> None:
    # Accepted 19 minutes after the close of 2024-08-02.
    before, after = (measured(real, day, "JPM")["roe_ttm"] for day in ("2024-08-02", "2024-08-05"))
    assert before.period == "12 months to 2024-03-31"
    assert after.period == "12 months to 2024-06-30"
    assert after.available_at == datetime(2024, 8, 2, 20, 18, 48, tzinfo=UTC)


def test_a_price_ratio_is_known_at_the_close_and_names_the_filing(real: Market) -> None:
    found = measured(real, "2024-06-12", "NVDA")["price_to_earnings"]
    assert found.available_at == real.calendar.close_of(date(2024, 6, 12))
    assert found.source == "0001045810-24-000124"


def test_a_ratio_is_of_the_newest_period_of_any_input_or_absent(real: Market) -> None:
    # Amazon's balance sheet of 2025-03-31 is known without its liabilities: those of December do not stand in.
    before, after = (measured(real, day, "AMZN") for day in ("2025-02-20", "2025-05-20"))
    assert before["liabilities_to_assets"].period == "at 2024-12-31"
    assert "liabilities_to_assets" not in after
    assert "liabilities_to_equity" not in after
    assert after["current_ratio"].period == "at 2025-03-31"


def test_a_bank_without_cost_of_revenue_or_capital_expenditure_lacks_what_needs_them(real: Market) -> None:
    found = measured(real, "2024-08-05", "JPM")
    assert "gross_margin_ttm" not in found
    assert "free_cash_flow_yield" not in found
    assert "roe_ttm" in found


def test_growth_from_a_loss_is_absent(real: Market) -> None:
    # UnitedHealth lost 1.4 billion in the first quarter of 2024.
    found = measured(real, "2025-05-20", "UNH")
    assert "earnings_growth_yoy" not in found
    assert "revenue_growth_yoy" in found


def test_price_over_earnings_is_absent_for_a_loss_and_the_earnings_yield_is_negative(real: Market) -> None:
    # Amazon lost 0.27 a share in 2022.
    found = measured(real, "2023-02-07", "AMZN")
    assert "price_to_earnings" not in found
    assert found["earnings_yield"].value == pytest.approx(-0.27 / 102.11, rel=1e-4)
    assert "price_to_sales" in found


def test_stale_figures_are_left_out(real: Market) -> None:
    for day in (date(2024, 1, 2), date(2024, 11, 15), date(2025, 8, 8)):
        for ticker in real.tickers:
            for row in ratios(after_close(real, day), ticker):
                end = date.fromisoformat(row.id.rsplit("/", 1)[1])
                assert day - end <= timedelta(days=STALE_DAYS)
    # Nothing was filed for a year here, so nothing is left.
    facts = real.dataset.facts
    early = facts[facts["available_at"] < pd.Timestamp("2024-06-01", tz="UTC")].reset_index(drop=True)
    assert ratios(after_close(Market(replace(real.dataset, facts=early)), "2025-06-02"), "AAPL") == []


def test_a_halted_share_has_no_price_ratios_after_a_week(make_market: MakeMarket, complete: Sequence[Any]) -> None:
    market = make_market(complete, halted_from="2025-03-10")
    names = {ratio.measure for ratio in PRICED}
    # Five sessions with the last trade among them, then none.
    assert names <= measured(market, "2025-03-13").keys()
    after = measured(market, "2025-03-14").keys()
    assert not names & after
    assert "roe_ttm" in after


def test_payments_written_as_negative_amounts_give_no_free_cash_flow(
    make_market: MakeMarket, complete: Sequence[Any]
) -> None:
    negative = [row._replace(value=-row.value) if row.concept == "CapitalExpenditure" else row for row in complete]
    assert "free_cash_flow_yield" not in measured(make_market(negative), "2025-03-03")


def test_gross_margin_without_gross_profit_is_revenue_minus_its_cost(
    make_market: MakeMarket, complete: Sequence[Any]
) -> None:
    with_profit = measured(make_market(complete), "2025-03-03")["gross_margin_ttm"]
    cost_only = make_market([row for row in complete if row.concept != "GrossProfit"])
    assert measured(cost_only, "2025-03-03")["gross_margin_ttm"].value == with_profit.value
    profit_only = make_market([row for row in complete if row.concept != "CostOfRevenue"])
    assert measured(profit_only, "2025-03-03")["gross_margin_ttm"].value == with_profit.value


@pytest.mark.parametrize("ratio", RATIOS, ids=lambda ratio: ratio.measure)
def test_a_ratio_without_one_of_its_inputs_for_the_newest_period_is_absent(
    make_market: MakeMarket, complete: Sequence[Any], ratio: Any
) -> None:
    for concept in ratio.inputs if len(ratio.inputs) > 1 else ():
        thinned = [row for row in complete if (row.concept, row.end) != (concept, "2024-12-31")]
        assert ratio.measure not in measured(make_market(thinned), "2025-03-03")
    for concept in ratio.inputs:
        without = [row for row in complete if row.concept != concept]
        assert ratio.measure not in measured(make_market(without), "2025-03-03")


def computed(market: Market, day: str, ends: Sequence[date]) -> dict[tuple[str, date], float]:
    """Every ratio for every period, newest or not."""
    books = statements(after_close(market, day), "ACME")
    figures = {(ratio.measure, end): ratio.formula(books, end) for ratio in RATIOS for end in ends}
    return {key: figure.value for key, figure in figures.items() if figure is not None}


@given(data=st.data())
@settings(max_examples=25)
def test_a_missing_fact_never_creates_or_changes_a_value(
    make_market: MakeMarket, complete: Sequence[Any], data: st.DataObject
) -> None:
    """The facts agree with each other, so a ratio of fewer of them is the same or absent."""
    ends = sorted({date.fromisoformat(row.end) for row in complete})
    full = computed(make_market(complete), "2025-03-03", ends)
    assert len(full) > 100
    lost = data.draw(st.sets(st.integers(0, len(complete) - 1), min_size=1, max_size=40))
    thinned = computed(make_market([row for i, row in enumerate(complete) if i not in lost]), "2025-03-03", ends)
    assert thinned.keys() <= full.keys()
    for key, value in thinned.items():
        assert value == pytest.approx(full[key], rel=1e-12)


@given(data=st.data())
@settings(max_examples=25)
def test_facts_filed_later_never_change_an_earlier_view(
    make_market: MakeMarket, complete: Sequence[Any], data: st.DataObject
) -> None:
    filed = sorted({row.filed for row in complete if row.filed >= "2022-05"})
    restated = [
        row._replace(value=row.value * data.draw(st.floats(0.5, 2)), filed=data.draw(st.sampled_from(filed)))
        for row in data.draw(st.lists(st.sampled_from(complete), max_size=6))
    ]
    rows = [*complete, *(row for row in restated if row.filed >= row.end)]
    splits = {"2023-06-01": 4, "2024-03-01": 2}
    whole = make_market(rows, splits=splits)
    day = data.draw(st.sampled_from([day for day in filed if whole.calendar.is_session(date.fromisoformat(day))]))
    # At its close is known what was filed before it.
    cut = make_market([row for row in rows if row.filed < day], splits=splits)
    assert ratios(after_close(whole, day), "ACME") == ratios(after_close(cut, day), "ACME")


@given(share=st.floats(0.1, 1.0), ticker=st.sampled_from(["AAPL", "AMZN", "GOOGL", "JPM", "MSFT", "NVDA", "UNH"]))
@settings(max_examples=25)
def test_ratios_of_real_companies_do_not_depend_on_the_future(real: Market, share: float, ticker: str) -> None:
    sessions = real.dataset.bars.sessions
    as_of = real.calendar.close_of(sessions[int(share * (len(sessions) - 1))])
    facts = real.dataset.facts
    known = facts[facts["available_at"] <= pd.Timestamp(as_of)].reset_index(drop=True)
    bars = real.dataset.bars
    past = replace(
        real.dataset,
        bars=bars.select(bars.tickers, bars.sessions[0], real.view(as_of).session),
        facts=known,
        documents=(),
        window=None,
    )
    assert ratios(real.view(as_of), ticker) == ratios(Market(past).view(as_of), ticker)


@pytest.mark.parametrize("seed", range(3))
def test_amendments_under_other_names_at_any_hour_never_change_what_was_known(
    make_market: MakeMarket, complete: Sequence[Any], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    amended = []
    for row in (complete[i] for i in rng.integers(len(complete), size=60)):
        filed = date.fromisoformat(row.filed) + timedelta(days=int(rng.choice([0, 1, 2, 3, 30, 200, 365])))
        accepted = datetime(filed.year, filed.month, filed.day, int(rng.integers(24)), tzinfo=UTC)
        amended.append(
            row._replace(
                concept=str(rng.choice([row.concept, *CONCEPTS[row.concept].synonyms])),
                value=row.value * rng.uniform(0.5, 2),
                filed=filed.isoformat(),
                accepted_at=accepted if rng.random() < 0.5 else None,
            )
        )
    market = make_market([*complete, *amended], splits={"2022-05-06": 3, "2023-06-01": 4, "2024-03-01": 0.5})
    sessions = market.dataset.bars.sessions
    hours = [timedelta(hours=int(hour)) for hour in rng.choice([0, -5, 7, 13], size=8)]
    rows = rng.integers(300, len(sessions) - 2, size=8)
    moments = [market.calendar.close_of(sessions[row]) + hour for row, hour in zip(rows, hours, strict=True)]

    def figures(view: MarketView) -> object:
        books = statements(view, "ACME")
        return [books.table(name) for name in ("EPSDiluted", "Revenue", "SharesDiluted")], ratios(view, "ACME")

    assert reads_future(figures, market.dataset, moments, rng) == []
    for moment in moments:  # what earlier and later views have left behind changes nothing
        fresh = Market(market.dataset).view(moment)
        assert comparable(figures(market.view(moment))) == comparable(figures(fresh))


def test_what_is_kept_between_views_is_what_a_fresh_market_says(real: Market) -> None:
    """Views in any order, before and after filings and splits, share nothing that they should not."""
    days = ["2024-06-12", "2024-05-28", "2024-06-07", "2024-08-29", "2024-06-10", "2024-05-30"]
    fresh = {day: ratios(after_close(Market(real.dataset), day), "NVDA") for day in days}
    for day in (*days, *reversed(days)):
        assert ratios(after_close(real, day), "NVDA") == fresh[day]


def test_a_share_count_of_zero_is_no_share_count(make_market: MakeMarket, complete: Sequence[Any]) -> None:
    # Filings hold such zeros; taken at their word, the company would be worth nothing and look cheap.
    empty = [row._replace(value=0) if row.concept == "SharesDiluted" else row for row in complete]
    found = measured(make_market(empty), "2025-03-03")
    assert not {"price_to_sales", "free_cash_flow_yield"} & found.keys()
    assert "price_to_earnings" in found


def test_what_was_asked_later_or_elsewhere_changes_no_ratio_of_an_earlier_day(
    make_market: MakeMarket, complete: Sequence[Any]
) -> None:
    days = ("2024-06-03", "2025-03-03", "2024-11-04", "2025-03-04", "2024-06-04", "2025-02-03", "2024-08-05")
    asked = make_market(complete)
    for day in (*days, *reversed(days)):
        assert measured(asked, day) == measured(make_market(complete), day)
