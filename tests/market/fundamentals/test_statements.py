"""Quarters, twelve months and levels at a moment: what follows from what was filed, and what stays absent."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from paperdesk.tools.errors import InputError
from paperdesk.tools.market.fundamentals import CONCEPTS, RATIOS, Statements, canonical, statements
from paperdesk.tools.market.view import Market
from paperdesk.tools.measures import MEASURES

MakeMarket = Callable[..., Market]
Fact = Callable[..., Any]
"""The fixture's row: concept, start, end, value, filed."""


@pytest.fixture(scope="session")
def fact(complete: tuple[Any, ...]) -> Fact:
    return type(complete[0])


def books(market: Market, day: str, ticker: str = "ACME") -> Statements:
    """As of the close of a session."""
    return statements(market.view(market.calendar.close_of(date.fromisoformat(day))), ticker)


def values(figures: dict[date, Any]) -> dict[str, float]:
    return {day.isoformat(): figure.value for day, figure in figures.items()}


def year(fact: Fact, concept: str = "OperatingCashFlow") -> list[Any]:
    """2022 as a cash-flow statement gives it: 10, 12, 14, 16 a quarter."""
    return [
        fact(concept, "2022-01-01", "2022-03-31", 10, "2022-05-05"),
        fact(concept, "2022-01-01", "2022-06-30", 22, "2022-08-05"),
        fact(concept, "2022-01-01", "2022-09-30", 36, "2022-11-04"),
        fact(concept, "2022-01-01", "2022-12-31", 52, "2023-02-20"),
    ]


def test_twelve_months_are_had_at_every_day_that_they_end(make_market: MakeMarket, fact: Fact) -> None:
    following = fact("OperatingCashFlow", "2023-01-01", "2023-03-31", 11, "2023-05-05")
    found = books(make_market([*year(fact), following]), "2023-06-01")
    assert values(found.trailings("OperatingCashFlow")) == {"2022-12-31": 52, "2023-03-31": 53}


def test_quarters_come_from_running_totals(make_market: MakeMarket, fact: Fact) -> None:
    found = books(make_market(year(fact)), "2023-03-01")
    quarters = found.quarters("OperatingCashFlow")
    assert values(quarters) == {"2022-03-31": 10, "2022-06-30": 12, "2022-09-30": 14, "2022-12-31": 16}
    first, fourth = quarters[date(2022, 3, 31)], quarters[date(2022, 12, 31)]
    assert (first.derived, first.source) == (False, "filing-2022-05-05")
    assert (fourth.derived, fourth.source, fourth.start, fourth.months) == (
        True,
        "filing-2023-02-20",
        date(2022, 10, 1),
        3,
    )


def test_a_quarter_as_filed_stands_above_a_difference_from_its_filing_on(make_market: MakeMarket, fact: Fact) -> None:
    late = fact("OperatingCashFlow", "2022-07-01", "2022-09-30", 15, "2023-11-03")
    market = make_market([*year(fact), late])
    assert books(market, "2023-11-03").quarter("OperatingCashFlow", date(2022, 9, 30)).value == 14
    assert books(market, "2023-11-06").quarter("OperatingCashFlow", date(2022, 9, 30)).value == 15


def test_a_year_without_its_nine_months_gives_no_fourth_quarter(make_market: MakeMarket, fact: Fact) -> None:
    rows = year(fact)
    found = books(make_market([*rows[:2], rows[3]]), "2023-03-01")
    assert values(found.quarters("OperatingCashFlow")) == {"2022-03-31": 10, "2022-06-30": 12}
    assert found.quarter("OperatingCashFlow", date(2022, 12, 31)) is None


def test_running_totals_of_different_years_are_not_subtracted(make_market: MakeMarket, fact: Fact) -> None:
    other = fact("OperatingCashFlow", "2021-01-01", "2021-09-30", 36, "2021-11-05")
    found = books(make_market([other, year(fact)[3]]), "2023-03-01")
    assert found.quarters("OperatingCashFlow") == {}


def test_twelve_months_need_every_part_of_them(make_market: MakeMarket, fact: Fact) -> None:
    later = fact("OperatingCashFlow", "2023-01-01", "2023-03-31", 18, "2023-05-05")
    full = books(make_market([*year(fact), later]), "2023-06-01")
    total = full.trailing("OperatingCashFlow", date(2023, 3, 31))
    assert (total.value, total.start, total.source) == (12 + 14 + 16 + 18, date(2022, 4, 1), "filing-2023-05-05")
    as_filed = full.trailing("OperatingCashFlow", date(2022, 12, 31))
    assert (as_filed.value, as_filed.derived) == (52, False)
    assert full.trailing("OperatingCashFlow", date(2022, 9, 30)) is None
    without_first = books(make_market([*year(fact)[1:], later]), "2023-06-01")
    assert without_first.trailing("OperatingCashFlow", date(2023, 3, 31)) is None


def test_twelve_months_from_two_running_totals_where_quarters_are_odd(make_market: MakeMarket, fact: Fact) -> None:
    # Quarters of 12, 12, 12 and 16 weeks: the last is no quarter by its length.
    rows = [
        fact("Revenue", "2021-09-05", "2021-11-27", 50, "2021-12-20"),
        fact("Revenue", "2021-09-05", "2022-09-03", 220, "2022-10-05"),
        fact("Revenue", "2022-09-04", "2022-11-26", 54, "2022-12-20"),
    ]
    found = books(make_market(rows), "2023-01-03")
    total = found.trailing("Revenue", date(2022, 11, 26))
    assert (total.value, total.start, total.derived) == (220 - 50 + 54, date(2021, 11, 28), True)
    assert found.quarter("Revenue", date(2022, 9, 3)) is None


def test_a_longer_year_is_compared_with_a_shorter_one(make_market: MakeMarket, fact: Fact) -> None:
    # 52 weeks, then 53: a quarter of 14 weeks at the end.
    rows = [
        fact("Revenue", "2021-09-26", "2022-09-24", 400, "2022-10-28"),
        fact("Revenue", "2021-09-26", "2022-06-25", 290, "2022-07-29"),
        fact("Revenue", "2022-09-25", "2023-09-30", 424, "2023-11-03"),
        fact("Revenue", "2022-09-25", "2023-06-24", 300, "2023-07-28"),
    ]
    found = books(make_market(rows), "2023-12-01")
    assert found.quarter("Revenue", date(2023, 9, 30)).value == 124
    assert found.growth("Revenue", date(2023, 9, 30)).value == pytest.approx(124 / 110 - 1)
    assert found.trailing_growth("Revenue", date(2023, 9, 30)).value == pytest.approx(0.06)


def test_a_changed_fiscal_year_leaves_growth_absent_where_no_quarter_matches(
    make_market: MakeMarket, fact: Fact
) -> None:
    # Calendar quarters in 2022, a stub of one month, then quarters from February: 31 days apart from a year before.
    rows = [
        *year(fact, "Revenue"),
        fact("Revenue", "2023-01-01", "2023-01-31", 5, "2023-03-10"),
        fact("Revenue", "2023-02-01", "2023-04-30", 20, "2023-06-05"),
    ]
    found = books(make_market(rows), "2023-07-03")
    assert found.quarter("Revenue", date(2023, 4, 30)).value == 20
    assert found.growth("Revenue", date(2023, 4, 30)) is None
    assert found.trailing("Revenue", date(2023, 4, 30)) is None
    assert found.trailing_growth("Revenue", date(2023, 4, 30)) is None


def test_a_transition_period_of_six_months_gives_the_right_quarters(make_market: MakeMarket, fact: Fact) -> None:
    # The year now ends in June: January to June 2023 is a period of its own.
    rows = [
        *year(fact, "Revenue"),
        fact("Revenue", "2023-01-01", "2023-03-31", 18, "2023-05-05"),
        fact("Revenue", "2023-01-01", "2023-06-30", 38, "2023-08-20"),
        fact("Revenue", "2023-07-01", "2023-09-30", 22, "2023-11-03"),
    ]
    found = books(make_market(rows), "2023-12-01")
    assert found.quarter("Revenue", date(2023, 6, 30)).value == 20
    assert found.trailing("Revenue", date(2023, 9, 30)).value == 16 + 18 + 20 + 22
    assert found.growth("Revenue", date(2023, 9, 30)).value == pytest.approx(22 / 14 - 1)


def test_a_restated_year_is_reduced_by_the_nine_months_that_belong_to_it(make_market: MakeMarket, fact: Fact) -> None:
    restated = [
        fact("OperatingCashFlow", "2022-01-01", "2022-09-30", 30, "2023-11-03"),
        fact("OperatingCashFlow", "2022-01-01", "2022-12-31", 45, "2024-02-20"),
    ]
    market = make_market([*year(fact), *restated])
    fourth = date(2022, 12, 31)
    # Between the two filings, the restated nine months do not belong to the year as first filed.
    assert books(market, "2023-11-03").quarter("OperatingCashFlow", fourth).value == 52 - 36
    assert books(market, "2023-12-01").quarter("OperatingCashFlow", fourth).value == 52 - 36
    assert books(market, "2024-03-01").quarter("OperatingCashFlow", fourth).value == 45 - 30


def test_a_restatement_counts_from_its_own_filing_on(make_market: MakeMarket, fact: Fact) -> None:
    rows = [
        fact("Assets", "", "2022-12-31", 500, "2023-02-20"),
        fact("Assets", "", "2022-12-31", 470, "2023-08-04"),
    ]
    market = make_market(rows)
    before, after = (books(market, day).level("Assets", date(2022, 12, 31)) for day in ("2023-08-04", "2023-08-07"))
    assert (before.value, before.source) == (500, "filing-2023-02-20")
    assert (after.value, after.source) == (470, "filing-2023-08-04")


def test_a_restatement_of_real_debt_appears_when_it_was_filed(real: Market) -> None:
    # Alphabet's long-term debt at the end of 2023, in the reports of 2023 and of 2024.
    day = date(2023, 12, 31)
    before, after = (books(real, on, "GOOGL").level("LongTermDebt", day) for on in ("2025-02-05", "2025-02-06"))
    assert (before.value, before.source) == (14_862e6, "0001652044-24-000022")
    assert (after.value, after.source) == (11_870e6, "0001652044-25-000014")


def test_earnings_per_share_are_restated_by_the_filing_after_a_split(real: Market) -> None:
    # NVIDIA's quarter to October 2023: 3.71 before the split 10:1, filed again as 0.37 on 2024-11-20.
    day = date(2023, 10, 29)
    quoted = [books(real, on, "NVDA").quarter("EPSDiluted", day) for on in ("2024-06-07", "2024-06-10", "2024-11-21")]
    assert [figure.value for figure in quoted] == pytest.approx([3.71, 0.371, 0.37])
    assert [figure.source for figure in quoted] == ["0001045810-23-000227"] * 2 + ["0001045810-24-000316"]


def test_a_difference_brings_both_filings_into_the_same_shares(make_market: MakeMarket, fact: Fact) -> None:
    per_share = [
        fact("EPSDiluted", "2022-01-01", "2022-09-30", 9, "2022-11-04", unit="USD/shares"),
        fact("EPSDiluted", "2022-01-01", "2022-12-31", 3, "2023-02-20", unit="USD/shares"),
    ]
    market = make_market(per_share, splits={"2022-12-15": 4, "2023-06-01": 2})
    fourth = date(2022, 12, 31)
    assert books(market, "2023-05-31").quarter("EPSDiluted", fourth).value == pytest.approx(3 - 9 / 4)
    assert books(market, "2023-06-01").quarter("EPSDiluted", fourth).value == pytest.approx(3 / 2 - 9 / 8)


def test_a_split_undone_later_still_parts_the_filings_between(make_market: MakeMarket, fact: Fact) -> None:
    per_share = [
        fact("EPSDiluted", "2022-01-01", "2022-09-30", 9, "2022-11-04", unit="USD/shares"),
        fact("EPSDiluted", "2022-01-01", "2022-12-31", 6, "2023-02-20", unit="USD/shares"),
    ]
    market = make_market(per_share, splits={"2022-12-15": 2, "2023-06-01": 0.5})
    assert books(market, "2023-07-03").quarter("EPSDiluted", date(2022, 12, 31)).value == pytest.approx(12 - 9)


def test_a_filing_of_the_day_of_a_split_is_in_new_shares(make_market: MakeMarket, fact: Fact) -> None:
    def per_share(filed: str) -> Any:
        return fact("EPSDiluted", "2022-07-01", "2022-09-30", 8, filed, unit="USD/shares")

    for filed, expected in (("2022-11-03", 2), ("2022-11-04", 8), ("2022-11-07", 8)):
        market = make_market([per_share(filed)], splits={"2022-11-04": 4})
        assert books(market, "2022-12-01").quarter("EPSDiluted", date(2022, 9, 30)).value == expected


def test_share_counts_are_neither_summed_nor_subtracted(make_market: MakeMarket, fact: Fact) -> None:
    counts = [
        fact("SharesDiluted", "2022-01-01", "2022-09-30", 100, "2022-11-04", unit="shares"),
        fact("SharesDiluted", "2022-07-01", "2022-09-30", 104, "2022-11-04", unit="shares"),
        fact("SharesDiluted", "2022-01-01", "2022-12-31", 102, "2023-02-20", unit="shares"),
    ]
    market = make_market(counts, splits={"2022-11-15": 3})
    found = books(market, "2023-03-01")
    assert found.average("SharesDiluted", date(2022, 9, 30)).value == 3 * 104
    assert found.average("SharesDiluted", date(2022, 12, 31)).value == 102
    assert found.quarter("SharesDiluted", date(2022, 12, 31)) is None
    assert found.trailing("SharesDiluted", date(2022, 12, 31)) is None


def test_the_newest_filing_of_a_share_count_wins_over_a_shorter_period(make_market: MakeMarket, fact: Fact) -> None:
    counts = [
        fact("SharesDiluted", "2022-10-01", "2022-12-31", 104, "2023-01-20", unit="shares"),
        fact("SharesDiluted", "2022-01-01", "2022-12-31", 102, "2023-02-20", unit="shares"),
    ]
    market = make_market(counts)
    assert books(market, "2023-02-17").average("SharesDiluted", date(2022, 12, 31)).value == 104
    assert books(market, "2023-03-01").average("SharesDiluted", date(2022, 12, 31)).value == 102


def test_other_names_of_a_concept_serve_and_the_canonical_one_wins_within_a_filing(
    make_market: MakeMarket, fact: Fact
) -> None:
    rows = [
        fact("us-gaap:SalesRevenueNet", "2022-01-01", "2022-03-31", 10, "2022-05-05"),
        fact("Revenues", "2023-01-01", "2023-03-31", 12, "2023-05-05"),
        fact("Revenue", "2023-01-01", "2023-03-31", 13, "2023-05-05"),
        fact("RevenueFromContractWithCustomerExcludingAssessedTax", "2023-01-01", "2023-03-31", 11, "2023-05-05"),
    ]
    for order in (rows, rows[::-1]):
        found = books(make_market(order), "2023-06-01")
        assert values(found.quarters("Revenue")) == {"2022-03-31": 10, "2023-03-31": 13}
        assert found.concepts == ("Revenue",)


def test_an_amendment_wins_by_whatever_name_though_it_becomes_known_at_the_same_open(
    make_market: MakeMarket, fact: Fact
) -> None:
    # Filed on a Friday and on the Saturday after: both are known from Monday's open.
    rows = [
        fact("Revenue", "2023-01-01", "2023-03-31", 13, "2023-05-05"),
        fact("Revenues", "2023-01-01", "2023-03-31", 15, "2023-05-06"),
    ]
    assert values(books(make_market(rows), "2023-06-01").quarters("Revenue")) == {"2023-03-31": 15}


def test_no_name_means_two_concepts() -> None:
    names = [name for row in CONCEPTS.values() for name in (row.name, *row.synonyms)]
    assert len(names) == len(set(names))
    assert canonical("us-gaap:NetIncomeLoss") == ("NetIncome", 1)
    assert canonical("SomethingElse") == ("SomethingElse", 0)


def test_a_concept_of_the_companys_own_is_read_by_its_unit(make_market: MakeMarket, fact: Fact) -> None:
    rows = [
        fact("BookValuePerShare", "", "2022-12-31", 30, "2023-02-20", unit="USD/shares"),
        fact("Stores", "", "2022-12-31", 30, "2023-02-20", unit="stores"),
    ]
    found = books(make_market(rows, splits={"2023-02-22": 3}), "2023-03-01")
    assert found.level("BookValuePerShare", date(2022, 12, 31)).value == 10
    assert found.level("Stores", date(2022, 12, 31)).value == 30


def test_a_name_that_nobody_filed_is_refused_and_stays_so_until_it_is_filed(
    make_market: MakeMarket, fact: Fact
) -> None:
    market = make_market([fact("Stores", "", "2022-12-31", 30, "2023-02-20"), *year(fact)])
    for _ in range(2):
        with pytest.raises(InputError, match=r"ACME has filed nothing named 'Stores' by 2023-02-17; choose from Op"):
            books(market, "2023-02-17").level("Stores", date(2022, 12, 31))
    with pytest.raises(InputError, match="'Revenu'"):
        books(market, "2023-03-01").quarter("Revenu", date(2022, 12, 31))
    assert books(market, "2023-03-01").level("Stores", date(2022, 12, 31)).value == 30
    assert books(market, "2023-03-01").quarters("Revenue") == {}


@pytest.mark.parametrize(
    ("accepted", "session", "close"),
    [
        # 15:55 and 16:05 in New York, in summer and in winter, and around an early close at 13:00.
        ("2023-03-10T20:55:00+00:00", "2023-03-10", True),
        ("2023-03-10T21:05:00+00:00", "2023-03-10", False),
        ("2023-03-13T19:55:00+00:00", "2023-03-13", True),
        ("2023-03-13T20:05:00+00:00", "2023-03-13", False),
        ("2023-11-03T19:55:00+00:00", "2023-11-03", True),
        ("2023-11-03T20:05:00+00:00", "2023-11-03", False),
        ("2023-11-06T20:55:00+00:00", "2023-11-06", True),
        ("2023-11-06T21:05:00+00:00", "2023-11-06", False),
        ("2023-11-24T17:55:00+00:00", "2023-11-24", True),
        ("2023-11-24T18:05:00+00:00", "2023-11-24", False),
    ],
)
def test_a_filing_is_known_at_the_close_if_it_was_accepted_before_it(
    make_market: MakeMarket, fact: Fact, accepted: str, session: str, close: bool
) -> None:
    market = make_market([fact("Assets", "", "2022-12-31", 500, session, datetime.fromisoformat(accepted))])
    known = books(market, session).level("Assets", date(2022, 12, 31))
    assert (known is not None) == close
    following = market.calendar.next_session(date.fromisoformat(session)).isoformat()
    assert books(market, following).level("Assets", date(2022, 12, 31)).available_at == datetime.fromisoformat(accepted)


def test_tables_for_people_hold_what_the_methods_say(real: Market) -> None:
    found = books(real, "2024-06-12", "NVDA")
    revenue = found.table("Revenue")
    row = revenue.loc["2024-04-28"]
    assert row["quarter"] == 26_044e6
    assert row["quarter_growth"] == pytest.approx(26_044 / 7_192 - 1)
    assert row["twelve_months"] == pytest.approx(79_774e6)
    assert (row["source"], row["derived"]) == ("0001045810-24-000124", False)
    assert np.isnan(revenue.iloc[0]["quarter_growth"])
    assets, shares = found.table("Assets"), found.table("SharesDiluted")
    assert assets.loc["2024-04-28", "value"] == 77_072e6
    assert assets.loc["2024-01-28", "growth"] == pytest.approx(65_728 / 41_182 - 1)
    assert shares.loc["2024-04-28", "value"] == 24_890e6
    assert found.table("Inventory").index.is_monotonic_increasing


def test_a_table_of_nothing_is_empty(make_market: MakeMarket) -> None:
    assert books(make_market([]), "2023-03-01").table("Revenue").empty
    assert books(make_market([]), "2023-03-01").concepts == ()


def test_an_unknown_company_is_refused(real: Market) -> None:
    with pytest.raises(InputError, match="there is no company 'SPY'"):
        books(real, "2024-06-12", "SPY")


def test_the_page_about_filings_names_every_concept_and_ratio() -> None:
    page = (Path(__file__).parents[3] / "docs" / "fundamentals.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    assert rows.keys() == CONCEPTS.keys() | {ratio.measure for ratio in RATIOS}
    for concept in CONCEPTS.values():
        also = rows[concept.name].split("|")[-2]
        assert [name.strip(" `") for name in also.split(",") if name.strip()] == list(concept.synonyms)
        assert concept.meaning in rows[concept.name]
    for ratio in RATIOS:
        measure = MEASURES[ratio.measure]
        assert measure.meaning in rows[ratio.measure]
        assert rows[ratio.measure].endswith(f"| {measure.bearish:g} | {measure.bullish:g} |")
