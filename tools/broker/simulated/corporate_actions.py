"""Splits and dividends, which backtrader does not know."""

import math
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...market.bars import Bars, Matrix
from ..report import CorporateAction
from .ledger import DUST, Ledger
from .terms import Terms

Idle = NDArray[np.int64]


CASH = "cash"
"""Stands for the ticker where interest is paid."""


def pay_interest(ledger: Ledger, terms: Terms, before: date, session: date) -> list[CorporateAction]:
    """Interest on the cash from one session to the next; empty where there is none."""
    cash = float(ledger.cash)
    paid = terms.interest(cash, (session - before).days)
    if not paid:
        return []
    ledger.receive(paid)
    return [CorporateAction(session, CASH, "interest", paid, cash)]


def pay_delisted(
    ledger: Ledger, terms: Terms, feeds: list[Any], bars: Bars, row: int, valuation: Matrix, idle: Idle
) -> list[CorporateAction]:
    """Close, at the end of a session, the positions in names that have not traded for too long."""
    if terms.delisted_after is None:
        return []
    actions = []
    for i in np.flatnonzero(idle[row] >= terms.delisted_after):
        held = ledger.shares(feeds[i])
        if held:
            paid = held * float(valuation[row, i]) * (1 - terms.delisting_loss)
            ledger.split(feeds[i], 0.0, 1.0)
            ledger.receive(paid)
            actions.append(CorporateAction(bars.sessions[row], bars.tickers[i], "delisting", paid, held))
    return actions


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
