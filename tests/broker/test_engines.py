"""backtrader's own engine and the fast one lead to equal results, and both to what a plain backtrader script finds."""

import backtrader as bt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperdesk.tools.broker.simulated import Costs, StepReport
from paperdesk.tools.market.bars import Bars

from .test_ledger_properties import COSTS, check_identity, market, random_orders


def session(desk, seed: int) -> list[StepReport]:
    """Random orders to the end of the bars; what they are depends on the seed and on the account only."""
    rng, reports = np.random.default_rng(seed), [desk.broker.report]
    while desk.broker.remaining:
        random_orders(rng, desk)
        reports.append(desk.step())
    return reports


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**32 - 1),
    names=st.integers(1, 4),
    length=st.integers(3, 25),
    costs=COSTS,
    fractional=st.booleans(),
    impact=st.sampled_from([0.0, 1.0]),
)
def test_both_engines_agree_on_random_markets(desk_on, bars_of, seed, names, length, costs, fractional, impact):
    bars = market(bars_of, np.random.default_rng(seed), names, length)
    costs = costs.model_copy(update={"impact": impact})
    fast, stock = (
        session(desk_on(bars, cash=10_000, costs=costs, fractional=fractional, engine=engine), seed)
        for engine in ("fast", "stock")
    )
    assert fast == stock
    for report in fast:
        check_identity(report)
        for fill in report.fills:
            worse = fill.price - fill.open_price if fill.side == "buy" else fill.open_price - fill.price
            assert worse >= fill.open_price * (costs.distance_bps / 10_000 - 1e-12)


@pytest.mark.parametrize("names", [1, 10, 100, pytest.param(500, marks=pytest.mark.slow)])
def test_both_engines_agree_at_any_width(desk_on, bars_of, names):
    bars = market(bars_of, np.random.default_rng(names), names, 40)
    costs = Costs(commission_bps=3.7, commission_minimum=1.3, commission_per_share=0.005, volume_limit=0.1)
    fast, stock = (session(desk_on(bars, cash=1e6, costs=costs, engine=engine), 1) for engine in ("fast", "stock"))
    assert fast == stock
    assert sum(len(report.fills) for report in fast) > 10


def test_the_fast_engine_is_the_one_that_is_used(desk_on, bars_of):
    bars = bars_of({"A": [10, 11, 12]})
    kinds = {engine: type(desk_on(bars, engine=engine).broker._ledger).__name__ for engine in ("auto", "fast", "stock")}
    assert kinds == {"auto": "SleepingLedger", "fast": "SleepingLedger", "stock": "Ledger"}


def plain_backtrader(bars: Bars, weights: np.ndarray, cash: float, costs: Costs) -> float:
    """Final value of a script as anyone would write it, rebalanced every fifth bar; nothing of ours is in it."""

    class Rebalance(bt.Strategy):  # type: ignore[misc]
        def next(self) -> None:
            if (len(self) - 1) % 5 or len(self) >= len(bars.sessions):
                return
            value = self.broker.getvalue()
            wanted = [
                (int(weights[i] * value / data.close[0]) - self.getposition(data).size, data)
                for i, data in enumerate(self.datas)
            ]
            for change, data in sorted(wanted, key=lambda pair: pair[0] > 0):
                if change:
                    (self.buy if change > 0 else self.sell)(data, size=abs(change))

    engine = bt.Cerebro(stdstats=False)
    for i, name in enumerate(bars.tickers):
        columns = {line: getattr(bars, line)[:, i] for line in ("open", "high", "low", "close", "volume")}
        engine.adddata(bt.feeds.PandasData(dataname=pd.DataFrame(columns, index=pd.DatetimeIndex(bars.sessions))), name)
    engine.addstrategy(Rebalance)
    engine.broker.setcash(cash)
    engine.broker.set_checksubmit(False)
    engine.broker.setcommission(costs.commission_bps / 1e4)
    engine.broker.set_slippage_perc(costs.slippage_bps / 1e4, slip_open=True, slip_out=True)
    engine.run()
    return float(engine.broker.getvalue())


@pytest.mark.parametrize("engine", ["fast", "stock"])
@pytest.mark.parametrize("names", [1, 10, 40])
def test_a_plain_backtrader_script_ends_with_the_same_cents(desk_on, bars_of, names, engine):
    rng = np.random.default_rng(names)
    prices = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, (60, names)), axis=0))
    bars = bars_of({f"N{i}": prices[:, i] for i in range(names)})
    weights = rng.dirichlet(np.ones(names)) * 0.9
    costs = Costs(commission_bps=5, slippage_bps=3, volume_limit=None)
    desk = desk_on(bars, cash=1e6, costs=costs, engine=engine)
    for row in range(len(bars.sessions)):
        if row % 5 == 0 and desk.broker.remaining:
            account = desk.broker.account()
            for i, name in enumerate(bars.tickers):
                change = int(weights[i] * account.equity / account.prices[name]) - account.positions.get(name, 0)
                if change:
                    (desk.buy if change > 0 else desk.sell)(name, abs(change))
        desk.broker.step()
    assert desk.broker.report.equity == pytest.approx(plain_backtrader(bars, weights, 1e6, costs), abs=0.005)
