"""What analysts say and what the auditor answers."""

from collections.abc import Mapping
from math import fsum, log
from typing import Literal, get_args

from pydantic import AwareDatetime, Field

from ..tools.frozen import Frozen

Stance = Literal["strong_sell", "sell", "hold", "buy", "strong_buy"]
STANCES: tuple[Stance, ...] = get_args(Stance)
"""From the most bearish to the most bullish."""

STANCE_SCORE: dict[Stance, float] = {"strong_sell": -1.0, "sell": -0.5, "hold": 0.0, "buy": 0.5, "strong_buy": 1.0}
"""The score of a stance, in [-1, 1]."""

Direction = Literal["buy", "sell", "hold"]


class Claim(Frozen):
    """One reason: a piece of evidence and what it is said to support."""

    alias: str
    """The name it had in the prompt (`E3`)."""
    evidence: str
    """Id of the `Evidence`."""
    supports: Direction
    text: str
    """The sentence, its figures taken from the evidence."""


class Signal(Frozen):
    """An analyst's view of one ticker at one decision."""

    agent: str
    ticker: str
    as_of: AwareDatetime
    stance: Stance
    probabilities: dict[Stance, float] = Field(default_factory=dict)
    """Over all stances, summing to 1; empty when abstained."""
    confidence: float = Field(ge=0, le=1)
    """Probability of the stance; 0 when abstained. The audit's `confidence_factor` lowers what it counts for."""
    uncertainty: float = Field(ge=0, le=1)
    """Entropy of the probabilities over its maximum."""
    order_sensitivity: float = Field(default=0.0, ge=0, le=1)
    """How far the orders of the evidence disagree (see `models.core.Answer`); part of the uncertainty."""
    left_out: tuple[str, ...] = ()
    """Ids of evidence that did not fit the mind's context."""
    horizon_days: int = Field(gt=0)
    """Exchange sessions over which the view is meant."""
    claims: tuple[Claim, ...] = ()
    against: tuple[Claim, ...] = ()
    """The strongest evidence that speaks for the other side, named by code whatever the mind made of it."""
    rationale: str = ""
    abstained: bool = False
    reason: str = ""
    """Why it abstained."""
    round: int = 0
    """0 for the first statement, then one more per revision."""
    model: str
    """Key of the mind's fingerprint."""

    @property
    def score(self) -> float:
        """Expected stance score, in [-1, 1]; 0 when abstained."""
        return 0.0 if self.abstained else fsum(p * STANCE_SCORE[name] for name, p in self.probabilities.items())


def uncertainty_of(probabilities: Mapping[Stance, float]) -> float:
    """Shannon entropy over log(number of stances): 0 is certain, 1 knows nothing."""
    entropy = -fsum(p * log(p) for p in probabilities.values() if p > 0)
    return min(1.0, max(0.0, entropy / log(len(STANCES))))


def abstention(
    agent: str, ticker: str, as_of: AwareDatetime, horizon_days: int, model: str, round_: int, reason: str
) -> Signal:
    """The signal that says nothing, and why."""
    return Signal(
        agent=agent,
        ticker=ticker,
        as_of=as_of,
        stance="hold",
        confidence=0,
        uncertainty=1,
        horizon_days=horizon_days,
        abstained=True,
        reason=reason,
        round=round_,
        model=model,
        rationale=f"No view: {reason}.",
    )


Severity = Literal["note", "objection", "fatal"]
"""`note` changes nothing, `objection` sends the signal back, `fatal` rejects it at once."""


Rule = Literal[
    "evidence_exists",
    "known_in_time",
    "staleness",
    "right_company",
    "figures_match",
    "units_match",
    "signs_match",
    "split_adjusted",
    "periods_match",
    "quotes_match",
    "direction_words",
    "direction_agrees",
    "stance_follows",
    "counter_evidence",
    "no_instructions",
    "set_aside",
    "nothing_left_out",
    "mind_reading",
    "set_by_hand",
    "point_answers",
]
"""What can be wrong with a signal; docs/auditor.md explains each."""


class Finding(Frozen):
    """Something the auditor found in a signal."""

    rule: Rule
    severity: Severity
    message: str
    claim: str = ""
    """Alias of the claim concerned, empty for the signal as a whole."""
    evidence: str = ""
    """Id of the evidence concerned."""
    expected: str = ""
    found: str = ""


class AuditReport(Frozen):
    """The auditor's judgement of one signal."""

    agent: str
    ticker: str
    round: int
    verdict: Literal["pass", "revise", "reject"]
    findings: tuple[Finding, ...] = ()
    confidence_factor: float = Field(default=1, ge=0, le=1)
    """What the mind's reading of the evidence leaves of the confidence; never above 1."""

    def objections(self) -> tuple[Finding, ...]:
        """What the analyst must answer."""
        return tuple(f for f in self.findings if f.severity != "note")
