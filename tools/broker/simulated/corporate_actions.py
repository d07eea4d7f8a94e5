"""Splits and dividends, which backtrader does not know."""

import math
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from ...market.bars import Bars, Matrix
from .ledger import DUST, Ledger


@dataclass(frozen=True, slots=True)
class CorporateAction:
    """A dividend was paid, or a split changed a position."""

    session: date
    ticker: str
    action: Literal["dividend", "split", "cash_in_lieu"]
    amount: float
    """Cash paid, or the split's ratio of new to old shares."""
    shares: float
    """Shares held before it. Cash in lieu pays the part of them that is no whole share."""


def apply_actions(
    ledger: Ledger, feeds: list[Any], bars: Bars, row: int, valuation: Matrix, fractional: bool
) -> list[CorporateAction]:
    """Apply what takes effect before the open of `bars.sessions[row]` to the positions held at the previous close.

    A split comes first: a dividend with the same date is quoted in the shares of its own day. Where the account holds
    whole shares only, the fraction that a split leaves is paid out at the session's open, or, if there is none, at the
    last close in new shares.
    """
    session = bars.sessions[row]
    actions: list[CorporateAction] = []
    for i, (ticker, data) in enumerate(zip(bars.tickers, feeds, strict=True)):
        ratio, dividend, held = float(bars.split[row, i]), float(bars.dividend[row, i]), ledger.shares(data)
        if held <= 0:
            continue
        if ratio != 1:
            actions.append(CorporateAction(session, ticker, "split", ratio, held))
            held *= ratio
            ledger.split(data, held, ratio)
        if dividend > 0:
            actions.append(CorporateAction(session, ticker, "dividend", dividend * held, held))
            ledger.receive(dividend * held)
        if ratio != 1 and not fractional:
            whole = float(math.floor(held + DUST))
            opening = float(bars.open[row, i])
            price = opening if math.isfinite(opening) else float(valuation[row - 1, i]) / ratio
            if held - whole > DUST:
                paid = (held - whole) * price
                actions.append(CorporateAction(session, ticker, "cash_in_lieu", paid, held))
                ledger.receive(paid)
            ledger.split(data, whole, 1.0)  # also rounds 2.9999999999999996 to 3
    return actions
