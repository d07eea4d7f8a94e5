"""A small exchange in memory with a clock of its own: what a venue does behind its wire, for tests and demonstrations.

Time stands still until it is told to move. Orders are day orders; a market order fills at the price of the moment while
the exchange is open, a limit order at its limit or better, a stop order once its price has traded. Accounts are long
only. It counts everything that it did, so that a test can tell a second order from a second answer.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from threading import RLock
from typing import Literal, NamedTuple

Side = Literal["buy", "sell"]
Status = Literal["open", "filled", "cancelled", "rejected", "expired", "replaced"]
DUST = 1e-9


class Hours(NamedTuple):
    """The session that holds a moment, or the next one: its open and its close."""

    opens: datetime
    closes: datetime


class Refused(Exception):
    """The exchange refused; `code` says why in a word."""

    def __init__(self, code: Literal["duplicate", "funds", "invalid", "unknown", "ended"], message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Order:
    """An order as the exchange knows it."""

    id: str
    client_order_id: str
    ticker: str
    side: Side
    quantity: float
    order_type: str
    limit_price: float | None
    stop_price: float | None
    submitted_at: datetime
    filled: float = 0.0
    paid: float = 0.0
    """Sum of quantity x price over its executions."""
    status: Status = "open"
    reason: str = ""
    replaced_by: str | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Trade:
    """One execution."""

    id: str
    order_id: str
    client_order_id: str
    ticker: str
    side: Side
    quantity: float
    price: float
    at: datetime
    commission: float = 0.0


Listener = Callable[[Order, Trade | None], None]


def weekdays(moment: datetime) -> Hours:
    """The session of Monday to Friday, 14:30 to 21:00 UTC, that is open at `moment` or opens next."""
    day = moment.date()
    while True:
        opens = datetime.combine(day, time(14, 30), UTC)
        closes = datetime.combine(day, time(21), UTC)
        if day.weekday() < 5 and moment < closes:
            return Hours(opens, closes)
        day += timedelta(days=1)


@dataclass
class Exchange:
    """One account at one exchange.

    Args:
        now: where its clock stands, aware.
        price: price of a ticker at a moment; None where it does not trade.
        cash: of the account.
        hours: the session that is open at a moment, or the next one.
        fractional: whether parts of a share trade.
        slippage: fraction by which a market order trades worse than the price.
        commission: of an execution, as a fraction of its value.
    """

    now: datetime
    price: Callable[[str, datetime], float | None]
    cash: float = 100_000.0
    hours: Callable[[datetime], Hours] = weekdays
    fractional: bool = True
    slippage: float = 0.0
    commission: float = 0.0
    share_of_fill: float = 1.0
    """How much of an order's rest trades at one moment; less than 1 makes partial fills."""
    positions: dict[str, float] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    """By the exchange's own id."""
    trades: list[Trade] = field(default_factory=list)
    received: int = 0
    """Submissions that arrived, the refused ones included."""
    listeners: list[Listener] = field(default_factory=list)
    """Told every change of an order, with the execution where it was one."""
    lock: RLock = field(default_factory=RLock)

    @property
    def is_open(self) -> bool:
        """Whether it trades now."""
        return self.hours(self.now).opens <= self.now

    def by_client_id(self, client_order_id: str) -> Order | None:
        """The order under a client's id."""
        return next((o for o in self.orders.values() if o.client_order_id == client_order_id), None)

    def open_orders(self) -> list[Order]:
        """Those that may still fill, in order of submission."""
        return [order for order in self.orders.values() if order.status == "open"]

    def submit(
        self,
        client_order_id: str,
        ticker: str,
        side: Side,
        quantity: float,
        order_type: str = "market",
        limit_price: float | None = None,
        stop_price: float | None = None,
    ) -> Order:
        """Take an order; it fills at once where the exchange is open.

        Raises:
            Refused: its id was used before, its terms are not valid, or the account cannot pay or deliver it.
        """
        with self.lock:
            self.received += 1
            if self.by_client_id(client_order_id) is not None:
                raise Refused("duplicate", "client_order_id must be unique")
            self._validate(ticker, side, quantity)
            order = Order(
                id=f"{len(self.orders) + 1:08d}",
                client_order_id=client_order_id,
                ticker=ticker,
                side=side,
                quantity=quantity,
                order_type=order_type,
                limit_price=limit_price,
                stop_price=stop_price,
                submitted_at=self.now,
            )
            self.orders[order.id] = order
            self._tell(order)
            self.match()
            return self.orders[order.id]

    def cancel(self, order_id: str) -> Order:
        """Cancel what is left of an order.

        Raises:
            Refused: there is no such order, or it has ended.
        """
        with self.lock:
            return self._end(self._open(order_id), "cancelled", "cancelled by the client")

    def replace(
        self, order_id: str, client_order_id: str, quantity: float, limit_price: float | None, stop_price: float | None
    ) -> Order:
        """Put another order in the place of an open one; what that one has filled counts towards the new quantity.

        Raises:
            Refused: there is no such order, it has ended, the new id was used, or the new terms are not valid.
        """
        with self.lock:
            self.received += 1
            old = self._open(order_id)
            if self.by_client_id(client_order_id) is not None:
                raise Refused("duplicate", "client_order_id must be unique")
            if quantity <= old.filled:
                raise Refused("invalid", "qty must be greater than what was filled")
            fresh = replace(
                old,
                id=f"{len(self.orders) + 1:08d}",
                client_order_id=client_order_id,
                quantity=quantity - old.filled,
                limit_price=limit_price if limit_price is not None else old.limit_price,
                stop_price=stop_price if stop_price is not None else old.stop_price,
                submitted_at=self.now,
                filled=0.0,
                paid=0.0,
            )
            self.orders[fresh.id] = fresh
            self.orders[old.id] = replace(old, status="replaced", replaced_by=fresh.id, ended_at=self.now)
            self._tell(self.orders[old.id])
            self._tell(fresh)
            self.match()
            return self.orders[fresh.id]

    def advance(self, to: datetime) -> None:
        """Let time pass: orders fill at the opens on the way, and end at the closes. Time never goes back."""
        with self.lock:
            while self.now < to:
                opens, closes = self.hours(self.now)
                self.now = min(to, opens if self.now < opens else closes)
                if self.now >= closes:
                    for order in self.open_orders():
                        self._end(order, "expired", "the day is over")
                self.match()

    def match(self) -> None:
        """Execute what can be executed at this moment: sales first, in order of submission."""
        with self.lock:
            if not self.is_open:
                return
            for order in sorted(self.open_orders(), key=lambda order: order.side != "sell"):
                price = self._price_for(order)
                if price is not None:
                    self._fill(order, price)

    def equity(self) -> float:
        """Cash and positions at the prices of the moment."""
        return self.cash + sum(n * (self.price(t, self.now) or 0.0) for t, n in self.positions.items())

    def _validate(self, ticker: str, side: Side, quantity: float) -> None:
        price = self.price(ticker, self.now)
        if price is None:
            raise Refused("invalid", f"asset {ticker} not found")
        if quantity <= 0 or (not self.fractional and quantity != int(quantity)):
            raise Refused("invalid", "qty is not valid")
        open_orders = self.open_orders()
        if side == "sell":
            promised = sum(o.quantity - o.filled for o in open_orders if o.ticker == ticker and o.side == "sell")
            if quantity > self.positions.get(ticker, 0.0) - promised + DUST:
                raise Refused("funds", "insufficient qty available for order")
            return
        due = sum(
            (o.quantity - o.filled) * (self.price(o.ticker, self.now) or 0.0) * (1 if o.side == "buy" else -1)
            for o in open_orders
        )
        if quantity * price > self.cash - due + 1e-6:
            raise Refused("funds", "insufficient buying power")

    def _price_for(self, order: Order) -> float | None:
        price = self.price(order.ticker, self.now)
        if price is None:
            return None
        sign = 1 if order.side == "buy" else -1
        if order.order_type == "limit":
            assert order.limit_price is not None
            return (
                min(price, order.limit_price)
                if sign > 0 and price <= order.limit_price
                else (price if sign < 0 and price >= order.limit_price else None)
            )
        if order.order_type == "stop":
            assert order.stop_price is not None
            if sign * (price - order.stop_price) < 0:
                return None
        return price * (1 + sign * self.slippage)

    def _fill(self, order: Order, price: float) -> None:
        rest = order.quantity - order.filled
        quantity = rest * self.share_of_fill
        if not self.fractional and quantity > 0:
            quantity = float(max(1, int(quantity)))
        if order.side == "buy":
            affordable = self.cash / (price * (1 + self.commission))
            quantity = min(quantity, affordable if self.fractional else float(int(affordable)))
        if quantity <= DUST:
            return
        sign, commission = 1 if order.side == "buy" else -1, quantity * price * self.commission
        self.cash -= sign * quantity * price + commission
        held = self.positions.get(order.ticker, 0.0) + sign * quantity
        if abs(held) < DUST:
            self.positions.pop(order.ticker, None)
        else:
            self.positions[order.ticker] = held
        filled = order.filled + quantity
        done = order.quantity - filled < DUST
        self.orders[order.id] = replace(
            order,
            filled=order.quantity if done else filled,
            paid=order.paid + quantity * price,
            status="filled" if done else "open",
            ended_at=self.now if done else None,
        )
        trade = Trade(
            id=f"{len(self.trades) + 1:010d}",
            order_id=order.id,
            client_order_id=order.client_order_id,
            ticker=order.ticker,
            side=order.side,
            quantity=quantity,
            price=price,
            at=self.now,
            commission=commission,
        )
        self.trades.append(trade)
        self._tell(self.orders[order.id], trade)

    def _open(self, order_id: str) -> Order:
        order = self.orders.get(order_id)
        if order is None:
            raise Refused("unknown", "order not found")
        if order.status != "open":
            raise Refused("ended", f"order is already {order.status}")
        return order

    def _end(self, order: Order, status: Status, reason: str) -> Order:
        ended = replace(order, status=status, reason=reason, ended_at=self.now)
        self.orders[order.id] = ended
        self._tell(ended)
        return ended

    def _tell(self, order: Order, trade: Trade | None = None) -> None:
        for listener in tuple(self.listeners):
            listener(order, trade)
