"""The desk's tools as LangChain tools: typed arguments, text for a model, evidence as the artifact.

Every tool is bound to one `MarketView`, the only door to data: it cannot see past the view's `as_of`.
"""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Annotated

from langchain.tools import BaseTool
from langchain_core.tools import StructuredTool
from pydantic import BaseModel, ConfigDict, Field

from .evidence import Evidence
from .indicators import indicators
from .market.documents import search
from .market.fundamentals import ratios
from .market.view import MarketView
from .measures import MEASURES
from .regime import regime
from .sentiment.lexicon import latest_tone

Found = tuple[str, list[Evidence]]
"""What a tool answers: text for a model, evidence for the desk."""

Ticker = Annotated[str, Field(description="Ticker of a company on the desk's list")]


class Arguments(BaseModel):
    """Base of all tool arguments: unknown ones are refused."""

    model_config = ConfigDict(extra="forbid")


class NoArguments(Arguments):
    """A tool about the whole market."""


class OfCompany(Arguments):
    """A tool about one company."""

    ticker: Ticker


class OfHistory(OfCompany):
    """Past prices of one company."""

    sessions: int = Field(default=21, ge=1, le=2000, description="How many past sessions")
    end: date | None = Field(default=None, description="Last session wanted; today's if absent")


class OfDocuments(OfCompany):
    """A question to the documents of one company."""

    query: str = Field(default="quarterly results, guidance and outlook", max_length=300, description="What to look for")
    passages: int = Field(default=1, ge=1, le=5, description="How many passages at most")


def research_tools(view: MarketView) -> dict[str, BaseTool]:
    """The tools that read the market, by name, bound to a view."""

    def price_history(ticker: str, sessions: int = 21, end: date | None = None) -> tuple[str, list[Evidence]]:
        if end is not None:
            view.close(ticker, on=end)  # raises LookAheadError for a day that has not come
        frame = view.history(ticker)
        frame = frame[frame.index <= str(end)] if end is not None else frame
        lines = [f"{day:%Y-%m-%d} {row.close:.2f}" for day, row in frame.tail(sessions).iterrows()]
        return "\n".join(lines), []

    def price_indicators(ticker: str) -> Found:
        return _answer(indicators(view, ticker), "too short a price history")

    def filing_ratios(ticker: str) -> Found:
        return _answer(ratios(view, ticker), "no filings known")

    def release_tone(ticker: str) -> Found:
        tone = latest_tone(view, ticker)
        return _answer([tone] if tone else [], "no recent release")

    def document_search(
        ticker: str, query: str = "quarterly results, guidance and outlook", passages: int = 1
    ) -> Found:
        return _answer(search(view, ticker, query, k=passages), "no recent document")

    def market_regime() -> tuple[str, None]:
        found = regime(view)
        return (f"{found.name} with probability {found.probability:.2f}" if found else "too short a history"), None

    return {
        tool.name: tool
        for tool in (
            _tool(price_history, OfHistory, "Past closing prices of one company."),
            _tool(price_indicators, OfCompany, "Momentum, trend, volatility and volume figures of one company."),
            _tool(filing_ratios, OfCompany, "Growth, margins, leverage and yield from filings known today."),
            _tool(release_tone, OfCompany, "Tone of the latest press release by a finance lexicon."),
            _tool(document_search, OfDocuments, "Passages of press releases that answer a question."),
            _tool(market_regime, NoArguments, "State of the whole market: calm or turbulent."),
        )
    }


def call(tools: dict[str, BaseTool], name: str, **arguments: object) -> tuple[str, list[Evidence]]:
    """Calls a tool as a model's tool call would: its text and its evidence."""
    message = tools[name].invoke({"type": "tool_call", "id": name, "name": name, "args": arguments})
    return str(message.content), list(message.artifact or [])


def _tool(function: Callable[..., object], arguments: type[Arguments], description: str) -> StructuredTool:
    return StructuredTool.from_function(
        func=function,
        name=function.__name__,
        description=description,
        args_schema=arguments,
        response_format="content_and_artifact",
    )


def _answer(evidence: Sequence[Evidence], otherwise: str) -> Found:
    lines = []
    for item in evidence:
        measure = MEASURES[item.measure]
        lines.append(f"{measure.label}: {measure.show(item.value) if item.value is not None else item.text}")
    return "\n".join(lines) or otherwise, list(evidence)
