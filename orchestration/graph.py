"""The state machine: a session graph that moves the clock, and inside it the desk's graph that makes one decision.

    advance -> desk -> advance -> ... -> end
    desk: open -> analysts -> audit -> (revise) -> [debate] -> portfolio manager -> [risk officer] -> pre-trade
          -> (approve) -> execute -> record

Analysts and debaters are those of the roster, one node each, in its order; all of a kind are one function.
The same desk graph can be driven by anything that sets `session` and has a broker; only `advance` knows the simulator.
"""

from functools import partial
from itertools import pairwise
from typing import Any

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from ..agents.rosters import Roster, roster
from .approval import approve
from .context import DeskContext
from .debate_nodes import debater_node, moderator_node
from .desk_nodes import analyst_node, audit, execute, open_decision
from .market_nodes import advance, record
from .portfolio_nodes import manage_portfolio, pre_trade
from .risk_nodes import risk_officer_node
from .state import DeskState

Graph = CompiledStateGraph[Any, DeskContext, Any, Any]

STEPS_PER_SESSION = 1_000_000
"""LangGraph's recursion limit: a session graph takes two steps per decision and ends by itself."""


def desk_of(seated: Roster) -> Graph:
    """One decision of a desk: from the close of a session to orders at the broker."""
    names = [role.name for role in seated.analysts]
    debaters = [debater.name for debater in seated.debaters]
    graph = StateGraph(DeskState, context_schema=DeskContext)
    graph.add_node("open", open_decision)
    for role in seated.analysts:
        graph.add_node(role.name, analyst_node(role))
    then = "moderator" if debaters else "portfolio_manager"
    graph.add_node("audit", partial(audit, then=then), destinations=(names[0], then))
    if debaters:
        graph.add_node("moderator", moderator_node(seated.debaters), destinations=(debaters[0], "portfolio_manager"))
    for debater in seated.debaters:
        graph.add_node(debater.name, debater_node(debater))
    graph.add_node("portfolio_manager", manage_portfolio)
    graph.add_node("pre_trade", pre_trade)
    graph.add_node("approve", approve)
    graph.add_node("execute", execute)
    graph.add_node("record", record)
    graph.add_edge(START, "open")
    for first, then in pairwise(("open", *names, "audit")):
        graph.add_edge(first, then)
    for first, then in pairwise((*debaters, *(["moderator"] if debaters else []))):
        graph.add_edge(first, then)
    if officer := seated.risk_officer:
        graph.add_node(officer.name, risk_officer_node(officer), destinations=("portfolio_manager", "pre_trade"))
    graph.add_edge("portfolio_manager", officer.name if officer else "pre_trade")
    graph.add_edge("approve", "execute")
    graph.add_edge("execute", "record")
    graph.add_edge("record", END)
    return graph.compile(name="desk")


def session_of(seated: Roster, checkpointer: BaseCheckpointSaver[Any] | None = None) -> Graph:
    """A whole session: the market advances, the desk decides, until the market ends.

    A graph that may wait for a person needs a checkpointer (`checkpoints.saver`).
    """
    graph = StateGraph(DeskState, context_schema=DeskContext)
    graph.add_node("advance", advance)
    graph.add_node("desk", desk_of(seated))
    graph.add_edge(START, "advance")
    graph.add_edge("desk", "advance")
    return graph.compile(name="session", checkpointer=checkpointer)


def desk_graph() -> Graph:
    """The desk that sits where none is asked for; `langgraph.json` names it."""
    return desk_of(roster())


def session_graph() -> Graph:
    """The session of that desk; `langgraph.json` names it."""
    return session_of(roster())


def mermaid(seated: Roster | None = None) -> str:
    """The session graph with the desk's graph inside, as a mermaid drawing; of the desk `classic` if none is given."""
    # LangGraph escapes the colon of nested names as "\\3a", which not every renderer undoes.
    return session_of(seated or roster()).get_graph(xray=True).draw_mermaid().replace("\\3a", "_")
