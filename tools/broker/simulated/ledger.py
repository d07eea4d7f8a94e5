"""The account inside backtrader: its broker, with fills that the cash and the market can bear.

What backtrader's broker does by itself and must not: reject a whole order for a cent that is missing, buy before it has
sold, fill at a NaN price, charge the minimum commission for every part of an order, let a sale turn into a short, slip
past a limit.
"""

import math
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import backtrader as bt

from ...errors import BrokerError
from ..protocol import FillCause, OrderIntent
from .collateral import Collateral
from .costs import Costs
from .margin import Margin
from .matching import CLOSE, Bar, Match, Miss, meet

DUST = 1e-9
"""Shares below which a quantity is rounding, not a position."""


class Commission(bt.CommInfoBase):  # type: ignore[misc]  # backtrader has no types
    """`Costs.commission` as backtrader asks for it: cash paid for stock, no leverage, no interest."""

    params = (("costs", None), ("commtype", bt.CommInfoBase.COMM_PERC), ("stocklike", True), ("percabs", True))

    def _getcommission(self, size: float, price: float, pseudoexec: bool) -> float:
        costs: Costs = self.p.costs
        return costs.commission(abs(size), price)


class Shortfall(NamedTuple):
    """Why an order got less than it asked for."""

    reason: str
    of_cash: bool = False
    final: bool = False
    """Whether what is left of the order has no place in the account: it ends even if it is good till cancelled."""


class Ledger(bt.brokers.BackBroker):  # type: ignore[misc]  # backtrader has no types
    """Cash and positions. Every order is executed at most once in a session, for what is possible there.

    Build with `Ledger.open_account`. `trades` holds what was executed in the current session: the order as it was sent
    out, and backtrader's record of this execution; `shortfalls` says why an order got less than it asked for, by client
    order id.
    """

    params = (("costs", None), ("lot", 1.0), ("margin", None))

    @classmethod
    def open_account(cls, cash: float, costs: Costs, lot: float, margin: Margin | None = None) -> "Ledger":
        """An account with `cash` that trades multiples of `lot` shares; without a margin it is long only."""
        ledger = cls(costs=costs, lot=lot, margin=margin)
        ledger.set_cash(cash)
        ledger.set_checksubmit(False)  # it would check at yesterday's close, before the sales
        ledger.set_filler(lambda order, price, ago: ledger._size)
        ledger.addcommissioninfo(Commission(costs=costs))
        return ledger

    def init(self) -> None:
        """Called by backtrader when the engine starts: an empty account."""
        super().init()
        self.trades: list[tuple[Any, Any]] = []
        self.shortfalls: dict[str, Shortfall] = {}
        self.pending: deque[Any] = deque()
        self._taken: dict[Any, float] = {}
        self._size = 0.0
        self._collateral: Collateral | None = None
        self.impact_of: Callable[[Any, float], float] | None = None
        self.value_of: Callable[[Any], float] | None = None

    def next(self) -> None:
        """One session: what trades at the open, then within the session, then at the close.

        Within each part forced orders come first, then sales, then purchases, each in order of submission.
        """
        self._wake()
        super().next()

    def _wake(self) -> None:
        self.trades, self.shortfalls, self._taken, self._collateral = [], {}, {}, None
        for order in self.pending:
            bar = order.data
            order.met = meet(
                order.terms, Bar(bar.open[0], bar.high[0], bar.low[0], bar.close[0]), triggered=order.triggered
            )
        self.pending = deque(sorted(self.pending, key=_turn))

    def place(self, owner: Any, data: Any, terms: OrderIntent, cause: FillCause = "order") -> Any:
        """Take an order in; it waits for the next session."""
        act = self.buy if terms.side == "buy" else self.sell
        order = act(owner=owner, data=data, size=terms.quantity, id=terms.client_order_id)
        # For backtrader every order is one at the market; what it really is decides when and where it is executed.
        order.terms, order.cause, order.met = terms, cause, None
        return order

    def notify(self, order: Any) -> None:
        """Note executions; there is no strategy to tell."""
        if order.status in (order.Partial, order.Completed):
            self.trades.append((order, order.executed.exbits[-1]))
        elif order.status in (order.Margin, order.Rejected):
            raise BrokerError(
                f"backtrader refused order {order.info.id} although it was affordable; report this defect"
            )

    def shares(self, data: Any) -> float:
        """Shares held of a feed's instrument; negative where they are owed."""
        return float(self.positions[data].size)

    def held(self) -> dict[Any, float]:
        """Shares of all positions, by feed."""
        return {data: float(position.size) for data, position in self.positions.items() if position.size}

    def split(self, data: Any, shares: float, ratio: float) -> None:
        """Replace a position by `shares` new ones, its cost per share divided by `ratio`."""
        position = self.positions[data]
        position.fix(shares, position.price / ratio if shares else 0.0)

    def receive(self, amount: float) -> None:
        """Credit a payment."""
        self.cash += amount  # add_cash would wait for the next valuation

    def _try_exec(self, order: Any) -> None:
        """Execute an order where it meets the bar; backtrader's own matching would let slippage pass a limit."""
        met = order.met
        if isinstance(met, Miss):
            order.triggered = met.triggered
            self._short(order, met.reason)
            return
        order.triggered = True  # what the volume leaves of a stop order is at the market from now on
        buys = order.isbuy()
        slip = self.p.costs.distance_bps / 10_000
        price = met.price * (1 + slip if buys else 1 - slip) if slip else met.price
        if self.impact_of is not None:
            size = self._within_volume(order, abs(order.executed.remsize), float(order.data.volume[0]))
            distance = self.impact_of(order.data, size)
            price *= 1 + distance if buys else 1 - distance
        self._execute(order, ago=0, price=min(price, met.worst) if buys else max(price, met.worst))

    def _execute(self, order: Any, ago: int | None = None, price: float | None = None, **others: Any) -> None:
        """Backtrader's execution, of as much as is possible."""
        assert price is not None
        self._size = self._fillable(order, price)
        if not self._size:
            return
        lent = self._lent(order, self._size, price) if self.p.margin is not None else 0.0
        self.cash += lent  # backtrader opens nothing that leaves the cash below 0
        super()._execute(order, ago=ago, price=price, **others)
        self.cash -= lent
        if self._collateral is not None:
            self._collateral.traded(order.data, self.shares(order.data))

    def _fillable(self, order: Any, price: float) -> float:
        """How many shares of the order can trade at `price` (slippage included) now."""
        data, wanted = order.data, abs(order.executed.remsize)
        size = self._within_volume(order, wanted, float(data.volume[0]))
        if not size:
            return 0.0
        held = self.shares(data)
        if held and (held > 0) != bool(order.isbuy()):
            size = self._within_position(order, size, abs(held), price)
        elif order.terms.reduces or (self.p.margin is None and not order.isbuy()):
            self._short(order, f"no position in {data._name} is left to reduce", final=True)
            size = 0.0
        elif self.p.margin is None:
            size = self._within_cash(order, size, float(self.cash), price, price)
        else:
            size = self._within_margin(order, size, price)
        self._taken[data] = self._taken.get(data, 0.0) + size
        return size

    def _within_volume(self, order: Any, wanted: float, volume: float) -> float:
        limit: float | None = self.p.costs.volume_limit
        if limit is None:
            return wanted
        room = max(0.0, volume * limit - self._taken.get(order.data, 0.0))
        if wanted <= room:
            return wanted
        self._short(order, f"orders may take {limit * 100:g}% of the session's volume of {volume:,.0f} shares")
        return self._whole_lots(room)

    def _within_cash(self, order: Any, wanted: float, cash: float, price: float, tied: float) -> float:
        """As many shares as `cash` can bear, where each ties up `tied` of it, beside the commission at `price`."""
        costs: Costs = self.p.costs
        lot = float(self.p.lot)

        def costs_too_much(size: float) -> bool:
            return cash - size * tied - costs.commission(size, price) < 0  # as backtrader computes it

        if not costs_too_much(wanted):
            return wanted
        what = "in cash pays for" if self.p.margin is None else "of margin is free, which bears"
        self._short(order, f"{cash:,.2f} {what} no more shares at {price:,.4f} with commission", of_cash=True)
        size = self._whole_lots(min(wanted, costs.affordable(cash, price, tied)))
        while size > 0 and costs_too_much(size):  # rounding can leave it one lot too large
            size = max(0.0, size - lot)
        return size

    def _within_margin(self, order: Any, wanted: float, price: float) -> float:
        """As many shares as the initial margin allows, the whole account valued now and this name where it trades."""
        margin: Margin = self.p.margin
        if self._collateral is None:
            assert self.value_of is not None
            self._collateral = Collateral(margin, self.held(), self.value_of)
        data, market = order.data, float(order.met.price)
        free = self._collateral.free(float(self.cash), data, self.shares(data), market)
        # The distance between the price paid and the market's is lost at once.
        lost = price - market if order.isbuy() else market - price
        tied = lost + (margin.initial_long if order.isbuy() else margin.initial_short) * market
        return self._within_cash(order, wanted, free, price, tied)

    def _within_position(self, order: Any, wanted: float, held: float, price: float) -> float:
        size = held if wanted > held - DUST else wanted  # what is left of a position must not be rounding
        if wanted > held + DUST:
            self._short(order, f"no more of the position in {order.data._name} is left", final=True)
        costs: Costs = self.p.costs
        if self.p.margin is None and float(self.cash) + size * price - costs.commission(size, price) < 0:
            self._short(order, "the commission is more than the proceeds and the cash", of_cash=True)
            return 0.0
        return size

    def _lent(self, order: Any, size: float, price: float) -> float:
        """What the broker has to lend for a moment so that backtrader sees no negative cash; twice what is missing."""
        costs: Costs = self.p.costs
        spent = size * price if order.isbuy() else -size * price
        return 2 * max(0.0, spent + costs.commission(size, price) - float(self.cash))

    def _short(self, order: Any, reason: str, *, of_cash: bool = False, final: bool = False) -> None:
        self.shortfalls[order.info.id] = Shortfall(reason, of_cash, of_cash or final)

    def _whole_lots(self, size: float) -> float:
        lot = float(self.p.lot)
        return math.floor(size / lot + DUST) * lot


def _turn(order: Any) -> tuple[int, bool, bool, int]:
    """The part of the session in which an order is executed; within it forced orders, sales, purchases, each by age.

    Backtrader's own queue forgets the age of an order that waits from session to session.
    """
    part = order.met.part if isinstance(order.met, Match) else CLOSE
    return part, order.cause == "order", bool(order.isbuy()), int(order.ref)


class SleepingLedger(Ledger):
    """The same account, which does nothing while no order waits.

    backtrader's broker goes through all positions three times a session: for interest on the entry price, the margin
    of futures and for a value that nobody reads. An account of stocks has the first two at zero.
    """

    def next(self) -> None:
        """One session, in the same order."""
        self._wake()
        waiting, self.pending = self.pending, deque()
        for order in waiting:
            self._try_exec(order)
            if order.alive():
                self.pending.append(order)
            elif order.status == bt.Order.Completed:
                self._bracketize(order)
