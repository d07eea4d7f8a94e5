"""What is known of one agent at one decision: every figure that its weight rests on."""

from pydantic import Field

from ...tools.frozen import Frozen
from .shrinkage import PRIOR_IC


class Bin(Frozen):
    """Outcomes whose confidence lay within a tenth."""

    count: int
    confidence: float
    """Mean confidence of the direction foretold."""
    hit_rate: float
    """Share of them in which that direction came."""


class AgentRecord(Frozen):
    """One agent with one mind, seen from one regime."""

    agent: str
    model: str
    regime: str
    """State of the market for which `skill` and `weight` hold; `all` for all together."""
    outcomes: int = 0
    """Signals whose horizon has passed, in all regimes."""
    independent: float = 0.0
    """How many independent ones say as much."""
    ic: float | None = None
    """Correlation of scores and standardised excess returns; None where it cannot be taken."""
    ic_low: float | None = None
    ic_high: float | None = None
    """Bounds of its 95 % interval."""
    regime_outcomes: int = 0
    regime_independent: float = 0.0
    regime_ic: float | None = None
    """The same figures for signals issued in this regime."""
    brier: float | None = None
    """Mean squared error of the probabilities of three directions, 0 to 2; 2/3 is that of knowing nothing."""
    ece: float | None = None
    """Expected calibration error of the direction foretold."""
    confidence: float | None = None
    """Mean confidence in it."""
    hit_rate: float | None = None
    """How often it came."""
    bins: tuple[Bin, ...] = ()
    deflation: float = Field(default=1.0, gt=0, le=1)
    """What its confidence is multiplied by."""
    skill: float = PRIOR_IC
    """Information coefficient in this regime, shrunk towards the agent's own and that towards the prior."""
    discount: float = Field(default=1.0, gt=0, le=1)
    """What agreement with other agents leaves of it."""
    weight: float = Field(default=PRIOR_IC, ge=0)
    """What its score is multiplied by in a view: the skill within its bounds, times the discount."""
