"""The graph for other programs: as a networkx graph, as GraphML, and as a mermaid drawing."""

from collections.abc import Sequence
from io import BytesIO

import networkx as nx

from ..view import MarketView
from .known import Known, Tie
from .records import Event
from .wording import TIES, event_words


def to_networkx(view: MarketView, ticker: str | None = None) -> "nx.MultiDiGraph[str]":
    """The graph as it was known: companies, industries, sectors, people and events as nodes with a `kind`.

    Args:
        view: what is known.
        ticker: only what touches this company; all companies otherwise.

    Returns:
        Nodes are named by ticker, `sector:NAME`, `industry:NAME`, `person:NAME@TICKER` and the event's id. Edges go
        from supplier to customer (`supplies`), both ways between partners and competitors, from a company to its
        industry, from an industry to its sector, from a person or an event to the company; those that rest
        on a document carry `document`, `start`, `end` and `available_at`.

    Raises:
        InputError: there is no such company.
    """
    known, graph = Known(view), nx.MultiDiGraph(market=view.name, as_of=view.as_of.isoformat())
    near = {ticker, *(tie.other for tie in known.ties(ticker))} if ticker is not None else set(view.tickers)
    for name in (name for name in view.tickers if name in near):
        company = view.company(name)
        graph.add_node(name, kind="company", label=company.name)
        if company.industry:
            graph.add_node(f"industry:{company.industry}", kind="industry", label=company.industry)
            graph.add_edge(name, f"industry:{company.industry}", kind="in")
        if company.sector and company.industry:
            graph.add_node(f"sector:{company.sector}", kind="sector", label=company.sector)
            graph.add_edge(f"industry:{company.industry}", f"sector:{company.sector}", key="in", kind="in")
    subjects = [ticker] if ticker is not None else list(view.tickers)
    for name in subjects:
        for tie in known.ties(name, peers=False):
            _add_tie(graph, tie)
        for office in known.offices(name):
            node = f"person:{office.person}@{name}"
            graph.add_node(node, kind="person", label=office.person)
            graph.add_edge(
                node,
                name,
                kind="office",
                role=office.role,
                **_source(office.last.document, office.last.start, office.last.end),
                available_at=office.last.available_at.isoformat(),
            )
        for event in known.events(name):
            graph.add_node(event.id, kind="event", label=event_words(event), event=event.kind, basis=event.basis)
            graph.add_edge(
                event.id,
                name,
                kind="at",
                **_source(event.document, event.start, event.end),
                available_at=event.available_at.isoformat(),
            )
    return graph


def _add_tie(graph: "nx.MultiDiGraph[str]", tie: Tie) -> None:
    assert tie.link is not None  # peers are left out
    first, second, kind = tie.other, tie.ticker, "supplies"
    if tie.kind == "customer":
        first, second = second, first
    elif tie.kind != "supplier":
        first, second, kind = tie.ticker, tie.other, tie.kind
    if graph.has_edge(first, second, key=kind):
        return
    graph.add_edge(
        first,
        second,
        key=kind,
        kind=kind,
        statements=tie.statements,
        basis=tie.link.basis,
        available_at=tie.link.available_at.isoformat(),
        **_source(tie.link.document, tie.link.start, tie.link.end),
    )


def _source(document: str, start: int, end: int) -> dict[str, object]:
    return {"document": document, "start": start, "end": end}


def graphml(graph: "nx.MultiDiGraph[str]") -> bytes:
    """The graph as GraphML, UTF-8."""
    buffer = BytesIO()
    nx.write_graphml(graph, buffer, prettyprint=True)
    return buffer.getvalue()


def mermaid(view: MarketView, ticker: str | None = None, events: Sequence[Event] = ()) -> str:
    """Companies by sector, the links between them and their latest events as a mermaid flowchart.

    Args:
        view: what is known.
        ticker: only this company and what is linked to it.
        events: to draw beside their companies.

    Raises:
        InputError: there is no such company.
    """
    known = Known(view)
    links = (
        known.ties(ticker, peers=False)
        if ticker is not None
        else [tie for name in view.tickers for tie in known.ties(name, peers=False)]
    )
    shown = {ticker} if ticker is not None else {event.ticker for event in events}
    shown |= {name for tie in links for name in (tie.ticker, tie.other)}
    node = {name: f"c{i}" for i, name in enumerate(view.tickers)}
    lines = ["flowchart LR"]
    sectors: dict[str, list[str]] = {}
    for name in (name for name in view.tickers if name in shown):
        sectors.setdefault(view.company(name).sector or "no sector", []).append(name)
    for number, (sector, names) in enumerate(sorted(sectors.items())):
        lines.append(f'  subgraph s{number}["{_safe(sector)}"]')
        lines += [f'    {node[name]}["{_safe(view.company(name).name)} ({_safe(name)})"]' for name in names]
        lines.append("  end")
    drawn: set[tuple[str, str, str]] = set()
    for tie in links:
        kind, first, second = tie.kind, tie.ticker, tie.other
        if kind == "supplier":
            kind, first, second = "customer", second, first
        both = kind != "customer"
        if both:
            first, second = sorted((first, second))
        if (kind, first, second) not in drawn:
            drawn.add((kind, first, second))
            arrow = f"<-- {TIES[kind]} -->" if both else "-- supplies -->"
            lines.append(f"  {node[first]} {arrow} {node[second]}")
    for number, event in enumerate(events):
        lines.append(
            f'  e{number}(["{event.available_at:%Y-%m-%d} {_safe(event_words(event))}"]) -.-> {node[event.ticker]}'
        )
    return "\n".join(lines) + "\n"


def _safe(text: str) -> str:
    return text.replace('"', "'").replace("<", "").replace(">", "").replace("#", "")
