"""Baselines trade on the desk's own ledger."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from paperdesk.simulations.evaluation.baselines import (
    OpenAccount,
    benchmark_curve,
    buy_and_hold,
    equal_weight,
    monthly,
    permit,
)
from paperdesk.simulations.evaluation.metrics import EvaluationError, performance
from paperdesk.tools.broker.simulated import Costs, SimulatedBroker
from paperdesk.tools.market.bars import Bars

FREE = Costs(slippage_bps=0, volume_limit=None)
START = date(2031, 3, 3)


def close_of(session: date) -> datetime:
    return datetime(session.year, session.month, session.day, 21, tzinfo=UTC)


def bars_of(prices: Mapping[str, Sequence[float]], gap: int = 1, dividend: float = 0.0) -> Bars:
    """One price per session, `gap` days apart; a dividend per share of every name in the third session."""
    close = np.array(list(prices.values()), dtype=float).T
    days = tuple(START + timedelta(days=gap * i) for i in range(len(close)))
    paid = np.zeros_like(close)
    paid[2] = dividend
    volume = np.where(np.isfinite(close), 1e6, 0.0)
    return Bars(days, tuple(prices), close, close, close, close, volume, paid, np.ones_like(close))


def accounts(bars: Bars, costs: Costs = FREE, fractional: bool = True, cash: float = 10_000.0) -> OpenAccount:
    def open_account(tickers: tuple[str, ...]) -> SimulatedBroker:
        chosen = bars.select(tickers, bars.sessions[0], bars.sessions[-1])
        return SimulatedBroker(
            chosen, cash=cash, costs=costs, authorise=permit, close_of=close_of, fractional=fractional
        )

    return open_account


def test_buy_and_hold_earns_the_mean_of_its_names() -> None:
    bars = bars_of({"AURX": [10, 10, 15, 20], "BLTN": [50, 50, 50, 50]})
    track = buy_and_hold(accounts(bars), ("AURX", "BLTN"), [START])
    assert track.equity.tolist() == pytest.approx([10_000, 10_000, 12_500, 15_000], rel=1e-6)
    assert track.trading.fills == 2
    assert track.trading.traded == pytest.approx(10_000, rel=1e-6)


def test_equal_weight_is_restored_once_a_month_and_not_more_often() -> None:
    # sessions on 3, 13, 23 March and 2, 12, 22 April; AURX doubles in March, halves after the rebalance in April
    bars = bars_of({"AURX": [10, 10, 20, 20, 20, 10], "BLTN": [10, 10, 10, 10, 10, 10]}, gap=10)
    track = equal_weight(accounts(bars), ("AURX", "BLTN"), bars.sessions[:-1])
    assert track.equity.iloc[-2] == pytest.approx(15_000, rel=1e-6)
    assert track.equity.iloc[-1] == pytest.approx(7_500 + 3_750, rel=1e-6)
    assert track.trading.fills == 4
    held = buy_and_hold(accounts(bars), ("AURX", "BLTN"), bars.sessions[:-1])
    assert held.equity.iloc[-1] == pytest.approx(10_000, rel=1e-6)


def test_the_first_decision_of_each_month_is_used() -> None:
    days = [date(2031, 3, 7), date(2031, 3, 14), date(2031, 4, 4), date(2032, 3, 5), date(2032, 3, 12)]
    assert monthly(reversed(days)) == [date(2031, 3, 7), date(2031, 4, 4), date(2032, 3, 5)]


def test_the_benchmark_is_bought_once_with_its_dividends() -> None:
    bars = bars_of({"INDEX": [100, 100, 100, 110], "AURX": [1, 2, 3, 4]}, dividend=5.0)
    track = benchmark_curve(accounts(bars), "INDEX", [START])
    assert track.name == "INDEX"
    assert track.equity.iloc[-1] == pytest.approx(10_000 * 1.1 + 10_000 * 0.05, rel=1e-6)


def test_baselines_pay_the_same_costs() -> None:
    bars = bars_of({"AURX": [10.0] * 6})
    costs = Costs(commission_bps=10, slippage_bps=20, volume_limit=None)
    track = buy_and_hold(accounts(bars, costs), ("AURX",), [START])
    found = performance(track.equity, track.trading)
    assert track.trading.slippage > 0
    assert track.trading.commission > 0
    assert found.total_return == pytest.approx(-found.costs / 10_000, rel=1e-3)
    assert found.costs_bps == pytest.approx(30, rel=1e-2)


def test_whole_share_accounts_never_spend_more_than_they_have() -> None:
    bars = bars_of({"AURX": [333.0, 340.0, 350.0], "BLTN": [77.0, 79.0, 70.0]})
    track = buy_and_hold(accounts(bars, Costs(), fractional=False), ("AURX", "BLTN"), [START])
    broker_cash = 10_000 - track.trading.traded - track.trading.commission
    assert broker_cash >= 0
    assert track.trading.traded > 9_000


def test_a_name_without_a_price_is_left_out_until_it_has_one() -> None:
    nan = float("nan")
    bars = bars_of({"AURX": [10, 10, 10, 10, 10, 10], "LATE": [nan, nan, 20, 20, 20, 20]}, gap=10)
    track = equal_weight(accounts(bars), ("AURX", "LATE"), bars.sessions)
    assert track.trading.fills == 1 + 2  # AURX alone; in April half of it is exchanged for LATE
    assert track.trading.traded == pytest.approx(10_000 + 5_000 + 5_000, rel=1e-3)


def test_a_decision_that_is_no_session_of_the_account_is_refused() -> None:
    bars = bars_of({"AURX": [10, 10, 10]})
    with pytest.raises(EvaluationError, match="2030-01-01 is a decision but no session"):
        buy_and_hold(accounts(bars), ("AURX",), [date(2030, 1, 1)])


def test_the_same_account_gives_the_same_track() -> None:
    rng = np.random.default_rng(1)
    walk = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, (80, 3)), axis=0))
    bars = bars_of(dict(zip(("A", "B", "C"), walk.T.tolist(), strict=True)))
    first, second = (equal_weight(accounts(bars, Costs()), ("A", "B", "C"), bars.sessions[::5]) for _ in range(2))
    assert first.equity.equals(second.equity)
    assert first.trading == second.trading
