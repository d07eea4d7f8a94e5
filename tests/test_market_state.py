"""The market as evidence: regime, trend, rates as they were known, and what the market's move means for a company."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from paperdesk.agents.auditor import Case
from paperdesk.agents.auditor.checks import right_company
from paperdesk.tools.evidence import Evidence
from paperdesk.tools.indicators import indicators
from paperdesk.tools.market.view import Market, open_market
from paperdesk.tools.market_state import market_state

from .agents.test_auditor import claim, signal


def by_measure(market: Market, ticker: str, day: date) -> dict[str, Evidence]:
    return {item.measure: item for item in market_state(market.view(market.calendar.close_of(day)), ticker)}


def test_the_pull_is_beta_times_the_markets_return() -> None:
    market = open_market("generated")
    day = date(2023, 8, 31)
    view = market.view(market.calendar.close_of(day))
    found = by_measure(market, "ZEPL", day)
    assert view.benchmark
    own = {item.measure: item.value for item in indicators(view, "ZEPL")}
    of_market = {item.measure: item.value for item in indicators(view, view.benchmark)}
    assert found["market_return_3m"].value == of_market["momentum_3m"]
    assert found["market_trend"].value == of_market["distance_sma_200"]
    assert found["market_pull"].value == pytest.approx(own["beta_12m"] * of_market["momentum_3m"])  # type: ignore[operator]
    assert {item.ticker for item in found.values() if item.kind == "regime"} == {"MARKET"}
    assert found["market_pull"].ticker == "ZEPL"
    assert found["regime"].text
    assert "rate_change_3m" not in found  # the market has no rates


SERIES = """\
series,date,value,available_at
CPI,2024-03-01,311,2024-03-12T12:30:00Z
DGS10,2023-12-27,3.88,2024-01-02T21:15:00Z
DGS10,2024-03-14,4.00,2024-03-15T20:15:00Z
DGS10,2024-03-27,4.20,2024-03-28T20:15:00Z
DGS10,2024-03-28,4.21,2024-03-29T20:15:00Z
DGS10,2024-03-27,9.99,2024-06-01T20:15:00Z
"""


@pytest.fixture
def with_rates(us8: Path, tmp_path: Path) -> Market:
    for name in ("prices.csv.gz", "companies.csv"):
        shutil.copy(us8 / name, tmp_path / name)
    (tmp_path / "series.csv").write_text(SERIES)
    return open_market(tmp_path)


def test_rates_are_those_that_had_been_released(with_rates: Market) -> None:
    found = by_measure(with_rates, "AAPL", date(2024, 4, 1))
    rate = found["rate_change_3m"]
    assert rate.value == pytest.approx((4.21 - 3.88) / 100)
    assert found["rate_level"].value == pytest.approx(0.0421)
    assert rate.available_at == datetime(2024, 3, 29, 20, 15, tzinfo=UTC)
    assert rate.source == "DGS10"
    assert by_measure(with_rates, "AAPL", date(2024, 3, 28))["rate_level"].value == pytest.approx(0.04)
    assert "rate_change_3m" not in by_measure(with_rates, "AAPL", date(2024, 3, 28))  # nothing older is known
    assert "rate_level" not in by_measure(with_rates, "AAPL", date(2024, 5, 31))  # too old


def test_the_market_may_be_cited_for_any_company_and_another_company_for_none() -> None:
    market = open_market("generated")
    found = by_measure(market, "ZEPL", date(2023, 8, 31))
    trend = found["market_trend"]
    about = Case({item.id: item for item in found.values()})
    assert list(right_company(signal([claim(trend)]), about)) == []  # a signal on AURX
    assert [f.rule for f in right_company(signal([claim(found["market_pull"])]), about)] == ["right_company"]


def test_a_market_without_history_says_nothing_about_itself() -> None:
    market = open_market("generated")
    assert (
        market_state(
            market.view(pd.Timestamp(market.dataset.bars.sessions[0], tz="UTC") + pd.Timedelta(days=1)), "ZEPL"
        )
        == []
    )
