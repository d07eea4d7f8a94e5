"""Where the graph waits for a person: a checkpoint in memory, for as long as the process lives.

A checkpoint holds the state of one decision, no more. It is never the record: a session that was stopped while it
waited is executed again from its start and asks again. What is read back are the types of the state and nothing else;
whatever other name a stored row may hold is not called.
"""

from dataclasses import is_dataclass
from typing import Any, get_args, get_type_hints, is_typeddict

from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from pydantic import BaseModel

from .state import DeskState


def types_in(hint: Any, seen: frozenset[Any] = frozenset()) -> frozenset[type]:
    """The classes of ours that a value with this type hint can be made of."""
    if hint in seen:
        return frozenset()
    seen |= {hint}
    own = isinstance(hint, type) and (issubclass(hint, BaseModel) or is_dataclass(hint))
    inner = get_type_hints(hint).values() if own or is_typeddict(hint) else get_args(hint)
    found = frozenset({hint} if own else ())
    return found.union(*(types_in(part, seen) for part in inner))


STATE_TYPES = tuple(sorted(types_in(DeskState), key=lambda kind: (kind.__module__, kind.__qualname__)))
"""What `DeskState` is made of."""


def serializer() -> JsonPlusSerializer:
    """LangGraph's msgpack serializer, strict whatever the environment says: it builds the types of the state only."""
    return JsonPlusSerializer(allowed_msgpack_modules=STATE_TYPES)


def saver() -> InMemorySaver:
    """A place for the checkpoints of one graph."""
    return InMemorySaver(serde=serializer())
