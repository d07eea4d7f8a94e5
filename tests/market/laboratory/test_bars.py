"""Bars: in order, on sessions, with splits, dividends, late listings and delistings, and lifelike returns."""

from datetime import date

import numpy as np
import pytest

from paperdesk.tools.clock import TradingCalendar
from paperdesk.tools.market.laboratory import INDEX_TICKER, Laboratory, LaboratoryPlan, World, build_world
from paperdesk.tools.market.laboratory.detect import total_return_index
from paperdesk.tools.market.laboratory.quotes import draw_bars
from paperdesk.tools.market.laboratory.timetable import NEVER


def test_sessions_are_those_of_the_exchange(busy: Laboratory) -> None:
    calendar = TradingCalendar("XNYS", date(2013, 12, 1), date(2018, 1, 31))
    assert busy.dataset.bars.sessions == calendar.sessions(date(2014, 1, 1), date(2017, 12, 31))


def test_bars_are_in_order_in_cents_and_positive(busy: Laboratory, plain: World) -> None:
    for bars in (busy.dataset.bars, draw_bars(plain)):
        traded = np.isfinite(bars.close)
        opening, high, low, close = (matrix[traded] for matrix in (bars.open, bars.high, bars.low, bars.close))
        assert (low > 0).all()
        assert (high >= np.maximum(opening, close)).all()
        assert (low <= np.minimum(opening, close)).all()
        assert (bars.volume[traded] > 0).all()
        assert (bars.volume[~traded] == 0).all()
        assert np.array_equal(np.round(close, 2), close)
        assert (bars.split[~traded] == 1).all()
        assert (bars.dividend[~traded] == 0).all()
        assert list(bars.tickers) == sorted(bars.tickers)


def test_a_split_divides_the_price_and_nothing_else(plain: World) -> None:
    wealth = total_return_index(plain.close, plain.dividend_as_traded, plain.split)
    days, companies = np.nonzero((plain.split != 1) & plain.traded)
    assert len(days) >= 5
    for t, company in zip(days, companies, strict=True):
        ratio = plain.split[t, company]
        step = np.log(plain.close[t, company] / plain.close[t - 1, company] * ratio)
        assert step == pytest.approx(plain.returns[t, company], abs=0.02)
    growth = np.diff(np.log(wealth), axis=0)
    inside = plain.traded[1:] & plain.traded[:-1]
    # cents of a price of a few dollars
    assert growth[inside] == pytest.approx(plain.returns[1:][inside], abs=0.011)


def test_some_are_listed_late_and_some_leave(world: World, busy: Laboratory) -> None:
    bars, table = busy.dataset.bars, world.table
    assert (table.listed > 0).sum() >= 2
    assert (table.last < table.count - 1).sum() >= 1
    for number, identity in enumerate(world.cast.identities):
        close = bars.close[:, bars.column(identity.ticker)]
        there = np.nonzero(np.isfinite(close))[0]
        assert (there[0], there[-1]) == (table.listed[number], table.last[number])
        assert len(there) == there[-1] - there[0] + 1
        texts = [row for row in busy.dataset.documents if row.ticker == identity.ticker]
        assert all(row.published_at.date() > bars.sessions[there[0]] for row in texts)
        if there[-1] < table.count - 1:
            assert sum("to Leave the Exchange" in row.headline for row in texts) == 1
            filed = busy.dataset.facts[busy.dataset.facts["ticker"] == identity.ticker]["filed"].max().date()
            assert filed <= bars.sessions[there[-1]]


def test_dividends_come_once_a_quarter_and_leave_the_price(plain: World) -> None:
    paid = plain.dividend_as_traded > 0
    payers = paid.any(axis=0)
    assert 0.2 < payers.mean() < 0.8
    days = plain.table.ex_dividend
    for quarter, number in zip(*np.nonzero((days >= 0) & (days < NEVER)), strict=True):
        declared = plain.business.dividend_per_share[quarter, number]
        assert plain.dividend[days[quarter, number], number] == declared
        first, last = plain.table.quarters[quarter]
        assert first <= plain.table.day(int(days[quarter, number])) <= last
    assert (plain.dividend > 0).sum() == (plain.business.dividend_per_share[(days >= 0) & (days < NEVER)] > 0).sum()
    yields = plain.dividend_as_traded[paid] / plain.close[paid]
    assert yields.max() < 0.05


def test_the_fund_earns_the_mean_of_the_companies(busy: Laboratory) -> None:
    bars = busy.dataset.bars
    assert busy.dataset.benchmark == INDEX_TICKER
    growth = (bars.close[1:] + bars.dividend[1:]) * bars.split[1:] / bars.close[:-1] - 1
    fund = bars.column(INDEX_TICKER)
    expected = np.nanmean(np.delete(growth, fund, axis=1), axis=1)
    assert growth[:, fund] == pytest.approx(expected, abs=2e-4)


def test_returns_look_like_those_of_shares() -> None:
    """Bounds around us8 and twenty large companies of 1990 to 2022, which docs/laboratory.md compares in full."""
    medians = []
    for seed in (1, 2, 3):
        returns = build_world(LaboratoryPlan(seed=seed)).returns
        centred = returns - returns.mean(axis=0)
        squares = centred**2 - (centred**2).mean(axis=0)
        size = (squares**2).mean(axis=0)
        correlation = np.asarray(np.corrcoef(returns.T))[np.triu_indices(100, 1)]
        medians.append([
            centred.std() * np.sqrt(252),
            np.median((centred**4).mean(axis=0) / centred.var(axis=0) ** 2 - 3),
            np.median((squares[1:] * squares[:-1]).mean(axis=0) / size),
            np.median((squares[20:] * squares[:-20]).mean(axis=0) / size),
            np.median((centred[1:] * centred[:-1]).mean(axis=0) / centred.var(axis=0)),
            correlation.mean(),
        ])  # fmt: skip
    volatility, kurtosis, first, twentieth, memory, together = np.mean(medians, axis=0)
    assert 0.24 < volatility < 0.34
    assert 5 < kurtosis < 14
    assert 0.07 < first < 0.26
    assert 0.02 < twentieth < 0.10
    assert abs(memory) < 0.03
    assert 0.28 < together < 0.48


def test_the_state_foretells_risk_and_not_return() -> None:
    calm, turbulent = [], []
    for seed in range(30):
        world = build_world(LaboratoryPlan(companies=2, years=10, seed=seed))
        market, states = np.expm1(world.factors.market), world.factors.states
        calm += market[states == 0].tolist()
        turbulent += market[states == 1].tolist()
    assert np.std(turbulent) > 1.7 * np.std(calm)
    gap = np.mean(turbulent) - np.mean(calm)
    assert abs(gap) < 3 * np.hypot(np.std(calm) / len(calm) ** 0.5, np.std(turbulent) / len(turbulent) ** 0.5)
