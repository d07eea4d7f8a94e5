"""A lesson: one outcome in a sentence. Code writes it from figures; no model does, and no name or date is in it."""

from collections.abc import Mapping

from pydantic import AwareDatetime

from ...tools.frozen import Frozen, content_hash
from ...tools.measures import MEASURES
from ..outcome import Outcome

_DIGITS = 8
"""Of the hash in an id: enough to keep two markets' lessons apart."""


class Lesson(Frozen):
    """What an analyst can be told of an outcome."""

    id: str
    """`<agent>:<ticker>:<day it was said>:<hash>`."""
    agent: str
    situation: str
    """What it is found by."""
    text: str
    available_at: AwareDatetime
    """When the horizon had passed (UTC)."""
    told_on: str
    """For people: when it was said and over how long."""


def lesson_of(outcome: Outcome) -> Lesson:
    """The lesson that an outcome teaches."""
    digest = content_hash(outcome.model_dump(mode="json"))
    return Lesson(
        id=f"{outcome.agent}:{outcome.ticker}:{outcome.issued_on}:{digest[:_DIGITS]}",
        agent=outcome.agent,
        situation=situation_of(outcome.regime, outcome.reasons),
        text=text_of(outcome),
        available_at=outcome.available_at,
        told_on=f"{outcome.horizon_days} sessions from {outcome.issued_on}",
    )


def text_of(outcome: Outcome) -> str:
    """The outcome in a sentence: stance, evidence, state of the market, and what followed."""
    names = [_name(measure) for measure in outcome.reasons]
    on = f" on {' and '.join(names)}" if names else ""
    market = "" if outcome.regime == "unknown" else f" in a {outcome.regime} market"
    side = "ahead of" if outcome.excess > 0 else "behind"
    followed = f"{abs(outcome.excess):.1%} {side} the others after {outcome.horizon_days} sessions"
    return f"{outcome.stance.replace('_', ' ')}{on}{market}: {followed}"


def situation_of(regime: str, leans: Mapping[str, str]) -> str:
    """A situation in words that are equal where situations are: the state of the market, and what speaks for what.

    A measure and its side are one word each time: an embedding of the sum of words cannot bind two of them.

    Args:
        regime: state of the market.
        leans: by measure, the side that it speaks for.
    """
    return " ".join([f"{regime} market", *(f"{_name(measure)} {side}" for measure, side in sorted(leans.items()))])


def _name(measure: str) -> str:
    row = MEASURES.get(measure)
    return (row.brief or row.label) if row else measure
