"""Write a folder that PaperDesk can trade on: two shares and a fund, with a split, a dividend and a halt.

Usage: python examples/write_data_set.py my-market
Then:  paperdesk run --market my-market --model scorecard

The prices are invented (a seeded random walk). To use your own, keep `FIELDS` and yield your rows instead;
docs/data-format.md says what each column means.
"""

import csv
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np

from paperdesk.tools.clock import TradingCalendar

FIELDS = ("date", "ticker", "open", "high", "low", "close", "volume", "dividend", "split")
FIRST, LAST = date(2022, 1, 3), date(2023, 12, 29)
SPLIT_DAY, EX_DAY, HALT = date(2023, 6, 12), date(2023, 3, 15), date(2023, 9, 1)
MARKET = """\
name = "two-shares"
note = "Two invented shares and a fund, a random walk: nothing can be learned from it."
benchmark = "FUND"
prices = "as_traded"
window = [2023-01-03, 2023-12-29]
"""


def rows(ticker: str, days: tuple[date, ...], generator: np.random.Generator) -> Iterator[tuple[object, ...]]:
    """The daily bars of one instrument, as traded: a price falls to a third on the day of a 3:1 split."""
    close = 60.0
    for day in days:
        split = 3 if ticker == "ACME" and day == SPLIT_DAY else 0
        dividend = 0.4 if ticker == "BOLT" and day == EX_DAY else 0.0
        opened = close / (split or 1) - dividend
        close = opened * float(np.exp(generator.normal(0.0003, 0.012)))
        if ticker == "BOLT" and day == HALT:
            continue  # a row that is missing says that it did not trade
        high, low = max(opened, close) * 1.004, min(opened, close) * 0.996
        yield day, ticker, *(f"{price:.4f}" for price in (opened, high, low, close)), 1_000_000, dividend, split


def main(folder: Path) -> None:
    """Writes prices.csv, companies.csv and market.toml."""
    generator = np.random.default_rng(5)
    days = TradingCalendar("XNYS", FIRST, LAST).sessions(FIRST, LAST)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "prices.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(FIELDS)
        for ticker in ("ACME", "BOLT", "FUND"):
            table.writerows(rows(ticker, days, generator))
    # FUND has prices and no row here: it is no company, hence the benchmark.
    (folder / "companies.csv").write_text(
        "ticker,name,sector\nACME,Acme Corp.,Industrials\nBOLT,Bolt Inc.,Technology\n", encoding="utf-8"
    )
    (folder / "market.toml").write_text(MARKET, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
