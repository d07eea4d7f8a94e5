"""A stance that a person puts in the place of an analyst's, to see what would have followed from it.

It is no statement of a mind: it cites nothing, states no figure, and says whose it is. The auditor lets it pass with a
note (`set_by_hand`), because its checks are about what a mind made of its evidence; the pre-trade rules judge the
orders that come of it like any other.
"""

from typing import Literal

from pydantic import Field

from ..tools.frozen import Frozen
from .signals import STANCES, AuditReport, Finding, Signal, Stance, abstention, uncertainty_of

BY_HAND = "by hand"
"""What stands in a signal for the key of a mind."""


class HandSet(Frozen):
    """What a person set."""

    stance: Stance | Literal["abstain"]
    probability: float = Field(default=1.0, gt=0, le=1)
    """Of the stance; the rest is shared evenly by the others."""
    by: str


def is_by_hand(signal: Signal) -> bool:
    """Whether a person set this signal."""
    return signal.model == BY_HAND


def set_stance(signal: Signal, hand: HandSet) -> Signal:
    """The signal that stands in the place of the analyst's own."""
    said = "abstained" if signal.abstained else f"{signal.stance.replace('_', ' ')} at {signal.confidence:.0%}"
    instead = f"set by hand by {hand.by} in place of the analyst's own ({said})"
    if hand.stance == "abstain":
        return abstention(
            signal.agent, signal.ticker, signal.as_of, signal.horizon_days, BY_HAND, signal.round, instead
        )
    rest = (1 - hand.probability) / (len(STANCES) - 1)
    probabilities: dict[Stance, float] = {name: hand.probability if name == hand.stance else rest for name in STANCES}
    return Signal(
        agent=signal.agent,
        ticker=signal.ticker,
        as_of=signal.as_of,
        stance=hand.stance,
        probabilities=probabilities,
        confidence=hand.probability,
        uncertainty=uncertainty_of(probabilities),
        horizon_days=signal.horizon_days,
        rationale=f"{hand.stance.replace('_', ' ')}: {instead}.",
        round=signal.round,
        model=BY_HAND,
    )


def report_on(signal: Signal) -> AuditReport:
    """The auditor's report on a stance that was set by hand."""
    note = Finding(
        rule="set_by_hand",
        severity="note",
        message="a person set this stance; it cites nothing, so there is nothing to check",
    )
    return AuditReport(agent=signal.agent, ticker=signal.ticker, round=signal.round, verdict="pass", findings=(note,))
