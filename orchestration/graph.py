"""The state machine: a session graph that moves the clock, and inside it the desk's graph that makes one decision.

    advance -> desk -> advance -> ... -> end
    desk: open -> analysts -> audit -> (revise) -> portfolio manager -> pre-trade -> execute -> record

The same desk graph can be driven by anything that sets `session` and has a broker; only `advance` knows the simulator.
"""

from typing import Any

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from ..agents.roles import FUNDAMENTAL_ANALYST, TECHNICAL_ANALYST
from .context import DeskContext
from .desk_nodes import analyst_node, audit, execute, open_decision
from .market_nodes import advance, record
from .portfolio_nodes import manage_portfolio, pre_trade
from .state import DeskState

Graph = CompiledStateGraph[Any, DeskContext, Any, Any]

STEPS_PER_SESSION = 1_000_000
"""LangGraph's recursion limit: a session graph takes two steps per decision and ends by itself."""


def desk_graph() -> Graph:
    """One decision: from the close of a session to orders at the broker."""
    graph = StateGraph(DeskState, context_schema=DeskContext)
    graph.add_node("open", open_decision)
    graph.add_node("fundamental_analyst", analyst_node(FUNDAMENTAL_ANALYST))
    graph.add_node("technical_analyst", analyst_node(TECHNICAL_ANALYST))
    graph.add_node("audit", audit)
    graph.add_node("portfolio_manager", manage_portfolio)
    graph.add_node("pre_trade", pre_trade)
    graph.add_node("execute", execute)
    graph.add_node("record", record)
    graph.add_edge(START, "open")
    graph.add_edge("open", "fundamental_analyst")
    graph.add_edge("fundamental_analyst", "technical_analyst")
    graph.add_edge("technical_analyst", "audit")
    graph.add_edge("portfolio_manager", "pre_trade")
    graph.add_edge("execute", "record")
    graph.add_edge("record", END)
    return graph.compile(name="desk")


def session_graph() -> Graph:
    """A whole session: the market advances, the desk decides, until the market ends."""
    graph = StateGraph(DeskState, context_schema=DeskContext)
    graph.add_node("advance", advance)
    graph.add_node("desk", desk_graph())
    graph.add_edge(START, "advance")
    graph.add_edge("desk", "advance")
    return graph.compile(name="session")


def mermaid() -> str:
    """The session graph with the desk's graph inside, as a mermaid drawing."""
    # LangGraph escapes the colon of nested names as "\\3a", which not every renderer undoes.
    return session_graph().get_graph(xray=True).draw_mermaid().replace("\\3a", "_")
