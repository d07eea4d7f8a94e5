"""Binance's spot market through ccxt: market and limit orders in coins against one quote currency, long only.

| environment variable | holds |
| --- | --- |
| `CCXT_API_KEY`, `CCXT_SECRET` | the keys; they are read from nowhere else, and never written anywhere |
| `CCXT_SYMBOLS` | what the desk trades, all in one quote currency: `BTC/USDT,ETH/USDT` |
| `CCXT_URL` | another address of the sandbox, on this machine only |

A ticker is a coin (`BTC`), cash is the quote currency; other coins of the account are not looked at. The account is
paper where ccxt's sandbox mode leaves no address but the exchange's test network or this machine. Without the sandbox
both switches of live trading are needed (docs/brokers.md), and the exchange must say that the account has the number
given.

What ccxt does not do: Binance forgets a client order id once its order has ended, so an order is looked up before it is
sent; it asks for a symbol with every id; and it knows no day orders, so whoever sends one cancels it.
"""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import localcontext
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

import ccxt

from ..errors import BrokerError, BrokerUnreachable, InputError
from .adapting import asking_again, cancelled, keep_quiet, used_before
from .guard import answer_of
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

HERE = ("127.0.0.1", "localhost", "::1")
SANDBOX_HOSTS = frozenset({"testnet.binance.vision", "testnet.binancefuture.com", *HERE})
"""Hosts at which nothing is real."""
PAGE = 1000
RECV_WINDOW = 5000
"""Milliseconds after which the exchange does not take a request any more that was on its way."""
IN_FLIGHT = 2 * RECV_WINDOW / 1000
"""Seconds until what it took in time shows when it is asked for: as long again."""
KEPT = 4096
"""Orders whose ids are remembered."""
_STATES: dict[str, Any] = {
    "open": "open",
    "closed": "filled",
    "canceled": "cancelled",
    "canceling": "open",
    "PENDING_NEW": "open",
    "expired": "expired",
    "rejected": "rejected",
}
_REFUSALS = (ccxt.InsufficientFunds, ccxt.InvalidOrder, ccxt.BadSymbol, ccxt.BadRequest, ccxt.AuthenticationError)
"""The exchange looked at the order and did not take it."""
T = TypeVar("T")


def open_broker(settings: BrokerSettings) -> "CcxtBinance":
    """The entry point: connects and finds out whose account it is."""
    return CcxtBinance(settings)


class CcxtBinance:
    """One spot account at Binance.

    Args:
        settings: time limit, switches and keys.
        pauses: seconds between attempts to read something.
        paced: whether ccxt keeps to the exchange's limit of requests.

    Raises:
        InputError: a key or the symbols are missing, or the symbols have several quote currencies.
        BrokerUnreachable: the exchange gives no answer for now.
        BrokerError: it refuses the keys, or the account is neither paper nor the live one that both switches name.
    """

    def __init__(
        self, settings: BrokerSettings, *, pauses: Sequence[float] = (0.2, 0.5, 1.0), paced: bool = True
    ) -> None:
        self._pauses = tuple(pauses)
        keep_quiet("urllib3.connectionpool", "ccxt.base.exchange")  # keys, and addresses with their signatures
        self._symbols, self._quote = _symbols_of(settings.secret("CCXT_SYMBOLS"))
        self._client: Any = ccxt.binance(
            {
                "apiKey": settings.secret("CCXT_API_KEY"),
                "secret": settings.secret("CCXT_SECRET"),
                "timeout": max(1, int(settings.timeout_seconds * 1000)),
                "enableRateLimit": paced,
                "options": {
                    "defaultType": "spot",
                    "fetchMarkets": {"types": ["spot"]},
                    "fetchCurrencies": False,
                    "fetchMargins": False,
                    "maxRetriesOnFailure": 0,
                    "recvWindow": RECV_WINDOW,
                },
            }
        )
        self._point_at(settings)
        self._symbol_of: dict[str, str] = {}
        """By client order id and by the exchange's id, of the latest orders."""
        self._client_ids: dict[str, str] = {}
        """Client order ids by the exchange's own."""
        try:
            self._read(self._client.load_markets)
            missing = [symbol for symbol in self._symbols.values() if symbol not in self._client.markets]
            if missing:
                raise InputError(f"The exchange does not trade {', '.join(missing)}: correct CCXT_SYMBOLS.")
            self._paper = self._is_paper()
            self._number = str(self._balance()["info"].get("uid") or "")
            settings.admit("Binance", self._number, paper=self._paper)
        except BaseException:
            self.close()
            raise

    @property
    def capabilities(self) -> Capabilities:
        """Parts of a coin in lots of the exchange, no short sales, no replacements in one step."""
        return Capabilities(
            name="binance",
            paper=self._paper,
            account=self._number,
            in_flight_seconds=IN_FLIGHT,
            fractional=True,
            shorting=False,
            order_types=("market", "limit"),
            quotes=True,
        )

    def clock(self) -> BrokerClock:
        """The exchange's time. It never closes; a day of it ends at midnight UTC."""
        at = self._now()
        midnight = datetime.combine(at.date() + timedelta(days=1), datetime.min.time(), UTC)
        return BrokerClock(at=at, is_open=True, next_open=midnight, next_close=midnight)

    def account(self) -> PortfolioSnapshot:
        """Cash and coins from one answer, at last prices."""
        balance = self._balance()
        held = self._held(balance)
        prices = self._prices(tuple(held))
        return PortfolioSnapshot.valued(self._now(), _total(balance, self._quote), held, prices)

    def positions(self) -> dict[str, float]:
        """Coins by ticker, those promised to open orders included."""
        return self._held(self._balance())

    def submit(self, order: OrderIntent) -> Submission:
        """Send one order, unless there is one under its id already."""
        key, symbol = order.client_order_id, self._symbols.get(order.ticker)
        if symbol is None:
            return Rejected(client_order_id=key, reason=f"{order.ticker} is not in CCXT_SYMBOLS")
        try:
            standing = self.order(key)
        except BrokerError as error:
            return Unknown(client_order_id=key, reason=str(error))
        if standing is not None:
            return answer_of(order, standing)
        lot = self._lot(symbol)
        quantity = round(math.floor(order.quantity / lot + 1e-9) * lot, 10)
        if quantity <= 0:
            return Rejected(client_order_id=key, reason=f"the exchange trades {order.ticker} in lots of {lot:g}")
        try:
            with localcontext():  # as in `_read`
                made = self._client.create_order(
                    symbol, order.order_type, order.side, quantity, order.limit_price, {"clientOrderId": key}
                )
        except _REFUSALS as error:
            return self._after_refusal(order, error)
        except (ccxt.BaseError, ValueError) as error:
            return Unknown(client_order_id=key, reason=f"the exchange gave no clear answer ({_words(error)})")
        try:
            return answer_of(order, self._state(made))
        except BrokerError as error:
            return Unknown(client_order_id=key, reason=str(error))

    def order(self, client_order_id: str) -> OrderState | None:
        """The state of one order, looked for in every symbol that the desk trades."""
        found = self._find(client_order_id)
        return None if found is None else self._state(found)

    def open_orders(self) -> list[OrderState]:
        """Orders that may still fill, oldest first."""
        rows = [
            row
            for symbol in self._symbols.values()
            for row in self._read(partial(self._client.fetch_open_orders, symbol))
        ]
        return [
            self._state(row) for row in sorted(rows, key=lambda row: (row["timestamp"], row["symbol"], int(row["id"])))
        ]

    def cancel(self, client_order_id: str) -> OrderState:
        """Cancel an order; one that has ended is returned as it is."""
        found = self._find(client_order_id)
        before = None if found is None else self._state(found)

        def cancel() -> None:
            assert found is not None
            self._read(lambda: self._client.cancel_order(found["id"], found["symbol"]))

        return cancelled(client_order_id, before, cancel, lambda: self.order(client_order_id))

    def replace(self, order: OrderIntent) -> Submission:
        """Not offered: at Binance the old order may fill while the new one is already sent."""
        return Rejected(client_order_id=order.client_order_id, reason="cancel the old order and send a new one")

    def fills(self, since: datetime) -> list[Execution]:
        """Executions since a time, each once, by time; asked for symbol by symbol."""
        found: dict[str, Execution] = {}
        for symbol in self._symbols.values():
            for row in self._trades(symbol, since):
                made = self._execution(row)
                if made.at >= since:
                    found[made.execution_id] = made
        return sorted(
            found.values(), key=lambda made: (made.at, made.ticker, int(made.execution_id.rpartition(":")[2]))
        )

    def quotes(self, tickers: Sequence[str]) -> dict[str, Quote]:
        """The best prices now."""
        symbols = {self._symbols[ticker]: ticker for ticker in tickers if ticker in self._symbols}
        if not symbols:
            return {}
        rows, at = self._read(lambda: self._client.fetch_bids_asks(list(symbols))), self._now()
        return {
            symbols[symbol]: Quote(
                bid=row["bid"], ask=row["ask"], bid_shares=row["bidVolume"], ask_shares=row["askVolume"], at=at
            )
            for symbol, row in rows.items()
            if row["bid"] and row["ask"]
        }

    def close(self) -> None:
        """Close the connection."""
        if self._client.session is not None:
            self._client.session.close()

    def _point_at(self, settings: BrokerSettings) -> None:
        """The sandbox, unless both switches ask for real money."""
        url = settings.environment.get("CCXT_URL", "").rstrip("/")
        if url and urlsplit(url).hostname not in HERE:
            raise InputError("CCXT_URL may only be an address of this machine: leave it out for the sandbox.")
        if url and settings.live_account:
            raise InputError("CCXT_URL is another address of the sandbox: leave it out where real money is traded.")
        if url:
            self._client.urls["test"] = dict.fromkeys(("public", "private", "v1"), f"{url}/api/v3")
        if settings.live_account:
            return
        self._client.set_sandbox_mode(True)

    def _is_paper(self) -> bool:
        hosts = {urlsplit(address).hostname for address in self._client.urls["api"].values()}
        return bool(self._client.isSandboxModeEnabled) and hosts <= SANDBOX_HOSTS

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._read(self._client.fetch_time) / 1000, UTC)

    def _balance(self) -> dict[str, Any]:
        balance: dict[str, Any] = self._read(self._client.fetch_balance)
        return balance

    def _held(self, balance: dict[str, Any]) -> dict[str, float]:
        held = {ticker: _total(balance, ticker) for ticker in self._symbols}
        return {ticker: amount for ticker, amount in held.items() if amount > 0}

    def _prices(self, tickers: Sequence[str]) -> dict[str, float]:
        if not tickers:
            return {}
        symbols = {self._symbols[ticker]: ticker for ticker in tickers}
        rows = self._read(lambda: self._client.fetch_last_prices(list(symbols)))
        return {symbols[symbol]: float(row["price"]) for symbol, row in rows.items()}

    def _lot(self, symbol: str) -> float:
        return float(self._client.markets[symbol]["precision"]["amount"])

    def _trades(self, symbol: str, since: datetime) -> list[dict[str, Any]]:
        start = int((since - timedelta(seconds=1)).timestamp() * 1000)
        rows = self._read(lambda: self._client.fetch_my_trades(symbol, start, PAGE))
        page = rows
        while len(page) >= PAGE:
            after = {"fromId": max(int(row["id"]) for row in page) + 1}
            page = self._read(partial(self._client.fetch_my_trades, symbol, None, PAGE, after))
            rows = rows + page
        return list(rows)

    def _execution(self, row: dict[str, Any]) -> Execution:
        number, symbol = str(row["order"]), str(row["symbol"])
        if number not in self._client_ids:
            self._remember(self._read(lambda: self._client.fetch_order(number, symbol)))
        fee = row.get("fee") or {}
        cost = float(fee.get("cost") or 0.0)
        coin = symbol.partition("/")[0]
        return Execution(
            execution_id=f"{symbol}:{row['id']}",
            client_order_id=self._client_ids[number],
            ticker=coin,
            side=row["side"],
            quantity=float(row["amount"]),
            price=float(row["price"]),
            commission=cost if fee.get("currency") == self._quote else 0.0,
            at=datetime.fromtimestamp(row["timestamp"] / 1000, UTC),
        )

    def _remember(self, row: dict[str, Any]) -> None:
        self._symbol_of[row["clientOrderId"]] = row["symbol"]
        self._client_ids[str(row["id"])] = row["clientOrderId"]
        for kept in (self._symbol_of, self._client_ids):
            while len(kept) > KEPT:
                del kept[next(iter(kept))]

    def _find(self, client_order_id: str) -> dict[str, Any] | None:
        known = self._symbol_of.get(client_order_id)
        for symbol in (known,) if known else tuple(self._symbols.values()):
            try:
                row: dict[str, Any] = self._read(
                    partial(self._client.fetch_order, None, symbol, {"clientOrderId": client_order_id})
                )
            except BrokerError as error:
                if isinstance(error.__cause__, ccxt.OrderNotFound):
                    continue
                raise
            return row
        return None

    def _state(self, row: dict[str, Any]) -> OrderState:
        self._remember(row)
        filled, status = float(row["filled"] or 0.0), str(row["status"])
        if status not in _STATES:
            raise BrokerError(
                f"The exchange says that an order is {status}, which is not known here: look it up there."
            )
        standing = _STATES[status]
        return OrderState(
            client_order_id=row["clientOrderId"],
            ticker=str(row["symbol"]).partition("/")[0],
            side=row["side"],
            quantity=float(row["amount"]),
            filled_quantity=filled,
            status="partially_filled" if standing == "open" and filled else standing,
            reason="" if standing in ("open", "filled") else status,
            lot=self._lot(row["symbol"]),
        )

    def _after_refusal(self, order: OrderIntent, error: Exception) -> Submission:
        if "Duplicate order" not in str(error):
            return Rejected(client_order_id=order.client_order_id, reason=_words(error))
        return used_before(order, "the exchange", lambda: self.order(order.client_order_id))

    def _read(self, ask: Callable[[], T]) -> T:
        """Something that changes nothing."""

        def rounding_as_before() -> T:
            with localcontext():  # the library sets how the whole thread rounds
                return ask()

        return asking_again(self._pauses, rounding_as_before, _meaning)


def _meaning(error: Exception) -> BrokerError | None:
    if not isinstance(error, ccxt.BaseError | ValueError):
        return None
    passing = not isinstance(error, ccxt.ExchangeError) or isinstance(error, ccxt.BadResponse)
    kind = BrokerUnreachable if passing else BrokerError
    return kind(f"The exchange does not answer ({_words(error)}): check the connection and the keys.")


def _symbols_of(listed: str) -> tuple[dict[str, str], str]:
    """Symbols by ticker, and their quote currency."""
    symbols = [symbol.strip() for symbol in listed.split(",") if symbol.strip()]
    parts = [symbol.split("/") for symbol in symbols]
    if not symbols or any(len(pair) != 2 or not all(pair) for pair in parts) or len({pair[1] for pair in parts}) != 1:
        raise InputError("CCXT_SYMBOLS must name pairs in one quote currency: such as BTC/USDT,ETH/USDT.")
    return {pair[0]: symbol for pair, symbol in zip(parts, symbols, strict=True)}, parts[0][1]


def _total(balance: dict[str, Any], coin: str) -> float:
    return float((balance.get(coin) or {}).get("total") or 0.0)


def _words(error: Exception) -> str:
    """What the exchange said, without the address of the request: that holds its signature."""
    said = str(error)
    return type(error).__name__ if "://" in said else f"{type(error).__name__}: {said[:200]}"
