"""Scenarios: which returns may come, and how likely each is."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paperdesk.tools.clock import TradingCalendar
from paperdesk.tools.errors import ProblemError
from paperdesk.tools.market.view import MarketView, open_market
from paperdesk.tools.optimizer.scenarios import (
    Scenarios,
    exponentially_weighted,
    historical_scenarios,
    known_scenarios,
    regime_conditioned,
    stationary_bootstrap,
)


@pytest.fixture
def history() -> Scenarios:
    """Two hundred calm sessions, then a hundred turbulent ones."""
    rng = np.random.default_rng(0)
    calm, wild = rng.normal(0.001, 0.005, (200, 3)), rng.normal(-0.001, 0.03, (100, 3))
    days = pd.bdate_range("2020-01-01", periods=300)
    table = pd.DataFrame(np.vstack([calm, wild]), index=days, columns=["A", "B", "C"])
    return historical_scenarios(table, minimum=100)


def test_history_says_which_sessions_it_holds(history: Scenarios) -> None:
    assert history.window == "300 sessions from 2020-01-01 to 2021-02-23"
    assert history.probabilities is None
    assert history.effective == pytest.approx(300)


@pytest.mark.parametrize(("minimum", "left_out"), [(2, 0), (200, 1), (2000, 2)])
def test_what_a_view_knows_is_what_its_table_says(minimum: int, left_out: int) -> None:
    rng = np.random.default_rng(1)
    days = TradingCalendar("XNYS", date(2020, 1, 1), date(2021, 12, 31)).sessions(date(2020, 1, 1), date(2021, 8, 4))
    rows = [(day, name) for name, first in (("A", 0), ("B", 250)) for day in days[first:]]
    prices = pd.DataFrame(rows, columns=["date", "ticker"]).assign(volume=1e6)
    prices["close"] = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, len(rows))))
    for column in ("open", "high", "low"):
        prices[column] = prices["close"]
    view = MarketView.from_frames(prices)
    found = known_scenarios(view, ("B", "A"), 300, minimum)
    table = historical_scenarios(view.returns(("B", "A"), 300), minimum)
    assert np.array_equal(found.returns, table.returns)
    assert found.returns.flags.f_contiguous
    assert (found.tickers, found.excluded, found.window) == (table.tickers, table.excluded, table.window)
    assert len(found.excluded) == left_out


def test_weights_halve_every_half_life(history: Scenarios) -> None:
    weighted = exponentially_weighted(history, 50)
    chances = weighted.chances
    assert chances.sum() == pytest.approx(1)
    assert chances[-1] / chances[-51] == pytest.approx(2)
    assert weighted.window.endswith("halving every 50 sessions")
    assert 100 < weighted.effective < 300


@pytest.mark.parametrize("half_life", [0.0, -1.0, float("nan"), 1.0])
def test_a_half_life_that_leaves_nothing_is_refused(half_life: float, history: Scenarios) -> None:
    with pytest.raises(ProblemError):
        exponentially_weighted(history, half_life)


def test_in_a_turbulent_market_turbulent_sessions_count_most(history: Scenarios) -> None:
    conditioned = regime_conditioned(history, np.random.default_rng(0))
    chances = conditioned.chances
    assert chances.sum() == pytest.approx(1)
    assert chances[200:].sum() > 0.85
    assert "turbulent" in conditioned.window
    again = regime_conditioned(history, np.random.default_rng(0))
    assert again.chances.tolist() == chances.tolist()


def test_a_market_that_never_moved_has_no_regime() -> None:
    with pytest.raises(ProblemError, match="never moved"):
        regime_conditioned(Scenarios(("A",), np.full((300, 1), 0.001)), np.random.default_rng(0))


def test_the_bootstrap_draws_whole_rows_in_blocks(history: Scenarios) -> None:
    drawn = stationary_bootstrap(history, 4000, 10, np.random.default_rng(1))
    places = {row.tobytes(): place for place, row in enumerate(history.returns)}
    rows = np.array([places[row.tobytes()] for row in drawn.returns])
    follows = (np.diff(rows) - 1) % 300 == 0
    # A block goes on with probability 9/10; a new one begins at the next row by chance once in 300.
    assert follows.mean() == pytest.approx(0.9, abs=0.02)
    assert drawn.returns.mean() == pytest.approx(history.returns.mean(), abs=0.002)
    again = stationary_bootstrap(history, 4000, 10, np.random.default_rng(1))
    assert np.array_equal(again.returns, drawn.returns)


def test_a_horizon_compounds_the_sessions_drawn(history: Scenarios) -> None:
    single = stationary_bootstrap(history, 60, 5, np.random.default_rng(2))
    monthly = stationary_bootstrap(history, 3, 5, np.random.default_rng(2), horizon=20)
    np.testing.assert_allclose(1 + monthly.returns[0], np.prod(1 + single.returns[:20], axis=0))


def test_the_bootstrap_of_nothing_is_refused(history: Scenarios) -> None:
    with pytest.raises(ProblemError, match="at least two"):
        stationary_bootstrap(history, 1, 10, np.random.default_rng(0))


def test_real_sessions_are_conditioned_on_the_regime(us8: Path) -> None:
    market = open_market(us8)
    view = market.view(market.calendar.close_of(date(2025, 8, 8)))
    history = historical_scenarios(view.returns(market.tickers, 500), 120)
    conditioned = regime_conditioned(history, np.random.default_rng(0))
    assert conditioned.tickers == history.tickers
    assert 20 < conditioned.effective <= len(history.returns)
