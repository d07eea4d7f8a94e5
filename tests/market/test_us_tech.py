"""The market us-tech: corporate actions read back from adjusted closes agree with what is known."""

import sys
from datetime import date

import numpy as np
import pytest

from paperdesk.tools.errors import InputError
from paperdesk.tools.market.bars import Bars
from paperdesk.tools.market.vendors.us_tech import corporate_actions
from paperdesk.tools.market.view import Market, open_market

pytest.importorskip("bokeh_sampledata", reason="bokeh-sampledata (extra markets) is not installed")


@pytest.fixture(scope="module")
def market() -> Market:
    return open_market("us-tech")


def events(bars: Bars, ticker: str, name: str, none: float) -> dict[date, float]:
    column = getattr(bars, name)[:, bars.column(ticker)]
    return {bars.sessions[i]: float(column[i]) for i in np.flatnonzero(column != none)}


def test_splits_are_the_known_ones(market: Market) -> None:
    bars = market.dataset.bars
    assert events(bars, "AAPL", "split", 1) == {date(2000, 6, 21): 2, date(2005, 2, 28): 2}
    assert events(bars, "MSFT", "split", 1) == {date(2003, 2, 18): 2}
    assert events(bars, "IBM", "split", 1) == {}
    assert events(bars, "GOOG", "split", 1) == {}


def test_dividends_are_the_known_ones(market: Market) -> None:
    bars = market.dataset.bars
    microsoft = events(bars, "MSFT", "dividend", 0)
    assert microsoft[date(2003, 2, 19)] == pytest.approx(0.08)
    assert microsoft[date(2004, 11, 15)] == pytest.approx(3.08)
    assert microsoft[date(2009, 2, 17)] == pytest.approx(0.13)
    ibm = events(bars, "IBM", "dividend", 0)
    assert len(ibm) == 52
    assert [ibm[day] for day in ibm if day.year == 2008] == pytest.approx([0.40, 0.50, 0.50, 0.50])
    apple = events(bars, "AAPL", "dividend", 0)
    assert list(apple.values()) == pytest.approx([2.65, 2.65, 2.65])
    assert events(bars, "GOOG", "dividend", 0) == {}


def test_prices_are_as_traded_and_a_late_listing_has_none_before(market: Market) -> None:
    bars = market.dataset.bars
    row = bars.sessions.index(date(2005, 2, 28))
    assert bars.close[row - 1 : row + 1, bars.column("AAPL")].tolist() == [88.99, 44.86]
    google = bars.close[:, bars.column("GOOG")]
    assert bars.sessions[np.flatnonzero(np.isfinite(google))[0]] == date(2004, 8, 19)
    assert np.isfinite(np.delete(bars.close, bars.column("GOOG"), axis=1)).all()


def test_returns_follow_the_adjusted_closes(market: Market) -> None:
    from bokeh_sampledata import stocks

    view = market.view(market.calendar.close_of(date(2013, 3, 1)))
    adjusted = np.array(stocks.MSFT["adj_close"])
    returns = view.returns(("MSFT",), len(adjusted) - 1)["MSFT"]
    np.testing.assert_allclose(returns, adjusted[1:] / adjusted[:-1] - 1, atol=2e-6)


def test_its_window_note_and_gaps_are_said(market: Market) -> None:
    assert market.window == (date(2007, 1, 3), date(2009, 12, 31))
    assert market.benchmark is None
    assert market.dataset.facts.empty
    assert market.dataset.documents == ()
    assert "without filings" in market.note
    assert market.fingerprint == open_market("us-tech").fingerprint


def test_rounding_noise_is_no_dividend() -> None:
    close = np.array([10.0, 10.5, 10.2, 5.2, 5.1])
    adjusted = close * np.array([0.5, 0.5, 0.5, 1.0, 1.0]) * (1 + np.array([0, 1e-8, -1e-8, 0, 1e-8]))
    split, dividend = corporate_actions(close, adjusted)
    assert split.tolist() == [1, 1, 1, 2, 1]
    assert not dividend.any()


def test_without_its_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bokeh_sampledata.stocks", None)
    with pytest.raises(InputError, match=r"paperdesk\[markets\]"):
        open_market("us-tech")


def test_an_edition_that_rounds_its_adjusted_closes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from bokeh_sampledata import stocks

    monkeypatch.setattr(stocks, "data", stocks.data.assign(adj_close=stocks.data["adj_close"].round(2)))
    with pytest.raises(InputError, match="too old for us-tech"):
        open_market("us-tech")
