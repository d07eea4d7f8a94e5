"""What a market holds, in figures."""

from datetime import date
from pathlib import Path

from paperdesk.tools.market.describe import describe
from paperdesk.tools.market.view import open_market

PRICES = """\
date,ticker,open,high,low,close,volume,dividend,split
2024-01-02,OLD,10,11,9,10,1000,0,0
2024-01-04,OLD,5,5.5,4.5,5,1000,0.1,2
2024-01-03,FUND,10,11,9,10,1000,0,0
2024-01-04,FUND,10,11,9,10,1000,0,0
2024-01-05,FUND,10,11,9,10,1000,0,0
"""
FACTS = """\
ticker,concept,period_end,value,filed,accession
OLD,Assets,2023-12-31,5,2024-01-03,a
OLD,Equity,2023-12-31,5,2024-01-03,a
OLD,Assets,2023-12-31,6,2024-01-04,b
"""
NEWS = '{"id": "n", "ticker": "OLD", "published_at": "2024-01-03T10:00:00Z", "headline": "h"}\n'


def test_a_market_is_described_by_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text(PRICES)
    (tmp_path / "fundamentals.csv").write_text(FACTS)
    (tmp_path / "news.jsonl").write_text(NEWS)
    (tmp_path / "companies.csv").write_text("ticker,name,sector\nOLD,Old Co,Steel\n")
    (tmp_path / "series.csv").write_text("series,date,value,available_at\nGDP,2023-10-01,3,2024-01-03T13:30:00Z\n")
    (tmp_path / "market.toml").write_text('name = "tiny"\nprices = "as_traded"\ngenerated = true\n')
    market = open_market(tmp_path)
    found = describe(market)
    old, fund = found.instruments
    assert (old.ticker, old.name, old.sector, old.is_company) == ("OLD", "Old Co", "Steel", True)
    assert (old.first_price, old.last_price, old.delisted) == (date(2024, 1, 2), date(2024, 1, 4), True)
    assert (old.splits, old.dividends, old.facts, old.filings, old.documents) == (1, 1, 3, 2, 1)
    assert old.missing_share == 1 / 3
    assert (fund.is_company, fund.delisted, fund.missing_share) == (False, False, 0)
    assert found.missing_share == 1 / 6
    assert (found.sessions, found.facts, found.filings, found.documents, found.splits) == (4, 3, 2, 1, 1)
    assert (found.delisted, found.series, found.benchmark) == (("OLD",), ("GDP",), "FUND")
    assert found.fingerprint == market.fingerprint
    rows = dict(found.rows())
    assert rows["Kind"] == "generated"
    assert rows["Companies"] == "1, sectors: Steel"
    assert rows["Sessions"] == "4 of XNYS, 2024-01-02 to 2024-01-05"
    assert rows["Missing bars"] == "16.67%"
    assert rows["Delisted"] == "OLD"


def test_us8_is_described_as_its_readme_says(us8: Path) -> None:
    found = describe(open_market(us8))
    assert (found.sessions, found.facts, found.documents, found.splits) == (1256, 11_287, 156, 5)
    assert (found.missing_share, found.delisted, found.benchmark) == (0, (), "SPY")
    assert [row.ticker for row in found.instruments] == ["AAPL", "AMZN", "GOOGL", "JPM", "MSFT", "NVDA", "UNH", "SPY"]
