"""The clock of a stand-in server, for a desk in another process: waiting moves the server's time, at once."""

from collections.abc import Callable
from datetime import datetime

import httpx


class StandInClock:
    """Tells the time of an `AlpacaServer`, and lets it pass.

    Args:
        url: of the server.
    """

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=10.0, trust_env=False)

    def now(self) -> datetime:
        """The exchange's time."""
        return datetime.fromisoformat(self._client.get("/stand-in/now").json()["now"])

    def sleep_until(
        self, moment: datetime, beat: Callable[[], None], wake: Callable[[float], bool] | None = None
    ) -> None:
        """Move the exchange's time to a moment; it never goes back."""
        beat()
        self._client.post("/stand-in/advance", json={"to": moment.isoformat()})

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()
