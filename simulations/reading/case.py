"""Why the desk did what it did with one name at one decision: all that is on record about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...memory.journal import Journal
from ...memory.journal.rows import Row, rows
from .calls import Call, calls_of
from .debate import Debate, Point
from .decision import Decision, Move, read_decision
from .series import Outcome, outcomes_after
from .statements import Statement, statements_of


@dataclass(frozen=True)
class Case:
    """One name at one decision."""

    decision: Decision
    move: Move
    statements: list[Statement]
    """Of all agents, in order."""
    tools: list[Row]
    """`tool_called`: arguments, evidence, what was missing."""
    calls: list[Call]
    """Requests to minds in which this name was asked about, that question only."""
    outcomes: list[Outcome]
    """What became of this decision's signals, as far as their horizons have passed."""
    others: list[Row]
    """Events about this name of kinds that have no place of their own above."""

    @property
    def ticker(self) -> str:
        """The name."""
        return self.move.ticker

    @property
    def evidence(self) -> dict[str, dict[str, Any]]:
        """All that was gathered, by id."""
        return {item["id"]: item for row in self.tools for item in row.document["evidence"]}

    @property
    def passages(self) -> list[dict[str, Any]]:
        """The evidence that quotes a document, once each."""
        return [item for item in self.evidence.values() if item.get("span")]

    @property
    def objections(self) -> list[tuple[Statement, dict[str, Any]]]:
        """Everything that was objected to: the statement and the finding."""
        return [(statement, finding) for statement in self.statements for finding in statement.objections]

    @property
    def debate(self) -> Debate | None:
        """About this name, where the desk holds one."""
        return self.decision.debates.get(self.ticker)

    @property
    def attacks(self) -> list[Point]:
        """Points of the debate against what an analyst had claimed, which the auditor let stand."""
        points = self.debate.attacks if self.debate else []
        return [point for point in points if point.answered_agent in self.decision.agents]

    @property
    def hands(self) -> list[Row]:
        """Stances on this name that a person set."""
        return [row for row in self.decision.hands if row.ticker == self.ticker]

    @property
    def capped(self) -> list[Row]:
        """Readings in which the risk officer allowed this name less."""
        return [row for row in self.decision.risk if self.ticker in row.document["tightening"].get("caps", {})]

    @property
    def stopped(self) -> list[Row]:
        """Answers of people that keep this name's order from leaving."""
        return [row for row in self.decision.approvals if self.ticker in row.document["stopped"]]

    @property
    def rounds(self) -> list[list[Statement]]:
        """The statements of each round."""
        last = max((statement.round for statement in self.statements), default=-1)
        return [[s for s in self.statements if s.round == number] for number in range(last + 1)]


_HERE = frozenset(
    {"tool_called", "signal_issued", "audit_issued", "stance_set", "point_made", "debate_closed", "order_sent"}
    | {"order_withheld"}
)
_IN_MOVE = frozenset({"rule_verdict", "order_submitted", "order_answered", "order_filled", "order_ended"})
_LATER = frozenset({"signal_resolved", "corporate_action"})


def read_case(journal: Journal, number: int, ticker: str, universe: Sequence[str]) -> Case | None:
    """What is on record about a name at a decision; None where there is no such decision or name."""
    decision = read_decision(journal, number, universe)
    move = next((move for move in decision.moves if move.ticker == ticker), None) if decision else None
    if decision is None or move is None:
        return None
    own = list(rows(journal, decision=number, ticker=ticker))
    spoken = [statement for statement in move.statements if not statement.abstained]
    horizons = [int(statement.signal["horizon_days"]) for statement in spoken]
    return Case(
        decision=decision,
        move=move,
        statements=statements_of(own),
        tools=[row for row in own if row.kind == "tool_called"],
        calls=calls_of(journal, number, ticker),
        outcomes=outcomes_after(journal, decision.seq, number, ticker, horizons),
        others=[row for row in own if row.kind not in _HERE | _IN_MOVE | _LATER],
    )
