"""One answer of the chat model: what is asked of the mind, in which order, and the chunks that come of it."""

import json
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk

from .bounding import bounded
from .chat_messages import answered_calls, call_text, is_result, told, turns_of, without_content
from .chat_options import CallOptions
from .chat_tools import NONE, Tool, asking, brief, call_id, chosen_by, with_system
from .core import ModelError
from .distribution import best, calibrate
from .grammar import Grammar
from .llama_cpp import LlamaCpp
from .llama_cpp.conversation import Piece, Talk
from .schemas import Schema, shape_of
from .template import Turn


class ContextTooSmallError(ModelError, ContextOverflowError):
    """The conversation does not fit the model's context; both PaperDesk and LangChain know this error."""


@dataclass
class ChatReply:
    """The answer to a conversation. `chunks` may be dropped at any time."""

    mind: LlamaCpp
    messages: Sequence[BaseMessage]
    options: CallOptions

    def chunks(self) -> Iterator[AIMessageChunk]:
        """Message chunks; the last one has the usage, the model's name and why the answer ended.

        Raises:
            ModelInputError: a message, tool or schema that cannot be taken.
            ModelError: the conversation does not fit the context, or llama.cpp failed.
        """
        options = self.options
        schema = options.schema_wanted
        tools, forced = chosen_by(options.tool_choice, [Tool.of(tool, options.max_string) for tool in options.tools])
        tool = self._choice(tools, forced) if tools else None
        if tool is not None:
            called = yield from self._call(tool, tools, forced)
            if called:
                return
        if schema is not None:
            yield from self._object(schema)
        else:
            talk = self._talk(told(self.messages))
            yield from self._words(talk, talk.words(options.max_tokens, options.stop))

    def _talk(self, turns: Sequence[Turn]) -> Talk:
        talk = self.mind.talk(turns, temperature=self.options.temperature, seed=self.options.seed)
        if talk.room < 1:
            raise ContextTooSmallError(
                f"The conversation has {talk.prompt_tokens} tokens and the context holds {self.mind.n_ctx}: shorten it."
            )
        return talk

    def _choice(self, tools: Sequence[Tool], forced: bool) -> Tool | None:
        """The tool that fits best; None where words do."""
        if forced and len(tools) == 1:
            return tools[0]
        options = [*([] if forced else [NONE]), *(tool.name for tool in tools)]
        paths = [(*self.mind.tokenize(option), *self.mind.tokenize("\n")) for option in options]
        scores = []
        for messages in (without_content(self.messages), self.messages):
            talk = self._talk(self._asked(messages, tools, forced))
            if talk.room < sum(map(len, paths)):
                raise ContextTooSmallError(
                    f"The conversation has {talk.prompt_tokens} tokens with its tools, and the context of "
                    f"{self.mind.n_ctx} has no room for their names: shorten it."
                )
            scores.append(dict(zip(options, talk.score(paths), strict=True)))
        name = best(calibrate(scores[1], scores[0]))
        return next((tool for tool in tools if tool.name == name), None)

    def _asked(self, messages: Sequence[BaseMessage], tools: Sequence[Tool], forced: bool) -> list[Turn]:
        return asking(turns_of(messages), tools, forced=forced, answered=is_result(messages[-1]))

    def _call(self, tool: Tool, tools: Sequence[Tool], forced: bool) -> Generator[AIMessageChunk, None, bool]:
        """The chunks of a call; returns False, without any, where the very call was made since the user spoke last."""
        talk = self._talk(self._asked(self.messages, tools, forced))
        identity = call_id(talk.tokens, tool.name)
        talk.say(f"{tool.name}\n")
        pieces: Iterator[Piece] = talk.text_of(Grammar.of(tool.shape, wide=True))
        made = set() if forced else answered_calls(self.messages)
        if made:
            written = list(pieces)
            if call_text(tool.name, json.loads("".join(piece.text for piece in written))) in made:
                return False
            pieces = iter(written)
        name: str | None = tool.name
        key: str | None = identity
        tokens = 0
        for piece in pieces:
            tokens += piece.tokens
            if piece.text or name:
                part = tool_call_chunk(name=name, args=piece.text, id=key, index=0)
                yield AIMessageChunk(content="", tool_call_chunks=[part])
                name = key = None
        yield self._last(talk, tokens, "tool_calls")
        return True

    def _object(self, schema: Schema) -> Iterator[AIMessageChunk]:
        """The chunks of a JSON object."""
        limited = bounded(schema, self.options.max_string)
        talk = self._talk(with_system(told(self.messages), f"Answer with a JSON object: {brief(limited)}."))
        yield from self._words(talk, talk.text_of(Grammar.of(shape_of(limited), wide=True)))

    def _words(self, talk: Talk, pieces: Iterator[Piece]) -> Iterator[AIMessageChunk]:
        """The chunks of a text."""
        tokens = 0
        finish = ""
        for piece in pieces:
            tokens += piece.tokens
            finish = piece.finish or finish
            if piece.text:
                yield AIMessageChunk(content=piece.text)
        yield self._last(talk, tokens, finish)

    def _last(self, talk: Talk, tokens: int, finish: str) -> AIMessageChunk:
        read = talk.prompt_tokens
        return AIMessageChunk(
            content="",
            usage_metadata={"input_tokens": read, "output_tokens": tokens, "total_tokens": read + tokens},
            response_metadata={"model_name": self.options.model, "finish_reason": finish},
            chunk_position="last",
        )
