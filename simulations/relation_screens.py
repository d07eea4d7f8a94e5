"""What `paperdesk markets relations` and `events` print: each thing with its sentence and its place."""

import sys
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import get_args

from pydantic import AwareDatetime
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ..tools.errors import InputError
from ..tools.evidence import Span
from ..tools.frozen import Frozen
from ..tools.market.documents.search import index_of
from ..tools.market.relations.export import graphml, mermaid, to_networkx
from ..tools.market.relations.known import Known, Office, Tie
from ..tools.market.relations.records import Event, EventKind
from ..tools.market.relations.wording import TIES, event_words
from ..tools.market.view import Market, MarketView
from .pages import print_json, print_tables

PEERS_SHOWN = 8
"""Peers of one kind that are named before the rest is counted."""
EVENTS_SHOWN = 40
"""Events printed unless a start is given."""

SENTENCE_SHOWN = 150
"""Characters of a sentence that a terminal shows; files, pipes and JSON get all of it."""


class RelationRow(Frozen):
    """One relation, with what it rests on."""

    ticker: str
    kind: str
    other: str
    """Ticker of the other company, or the name of a person."""
    role: str = ""
    available_at: AwareDatetime | None
    """None for peers, which the companies table says."""
    basis: str
    statements: int = 1
    document: str = ""
    start: int = 0
    end: int = 0
    sentence: str = ""
    source: str = ""


class EventRow(Frozen):
    """One event, with its sentence."""

    id: str
    kind: EventKind
    ticker: str
    available_at: AwareDatetime
    said: str
    basis: str
    person: str
    role: str
    document: str
    start: int
    end: int
    sentence: str


def print_relations(
    market: Market, as_of: datetime, ticker: str | None, *, json: bool, graphml_file: Path | None, drawing: bool
) -> None:
    """Who is related to whom, at a time.

    Raises:
        InputError: there is no such company, more than one form is asked for, or the file cannot be written.
    """
    view = market.view(as_of)
    _refuse_several(json, graphml_file, drawing)
    if graphml_file is not None:
        _write(graphml_file, graphml(to_networkx(view, ticker)))
    elif drawing:
        sys.stdout.write(mermaid(view, ticker))
    elif json:
        print_json(relation_rows(view, ticker))
    else:
        _print_relations(view, ticker)


def print_events(
    market: Market,
    as_of: datetime,
    ticker: str | None,
    since: date | None,
    kinds: Sequence[str],
    *,
    json: bool,
    drawing: bool,
) -> None:
    """What has happened, newest last.

    Raises:
        InputError: there is no such company or kind of event, or more than one form is asked for.
    """
    view = market.view(as_of)
    _refuse_several(json, None, drawing)
    for kind in kinds:
        if kind not in get_args(EventKind):
            raise InputError(f"there is no kind of event {kind!r}; choose from {', '.join(get_args(EventKind))}")
    found = Known(view).events(ticker, kinds=kinds or None)  # type: ignore[arg-type]
    if since is not None:
        found = tuple(event for event in found if event.available_at.date() >= since)
    if json:
        print_json([event_row(view, event) for event in found])
        return
    shown = found if since is not None else found[-EVENTS_SHOWN:]
    if drawing:
        sys.stdout.write(mermaid(view, ticker, shown))
        return
    _print_events(view, shown)
    if len(shown) < len(found):
        _note(f"and {len(found) - len(shown):,} earlier ones; --since DAY shows them")


def relation_rows(view: MarketView, ticker: str | None) -> list[RelationRow]:
    """All relations of one company, or all links and offices of a market (peers left out)."""
    known, rows = Known(view), []
    for name in [ticker] if ticker is not None else view.tickers:
        rows += [_tie_row(view, tie) for tie in known.ties(name, peers=ticker is not None)]
        rows += [_office_row(view, office) for office in known.offices(name)]
    return rows


def event_row(view: MarketView, event: Event) -> EventRow:
    """An event with its sentence."""
    return EventRow(
        id=event.id,
        kind=event.kind,
        ticker=event.ticker,
        available_at=event.available_at,
        said=event_words(event),
        basis=event.basis,
        person=event.person,
        role=event.role,
        document=event.document,
        start=event.start,
        end=event.end,
        sentence=_sentence(view, event.span),
    )


def _tie_row(view: MarketView, tie: Tie) -> RelationRow:
    link = tie.link
    if link is None:
        return RelationRow(ticker=tie.ticker, kind=tie.kind, other=tie.other, available_at=None, basis="companies")
    return RelationRow(
        ticker=tie.ticker,
        kind=tie.kind,
        other=tie.other,
        available_at=link.available_at,
        basis=link.basis,
        statements=tie.statements,
        document=link.document,
        start=link.start,
        end=link.end,
        sentence=_sentence(view, link.span),
        source=link.source,
    )


def _office_row(view: MarketView, office: Office) -> RelationRow:
    return RelationRow(
        ticker=office.ticker,
        kind="office",
        other=office.person,
        role=office.role,
        available_at=office.last.available_at,
        basis="sentence",
        document=office.last.document,
        start=office.last.start,
        end=office.last.end,
        sentence=_sentence(view, office.last.span),
    )


def _sentence(view: MarketView, span: Span | None) -> str:
    if span is None:
        return ""
    return " ".join(index_of(view._market).documents[span.document].text[span.start : span.end].split())


def _print_relations(view: MarketView, ticker: str | None) -> None:
    rows = relation_rows(view, ticker)
    links = [row for row in rows if row.kind not in ("office", "industry_peer", "sector_peer")]
    if ticker is None:
        # each link once: the customer's side of a supplier is the same sentence
        links = [row for row in links if row.kind != "supplier" and (row.kind == "customer" or row.ticker < row.other)]
    offices = [row for row in rows if row.kind == "office"]
    parts: list[Table | str] = [_relations_table("Links", links, people=False) if links else "no links are known"]
    if offices:
        parts += ["", _relations_table("In office", offices, people=True)]
    print_tables(*parts)
    peers = {kind: [row.other for row in rows if row.kind == kind] for kind in ("industry_peer", "sector_peer")}
    for kind, names in peers.items():
        if names:
            more = f" and {len(names) - PEERS_SHOWN} more" if len(names) > PEERS_SHOWN else ""
            print_tables(f"[bold]{TIES[kind]}s[/bold]  {escape(', '.join(names[:PEERS_SHOWN]))}{more}")
    _note(
        f"as known at {view.as_of:%Y-%m-%d %H:%M} UTC; `paperdesk markets passage MARKET DOCUMENT:START-END` opens a"
        " sentence"
    )


def _relations_table(title: str, rows: Sequence[RelationRow], *, people: bool) -> Table:
    table = Table(
        box=None,
        pad_edge=False,
        title=f"[bold]{title}[/bold] ({len(rows)})",
        title_justify="left",
        padding=(0, 2, 0, 0),
    )
    for header in ("Company", *(("Office", "Person") if people else ("has", "Other")), "Known", "Says", "Where"):
        table.add_column(header, overflow="fold")
    table.columns[0].no_wrap = True
    table.columns[3].no_wrap = True
    table.columns[4].ratio = 3
    for row in rows:
        table.add_row(
            escape(row.ticker),
            escape(row.role if people else f"{TIES[row.kind]}{f' x{row.statements}' if row.statements > 1 else ''}"),
            escape(row.other),
            f"{row.available_at:%Y-%m-%d}" if row.available_at else "",
            Text(
                _shortened(row.sentence, " said " in row.sentence) if row.sentence else row.source or "relations file"
            ),
            Text(f"{row.document}:{row.start}-{row.end}" if row.document else "", style="dim"),
        )
    return table


def _shortened(sentence: str, from_end: bool = False) -> str:
    """As much of a sentence as a terminal should show: its beginning, or the end where a quotation comes first."""
    if len(sentence) <= SENTENCE_SHOWN or not _terminal():
        return sentence
    return f"… {sentence[-SENTENCE_SHOWN:]}" if from_end else f"{sentence[:SENTENCE_SHOWN]} …"


def _print_events(view: MarketView, events: Sequence[Event]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("Known", "Company", "What", "Says", "Where"):
        table.add_column(name, overflow="fold")
    table.columns[0].no_wrap = table.columns[1].no_wrap = True
    table.columns[3].ratio = 3
    for event in events:
        row = event_row(view, event)
        table.add_row(
            f"{row.available_at:%Y-%m-%d}",
            escape(row.ticker),
            Text(row.said),
            Text(_shortened(row.sentence)),
            Text(f"{row.document}:{row.start}-{row.end}", style="dim"),
        )
    print_tables(table)


def _terminal() -> bool:
    return Console().is_terminal


def _note(text: str) -> None:
    Console(stderr=True, highlight=False).print(escape(text), style="dim", soft_wrap=True)


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}); name another file") from error
    _note(f"wrote {path}")


def _refuse_several(json: bool, file: Path | None, drawing: bool) -> None:
    if json + (file is not None) + drawing > 1:
        raise InputError("more than one of --json, --graphml and --mermaid was given; give one")
