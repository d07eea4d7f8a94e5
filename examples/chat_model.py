"""The bundled model in a LangChain graph of your own: streaming, an object, and an agent with a tool.

Usage: python examples/chat_model.py
"""

import sys
from typing import Literal

from langchain.agents import create_agent
from langchain_core.tools import tool
from pydantic import BaseModel

from paperdesk.agents.models.chat import DeskChatModel

Ticker = Literal["ACME", "BOLT"]  # a small model is helped by all that is not left open


class View(BaseModel):
    """What to do with a share."""

    ticker: Ticker
    stance: Literal["buy", "hold", "sell"]


@tool
def last_close(ticker: Ticker) -> str:
    """The last closing price of a share."""
    return f"{ticker} closed at 101.25 dollars"


def main() -> None:
    """Three questions to SmolLM2; nothing leaves this machine."""
    model = DeskChatModel(model="smollm2", max_tokens=40)

    for chunk in model.stream("What is a share?", stop=["\n"]):
        sys.stdout.write(chunk.text)
    sys.stdout.write("\n")

    view = model.with_structured_output(View).invoke("ACME raised its forecast and its dividend. What now?")
    sys.stdout.write(f"{view!r}\n")

    agent = create_agent(model, [last_close])
    for message in agent.invoke({"messages": [("user", "What did ACME close at?")]})["messages"]:
        calls = "".join(f"{call['name']} {call['args']}" for call in getattr(message, "tool_calls", []))
        sys.stdout.write(f"{message.type}: {message.text}{calls}\n")

    model.close()


if __name__ == "__main__":
    main()
