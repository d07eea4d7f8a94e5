"""What the broker does to an account with short positions or borrowed money, whether the desk wants it or not.

At each close, in this order: shares that the lender wants back are to be bought; where the equity is below the
maintenance margin, positions are to be closed. Both happen at the next open, before any order of the desk.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from ...frozen import content_hash
from ..protocol import OrderIntent
from ..report import ForcedOrder, MarginCall
from .margin import Closure, Margin, liquidation


def recalls(
    margin: Margin, positions: Mapping[str, float], silent: Mapping[str, int], leaving: frozenset[str]
) -> list[Closure]:
    """The short positions that the lender recalls, by ticker.

    Args:
        margin: the terms.
        positions: shares by ticker, negative where short.
        silent: sessions without a trade, by ticker.
        leaving: names in which a forced order waits already.
    """
    return [
        Closure(name, -shares, "buy_in")
        for name, shares in sorted(positions.items())
        if shares < 0 and silent[name] >= margin.recall_after and name not in leaving
    ]


def margin_call(
    margin: Margin,
    equity: float,
    positions: Mapping[str, float],
    prices: Mapping[str, float],
    silent: Mapping[str, int],
    leaving: frozenset[str],
    lot: float,
) -> tuple[MarginCall | None, tuple[Closure, ...]]:
    """The call of a close, and what is closed for it; None where the equity is enough.

    Args:
        margin: the terms.
        equity: at the close.
        positions: shares by ticker, negative where short.
        prices: last known closes, by ticker.
        silent: sessions without a trade, by ticker.
        leaving: names whose whole position is being bought in already.
        lot: shares are closed in multiples of it.
    """
    requirement = margin.maintenance([shares * prices[name] for name, shares in positions.items()])
    if not positions or equity >= requirement:
        return None, ()
    staying = {name: shares for name, shares in positions.items() if name not in leaving}
    halted = frozenset(name for name in staying if silent[name])
    return MarginCall(equity, requirement), liquidation(margin, equity, staying, prices, halted, lot)


def forced_orders(closures: Iterable[Closure], prices: Mapping[str, float], at: datetime) -> tuple[ForcedOrder, ...]:
    """Closures in the form of all orders. A buy-in waits until the name trades; the rest is for one session."""
    return tuple(
        ForcedOrder(
            closure.cause,
            OrderIntent(
                client_order_id=content_hash([closure.cause, at.isoformat(), closure.ticker])[:24],
                ticker=closure.ticker,
                side="buy" if closure.quantity > 0 else "sell",
                quantity=abs(closure.quantity),
                reference_price=prices[closure.ticker],
                decided_at=at,
                reduces=True,
                time_in_force="gtc" if closure.cause == "buy_in" else "day",
            ),
        )
        for closure in closures
    )
