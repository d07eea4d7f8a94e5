"""A JSON object that somebody has already written down: its text goes into hashes, and few ever look into it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema


class Written(Mapping[str, Any]):
    """A JSON object by its canonical text, read at the first look into it.

    Args:
        text: canonical JSON of an object.
        read: the object, where it is at hand.
    """

    __slots__ = ("_read", "text")

    def __init__(self, text: str, read: dict[str, Any] | None = None) -> None:
        self.text = text
        self._read = read

    @property
    def read(self) -> dict[str, Any]:
        """The object."""
        if self._read is None:
            self._read = json.loads(self.text)
        return self._read

    def __getitem__(self, key: str) -> Any:
        return self.read[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.read)

    def __len__(self) -> int:
        return len(self.read)

    def __eq__(self, other: object) -> bool:
        return self.read == (other.read if isinstance(other, Written) else other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self.read)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """A model holds it as it is, and dumps what it says."""
        dumped = core_schema.plain_serializer_function_ser_schema(lambda written: written.read)
        return core_schema.is_instance_schema(cls, serialization=dumped)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """An object."""
        return {"type": "object"}
