"""Outcomes told in few words."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from paperdesk.memory.outcome import Outcome

DAY_ONE = date(2031, 1, 1)


def outcome(number: int = 0, *, agent: str = "a", surprise: float = 0.5, score: float = 0.5, **other: Any) -> Outcome:
    """The `number`-th outcome of an agent, a day after the one before; what is not given is the same for all."""
    issued = other.pop("issued_on", DAY_ONE + timedelta(days=number))
    horizon = other.pop("horizon_days", 21)
    known = datetime.combine(issued, datetime.min.time(), UTC) + timedelta(days=9 + horizon, hours=21)
    fields: dict[str, Any] = {
        "model": "mind",
        "regime": "calm",
        "ticker": "AURX",
        "market": "m",
        "available_at": known,
        "stance": "buy" if score > 0 else "sell",
        "probabilities": {"strong_sell": 0.0, "sell": (1 - score) / 2, "hold": 0.0, "buy": (1 + score) / 2},
        "reasons": {"return_1m": "buy"},
        "excess": surprise / 10,
        "weight": 1.0,
    }
    return Outcome(
        agent=agent, issued_on=issued, horizon_days=horizon, score=score, surprise=surprise, **(fields | other)
    )


@pytest.fixture
def told() -> Any:
    """`told(3, surprise=-1.0)`: an outcome."""
    return outcome
