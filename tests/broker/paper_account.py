"""An account kept on paper: long and short, cash or margin, every order type. It knows nothing of backtrader.

Everything is worked out anew from positions and prices whenever it is asked for; sizes are found by trying.
"""

import math
from collections import defaultdict
from dataclasses import dataclass, field

from paperdesk.tools.broker import OrderIntent
from paperdesk.tools.broker.simulated import Costs, Margin, Terms
from paperdesk.tools.market.bars import Bars


@dataclass
class Live:
    """An order that waits."""

    order: OrderIntent
    left: int
    cause: str = "order"
    reached: bool = False
    """Its stop, in a session before."""


Found = tuple[int, float, float | None]
"""Part of the session, market price, limit."""
Ready = tuple[int, bool, bool, int, Found, Live]


@dataclass
class PaperAccount:
    """Whole shares only."""

    bars: Bars
    costs: Costs
    terms: Terms
    margin: Margin | None
    cash: float
    held: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    last: dict[str, float] = field(default_factory=dict)
    quiet: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Sessions without a trade."""
    live: list[Live] = field(default_factory=list)
    called: bool = False

    def submit(self, order: OrderIntent) -> None:
        """Take an accepted order."""
        self.live.append(Live(order, int(order.quantity)))

    def session(self, row: int) -> None:
        """Live through one session."""
        if row:
            self._pay(row)
            self._corporate(row)
        self._trade_all(row)
        for i, name in enumerate(self.bars.tickers):
            traded = self._trades(row, i)
            self.quiet[name] = 0 if traded else self.quiet[name] + 1
            if not math.isnan(self.bars.close[row, i]):
                self.last[name] = self.bars.close[row, i]
        for name in self.bars.tickers:
            if self.held[name] and self.terms.delisted_after and self.quiet[name] >= self.terms.delisted_after:
                kept = 1 - self.terms.delisting_loss if self.held[name] > 0 else 1
                self.cash += self.held[name] * self.last[name] * kept
                self.held[name] = 0
        self._force()

    def positions(self) -> dict[str, int]:
        """Shares by ticker."""
        return {name: shares for name, shares in self.held.items() if shares}

    def equity(self, prices: dict[str, float] | None = None) -> float:
        """Cash and positions."""
        prices = prices or self.last
        return self.cash + sum(shares * prices[name] for name, shares in self.positions().items())

    def required(self, prices: dict[str, float], long: float, short: float) -> float:
        """Equity that the positions need at these rates."""
        return sum(
            abs(shares) * prices[name] * (long if shares > 0 else short) for name, shares in self.positions().items()
        )

    def _pay(self, row: int) -> None:
        days = (self.bars.sessions[row] - self.bars.sessions[row - 1]).days
        owed = -sum(shares * self.last[name] for name, shares in self.positions().items() if shares < 0)
        free, rate = self.cash - owed, self.terms.cash_interest
        if self.margin and free < 0:
            rate = self.margin.debit_interest
        self.cash += free * rate * days / 365
        if self.margin:
            self.cash -= owed * self.margin.borrow_fee * days / 365

    def _corporate(self, row: int) -> None:
        for i, name in enumerate(self.bars.tickers):
            ratio = self.bars.split[row, i]
            if ratio != 1:
                self.live = [item for item in self.live if item.order.ticker != name]
                if name in self.last:
                    self.last[name] /= ratio
            exact = self.held[name] * ratio
            self.cash += exact * self.bars.dividend[row, i]
            whole = round(exact) if abs(exact - round(exact)) < 1e-9 else math.trunc(exact)
            if abs(exact - whole) > 1e-9:
                opening = self.bars.open[row, i]
                self.cash += (exact - whole) * (self.last[name] if math.isnan(opening) else opening)
            self.held[name] = whole

    def _trades(self, row: int, i: int) -> bool:
        return not math.isnan(self.bars.open[row, i] + self.bars.close[row, i])

    def _trade_all(self, row: int) -> None:
        used: dict[str, float] = defaultdict(float)
        ready: list[Ready] = []
        forced: set[str] = set()
        for item in self.live:
            found = self._meets(item, row)
            if found is not None:
                ready.append((found[0], item.cause == "order", item.order.side == "buy", len(ready), found, item))
        gone = []
        for *_, (_, market, worst), item in sorted(ready, key=lambda row: row[:4]):
            traded, over = self._trade(row, item, market, worst, used)
            item.left -= traded
            if traded and item.cause != "order":
                forced.add(item.order.ticker)
            if over or not item.left:
                gone.append(id(item))
        self.live = [
            item
            for item in self.live
            if item.order.time_in_force == "gtc"
            and id(item) not in gone
            and not (item.cause == "order" and item.order.ticker in forced)
        ]

    def _meets(self, item: Live, row: int) -> Found | None:
        order, i = item.order, self.bars.column(item.order.ticker)
        if not self._trades(row, i):
            return None
        o, h, low, c = (float(m[row, i]) for m in (self.bars.open, self.bars.high, self.bars.low, self.bars.close))
        if order.order_type == "market_on_close":
            return 3, c, None
        if order.order_type in ("market", "market_on_open"):
            return 0, o, None
        # A sale is a purchase in a mirror.
        sign = 1 if order.side == "buy" else -1
        o, h, low, c = sign * o, *((h, low) if sign > 0 else (-low, -h)), sign * c
        stop = None if order.stop_price is None or item.reached else sign * order.stop_price
        limit = None if order.limit_price is None else sign * order.limit_price
        if stop is not None and o < stop:
            if h < stop:
                return None
            item.reached = True
            if limit is None or limit >= stop:
                return 1, sign * stop, order.limit_price
            return (1, sign * limit, order.limit_price) if c <= limit else None
        item.reached = item.reached or stop is not None
        if limit is None or o <= limit:
            return 0, sign * o, order.limit_price
        return (2, sign * limit, order.limit_price) if low <= limit else None

    def _trade(
        self, row: int, item: Live, market: float, worst: float | None, used: dict[str, float]
    ) -> tuple[int, bool]:
        """Shares traded, and whether the rest has no place in the account."""
        order, name = item.order, item.order.ticker
        i, sign = self.bars.column(name), 1 if item.order.side == "buy" else -1
        price = market * (1 + sign * (self.costs.slippage_bps + self.costs.spread_bps / 2) / 10_000)
        if worst is not None:
            price = min(price, worst) if sign > 0 else max(price, worst)
        most, over = item.left, False
        if self.costs.volume_limit is not None:
            most = min(most, math.floor(self.bars.volume[row, i] * self.costs.volume_limit - used[name] + 1e-9))
        now = self._prices(row) | {name: market}
        held = self.held[name]
        if held * sign < 0:
            over, most = most > abs(held), min(most, abs(held))
            if not self.margin and self.cash - self._change(sign * most, price) < 0:
                over, most = True, 0
        elif order.reduces or (sign < 0 and not self.margin):
            over, most = True, 0
        else:
            asked, most = max(0, most), self._possible(name, sign, max(0, most), price, now)
            over = most < asked
        self.cash -= self._change(sign * most, price)
        self.held[name] += sign * most
        used[name] += most
        return most, over

    def _possible(self, name: str, sign: int, most: int, price: float, now: dict[str, float]) -> int:
        low, high = 0, most
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._allowed(name, sign * middle, price, now) else (low, middle - 1)
        return low

    def _allowed(self, name: str, change: int, price: float, now: dict[str, float]) -> bool:
        spent = self._change(change, price)
        if not self.margin:
            return spent <= self.cash
        after = PaperAccount(self.bars, self.costs, self.terms, self.margin, self.cash - spent)
        after.held.update(self.held)
        after.held[name] += change
        return after.equity(now) >= after.required(now, self.margin.initial_long, self.margin.initial_short) - 1e-9

    def _prices(self, row: int) -> dict[str, float]:
        """What each name is worth at the open."""
        opens = {
            name: float(self.bars.open[row, i]) for i, name in enumerate(self.bars.tickers) if self._trades(row, i)
        }
        return self.last | opens

    def _change(self, shares: int, price: float) -> float:
        """Cash that a trade takes."""
        if not shares:
            return 0.0
        by_size = abs(shares) * (self.costs.commission_per_share + price * self.costs.commission_bps / 10_000)
        return shares * price + max(by_size, self.costs.commission_minimum)

    def _force(self) -> None:
        """Recalls and the margin call, at a close."""
        self.called = False
        if not self.margin:
            return
        bought_in = {item.order.ticker for item in self.live if item.cause == "buy_in"}
        for name, shares in sorted(self.positions().items()):
            if shares < 0 and self.quiet[name] >= self.margin.recall_after and name not in bought_in:
                self._order(name, -shares, "buy_in")
                bought_in.add(name)
        self.called = bool(self.positions()) and self.equity() < self.required(
            self.last, self.margin.maintenance_long, self.margin.maintenance_short
        )
        if not self.called:
            return
        left = {name: shares for name, shares in self.positions().items() if name not in bought_in}

        def need(name: str) -> float:
            assert self.margin
            rate = self.margin.initial_long if left[name] > 0 else self.margin.initial_short
            return abs(left[name]) * self.last[name] * rate

        everything = self.equity() <= 0
        for name in sorted(left, key=lambda name: (self.quiet[name] > 0, -need(name), name)):
            missing = sum(need(other) for other in left) - self.equity()
            if not everything and missing <= 1e-9 * max(1, self.equity()):
                return
            share = need(name) / abs(left[name])
            count = abs(left[name]) if everything else min(abs(left[name]), math.ceil(missing / share - 1e-12))
            self._order(name, -count if left[name] > 0 else count, "margin_call")
            left[name] += -count if left[name] > 0 else count
            if not left[name]:
                del left[name]

    def _order(self, name: str, shares: int, cause: str) -> None:
        order = OrderIntent.model_validate(
            {
                "client_order_id": f"{cause} {name}",
                "ticker": name,
                "side": "buy" if shares > 0 else "sell",
                "quantity": abs(shares),
                "reference_price": self.last[name],
                "decided_at": "2031-01-01T00:00:00Z",
                "reduces": True,
                "time_in_force": "gtc" if cause == "buy_in" else "day",
            }
        )
        self.live.append(Live(order, abs(shares), cause))
