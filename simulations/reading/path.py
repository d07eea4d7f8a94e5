"""The path that a decision took through the graph, told by who wrote what when."""

from collections.abc import Iterable
from dataclasses import dataclass

_NODES = {
    "decision_opened": "open",
    "signal_resolved": "open",
    "agent_weighed": "open",
    "audit_issued": "audit",
    "debate_closed": "moderator",
    "proposal_made": "portfolio_manager",
    "rule_verdict": "pre_trade",
    "approval_given": "approve",
    "order_submitted": "execute",
    "order_sent": "execute",
    "order_withheld": "execute",
    "order_answered": "execute",
    "decision_closed": "record",
}
_OF_AGENT = {"auditor": "audit"}
_MARKET = frozenset(
    {
        "desk_changed",
        "order_filled",
        "order_ended",
        "order_forced",
        "margin_called",
        "bar_closed",
        "corporate_action",
        "session_ended",
        "venue_checked",
        "venue_reported",
    }
)
"""What the market does between two decisions."""


@dataclass(frozen=True)
class Step:
    """One visit of a node."""

    node: str
    seq: int
    """Its first event."""
    row: int
    """0 on the first way through the graph, one more each time it went back."""
    column: int
    """Of its node, in the order of first visits."""


def node_of(kind: str, agent: str | None) -> str | None:
    """The node that writes such an event; None for what happens between decisions."""
    if kind in _MARKET:
        return None
    if kind in _NODES:
        return _NODES[kind]
    return _OF_AGENT.get(agent, agent) if agent else kind


def path_of(turns: Iterable[tuple[int, str, str | None]]) -> list[Step]:
    """The steps of one decision.

    Args:
        turns: (seq, kind, agent) of its events, in order; at least wherever kind or agent change.
    """
    steps: list[Step] = []
    columns: dict[str, int] = {}
    row = 0
    for seq, kind, agent in turns:
        node = node_of(kind, agent)
        if node is None or (steps and steps[-1].node == node):
            continue
        column = columns.setdefault(node, len(columns))
        if steps and column < steps[-1].column:
            row += 1
        steps.append(Step(node, seq, row, column))
    return steps
