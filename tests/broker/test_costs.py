"""The price list by itself."""

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
    shares = costs.affordable(cash, price)
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
