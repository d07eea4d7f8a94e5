"""Short positions and borrowed money: what they cost, what has to stand behind them, and what is closed by force.

The proceeds of a short sale stay in the account as collateral: of the cash, as much as the short positions are worth
now is not free. With market values L (long) and S (short, positive), equity E = cash + L - S:

    an order that opens or grows a position must leave    E >= initial_long L + initial_short S
    at each close there must be                           E >= maintenance_long L + maintenance_short S

With `initial_long = 1` this is an account that borrows shares but no money: purchases are paid from
`cash - (1 + initial_short) S`. The defaults are those of US Regulation T (12 CFR 220.12: 150 % of a short position) and
FINRA rule 4210(c) (25 % of long, 30 % of short positions), without its floors per share.
"""

import math
from collections.abc import Iterable, Mapping
from math import fsum
from typing import NamedTuple, Self

from pydantic import Field, model_validator

from ...frozen import Frozen
from ..protocol import FillCause
from .terms import DAYS_A_YEAR


class Margin(Frozen):
    """The terms on which an account may be short, or owe money."""

    initial_short: float = Field(default=0.5, gt=0, le=5)
    """Equity behind a new short position, of its value; its proceeds stay in the account beside it."""
    maintenance_short: float = Field(default=0.3, gt=0, le=5)
    """Equity that a short position needs at each close, of its value."""
    initial_long: float = Field(default=1.0, gt=0, le=1)
    """Equity behind a new long position; 1: nothing is bought with borrowed money, 0.5: half of it may be."""
    maintenance_long: float = Field(default=0.25, gt=0, le=1)
    """Equity that a long position needs at each close."""
    borrow_fee: float = Field(default=0.005, ge=0, le=5)
    """A year, for shares that are borrowed, on their value at the close of the session before."""
    debit_interest: float = Field(default=0.05, ge=0, le=1)
    """A year, on money that is owed: where the cash is less than the short positions are worth."""
    recall_after: int = Field(default=10, ge=1)
    """Sessions without a trade after which the lender wants the shares back: they are bought at the next open that
    there is, or settled at the last close where `Terms.delisted_after` comes first."""

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.maintenance_short > self.initial_short or self.maintenance_long > self.initial_long:
            raise ValueError(
                "the maintenance margin is above the initial one: lower it, or every new position is called"
            )
        return self

    def initial(self, value: float) -> float:
        """Equity that a new position of this value (negative: short) needs."""
        return self.initial_long * value if value > 0 else self.initial_short * -value

    def maintenance(self, values: Iterable[float]) -> float:
        """Equity that positions of these values (negative: short) need at a close."""
        return fsum(self.maintenance_long * value if value > 0 else self.maintenance_short * -value for value in values)

    def fee(self, shorts: float, days: int) -> float:
        """For shares borrowed worth `shorts` over calendar days."""
        return shorts * self.borrow_fee * days / DAYS_A_YEAR


class Closure(NamedTuple):
    """What the broker closes of a position, at the next open."""

    ticker: str
    quantity: float
    """Shares; positive: bought, negative: sold."""
    cause: FillCause


def liquidation(
    margin: Margin,
    equity: float,
    positions: Mapping[str, float],
    prices: Mapping[str, float],
    halted: frozenset[str],
    lot: float,
) -> tuple[Closure, ...]:
    """Which positions are closed so that, at these prices, the initial margin is met again.

    One after the other: names that traded in this session before those that did not, then by the initial margin that
    they tie up, the largest first, then by ticker; the last one in part. To the initial and not only to the maintenance
    margin, because otherwise the costs of closing are the next call.

    Args:
        margin: the terms.
        equity: at the close; where it is not positive, everything is closed.
        positions: shares by ticker, negative where short.
        prices: closes by ticker.
        halted: names without a trade in this session.
        lot: shares are closed in multiples of it.
    """
    needs = {name: margin.initial(shares * prices[name]) for name, shares in positions.items()}
    missing = math.inf if equity <= 0 else fsum(needs.values()) - equity
    orders = []
    for name in sorted(needs, key=lambda name: (name in halted, -needs[name], name)):
        if missing <= 1e-9 * max(1.0, equity):  # rounding
            break
        held = positions[name]
        part = missing / needs[name]
        shares = abs(held) if part >= 1 else min(abs(held), math.ceil(part * abs(held) / lot) * lot)
        orders.append(Closure(name, math.copysign(shares, -held), "margin_call"))
        missing -= needs[name] * shares / abs(held)
    return tuple(orders)
