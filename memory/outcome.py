"""What followed a signal: the one record that calibration learns from and that lessons are told from."""

from collections.abc import Mapping
from datetime import date
from math import isfinite
from typing import Any, Literal

from pydantic import AwareDatetime, Field, field_validator

from ..tools.frozen import Frozen

Direction = Literal["sell", "hold", "buy"]
DIRECTIONS: tuple[Direction, ...] = ("sell", "hold", "buy")
"""What a return can turn out to be."""

DIRECTION_OF: dict[str, Direction] = {
    "strong_sell": "sell",
    "sell": "sell",
    "hold": "hold",
    "buy": "buy",
    "strong_buy": "buy",
}
"""The direction that each stance foretells: `strong` says how sure an analyst is, not how far a price will go."""

THIRD = 0.430727
"""Upper third of the standard normal distribution: beyond it, either way, a return is a move; within it, none."""


Key = tuple[str, str, str, str, date, int]
"""Market, agent, model, ticker, session and horizon."""


class Outcome(Frozen):
    """A signal whose horizon has passed, and what happened."""

    agent: str
    model: str
    """Name and digest of the mind that spoke: the record of one mind says nothing about another."""
    regime: str
    """State of the market when it spoke: `calm`, `turbulent` or `unknown`."""
    ticker: str
    market: str
    """Fingerprint of the market in which it happened."""
    issued_on: date
    """Session at whose close it was said."""
    available_at: AwareDatetime
    """Close of the last session of the horizon (UTC): before it nobody knew."""
    horizon_days: int = Field(gt=0)
    stance: str
    probabilities: dict[str, float]
    """Over the five stances."""
    score: float = Field(ge=-1, le=1)
    """Expected stance score."""
    reasons: dict[str, str] = Field(default_factory=dict)
    """Measures that were cited, and what each was said to support."""
    excess: float
    """Return over the horizon less the mean of the universe."""
    surprise: float
    """The same over its usual size: daily excess volatility known when it was said, times the root of the horizon."""
    weight: float = Field(gt=0, le=1)
    """How much of an independent outcome it is: the part of its horizon that the one before on the same name does not
    cover, times 1 - 1 / n, because the excess returns of n names add up to nothing."""

    @field_validator("excess", "surprise")
    @classmethod
    def _known(cls, value: float) -> float:
        if not isfinite(value):
            raise ValueError("an outcome is known or it is none")
        return value

    @property
    def came(self) -> Direction:
        """The direction that it turned out to be."""
        return direction_of(self.surprise)

    def key(self) -> Key:
        """What makes it this outcome and no other: two sessions of one agent on one market would count it twice.

        Outcomes of one key became known at one time, so it cannot matter to the past which of them is kept.
        """
        return self.market, self.agent, self.model, self.ticker, self.issued_on, self.horizon_days


def direction_of(surprise: float) -> Direction:
    """The third in which a standardised return lies."""
    return "buy" if surprise > THIRD else "sell" if surprise < -THIRD else "hold"


def directional(probabilities: Mapping[Any, float]) -> tuple[float, float, float]:
    """Probabilities of sell, hold and buy from those of the five stances."""
    sums = dict.fromkeys(DIRECTIONS, 0.0)
    for stance, probability in probabilities.items():
        sums[DIRECTION_OF[stance]] += probability
    return sums["sell"], sums["hold"], sums["buy"]
