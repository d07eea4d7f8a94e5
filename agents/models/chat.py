"""A GGUF model as a plain LangChain chat model, for people who bring their own graph.

The desk's own agents do not use it: they score, which a chat interface cannot. Importing this module loads the native
library.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableMap, RunnablePassthrough
from langchain_core.tools import BaseTool
from langchain_core.utils import from_env
from langchain_core.utils.function_calling import convert_to_json_schema, convert_to_openai_tool
from langchain_core.utils.pydantic import is_basemodel_subclass
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from .adapters import EVERYONE
from .bounding import STRING, bounded
from .chat_messages import is_result, turns_of
from .chat_options import CallOptions
from .chat_reply import ChatReply
from .chat_tools import Tool, asking, chosen_by
from .core import ModelInputError
from .llama_cpp import LlamaCpp
from .open import bundled_model
from .schemas import MAX_LENGTH, Schema, shape_of

_NOT_OURS = ("timeout", "max_retries", "api_key")
"""Settings that LangChain gives to any chat model and that mean nothing without a server."""
_OPTIONS = ("model", "temperature", "seed", "max_tokens", "max_string", "stop")
_opening = threading.Lock()
"""One model is opened at a time, so that none is opened twice."""


class DeskChatModel(BaseChatModel):
    """Chat over a GGUF model in this process.

    The model is opened at the first call; chat models with equal files, threads and context share one engine. It stays
    open until `close()`. A `mind` that was given is never closed here: who opened it closes it.

    Calls from several threads wait for each other. A stream holds nothing between two pieces, so it may be dropped at
    any time, and the model may be asked something else while it is read.

    Raises:
        ModelInputError: at the first call: there is no such model.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    model: str = Field(default_factory=from_env("PAPERDESK_MODEL", default="smollm2"))
    """`smollm2` or the path of a GGUF file; by default the environment's `PAPERDESK_MODEL`, else `smollm2`."""
    temperature: float = Field(default=0.0, ge=0, le=2)
    """0 takes the most probable token each time; more draws, and `seed` and prompt decide what."""
    seed: int = 0
    max_tokens: int = Field(default=256, ge=1)
    """Tokens of a free answer; a structured one and a tool call take what their schema needs."""
    max_string: int = Field(default=STRING, ge=1, le=MAX_LENGTH)
    """Characters of a string in an object or a tool call, where its schema allows more."""
    stop: list[str] | None = None
    """Texts that end a free answer and are not part of it."""
    threads: int = 2
    n_ctx: int = 4096
    """Tokens that a conversation and its answer may take together; at most what the model was trained with."""
    adapter: str | None = None
    """Path of a LoRA adapter in GGUF form."""
    streaming: bool | None = None
    """Whether `invoke` streams to its callbacks; by default where one of them asks for it."""
    mind: LlamaCpp | None = Field(default=None, exclude=True)
    """An open model, in place of `model`, `threads`, `n_ctx` and `adapter`."""
    _minds: dict[str, LlamaCpp] = PrivateAttr(default_factory=dict)
    """Opened here, by name."""

    @model_validator(mode="before")
    @classmethod
    def _settings(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        values = {key: value for key, value in values.items() if key not in _NOT_OURS}
        mind = values.get("mind")
        if isinstance(mind, LlamaCpp):
            own = {"model": str(mind.path), "n_ctx": mind.n_ctx, "threads": mind.threads}
            adapter = mind.adapters.get(EVERYONE)
            values = {**own, **({"adapter": str(adapter)} if adapter else {}), **values}
        return values

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """A chat model is its settings; a `mind` that was given is saved as the file it came from."""
        return True

    @property
    def lc_secrets(self) -> dict[str, str]:
        """None: there is no key."""
        return {}

    @property
    def _llm_type(self) -> str:
        return "paperdesk-llama-cpp"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in (*_OPTIONS, "threads", "n_ctx", "adapter")}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop or self.stop, **kwargs)
        params["ls_provider"] = "paperdesk"
        return params

    def close(self) -> None:
        """Give back the models that were opened here; the next call would open them again."""
        with _opening:
            minds = list(self._minds.values())
            self._minds.clear()
        for mind in minds:  # not under the lock: an answer that is being written may yet ask for it
            mind.close()

    def get_num_tokens(self, text: str) -> int:
        """Tokens of a text, by the model's own vocabulary."""
        return self._mind(self.model).count_tokens(text)

    def get_token_ids(self, text: str) -> list[int]:
        """The tokens of a text, by the model's own vocabulary; no text spells a control token."""
        return self._mind(self.model).tokenize(text)

    def get_num_tokens_from_messages(self, messages: list[BaseMessage], tools: Sequence[Any] | None = None) -> int:
        """Tokens of a conversation as it is laid out for the model, tools included."""
        turns = turns_of(messages)
        if tools:
            known = [Tool.of(convert_to_openai_tool(tool)) for tool in tools]
            turns = asking(turns, known, forced=False, answered=is_result(messages[-1]))
        return len(self._mind(self.model).prompt(turns))

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | dict[str, Any] | bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """The model with tools that it may call, one call per answer.

        Args:
            tools: in any form that LangChain knows.
            tool_choice: `any` or a tool's name to have a call for certain, `none` for words, else the model chooses:
                every tool and `none` are scored, and its habits divided out. A call equal to one that was made since
                the user spoke last is not made again; words follow.
            kwargs: options of the calls.

        Raises:
            ModelInputError: arguments that a model cannot be held to, or a choice of a tool that is not there.
        """
        described = [convert_to_openai_tool(tool) for tool in tools]
        chosen_by(tool_choice, [Tool.of(tool) for tool in described])
        return self.bind(tools=described, tool_choice=tool_choice, **kwargs)

    def with_structured_output(
        self,
        schema: dict[str, Any] | type,
        *,
        include_raw: bool = False,
        method: Literal["json_schema", "function_calling", "json_mode"] = "json_schema",
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """A runnable that returns an object of the schema: an instance of a pydantic class, else a dict.

        Args:
            schema: a pydantic class, a TypedDict or a JSON schema; what it leaves open is bounded (see `bounding`).
            include_raw: whether to return a dict of `raw`, `parsed` and `parsing_error`.
            method: all are held to the schema while they are decoded; `function_calling` answers by a tool call.
            strict: accepted; it always is.
            kwargs: options of the calls.

        Raises:
            ModelInputError: an unknown method, or a schema that a model cannot be held to.
        """
        if method == "function_calling":
            return super().with_structured_output(schema, include_raw=include_raw, **kwargs)
        if method not in ("json_schema", "json_mode"):
            raise ModelInputError(f"There is no method {method!r}: take json_schema, function_calling or json_mode.")
        plain = _json_schema(schema)
        shape_of(bounded(plain))
        llm = self.bind(
            response_format={"type": "json_schema", "json_schema": {"schema": plain}},
            ls_structured_output_format={"kwargs": {"method": method, "strict": strict}, "schema": schema},
            **kwargs,
        )
        parser: Runnable[Any, Any] = JsonOutputParser()
        if isinstance(schema, type) and is_basemodel_subclass(schema):
            parser = PydanticOutputParser(pydantic_object=schema)
        if not include_raw:
            return llm | parser
        parsed = RunnablePassthrough.assign(parsed=itemgetter("raw") | parser, parsing_error=lambda _: None)
        failed = RunnablePassthrough.assign(parsed=lambda _: None)
        return RunnableMap(raw=llm) | parsed.with_fallbacks([failed], exception_key="parsing_error")

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        """One answer: the same text as the stream's.

        Raises:
            ModelInputError: a message or an option that this model does not take.
            ModelError: the conversation does not fit the context, or llama.cpp failed.
        """
        with self._mind(kwargs.get("model", self.model)).alone():
            return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        """The answer as it is written; errors as in `_generate`."""
        options = CallOptions.of({name: getattr(self, name) for name in _OPTIONS}, stop, kwargs)
        for message in ChatReply(self._mind(options.model), messages, options).chunks():
            chunk = ChatGenerationChunk(message=message)
            if run_manager:
                run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk

    def _mind(self, name: str) -> LlamaCpp:
        if self.mind is not None and name == self.model:
            return self.mind
        with _opening:
            if name not in self._minds:
                if name != "smollm2" and not name.lower().endswith(".gguf"):
                    raise ModelInputError(f"There is no model {name!r}: give smollm2 or the path of a GGUF file.")
                path = bundled_model() if name == "smollm2" else Path(name).expanduser()
                adapter = Path(self.adapter).expanduser() if self.adapter else None
                self._minds[name] = LlamaCpp(path, threads=self.threads, n_ctx=self.n_ctx, adapter=adapter)
            return self._minds[name]


def _json_schema(schema: dict[str, Any] | type) -> Schema:
    """The JSON schema of what LangChain takes for one."""
    if isinstance(schema, dict) and schema.keys() & {"type", "properties", "$ref", "anyOf", "oneOf", "allOf"}:
        return schema
    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return schema.model_json_schema()
    return convert_to_json_schema(schema)
