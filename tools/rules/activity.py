"""What the desk has done lately: the facts behind rates, throttles, repeated losses and duplicate orders."""

from collections import deque
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from pydantic import AwareDatetime, Field

from ..broker.protocol import Fill, OrderIntent, Side
from ..frozen import Frozen

DAY_TRADE_SESSIONS = 5
"""Sessions over which day trades are counted (FINRA 4210(f)(8)(B))."""
REMEMBERED = timedelta(days=1)
"""How long single orders are remembered, for the rules that look for a repetition."""


class RecentOrder(Frozen):
    """An order that was sent."""

    ticker: str
    side: Side
    quantity: float
    price: float
    """Reference price."""
    at: AwareDatetime


class Activity(Frozen):
    """What was done up to now; the owner of these figures is an `ActivityLog`."""

    orders_last_minute: int = Field(ge=0)
    orders_today: int = Field(ge=0)
    """Since the last session began."""
    cancels_today: int = Field(ge=0)
    fills_today: int = Field(ge=0)
    unattended_fills: int = Field(ge=0)
    """Since a person last enabled the desk (RTS 6 article 15(3))."""
    consecutive_losses: int = Field(ge=0)
    """Sales below the average cost of the position, one after the other without a sale at a profit."""
    sessions_since_loss: int | None = Field(ge=0)
    """Sessions since the last of them; None where there is none."""
    day_trades: int = Field(ge=0)
    """Names bought and sold in one session, over the last five sessions."""
    recent: tuple[RecentOrder, ...]
    """Orders of the last day."""
    last_seen: AwareDatetime | None
    """The latest time that the desk has seen."""

    @classmethod
    def none(cls) -> "Activity":
        """A desk that has done nothing yet."""
        return ActivityLog().at(None)


@dataclass
class _Lot:
    shares: float = 0.0
    cost: float = 0.0
    """Average price, commission included."""


@dataclass
class ActivityLog:
    """Keeps the figures of `Activity` from what is sent, cancelled and filled, in the order in which it happens.

    It is rebuilt from the same calls whenever a session is derived again; nothing in it grows with the session.
    """

    _sent: deque[RecentOrder] = field(default_factory=deque)
    _lots: dict[str, _Lot] = field(default_factory=dict)
    _traded: deque[tuple[date, dict[str, set[str]]]] = field(default_factory=lambda: deque(maxlen=DAY_TRADE_SESSIONS))
    _orders: int = 0
    _cancels: int = 0
    _fills: int = 0
    _unattended: int = 0
    _losses: int = 0
    _since_loss: int | None = None
    _last_seen: datetime | None = None

    def enable(self) -> None:
        """A person has looked at the desk and lets it go on."""
        self._unattended = 0

    def session(self, day: date, splits: dict[str, float] | None = None) -> None:
        """A session begins; `splits` holds new shares per old one of positions that split."""
        self._orders = self._cancels = self._fills = 0
        self._traded.append((day, {}))
        if self._since_loss is not None:
            self._since_loss += 1
        for ticker, ratio in (splits or {}).items():
            if ticker in self._lots:
                self._lots[ticker].shares *= ratio
                self._lots[ticker].cost /= ratio

    def sent(self, order: OrderIntent, at: datetime) -> None:
        """An order went out."""
        self._sent.append(
            RecentOrder(
                ticker=order.ticker, side=order.side, quantity=order.quantity, price=order.reference_price, at=at
            )
        )
        self._orders += 1
        self._saw(at)

    def never_sent(self, order: OrderIntent) -> None:
        """An order that seemed to go out never arrived: it may go out once more."""
        for i in range(len(self._sent) - 1, -1, -1):
            row = self._sent[i]
            if (row.ticker, row.side, row.quantity) == (order.ticker, order.side, order.quantity):
                del self._sent[i]
                self._orders = max(0, self._orders - 1)
                return

    def cancelled(self, at: datetime) -> None:
        """An order was cancelled."""
        self._cancels += 1
        self._saw(at)

    def filled(self, fill: Fill) -> None:
        """An order was executed, in full or in part."""
        self._fills += 1
        self._unattended += 1
        if self._traded:
            self._traded[-1][1].setdefault(fill.ticker, set()).add(fill.side)
        lot = self._lots.setdefault(fill.ticker, _Lot())
        signed = fill.quantity if fill.side == "buy" else -fill.quantity
        sign = 1.0 if fill.side == "buy" else -1.0
        net = fill.price + sign * fill.commission / fill.quantity
        if lot.shares * signed >= 0:
            total = lot.shares + signed
            lot.cost = (lot.shares * lot.cost + signed * net) / total
            lot.shares = total
            return
        lost = (net - lot.cost) * (1 if lot.shares > 0 else -1) < 0
        self._losses = self._losses + 1 if lost else 0
        self._since_loss = 0 if lost else None
        lot.shares += signed
        if abs(lot.shares) < 1e-9:
            del self._lots[fill.ticker]

    def at(self, now: datetime | None) -> Activity:
        """The figures as of `now`; None: of a desk whose clock has not been seen yet."""
        while self._sent and now is not None and self._sent[0].at < now - REMEMBERED:
            self._sent.popleft()
        minute = timedelta(minutes=1)
        return Activity(
            orders_last_minute=sum(now is not None and order.at > now - minute for order in self._sent),
            orders_today=self._orders,
            cancels_today=self._cancels,
            fills_today=self._fills,
            unattended_fills=self._unattended,
            consecutive_losses=self._losses,
            sessions_since_loss=self._since_loss,
            day_trades=sum(len(sides) == 2 for _, names in self._traded for sides in names.values()),
            recent=tuple(self._sent),
            last_seen=self._last_seen,
        )

    def _saw(self, at: datetime) -> None:
        self._last_seen = at if self._last_seen is None else max(at, self._last_seen)
