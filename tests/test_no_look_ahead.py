"""Whatever the tools say at a time is the same when everything later is deleted from the market."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperdesk.tools.indicators import indicators
from paperdesk.tools.market.documents.search import search
from paperdesk.tools.market.invariance import alter
from paperdesk.tools.market.view import Market, MarketView, open_market
from paperdesk.tools.regime import regime
from paperdesk.tools.sentiment.lexicon import latest_tone

QUERY = "outlook for the coming quarter"


@pytest.fixture(scope="module")
def generated() -> Market:
    return open_market("generated")


def both(market: Market, share: float) -> tuple[MarketView, MarketView]:
    """A view within the market and the same view of the market without its future."""
    sessions = market.dataset.bars.sessions
    as_of = market.calendar.close_of(sessions[int(share * (len(sessions) - 1))])
    cut = alter(market.dataset, as_of, "deleted", np.random.default_rng(0))
    return market.view(as_of), Market(cut).view(as_of)


@given(share=st.floats(0.05, 1.0))
@settings(max_examples=25)
def test_indicators_regime_and_tone_do_not_depend_on_the_future(generated: Market, share: float) -> None:
    whole, cut = both(generated, share)
    assert regime(whole) == regime(cut)
    for ticker in whole.tickers:
        assert indicators(whole, ticker) == indicators(cut, ticker)
        assert latest_tone(whole, ticker) == latest_tone(cut, ticker)


@pytest.mark.parametrize("share", [0.2, 0.55, 0.9])
def test_search_does_not_depend_on_the_future(generated: Market, share: float) -> None:
    whole, cut = both(generated, share)
    for ticker in whole.tickers:
        assert search(whole, ticker, QUERY) == search(cut, ticker, QUERY)


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.75, 0.93])
def test_no_tool_depends_on_the_future_in_real_data(us8: Path, share: float) -> None:
    whole, cut = both(open_market(us8), share)
    assert regime(whole) == regime(cut)
    found = 0
    for ticker in whole.tickers:
        assert indicators(whole, ticker) == indicators(cut, ticker)
        assert latest_tone(whole, ticker) == latest_tone(cut, ticker)
        passages = search(whole, ticker, QUERY)
        assert passages == search(cut, ticker, QUERY)
        found += len(passages)
    assert found > 0
