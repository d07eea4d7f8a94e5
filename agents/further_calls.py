"""Further tool calls: after its plan's evidence, a role's mind may ask for more, within what the role is permitted.

A call is an object under grammar: the tool is one of the role's list (`may`), the ticker one that it may look at, the
figure or topic one that it has not seen yet. So a call beyond the list cannot be written; `refusal` checks the same by
code, for calls that come from elsewhere. How many calls there are at most is the role's `extra_calls`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from ..tools.evidence import Evidence
from ..tools.frozen import Frozen
from ..tools.toolbox import FIGURES
from .analyst import Mind
from .evidence_text import evidence_block
from .models.core import Answer, Question, Request
from .roles import FURTHER_EVIDENCE, Role, prompt_of

NONE = "none"
"""The call that asks for nothing more."""

TOPICS = {
    "outlook": "guidance and outlook for the coming quarters",
    "demand": "orders, demand and backlog",
    "costs": "costs, prices and margins",
    "debt": "debt, liquidity and financing",
    "capital": "dividends, buybacks and acquisitions",
    "trouble": "lawsuits, investigations, recalls and losses",
}
"""What documents can be asked about, and the query that is made of it."""

DOCUMENTS = "document_search"


class Call(Frozen):
    """One call that a mind asks for."""

    tool: str
    ticker: str = ""
    measure: str = ""
    """Of a tool that answers with figures."""
    topic: str = ""
    """Of a search in documents."""

    @property
    def arguments(self) -> dict[str, object]:
        """What the tool is called with."""
        named = {"ticker": self.ticker, "measure": self.measure, "query": TOPICS.get(self.topic, self.topic)}
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True)
class Permission:
    """One tool that may be called now, and with what."""

    tool: str
    tickers: tuple[str, ...]
    measures: tuple[str, ...] = ()
    """Figures not seen yet; empty for a tool without figures to choose."""
    topics: tuple[str, ...] = ()

    def schema(self) -> dict[str, Any]:
        """The JSON schema of such a call."""
        lists = {"ticker": self.tickers, "measure": self.measures, "topic": self.topics}
        properties = {name: {"type": "string", "enum": list(values)} for name, values in lists.items() if values}
        return _object({"tool": {"type": "string", "const": self.tool}} | properties)

    def covers(self, call: Call) -> bool:
        """Whether a call is one of those that this permits."""
        return (
            call.tool == self.tool
            and call.ticker in self.tickers
            and call.measure in (self.measures or ("",))
            and call.topic in (self.topics or ("",))
        )


@dataclass(frozen=True)
class Situation:
    """What lies before a role on one ticker when it may ask for more."""

    ticker: str
    company: str
    evidence: tuple[Evidence, ...]
    asked: tuple[Call, ...] = ()
    """What it has asked for in this decision."""


def permissions(role: Role, at: Situation) -> tuple[Permission, ...]:
    """What a role may still call on a ticker: tools of its list, about this company, for what it has not seen."""
    seen = {item.measure for item in at.evidence} | {call.measure for call in at.asked}
    topics = tuple(topic for topic in TOPICS if topic not in {call.topic for call in at.asked})
    found = []
    for tool in role.may:
        tickers = (at.ticker,)
        if tool in FIGURES:
            measures = tuple(name for name in FIGURES[tool] if name not in seen)
            found += [Permission(tool, tickers, measures=measures)] if measures else []
        elif tool == DOCUMENTS:
            found += [Permission(tool, tickers, topics=topics)] if topics else []
        elif tool not in {*role.plan, *(call.tool for call in at.asked)}:
            found.append(Permission(tool, tickers))  # it answers but one thing
    return tuple(found)


def refusal(call: Call, permitted: Collection[Permission]) -> str:
    """Why a call is not made; empty for one that is permitted."""
    if any(permission.covers(call) for permission in permitted):
        return ""
    tools = ", ".join(permission.tool for permission in permitted) or "nothing"
    return f"refused: {call.tool} with {call.arguments} is not permitted; it may call {tools}"


def call_schema(permitted: Sequence[Permission]) -> dict[str, Any]:
    """The JSON schema of a call: one of those permitted, or none, which stands last."""
    nothing = _object({"tool": {"type": "string", "const": NONE}})
    return _object({"call": {"anyOf": [*(permission.schema() for permission in permitted), nothing]}})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def choose(role: Role, situations: Sequence[Situation], *, mind: Mind, seed: int) -> dict[str, Call]:
    """The call that a role's mind wants on each ticker; a ticker is absent where it wants none, or fails to answer.

    Args:
        role: who asks.
        situations: what lies before it, one per ticker; those without a permission are passed over.
        mind: who thinks.
        seed: of the request.
    """
    permitted = {at.ticker: permissions(role, at) for at in situations}
    asking = [at for at in situations if permitted[at.ticker]]
    if not asking:
        return {}
    prompt = prompt_of(FURTHER_EVIDENCE)
    request = Request.model_validate(
        {
            "role": role.name,
            "task": "call",
            "system": prompt.system.substitute(title=role.title.lower()),
            "prefix": prompt.prefix.template,
            "questions": tuple(
                Question(
                    ticker=at.ticker,
                    text=prompt.ask(
                        name=at.company,
                        ticker=at.ticker,
                        evidence=evidence_block(at.evidence),
                        choices="; ".join(_listed(permission) for permission in permitted[at.ticker]),
                    ),
                    evidence=at.evidence,
                )
                for at in asking
            ),
            "schema": tuple(call_schema(permitted[at.ticker]) for at in asking),
            "seed": seed,
        }
    )
    wanted = {answer.ticker: _wanted(answer) for answer in mind.answer(request).answers}
    return {ticker: call for ticker, call in wanted.items() if call is not None}


def _wanted(answer: Answer) -> Call | None:
    if answer.failure or answer.object is None or answer.object["call"]["tool"] == NONE:
        return None
    written = answer.object["call"]
    return Call(**{name: str(written.get(name, "")) for name in Call.model_fields})


def _listed(permission: Permission) -> str:
    what = permission.measures or permission.topics
    return f"{permission.tool} ({', '.join(what)})" if what else permission.tool
