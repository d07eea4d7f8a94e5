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

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import fsum
from typing import TypeVar

from ib_async import IB, CommissionReport, Contract, ExecutionFilter, Fill, Stock, Ticker, Trade
from ib_async.wrapper import RequestError

from ..clock import TradingCalendar
from ..errors import BrokerError, InputError
from .adapting import asking_again, cancelled, of_one_moment
from .guard import answer_of
from .ib_gateway import Gateway, until
from .ib_words import execution_of, gateways_order, key_of, refusals_of, state_of, state_of_fills, us_share
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
NO_SUCH_CONTRACT = 200
_VALUES = ("TotalCashValue", "NetLiquidation")
_WAITING = ("PendingSubmit", "ApiPending", "ValidationError")
IN_FLIGHT = 10.0
"""Seconds until an order that was on its way shows when it is asked for. The gateway promises none."""
GATEWAYS_ZONE = "America/New_York"
"""Of the midnight at which a gateway forgets the day's orders and executions."""
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
        self._seconds = settings.timeout_seconds
        self._client_id = _whole(environment.get("IB_CLIENT_ID", "") or "17", "IB_CLIENT_ID")
        self._contracts: dict[str, Contract] = {}
        self._gateway = Gateway(
            environment.get("IB_HOST", "") or "127.0.0.1",
            _whole(environment.get("IB_PORT", "") or "4002", "IB_PORT"),
            self._client_id,
            self._seconds,
        )
        try:
            self._account = _chosen(self._read(_accounts), environment.get("IB_ACCOUNT", ""))
            self._paper = self._account.startswith(PAPER_PREFIX)
            settings.admit("Interactive Brokers", self._account, paper=self._paper)
        except BaseException:
            self.close()
            raise

    @property
    def capabilities(self) -> Capabilities:
        """Whole shares, no short sales, no replacements in one step."""
        return Capabilities(
            name="interactive-brokers",
            paper=self._paper,
            account=self._account,
            in_flight_seconds=IN_FLIGHT,
            forgets_at_midnight=GATEWAYS_ZONE,
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
            BrokerError: they do not: one of them is stale; or it is not in dollars, or holds other than US shares.
        """

        def read() -> tuple[PortfolioSnapshot, float]:
            cash, value, held, prices = self._read(self._download)
            return PortfolioSnapshot.valued(self.clock().at, cash, held, prices), value

        return of_one_moment(self._pauses, "Interactive Brokers", read)

    def positions(self) -> dict[str, float]:
        """Shares by ticker.

        Raises:
            BrokerError: the account holds other than US shares.
        """
        rows = self._read(lambda client: client.reqPositionsAsync())
        return {
            us_share(row.contract): float(row.position) for row in rows if row.account == self._account and row.position
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
            trades.append(client.placeOrder(contract, gateways_order(order, self._account)))
            await until(lambda: trades[0].orderStatus.status not in _WAITING or refusals_of(trades[0]), client)

        try:
            self._gateway.ask(send)
        except BrokerError as error:
            return Unknown(client_order_id=key, reason=str(error))
        if refusals := refusals_of(trades[0]):
            return Rejected(client_order_id=key, reason=refusals[-1][:200])
        errors = [row for row in trades[0].log if row.errorCode]
        if errors and trades[0].orderStatus.status in ("Cancelled", "Inactive"):
            kind = Unknown if errors[-1].errorCode in _UNCLEAR else Rejected
            return kind(client_order_id=key, reason=errors[-1].message[:200])
        return answer_of(order, state_of(trades[0]))

    def order(self, client_order_id: str) -> OrderState | None:
        """The state of one order of this day, open or ended; the gateway forgets ended orders at midnight."""
        found = next((row for row in self._open() if row.client_order_id == client_order_id), None)
        if found is not None:
            return found
        for trade in self._read(lambda client: client.reqCompletedOrdersAsync(False)):
            if trade.order.account == self._account and key_of(trade.order.orderRef) == client_order_id:
                return state_of(trade)
        # An order that has just been filled may not be among the ended ones yet.
        fills = [row for row in self._executions() if key_of(row.execution.orderRef) == client_order_id]
        return state_of_fills(fills) if fills else None

    def open_orders(self) -> list[OrderState]:
        """Orders that may still fill, oldest first."""
        return self._open()

    def cancel(self, client_order_id: str) -> OrderState:
        """Cancel an order; one that has ended is returned as it is.

        Raises:
            BrokerError: there is no such order, it may still be open, or another client of the gateway has sent it:
                an order is cancelled by its number, and equal numbers of two clients are two orders.
        """
        found = next((row for row in self._trades() if key_of(row.order.orderRef) == client_order_id), None)
        if found is None:
            return cancelled(client_order_id, self.order(client_order_id), lambda: None, lambda: None)
        if (owner := found.order.clientId) != self._client_id:
            raise BrokerError(
                f"The order {client_order_id} was sent by client {owner} of the gateway, and this one is "
                f"{self._client_id}: cancel it there, or with IB_CLIENT_ID={owner}."
            )

        async def cancel(client: IB) -> None:
            client.cancelOrder(found.order)
            await until(found.isDone, client)

        return cancelled(
            client_order_id,
            state_of(found),
            lambda: self._gateway.ask(cancel),
            lambda: self.order(client_order_id),
        )

    def replace(self, order: OrderIntent) -> Submission:
        """Not offered: the gateway changes an order in place and keeps its note."""
        return Rejected(client_order_id=order.client_order_id, reason="cancel the old order and send a new one")

    def fills(self, since: datetime) -> list[Execution]:
        """Executions of this day since a time, each once and as it was corrected last, by time."""
        found = [execution_of(row) for row in self._executions()]
        return sorted((made for made in found if made.at >= since), key=lambda made: (made.at, made.execution_id))

    def quotes(self, tickers: Sequence[str]) -> dict[str, Quote]:
        """The best prices now, as far as the account may see them: a name that it may not see is absent."""
        contracts = [found for ticker in tickers if (found := self._contract(ticker)) is not None]
        rows = [row for found in self._read(lambda client: self._priced(client, contracts)) for row in found]
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

    async def _priced(self, client: IB, contracts: Sequence[Contract]) -> list[list[Ticker]]:
        """A snapshot of each name. One that is refused, or about which nothing is said, takes no other's price away."""

        async def ask(contract: Contract) -> list[Ticker]:
            try:
                return await asyncio.wait_for(client.reqTickersAsync(contract), 0.7 * self._seconds)
            except (RequestError, TimeoutError):
                return []

        return await asyncio.gather(*map(ask, contracts))

    def _trades(self) -> list[Trade]:
        """Open orders of this account, of all clients of the gateway, oldest first."""
        trades = self._read(lambda client: client.reqAllOpenOrdersAsync())
        mine = [row for row in trades if row.order.account == self._account and not row.isDone()]
        return sorted(mine, key=lambda row: row.order.permId)

    def _open(self) -> list[OrderState]:
        return [state_of(row) for row in self._trades()]

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
        for row in self._read(self._told):
            if row.execution.acctNumber != self._account:
                continue
            known = latest.get(_stem(row))
            if known is None or row.execution.execId > known.execution.execId:
                latest[_stem(row)] = row
        return list(latest.values())

    async def _told(self, client: IB) -> list[Fill]:
        """All executions of this day, each with what it cost.

        Costs come apart from executions, sometimes after them, and the client keeps them with the first it heard of an
        execution: one that was pushed before is told without, when it is asked for.
        """

        def costs() -> dict[str, CommissionReport]:
            known = client.wrapper.fills.values()
            return {_stem(row): row.commissionReport for row in known if row.commissionReport.execId}

        rows = await client.reqExecutionsAsync(ExecutionFilter())
        with suppress(TimeoutError):
            late = until(lambda: {_stem(row) for row in rows} <= costs().keys(), client)
            await asyncio.wait_for(late, 0.3 * self._seconds)
        paid = costs()
        return [row._replace(commissionReport=paid.get(_stem(row), row.commissionReport)) for row in rows]

    async def _download(self, client: IB) -> tuple[float, float, dict[str, float], dict[str, float]]:
        """Cash, value of all, shares and prices. Subscribing anew makes the gateway send all of it."""
        client.client.reqAccountUpdates(False, self._account)  # type: ignore[no-untyped-call]
        client.wrapper.portfolio[self._account].clear()
        await client.reqAccountUpdatesAsync(self._account)
        values = {row.tag: row for row in client.accountValues(self._account) if row.tag in _VALUES}
        if missing := [tag for tag in _VALUES if tag not in values]:
            raise BrokerError(f"The gateway does not tell the account's {missing[0]}: wait, then ask again.")
        if other := {row.currency for row in values.values()} - {"USD"}:
            raise BrokerError(f"The account is kept in {other.pop()}: the desk needs one whose base currency is USD.")
        rows = [row for row in client.portfolio(self._account) if row.position]
        held = {us_share(row.contract): float(row.position) for row in rows}
        prices = {row.contract.symbol: float(row.marketPrice) for row in rows}
        cash, value = (float(values[tag].value) for tag in _VALUES)
        return cash, value, held, prices

    def _read(self, question: Callable[[IB], Awaitable[T]]) -> T:
        """Something that changes nothing."""
        return asking_again(self._pauses, lambda: self._gateway.ask(question), _meaning)


def _stem(row: Fill) -> str:
    """The id of an execution without the number of its correction."""
    return row.execution.execId.rpartition(".")[0]


def _meaning(error: Exception) -> BrokerError | None:
    return error if isinstance(error, BrokerError) else None


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
