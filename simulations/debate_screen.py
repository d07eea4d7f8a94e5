"""How debates and readings of risk look: in `show` line by line, on the console in one line per speaker."""

from collections.abc import Iterator, Mapping, Sequence

from ..agents.evidence_text import shown
from ..agents.roles import title_of
from ..memory.journal.events import DebateClosed, PointMade, RiskRead
from ..tools.evidence import Evidence

TOLD_FROM = 0.005
"""Part of a confidence from which it is told that a debate took it."""


def point(event: PointMade, evidence: Mapping[str, Evidence], detailed: bool) -> Iterator[tuple[str, str]]:
    """The lines of one point in a transcript, with their styles."""
    who = f"  {title_of(event.agent)} on {event.ticker} (round {event.round})"
    if event.how == "silent":
        if detailed:
            yield f"{who}: silent, {event.rationale}", "dim"
        return
    if event.stands or detailed:
        yield f"{who}: {event.rationale}{'' if event.stands else '  [struck]'}", "" if event.stands else "yellow"
    yield from ((f"        {f['rule']} ({f['severity']}): {f['message']}", "yellow") for f in event.findings)
    cited = evidence.get(event.point["evidence"])
    if detailed and cited is not None:
        known = f"known {cited.available_at:%Y-%m-%d %H:%M} UTC"
        yield f"      answers {event.answers}", "dim"
        yield f"      {cited.id}: {cited.period}; {known}; {cited.source}", "dim"


def closed(event: DebateClosed, detailed: bool) -> Iterator[tuple[str, str]]:
    """The lines of the end of a debate in a transcript, with their styles."""
    lowered = _lowered(event.factors)
    if not lowered and not detailed:
        return
    yield f"  Debate on {event.ticker}: {', '.join(lowered) or 'no confidence changes'}", "magenta"
    if detailed:
        for name, part in event.outcome["lost"].items():
            if part >= TOLD_FROM:
                yield f"      {name} lost {part:.0%}", "dim"
        for name, strength in event.outcome["strengths"].items():
            yield f"      {name} ended with strength {strength:.2f}", "dim"


def risk(event: RiskRead, detailed: bool) -> Iterator[tuple[str, str]]:
    """The lines of a risk officer's reading, with their styles."""
    yield f"  {title_of(event.agent)}: {event.rationale}", "magenta" if event.reading == "accept" else "yellow"
    if detailed:
        yield from ((f"      {item.id}  {shown(item)}", "dim") for item in event.evidence)


def in_short(points: Sequence[PointMade]) -> str:
    """What one debater said in one round, in one line."""
    said = [
        f"{one.ticker} {one.how} {one.answers.split('/')[1].replace('_', ' ')}{'' if one.stands else ' (struck)'}"
        for one in points
        if one.how != "silent"
    ]
    return ", ".join(said) or "silent"


def outcome_in_short(events: Sequence[DebateClosed]) -> str:
    """What all debates of a decision came to, in one line."""
    told = [f"{event.ticker} {', '.join(lowered)}" for event in events if (lowered := _lowered(event.factors))]
    return "; ".join(told) or "no confidence changes"


def _lowered(factors: Mapping[str, float]) -> list[str]:
    return [f"{title_of(agent).lower()} x {factor:.2f}" for agent, factor in factors.items() if factor <= 1 - TOLD_FROM]
