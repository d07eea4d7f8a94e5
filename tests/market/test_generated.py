"""The generated market: identities of its books, its prices and its texts, and the size of what is planted."""

import re
import subprocess
import sys
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from paperdesk.tools.clock import TradingCalendar
from paperdesk.tools.market.documents.duplicates import collapse
from paperdesk.tools.market.generated import CAST, DRIFT, DRIFT_SESSIONS, REACTION, WINDOW, business, generate
from paperdesk.tools.market.generated.prices import REACTION_NOISE, edge
from paperdesk.tools.market.records import FACT_COLUMNS, Dataset


@pytest.fixture(scope="module")
def market() -> Dataset:
    return generate()


def test_one_seed_gives_one_market_in_every_process(market: Dataset) -> None:
    assert generate(7).fingerprint == market.fingerprint
    assert generate(8).fingerprint != market.fingerprint
    program = (
        "from paperdesk.tools.market.generated import generate; import sys; sys.stdout.write(generate(7).fingerprint)"
    )
    environment = {"PYTHONHASHSEED": "99", "PYTHONPATH": ".typing"}
    other = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert other.stdout == market.fingerprint


def test_prices_are_in_order_in_cents_and_positive(market: Dataset) -> None:
    bars = market.bars
    traded = np.isfinite(bars.close)
    opening, high, low, close = (x[traded] for x in (bars.open, bars.high, bars.low, bars.close))
    assert (low > 0).all()
    assert (high >= np.maximum(opening, close)).all()
    assert (low <= np.minimum(opening, close)).all()
    assert (bars.volume[traded] > 0).all()
    assert (bars.volume[~traded] == 0).all()
    assert np.array_equal(np.round(close, 2), close)


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_other_seeds_make_markets_as_sound(seed: int) -> None:
    other = generate(seed)
    bars, facts = other.bars, other.facts
    traded = np.isfinite(bars.close)
    assert (bars.low[traded] > 0).all()
    assert (bars.high >= np.fmax(bars.open, bars.close))[traded].all()
    assert (bars.low <= np.fmin(bars.open, bars.close))[traded].all()
    balance = facts[facts["period_start"].isna()].pivot(index="accession", columns="concept", values="value")
    assert (balance["Assets"] == balance["Liabilities"] + balance["Equity"]).all()
    assert not any("$-" in document.text for document in other.documents)
    assert len({document.id for document in other.documents}) == len(other.documents)


def test_sessions_are_those_of_the_exchange(market: Dataset) -> None:
    calendar = TradingCalendar("XNYS", date(2021, 1, 1), date(2024, 1, 31))
    assert market.bars.sessions == calendar.sessions(date(2021, 1, 4), date(2023, 12, 29))
    assert market.window == WINDOW


def test_the_split_makes_the_traded_price_fall_to_a_third(market: Dataset) -> None:
    bars = market.bars
    column, row = bars.column("TRVX"), bars.sessions.index(date(2023, 6, 12))
    assert bars.split[row, column] == 3
    assert bars.close[row, column] / bars.close[row - 1, column] == pytest.approx(1 / 3, rel=0.15)
    assert (np.delete(bars.split[:, column], row) == 1).all()


def test_the_late_listing_has_neither_prices_nor_texts_before_it(market: Dataset) -> None:
    bars, listed = market.bars, date(2022, 6, 15)
    column, row = bars.column("MELQ"), bars.sessions.index(listed)
    assert np.isnan(bars.close[:row, column]).all()
    assert np.isfinite(bars.close[row:, column]).all()
    assert min(d.published_at.date() for d in market.documents if d.ticker == "MELQ") > listed
    facts = market.facts[market.facts["ticker"] == "MELQ"]
    assert facts["filed"].min() > pd.Timestamp(listed)


def test_one_company_pays_a_dividend_every_quarter(market: Dataset) -> None:
    paid = (market.bars.dividend > 0).sum(axis=0)
    assert dict(zip(market.bars.tickers, paid.tolist(), strict=True)) == {
        "BRQL": 12, "OSTW": 0, "VYDN": 0, "MELQ": 0, "TRVX": 0, "ZEPL": 0, "HXSI": 0,
    }  # fmt: skip


def test_the_fund_earns_the_mean_of_its_members(market: Dataset) -> None:
    bars, names = market.bars, [plan.ticker for plan in CAST]
    assert market.benchmark == "HXSI"
    assert "HXSI" not in market.companies
    member = [bars.column(name) for name in names]
    growth = (bars.close[1:] + bars.dividend[1:]) * bars.split[1:] / bars.close[:-1] - 1
    expected = np.nanmean(growth[:, member], axis=1)
    assert growth[:, bars.column("HXSI")] == pytest.approx(expected, abs=2e-4)


def test_books_close_and_filings_come_after_their_period(market: Dataset) -> None:
    facts = market.facts
    assert tuple(facts.columns) == FACT_COLUMNS
    balance = facts[facts["period_start"].isna()].pivot(
        index=["accession", "period_end"], columns="concept", values="value"
    )
    assert len(balance) > 60
    assert (balance["Assets"] == balance["Liabilities"] + balance["Equity"]).all()
    wait = (facts["filed"] - facts.groupby("accession")["period_end"].transform("max")).dt.days
    assert wait.between(25, 40).all()
    assert (facts["available_at"].dt.tz_localize(None) > facts["filed"] + pd.Timedelta(days=1)).all()
    assert facts["available_at"].is_monotonic_increasing
    flows = facts[facts["unit"] == "USD"].pivot(
        index=["accession", "period_start", "period_end"], columns="concept", values="value"
    )
    flows = flows[flows.index.get_level_values("period_start").notna()]
    assert (flows["GrossProfit"].dropna() == (flows["Revenue"] - flows["CostOfRevenue"]).dropna()).all()


def test_filings_have_the_habits_of_real_ones(market: Dataset) -> None:
    facts = market.facts
    days = (facts["period_end"] - facts["period_start"]).dt.days + 1
    annual = facts[(facts["form"] == "10-K") & days.notna()]
    assert ((annual["period_end"] - annual["period_start"]).dt.days > 360).all()  # no discrete fourth quarter
    cash = facts[(facts["concept"] == "OperatingCashFlow") & (facts["form"] == "10-Q")]
    assert ((cash["period_end"] - cash["period_start"]).dt.days > 170).sum() > len(cash) / 3  # year to date
    assert not cash.duplicated(["accession", "period_end"]).any()
    shares = facts[(facts["ticker"] == "TRVX") & (facts["concept"] == "SharesDiluted")]
    before = shares[shares["filed"] < "2023-06-12"]["value"].unique()
    after = shares[shares["filed"] >= "2023-06-12"]["value"].unique()
    assert after.tolist() == [3 * before[0]]
    assert len(before) == 1
    assert facts["accession"].str.fullmatch(r"00099\d{5}-\d\d-\d{6}").all()


def test_releases_quote_the_statements(market: Dataset) -> None:
    calendar = TradingCalendar("XNYS", date(2020, 12, 1), date(2024, 1, 31))
    texts = {(d.ticker, d.published_at): d for d in market.documents}
    checked = 0
    for plan in CAST:
        quarters, reports = business(plan)
        by_period = {(q.fiscal_year, q.fiscal_quarter): q for q in quarters}
        for report in reports:
            quarter = report.quarter
            before = by_period[quarter.fiscal_year - 1, quarter.fiscal_quarter]
            text = texts[plan.ticker, report.published_at].text
            assert report.published_at > calendar.close_of(report.announced)
            assert f"${quarter.revenue / 1e6:,.1f} million" in text
            assert f"Net income | {quarter.net_income / 1e6:,.1f} | {before.net_income / 1e6:,.1f}" in text
            growth = quarter.revenue / before.revenue - 1
            word = "an increase" if growth > 0 else "a decrease"
            assert f"{word} of {abs(growth):.1%} from ${before.revenue / 1e6:,.1f} million" in text
            checked += 1
    assert checked == 66


def test_the_release_agrees_with_the_filing(market: Dataset) -> None:
    facts = market.facts
    checked = 0
    for document in market.documents:
        figure = re.search(r"Revenue \| ([\d,.]+) \|", document.body)
        if figure is None:
            continue
        filed = facts[
            (facts["ticker"] == document.ticker)
            & (facts["filed"] >= pd.Timestamp(document.published_at.date() - timedelta(days=3)))
            & (facts["concept"] == "Revenue")
            & (facts["form"] == "10-Q")
        ]
        year = facts[(facts["ticker"] == document.ticker) & (facts["form"] == "10-K")]["filed"]
        if (abs(year - pd.Timestamp(document.published_at.date())).dt.days < 10).any():
            continue  # a fourth quarter is never filed by itself
        stated = float(figure.group(1).replace(",", ""))
        newest = filed[filed["accession"] == filed.iloc[0]["accession"]]
        assert stated in (newest["value"] / 1e6).round(1).tolist()
        checked += 1
    assert checked > 40


def test_one_release_appears_twice_and_is_collapsed(market: Dataset) -> None:
    lost = set(market.documents) - set(collapse(market.documents))
    assert [document.headline.split(":")[0] for document in lost] == ["Corrected"]
    ids = [document.id for document in market.documents]
    assert len(set(ids)) == len(ids)


def test_the_planted_edge_has_the_size_it_says(market: Dataset) -> None:
    sessions = market.bars.sessions
    _, reports = business(CAST[0])
    reaction, drift = edge(reports, sessions, np.random.default_rng(0))
    early = [report for report in reports if sessions.index(report.announced) + 1 + DRIFT_SESSIONS < len(sessions)]
    for report in early:
        row = sessions.index(report.announced) + 1
        window = drift[row + 1 : row + 1 + DRIFT_SESSIONS]
        assert window.sum() == pytest.approx(DRIFT * report.quarter.surprise)
        assert abs(reaction[row] - REACTION * report.quarter.surprise) < 4 * REACTION_NOISE
    assert drift[: sessions.index(reports[0].announced) + 2].sum() == 0


def test_surprises_are_standard_and_do_not_foretell_each_other() -> None:
    series = [[q.surprise for q in business(plan, seed)[0]] for plan in CAST for seed in range(40)]
    values = np.array(series)
    assert values.mean() == pytest.approx(0, abs=0.06)
    assert values.std() == pytest.approx(1, abs=0.04)
    assert np.corrcoef(values[:, :-1].ravel(), values[:, 1:].ravel())[0, 1] == pytest.approx(0, abs=0.06)
