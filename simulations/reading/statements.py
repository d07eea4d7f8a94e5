"""What an analyst said of a name, round by round, and what the auditor answered."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ...memory.journal.rows import Row


@dataclass(frozen=True)
class Statement:
    """One signal and its audit."""

    seq: int
    agent: str
    ticker: str
    round: int
    """0 first, then one more per revision."""
    stance: str
    confidence: float
    abstained: bool
    rationale: str
    signal: dict[str, Any]
    """The whole `Signal`: probabilities, claims, counter-evidence, uncertainty, horizon."""
    audit_seq: int | None
    verdict: str | None
    """`pass`, `revise`, `reject`; None where it was not audited (an abstention is not)."""
    audit: dict[str, Any] | None
    """The whole `AuditReport`."""

    @property
    def claims(self) -> list[dict[str, Any]]:
        """Reasons, each with `alias`, `evidence`, `supports`, `text`."""
        return list(self.signal.get("claims", ()))

    @property
    def against(self) -> list[dict[str, Any]]:
        """The strongest evidence for the other side."""
        return list(self.signal.get("against", ()))

    @property
    def findings(self) -> list[dict[str, Any]]:
        """Of the audit."""
        return list(self.audit.get("findings", ())) if self.audit else []

    @property
    def objections(self) -> list[dict[str, Any]]:
        """Findings that were more than a note."""
        return [finding for finding in self.findings if finding.get("severity") != "note"]

    @property
    def factor(self) -> float:
        """What the audit left of the confidence."""
        return float(self.audit.get("confidence_factor", 1.0)) if self.audit else 1.0


def statements_of(events: Iterable[Row]) -> list[Statement]:
    """The statements among some events, in order."""
    signals: list[Row] = []
    audits: dict[tuple[str | None, str | None, int], Row] = {}
    for row in events:
        if row.kind == "signal_issued":
            signals.append(row)
        elif row.kind == "audit_issued":
            audits[row.agent, row.ticker, row.document["round"]] = row
    return [_statement(row, audits.get((row.agent, row.ticker, row.document["round"]))) for row in signals]


def last_of_each(statements: Iterable[Statement]) -> list[Statement]:
    """The last statement of each agent, in the order in which they first spoke."""
    last: dict[str, Statement] = {}
    for statement in statements:
        last[statement.agent] = statement
    return list(last.values())


def _statement(row: Row, audit: Row | None) -> Statement:
    document = row.document
    return Statement(
        seq=row.seq,
        agent=document["agent"],
        ticker=document["ticker"],
        round=document["round"],
        stance=document["stance"],
        confidence=document["confidence"],
        abstained=document["abstained"],
        rationale=document["rationale"],
        signal=document["signal"],
        audit_seq=audit.seq if audit else None,
        verdict=audit.document["verdict"] if audit else None,
        audit=audit.document["report"] if audit else None,
    )
