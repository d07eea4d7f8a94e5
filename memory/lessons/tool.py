"""The tool by which an analyst recalls lessons: part of a role's plan like those that read the market."""

from datetime import datetime

from langchain.tools import BaseTool
from pydantic import Field

from ...tools.evidence import Evidence
from ...tools.toolbox import Finder, OfCompany, tool_of
from .experience import Experience, Recalled

RECALL = "past_lessons"
"""The tool's name in a plan."""
LESSONS = 2
"""How many are recalled, unless more are asked for."""


class OfSituation(OfCompany):
    """A question to an analyst's own past."""

    situation: str = Field(max_length=1000, description="State of the market, and which evidence speaks for what")
    lessons: int = Field(default=LESSONS, ge=1, le=5, description="How many lessons at most")


def recall_tool(experience: Experience, agent: str, as_of: datetime) -> BaseTool:
    """The tool of one analyst at one time."""

    def past_lessons(ticker: str, situation: str, lessons: int = LESSONS) -> list[Evidence]:
        found = experience.recall(agent, situation, as_of, lessons)
        return [evidence_of(item, ticker, as_of) for item in found]

    told = "What this analyst said in like situations, and what followed."
    return tool_of(Finder(past_lessons, "no lesson known"), OfSituation, told, name=RECALL)


def evidence_of(recalled: Recalled, ticker: str, as_of: datetime) -> Evidence:
    """A lesson as evidence on the company that it is recalled for."""
    lesson = recalled.lesson
    return Evidence.of(
        id=f"{ticker}/lesson/{lesson.id}",
        kind="lesson",
        measure="lesson",
        ticker=ticker,
        as_of=as_of,
        available_at=lesson.available_at,
        period=lesson.told_on,
        text=lesson.text,
        unit="text",
        source=lesson.id,
    )
