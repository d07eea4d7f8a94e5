"""Random but ordinary problems: fat-tailed daily returns of seven names."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from paperdesk.tools.optimizer import MeanCVaR, Problem, Utility


@pytest.fixture(scope="session")
def optimizer() -> MeanCVaR:
    return MeanCVaR()


@pytest.fixture(scope="session")
def problem() -> Callable[..., Problem]:
    def build(seed: int = 0, names: int = 7, rows: int = 500, **changes: Any) -> Problem:
        rng = np.random.default_rng(seed)
        market = rng.standard_t(4, (rows, 1)) * 0.008
        returns = market * rng.normal(1, 0.4, names) + rng.standard_t(4, (rows, names)) * 0.009
        usual = {
            "tickers": tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[:names]),
            "scenarios": returns,
            "expected_returns": rng.normal(0.002, 0.001, names),
            "goal": Utility(0.08),
            "costs": np.full(names, 0.0005),
            "previous_weights": np.full(names, 0.9 / names),
            "caps": np.full(names, min(1.0, 2.0 / names)),
            "min_cash": 0.02,
        }
        if "risk_aversion" in changes:
            changes["goal"] = Utility(changes.pop("risk_aversion"))
        return Problem(**{**usual, **changes})

    return build
