"""Finding brokers by name: PaperDesk's own adapters, and those that other packages register."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from typing import Any

from ..errors import InputError
from .protocol import Broker

ENTRY_POINTS = "paperdesk.brokers"
"""Group under which a package registers `name = "module:function"`; the function takes `BrokerSettings`."""

_HERE = "paperdesk.tools.broker"
_OWN: Mapping[str, tuple[str, str]] = {
    "alpaca": (f"{_HERE}.alpaca:open_broker", "alpaca-py"),
    "simulated": (f"{_HERE}.simulated.venue:open_broker", "backtrader"),
}
"""Factory and the library that does the work; here as well as in the metadata, so that a checkout has them too."""


@dataclass(frozen=True)
class BrokerSettings:
    """What an adapter may know when it is opened."""

    timeout_seconds: float = 10.0
    """For every single request to the venue."""
    live: bool = False
    """The first switch of live trading. The second is the account's own number in `PAPERDESK_LIVE_ACCOUNT`."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Options of the adapter, none of them secret."""
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


@dataclass(frozen=True)
class ListedBroker:
    """A broker that could be opened."""

    name: str
    factory: str
    """`module:function`."""
    distribution: str
    """The package that it comes from."""
    versions: Mapping[str, str]
    """Of that package and of the library that does its work; an absent one is no key."""


def list_brokers() -> tuple[ListedBroker, ...]:
    """All brokers that can be named, by name.

    Raises:
        InputError: two packages register the same name.
    """
    listed = {
        name: ListedBroker(name, factory, "paperdesk", _versions("paperdesk", library))
        for name, (factory, library) in _OWN.items()
    }
    for point in entry_points(group=ENTRY_POINTS):
        known = listed.get(point.name)
        if known is not None and known.factory == point.value:
            continue
        package = _distribution(point)
        if known is not None:
            raise InputError(
                f"The packages {known.distribution} and {package} both register the broker {point.name!r}: uninstall "
                "one of them."
            )
        listed[point.name] = ListedBroker(point.name, point.value, package, _versions(package))
    return tuple(listed[name] for name in sorted(listed))


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
    listed = {row.name: row for row in list_brokers()}
    if name not in listed:
        raise InputError(f"There is no broker {name!r}: choose from {', '.join(listed)}.")
    found = listed[name]
    module, _, attribute = found.factory.partition(":")
    try:
        factory: Callable[[BrokerSettings], Any] = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        package = "paperdesk[brokers]" if found.distribution == "paperdesk" else found.distribution
        raise InputError(
            f"The broker {name!r} cannot be loaded ({error}): install it by pip install '{package}'."
        ) from error
    return factory


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


def _distribution(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else "an unnamed package"


def _versions(*packages: str) -> dict[str, str]:
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
