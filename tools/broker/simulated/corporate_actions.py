"""Splits and dividends, which backtrader does not know."""

import math
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...market.bars import Bars, Matrix
from ..report import Action, CorporateAction
from .ledger import DUST, Ledger
from .margin import Margin
from .terms import DAYS_A_YEAR, Terms

Idle = NDArray[np.int64]


CASH = "cash"
"""Stands for the ticker where interest or a borrow fee is paid."""


def pay_interest(
    ledger: Ledger, terms: Terms, margin: Margin | None, shorts: float, before: date, session: date
) -> list[CorporateAction]:
    """Interest on the cash, and the fee for borrowed shares, from one session to the next; empty where there are none.

    Args:
        ledger: the account.
        terms: credit interest.
        margin: debit interest and borrow fee; None for an account without either.
        shorts: value of the short positions at the close of `before`: collateral, on which nothing is earned.
        before: the session before.
        session: the session at whose open it is paid.
    """
    days, free = (session - before).days, float(ledger.cash) - shorts
    owes = margin is not None and free < 0
    paid = free * margin.debit_interest * days / DAYS_A_YEAR if margin and owes else terms.interest(free, days)
    fee = margin.fee(shorts, days) if margin else 0.0
    actions = []
    if paid:
        actions.append(CorporateAction(session, CASH, "interest", paid, free))
    if fee:
        actions.append(CorporateAction(session, CASH, "borrow_fee", -fee, shorts))
    for action in actions:
        ledger.receive(action.amount)
    return actions


def pay_delisted(
    ledger: Ledger, terms: Terms, feeds: list[Any], bars: Bars, row: int, valuation: Matrix, idle: Idle
) -> list[CorporateAction]:
    """Close, at the end of a session, the positions in names that have not traded for too long.

    What is owed is settled at the last close: that it might be worth less then is no gain of the account.
    """
    if terms.delisted_after is None:
        return []
    actions = []
    for i in np.flatnonzero(idle[row] >= terms.delisted_after):
        held = ledger.shares(feeds[i])
        if held:
            kept = 1 - terms.delisting_loss if held > 0 else 1.0
            paid = held * float(valuation[row, i]) * kept
            ledger.split(feeds[i], 0.0, 1.0)
            ledger.receive(paid)
            what: Action = "delisting" if held > 0 else "buy_in"
            actions.append(CorporateAction(bars.sessions[row], bars.tickers[i], what, paid, held))
    return actions


def apply_actions(
    ledger: Ledger, feeds: list[Any], bars: Bars, row: int, valuation: Matrix, fractional: bool
) -> list[CorporateAction]:
    """Apply what takes effect before the open of `bars.sessions[row]` to the positions held at the previous close.

    A split comes first: a dividend with the same date is quoted in the shares of its own day. Where the account holds
    whole shares only, the fraction that a split leaves is paid out at the session's open, or, if there is none, at the
    last close in new shares. Whoever is short owes what a holder gets.
    """
    session = bars.sessions[row]
    actions: list[CorporateAction] = []
    for i, (ticker, data) in enumerate(zip(bars.tickers, feeds, strict=True)):
        ratio, dividend, held = float(bars.split[row, i]), float(bars.dividend[row, i]), ledger.shares(data)
        if not held:
            continue
        if ratio != 1:
            actions.append(CorporateAction(session, ticker, "split", ratio, held))
            held *= ratio
            ledger.split(data, held, ratio)
        if dividend > 0:
            actions.append(CorporateAction(session, ticker, "dividend", dividend * held, held))
            ledger.receive(dividend * held)
        if ratio != 1 and not fractional:
            whole = math.copysign(math.floor(abs(held) + DUST), held)
            opening = float(bars.open[row, i])
            price = opening if math.isfinite(opening) else float(valuation[row - 1, i]) / ratio
            if abs(held - whole) > DUST:
                paid = (held - whole) * price
                actions.append(CorporateAction(session, ticker, "cash_in_lieu", paid, held))
                ledger.receive(paid)
            ledger.split(data, whole + 0.0, 1.0)  # also rounds 2.9999999999999996 to 3
    return actions
