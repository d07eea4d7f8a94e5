"""The series of a session: the ledger day by day, and every trade."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from ...memory.journal import Journal
from ...memory.journal.rows import Row, numbers_of, rows, rows_at, values_of

T = TypeVar("T")


@dataclass(frozen=True)
class Bar:
    """The ledger at the end of an exchange session."""

    seq: int
    decision: int | None
    """In force on that day."""
    day: date
    equity: float
    cash: float
    weights: dict[str, float]
    """Value of each position over equity."""


@dataclass(frozen=True)
class Trade:
    """An execution and what it cost."""

    seq: int
    decision: int | None
    day: date
    ticker: str
    side: str
    quantity: float
    price: float
    open_price: float
    commission: float

    @property
    def value(self) -> float:
        """Money that changed hands, without costs."""
        return self.quantity * self.price

    @property
    def slippage(self) -> float:
        """What the fill was worse than the session's open, in money."""
        return self.quantity * abs(self.price - self.open_price)

    @property
    def costs(self) -> float:
        """Commission and slippage."""
        return self.commission + self.slippage


@dataclass(frozen=True)
class Outcome:
    """A signal whose horizon has passed."""

    seq: int
    decision: int | None
    """At which it became known."""
    agent: str
    ticker: str
    issued_in: int
    """Decision that issued the signal."""
    score: float
    """In [-1, 1]."""
    outcome: float
    """Return over the horizon beyond the universe's mean."""


def bars_of(journal: Journal, most: int | None = None) -> list[Bar]:
    """The bars, in order: all, or at most so many, evenly spaced, first and last among them."""
    if most is None:
        return [_bar(row) for row in rows(journal, ("bar_closed",))]
    return [_bar(row) for row in rows_at(journal, thinned(numbers_of(journal, "bar_closed"), most))]


def curve_of(journal: Journal) -> list[tuple[date, float]]:
    """The equity at the close of each session."""
    found = values_of(journal, "bar_closed", ("session", "equity"))
    return [(date.fromisoformat(day), equity) for _, _, day, equity in found]


def trades_of(journal: Journal) -> list[Trade]:
    """All fills, in order."""
    return [trade_of(row) for row in rows(journal, ("order_filled",))]


def outcomes_of(journal: Journal) -> list[Outcome]:
    """All resolved signals, in order."""
    fields = ("agent", "ticker", "issued_in", "score", "outcome")
    return [Outcome(*row) for row in values_of(journal, "signal_resolved", fields)]


def outcomes_after(journal: Journal, seq: int, issued_in: int, ticker: str, horizons: Sequence[int]) -> list[Outcome]:
    """What became of the signals on one name that one decision issued, without a look at all outcomes of the session.

    Args:
        journal: where.
        seq: an event of that decision; outcomes come after it.
        issued_in: the decision.
        ticker: the name.
        horizons: of its signals, in exchange sessions. At most one decision is taken in each, which bounds the search.
    """
    found: list[Outcome] = []
    for row in rows(journal, ("signal_resolved",), after=seq) if horizons else ():
        told = row.document
        if len(found) == len(horizons) or (row.decision or 0) > issued_in + max(horizons) + 1:
            break
        if told["issued_in"] == issued_in and told["ticker"] == ticker:
            values = (told[name] for name in ("agent", "ticker", "issued_in", "score", "outcome"))
            found.append(Outcome(row.seq, row.decision, *values))
    return found


def thinned(series: Sequence[T], most: int) -> list[T]:
    """At most so many of a series, evenly spaced, first and last among them."""
    if len(series) <= most:
        return list(series)
    step = (len(series) - 1) / (most - 1)
    return [series[round(i * step)] for i in range(most)]


def _bar(row: Row) -> Bar:
    told = row.document
    equity, held, price = told["equity"], told["positions"], told["prices"]
    return Bar(
        seq=row.seq,
        decision=row.decision,
        day=date.fromisoformat(told["session"]),
        equity=equity,
        cash=told["cash"],
        weights={name: shares * price[name] / equity for name, shares in held.items()} if equity else {},
    )


def trade_of(row: Row) -> Trade:
    """The trade that an `order_filled` tells of."""
    fill = row.document["fill"]
    return Trade(
        seq=row.seq,
        decision=row.decision,
        day=date.fromisoformat(fill["session"]),
        ticker=fill["ticker"],
        side=fill["side"],
        quantity=fill["quantity"],
        price=fill["price"],
        open_price=fill["open_price"],
        commission=fill["commission"],
    )
