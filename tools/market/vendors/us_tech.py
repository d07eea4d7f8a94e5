"""Four US technology shares, 2000-03-01 to 2013-03-01, from the public-domain sample data of Bokeh.

The prices there are as traded, from Quandl's WIKI table, beside a close that is adjusted for splits and dividends.
What happened on a day is read back from how the ratio of the two changed.
"""

from datetime import date

import numpy as np
import pandas as pd

from ...clock import TradingCalendar
from ...errors import DataError, InputError
from ..bars import Bars, Matrix
from ..dataset import empty_facts, fingerprinted
from ..records import Company, Dataset

_COMPANIES = (
    Company("AAPL", "Apple Inc.", "Electronic Computers", "Technology"),
    Company("GOOG", "Google Inc.", "Internet Services", "Technology"),
    Company("IBM", "International Business Machines Corp.", "Computer Services", "Technology"),
    Company("MSFT", "Microsoft Corp.", "Prepackaged Software", "Technology"),
)
_WINDOW = (date(2007, 1, 3), date(2009, 12, 31))
_NOTE = (
    "Real prices of AAPL, GOOG, IBM and MSFT, 2000 to 2013 (Quandl WIKI, by way of bokeh-sampledata), without filings, "
    "documents or benchmark; four survivors of their time, so good for trying things out and for no conclusion."
)

_SPLITS = (1.5, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 20.0)
"""Share ratios that companies choose; a step that is not near one of them is a dividend."""
_SPLIT_TOLERANCE = 0.02
_NOISE = 1e-6
"""Relative steps below this are rounding: the adjusted close has six digits or more, the smallest dividend is 1e-3."""


def us_tech() -> Dataset:
    """The market `us-tech`.

    Raises:
        InputError: the extra `markets` is not installed, or its sample data is another edition.
        DataError: the sample data does not line up with the exchange's calendar.
    """
    try:
        from bokeh_sampledata.stocks import data as table
    except ImportError:
        raise InputError(
            "the market us-tech needs the package bokeh-sampledata; install it by pip install 'paperdesk[markets]'"
        ) from None
    tickers = tuple(company.ticker for company in _COMPANIES)
    frames = {ticker: _frame(table, ticker) for ticker in tickers}
    first = min(frame.index[0] for frame in frames.values()).date()
    last = max(frame.index[-1] for frame in frames.values()).date()
    sessions = TradingCalendar("XNYS", first, last).sessions(first, last)
    stray = sorted({day.date() for frame in frames.values() for day in frame.index} - set(sessions))
    if stray:
        raise DataError(f"bokeh-sampledata has prices on {stray[0]}, no session of XNYS; install the release 2026.1")
    index = pd.DatetimeIndex(sessions)
    grids = {ticker: frame.reindex(index) for ticker, frame in frames.items()}

    def grid(column: str, absent: float = np.nan) -> Matrix:
        return np.column_stack([grids[name][column].fillna(absent).to_numpy(np.float64) for name in tickers])

    bars = Bars(
        sessions=sessions,
        tickers=tickers,
        open=grid("open"),
        high=grid("high"),
        low=grid("low"),
        close=grid("close"),
        volume=grid("volume", 0.0),
        dividend=grid("dividend", 0.0),
        split=grid("split", 1.0),
    )
    dataset = Dataset(
        name="us-tech",
        note=_NOTE,
        generated=False,
        calendar="XNYS",
        bars=bars,
        companies={company.ticker: company for company in _COMPANIES},
        facts=empty_facts(),
        documents=(),
        window=_WINDOW,
    )
    return fingerprinted(dataset)


def _frame(table: pd.DataFrame, ticker: str) -> pd.DataFrame:
    """One ticker by date, with `dividend` and `split` added."""
    frame = table[table["ticker"] == ticker].set_index("date").sort_index()
    adjusted = frame["adj_close"].to_numpy(np.float64)
    if np.allclose(adjusted * 100, np.round(adjusted * 100), rtol=0, atol=1e-6):
        # Editions before 2026 round the adjusted close to cents, which hides IBM's early dividends.
        raise InputError("bokeh-sampledata is too old for us-tech; update it by pip install -U 'paperdesk[markets]'")
    split, dividend = corporate_actions(frame["close"].to_numpy(np.float64), adjusted)
    return frame.assign(split=split, dividend=dividend)


def corporate_actions(close: Matrix, adjusted: Matrix) -> tuple[Matrix, Matrix]:
    """Splits and dividends from closes as traded and closes adjusted for both.

    Quandl's step of adjusted over traded close is split x (1 + dividend / close) on the ex-date, with the dividend in
    the shares and against the close of that day.

    Args:
        close: (T,) as traded.
        adjusted: (T,) adjusted.

    Returns:
        split: (T,) new shares per old, 1 without; dividend: (T,) cash per share, 0 without, to a hundredth of a cent.
    """
    ratio = adjusted / close
    step = np.ones_like(close)
    step[1:] = ratio[1:] / ratio[:-1]
    split = np.ones_like(close)
    for share_ratio in _SPLITS:
        split[np.abs(step / share_ratio - 1) < _SPLIT_TOLERANCE] = share_ratio
    excess = step / split - 1
    dividend = np.where(np.abs(excess) < _NOISE, 0.0, np.round(excess * close, 4))
    return split, dividend
