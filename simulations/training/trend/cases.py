"""What a trend is learnt from: what was known about a company at a close, and what its share did afterwards.

What is known comes through `MarketView` at the close of session t: figures of price and filings, the tone of the latest
release, and the words of the newest document as a vector. The answer is whether the total return from the close of t to
that of t + k is above the market's (the benchmark's, or the mean of the companies).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from ....tools.frozen import content_hash
from ....tools.indicators import indicators
from ....tools.market.documents.embedding import DIMENSIONS, embed
from ....tools.market.fundamentals import ratios
from ....tools.market.view import Market, MarketView
from ....tools.sentiment.lexicon import latest_tone, spoken
from ...evaluation.splits import Spans
from ..exercises import TooLittleData

DOCUMENT_DAYS = 100
"""An older document says nothing."""
MOMENTUM = "momentum_12_1"
"""The measure whose sign the baseline follows."""
Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Cases:
    """n cases, ascending by session; f figures."""

    measures: tuple[str, ...]
    figures: Matrix
    """(n, f); NaN where a figure is not known."""
    words: NDArray[np.float32]
    """(n, 256) direction of the newest document's words; 0 without one."""
    above: Places
    """(n,) 1 where the return was above the market's, else 0."""
    excess: Vector
    """(n,) the return beyond the market's, a fraction."""
    spans: Spans
    """From the session at whose close a case is judged to the one at whose close its answer is known."""
    tickers: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.above)

    @property
    def digest(self) -> str:
        """Hash of all that is learnt."""
        known = np.nan_to_num(self.figures, nan=-1e9)
        arrays = (known, self.words, self.above, self.spans.first, self.spans.last)
        return content_hash([self.measures, self.tickers, *([list(a.shape), a.tobytes().hex()] for a in arrays)])


def cases_of(market: Market, sessions: int, every: int, say: Callable[[str], None] = lambda text: None) -> Cases:
    """The cases of a market: every company that traded, at every so many sessions of its window.

    Args:
        market: the whole market; what is known is read through its views.
        sessions: k, over which the return is taken.
        every: sessions from one close that is judged to the next.
        say: told what is being done.

    Raises:
        TooLittleData: the window holds no case.
    """
    days = market.dataset.bars.sessions
    start, end = bisect_left(days, market.window[0]), bisect_right(days, market.window[1]) - 1
    growth = np.nan_to_num(market.total_returns)
    market_growth = np.nan_to_num(market.market_returns)
    found: list[tuple[dict[str, float], NDArray[np.float32], float, int, str]] = []
    read: dict[str, NDArray[np.float32]] = {}
    places = range(start, min(end, len(days) - 1 - sessions) + 1, every)
    say(f"reading {len(places)} closes of {len(market.tickers)} companies")
    for place in places:
        view = market.view(market.calendar.close_of(days[place]))
        after = slice(place + 1, place + 1 + sessions)
        of_market = float(np.prod(1 + market_growth[after]))
        for ticker in market.tickers:
            column = market.column(ticker)
            # what left the exchange meanwhile has no return over the whole span
            if not view.is_tradable(ticker) or not np.isfinite(market.total_returns[after, column]).all():
                continue
            excess = float(np.prod(1 + growth[after, column])) - of_market
            found.append((_figures(view, ticker), _words(view, ticker, read), excess, place, ticker))
    if not found:
        raise TooLittleData(f"{market.name} has no company with {sessions} sessions ahead: take a longer market.")
    measures = tuple(sorted({name for figures, *_ in found for name in figures}))
    first = np.array([place for *_, place, _ in found], dtype=np.int64)
    beyond = np.array([row[2] for row in found])
    return Cases(
        measures=measures,
        figures=np.array([[row[0].get(name, np.nan) for name in measures] for row in found]),
        words=np.array([row[1] for row in found]),
        above=(beyond > 0).astype(np.int64),
        excess=beyond,
        spans=Spans(first, first + sessions),
        tickers=tuple(row[4] for row in found),
    )


def _figures(view: MarketView, ticker: str) -> dict[str, float]:
    tone = latest_tone(view, ticker, DOCUMENT_DAYS)
    items = [*indicators(view, ticker), *ratios(view, ticker), *([tone] if tone else [])]
    return {item.measure: item.value for item in items if item.value is not None}


def _words(view: MarketView, ticker: str, read: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    stories = view.stories(ticker, since=view.as_of - timedelta(days=DOCUMENT_DAYS))
    if not stories:
        return np.zeros(DIMENSIONS, dtype=np.float32)
    newest = stories[-1]
    if newest.id not in read:
        read[newest.id] = embed([spoken(newest.text, view.company(ticker).name)])[0]
    return read[newest.id]
