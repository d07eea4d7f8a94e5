"""Where limits conflict, the desk's wishes give way before it does nothing, and its rules never."""

from typing import Any

import numpy as np
import pytest

from paperdesk.orchestration.portfolio_nodes import give_way
from paperdesk.tools.optimizer import Infeasible, MeanCVaR, Solution
from paperdesk.tools.optimizer.scenarios import Scenarios
from paperdesk.tools.toolbox import OfPortfolio, optimise, portfolio_tools

NAMES = ("A", "B", "C")
TOOLS = portfolio_tools(
    MeanCVaR(), Scenarios(NAMES, np.random.default_rng(0).standard_t(4, (300, 3)) * 0.01, window="300 sessions")
)


def asked(**changes: Any) -> OfPortfolio:
    usual = {
        "expected_returns": dict.fromkeys(NAMES, 0.0005),
        "previous_weights": {"A": 0.6, "B": 0.2, "C": 0.1},
        "caps": dict.fromkeys(NAMES, 0.4),
        "risk_aversion": 0.02,
        "beta": 0.95,
        "min_cash": 0.03,
        "min_invested": 0.8,
        "turnover_limit": 1.0,
        "cost_per_unit": 0.0,
    }
    return OfPortfolio(**{**usual, **changes})


def solve(wish: OfPortfolio) -> Solution | Infeasible:
    return optimise(TOOLS, **dict(wish))


def test_nothing_is_given_up_without_need() -> None:
    answer, gave = give_way(asked(), solve)
    assert isinstance(answer, Solution)
    assert gave == ""
    assert answer.window == "300 sessions"


def test_the_turnover_limit_gives_way_to_a_cap_by_as_little_as_is_needed() -> None:
    answer, gave = give_way(asked(turnover_limit=0.15, min_invested=0.6), solve)
    assert isinstance(answer, Solution)
    assert answer.weights["A"] == pytest.approx(0.4, abs=1e-6)
    assert answer.turnover == pytest.approx(0.2, abs=1e-6)
    assert gave.endswith("The turnover limit gave way by 5.00 points. ")
    assert "the cap of A and the turnover limit" in gave


def test_the_invested_floor_gives_way_to_caps() -> None:
    answer, gave = give_way(asked(caps=dict.fromkeys(NAMES, 0.2), previous_weights=dict.fromkeys(NAMES, 0.0)), solve)
    assert isinstance(answer, Solution)
    assert sum(answer.weights.values()) == pytest.approx(0.6, abs=1e-6)
    assert gave.endswith("The invested floor gave way by 20.00 points. ")


def test_rules_do_not_give_way() -> None:
    answer, gave = give_way(asked(caps=dict.fromkeys(NAMES, 0.1), min_cash=0.9, turnover_limit=0.0), solve)
    assert isinstance(answer, Infeasible) or gave
    if isinstance(answer, Solution):
        assert answer.cash_weight >= 0.9 - 1e-6
        assert max(answer.weights.values()) <= 0.1 + 1e-6
