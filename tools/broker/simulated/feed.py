"""Bars as backtrader feeds: whole numpy columns put into its line arrays at once, on one calendar for all names.

backtrader's own pandas feed reads bar by bar, which is more than half of its running time. All feeds here have a row
for every session of the union calendar, so a name that is listed late or halted neither stalls the others nor shows a
price from another day.
"""

from array import array
from typing import Any

import backtrader as bt
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...errors import DataError
from ...market.bars import Bars, Matrix

Column = NDArray[np.float64]


class ArrayFeed(bt.feed.DataBase):  # type: ignore[misc]  # backtrader has no types
    """A feed of daily columns of equal length; `columns` holds one array per line, `datetime` included."""

    params = (("columns", None),)

    @property
    def length(self) -> int:
        """How many bars there are."""
        return len(self.p.columns["datetime"])

    def seek(self, row: int) -> None:
        """Stand at one bar, whatever was read before."""
        for line in self.lines.lines:
            line.idx, line.lencount = row, row + 1

    def preload(self) -> None:
        """Fill all lines in one go and rewind to before the first bar."""
        length = self.length
        for name in self.lines.getlinealiases():
            line = getattr(self.lines, name)
            line.array = array("d")
            line.array.frombytes(np.ascontiguousarray(self.p.columns[name], dtype=np.float64).tobytes())
            line.idx, line.lencount = length - 1, length
        self.home()


def tradable(bars: Bars) -> NDArray[np.bool_]:
    """(T, N): whether an order can fill at this open; a session without an open or a close is no trade."""
    return np.isfinite(bars.open) & np.isfinite(bars.close)


def marks(bars: Bars) -> Matrix:
    """(T, N) last known close in the shares of the row's own day; NaN before the first one.

    A price that is carried over a split is divided by it, so that a halted or delisted position keeps its value.
    """
    out = np.array(bars.close, dtype=np.float64)
    for row in range(1, len(out)):
        gone = ~np.isfinite(out[row])
        out[row, gone] = out[row - 1, gone] / bars.split[row, gone]
    return out


def opening_values(bars: Bars, valuation: Matrix) -> Matrix:
    """(T, N) what a share is worth at the open: that price, or the last close where nothing trades; NaN if unlisted."""
    carried = np.vstack([np.full(len(bars.tickers), np.nan), valuation[:-1]]) / bars.split
    return np.where(tradable(bars), bars.open, carried)


def days_closed(bars: Bars, closed: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    """(T, N) days on which the exchange of a name is closed while another one is open; none unless given.

    Raises:
        DataError: the matrix has another shape than the bars, or a name trades while its exchange is said to be closed.
    """
    traded = tradable(bars)
    if closed is None:
        return np.zeros(traded.shape, dtype=np.bool_)
    if closed.shape != traded.shape:
        raise DataError(f"closed has shape {closed.shape}, not {traded.shape}; give a row per session of the bars")
    for row, column in np.argwhere(closed & traded):
        name, day = bars.tickers[column], bars.sessions[row]
        raise DataError(f"{name} trades on {day}, when its exchange is said to be closed; correct one of the two")
    return closed


def sessions_without_trade(bars: Bars, closed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(T, N) sessions of its own exchange since the last one in which a name traded: 0 on a day with a trade."""
    traded = tradable(bars)
    out = np.zeros(traded.shape, dtype=np.int64)
    for row in range(len(out)):
        out[row] = np.where(traded[row], 0, (out[row - 1] if row else 0) + ~closed[row])
    return out


def columns_of(bars: Bars, valuation: Matrix) -> list[dict[str, Column]]:
    """The lines of each instrument's feed, in the order of `bars.tickers`.

    `valuation` (T, N, from `marks`) becomes the close that backtrader values a position with. An open at which nothing
    can fill is NaN, which the ledger's filler refuses. Dates go in as whole ordinals: no time zone can shift them.
    """
    days = np.array([float(day.toordinal()) for day in bars.sessions])
    opens = np.where(tradable(bars), bars.open, np.nan)
    return [
        {
            "datetime": days,
            "open": opens[:, i],
            # A bar's open and close were traded, whatever its range says; a range that is missing is that of both.
            "high": np.fmax(bars.high[:, i], np.fmax(opens[:, i], bars.close[:, i])),
            "low": np.fmin(bars.low[:, i], np.fmin(opens[:, i], bars.close[:, i])),
            "close": np.nan_to_num(valuation[:, i]),  # 0 before listing: nothing is held then
            "volume": np.nan_to_num(bars.volume[:, i]),
            "openinterest": np.zeros(len(days)),
        }
        for i in range(len(bars.tickers))
    ]


def array_feeds(bars: Bars, valuation: Matrix) -> list[Any]:
    """One `ArrayFeed` per instrument."""
    columns = columns_of(bars, valuation)
    return [ArrayFeed(name=ticker, columns=lines) for ticker, lines in zip(bars.tickers, columns, strict=True)]


def pandas_feeds(bars: Bars, valuation: Matrix) -> list[Any]:
    """The same as backtrader's own feeds, which read a frame bar by bar."""
    index = pd.DatetimeIndex(bars.sessions)
    return [
        bt.feeds.PandasData(dataname=pd.DataFrame({k: v for k, v in lines.items() if k != "datetime"}, index=index))
        for lines in columns_of(bars, valuation)
    ]


def check_bars(bars: Bars) -> None:
    """Refuse bars that backtrader would take without a word and get wrong.

    Raises:
        DataError: no sessions; sessions out of order or repeated; a ticker twice; an array of the wrong shape; a price
            that is infinite or not positive; a negative volume or dividend; a split that is not positive.
    """
    if not bars.sessions:
        raise DataError("the bars hold no session; choose a window in which the market traded")
    for before, after in zip(bars.sessions, bars.sessions[1:], strict=False):
        if after <= before:
            raise DataError(f"session {after} follows {before}; sort the bars by date and drop repeated days")
    if len(set(bars.tickers)) != len(bars.tickers):
        raise DataError("a ticker appears twice in the bars; keep one column per instrument")
    shape = (len(bars.sessions), len(bars.tickers))
    for name in ("open", "high", "low", "close", "volume", "dividend", "split"):
        matrix: Matrix = getattr(bars, name)
        if matrix.shape != shape:
            raise DataError(
                f"{name} has shape {matrix.shape}, not {shape}; give a row per session, a column per ticker"
            )
        _check_values(name, matrix, bars)


def _check_values(name: str, matrix: Matrix, bars: Bars) -> None:
    if name in {"open", "high", "low", "close"}:
        wrong, need = np.isinf(matrix) | (matrix <= 0), "positive, or NaN where nothing traded"
    elif name == "split":
        wrong, need = ~np.isfinite(matrix) | (matrix <= 0), "positive (1 on a day without a split)"
    elif name == "dividend":
        wrong, need = ~np.isfinite(matrix) | (matrix < 0), "zero or more"
    else:
        wrong, need = np.isinf(matrix) | (matrix < 0), "zero or more"
    if wrong.any():
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        raise DataError(
            f"{name} of {bars.tickers[column]} on {bars.sessions[row]} is {matrix[row, column]}; it must be {need}"
        )
