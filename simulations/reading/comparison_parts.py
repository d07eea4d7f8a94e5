"""What a comparison of two sessions consists of: the opening, the decisions that differ, the closing."""

from datetime import date
from typing import Any, Literal

from ...memory.journal import Branch
from ...tools.frozen import Frozen

What = Literal["desk", "signal", "audit", "debate", "weight", "risk", "rule", "approval", "order", "fill"]
"""In the order in which they come about."""


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
    """The ticker; of an analyst `technical_analyst on NVDA`; for all others who it is."""
    a: str | float | None
    b: str | float | None

    @property
    def agent(self) -> str | None:
        """Whose; None where it is nobody's in particular."""
        if self.what == "approval":
            return None  # a person, by any name
        agent, on, _ = self.subject.partition(" on ")
        return agent if on or self.what == "risk" else None

    @property
    def ticker(self) -> str | None:
        """About which name; None where it is about the whole desk."""
        return None if self.what in ("desk", "risk", "approval") else self.subject.rpartition(" on ")[2]

    @property
    def gap(self) -> float:
        """Of weights: how far they are apart."""
        return abs(float(self.b or 0) - float(self.a or 0)) if self.what == "weight" else 0.0


class Group(Frozen):
    """Differences of one kind in one decision."""

    what: What
    rows: list[Difference]
    left_out: int
    """So many more there are."""


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

    @property
    def distance(self) -> float:
        """Half the sum of absolute differences of weight: 0 where they are equal, 1 where nothing is held by both."""
        return sum(row.gap for row in self.differences) / 2

    def groups(self, most: int | None = None) -> list[Group]:
        """The differences kind by kind, of weights the largest first.

        Args:
            most: rows of a kind at most; None for all.
        """
        kinds = dict.fromkeys(row.what for row in self.differences)
        whole = {kind: sorted((r for r in self.differences if r.what == kind), key=lambda r: -r.gap) for kind in kinds}
        return [
            Group(what=kind, rows=rows[:most], left_out=len(rows) - len(rows[:most])) for kind, rows in whole.items()
        ]


class Closing(Frozen):
    """What it came to."""

    kind: Literal["end"] = "end"
    decisions: int
    """Dates on which both decided."""
    different: int | None
    """Of these, so many in which something differs; None where they were not all looked at."""
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


MOST_ROWS = 12
"""Of one kind and decision that are shown unless all are asked for; the rest is counted."""

FIGURES = {
    "total_return": "total return",
    "sharpe": "Sharpe ratio",
    "max_drawdown": "maximum drawdown",
    "turnover": "turnover",
    "costs": "costs",
}
"""Of the desk's row of figures, what a comparison shows."""

Part = Opening | DecisionDifference | Closing
