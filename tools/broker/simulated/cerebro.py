"""backtrader's engine, driven one session at a time by whoever owns the loop.

`Cerebro.run` prepares everything and then loops over all bars in `_runonce`. That loop is replaced by an exception that
leaves `run` just before the first bar; afterwards `step` does the body of the loop once. No thread, no generator.
"""

from typing import Any

import backtrader as bt


class _Started(Exception):
    """Everything is prepared and nothing has moved; carries the strategies."""

    def __init__(self, strategies: list[Any]) -> None:
        super().__init__()
        self.strategies = strategies


class SteppedCerebro(bt.Cerebro):  # type: ignore[misc]  # backtrader has no types
    """A Cerebro whose feeds all share one calendar: `open()`, then `step()` until it returns False."""

    # The standard observers would only draw backtrader's own statistics, which nobody reads.
    params = (("stdstats", False), ("preload", True), ("runonce", True))

    def __init__(self) -> None:
        super().__init__()
        self.strategy: Any = None

    def _runonce(self, runstrats: list[Any]) -> None:
        for strategy in runstrats:
            strategy._once()
            strategy.reset()
        raise _Started(runstrats)

    def open(self) -> None:
        """Prepare the feeds, the broker and the (empty) strategy that owns all orders."""
        try:
            self.run()
        except _Started as started:
            (self.strategy,) = started.strategies

    def step(self) -> bool:
        """Move every feed to its next bar and let the broker execute at its open; False when the bars are exhausted."""
        first = self.datas[0]
        if len(first) >= first.buflen():
            return False
        for data in self.datas:
            data.advance(ticks=False)
        self._brokernotify()
        self.strategy._oncepost(first.lines.datetime[0])
        return True

    def at_hand(self, data: Any) -> None:
        """Make sure that a feed stands at the current bar, before an order in it is made."""


class SleepingCerebro(SteppedCerebro):
    """The same, but a feed moves only when an order in it is made or waits; the broker wakes up only then.

    It applies where every feed is an `ArrayFeed` on one calendar, and nobody listens to bars: the strategy is empty and
    the ledger tells nobody.
    """

    def __init__(self) -> None:
        super().__init__()
        self._row = -1

    def step(self) -> bool:
        """Move on by one bar; with nothing to execute this is all."""
        if self._row + 1 >= self.datas[0].length:
            return False
        self._row += 1
        for order in self._broker.pending:
            self.at_hand(order.data)
        self._broker.next()
        return True

    def at_hand(self, data: Any) -> None:
        """Move one feed to the current bar."""
        data.seek(self._row)
