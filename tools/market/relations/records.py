"""What the graph is made of: events at companies and relations between them, each with its source and its time."""

from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import AwareDatetime

from ...evidence import Span
from ...frozen import Frozen

EventKind = Literal[
    "guidance_raised",
    "guidance_cut",
    "guidance_reaffirmed",
    "guidance_changed",
    "earnings_beat",
    "earnings_miss",
    "results_published",
    "dividend",
    "dividend_raised",
    "dividend_cut",
    "buyback",
    "acquisition",
    "divestiture",
    "restructuring",
    "litigation",
    "settlement",
    "recall",
    "cyber_incident",
    "impairment",
    "bankruptcy",
    "delisting_notice",
    "auditor_change",
    "restatement",
    "control_change",
    "material_agreement",
    "agreement_ended",
    "officer_appointed",
    "officer_departed",
    "director_appointed",
    "director_departed",
    "management_item",
]
"""What can happen; docs/relations.md explains each."""

LinkKind = Literal["supplier", "customer", "partner", "competitor"]
"""What one company can be to another by a document or a relations file."""

PeerKind = Literal["industry_peer", "sector_peer"]
"""What one company is to another by the companies table."""

Basis = Literal["item", "sentence", "file"]
"""What something rests on: the numbered heading of an 8-K, a sentence of a document, a row of the relations file."""


class Event(Frozen):
    """Something that a document says has happened at a company."""

    kind: EventKind
    ticker: str
    available_at: AwareDatetime
    """When the document was published (UTC)."""
    document: str
    """Its id."""
    start: int
    """Of the sentence in the document's text, in characters."""
    end: int
    basis: Basis
    person: str = ""
    """Who came or went."""
    role: str = ""
    """As what."""

    @property
    def span(self) -> Span:
        """Where the sentence stands."""
        return Span(document=self.document, start=self.start, end=self.end)

    @property
    def id(self) -> str:
        """Stable and readable."""
        return f"{self.ticker}/event/{self.kind}/{self.document}:{self.start}"


class Link(Frozen):
    """`other` is the supplier (customer, partner, competitor) of `ticker`."""

    kind: LinkKind
    ticker: str
    other: str
    available_at: AwareDatetime
    """From when it is known (UTC)."""
    until: AwareDatetime | None = None
    """From when it no longer holds, where a relations file says so."""
    basis: Basis
    document: str = ""
    """Id; empty for a row of a relations file."""
    start: int = 0
    end: int = 0
    source: str = ""
    """Where a row of a relations file says that it is from."""

    @property
    def span(self) -> Span | None:
        """Where the sentence stands; None for a row of a relations file."""
        return Span(document=self.document, start=self.start, end=self.end) if self.document else None

    def seen_from_other(self) -> "Link":
        """The same link as the other company sees it."""
        return self.model_copy(update={"kind": INVERSE[self.kind], "ticker": self.other, "other": self.ticker})


class Holder(Frozen):
    """A person who a document says holds an office."""

    person: str
    role: str
    ticker: str
    available_at: AwareDatetime
    document: str
    start: int
    end: int

    @property
    def span(self) -> Span:
        """Where the sentence stands."""
        return Span(document=self.document, start=self.start, end=self.end)


class Found(NamedTuple):
    """Everything that a set of documents says, each part by time, document and place."""

    events: tuple[Event, ...]
    links: tuple[Link, ...]
    holders: tuple[Holder, ...]


INVERSE: dict[LinkKind, LinkKind] = {
    "supplier": "customer",
    "customer": "supplier",
    "partner": "partner",
    "competitor": "competitor",
}
"""What the one is to the other, the other way round."""


def by_time(item: Event | Link | Holder) -> tuple[datetime, str, int, str]:
    """The order of everything that was found."""
    return item.available_at, item.document, item.start, str(getattr(item, "kind", ""))
