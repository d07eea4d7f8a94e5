"""The account inside backtrader: its broker, with fills that the cash and the market can bear.

What backtrader's broker does by itself and must not: reject a whole order for a cent that is missing, buy before it has
sold, fill at a NaN price, charge the minimum commission for every part of an order, let a sale turn into a short.
"""

import math
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import backtrader as bt

from ...errors import BrokerError
from .costs import Costs

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
    of_cash: bool


class Ledger(bt.brokers.BackBroker):  # type: ignore[misc]  # backtrader has no types
    """Cash and positions. Every order is executed at most once, at the next open, for what is possible there.

    Build with `Ledger.open_account`. `trades` holds the orders that were executed in the current session; `shortfalls`
    says why an order got less than it asked for, by client order id.
    """

    params = (("costs", None), ("lot", 1.0))

    @classmethod
    def open_account(cls, cash: float, costs: Costs, lot: float) -> "Ledger":
        """An account with `cash` that trades multiples of `lot` shares."""
        ledger = cls(costs=costs, lot=lot)
        ledger.set_cash(cash)
        ledger.set_checksubmit(False)  # it would check at yesterday's close, before the sales
        ledger.set_filler(ledger._fillable)
        # Without slip_out the price stops at the day's high or low, which nobody knows at the open.
        ledger.set_slippage_perc(costs.distance_bps / 10_000, slip_open=True, slip_match=True, slip_out=True)
        ledger.addcommissioninfo(Commission(costs=costs))
        return ledger

    def init(self) -> None:
        """Called by backtrader when the engine starts: an empty account."""
        super().init()
        self.trades: list[Any] = []
        self.shortfalls: dict[str, Shortfall] = {}
        self.pending: deque[Any] = deque()
        self._taken: dict[Any, float] = {}
        self.impact_of: Callable[[Any, float], float] | None = None

    def next(self) -> None:
        """One session: sales in order of submission, then purchases in order of submission."""
        self._wake()
        super().next()

    def _wake(self) -> None:
        self.trades, self.shortfalls, self._taken = [], {}, {}
        self.pending = deque(sorted(self.pending, key=lambda order: bool(order.isbuy())))

    def notify(self, order: Any) -> None:
        """Note executions; there is no strategy to tell."""
        if order.status in (order.Partial, order.Completed):
            self.trades.append(order)
        elif order.status in (order.Margin, order.Rejected):
            raise BrokerError(
                f"backtrader refused order {order.info.id} although it was affordable; report this defect"
            )

    def shares(self, data: Any) -> float:
        """Shares held of a feed's instrument."""
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

    def _try_exec_market(self, order: Any, popen: float, phigh: float, plow: float) -> None:
        """Backtrader's execution at the open, at a price that also depends on the order's size."""
        if self.impact_of is None or not math.isfinite(popen):
            super()._try_exec_market(order, popen, phigh, plow)
            return
        buys, wanted = order.isbuy(), abs(order.executed.remsize)
        size = self._within_volume(order, wanted, float(order.data.volume[0]))
        price = self._slip_up(phigh, popen) if buys else self._slip_down(plow, popen)
        distance = self.impact_of(order.data, size)
        self._execute(order, ago=0, price=price * (1 + distance if buys else 1 - distance))

    def _fillable(self, order: Any, price: float, ago: int) -> float:
        """How many shares of the order can trade at `price` (slippage included) now: backtrader's filler hook."""
        data, wanted = order.data, abs(order.executed.remsize)
        if not math.isfinite(price):
            self._short(order, f"{data._name} did not trade in this session")
            return 0.0
        size = self._within_volume(order, wanted, float(data.volume[ago]))
        size = self._within_cash(order, size, price) if order.isbuy() else self._within_position(order, size, price)
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

    def _within_cash(self, order: Any, wanted: float, price: float) -> float:
        costs: Costs = self.p.costs
        cash, lot = float(self.cash), float(self.p.lot)

        def costs_too_much(size: float) -> bool:
            return cash - size * price - costs.commission(size, price) < 0  # as backtrader computes it

        if not costs_too_much(wanted):
            return wanted
        self._short(order, f"{cash:,.2f} in cash pays for no more shares at {price:,.4f} with commission", of_cash=True)
        size = self._whole_lots(min(wanted, costs.affordable(cash, price)))
        while size > 0 and costs_too_much(size):  # rounding can leave it one lot too large
            size = max(0.0, size - lot)
        return size

    def _within_position(self, order: Any, wanted: float, price: float) -> float:
        held = self.shares(order.data)
        size = held if wanted > held - DUST else wanted  # what is left of a position must not be rounding
        if self.cash + size * price - self.p.costs.commission(size, price) < 0:
            self._short(order, "the commission is more than the proceeds and the cash", of_cash=True)
            return 0.0
        return size

    def _short(self, order: Any, reason: str, *, of_cash: bool = False) -> None:
        self.shortfalls[order.info.id] = Shortfall(reason, of_cash)

    def _whole_lots(self, size: float) -> float:
        lot = float(self.p.lot)
        return math.floor(size / lot + DUST) * lot


class SleepingLedger(Ledger):
    """The same account, which does nothing while no order waits.

    backtrader's broker goes through all positions three times a session: for interest on the entry price, the margin
    of futures and for a value that nobody reads. An account of stocks has the first two at zero.
    """

    def next(self) -> None:
        """One session: sales in order of submission, then purchases in order of submission."""
        self._wake()
        waiting, self.pending = self.pending, deque()
        for order in waiting:
            self._try_exec(order)
            if order.alive():
                self.pending.append(order)
            elif order.status == bt.Order.Completed:
                self._bracketize(order)
