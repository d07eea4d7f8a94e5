"""PaperDesk: a trading desk of language-model agents that runs on your own machine.

`Session` runs, resumes, replays and reads whole sessions. `Desk` makes one decision at a time for whoever brings clock,
prices and broker. Importing this package loads none of that: each name is fetched when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .simulations.config import SessionConfig
    from .simulations.desk import Decision, Desk
    from .simulations.session_folder import Session
    from .tools.broker.protocol import OrderIntent, PortfolioSnapshot
    from .tools.market.view import MarketView

_HOME = {
    "Decision": "simulations.desk",
    "Desk": "simulations.desk",
    "MarketView": "tools.market.view",
    "OrderIntent": "tools.broker.protocol",
    "PortfolioSnapshot": "tools.broker.protocol",
    "Session": "simulations.session_folder",
    "SessionConfig": "simulations.config",
}

__all__ = ["Decision", "Desk", "MarketView", "OrderIntent", "PortfolioSnapshot", "Session", "SessionConfig"]


def __getattr__(name: str) -> Any:
    """Fetch a public name at its first use."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
