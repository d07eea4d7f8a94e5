"""The relations file: who supplies, buys from, works or competes with whom, and from when on it is known."""

from datetime import UTC, datetime
from typing import get_args

import numpy as np

from ..relations.records import Link, LinkKind, by_time
from .cells import Words, moments, words
from .tables import Table

COLUMNS = ("ticker", "kind", "other", "available_at")
OPTIONAL = ("until", "source")


def read_relations(table: Table, companies: frozenset[str] | None) -> tuple[Link, ...]:
    """Read and check the rows, in order of time.

    Args:
        table: the file.
        companies: tickers that have prices and, where there is a companies file, a row in it; None where the prices
            are unknown.
    """
    tickers, kinds, others = (words(table, name) for name in ("ticker", "kind", "other"))
    available, until = moments(table, "available_at"), moments(table, "until", optional=True)
    sources = words(table, "source", optional=True)
    known, links = get_args(LinkKind), []
    seen: dict[tuple[str, str, str, str], int] = {}
    for row in range(len(table)):
        ticker, kind, other = (column.text(row) for column in (tickers, kinds, others))
        if not (ticker and kind and other) or np.isnat(available[row]):
            continue
        sound = True
        if kind not in known:
            message = f"{kind!r} is no relation; write {', '.join(known)}"
            table.error(row, "kind", "not_a_relation", message)
            sound = False
        if ticker == other:
            table.error(row, "other", "own_relation", f"{ticker} is related to itself; name the other company")
            sound = False
        if until[row] <= available[row]:
            message = "it ends before it is known; give a later time, or none while it holds"
            table.error(row, "until", "relation_ends_early", message)
            sound = False
        key = (ticker, kind, other, str(available[row]))
        if key in seen:
            line = int(table.lines[seen[key]])
            table.error(row, "ticker", "duplicate_relation", f"it stands in line {line} already; keep only one")
            sound = False
        seen.setdefault(key, row)
        if sound and (companies is None or {ticker, other} <= companies):
            links.append(
                Link(
                    kind=kind,  # type: ignore[arg-type]  # one of `known`
                    ticker=ticker,
                    other=other,
                    available_at=_utc(available[row]),
                    until=None if np.isnat(until[row]) else _utc(until[row]),
                    basis="file",
                    source=sources.text(row),
                )
            )
    _look_for_strangers(table, (tickers, others), companies)
    return tuple(sorted(links, key=lambda link: (*by_time(link), link.ticker, link.other)))


def _look_for_strangers(table: Table, columns: tuple[Words, Words], companies: frozenset[str] | None) -> None:
    """Warn once of each ticker that is no company of the market."""
    if companies is None:
        return
    told: set[str] = set()
    for name, column in zip(("ticker", "other"), columns, strict=True):
        for row in range(len(table)):
            ticker = column.text(row)
            if ticker and ticker not in companies and ticker not in told:
                told.add(ticker)
                message = f"{ticker} is no company of this market, so its rows are passed over; add it or remove them"
                table.warn(row, name, "unknown_ticker", message)


def _utc(moment: np.datetime64) -> datetime:
    value: datetime = moment.astype("datetime64[us]").item()
    return value.replace(tzinfo=UTC)
