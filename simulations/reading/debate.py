"""A debate about one name: who answered which claim with what, round by round, and what it left."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from ...memory.journal.rows import Row
from .statements import Statement

TOLD_FROM = 0.005
"""Part of a claim or a confidence from which it is told that a debate took it."""


@dataclass(frozen=True)
class Point:
    """What one debater said in one round, or why it is silent."""

    row: Row
    answered: str
    """Words of the claim that it answers; empty where it is silent, or where the claim is not on record."""
    answered_agent: str
    """Whose claim that is."""

    @property
    def how(self) -> str:
        """`supports`, `attacks`, or `silent`."""
        return str(self.row.document["how"])

    @property
    def text(self) -> str:
        """What it rests on; or, of a silent one, why it is silent."""
        return str(self.row.document["point"].get("text") or self.row.document["rationale"])

    @property
    def evidence(self) -> str | None:
        """Id of the figure that it cites."""
        name: str | None = self.row.document["point"].get("evidence")
        return name

    @property
    def is_struck(self) -> bool:
        """Whether the auditor struck it."""
        return not self.row.document["stands"] and self.how != "silent"


@dataclass
class Debate:
    """The debate about one name in one decision."""

    ticker: str
    points: list[Point] = field(default_factory=list)
    closed: Row | None = None
    claims: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Whose and which words, by the id under which a point can be answered."""

    @property
    def rounds(self) -> list[tuple[int, list[Point]]]:
        """The points of each round, from 1."""
        return [(number, list(some)) for number, some in groupby(self.points, key=lambda p: p.row.document["round"])]

    @property
    def attacks(self) -> list[Point]:
        """Points against a claim that the auditor let stand."""
        return [point for point in self.points if point.how == "attacks" and not point.is_struck]

    @property
    def factors(self) -> dict[str, float]:
        """What it left of the confidence of each analyst's signal."""
        return dict(self.closed.document["factors"]) if self.closed else {}

    @property
    def lowered(self) -> dict[str, float]:
        """Of these, those that it lowered."""
        return {agent: factor for agent, factor in self.factors.items() if factor <= 1 - TOLD_FROM}

    @property
    def lost(self) -> list[tuple[str, str, float]]:
        """Claims that lost part of their weight: whose, which words, how much."""
        lost: dict[str, float] = self.closed.document["outcome"].get("lost", {}) if self.closed else {}
        return [(*self.claims.get(name, ("", name)), part) for name, part in lost.items() if part >= TOLD_FROM]


def debates_of(events: Iterable[Row], statements: Sequence[Statement]) -> dict[str, Debate]:
    """The debates among the events of one decision, by ticker.

    Args:
        events: in order.
        statements: of the same decision.
    """
    found: dict[str, Debate] = {}
    for row in events:
        if row.kind not in ("point_made", "debate_closed") or row.ticker is None:
            continue
        if row.ticker not in found:
            found[row.ticker] = Debate(row.ticker, claims=_claims(row, statements))
        debate = found[row.ticker]
        if row.kind == "debate_closed":
            debate.closed = row
            continue
        agent, text = debate.claims.get(row.document["answers"], ("", ""))
        debate.points.append(Point(row, text, agent))
        point: dict[str, Any] = row.document["point"]
        if point:
            debate.claims[point["id"]] = (row.document["agent"], point["text"])
    return found


def _claims(row: Row, statements: Sequence[Statement]) -> dict[str, tuple[str, str]]:
    return {
        f"{one.ticker}/{one.agent}/{claim['alias']}": (one.agent, claim["text"])
        for one in statements
        if one.ticker == row.ticker
        for claim in one.claims
    }
