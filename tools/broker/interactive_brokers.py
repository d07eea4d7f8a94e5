"""Interactive Brokers through `ib_async` and a gateway (or TWS) that is logged in: day orders in whole US shares.

| environment variable | holds |
| --- | --- |
| `IB_HOST`, `IB_PORT` | where the gateway listens; 127.0.0.1 and 4002, the port of a paper gateway |
| `IB_CLIENT_ID` | which client of the gateway this is; 17 |
| `IB_ACCOUNT` | the account, where the gateway's user has several |

There is no secret: the gateway has logged in. The account is paper where its id begins with DU, whatever the port. Any
other needs both switches of live trading (docs/brokers.md).

What the gateway does not do: it keeps no client order id unique (`orderRef` is a note), so an order is looked up before
it is sent; it tells of an ended order without its quantity, so the note holds that too; it lends shares, so a sale of
what is not held is refused here.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import fsum
from typing import Any, TypeVar

from ib_async import IB, Contract, ExecutionFilter, Fill, LimitOrder, MarketOrder, Stock, StopOrder, Trade
from ib_async import Order as IBOrder
from ib_async.wrapper import RequestError

from ..clock import TradingCalendar
from ..errors import BrokerError, InputError
from .guard import answer_of
from .ib_gateway import Gateway, NoAnswer, until
from .protocol import (
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
from .registry import BrokerSettings

CALENDAR = "XNYS"
PAPER_PREFIX = "DU"
PENNY = 0.01
NO_SUCH_CONTRACT = 200
_NOTE = "/"
"""Between a client order id and the quantity in an order's note."""
_WAITING = ("PendingSubmit", "ApiPending", "ValidationError")
_ENDS: dict[str, Any] = {
    "Filled": "filled",
    "Cancelled": "cancelled",
    "ApiCancelled": "cancelled",
    "Inactive": "rejected",
}
_UNCLEAR = (100, 103, 504, 1100)
"""Error codes after which an order may be sent again: too many messages, id in use, not connected."""
T = TypeVar("T")


def open_broker(settings: BrokerSettings) -> "InteractiveBrokers":
    """The entry point: connects and finds out whose account it is."""
    return InteractiveBrokers(settings)


class InteractiveBrokers:
    """One account at Interactive Brokers.

    Raises:
        InputError: the gateway's user has several accounts and none is named, or a setting is no number.
        BrokerUnreachable: the gateway gives no answer.
        BrokerError: the account is neither paper nor the live one that both switches name.
    """

    def __init__(self, settings: BrokerSettings, *, pauses: Sequence[float] = (0.2, 0.5, 1.0)) -> None:
        environment, self._pauses = settings.environment, tuple(pauses)
        self._contracts: dict[str, Contract] = {}
        self._gateway = Gateway(
            environment.get("IB_HOST", "") or "127.0.0.1",
            _whole(environment.get("IB_PORT", "") or "4002", "IB_PORT"),
            _whole(environment.get("IB_CLIENT_ID", "") or "17", "IB_CLIENT_ID"),
            settings.timeout_seconds,
        )
        try:
            self._account = _chosen(self._read(_accounts), environment.get("IB_ACCOUNT", ""))
            self._paper = self._account.startswith(PAPER_PREFIX)
            if not self._paper and self._account != settings.live_account:
                raise BrokerError(
                    "This account of Interactive Brokers is not a paper account: log the gateway in for paper trading; "
                    "real money needs --live and the account's id in PAPERDESK_LIVE_ACCOUNT."
                )
        except (InputError, BrokerError):
            self.close()
            raise

    @property
    def capabilities(self) -> Capabilities:
        """Whole shares, no short sales, no replacements in one step."""
        return Capabilities(
            name="interactive-brokers",
            paper=self._paper,
            fractional=False,
            shorting=False,
            order_types=("market", "limit", "stop"),
            quotes=True,
        )

    def clock(self) -> BrokerClock:
        """The gateway's time, and the hours of the New York Stock Exchange."""
        at = self._read(lambda client: client.reqCurrentTimeAsync()).astimezone(UTC)
        calendar = _calendar(at.year)
        session = at.date() if calendar.is_session(at.date()) else calendar.next_session(at.date())
        if at >= calendar.close_of(session):
            session = calendar.next_session(session)
        is_open = at >= calendar.open_of(session)
        following = calendar.next_session(session) if is_open else session
        return BrokerClock(
            at=at, is_open=is_open, next_open=calendar.open_of(following), next_close=calendar.close_of(session)
        )

    def account(self) -> PortfolioSnapshot:
        """Cash, positions and prices of one download of the account; read until they belong together.

        Raises:
            BrokerError: they do not: one of them is stale.
        """
        for pause in (*self._pauses, None):
            cash, value, held, prices = self._read(self._download)
            at = self.clock().at
            found = PortfolioSnapshot.valued(at, cash, held, prices)
            if abs(found.equity - value) <= PENNY + 0.02 * sum(abs(n) * prices[name] for name, n in held.items()):
                return found
            if pause is not None:
                time.sleep(pause)
        raise BrokerError("The account's cash and positions do not belong to one moment: wait, then ask again.")

    def positions(self) -> dict[str, float]:
        """Shares by ticker."""
        rows = self._read(lambda client: client.reqPositionsAsync())
        return {
            row.contract.symbol: float(row.position) for row in rows if row.account == self._account and row.position
        }

    def submit(self, order: OrderIntent) -> Submission:
        """Send one day order, unless there is one under its id already."""
        key = order.client_order_id
        try:
            standing = self.order(key)
            if standing is not None:
                return answer_of(order, standing)
            if order.side == "sell" and order.quantity > self._free(order.ticker):
                return Rejected(client_order_id=key, reason=f"{order.quantity:g} {order.ticker} are not held and free")
            contract = self._contract(order.ticker)
        except BrokerError as error:
            return Unknown(client_order_id=key, reason=str(error))
        if order.quantity != int(order.quantity):
            return Rejected(client_order_id=key, reason="Interactive Brokers takes whole shares here")
        if contract is None:
            return Rejected(client_order_id=key, reason=f"Interactive Brokers knows no US share {order.ticker}")
        trades: list[Trade] = []

        async def send(client: IB) -> None:
            trades.append(client.placeOrder(contract, _order(order, self._account)))
            await until(lambda: trades[0].orderStatus.status not in _WAITING, client)

        try:
            self._gateway.ask(send)
        except BrokerError as error:
            return Unknown(client_order_id=key, reason=str(error))
        errors = [row for row in trades[0].log if row.errorCode]
        if errors and trades[0].orderStatus.status in ("Cancelled", "Inactive"):
            kind = Unknown if errors[-1].errorCode in _UNCLEAR else Rejected
            return kind(client_order_id=key, reason=errors[-1].message[:200])
        return answer_of(order, _state(trades[0]))

    def order(self, client_order_id: str) -> OrderState | None:
        """The state of one order of this day, open or ended; the gateway forgets ended orders at midnight."""
        found = next((row for row in self._open() if row.client_order_id == client_order_id), None)
        if found is not None:
            return found
        for trade in self._read(lambda client: client.reqCompletedOrdersAsync(False)):
            if _key(trade.order.orderRef) == client_order_id:
                return _state(trade)
        # An order that has just been filled may not be among the ended ones yet.
        fills = [row for row in self._executions() if _key(row.execution.orderRef) == client_order_id]
        return _state_of_fills(fills) if fills else None

    def open_orders(self) -> list[OrderState]:
        """Orders that may still fill, oldest first."""
        return self._open()

    def cancel(self, client_order_id: str) -> OrderState:
        """Cancel an order; one that has ended is returned as it is."""
        trades = self._read(lambda client: client.reqAllOpenOrdersAsync())
        found = next((row for row in trades if _key(row.order.orderRef) == client_order_id), None)
        if found is None:
            standing = self.order(client_order_id)
            if standing is None:
                raise BrokerError(f"There is no order {client_order_id} to cancel: list the open ones.")
            return standing

        async def cancel(client: IB) -> None:
            client.cancelOrder(found.order)
            await until(found.isDone, client)

        failure: BrokerError | None = None
        try:
            self._gateway.ask(cancel)
        except BrokerError as error:
            failure = error  # it may have ended in the meantime, or the answer was lost: its state says what is true
        after = self.order(client_order_id)
        if after is None or after.status in ("open", "partially_filled"):
            raise BrokerError(f"The order {client_order_id} may still be open: cancel again.") from failure
        return after

    def replace(self, order: OrderIntent) -> Submission:
        """Not offered: the gateway changes an order in place and keeps its note."""
        return Rejected(client_order_id=order.client_order_id, reason="cancel the old order and send a new one")

    def fills(self, since: datetime) -> list[Execution]:
        """Executions of this day since a time, each once and as it was corrected last, by time."""
        found = [_execution(row) for row in self._executions()]
        return sorted((made for made in found if made.at >= since), key=lambda made: (made.at, made.execution_id))

    def quotes(self, tickers: Sequence[str]) -> dict[str, Quote]:
        """The best prices now, as far as the account may see them."""
        contracts = [found for ticker in tickers if (found := self._contract(ticker)) is not None]
        rows = self._read(lambda client: client.reqTickersAsync(*contracts))
        return {
            row.contract.symbol: Quote(
                bid=row.bid, ask=row.ask, bid_shares=row.bidSize or 0, ask_shares=row.askSize or 0, at=row.time
            )
            for row in rows
            if row.contract is not None and row.time is not None and row.bid > 0 and row.ask > 0
        }

    def close(self) -> None:
        """Disconnect."""
        self._gateway.close()

    def _open(self) -> list[OrderState]:
        trades = self._read(lambda client: client.reqAllOpenOrdersAsync())
        mine = [row for row in trades if row.order.account == self._account and not row.isDone()]
        return [_state(row) for row in sorted(mine, key=lambda row: row.order.permId)]

    def _free(self, ticker: str) -> float:
        """Shares that are held and in no open sale."""
        promised = fsum(
            row.quantity - row.filled_quantity for row in self._open() if row.ticker == ticker and row.side == "sell"
        )
        return self.positions().get(ticker, 0.0) - promised

    def _contract(self, ticker: str) -> Contract | None:
        """The US share of this name, or None: there is none, or several."""
        if ticker not in self._contracts:
            wanted = Stock(ticker, "SMART", "USD")
            try:
                rows = self._read(lambda client: client.reqContractDetailsAsync(wanted))
            except BrokerError as error:
                if isinstance(error.__cause__, RequestError) and error.__cause__.code == NO_SUCH_CONTRACT:
                    return None
                raise
            if len(rows) != 1 or rows[0].contract is None:
                return None
            self._contracts[ticker] = rows[0].contract
        return self._contracts[ticker]

    def _executions(self) -> list[Fill]:
        """Each execution once; a correction has the same id but for its last part, and takes its place."""
        latest: dict[str, Fill] = {}
        for row in self._read(lambda client: client.reqExecutionsAsync(ExecutionFilter())):
            if row.execution.acctNumber != self._account:
                continue
            stem = row.execution.execId.rpartition(".")[0]
            known = latest.get(stem)
            if known is None or row.execution.execId > known.execution.execId:
                latest[stem] = row
        return list(latest.values())

    async def _download(self, client: IB) -> tuple[float, float, dict[str, float], dict[str, float]]:
        """Cash, value of all, shares and prices. Subscribing anew makes the gateway send all of it."""
        client.client.reqAccountUpdates(False, self._account)  # type: ignore[no-untyped-call]
        client.wrapper.portfolio[self._account].clear()
        await client.reqAccountUpdatesAsync(self._account)
        values = {row.tag: row.value for row in client.accountValues(self._account)}
        rows = client.portfolio(self._account)
        held = {row.contract.symbol: float(row.position) for row in rows if row.position}
        prices = {row.contract.symbol: float(row.marketPrice) for row in rows if row.position}
        return float(values["TotalCashValue"]), float(values["NetLiquidation"]), held, prices

    def _read(self, question: Callable[[IB], Awaitable[T]]) -> T:
        """Something that changes nothing, asked again after a moment where there is no answer."""
        for pause in (*self._pauses, None):
            try:
                return self._gateway.ask(question)
            except NoAnswer:
                if pause is None:
                    raise
                time.sleep(pause)
        raise AssertionError("the last attempt returns or raises")


@lru_cache(maxsize=4)
def _calendar(year: int) -> TradingCalendar:
    start = datetime(year, 1, 1, tzinfo=UTC).date()
    return TradingCalendar(CALENDAR, start - timedelta(days=10), start + timedelta(days=375))


async def _accounts(client: IB) -> list[str]:
    return list(client.managedAccounts())


def _chosen(accounts: Sequence[str], named: str) -> str:
    if named and named not in accounts:
        raise InputError("The gateway's user has no such account: correct IB_ACCOUNT.")
    if not named and len(accounts) != 1:
        raise InputError(f"The gateway's user has {len(accounts)} accounts: name one in IB_ACCOUNT.")
    return named or accounts[0]


def _whole(text: str, name: str) -> int:
    if not text.isdigit():
        raise InputError(f"{name} must be a whole number: correct it.")
    return int(text)


def _order(order: OrderIntent, account: str) -> IBOrder:
    action, quantity = order.side.upper(), float(order.quantity)
    common: dict[str, Any] = {
        "tif": "DAY",
        "account": account,
        "orderRef": f"{order.client_order_id}{_NOTE}{quantity:g}",
    }
    if order.limit_price is not None:
        return LimitOrder(action, quantity, order.limit_price, **common)
    if order.stop_price is not None:
        return StopOrder(action, quantity, order.stop_price, **common)
    return MarketOrder(action, quantity, **common)


def _key(note: str) -> str:
    return note.partition(_NOTE)[0]


def _state(trade: Trade) -> OrderState:
    order, status = trade.order, trade.orderStatus.status
    ended = trade.isDone() and order.filledQuantity < 1e300  # unset, it is the largest float
    filled = float(order.filledQuantity if ended else trade.orderStatus.filled)
    standing = _ENDS.get(status, "partially_filled" if filled else "open")
    noted = order.orderRef.partition(_NOTE)[2]
    return OrderState(
        client_order_id=_key(order.orderRef),
        ticker=trade.contract.symbol,
        side="buy" if order.action == "BUY" else "sell",
        quantity=float(noted or order.totalQuantity),
        filled_quantity=filled,
        status=standing,
        reason="" if standing in ("open", "partially_filled", "filled") else status,
    )


def _state_of_fills(fills: Sequence[Fill]) -> OrderState:
    first = fills[0].execution
    wanted, filled = float(first.orderRef.partition(_NOTE)[2]), fsum(float(row.execution.shares) for row in fills)
    return OrderState(
        client_order_id=_key(first.orderRef),
        ticker=fills[0].contract.symbol,
        side="buy" if first.side == "BOT" else "sell",
        quantity=wanted,
        filled_quantity=filled,
        status="filled" if filled >= wanted else "partially_filled",
    )


def _execution(row: Fill) -> Execution:
    made = row.execution
    return Execution(
        execution_id=made.execId,
        client_order_id=_key(made.orderRef),
        ticker=row.contract.symbol,
        side="buy" if made.side == "BOT" else "sell",
        quantity=float(made.shares),
        price=float(made.price),
        commission=float(row.commissionReport.commission),
        at=made.time.astimezone(UTC),
    )
