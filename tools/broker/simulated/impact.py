"""How far an order moves the price: the square-root law on what was known before the session."""

import math

import numpy as np

from ...market.bars import Bars
from .feed import marks

WINDOW = 20
"""Sessions before the current one over which volume and volatility are taken."""
FEWEST = 5
"""Returns that a volatility needs."""
UNKNOWN_VOLATILITY = 0.02
"""Per session; taken where there are fewer returns."""


class Impact:
    """Relative distance of a fill for the size of its order.

    `factor * volatility * sqrt(shares / average volume)`, both over the 20 sessions before; splits are undone. Without
    any volume before, the session's own is taken; without any at all the impact is left out.
    """

    def __init__(self, bars: Bars, factor: float) -> None:
        self._bars, self._factor = bars, factor
        last = marks(bars)
        grown = last[1:] * bars.split[1:] / last[:-1]
        self._returns = np.vstack([np.full(last.shape[1], np.nan), np.log(grown)])

    def distance(self, row: int, column: int, shares: float) -> float:
        """As a fraction of the price, for an order of `shares` in the session `row`."""
        if shares <= 0:
            return 0.0
        first = max(0, row - WINDOW)
        # Volumes in the shares of today: those before a split count for more shares.
        split = self._bars.split[first + 1 : row + 1, column]
        volume = self._bars.volume[first:row, column] * np.cumprod(split[::-1])[::-1]
        average = float(np.nanmean(volume)) if np.isfinite(volume).any() else 0.0
        average = average or float(np.nan_to_num(self._bars.volume[row, column]))
        if not average:
            return 0.0
        known = self._returns[first:row, column]
        known = known[np.isfinite(known)]
        volatility = float(known.std(ddof=1)) if len(known) >= FEWEST else UNKNOWN_VOLATILITY
        return min(0.5, self._factor * volatility * math.sqrt(shares / average))
