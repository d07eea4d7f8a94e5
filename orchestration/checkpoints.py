"""Where the graph waits for a person: a checkpoint in memory, for as long as the process lives.

A checkpoint holds the state of one decision, no more. It is never the record: a session that was stopped while it
waited is executed again from its start and asks again. What is read back are the types of the state and nothing else;
whatever other name a stored row may hold is not called.
"""

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from ..agents.debate.board import Point
from ..agents.portfolio_manager import Proposal
from ..agents.risk_officer import Tightening
from ..agents.signals import AuditReport, Signal
from ..tools.broker.protocol import OrderIntent, PortfolioSnapshot, VerdictToken
from ..tools.regime import Regime

STATE_TYPES = (
    AuditReport,
    OrderIntent,
    Point,
    PortfolioSnapshot,
    Proposal,
    Regime,
    Signal,
    Tightening,
    VerdictToken,
)
"""What `DeskState` is made of."""


def serializer() -> JsonPlusSerializer:
    """LangGraph's msgpack serializer, strict whatever the environment says: it builds the types of the state only."""
    return JsonPlusSerializer(allowed_msgpack_modules=STATE_TYPES)


def saver() -> InMemorySaver:
    """A place for the checkpoints of one graph."""
    return InMemorySaver(serde=serializer())
