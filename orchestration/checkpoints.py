"""Where the graph waits for a person: a checkpoint in memory, for as long as the process lives.

A checkpoint holds the state of one decision, no more. It is never the record: a session that was stopped while it
waited is executed again from its start and asks again. What is read back are the types of the state and nothing else;
whatever other name a stored row may hold is not called.
"""

import zlib
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


class PackedSerializer(JsonPlusSerializer):
    """LangGraph's serializer, and what it has written packed: the state of a large desk repeats itself six times over.

    What is read is unpacked first and then as strictly limited as before.
    """

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Kind and bytes of a value."""
        kind, written = super().dumps_typed(obj)
        return kind + PACKED, zlib.compress(written, 1)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """The value of what `dumps_typed`, or LangGraph's own serializer, has written."""
        kind, written = data
        if kind.endswith(PACKED):
            kind, written = kind.removesuffix(PACKED), zlib.decompress(written)
        return super().loads_typed((kind, written))


PACKED = "+zlib"
"""What a packed kind ends with."""


def serializer() -> PackedSerializer:
    """LangGraph's msgpack serializer, strict whatever the environment says: it builds the types of the state only."""
    return PackedSerializer(allowed_msgpack_modules=STATE_TYPES)


def saver() -> InMemorySaver:
    """A place for the checkpoints of one graph."""
    return InMemorySaver(serde=serializer())
