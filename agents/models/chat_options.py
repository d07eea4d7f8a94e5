"""What one call of a chat model asks for: its own settings, with what the call gives in their place."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .core import ModelInputError
from .schemas import MAX_LENGTH, Schema


class CallOptions(BaseModel):
    """Options of a call, in the names that LangChain and OpenAI give them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    temperature: float = Field(ge=0, le=2)
    seed: int
    max_tokens: int = Field(ge=1)
    max_string: int = Field(ge=1, le=MAX_LENGTH)
    stop: tuple[str, ...] = ()
    tools: tuple[dict[str, Any], ...] = ()
    tool_choice: Any = None
    parallel_tool_calls: bool | None = None
    """One call is made at a time, whatever this says."""
    response_format: dict[str, Any] | None = None
    strict: bool | None = None
    """What is decoded under a grammar is always strict."""
    stream: bool | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Any], stop: Sequence[str] | None, given: Mapping[str, Any]) -> "CallOptions":
        """The settings of a model, with what a call gives in their place.

        Raises:
            ModelInputError: an option that is unknown or out of range.
        """
        wanted = {**settings, **({} if stop is None else {"stop": stop}), **given}
        try:
            options = cls.model_validate({**wanted, "stop": tuple(wanted.get("stop") or ())})
        except ValidationError as error:
            fault = error.errors()[0]
            raise ModelInputError(
                f"The option {'.'.join(map(str, fault['loc']))} of this chat model is not right: {fault['msg']}."
            ) from error
        if "" in options.stop:
            raise ModelInputError("An empty stop sequence would end every answer before it begins: leave it out.")
        return options

    @property
    def schema_wanted(self) -> Schema | None:
        """The schema of the object that is to be written; None for free text.

        Raises:
            ModelInputError: the response format is none of `text`, `json_object` and `json_schema`.
        """
        match self.response_format:
            case None | {"type": "text"}:
                return None
            case {"type": "json_object"}:
                return {"type": "object"}
            case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
                return schema
        raise ModelInputError(
            "The option response_format of this chat model is text, json_object or json_schema with a schema."
        )
