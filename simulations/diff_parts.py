"""What a comparison of two sessions consists of: the opening, the decisions that differ, the closing."""

from datetime import date
from typing import Any, Literal

from ..memory.journal import Branch
from ..tools.frozen import Frozen

What = Literal["desk", "signal", "audit", "weight", "rule", "approval", "order", "fill"]


class Side(Frozen):
    """One of the two sessions."""

    folder: str
    head: str
    events: int
    finished: bool
    market: str
    universe: list[str]
    decisions: list[date]
    mind: str
    branches: list[Branch]
    """Where it left other sessions, if it is a fork."""


class Choice(Frozen):
    """Something that was decided otherwise before the first decision; None where one session knows no such choice."""

    field: str
    a: Any
    b: Any


class FirstDifference(Frozen):
    """The first event that is not the same."""

    seq: int
    decision: int | None
    """From 0; of the first session, or of the second where the first has ended."""
    kind_a: str | None
    """None where the session has ended."""
    kind_b: str | None
    where: str
    """The field, as `report.findings[2].rule`; empty where the kinds differ."""
    a: Any = None
    b: Any = None


class Opening(Frozen):
    """What is known before any decision is looked at."""

    kind: Literal["sessions"] = "sessions"
    a: Side
    b: Side
    equal: bool
    shared_events: int
    """So many events are equal, from the first on."""
    first: FirstDifference | None
    choices: list[Choice]


class Difference(Frozen):
    """One thing that the two said or did otherwise in a decision; None where one of them did not at all."""

    what: What
    subject: str
    """The ticker; for a signal or an audit the analyst as well."""
    a: str | float | None
    b: str | float | None


class DecisionDifference(Frozen):
    """Where two sessions differ in the decision of one date."""

    kind: Literal["decision"] = "decision"
    session: date
    decision_a: int | None
    """From 0; None where this session decides nothing on that date."""
    decision_b: int | None
    equity_a: float | None
    equity_b: float | None
    differences: list[Difference]


class Closing(Frozen):
    """What it came to."""

    kind: Literal["end"] = "end"
    decisions: int
    """Dates on which both decided."""
    different: int
    """Of these, so many in which something differs."""
    only_a: int
    only_b: int
    last_session: date | None
    """Newest session that both have closed."""
    equity_a: float | None
    """At its close."""
    equity_b: float | None
    furthest: date | None
    """The session whose equities are furthest apart; None where they never are."""
    furthest_a: float | None
    furthest_b: float | None
    metrics_a: dict[str, Any] | None
    """The desk's row of figures, where the session has ended."""
    metrics_b: dict[str, Any] | None


Part = Opening | DecisionDifference | Closing
