"""Alpaca's stream of trade updates through its own client, in a thread of its own.

The client connects again by itself. What is not left to it: it waits for ever for the answer to its keys, it takes
minutes to notice that the other side is gone, and it says nothing when a connection is lost.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any

from alpaca.trading.models import TradeUpdate
from alpaca.trading.stream import TradingStream

from .adapting import keep_quiet
from .protocol import Execution, OrderState
from .updates import OrderUpdate, UpdateFeed

EXECUTIONS = frozenset({"fill", "partial_fill"})
"""Events that carry an execution."""


class _Stream(TradingStream):
    """The client, which gives up on a silent server and says whether it is connected."""

    def __init__(self, key: str, secret: str, url: str, seconds: float, feed: UpdateFeed) -> None:
        params = {
            "open_timeout": seconds,
            "close_timeout": 1.0,
            "ping_interval": max(1.0, seconds),
            "ping_timeout": seconds,
            "max_queue": 1024,
        }
        super().__init__(key, secret, url_override=url, websocket_params=params)
        self._seconds, self._feed = seconds, feed
        self._reconnect_min_backoff = min(1.0, seconds / 5)
        self._broke = "the connection to Alpaca's stream broke"
        self._why = self._broke

    async def _start_ws(self) -> None:
        try:
            await super()._start_ws()  # type: ignore[no-untyped-call]
        except Exception as error:
            refused = str(error) == "failed to authenticate"
            self._why = "Alpaca's stream refuses the keys" if refused else "Alpaca's stream cannot be reached"
            raise
        self._why = self._broke

    async def _auth(self) -> None:
        await asyncio.wait_for(super()._auth(), self._seconds)  # type: ignore[no-untyped-call]

    async def _dispatch(self, message: dict[str, Any]) -> None:
        if message.get("stream") == "listening":
            self._feed.connected()
        await super()._dispatch(message)

    async def close(self) -> None:
        self._feed.lost(self._why)
        await super().close()


class AlpacaStream:
    """Feeds what Alpaca pushes into an `UpdateFeed` until it is closed.

    Args:
        key, secret: of the account; they go into the first message and nowhere else.
        url: of the stream.
        seconds: limit for connecting, for the answer to the keys, and for the other side's sign of life.
        state: makes the broker's own order state of Alpaca's order.
    """

    def __init__(self, key: str, secret: str, url: str, seconds: float, state: Callable[[Any], OrderState]) -> None:
        self.feed = UpdateFeed()
        self._state = state
        self._client: Any = _Stream(key, secret, url, seconds, self.feed)
        self._client.subscribe_trade_updates(self._take)
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        keep_quiet("websockets.client", "websockets.protocol")  # every frame, the one with the keys too
        # Its messages hold addresses and tracebacks of every failed attempt; the feed says what matters.
        logging.getLogger("alpaca.trading.stream").setLevel(logging.CRITICAL)
        self._thread = Thread(target=self._run, name="alpaca-stream", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it; harmless to repeat."""
        if self._loop.is_closed():
            return
        with suppress(RuntimeError):  # the loop ended in between
            self._loop.call_soon_threadsafe(self._cancel)
        self._thread.join(timeout=5)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _run(self) -> None:
        try:
            self._task = self._loop.create_task(self._live())
            with suppress(asyncio.CancelledError):
                self._loop.run_until_complete(self._task)
        finally:
            if left := asyncio.all_tasks(self._loop):  # what the websocket still has to close
                for task in left:
                    task.cancel()
                self._loop.run_until_complete(asyncio.wait(left, timeout=2))
            self._loop.close()

    async def _live(self) -> None:
        try:
            await self._client._run_forever()
        finally:
            with suppress(Exception):
                await self._client.close()

    async def _take(self, update: TradeUpdate) -> None:
        state = self._state(update.order)
        event = str(getattr(update.event, "value", update.event))
        execution = None
        if event in EXECUTIONS and update.execution_id and update.qty and update.price:
            execution = Execution(
                execution_id=str(update.execution_id),
                client_order_id=state.client_order_id,
                ticker=state.ticker,
                side=state.side,
                quantity=update.qty,
                price=update.price,
                at=update.timestamp,
            )
        self.feed.tell(OrderUpdate(order=state, execution=execution, at=update.timestamp))
