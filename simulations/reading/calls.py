"""Prompts and raw completions: the requests that minds were asked, question by question."""

from dataclasses import dataclass
from typing import Any

from ...memory.journal import Journal
from ...memory.journal.rows import Row, rows


@dataclass(frozen=True)
class Asked:
    """One question of a request and its answer."""

    ticker: str
    text: str
    """The question as the mind read it, after the shared beginning."""
    evidence: list[dict[str, Any]]
    """In the order of the aliases E1..En."""
    probabilities: dict[str, float]
    """Over the options, corrected by the answer to a question without content."""
    raw: dict[str, float]
    completion: str
    """As generated, to the letter; empty where nothing was generated."""
    object: dict[str, Any] | None
    """What the completion says, parsed under its schema."""
    failure: dict[str, Any] | None


@dataclass(frozen=True)
class Call:
    """One request to a mind and its reply."""

    row: Row
    agent: str
    task: str
    system: str
    prefix: str
    options: tuple[str, ...]
    asked: list[Asked]
    prompt_tokens: int
    generated_tokens: int


def calls_of(journal: Journal, decision: int, ticker: str | None = None) -> list[Call]:
    """The requests of a decision, in order.

    Args:
        journal: where.
        decision: from 0.
        ticker: only requests in which this one was asked about, and only that question of them.
    """
    calls = [call_of(row, ticker) for row in rows(journal, ("model_called",), decision=decision)]
    return [call for call in calls if call.asked]


def call_of(row: Row, ticker: str | None = None) -> Call:
    """The request that a `model_called` tells of."""
    request, reply = row.document["request"], row.document["reply"]
    pairs = zip(request["questions"], reply["answers"], strict=True)
    usage = reply.get("usage", {})
    return Call(
        row=row,
        agent=row.document["agent"],
        task=row.document["task"],
        system=request.get("system", ""),
        prefix=request.get("prefix", ""),
        options=tuple(request.get("options", ())),
        asked=[_asked(question, answer) for question, answer in pairs if ticker in (None, question["ticker"])],
        prompt_tokens=usage.get("prompt_tokens", 0),
        generated_tokens=usage.get("generated_tokens", 0),
    )


def untold(row: Row) -> dict[str, Any]:
    """A `model_called` without the texts that its `Call` tells: prompts and completions."""
    request, reply = row.document["request"], row.document["reply"]
    return row.document | {
        "request": _without(request, "system", "prefix")
        | {"questions": [_without(one, "text") for one in request["questions"]]},
        "reply": reply | {"answers": [_without(one, "completion") for one in reply["answers"]]},
    }


def _without(value: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: kept for name, kept in value.items() if name not in names}


def _asked(question: dict[str, Any], answer: dict[str, Any]) -> Asked:
    return Asked(
        ticker=question["ticker"],
        text=question["text"],
        evidence=list(question.get("evidence", ())),
        probabilities=answer.get("probabilities", {}),
        raw=answer.get("raw", {}),
        completion=answer.get("completion", ""),
        object=answer.get("object"),
        failure=answer.get("failure"),
    )
