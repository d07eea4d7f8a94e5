"""The desk's shadow: accounts that trade as much as the desk did, when it did, in names drawn by lot.

Each decision of the desk came to sales and purchases of certain parts of its equity. A random account sells the same
parts of its own equity out of names that it holds, drawn by lot, and buys the same parts of others. Turnover, its
timing, the number of orders and the share in cash are the desk's; only the choice of names is not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from ...tools.broker.protocol import Fill
from .baselines import OpenAccount, Targets, Track, follow

if TYPE_CHECKING:
    from ...tools.broker.simulated import SimulatedBroker


@dataclass(frozen=True)
class Trades:
    """What the desk traded after one decision, as parts of its equity at that decision."""

    sales: tuple[float, ...]
    purchases: tuple[float, ...]


def trades_by_decision(
    fills: Sequence[Fill], decisions: Sequence[date], equity: Mapping[date, float]
) -> dict[date, Trades]:
    """The desk's executions by the decision they followed.

    Args:
        fills: all executions of the session.
        decisions: decision sessions.
        equity: the desk's equity at the close of each.
    """
    ordered = np.array(sorted(decisions), dtype="datetime64[D]")
    parts: dict[date, tuple[list[float], list[float]]] = {day: ([], []) for day in sorted(decisions)}
    for fill in fills:
        place = int(np.searchsorted(ordered, np.datetime64(fill.session))) - 1
        day: date = ordered[place].item()
        parts[day][fill.side == "buy"].append(fill.quantity * fill.price / equity[day])
    return {day: Trades(tuple(sales), tuple(purchases)) for day, (sales, purchases) in parts.items()}


def random_track(
    open_account: OpenAccount,
    tickers: Sequence[str],
    trades: Mapping[date, Trades],
    max_weight: float,
    rng: np.random.Generator,
) -> Track:
    """One random account.

    Args:
        open_account: makes the account.
        tickers: the desk's universe.
        trades: what the desk traded, by decision.
        max_weight: largest share of equity that a purchase may bring a name to, the desk's own limit.
        rng: draws the names.
    """
    days = [day for day, done in trades.items() if done.sales or done.purchases]
    return follow("random", open_account, tickers, days, _by_lot(tickers, trades, max_weight, rng))


def _by_lot(
    tickers: Sequence[str], trades: Mapping[date, Trades], max_weight: float, rng: np.random.Generator
) -> Targets:
    def targets(broker: "SimulatedBroker") -> Mapping[str, float]:
        account, done = broker.account(), trades[broker.session]
        weights = account.weights()
        priced = [name for name in tickers if account.prices.get(name, 0.0) > 0]
        held = [name for name in priced if weights.get(name, 0.0) > 0]
        after = {name: weights.get(name, 0.0) for name in priced}
        sold = _spread(done.sales, rng.permutation(held), {name: after[name] for name in held})
        for name, part in sold.items():
            after[name] -= part
        free = rng.permutation([name for name in priced if name not in sold])
        bought = _spread(done.purchases, free, {name: max(0.0, max_weight - after[name]) for name in free})
        for name, part in bought.items():
            after[name] += part
        return {name: after[name] * account.equity for name in (*sold, *bought)}

    return targets


def _spread(parts: Sequence[float], names: Iterable[str], room: Mapping[str, float]) -> dict[str, float]:
    """One name after the other takes a part, as far as it has room; what is left over goes to those that follow."""
    taken: dict[str, float] = {}
    waiting, over = list(parts), 0.0
    for name in map(str, names):
        if not waiting and over <= 0:
            break
        wanted = over + (waiting.pop(0) if waiting else 0.0)
        taken[name] = min(wanted, room[name])
        over = wanted - taken[name]
    return {name: part for name, part in taken.items() if part > 0}
