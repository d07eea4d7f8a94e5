"""Everything the analysts' plans gather, for many companies at one time: the tools' own functions, called in one go.

What a pack holds is, to the bit, what the research tools of `toolbox` answer one by one; only the search is done for
all companies together.
"""

from collections.abc import Sequence

from .evidence import Evidence
from .indicators import indicators
from .market.documents.search import search_many
from .market.fundamentals import ratios
from .market.view import MarketView
from .sentiment.lexicon import latest_tone

QUERY = "quarterly results, guidance and outlook"
"""What an analyst wants to read about, unless it says otherwise."""
PASSAGES = 1
"""Passages per company, unless more are asked for."""


def evidence_pack(
    view: MarketView, tickers: Sequence[str], query: str = QUERY, passages: int = PASSAGES
) -> dict[str, tuple[Evidence, ...]]:
    """The evidence on each company: ratios, tone of the latest release, best passages, price indicators and risk.

    Args:
        view: what is known.
        tickers: companies, each once.
        query: what the passages are to answer.
        passages: how many of them at most, per company.

    Returns:
        By ticker, in the order given; what is not known or undefined is absent.

    Raises:
        InputError: there is no such company.
    """
    # tool by tool, not company by company: the processor's caches hold one tool, not four
    found = search_many(view, tickers, query, k=passages)
    filed = [ratios(view, ticker) for ticker in tickers]
    tones = [latest_tone(view, ticker) for ticker in tickers]
    priced = [indicators(view, ticker) for ticker in tickers]
    return {
        ticker: (*figures, *([tone] if tone else ()), *found[ticker], *prices)
        for ticker, figures, tone, prices in zip(tickers, filed, tones, priced, strict=True)
    }
