"""Finding brokers by name: PaperDesk's own adapters, and those that other packages register."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import InputError
from ..registered import Own, Registered, factory_of, registered
from .protocol import Broker
from .switches import admit

ENTRY_POINTS = "paperdesk.brokers"
"""Group under which a package registers `name = "module:function"`; the function takes `BrokerSettings`."""

_HERE = "paperdesk.tools.broker"
_OWN: Own = {
    "alpaca": (f"{_HERE}.alpaca:open_broker", ("alpaca-py",)),
    "binance": (f"{_HERE}.ccxt_binance:open_broker", ("ccxt",)),
    "interactive-brokers": (f"{_HERE}.interactive_brokers:open_broker", ("ib_async",)),
    "simulated": (f"{_HERE}.simulated.venue:open_broker", ("backtrader",)),
}
_EXTRAS = {"binance": "ccxt", "interactive-brokers": "ib"}
"""Extras of PaperDesk that bring what an adapter needs, where it is not `brokers`."""


@dataclass(frozen=True)
class BrokerSettings:
    """What an adapter may know when it is opened."""

    timeout_seconds: float = 10.0
    """For every single request to the venue."""
    live: bool = False
    """The first switch of live trading. The second is the account's own number in `PAPERDESK_LIVE_ACCOUNT`."""
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    """Where keys and secrets come from; they come from nowhere else."""

    def secret(self, name: str) -> str:
        """A key from the environment.

        Raises:
            InputError: it is not set; the message names the variable and nothing else.
        """
        value = self.environment.get(name, "")
        if not value:
            raise InputError(f"The environment variable {name} is not set: put the broker's key into it.")
        return value

    @property
    def live_account(self) -> str:
        """The number of the live account that may be used; empty where none may."""
        return self.environment.get("PAPERDESK_LIVE_ACCOUNT", "") if self.live else ""

    def admit(self, venue: str, account: str, *, paper: bool) -> None:
        """Let a paper account through, and a live one only where both switches name it.

        Raises:
            BrokerError: it is neither.
        """
        admit(venue, account, paper=paper, live_account=self.live_account)


def list_brokers() -> tuple[Registered, ...]:
    """All brokers that can be named, by name.

    Raises:
        InputError: two packages register the same name.
    """
    return registered(ENTRY_POINTS, _OWN, "broker")


def open_broker(name: str, settings: BrokerSettings) -> Broker:
    """Open an adapter; the caller closes it, and puts a guard around it before an order goes through it.

    Raises:
        InputError: there is no such broker, what it needs is not installed, or a key is missing.
        BrokerError: the venue does not answer, or the account is not one that may be used.
    """
    broker = load(name)(settings)
    if not isinstance(broker, Broker):
        missing = [method for method in _METHODS if not hasattr(broker, method)]
        raise InputError(f"The broker {name!r} lacks {', '.join(missing)}: see the table in docs/brokers.md.")
    return broker


def load(name: str) -> Callable[[BrokerSettings], Any]:
    """The factory of a broker.

    Raises:
        InputError: there is no such broker, or what it needs is not installed.
    """
    factory: Callable[[BrokerSettings], Any] = factory_of(name, list_brokers(), "broker", extra_of(name))
    return factory


def extra_of(name: str) -> str:
    """The extra of PaperDesk that brings what one of its own brokers needs."""
    return _EXTRAS.get(name, "brokers")


_METHODS = (
    "capabilities",
    "clock",
    "account",
    "positions",
    "submit",
    "order",
    "open_orders",
    "cancel",
    "replace",
    "fills",
    "quotes",
    "close",
)
