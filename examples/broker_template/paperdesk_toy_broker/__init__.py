"""A broker adapter for PaperDesk, to copy: replace what asks the toy venue by what asks yours.

| member | required | what it must keep |
| --- | --- | --- |
| `capabilities` | yes | the same each time; `paper=True` only where that is proven; the number of the account |
| `clock` | yes | the venue's own time, not this machine's |
| `account` | yes | one moment; raises `BrokerError`, is never empty for want of an answer |
| `positions` | yes | shares by ticker; raises, is never empty for want of an answer |
| `submit` | yes | an answer, or `Unknown`; the same order twice is one; other terms under a known id are rejected |
| `order` | yes | None only if the venue never saw the id; raises where the venue does not answer |
| `open_orders` | yes | what may still fill, in order of submission |
| `cancel` | yes | an order that has ended is returned as it is; an unknown one raises |
| `replace` | where `capabilities.replaces` | the old order and the new one never fill both; elsewhere `Rejected` |
| `fills` | yes | executions since a time, each once, in order of occurrence |
| `quotes` | where `capabilities.quotes` | a name without a quote is absent |
| `close` | yes | harmless to repeat |

The adapter knows nothing of verdict tokens: PaperDesk puts a guard around it.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from paperdesk.tools.broker import (
    Accepted,
    Broker,
    BrokerClock,
    Capabilities,
    Execution,
    OrderIntent,
    OrderState,
    PortfolioSnapshot,
    Quote,
    Rejected,
    Submission,
    Unknown,
)
from paperdesk.tools.broker.registry import BrokerSettings
from paperdesk.tools.broker.stand_in.exchange import Exchange, Order, Refused
from paperdesk.tools.broker.stand_in.faults import Busy, FaultInjector, Lost
from paperdesk.tools.errors import BrokerError

PRICES = {"AURX": 50.0, "BOLT": 20.0}


def open_broker(settings: BrokerSettings) -> Broker:
    """The entry point. Keys would come from `settings.secret("MY_BROKER_KEY")`, and from nowhere else."""
    venue = Exchange(datetime(2026, 11, 20, 17, tzinfo=UTC), lambda ticker, at: PRICES.get(ticker))
    return ToyBroker(venue, FaultInjector(), settings)


class ToyBroker:
    """An account in memory. `wire` stands for the connection, which may fail."""

    def __init__(
        self, venue: Exchange, wire: FaultInjector, settings: BrokerSettings, account: str = "PAPER-1"
    ) -> None:
        self._venue, self._wire, self._account = venue, wire, account
        self._paper = account.startswith("PAPER")
        settings.admit("the toy venue", account, paper=self._paper)

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        return Capabilities(
            name="toy",
            paper=self._paper,
            account=self._account,
            fractional=True,
            shorting=False,
            order_types=("market", "limit"),
            replaces=True,
        )

    def clock(self) -> BrokerClock:
        """The venue's time."""
        hours = self._ask("clock", lambda: self._venue.hours(self._venue.now))
        after = self._venue.hours(hours.closes)
        return BrokerClock(
            at=self._venue.now,
            is_open=self._venue.is_open,
            next_open=after.opens if self._venue.is_open else hours.opens,
            next_close=hours.closes,
        )

    def account(self) -> PortfolioSnapshot:
        """Cash, positions and prices, under one lock: one moment."""

        def read() -> PortfolioSnapshot:
            venue = self._venue
            with venue.lock:
                prices = {ticker: venue.price(ticker, venue.now) or 0.0 for ticker in venue.positions}
                return PortfolioSnapshot.valued(venue.now, venue.cash, venue.positions, prices)

        snapshot: PortfolioSnapshot = self._ask("account", read)
        return snapshot

    def positions(self) -> dict[str, float]:
        """Shares by ticker."""
        held: dict[str, float] = self._ask("positions", lambda: dict(self._venue.positions))
        return held

    def submit(self, order: OrderIntent) -> Submission:
        """Send one day order."""
        return self._send(
            order,
            lambda: self._venue.submit(
                order.client_order_id, order.ticker, order.side, order.quantity, order.order_type, order.limit_price
            ),
        )

    def replace(self, order: OrderIntent) -> Submission:
        """Replace an open order."""
        old = self._find(order.replaces or "")
        if old is None:
            return Rejected(client_order_id=order.client_order_id, reason=f"there is no order {order.replaces}")
        return self._send(
            order,
            lambda: self._venue.replace(old.id, order.client_order_id, order.quantity, order.limit_price, None),
        )

    def order(self, client_order_id: str) -> OrderState | None:
        """The state of one order."""
        found = self._find(client_order_id)
        return None if found is None else _state(found)

    def open_orders(self) -> list[OrderState]:
        """Those that may still fill."""
        return [_state(order) for order in self._ask("orders", self._venue.open_orders)]

    def cancel(self, client_order_id: str) -> OrderState:
        """Cancel what is left of an order."""
        found = self._find(client_order_id)
        if found is None:
            raise BrokerError(f"There is no order {client_order_id} to cancel: list the open ones.")
        if found.status != "open":
            return _state(found)
        try:
            return _state(self._ask("cancel", lambda: self._venue.cancel(found.id)))
        except Refused:  # it ended in the meantime
            return _state(self._venue.orders[found.id])

    def fills(self, since: datetime) -> list[Execution]:
        """Executions, each once, in order of occurrence, however the venue tells them."""
        told = {trade.id: trade for trade in self._ask("fills", lambda: list(self._venue.trades)) if trade.at >= since}
        return [
            Execution(
                execution_id=trade.id,
                client_order_id=trade.client_order_id,
                ticker=trade.ticker,
                side=trade.side,
                quantity=trade.quantity,
                price=trade.price,
                at=trade.at,
            )
            for trade in sorted(told.values(), key=lambda trade: (trade.at, trade.id))
        ]

    def quotes(self, tickers: Sequence[str]) -> dict[str, Quote]:
        """Not offered."""
        raise BrokerError("The toy venue knows no quotes.")

    def close(self) -> None:
        """Nothing to let go of."""

    def _send(self, order: OrderIntent, act: Callable[[], Order]) -> Submission:
        key = order.client_order_id
        try:
            self._wire.around("submit", act)
        except Refused as refused:
            if refused.code != "duplicate":
                return Rejected(client_order_id=key, reason=str(refused))
            standing = self._find(key)
            same = standing is not None and (standing.ticker, standing.side, standing.quantity) == (
                order.ticker,
                order.side,
                order.quantity,
            )
            if not same:
                return Rejected(client_order_id=key, reason="this id stands for an order with other terms")
        except (Lost, Busy) as failure:
            return Unknown(client_order_id=key, reason=str(failure))  # it may have arrived: never a guess
        return Accepted(client_order_id=key)

    def _find(self, client_order_id: str) -> Order | None:
        found: Order | None = self._ask("order", lambda: self._venue.by_client_id(client_order_id))
        return found

    def _ask(self, operation: Any, act: Callable[[], Any]) -> Any:
        try:
            return self._wire.around(operation, act)
        except (Lost, Busy) as failure:
            raise BrokerError(f"The toy venue does not answer ({failure}): try again.") from failure


def _state(order: Order) -> OrderState:
    status: Any = {"replaced": "cancelled"}.get(order.status, order.status)
    if status == "open" and order.filled:
        status = "partially_filled"
    return OrderState(
        client_order_id=order.client_order_id,
        ticker=order.ticker,
        side=order.side,
        quantity=order.quantity,
        filled_quantity=order.filled,
        status=status,
        reason=order.reason,
    )
