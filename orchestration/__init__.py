"""The LangGraph state machine: state, nodes, graph."""
