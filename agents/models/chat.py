"""A GGUF model as a plain LangChain chat model, for people who bring their own graph.

The desk's own agents do not use it: they score, which a chat interface cannot. Importing this module loads the native
library.
"""

import json
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable, RunnableLambda
from pydantic import BaseModel, ConfigDict

from .core import ModelInputError
from .llama_cpp import LlamaCpp
from .template import Turn

_SPEAKERS = {"system": "system", "human": "user", "ai": "assistant"}


class DeskChatModel(BaseChatModel):
    """Greedy chat over an open `LlamaCpp`; structured output is held to the schema while it is decoded.

    `with_structured_output(schema)` takes a pydantic model or a JSON schema; it must be bounded (see `schemas`).
    The model is not closed by this object: who opened it closes it.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    mind: LlamaCpp
    max_tokens: int = 256
    """Tokens of a free answer; a structured one takes what its schema needs."""

    @property
    def _llm_type(self) -> str:
        return "paperdesk-llama-cpp"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return self.mind.fingerprint.model_dump()

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        """One answer.

        Raises:
            ModelInputError: a message that is not plain text, or a schema without bounds.
            ModelError: the prompt does not fit the context, or llama.cpp failed.
        """
        schema: dict[str, Any] | None = kwargs.get("schema")
        turns = [_turn(message) for message in messages]
        if schema is None:
            text, tokens = self.mind.chat(turns, self.max_tokens)
        else:
            text, tokens = self.mind.chat_object(turns, schema)
        for mark in stop or ():
            text = text.partition(mark)[0]
        prompt = len(self.mind.prompt(turns))
        usage = {"input_tokens": prompt, "output_tokens": tokens, "total_tokens": prompt + tokens}
        message = AIMessage(content=text, usage_metadata=usage)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def get_num_tokens(self, text: str) -> int:
        """Tokens of a text, by the model's own vocabulary."""
        return self.mind.count_tokens(text)

    def with_structured_output(
        self, schema: dict[str, Any] | type[BaseModel], *, include_raw: bool = False, **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]:
        """A runnable that returns an object of the schema: an instance of a pydantic model, or a dict.

        Raises:
            ModelInputError: options that this model does not have.
        """
        if include_raw or kwargs:
            raise ModelInputError(
                "This chat model gives structured output by grammar only: drop include_raw and method."
            )
        wanted = schema if isinstance(schema, dict) else schema.model_json_schema()

        def parse(message: BaseMessage) -> Any:
            text = str(message.content)
            return json.loads(text) if isinstance(schema, dict) else schema.model_validate_json(text)

        return self.bind(schema=wanted) | RunnableLambda(parse)


def _turn(message: BaseMessage) -> Turn:
    if message.type not in _SPEAKERS or not isinstance(message.content, str):
        raise ModelInputError(
            f"This chat model takes plain text from system, human and ai, not a {message.type} message."
        )
    return Turn(_SPEAKERS[message.type], message.content)
