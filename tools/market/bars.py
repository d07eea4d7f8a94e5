"""Prices of many instruments on one calendar, as traded."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Bars:
    """Daily bars on the union calendar: T sessions by N instruments, in the money and shares of their own day.

    "As traded" means not adjusted for anything: on the day of a 10:1 split the price falls to a tenth and `split` is
    10. NaN in a price says that the instrument did not trade (not yet listed, halted, delisted).
    """

    sessions: tuple[date, ...]
    """Length T, ascending, no repeats."""
    tickers: tuple[str, ...]
    """Length N."""
    open: Matrix
    """(T, N) in currency per share."""
    high: Matrix
    low: Matrix
    close: Matrix
    volume: Matrix
    """(T, N) shares; 0 where nothing traded."""
    dividend: Matrix
    """(T, N) cash per share with this ex-date; 0 otherwise."""
    split: Matrix
    """(T, N) new shares per old share, effective before this session's open; 1 otherwise."""

    def column(self, ticker: str) -> int:
        """Index of an instrument.

        Raises:
            KeyError: no such instrument in these bars.
        """
        return self._columns[ticker]

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {ticker: j for j, ticker in enumerate(self.tickers)}

    def select(self, tickers: tuple[str, ...], start: date, end: date) -> "Bars":
        """The bars of some instruments with `start <= session <= end`."""
        columns = [self.column(name) for name in tickers]
        rows = [i for i, day in enumerate(self.sessions) if start <= day <= end]
        box = np.ix_(rows, columns)
        return Bars(
            sessions=tuple(self.sessions[i] for i in rows),
            tickers=tickers,
            open=self.open[box],
            high=self.high[box],
            low=self.low[box],
            close=self.close[box],
            volume=self.volume[box],
            dividend=self.dividend[box],
            split=self.split[box],
        )
