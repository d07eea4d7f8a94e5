"""Figures of a track of equity."""

import math
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.simulations.evaluation.metrics import (
    DegenerateTrack,
    EvaluationError,
    Trading,
    calmar,
    daily_returns,
    drawdowns,
    performance,
    sharpe,
    sortino,
    trading_of,
)
from paperdesk.tools.broker.protocol import Fill, Side

NOTHING = Trading(traded=0.0, commission=0.0, slippage=0.0, fills=0)


def track(values: list[float]) -> pd.Series:
    return pd.Series(values, index=pd.bdate_range("2031-01-02", periods=len(values)))


def fill(side: Side, quantity: float, price: float, open_price: float) -> Fill:
    return Fill(
        client_order_id="id",
        ticker="AURX",
        side=side,
        quantity=quantity,
        price=price,
        open_price=open_price,
        commission=1.0,
        session=date(2031, 1, 3),
    )


def test_figures_follow_their_formulas() -> None:
    equity = track([100.0, 110.0, 99.0, 103.95])  # +10 %, -10 %, +5 %
    found = performance(equity, Trading(traded=410.0, commission=0.4, slippage=0.42, fills=3))
    returns = np.array([0.1, -0.1, 0.05])
    assert found.total_return == pytest.approx(0.0395)
    assert found.annual_return == pytest.approx(1.0395 ** (252 / 3) - 1)
    assert found.annual_volatility == pytest.approx(returns.std(ddof=1) * math.sqrt(252))
    assert found.sharpe == pytest.approx(returns.mean() / returns.std(ddof=1) * math.sqrt(252))
    downside = math.sqrt(0.1**2 / 3 * 252)
    assert found.sortino == pytest.approx(returns.mean() * 252 / downside)
    assert found.max_drawdown == pytest.approx(-0.1)
    assert found.calmar == pytest.approx(found.annual_return / 0.1)
    assert found.turnover == pytest.approx(410.0 / equity.mean() / (3 / 252))
    assert found.costs == pytest.approx(0.82)
    assert found.costs_bps == pytest.approx(20.0)
    assert (found.fills, found.sessions) == (3, 4)


@pytest.mark.parametrize("ratio", [sharpe, sortino, calmar])
def test_a_constant_track_has_no_ratios(ratio: Callable[[pd.Series], float]) -> None:
    with pytest.raises(DegenerateTrack):
        ratio(daily_returns(track([1e5] * 50)))
    with pytest.raises(DegenerateTrack):
        ratio(daily_returns(track([1e5 * 1.001**n for n in range(50)])))  # constant growth, up to rounding


def test_a_constant_track_reports_no_ratios_and_is_json() -> None:
    found = performance(track([1e5] * 50), NOTHING)
    assert (found.total_return, found.max_drawdown, found.annual_volatility, found.costs) == (0.0, 0.0, 0.0, 0.0)
    assert found.sharpe is found.sortino is found.calmar is found.costs_bps is None
    assert "null" in found.model_dump_json()


def test_one_return_has_a_return_but_no_volatility() -> None:
    found = performance(track([100.0, 90.0]), NOTHING)
    assert found.total_return == pytest.approx(-0.1)
    assert found.annual_volatility is found.sharpe is None


@pytest.mark.parametrize(
    ("values", "message"),
    [([], "0 sessions"), ([1.0], "1 sessions"), ([1.0, 0.0], "positive"), ([1.0, math.nan], "finite")],
)
def test_what_is_no_track_is_refused(values: list[float], message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        performance(track(values), NOTHING)


def test_sessions_out_of_order_are_refused() -> None:
    with pytest.raises(EvaluationError, match="ascend"):
        performance(track([1.0, 2.0, 3.0])[::-1], NOTHING)


def test_slippage_is_paid_on_both_sides() -> None:
    found = trading_of([fill("buy", 10, 10.1, 10.0), fill("sell", 10, 9.9, 10.0)])
    assert found.traded == pytest.approx(200.0)
    assert found.slippage == pytest.approx(2.0)
    assert found.costs == pytest.approx(4.0)
    assert found.fills == 2


@given(st.lists(st.floats(-0.2, 0.2), min_size=2, max_size=40), st.floats(1.0, 1e7))
def test_no_figure_depends_on_the_currency_unit(returns: list[float], scale: float) -> None:
    values = np.cumprod([100.0, *(1 + r for r in returns)])
    one = performance(track(values.tolist()), Trading(50.0, 1.0, 1.0, 2))
    other = performance(track((values * scale).tolist()), Trading(50.0 * scale, scale, scale, 2))
    assert other.total_return == pytest.approx(one.total_return, abs=1e-9)
    assert other.max_drawdown == pytest.approx(one.max_drawdown, abs=1e-9)
    assert other.turnover == pytest.approx(one.turnover)
    assert other.max_drawdown == pytest.approx(float(drawdowns(track(values.tolist())).min()), abs=1e-9)
    assert -1 < one.max_drawdown <= 0


def test_real_prices_have_the_drawdown_one_finds_by_hand(us8: Path) -> None:
    prices = pd.read_csv(us8 / "prices.csv.gz", parse_dates=["date"])
    for _, rows in prices.groupby("ticker"):
        equity = rows.set_index("date")["adj_close"].dropna()
        found = performance(equity, NOTHING)
        lowest_after = equity[::-1].cummin()[::-1]
        assert found.max_drawdown == pytest.approx(float((lowest_after / equity - 1).min()))
        assert found.total_return == pytest.approx(float(equity.iloc[-1] / equity.iloc[0]) - 1)
        assert found.sharpe is not None
