"""How figures and names are written on a page."""

import json
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from markupsafe import Markup, escape

from ...agents.roles import title_of
from ...tools.measures import MEASURES

MINUS = "\N{MINUS SIGN}"
NONE = "\N{EN DASH}"
"""What stands where there is no figure."""
OPENING, CLOSING = "\x02", "\x03"
"""Marks around found words, which no text on a page can hold by itself."""

LONGEST = 150_000
"""Characters of a JSON value on a page."""

VERDICTS = {
    "pass": "passed",
    "revise": "sent back",
    "reject": "rejected",
    "approve": "approved",
    "clamp": "cut",
    "veto": "vetoed",
    "unanswered": "not answered",
}

KINDS = {
    "session_started": "Session started",
    "memory_carried": "Memory carried",
    "decision_opened": "Decision opened",
    "agent_weighed": "Analyst weighed",
    "tool_called": "Tool called",
    "model_called": "Mind asked",
    "signal_issued": "Signal",
    "audit_issued": "Audit",
    "proposal_made": "Proposal",
    "rule_verdict": "Rules",
    "order_submitted": "Order",
    "order_answered": "Broker's answer",
    "order_filled": "Fill",
    "order_ended": "Order ended",
    "order_forced": "Forced order",
    "margin_called": "Margin call",
    "corporate_action": "Corporate action",
    "bar_closed": "Close of a day",
    "signal_resolved": "Outcome",
    "decision_closed": "Decision closed",
    "desk_changed": "Set by a person from here on",
    "stance_set": "Stance set by a person",
    "point_made": "Point in the debate",
    "debate_closed": "Debate closed",
    "risk_read": "Risk officer",
    "approval_given": "Approval",
    "venue_checked": "Venue looked at",
    "order_sent": "Sent to the venue",
    "order_withheld": "Held back from the venue",
    "venue_reported": "The venue's report",
    "session_ended": "Session ended",
}


def kind_words(kind: str) -> str:
    """What a kind of event is called on a page; one that is not known here by its own name."""
    return KINDS.get(kind, kind.replace("_", " ").capitalize())


def percent(value: float | None, decimals: int = 1, *, sign: bool = False) -> str:
    """A fraction as per cent; a dash where there is none."""
    return NONE if value is None else _minus(f"{value * 100:{'+' if sign else ''}.{decimals}f}%")


def points(value: float | None) -> str:
    """A return per session in basis points."""
    return NONE if value is None else _minus(f"{value * 1e4:+.2f} bp")


def money(value: float | None, decimals: int = 0) -> str:
    """An amount with thousands apart."""
    return NONE if value is None else _minus(f"{value:,.{decimals}f}")


def number(value: float | None, decimals: int = 2) -> str:
    """A plain figure."""
    return NONE if value is None else _minus(f"{value:,.{decimals}f}")


def shares(value: float) -> str:
    """A quantity: whole shares without decimals."""
    return f"{value:,.6g}" if value < 1e6 else f"{value:,.0f}"


def day_words(day: date | datetime | str | None) -> str:
    """`31 May 2024`."""
    if day is None:
        return NONE
    when = date.fromisoformat(day[:10]) if isinstance(day, str) else day
    return f"{when.day} {when:%b} {when.year}"


def moment(when: datetime | str | None) -> str:
    """`2024-05-31 20:00 UTC`."""
    if when is None:
        return NONE
    at = datetime.fromisoformat(when) if isinstance(when, str) else when
    return f"{at:%Y-%m-%d %H:%M} UTC"


def seconds(value: float | None) -> str:
    """A length of time for people."""
    if value is None:
        return NONE
    if value < 10:
        return f"{value:.1f} s"
    return f"{value:.0f} s" if value < 120 else f"{value / 60:.0f} min"


def size(value: float | None) -> str:
    """A count, short: `12.3k`."""
    if value is None:
        return NONE
    return f"{value / 1e6:.1f}M" if value >= 1e6 else f"{value / 1e3:.1f}k" if value >= 1e4 else f"{value:,.0f}"


def stance_words(stance: str) -> str:
    """`strong buy`."""
    return stance.replace("_", " ")


def measure_words(item: dict[str, Any]) -> str:
    """What a piece of evidence measures."""
    measure = MEASURES.get(item["measure"])
    return measure.label if measure else str(item["measure"]).replace("_", " ")


def value_words(item: dict[str, Any]) -> str:
    """A piece of evidence's figure as rationales print it, or its text."""
    if item["value"] is None:
        return str(item["text"])
    measure = MEASURES.get(item["measure"])
    return _minus(measure.show(item["value"]) if measure else f"{item['value']:g}")


def snippet(text: str) -> Markup:
    """A found text with the words found marked."""
    return Markup(str(escape(text)).replace(OPENING, "<mark>").replace(CLOSING, "</mark>"))


def pretty(value: Any) -> Markup:
    """A JSON value over several lines, to stand between tags: quotes stay as they are, which halves its size."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}\n… and {len(text) - LONGEST:,} characters more, which `paperdesk show` prints."
    return Markup(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def part(text: str) -> str:
    """A text as one part of an address."""
    return quote(text, safe="~")


def _minus(text: str) -> str:
    return text.replace("-", MINUS)


FILTERS = {
    "percent": percent,
    "points": points,
    "money": money,
    "number": number,
    "shares": shares,
    "day": day_words,
    "moment": moment,
    "seconds": seconds,
    "size": size,
    "stance": stance_words,
    "measure": measure_words,
    "value": value_words,
    "snippet": snippet,
    "pretty": pretty,
    "part": part,
    "title_of": title_of,
    "kind": kind_words,
}
"""By the name that templates use."""
