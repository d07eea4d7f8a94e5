"""One connection to a gateway of Interactive Brokers, kept in a thread of its own: questions with a time limit."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import TimeoutError as Late
from threading import Thread
from typing import Any, TypeVar

from ib_async import IB
from ib_async.ib import StartupFetchNONE
from ib_async.wrapper import RequestError

from ..errors import BrokerError, BrokerUnreachable

T = TypeVar("T")


class NoAnswer(BrokerUnreachable):
    """The gateway gave no answer, or the connection broke: what was asked for may have been done."""


class Gateway:
    """Connects when it is asked something, and again after a disconnection.

    Args:
        host, port: of the gateway or of TWS.
        client_id: which of its clients this is; no two at a time may have the same.
        seconds: limit for connecting, and for every question.
    """

    def __init__(self, host: str, port: int, client_id: int, seconds: float) -> None:
        self._host, self._port, self._client_id, self._seconds = host, port, client_id, seconds
        # The client logs every error on its own; here an error is raised and told once.
        logging.getLogger("ib_async").setLevel(logging.CRITICAL)
        self._loop = asyncio.new_event_loop()
        self._client: IB | None = None
        self._thread = Thread(target=self._run, name="ib-gateway", daemon=True)
        self._thread.start()

    def ask(self, question: Callable[[IB], Awaitable[T]]) -> T:
        """The answer to a question.

        Raises:
            NoAnswer: there is none within the limit.
            BrokerError: it refuses.
        """
        if self._loop.is_closed():
            raise BrokerError("The connection to the gateway was closed: open the broker again.")
        future = asyncio.run_coroutine_threadsafe(self._answer(question), self._loop)
        try:
            return future.result(2 * self._seconds + 1)
        except (Late, TimeoutError, ConnectionError, OSError) as error:
            future.cancel()
            raise NoAnswer(
                f"The gateway of Interactive Brokers does not answer ({type(error).__name__}): check that it runs at "
                f"{self._host}:{self._port} and takes API connections."
            ) from error
        except RequestError as error:
            raise BrokerError(f"Interactive Brokers refuses: {error.message}") from error

    def close(self) -> None:
        """Disconnect; harmless to repeat."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)

    async def _answer(self, question: Callable[[IB], Awaitable[T]]) -> T:
        client = await self._connected()
        return await asyncio.wait_for(question(client), self._seconds)

    async def _connected(self) -> IB:
        if self._client is None or not self._client.isConnected():
            if self._client is not None:
                self._client.disconnect()
            # A new one each time: what an old connection was told is of before.
            self._client = IB()
            self._client.RaiseRequestErrors = True
            self._client.TimezoneTWS = "UTC"
            await self._client.connectAsync(
                self._host, self._port, self._client_id, timeout=self._seconds, fetchFields=StartupFetchNONE
            )
        return self._client

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            if self._client is not None:
                self._client.disconnect()
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            if left:
                self._loop.run_until_complete(asyncio.wait(left, timeout=2))
            self._loop.run_until_complete(asyncio.sleep(0))  # the socket is let go of in the loop's next turn
            self._loop.run_until_complete(asyncio.sleep(0))
        finally:
            self._loop.close()


async def until(holds: Callable[[], Any], client: IB) -> None:
    """Wait for what the gateway pushes.

    Raises:
        ConnectionError: the connection broke before.
    """
    while not holds():
        if not client.isConnected():
            raise ConnectionError("the connection to the gateway broke")
        await asyncio.sleep(0.005)
