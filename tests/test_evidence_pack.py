"""A pack is what the research tools answer one by one."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from paperdesk.agents.rosters import roster
from paperdesk.tools.errors import InputError
from paperdesk.tools.evidence_pack import evidence_pack
from paperdesk.tools.market.view import Market, MarketView, open_market
from paperdesk.tools.toolbox import call, research_tools


def one_by_one(view: MarketView, ticker: str, **search: object) -> list[str]:
    """The hashes of what all analysts' plans gather, in the order of the plans."""
    tools = research_tools(view)
    found = []
    for name in (tool for role in roster().analysts for tool in role.plan):
        found += call(tools, name, ticker=ticker, **(search if name == "document_search" else {}))[1]
    return [item.hash for item in found]


@pytest.fixture(scope="module")
def view() -> MarketView:
    market = open_market("generated")
    return market.view(market.calendar.close_of(date(2023, 8, 31)))


def test_a_pack_holds_what_the_plans_gather(view: MarketView) -> None:
    packs = evidence_pack(view, view.tickers)
    assert tuple(packs) == view.tickers
    for ticker, pack in packs.items():
        assert [item.hash for item in pack] == one_by_one(view, ticker)
        assert {item.ticker for item in pack} == {ticker}
        assert {item.kind for item in pack} == {"indicator", "ratio", "passage"}
        assert all(item.as_of == view.as_of for item in pack)


def test_a_pack_takes_the_question_and_the_order_that_it_is_given(view: MarketView) -> None:
    question = "new orders and delivery times"
    packs = evidence_pack(view, view.tickers[::-1], question, passages=2)
    assert tuple(packs) == view.tickers[::-1]
    for ticker, pack in packs.items():
        assert [item.hash for item in pack] == one_by_one(view, ticker, query=question, passages=2)


def test_a_young_market_has_small_packs_and_no_invented_ones() -> None:
    market = open_market("generated")
    view = market.view(market.calendar.close_of(market.dataset.bars.sessions[0]))
    assert set(evidence_pack(view, ["MELQ"])) == {"MELQ"}
    assert not [item for item in evidence_pack(view, ["MELQ"])["MELQ"] if item.kind == "indicator"]
    assert evidence_pack(view, []) == {}


def test_an_unknown_company_is_refused(view: MarketView) -> None:
    with pytest.raises(InputError, match="NOPE"):
        evidence_pack(view, ["BRQL", "NOPE"])


def test_packs_of_real_companies_are_what_the_tools_say(us8: Path) -> None:
    dataset = open_market(us8).dataset
    since, until = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 5, 1, 20, 7, tzinfo=UTC)
    # a few months of texts: an index of all of them takes half a minute
    recent = tuple(row for row in dataset.documents if since <= row.published_at <= until + timedelta(days=3))
    view = Market(replace(dataset, documents=recent)).view(until)
    for ticker, pack in evidence_pack(view, view.tickers[:3]).items():
        assert {item.kind for item in pack} == {"indicator", "ratio", "passage"}
        assert [item.hash for item in pack] == one_by_one(view, ticker)
