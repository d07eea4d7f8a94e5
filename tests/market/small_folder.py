"""A small market in a folder, for tests of how it is read."""

import json
from pathlib import Path

import pytest

PRICES = """\
date,ticker,open,high,low,close,volume,dividend,split,remark
2024-01-02,AAA,10,11,9,10.5,1000,0,0,
2024-01-02,IDX,100,101,99,100,5000,,,
2024-01-03,AAA,11,12,10,11,1000,0.2,0,new year
2024-01-03,IDX,100,101,99,100,5000,,,
2024-01-04,AAA,5.5,6,5,5.75,2000,0,2,
2024-01-04,IDX,100,101,99,100,5000,,,
2024-01-08,AAA,5.75,6,5,5.9,2000,0.1,0,
2024-01-08,IDX,100,101,99,100,5000,,,
"""

COMPANIES = "ticker,name,industry\nAAA,Alpha Corp,Widgets\n"

FUNDAMENTALS = """\
ticker,concept,period_start,period_end,value,unit,filed,accession,form,accepted_at
AAA,Revenue,2023-10-01,2023-12-31,1000,USD,2024-01-04,a-1,10-Q,
AAA,Assets,,2023-12-31,5000,USD,2024-01-04,a-1,10-Q,
AAA,NetIncome,2023-10-01,2023-12-31,100,USD,2024-01-03,a-0,8-K,2024-01-03T16:05:00-05:00
ZZZ,Assets,,2023-12-31,5000,USD,2024-01-04,z-1,10-Q,
"""

NEWS = {
    "id": "n-1",
    "ticker": "AAA",
    "published_at": "2024-01-03T16:05:00-05:00",
    "source": "wire",
    "headline": "Alpha grows",
    "body": "A lot.",
    "mood": "unknown fields are passed over",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small market: a company that splits 2:1 on 2024-01-04 and is halted on 2024-01-05, and an index fund."""
    (tmp_path / "prices.csv").write_text(PRICES)
    (tmp_path / "companies.csv").write_text(COMPANIES)
    (tmp_path / "fundamentals.csv").write_text(FUNDAMENTALS)
    (tmp_path / "news.jsonl").write_text(json.dumps(NEWS) + "\n")
    (tmp_path / "market.toml").write_text('prices = "as_traded"\n')
    return tmp_path
