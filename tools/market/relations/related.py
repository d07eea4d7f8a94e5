"""Evidence from related companies: what has happened at suppliers, customers, partners, competitors and peers.

Stock prices are slow to take in news about economically linked companies (Cohen and Frazzini 2008), and results of one
company say something about its industry (Foster 1981). The sentence that a mind reads is written by code from the kind
of relation, the name, the kind of event and the date; no word of the other company's document is in it. The span opens
the document.
"""

from collections.abc import Sequence
from datetime import datetime

from ...evidence import Evidence
from ...measures import MEASURES
from ..view import MarketView
from .known import ORDER, Known, Tie
from .records import Event, EventKind
from .wording import related_words

SESSIONS = 21
"""How many sessions back to look, unless asked otherwise."""
MOST = 3
"""Events given at most, unless asked otherwise."""
TELLING: tuple[EventKind, ...] = (
    "bankruptcy",
    "restatement",
    "guidance_cut",
    "guidance_raised",
    "earnings_miss",
    "earnings_beat",
    "recall",
    "cyber_incident",
    "impairment",
    "delisting_notice",
    "restructuring",
    "dividend_cut",
    "guidance_changed",
    "control_change",
    "acquisition",
    "divestiture",
    "officer_departed",
    "settlement",
    "litigation",
    "auditor_change",
    "guidance_reaffirmed",
    "dividend_raised",
    "buyback",
)
"""Events that say something about others, the weightier first; routine ones are left out."""
GOOD: frozenset[EventKind] = frozenset({"guidance_raised", "earnings_beat"})
BAD: frozenset[EventKind] = frozenset({"guidance_cut", "earnings_miss"})


def related_events(view: MarketView, ticker: str, sessions: int = SESSIONS, most: int = MOST) -> list[Evidence]:
    """What has happened at companies related to one, and how good and bad outlooks balance among them.

    Args:
        view: what is known.
        ticker: a company.
        sessions: how far back to look.
        most: events at most; the nearer relation first, then the weightier event, then the newer one.

    Returns:
        Evidence of kind `event`: at most one `related_outlook`, (good - bad) / (good + bad + 1) over raised and
        lowered outlooks and stated beats and misses, competitors left out; then `related_event` texts whose span is the
        sentence in the other company's document.

    Raises:
        InputError: there is no such company.
    """
    known, since = Known(view), _since(view, sessions)
    happened: list[tuple[Tie, Event]] = []
    by_company: dict[str, list[Event]] = {}
    for event in known.events(since=since, kinds=TELLING):
        by_company.setdefault(event.ticker, []).append(event)
    for tie in known.nearest(ticker):
        happened += [(tie, event) for event in by_company.get(tie.other, ())]
    happened.sort(key=lambda row: (row[1].available_at, row[1].id), reverse=True)
    happened.sort(key=lambda row: (ORDER.index(row[0].kind), TELLING.index(row[1].kind)))
    balance = _balance(view, ticker, sessions, happened)
    return [*([balance] if balance else []), *(_evidence(view, tie, event) for tie, event in happened[:most])]


def _since(view: MarketView, sessions: int) -> datetime:
    """The close before the last so many sessions."""
    past = view.sessions[-(sessions + 1) :]
    return view.calendar.close_of(past[0])


def _balance(view: MarketView, ticker: str, sessions: int, happened: Sequence[tuple[Tie, Event]]) -> Evidence | None:
    counted = [event for tie, event in happened if tie.kind != "competitor" and event.kind in GOOD | BAD]
    if not counted:
        return None
    good = sum(event.kind in GOOD for event in counted)
    latest = max(counted, key=lambda event: (event.available_at, event.id))
    return Evidence.of(
        id=f"{ticker}/related_outlook/{view.session}",
        kind="event",
        measure="related_outlook",
        ticker=ticker,
        as_of=view.as_of,
        available_at=latest.available_at,
        period=f"{len(counted)} events in {sessions} sessions to {view.session}",
        value=(2 * good - len(counted)) / (len(counted) + 1),
        unit=MEASURES["related_outlook"].unit,
        source=latest.document,
        span=latest.span,
    )


def _evidence(view: MarketView, tie: Tie, event: Event) -> Evidence:
    return Evidence.of(
        id=f"{tie.ticker}/related_event/{event.kind}/{event.document}:{event.start}",
        kind="event",
        measure="related_event",
        ticker=tie.ticker,
        as_of=view.as_of,
        available_at=event.available_at,
        period=f"release of {event.available_at:%Y-%m-%d}",
        text=related_words(tie, view.company(tie.other).name, event),
        unit="text",
        source=event.document,
        span=event.span,
    )
