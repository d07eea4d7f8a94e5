"""What is taken out of documents before anything reads them: sentences that speak to a machine, or not of the issuer.

A document is read without them, to the letter as if they had never been written; so nothing that is computed from it,
passages and tone included, can depend on them. Where the headline is an instruction, or most of the text, the whole
document is set aside; a headline that only speaks to its reader is left out. Nothing is taken out in silence:
`SetAside` says what, and the auditor's reports repeat it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ..records import Company, Document
from .address import addresses_in
from .instructions import instructions_in
from .passages import Piece

if TYPE_CHECKING:
    from ..view import MarketView

SINCE_DAYS = 120
"""How far back a search looks unless it says otherwise."""
MOST = 0.5
"""Above this share of a body in such sentences, the whole document is set aside."""


@dataclass(frozen=True)
class SetAside:
    """What was taken out of one document."""

    document: str
    """Its id."""
    ticker: str
    published_at: datetime
    quotes: tuple[str, ...]
    """The sentences that were taken out."""
    whole: bool
    """Whether the document is not read at all."""


@dataclass(frozen=True)
class Screened:
    """Documents as they may be read."""

    documents: tuple[Document, ...]
    """In the order given, without what was taken out."""
    set_aside: tuple[SetAside, ...]
    """In the same order."""


def screen(documents: Sequence[Document], companies: Mapping[str, Company] | None = None) -> Screened:
    """Each document without the sentences that speak to a machine (`instructions`) or not of the issuer (`address`).

    What becomes of a document depends on nothing but its own text and who its company is.

    Args:
        documents: as published.
        companies: by ticker; a document about another one keeps the sentences that name it by its ticker.
    """
    kept, aside = [], []
    for document in documents:
        company = (companies or {}).get(document.ticker)
        who = (company.ticker, company.name) if company is not None else ("", "")
        headline, title = _read(document.headline, *who)
        body, quotes = _read(document.body, *who)
        if not title and not quotes:
            kept.append(document)
            continue
        whole = bool(instructions_in(document.headline)) or sum(map(len, quotes)) > MOST * len(document.body)
        aside.append(SetAside(document.id, document.ticker, document.published_at, (*title, *quotes), whole))
        if not whole:
            kept.append(replace(document, headline=headline, body=body))
    return Screened(tuple(kept), tuple(aside))


def _read(text: str, ticker: str, name: str) -> tuple[str, list[str]]:
    """A text as it may be read, and what was taken out of it: instructions first, for they may hide sentences."""
    told = instructions_in(text)
    rest = without(text, told)
    others = addresses_in(rest, ticker, name)
    return without(rest, others), [text[a:b] for a, b in told] + [rest[a:b] for a, b in others]


def without(text: str, pieces: Sequence[Piece]) -> str:
    """A text without some pieces of it, and without the space that each of them brought along."""
    for start, end in reversed(pieces):
        before, after = text[:start], text[end:]
        alone = (before == "" or before.endswith("\n")) and (after == "" or after.startswith("\n"))
        if alone:
            after = after[1:]
            if before.endswith("\n\n") and after.startswith("\n"):
                after = after[1:]  # it was a paragraph
            text = before + after if after else before[:-1]
        elif after == "" or after.startswith("\n"):
            text = before.rstrip(" \t") + after
        else:
            text = before + after.lstrip(" \t")
    return text


def set_aside(view: "MarketView", ticker: str, since_days: int = SINCE_DAYS) -> tuple[SetAside, ...]:
    """What was taken out of the documents about a company that a search at the view's time could have found.

    Raises:
        InputError: unknown ticker.
    """
    view._market.column(ticker)
    since = view.as_of - timedelta(days=since_days)
    known = view._market.set_aside_by_ticker.get(ticker, ())
    return tuple(item for item in known if since <= item.published_at <= view.as_of)
