"""What is worth finding in an event: the texts that full-text search looks through."""

from collections.abc import Iterator
from typing import Any

from ...tools.measures import MEASURES
from .events import Document

_COLUMNS = {"kind", "agent", "ticker", "stance", "verdict", "status", "session", "as_of", "client_order_id"}
_SILENT = frozenset(
    {
        "session_started",
        "decision_opened",
        "order_answered",
        "order_filled",
        "corporate_action",
        "bar_closed",
        "signal_resolved",
        "decision_closed",
        "session_ended",
    }
)
"""Kinds that hold figures and names, but nothing that was said."""


def texts_of(event: Document) -> Iterator[tuple[str, str]]:
    """The texts of an event as it is stored: (field, text). Of a kind unknown here, every text on its first level."""
    kind = event["kind"]
    if kind in _SILENT:
        return
    if kind == "tool_called":
        yield from ((f"evidence {item['id']}", evidence_text(item)) for item in event["evidence"])
    elif kind == "model_called":
        said = (str(answer.get("completion") or "") for answer in event["reply"]["answers"])
        yield from (("completion", text) for text in said if text)
    elif kind in ("audit_issued", "rule_verdict"):
        # a rule that passed has nothing to say: there are a dozen and a half of them to every order
        told = (one for one in event["report"].get("findings", []) if kind == "audit_issued" or one.get("message"))
        yield from (("finding", " ".join(_strings(finding))) for finding in told)
    else:
        named = ((name, value) for name, value in event.items() if name not in _COLUMNS)
        yield from ((name, value) for name, value in named if isinstance(value, str) and value)


def evidence_text(item: Document) -> str:
    """A piece of evidence in words: its label, its value as printed, its period; or the passage."""
    measure = MEASURES.get(item["measure"])
    label = measure.label if measure else item["measure"]
    if item["text"] is not None:
        return f"{label}: {item['text']}"
    return f"{label} {measure.show(item['value']) if measure else item['value']} {item['period']}"


def _strings(value: Any) -> Iterator[str]:
    inner = value.values() if isinstance(value, dict) else value
    for one in inner:
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict | list):
            yield from _strings(one)
