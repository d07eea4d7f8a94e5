"""What stands in the place of clock and venue while a live session is derived again."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from ...tools.broker.protocol import Capabilities
from .clock import Wake
from .standing import TradingError


class Elsewhen:
    """The clock and the venue of a replay: everything is on record, so nobody may ask them."""

    capabilities = Capabilities(name="replay", paper=True, fractional=False, shorting=False)

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        """The end of what is on record."""
        return self._at

    def sleep_until(self, moment: datetime, beat: Callable[[], None], wake: Wake | None = None) -> None:
        """Nothing is waited for in a replay."""
        raise TradingError("The record of this session has a gap: it cannot be replayed.")

    def __getattr__(self, name: str) -> Any:
        raise TradingError("The record of this session has a gap: it cannot be replayed.")
