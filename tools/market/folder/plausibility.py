"""What opens, but wants a look: balance sheets that do not balance, and rows about tickers without prices."""

from collections import Counter

import numpy as np

from .documents import DocumentRows
from .facts import FactRows
from .price_steps import look_for_gaps, look_for_steps
from .prices import PriceRows
from .settings import MarketFile

_BALANCE_TOLERANCE = 0.005
"""Relative to assets; rounding to millions stays far below it."""


def look(
    settings: MarketFile | None,
    prices: PriceRows | None,
    facts: FactRows | None,
    documents: tuple[DocumentRows, ...],
) -> None:
    """Record the warnings of a folder in its findings, as far as it could be read."""
    if prices is not None and prices.sessions:
        look_for_gaps(prices)
    if prices is not None and settings is not None:
        look_for_steps(prices, settings)
    if facts is not None:
        _look_at_balances(facts)
    if prices is None:
        return
    known = frozenset(prices.instruments)
    if facts is not None:
        _look_for_strangers(facts, known)
    for rows in documents:
        _look_for_unknown_subjects(rows, known)


def _look_at_balances(facts: FactRows) -> None:
    """Assets = Liabilities + Equity, for each company, day and filing that gives all three."""
    levels = {}
    for concept in ("Assets", "Liabilities", "Equity"):
        if concept not in facts.concepts.vocabulary:
            return
        code = facts.concepts.vocabulary.index(concept)
        given = (facts.concepts.codes == code) & np.isnat(facts.starts) & ~np.isnat(facts.ends)
        rows = np.flatnonzero(given & np.isfinite(facts.values))
        keys = zip(facts.tickers.codes[rows], facts.ends[rows], facts.accessions.codes[rows], strict=True)
        levels[concept] = dict(zip(keys, rows.tolist(), strict=True))
    for key, row in levels["Assets"].items():
        others = [levels[concept][key] for concept in ("Liabilities", "Equity") if key in levels[concept]]
        if len(others) < 2:
            continue
        assets, liabilities, equity = facts.values[[row, *others]]
        gap = assets - liabilities - equity
        if abs(gap) > _BALANCE_TOLERANCE * abs(assets):
            message = (
                f"Assets of {assets:,.15g} are not Liabilities of {liabilities:,.15g} plus Equity of {equity:,.15g} "
                f"for {facts.tickers.text(row)} on {facts.ends[row]} ({gap / assets:+.1%}); check the three, or leave "
                "it where something stands between the two, such as redeemable interests"
            )
            facts.table.warn(row, "value", "balance_identity", message)


def _look_for_strangers(facts: FactRows, known: frozenset[str]) -> None:
    strange = np.array([name not in known and name != "" for name in facts.tickers.vocabulary], dtype=bool)
    codes, first, counts = np.unique(facts.tickers.codes, return_index=True, return_counts=True)
    for code, row, count in zip(codes.tolist(), first.tolist(), counts.tolist(), strict=True):
        if strange[code]:
            message = _passed_over(facts.tickers.vocabulary[code], count)
            facts.table.warn(row, "ticker", "unknown_ticker", message)


def _look_for_unknown_subjects(rows: DocumentRows, known: frozenset[str]) -> None:
    counts = Counter(document.ticker for document in rows.documents)
    for document, line in zip(rows.documents, rows.lines, strict=True):
        if document.ticker not in known and counts[document.ticker]:
            message = _passed_over(document.ticker, counts[document.ticker])
            rows.findings.warn("unknown_ticker", rows.file, message, line, "ticker")
            counts[document.ticker] = 0


def _passed_over(ticker: str, count: int) -> str:
    rows = "this row is" if count == 1 else f"its {count} rows are"
    return f"{ticker} has no prices, so {rows} passed over; add its prices or remove them"
