"""Twenty large US companies and their index, 1990-01-02 to 2022-12-28, from the sample data of skfolio.

What is there are closes that are adjusted for splits and dividends, to a tenth of a cent; nothing else. Three things
follow. An order that was decided at the close of session t fills at the close of t + 1, the first price after the
decision: open, high and low are that close. Volumes are unknown; the constant in their place says no more than that
orders of up to ten million dollars find a counterparty. Returns include dividends, but price levels know about later
ones, so they say nothing by themselves, and there is nothing here that would compare them with a figure of a filing.
"""

from datetime import date
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from ...clock import TradingCalendar
from ...errors import DataError, InputError
from ..bars import Bars, Matrix
from ..dataset import empty_facts, fingerprinted
from ..records import Company, Dataset

BENCHMARK = "SP500"
ASSUMED_VOLUME = 100_000_000.0
"""Shares per session of each name."""
_WINDOW = (date(2020, 1, 2), date(2022, 12, 27))
_NOTE = (
    "Real closes of 20 large US companies, 1990 to 2022, adjusted for splits and dividends (sample data of skfolio): "
    "orders fill at the next close, volumes are an assumption, the index SP500 is without dividends, there are no "
    "filings or documents, and all 20 are survivors, so good for trying things out and for no conclusion."
)

_COMPANIES = (
    Company("AAPL", "Apple Inc.", "Consumer Electronics", "Information Technology"),
    Company("AMD", "Advanced Micro Devices, Inc.", "Semiconductors", "Information Technology"),
    Company("BAC", "Bank of America Corporation", "Banks", "Financials"),
    Company("BBY", "Best Buy Co., Inc.", "Specialty Retail", "Consumer Discretionary"),
    Company("CVX", "Chevron Corporation", "Oil, Gas and Consumable Fuels", "Energy"),
    Company("GE", "General Electric Company", "Industrial Conglomerates", "Industrials"),
    Company("HD", "The Home Depot, Inc.", "Specialty Retail", "Consumer Discretionary"),
    Company("JNJ", "Johnson & Johnson", "Pharmaceuticals", "Health Care"),
    Company("JPM", "JPMorgan Chase & Co.", "Banks", "Financials"),
    Company("KO", "The Coca-Cola Company", "Beverages", "Consumer Staples"),
    Company("LLY", "Eli Lilly and Company", "Pharmaceuticals", "Health Care"),
    Company("MRK", "Merck & Co., Inc.", "Pharmaceuticals", "Health Care"),
    Company("MSFT", "Microsoft Corporation", "Software", "Information Technology"),
    Company("PEP", "PepsiCo, Inc.", "Beverages", "Consumer Staples"),
    Company("PFE", "Pfizer Inc.", "Pharmaceuticals", "Health Care"),
    Company("PG", "The Procter & Gamble Company", "Household Products", "Consumer Staples"),
    Company("RRC", "Range Resources Corporation", "Oil, Gas and Consumable Fuels", "Energy"),
    Company("UNH", "UnitedHealth Group Incorporated", "Health Care Providers and Services", "Health Care"),
    Company("WMT", "Walmart Inc.", "Consumer Staples Distribution and Retail", "Consumer Staples"),
    Company("XOM", "Exxon Mobil Corporation", "Oil, Gas and Consumable Fuels", "Energy"),
)


def sp20() -> Dataset:
    """The market `sp20`.

    Raises:
        InputError: skfolio (extra `markets`) is not installed, or is an edition with other sample data.
        DataError: the sample data does not line up with the exchange's calendar.
    """
    closes = _closes()
    first, last = closes.index[0].date(), closes.index[-1].date()
    sessions = TradingCalendar("XNYS", first, last).sessions(first, last)
    stray = sorted({day.date() for day in closes.index} ^ set(sessions))
    if stray:
        raise DataError(
            f"skfolio's sample data and the calendar XNYS do not agree about {stray[0]}; install skfolio 1.12"
        )
    tickers = tuple(str(name) for name in closes.columns)
    close: Matrix = closes.to_numpy(np.float64)
    bars = Bars(
        sessions=sessions,
        tickers=tickers,
        open=close,
        high=close,
        low=close,
        close=close,
        volume=np.full_like(close, ASSUMED_VOLUME),
        dividend=np.zeros_like(close),
        split=np.ones_like(close),
    )
    dataset = Dataset(
        name="sp20",
        note=_NOTE,
        generated=False,
        calendar="XNYS",
        bars=bars,
        companies={company.ticker: company for company in _COMPANIES},
        facts=empty_facts(),
        documents=(),
        benchmark=BENCHMARK,
        window=_WINDOW,
    )
    return fingerprinted(dataset)


def _closes() -> pd.DataFrame:
    """The adjusted closes of companies and index by date, columns in alphabetical order."""
    # The files are read without importing skfolio, which takes over two seconds and loads scikit-learn.
    package = find_spec("skfolio")
    if package is None or package.origin is None:
        raise InputError("the market sp20 needs the package skfolio; install it by pip install 'paperdesk[markets]'")
    folder = Path(package.origin).parent / "datasets" / "data"
    wanted = [company.ticker for company in _COMPANIES]
    try:
        frames = [
            pd.read_csv(folder / name, index_col="Date", parse_dates=True)
            for name in ("sp500_dataset.csv.gz", "sp500_index.csv.gz")
        ]
        closes = pd.concat([frames[0][wanted], frames[1][[BENCHMARK]]], axis=1, verify_integrity=True)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"the installed skfolio has other sample data than sp20 is made of ({error}); install skfolio 1.12"
        ) from error
    values = closes.to_numpy(np.float64)
    if not (np.isfinite(values).all() and (values > 0).all() and closes.index.is_monotonic_increasing):
        raise DataError("skfolio's sample data has a gap, a price that is not positive, or days out of order")
    return closes[sorted(closes.columns)]
