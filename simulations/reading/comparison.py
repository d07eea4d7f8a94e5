"""Two sessions side by side: what they share, what they chose otherwise, where they differ day by day."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from .decision import DecisionLine
from .summary import Summary

if TYPE_CHECKING:
    from .session import Session


@dataclass(frozen=True)
class Difference:
    """One name at one decision of two sessions."""

    ticker: str
    left: float
    """Proposed weight; 0 where there is no decision."""
    right: float
    left_order: dict[str, Any] | None
    right_order: dict[str, Any] | None


@dataclass(frozen=True)
class Pair:
    """The decisions of one day in two sessions."""

    day: date
    left: DecisionLine | None
    right: DecisionLine | None
    differences: list[Difference]
    """Names whose weights or orders differ, the largest difference of weight first."""

    @property
    def distance(self) -> float:
        """Half the sum of absolute differences of weight: 0 where equal, 1 where nothing is shared."""
        return sum(abs(one.left - one.right) for one in self.differences) / 2


@dataclass(frozen=True)
class Comparison:
    """Two sessions side by side."""

    left: Summary
    right: Summary
    shared: int
    """Events from the first on that are equal, by the chain."""
    choices: list[tuple[str, Any, Any]]
    """Settings that differ: name, left, right."""
    pairs: list[Pair]
    more: str | None
    """The last day on this page where there are further ones."""


def compare(
    left: "Session", right: "Session", *, after: str = "", limit: int = 30, detailed: bool = True
) -> Comparison:
    """Compare two sessions, a page of decision days at a time.

    Args:
        left: one.
        right: the other.
        after: last day (ISO) of the page before; empty for the first page.
        limit: days on a page.
        detailed: with weights and orders, which need both indexes.
    """
    numbers = [{line.day: line.number for line in one.decisions(limit=10**6, detailed=False)} for one in (left, right)]
    days = sorted(day for day in {*numbers[0], *numbers[1]} if day.isoformat() > after)
    page = days[:limit]
    lines = [_on(one, known, page, detailed) for one, known in zip((left, right), numbers, strict=True)]
    pairs = [_pair(day, lines[0].get(day), lines[1].get(day)) for day in page]
    one, other = left.summary(), right.summary()
    chosen = sorted({*one.config, *other.config})
    choices = [(name, one.config.get(name), other.config.get(name)) for name in chosen]
    return Comparison(
        left=one,
        right=other,
        shared=shared_events(left, right),
        choices=[choice for choice in choices if choice[1] != choice[2]],
        pairs=pairs,
        more=page[-1].isoformat() if len(days) > limit else None,
    )


def shared_events(left: "Session", right: "Session") -> int:
    """How many events two sessions have in common from the first on; the chain tells by its heads alone."""
    low, high = 0, min(left.count, right.count)
    while low < high:
        middle = (low + high + 1) // 2
        if left.journal.hash_at(middle) == right.journal.hash_at(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _on(session: "Session", numbers: dict[date, int], page: list[date], detailed: bool) -> dict[date, DecisionLine]:
    wanted = [numbers[day] for day in page if day in numbers]
    if not wanted:
        return {}
    lines = session.decisions(after=wanted[0] - 1, limit=wanted[-1] - wanted[0] + 1, detailed=detailed)
    return {line.day: line for line in lines}


def _pair(day: date, left: DecisionLine | None, right: DecisionLine | None) -> Pair:
    weights = [line.weights if line else {} for line in (left, right)]
    orders = [{order["ticker"]: order for order in line.orders} if line else {} for line in (left, right)]
    names = dict.fromkeys([*weights[0], *weights[1], *orders[0], *orders[1]])
    found = [
        Difference(name, weights[0].get(name, 0.0), weights[1].get(name, 0.0), orders[0].get(name), orders[1].get(name))
        for name in names
    ]
    differing = [
        one for one in found if abs(one.left - one.right) > 1e-6 or _terms(one.left_order) != _terms(one.right_order)
    ]
    return Pair(day, left, right, sorted(differing, key=lambda one: -abs(one.left - one.right)))


def _terms(order: dict[str, Any] | None) -> tuple[Any, ...]:
    return (order["side"], order["quantity"]) if order else ()
