"""One instrument's trades as arrays, prepared once per market, so that a view costs a slice of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .bars import Bars, Matrix

Vector = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PriceArrays:
    """Daily bars of one instrument as of a view: arrays of equal length, oldest first, sessions without trade left out.

    Prices and volumes are in the shares of the view's session, that is, adjusted for the splits known by then.
    """

    rows: Rows
    """Where each bar's session stands in `MarketView.sessions`."""
    open: Vector
    """Currency per share."""
    high: Vector
    low: Vector
    close: Vector
    volume: Vector
    """Shares."""
    dividend: Vector
    """Currency per share, on its ex-date."""
    split: Vector
    """New shares per old share, effective before the session's open; 1 without."""

    def __len__(self) -> int:
        return len(self.rows)


class Trades:
    """Every trade day of one instrument, future included: `Market` keeps it, a view hands out copies of its past."""

    def __init__(self, bars: Bars, column: int) -> None:
        self.rows: Rows = np.flatnonzero(np.isfinite(bars.close[:, column]))
        """Rows of the bars at which it traded, ascending."""
        fields = (bars.open, bars.high, bars.low, bars.close, bars.dividend, bars.volume, bars.split)
        self._values = np.array([matrix[self.rows, column] for matrix in fields])
        splits = np.flatnonzero(bars.split[:, column] != 1.0)
        self._splits = [(int(row), float(bars.split[row, column])) for row in splits]
        self.splits = tuple(
            (row, ratio) for row, ratio in self._splits if ratio != 0 and np.isfinite(bars.close[row, column])
        )
        """(row, new shares per old share) of the sessions at which it traded after a split, ascending."""

    def count(self, sessions: int) -> int:
        """How many trade days lie within the first so many sessions."""
        return int(np.searchsorted(self.rows, sessions))

    def until(self, sessions: int, last: int | None = None) -> PriceArrays:
        """The bars within the first so many sessions, adjusted for the splits within them; only the `last` of these."""
        stop = self.count(sessions)
        start = 0 if last is None else max(0, stop - last)
        rows = self.rows[start:stop].copy()
        # A copy: what a tool holds must not lead back to later rows.
        values = self._values[:, start:stop].copy()
        later = [(row, factor) for row, factor in self._splits if len(rows) and rows[0] < row < sessions]
        if later:
            shares = np.ones(len(rows))
            for row, factor in reversed(later):  # newest first: the order decides the product's last bits
                shares[: int(np.searchsorted(rows, row))] *= factor
            values[:5] /= shares
            values[5] *= shares
        opened, high, low, close, dividend, volume, split = values
        return PriceArrays(rows, opened, high, low, close, volume, dividend, split)


def total_returns(bars: Bars) -> Matrix:
    """Returns of holding one share through splits and dividends, from trade to trade, per instrument.

    With S the running product of splits and D the running sum of dividends per first share, the value of the holding
    at t is S_t close_t, and the return since the trade at s is (S_t close_t + D_t - D_s) / (S_s close_s) - 1.
    """
    shares = np.cumprod(bars.split, axis=0)
    cash = np.cumsum(bars.dividend * shares, axis=0)
    worth = bars.close * shares
    returns = np.full(bars.close.shape, np.nan)
    for j in range(len(bars.tickers)):
        traded = np.flatnonzero(np.isfinite(bars.close[:, j]))
        now, before = traded[1:], traded[:-1]
        returns[now, j] = (worth[now, j] + cash[now, j] - cash[before, j]) / worth[before, j] - 1
    return returns


def equally_weighted(returns: Matrix, columns: Sequence[int]) -> Vector:
    """(T,) mean return of the instruments that have one, NaN where none has; row t depends on row t alone."""
    total, count = np.zeros(len(returns)), np.zeros(len(returns))
    for j in columns:  # in order, so that a row's sum has the same bits however many rows there are
        known = np.isfinite(returns[:, j])
        total += np.where(known, returns[:, j], 0.0)
        count += known
    mean = np.full(len(returns), np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean


def level_of(returns: Vector) -> Vector:
    """(T,) what one unit has grown to by each row; NaN where there is no return."""
    known = np.isfinite(returns)
    level = np.cumprod(np.where(known, 1 + returns, 1.0), dtype=np.float64)
    level[~known] = np.nan
    return level
