"""What a fork may set from a decision on, as it is written on the command line.

    max_weight=0.2                                a limit or preference of the desk
    policy=strict                                 the pre-trade policy
    model=scorecard                               the mind
    desk=solo, without=technical, roles=FOLDER    the roster
    approve=file                                  a person who is asked before orders leave
    signal:technical_analyst:NVDA=sell            one analyst's stance on one ticker, in that decision only
    signal:technical_analyst:NVDA=sell@0.6        with this probability; the others share the rest

What the whole session rests on (market, dates, universe, costs, seeds) is decided once: that takes a new session.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from ..agents.by_hand import HandSet
from ..agents.signals import STANCES, Stance
from ..tools.errors import InputError
from .config import SessionConfig, load_config

LIMITS = (
    *("max_weight", "min_invested", "min_cash", "turnover_limit", "risk_aversion", "beta", "equity_premium"),
    *("scenario_sessions", "max_revisions", "repeats", "policy"),
)
MIND = ("model", "adapter", "training_cutoff", "threads", "context")
ROSTER = ("desk", "without", "roles", "debate_rounds", "extra_calls")
APPROVAL = ("approve", "approval_timeout")
CHANGEABLE = (*LIMITS, *MIND, *ROSTER, *APPROVAL)
"""Fields of `SessionConfig` that can be another one from a decision on."""

ABSTAIN: Literal["abstain"] = "abstain"
FORM = "write NAME=VALUE or signal:AGENT:TICKER=STANCE"


class ChangeError(InputError):
    """What is to be set in a fork is refused."""


@dataclass(frozen=True)
class Changes:
    """What one fork sets."""

    config: Mapping[str, str | None] = field(default_factory=dict)
    """New values of configuration fields, as written."""
    stances: Mapping[tuple[str, str], tuple[Stance | Literal["abstain"], float]] = field(default_factory=dict)
    """Stance and probability by (agent, ticker)."""

    def applied_to(self, config: SessionConfig) -> SessionConfig:
        """The configuration from the decision on.

        Raises:
            ConfigError: a value is refused.
        """
        return load_config(None, config.model_dump(mode="json") | dict(self.config))

    def by_hand(self, by: str) -> dict[tuple[str, str], HandSet]:
        """The stances that somebody set."""
        return {seat: HandSet(stance=stance, probability=p, by=by) for seat, (stance, p) in self.stances.items()}


def parse_changes(settings: Sequence[str]) -> Changes:
    """The changes that are written so.

    Raises:
        ChangeError: one is not written as it must be, names what cannot be set, or is given twice.
    """
    config: dict[str, str | None] = {}
    stances: dict[tuple[str, str], tuple[Stance | Literal["abstain"], float]] = {}
    for text in settings:
        left, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not left:
            raise ChangeError(f"{text!r} sets nothing: {FORM}.")
        if left.startswith("signal:"):
            seat, stance = _stance(text, left, value)
            if seat in stances:
                raise ChangeError(f"The stance of {seat[0]} on {seat[1]} is set twice: set it once.")
            stances[seat] = stance
            continue
        if left not in CHANGEABLE:
            raise ChangeError(_unknown(left))
        if left in config:
            raise ChangeError(f"{left} is set twice: set it once.")
        nothing = SessionConfig.model_fields[left].default is None and value in ("", "none")
        config[left] = None if nothing else value
    return Changes(config, stances)


def _stance(text: str, left: str, value: str) -> tuple[tuple[str, str], tuple[Any, float]]:
    parts = left.split(":")
    if len(parts) != 3 or not all(parts):
        raise ChangeError(f"{text!r} names no signal: write signal:AGENT:TICKER=STANCE.")
    stance, at, share = value.partition("@")
    if stance not in (*STANCES, ABSTAIN):
        raise ChangeError(f"{stance!r} is no stance: choose from {', '.join((*get_args(Stance), ABSTAIN))}.")
    try:
        probability = float(share) if at else 1.0
    except ValueError:
        probability = float("nan")
    if not 0 < probability <= 1 or (at and stance == ABSTAIN):
        raise ChangeError(f"{value!r} is no stance with a probability: write {stance}@P with P above 0 and at most 1.")
    if stance != ABSTAIN and probability * len(STANCES) < 1:
        raise ChangeError(f"{value!r} makes every other stance more probable: give {stance} 0.2 at least.")
    return (parts[1], parts[2]), (stance, probability)


def _unknown(name: str) -> str:
    if name in SessionConfig.model_fields:
        return (
            f"{name} is decided once for a whole session, not from a decision on: start a new session with it, or set "
            f"one of {', '.join(CHANGEABLE)}."
        )
    return f"There is no {name!r} to set: use one of {', '.join(CHANGEABLE)}, or signal:AGENT:TICKER=STANCE."
