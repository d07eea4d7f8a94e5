"""Filings: books close, periods are those of real filings, restatements come when they are filed."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from paperdesk.tools.market.frames import FACT_COLUMNS, facts_frame
from paperdesk.tools.market.fundamentals import ratios
from paperdesk.tools.market.laboratory import Laboratory, World
from paperdesk.tools.market.laboratory.reading import read_market
from paperdesk.tools.market.laboratory.timetable import NEVER
from paperdesk.tools.market.view import Market


@pytest.fixture(scope="module")
def facts(busy: Laboratory) -> pd.DataFrame:
    return busy.dataset.facts


def _wide(facts: pd.DataFrame) -> pd.DataFrame:
    flows = facts[facts["unit"] == "USD"]
    keys = ["accession", "period_start", "period_end"]
    return flows.pivot(index=keys, columns="concept", values="value")


def test_books_close(facts: pd.DataFrame) -> None:
    balance = facts[facts["period_start"].isna()].pivot(index="accession", columns="concept", values="value")
    assert len(balance) > 200
    assert (balance["Assets"] == balance["Liabilities"] + balance["Equity"]).all()
    assert (balance["Liabilities"] == balance["CurrentLiabilities"] + balance["LongTermDebt"]).all()
    assert (balance["CurrentAssets"] > 0).all()
    assert (balance["CurrentAssets"] < balance["Assets"]).all()
    flows = _wide(facts[facts["period_start"].notna()])
    income = flows.dropna(subset=["Revenue"])
    assert (income["GrossProfit"] == income["Revenue"] - income["CostOfRevenue"]).all()
    assert (income["OperatingIncome"] == income["GrossProfit"] - income["OperatingExpenses"]).all()
    assert (income["PretaxIncome"] == income["OperatingIncome"] - income["InterestExpense"]).all()
    assert (income["NetIncome"] == income["PretaxIncome"] - income["IncomeTax"]).all()


def test_equity_grows_by_what_is_earned_and_not_paid(world: World) -> None:
    business = world.business
    kept = business.net_income - np.round(business.dividend_per_share * world.cast.shares / 1000) * 1000
    assert np.array_equal(np.diff(business.equity, axis=0), kept[1:])


def test_filings_have_the_habits_of_real_ones(facts: pd.DataFrame) -> None:
    days = (facts["period_end"] - facts["period_start"]).dt.days + 1
    annual = facts[facts["form"].str.startswith("10-K") & days.notna()]
    assert ((annual["period_end"] - annual["period_start"]).dt.days > 360).all()  # no discrete fourth quarter
    cash = facts[(facts["concept"] == "OperatingCashFlow") & facts["form"].str.startswith("10-Q")]
    assert ((cash["period_end"] - cash["period_start"]).dt.days > 170).sum() > len(cash) / 3  # year to date
    assert not cash.duplicated(["accession", "period_end"]).any()
    wait = (facts["filed"] - facts.groupby("accession")["period_end"].transform("max")).dt.days
    first = ~facts["form"].str.endswith("/A")
    assert wait[first].between(24, 45).all()
    assert wait[~first].between(40, 100).all()
    assert facts["accession"].str.fullmatch(r"00098\d{5}-\d\d-\d{6}").all()
    assert (facts.groupby("accession")["filed"].nunique() == 1).all()


def test_facts_stand_in_the_canonical_form(facts: pd.DataFrame) -> None:
    assert tuple(facts.columns) == FACT_COLUMNS
    again = facts_frame({name: facts[name] for name in FACT_COLUMNS})
    assert again.equals(facts)
    assert (facts["available_at"].dt.tz_localize(None) > facts["filed"] + pd.Timedelta(days=1)).all()
    assert not facts.duplicated(["accession", "concept", "period_start", "period_end"]).any()


def test_each_flow_stands_beside_the_year_before(facts: pd.DataFrame) -> None:
    for accession, rows in facts[facts["concept"] == "NetIncome"].groupby("accession"):
        starts, ends = rows["period_start"].dt.date.tolist(), rows["period_end"].dt.date.tolist()
        spans = set(zip(starts, ends, strict=True))
        now = {span for span in spans if span[1] == max(ends)}
        assert spans - now == {tuple(day.replace(year=day.year - 1) for day in span) for span in now}, accession


def test_a_restatement_appears_when_it_is_filed_and_stays(world: World, facts: pd.DataFrame) -> None:
    revenue = facts[facts["concept"] == "Revenue"]
    amended = revenue[revenue["form"].str.endswith("/A")]
    assert len(amended) >= 10
    newest = amended.groupby("accession")["period_end"].transform("max") == amended["period_end"]
    checked = 0
    for row in amended[newest].itertuples():
        same = revenue[
            (revenue["ticker"] == row.ticker)
            & (revenue["period_end"] == row.period_end)
            & (revenue["period_start"] == row.period_start)
        ].sort_values("available_at")
        before, after = same[same["filed"] < row.filed]["value"], same[same["filed"] >= row.filed]["value"]
        assert len(before) == 1
        assert before.iloc[0] > row.value
        # what is shown beside later years
        assert (after == row.value).all()
        checked += len(after) - 1
    assert checked > 5
    over = world.business.overstated
    assert (over[world.table.amended == NEVER] == 0).all()
    assert (over[world.table.amended < NEVER] > 0).all()


def test_per_share_figures_are_in_the_shares_of_the_filings_day(plain: World) -> None:
    from paperdesk.tools.market.laboratory.filings import write_filings

    facts = write_filings(plain)
    for t, company in zip(*np.nonzero((plain.split != 1) & plain.traded), strict=True):
        day = pd.Timestamp(plain.table.day(int(t)))
        rows = facts[facts["ticker"] == plain.cast.identities[company].ticker]
        shares = rows[rows["concept"] == "SharesDiluted"]
        near = shares[abs(shares["filed"] - day) < timedelta(days=110)]
        before, after = near[near["filed"] < day]["value"], near[near["filed"] >= day]["value"]
        assert before.nunique() == 1
        if len(after):
            assert after.iloc[0] == pytest.approx(before.iloc[0] * plain.split[t, company])


def test_the_desks_ratios_agree_with_what_the_value_rule_reads(world: World, busy: Laboratory) -> None:
    market = Market(busy.dataset)
    read = read_market(busy.dataset)
    checked = 0
    for t in (300, 555, 801, 1000):
        view = market.view(market.calendar.close_of(busy.dataset.bars.sessions[t]))
        for k, ticker in enumerate(busy.dataset.companies):
            if not np.isfinite(read.wealth[t, k]):
                continue
            figures = {row.measure: row.value for row in ratios(view, ticker) if row.value is not None}
            if "price_to_earnings" in figures:
                # earnings per share are in whole cents, hence the tolerance
                assert 1 / figures["earnings_yield"] == pytest.approx(figures["price_to_earnings"], rel=1e-6)
            if "earnings_yield" in figures:
                assert figures["earnings_yield"] == pytest.approx(read.earnings_yield[t, k], rel=0.05)
                checked += 1
    assert checked > 30
