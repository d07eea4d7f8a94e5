"""The LangGraph state machine: state, nodes, graph."""

import os

# LangGraph reads this once, when it is imported: a checkpoint then calls nothing that it names, but for known types.
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")
