"""What a field comes to, as data."""

from ...tools.frozen import Frozen
from ..evaluation.contamination import Contamination
from ..evaluation.document import SessionReport
from ..evaluation.figures import Estimate


class MemberReport(Frozen):
    """One session of a field."""

    name: str
    role: str
    about: str
    state: str
    """`done`, `failed`, or `not run`."""
    error: str = ""
    market: str = ""
    mind: str = ""
    contamination: Contamination | None = None
    annual_return: Estimate | None = None
    sharpe: Estimate | None = None
    max_drawdown: Estimate | None = None
    turnover: float | None = None
    decisions: int = 0
    beyond_equal: Estimate | None = None
    """Excess return a year over equal weight on the same market, days and costs."""
    beyond_base: Estimate | None = None
    """Excess return a year over the base session, where both lived through the same prices."""


class Reaction(Frozen):
    """How an agent's signals answer to a change of what it reads."""

    member: str
    agent: str
    signals: int
    """Compared: same ticker, same decision, stated in both sessions or silent in one of them."""
    inputs_changed: float
    """Share of them whose evidence differs."""
    moved: float | None
    """Share of those with other evidence whose score differs by more than 0.01; None where none has."""
    strayed: float | None
    """Share of those with the same evidence whose score differs."""
    correlation: float | None
    """Of the scores of both sessions; None where one does not vary."""
    verdict: str


class Repeats(Frozen):
    """The same session with several seeds."""

    runs: int
    returns: tuple[float, float, float]
    """Least, mean and largest annual return."""
    sharpes: tuple[float, float, float]
    signals_alike: float
    """Share of signals whose stance is the same in all runs."""
    beat_equal: int
    """Runs that earned more than equal weight."""
    pass_power: tuple[float, ...]
    """pass^k for k = 1, 2, ...: the chance that k runs drawn without replacement all earn more than equal weight."""


class Selection(Frozen):
    """What choosing the best of the variants on one market is worth."""

    market: str
    variants: int
    """Different tracks of equity on the same days."""
    best: str
    """The variant with the best Sharpe ratio."""
    overfitting: float | None
    """Probability of backtest overfitting; None where it cannot be taken."""
    splits: int
    superior: float | None
    """p-value of Hansen's test that no variant earns more than equal weight."""


class FieldReport(Frozen):
    """The evaluation of a field."""

    title: str
    folder: str
    members: tuple[MemberReport, ...]
    base: SessionReport | None
    """Of the session that a study was built around."""
    reactions: tuple[Reaction, ...]
    repeats: Repeats | None
    selections: tuple[Selection, ...]
    tried: tuple[str, ...]
    survived: tuple[str, ...]
    failed: tuple[str, ...]
