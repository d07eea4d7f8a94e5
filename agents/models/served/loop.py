"""An event loop in a thread of its own, so that code without one can send several requests at once.

Sessions are plain synchronous code, and may themselves run inside somebody's event loop (a notebook); a loop in the
same thread is then impossible.
"""

import asyncio
import concurrent.futures
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Loop:
    """Runs coroutines for callers in other threads."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    @property
    def is_open(self) -> bool:
        """Whether it still runs."""
        return not self._loop.is_closed()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What a coroutine comes to.

        Where the caller is interrupted (Ctrl-C), the coroutine is cancelled and has ended when this returns.
        """
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            if not future.done():
                future.cancel()
                self._drain()
            raise

    def close(self) -> None:
        """End the thread; harmless to repeat."""
        if self.is_open:
            self._drain()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def _drain(self) -> None:
        """Cancel whatever is still under way, and wait until it has ended."""
        done: concurrent.futures.Future[None] = asyncio.run_coroutine_threadsafe(_cancel_all(), self._loop)
        done.result()


async def _cancel_all() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
