"""The state machine: a session graph that moves the clock, and inside it the desk's graph that makes one decision.

    advance -> desk -> advance -> ... -> end
    desk: open -> analysts -> audit -> (revise) -> portfolio manager -> pre-trade -> (approve) -> execute -> record

The analysts are those of the roster, one node each, in its order; all of them are one function.
The same desk graph can be driven by anything that sets `session` and has a broker; only `advance` knows the simulator.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from ..agents.roles import Role
from ..agents.rosters import roster
from .approval import approve
from .context import DeskContext
from .desk_nodes import analyst_node, audit, execute, open_decision
from .market_nodes import advance, record
from .portfolio_nodes import manage_portfolio, pre_trade
from .state import DeskState

Graph = CompiledStateGraph[Any, DeskContext, Any, Any]

STEPS_PER_SESSION = 1_000_000
"""LangGraph's recursion limit: a session graph takes two steps per decision and ends by itself."""


def desk_of(analysts: Sequence[Role]) -> Graph:
    """One decision of a desk with these analysts: from the close of a session to orders at the broker."""
    names = [role.name for role in analysts]
    graph = StateGraph(DeskState, context_schema=DeskContext)
    graph.add_node("open", open_decision)
    for role in analysts:
        graph.add_node(role.name, analyst_node(role))
    graph.add_node("audit", audit, destinations=(names[0], "portfolio_manager"))
    graph.add_node("portfolio_manager", manage_portfolio)
    graph.add_node("pre_trade", pre_trade)
    graph.add_node("approve", approve)
    graph.add_node("execute", execute)
    graph.add_node("record", record)
    graph.add_edge(START, "open")
    for first, then in pairwise(("open", *names, "audit")):
        graph.add_edge(first, then)
    graph.add_edge("portfolio_manager", "pre_trade")
    graph.add_edge("approve", "execute")
    graph.add_edge("execute", "record")
    graph.add_edge("record", END)
    return graph.compile(name="desk")


def session_of(analysts: Sequence[Role], checkpointer: BaseCheckpointSaver[Any] | None = None) -> Graph:
    """A whole session: the market advances, the desk decides, until the market ends.

    A graph that may wait for a person needs a checkpointer (`checkpoints.saver`).
    """
    graph = StateGraph(DeskState, context_schema=DeskContext)
    graph.add_node("advance", advance)
    graph.add_node("desk", desk_of(analysts))
    graph.add_edge(START, "advance")
    graph.add_edge("desk", "advance")
    return graph.compile(name="session", checkpointer=checkpointer)


def desk_graph() -> Graph:
    """The desk that sits where none is asked for; `langgraph.json` names it."""
    return desk_of(roster().analysts)


def session_graph() -> Graph:
    """The session of that desk; `langgraph.json` names it."""
    return session_of(roster().analysts)


def mermaid() -> str:
    """The session graph with the desk's graph inside, as a mermaid drawing."""
    # LangGraph escapes the colon of nested names as "\\3a", which not every renderer undoes.
    return session_graph().get_graph(xray=True).draw_mermaid().replace("\\3a", "_")
