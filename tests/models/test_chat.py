from typing import Literal

import pytest
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from pydantic import BaseModel, Field

from paperdesk.agents.models.chat import DeskChatModel
from paperdesk.agents.models.core import ModelError, ModelInputError
from paperdesk.agents.models.llama_cpp import LlamaCpp


class View(BaseModel):
    stance: Literal["buy", "hold", "sell"]
    tags: list[Literal["growth", "value"]] = Field(max_length=2)


def test_a_chat_model_answers_in_text_and_counts_tokens(mind: LlamaCpp) -> None:
    chat = DeskChatModel(mind=mind, max_tokens=6)
    message = chat.invoke([SystemMessage("Be brief."), HumanMessage("What is two plus two?")])
    assert isinstance(message.content, str)
    assert message.content
    assert message.usage_metadata is not None
    assert message.usage_metadata["output_tokens"] <= 6
    assert chat.get_num_tokens("one two") == mind.count_tokens("one two")


def test_structured_output_is_an_instance_of_the_model(mind: LlamaCpp) -> None:
    found = DeskChatModel(mind=mind).with_structured_output(View).invoke("Snow is cold. What now?")
    assert isinstance(found, View)


def test_structured_output_without_bounds_is_refused(mind: LlamaCpp) -> None:
    class Essay(BaseModel):
        text: str

    with pytest.raises(ModelInputError, match="`text` is a string without"):
        DeskChatModel(mind=mind).with_structured_output(Essay).invoke("Write.")


def test_what_a_chat_model_cannot_take_is_refused(mind: LlamaCpp) -> None:
    chat = DeskChatModel(mind=mind)
    with pytest.raises(ModelInputError, match="not a tool message"):
        chat.invoke([ToolMessage("x", tool_call_id="1")])
    with pytest.raises(ModelError, match="shorten it"):
        chat.invoke("word " * 3000)
