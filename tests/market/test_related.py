"""The graph of companies: what others tell of one, known from when on, and how it goes out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from paperdesk.agents.further_calls import Call, Situation, permissions
from paperdesk.agents.roles import read_role
from paperdesk.tools.errors import InputError
from paperdesk.tools.market.documents.reader import open_passage, span_named
from paperdesk.tools.market.invariance import reads_future
from paperdesk.tools.market.mask import mask
from paperdesk.tools.market.records import Dataset, Document
from paperdesk.tools.market.relations.export import graphml, mermaid, to_networkx
from paperdesk.tools.market.relations.known import LINK_DAYS, Known
from paperdesk.tools.market.relations.records import Link
from paperdesk.tools.market.relations.related import related_events
from paperdesk.tools.market.view import Market, MarketView, open_market
from paperdesk.tools.toolbox import call, research_tools


def small(*texts: tuple[str, str, datetime], relations: tuple[Link, ...] = ()) -> Dataset:
    """The generated market with other documents."""
    base = open_market("generated").dataset
    documents = tuple(
        Document(f"doc-{i}", ticker, at, "wire", "News", body) for i, (ticker, body, at) in enumerate(texts)
    )
    return replace(base, documents=documents, relations=relations)


def at(*day: int) -> datetime:
    return datetime(*day, 21, tzinfo=UTC)  # type: ignore[arg-type, misc]


SUPPLY = ("TRVX", "Trevaux Semiconductors supplies power-control chips to Ostwick Tools.", at(2022, 3, 1))

CUT = ("TRVX", "The company lowers its outlook for the year.", at(2022, 6, 1))


def test_a_supplier_that_lowers_its_outlook_is_evidence_for_its_customer() -> None:
    view = Market(small(SUPPLY, CUT)).view(at(2022, 6, 3))
    balance, event = related_events(view, "OSTW")
    assert balance.value == pytest.approx(-0.5)
    assert event.text == "supplier Trevaux Semiconductors (TRVX) lowered or withdrew its outlook on 2022-06-01"
    assert event.kind == "event"
    page = open_passage(view, event)
    assert page.text == "The company lowers its outlook for the year."
    assert span_named(view, event.id) == event.span
    # the other way round the customer is told of its customer's news only
    assert related_events(view, "TRVX") == []


def test_a_role_may_ask_for_it_as_a_further_call() -> None:
    text = '+++\ntitle = "Asker"\nlike = "news_analyst"\nmay = ["related_events"]\n+++\n'
    view = Market(small(SUPPLY, CUT)).view(at(2022, 6, 3))
    (permission,) = permissions(read_role("asker", {"asker": text}), Situation("OSTW", "Ostwick Tools", ()))
    wanted = Call(tool="related_events", ticker="OSTW")
    assert permission.covers(wanted)
    tools = research_tools(view)
    assert call(tools, wanted.tool, **wanted.arguments) == ("", related_events(view, "OSTW"))
    said = tools[wanted.tool].invoke(wanted.arguments)
    assert "supplier Trevaux Semiconductors (TRVX) lowered or withdrew its outlook" in said


def test_nothing_is_known_before_it_is_published() -> None:
    market = Market(small(SUPPLY, CUT))
    assert related_events(market.view(at(2022, 6, 1) - timedelta(seconds=1)), "OSTW") == []
    assert Known(market.view(at(2022, 2, 25))).ties("OSTW", peers=False) == ()
    assert related_events(market.view(at(2022, 9, 30)), "OSTW") == []  # long ago by then


def test_a_link_fades_and_a_row_of_the_file_ends_when_it_says() -> None:
    row = Link(
        kind="competitor", ticker="BRQL", other="OSTW", available_at=at(2022, 1, 3), until=at(2023, 1, 3), basis="file"
    )
    market = Market(small(("BRQL", "Nothing.", at(2021, 2, 1)), relations=(row,)))
    (tie,) = Known(market.view(at(2022, 5, 2))).ties("OSTW", peers=False)
    assert (tie.kind, tie.other) == ("competitor", "BRQL")
    assert tie.link is not None
    assert tie.link.until is None  # its end is not known yet
    assert Known(market.view(at(2023, 1, 4))).ties("OSTW", peers=False) == ()
    old = (SUPPLY[0], SUPPLY[1], at(2021, 1, 5))
    market = Market(small(old))
    assert Known(market.view(at(2022, 12, 1))).ties("OSTW", peers=False)
    assert not Known(market.view(at(2021, 1, 5) + timedelta(days=LINK_DAYS + 1))).ties("OSTW", peers=False)


def test_the_future_changes_nothing_that_is_known() -> None:
    row = Link(kind="customer", ticker="ZEPL", other="OSTW", available_at=at(2022, 7, 1), basis="file")
    later = ("ZEPL", "Zephlor Software raised its guidance.", at(2022, 8, 1))

    def everything(view: MarketView) -> object:
        known = Known(view)
        graph = to_networkx(view)
        return (
            [
                [known.ties(ticker), known.offices(ticker), known.events(ticker), related_events(view, ticker, 120)]
                for ticker in view.tickers
            ],
            sorted(map(str, graph.nodes(data=True))),
            sorted(map(str, graph.edges(data=True))),
        )

    moments = [at(2022, 3, 2), at(2022, 6, 2), at(2022, 7, 5)]
    assert (
        reads_future(everything, small(SUPPLY, CUT, later, relations=(row,)), moments, np.random.default_rng(1)) == []
    )


def test_a_masked_market_has_the_same_graph_under_other_names() -> None:
    row = Link(
        kind="customer", ticker="ZEPL", other="OSTW", available_at=at(2022, 2, 1), basis="file", source="Ostwick AG"
    )
    masked = mask(small(SUPPLY, CUT, relations=(row,)), frozenset({"names", "dates"}), seed=3)
    shift, tickers = masked.key.shift, masked.key.tickers
    view = Market(masked.dataset).view(at(2022, 6, 3) + shift)
    plain = related_events(Market(masked.original).view(at(2022, 6, 3)), "OSTW")
    found_now = related_events(view, tickers["OSTW"])
    assert [item.value for item in found_now] == [item.value for item in plain]
    everything = repr(found_now) + graphml(to_networkx(view)).decode() + mermaid(view, tickers["OSTW"])
    for secret in ("TRVX", "Trevaux", "OSTW", "Ostwick", "doc-0", "doc-1"):
        assert secret not in everything
    assert len(Known(view).links) == 2


def test_the_graph_goes_out_the_same_each_time_with_its_sentences_places() -> None:
    view = Market(small(SUPPLY, CUT)).view(at(2022, 6, 3))
    graph = to_networkx(view)
    edge = graph.edges["TRVX", "OSTW", "supplies"]
    assert (edge["document"], edge["start"]) == ("doc-0", 5)
    assert graphml(graph) == graphml(to_networkx(view))
    assert "c4 -- supplies --> c1" in mermaid(view) or "-- supplies -->" in mermaid(view)
    with pytest.raises(InputError, match="no company 'NOPE'"):
        to_networkx(view, "NOPE")
