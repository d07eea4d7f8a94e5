"""A piece of evidence: where it came from, who was shown it, who rests a claim on it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ...memory.journal import Journal
from ...memory.journal.rows import Row, rows
from ...tools.evidence import Evidence
from .statements import Statement, statements_of


@dataclass(frozen=True)
class Citation:
    """A claim that rests on a piece of evidence."""

    statement: Statement
    claim: dict[str, Any]
    against: bool
    """Whether it was named as what speaks for the other side."""


@dataclass(frozen=True)
class Cited:
    """A piece of evidence of one decision."""

    evidence: Evidence
    """Its hash was checked when it was read."""
    found_in: Row
    """The tool call (or, of the market as a whole, the question) that brought it."""
    citations: list[Citation]


def cited(journal: Journal, decision: int, name: str) -> Cited | None:
    """The piece of evidence with this id in a decision; None where there is none."""
    ticker = name.split("/", 1)[0]
    own = list(rows(journal, ("tool_called", "signal_issued", "audit_issued"), decision=decision, ticker=ticker))
    found = _in(name, ((row, row.document["evidence"]) for row in own if row.kind == "tool_called"))
    if found is None:
        asked = rows(journal, ("model_called",), decision=decision)
        questions = ((row, question["evidence"]) for row in asked for question in row.document["request"]["questions"])
        found = _in(name, questions)
    if found is None:
        return None
    row, item = found
    citations = [
        Citation(statement, claim, against)
        for statement in statements_of(own)
        for against, claims in ((False, statement.claims), (True, statement.against))
        for claim in claims
        if claim["evidence"] == name
    ]
    return Cited(Evidence.model_validate(item), row, citations)


def _in(name: str, places: Iterable[tuple[Row, list[dict[str, Any]]]]) -> tuple[Row, dict[str, Any]] | None:
    return next(((row, item) for row, items in places for item in items if item["id"] == name), None)
