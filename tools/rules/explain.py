"""What a policy says, in words: every rule with what it is for, and the limits that it reads."""

from typing import Literal

from ..frozen import Frozen
from .engine import RULES
from .policy import Policy
from .sanity import GATES


class ExplainedLimit(Frozen):
    """One limit of a policy."""

    name: str
    value: str
    """As it would stand in a TOML file, dates and lists included."""
    meaning: str


class ExplainedRule(Frozen):
    """One rule under one policy."""

    name: str
    applies_to: Literal["all orders", "entries"]
    about: str
    limits: tuple[ExplainedLimit, ...]
    """Those that the rule reads; empty where it knows none."""


class ExplainedPolicy(Frozen):
    """A policy with all rules, in the order in which they are asked."""

    name: str
    hash: str
    rules: tuple[ExplainedRule, ...]


def explain_policy(policy: Policy) -> ExplainedPolicy:
    """Every rule with its limits under a policy."""
    values = policy.model_dump(mode="json")

    def limit(name: str) -> ExplainedLimit:
        meaning = " ".join((Policy.model_fields[name].description or "").split())
        return ExplainedLimit(name=name, value=_text(values[name]), meaning=meaning)

    return ExplainedPolicy(
        name=policy.name,
        hash=policy.hash(),
        rules=tuple(
            ExplainedRule(
                name=rule.name,
                applies_to="entries" if rule.entries_only else "all orders",
                about=rule.about,
                limits=tuple(limit(name) for name in rule.limits),
            )
            for rule in (*GATES, *RULES)
        ),
    )


def _text(value: object) -> str:
    if value is None or value in ([], {}):
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_text(part)}" for name, part in value.items())
    if isinstance(value, list):
        return "; ".join(_text(part) for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
