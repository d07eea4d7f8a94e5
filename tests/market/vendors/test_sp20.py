"""The market sp20: skfolio's closes, and nothing made up but what the note says."""

import subprocess
import sys
from datetime import UTC, date, datetime
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paperdesk.tools.broker.simulated.costs import Costs
from paperdesk.tools.errors import InputError
from paperdesk.tools.market.vendors import sp20 as room
from paperdesk.tools.market.view import Market, open_market

if find_spec("skfolio") is None:
    pytest.skip("skfolio (extra markets) is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def market() -> Market:
    return open_market("sp20")


def test_it_is_read_without_importing_skfolio() -> None:
    program = "import sys; from paperdesk.tools.market.view import open_market; open_market('sp20'); " + (
        "sys.exit('skfolio' in sys.modules or 'sklearn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_closes_are_those_of_the_package(market: Market) -> None:
    spec = find_spec("skfolio")
    assert spec is not None
    assert spec.origin is not None
    raw = pd.read_csv(Path(spec.origin).parent / "datasets/data/sp500_dataset.csv.gz", index_col=0)
    bars = market.dataset.bars
    row = bars.sessions.index(date(2020, 3, 16))
    for ticker in market.tickers:
        assert bars.close[row, bars.column(ticker)] == raw.loc["2020-03-16", ticker]
    assert len(bars.sessions) == 8313


def test_an_order_fills_at_the_next_close_and_not_at_a_price_before_the_decision(market: Market) -> None:
    bars = market.dataset.bars
    for name in ("open", "high", "low"):
        np.testing.assert_array_equal(getattr(bars, name), bars.close)


def test_the_assumed_volume_lets_ten_million_dollars_trade(market: Market) -> None:
    limit = Costs().volume_limit
    assert limit is not None
    bars = market.dataset.bars
    first = bars.sessions.index(market.window[0])
    columns = [bars.column(ticker) for ticker in market.tickers]
    assert bars.close[first:, columns].min() * room.ASSUMED_VOLUME * limit > 1e7


def test_every_company_has_a_sector_and_the_index_is_no_company(market: Market) -> None:
    assert all(company.name and company.industry and company.sector for company in market.companies.values())
    assert market.benchmark == "SP500"
    assert "SP500" not in market.tickers
    assert set(market.instruments) == {*market.tickers, "SP500"}


def test_the_note_says_what_is_missing(market: Market) -> None:
    for words in ("next close", "volumes are an assumption", "without dividends", "survivors"):
        assert words in market.note


def test_a_view_has_prices_and_no_filings(market: Market) -> None:
    view = market.view(datetime(2020, 3, 16, 21, tzinfo=UTC))
    assert view.session == date(2020, 3, 16)
    assert view.history("AAPL", 2)["close"].tolist() == [68.044, 59.29]
    assert view.facts("AAPL").empty


def test_another_edition_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(room, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"needs the package skfolio; install it by pip"):
        room.sp20()
    other = ModuleSpec("skfolio", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(room, "find_spec", lambda name: other)
    with pytest.raises(InputError, match="other sample data"):
        room.sp20()
    data = tmp_path / "datasets/data"
    data.mkdir(parents=True)
    pd.DataFrame({"Date": ["2020-01-02"], "AAPL": [1.0]}).to_csv(data / "sp500_dataset.csv.gz", index=False)
    pd.DataFrame({"Date": ["2020-01-02"], "SP500": [1.0]}).to_csv(data / "sp500_index.csv.gz", index=False)
    with pytest.raises(InputError, match="other sample data"):
        room.sp20()
