"""The price list by itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from paperdesk.tools.broker.simulated import Costs


def test_trading_nothing_costs_nothing_even_with_a_minimum():
    assert Costs(commission_minimum=5).commission(0, 100) == 0


@given(
    cash=st.floats(0, 1e7),
    price=st.floats(0.01, 1e5),
    bps=st.floats(0, 500),
    per_share=st.floats(0, 1),
    minimum=st.floats(0, 100),
)
def test_what_is_affordable_uses_the_cash_and_not_more(cash, price, bps, per_share, minimum):
    costs = Costs(commission_bps=bps, commission_per_share=per_share, commission_minimum=minimum)
    shares = costs.affordable(cash, price, price)
    spent = shares * price + costs.commission(shares, price)
    if cash <= minimum:
        assert shares == 0
    else:
        assert spent == pytest.approx(cash, rel=1e-9)


@pytest.mark.parametrize(
    "wrong", [{"slippage_bps": -1}, {"commission_bps": 10_000}, {"volume_limit": 0}, {"volume_limit": 1.5}, {"fee": 1}]
)
def test_impossible_costs_are_refused(wrong):
    with pytest.raises(ValidationError):
        Costs.model_validate(wrong)


def test_half_the_spread_stands_against_the_order_beside_the_slippage(desk_on, bars_of):
    desk = desk_on(bars_of({"A": [100] * 3}), costs=Costs(slippage_bps=10, spread_bps=20, volume_limit=None))
    desk.buy("A", 10)
    assert desk.step().fills[0].price == pytest.approx(100.20)
    desk.sell("A", 10)
    assert desk.step().fills[0].price == pytest.approx(99.80)


@pytest.mark.parametrize(("shares", "distance"), [(100, 0.02 * 0.01), (400, 0.02 * 0.02), (10_000, 0.02 * 0.1)])
def test_impact_grows_with_the_square_root_of_the_order(desk_on, bars_of, shares, distance):
    costs = Costs(slippage_bps=0, impact=1.0, volume_limit=None)
    desk = desk_on(bars_of({"A": [100] * 3}), cash=1e7, costs=costs)  # too young for a volatility: 2 % a day
    desk.buy("A", shares)
    assert desk.step().fills[0].price == pytest.approx(100 * (1 + distance))
    desk.sell("A", shares)
    assert desk.step().fills[0].price == pytest.approx(100 * (1 - distance))


def test_impact_follows_volatility_and_volume_of_the_sessions_before_across_a_split(desk_on, bars_of):
    closes = [100, 102, 100, 102, 100, 102, 100, 51, 50, 51]
    volume = [1e6] * 7 + [2e6] * 3
    bars = bars_of({"A": closes}, volume={"A": volume}, split={("A", 7): 2.0})
    desk = desk_on(bars, cash=1e7, costs=Costs(slippage_bps=0, impact=0.5, volume_limit=None))
    for _ in range(8):
        desk.step()
    desk.buy("A", 20_000)
    volatility = np.std(np.log([1.02, 1 / 1.02] * 4), ddof=1)
    assert desk.step().fills[0].price == pytest.approx(51 * (1 + 0.5 * volatility * np.sqrt(20_000 / 2e6)))
