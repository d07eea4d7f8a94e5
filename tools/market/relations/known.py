"""The graph as it was known at a time: who is related to whom, who holds office, and what has happened where."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from ..view import MarketView
from .records import Event, EventKind, Holder, Link, LinkKind, PeerKind

LINK_DAYS = 730
"""A link counts so many days after the last sentence that states it."""
TieKind = LinkKind | PeerKind
ORDER: tuple[TieKind, ...] = ("customer", "supplier", "partner", "competitor", "industry_peer", "sector_peer")
"""The nearer relation first."""


_ONE_SEAT = re.compile(r"(?<!co-)(?<!Co-)(?:\b[Cc]hief ([Ee]xecutive|[Ff]inancial|[Oo]perating)\b|\bC([EFO])O\b)")


class Tie(NamedTuple):
    """What another company is to one, at a time."""

    ticker: str
    kind: TieKind
    other: str
    link: Link | None
    """What it rests on last; None for peers, which the companies table says."""
    statements: int
    """How many sentences or rows state it."""


class Office(NamedTuple):
    """A person in office, at a time."""

    ticker: str
    person: str
    role: str
    last: Holder | Event
    """What it rests on last."""


class Known:
    """The graph at a view's time.

    Args:
        view: nothing that became known later is read.
    """

    def __init__(self, view: MarketView) -> None:
        self._view = view
        self._market = view._market

    def events(
        self, ticker: str | None = None, since: datetime | None = None, kinds: Iterable[EventKind] | None = None
    ) -> tuple[Event, ...]:
        """Events, oldest first.

        Args:
            ticker: only those at this company.
            since: only those known at or after this time (aware).
            kinds: only these.

        Raises:
            InputError: there is no such company.
        """
        if ticker is not None:
            self._view.company(ticker)
        wanted = frozenset(kinds) if kinds is not None else None
        return tuple(
            event
            for event in self._market.found.events
            if event.available_at <= self._view.as_of
            and (ticker is None or event.ticker == ticker)
            and (since is None or event.available_at >= since)
            and (wanted is None or event.kind in wanted)
        )

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """Links that hold, as stated, oldest first."""
        now, oldest = self._view.as_of, self._view.as_of - timedelta(days=LINK_DAYS)
        return tuple(
            link if link.until is None else link.model_copy(update={"until": None})  # its end is not known yet
            for link in self._market.links
            if link.available_at <= now
            and (link.until is None or link.until > now)
            and (link.basis == "file" or link.available_at >= oldest)
        )

    @cached_property
    def _by_ticker(self) -> dict[str, tuple[Tie, ...]]:
        grouped: dict[tuple[str, LinkKind, str], list[Link]] = {}
        for link in self.links:
            for side in (link, link.seen_from_other()):
                grouped.setdefault((side.ticker, side.kind, side.other), []).append(side)
        ties: dict[str, list[Tie]] = {}
        for (ticker, kind, other), sides in sorted(
            grouped.items(), key=lambda item: (ORDER.index(item[0][1]), item[0])
        ):
            ties.setdefault(ticker, []).append(Tie(ticker, kind, other, sides[-1], len(sides)))
        return {ticker: tuple(rows) for ticker, rows in ties.items()}

    def ties(self, ticker: str, *, peers: bool = True) -> tuple[Tie, ...]:
        """What other companies are to one, the nearer relation first; a company may be more than one thing.

        Args:
            ticker: the company.
            peers: with the companies of its industry and its sector.

        Raises:
            InputError: there is no such company.
        """
        self._view.company(ticker)
        return (*self._by_ticker.get(ticker, ()), *(self._peers(ticker) if peers else ()))

    def nearest(self, ticker: str) -> tuple[Tie, ...]:
        """Each related company once, as the nearest that it is.

        Raises:
            InputError: there is no such company.
        """
        found: dict[str, Tie] = {}
        for tie in self.ties(ticker):
            found.setdefault(tie.other, tie)
        return tuple(found.values())

    def offices(self, ticker: str) -> tuple[Office, ...]:
        """Who holds an office, by what was said last; whoever has announced to leave is left out.

        Raises:
            InputError: there is no such company.
        """
        self._view.company(ticker)
        now = self._view.as_of
        said: list[Holder | Event] = [
            *(row for row in self._market.found.holders if row.ticker == ticker and row.available_at <= now),
            *(event for event in self.events(ticker) if event.person),
        ]
        people: dict[str, Office] = {}
        for row in sorted(said, key=lambda row: (row.available_at, row.document, row.start)):
            surname, seat = row.person.split()[-1], _seat(row.role)
            if isinstance(row, Event) and row.kind.endswith("_departed"):
                people.pop(surname, None)
                continue
            people = {name: office for name, office in people.items() if not seat or _seat(office.role) != seat}
            people[surname] = Office(ticker, row.person, row.role, row)
        return tuple(people.values())

    def _peers(self, ticker: str) -> tuple[Tie, ...]:
        own = self._view.company(ticker)
        kinds: list[tuple[PeerKind, str]] = []
        for other in self._view.tickers:
            company = self._view.company(other)
            if other == ticker:
                continue
            if own.industry and company.industry == own.industry:
                kinds.append(("industry_peer", other))
            elif own.sector and company.sector == own.sector:
                kinds.append(("sector_peer", other))
        return tuple(Tie(ticker, kind, other, None, 1) for kind, other in sorted(kinds))


def _seat(role: str) -> str:
    """An office that only one person holds at a time; empty for others."""
    match = _ONE_SEAT.search(role)
    return next((group[0].upper() for group in match.groups() if group), "") if match else ""
