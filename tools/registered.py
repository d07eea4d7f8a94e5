"""What can be named because it is PaperDesk's own, or because another package registers it as an entry point."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from typing import Any

from .errors import InputError

Own = Mapping[str, tuple[str, Sequence[str]]]
"""By name, the factory (`module:function`) and the libraries that do its work. Said in code as well as in the package's
metadata, so that a checkout without metadata has them too."""


@dataclass(frozen=True)
class Registered:
    """Something that could be opened."""

    name: str
    factory: str
    """`module:function`."""
    distribution: str
    """The package that it comes from."""
    versions: Mapping[str, str]
    """Of that package and of the libraries that do its work; an absent one is no key."""


def registered(group: str, own: Own, what: str) -> tuple[Registered, ...]:
    """All of a kind, by name.

    Args:
        group: of entry points.
        own: PaperDesk's.
        what: they are called, for messages.

    Raises:
        InputError: two packages register the same name.
    """
    listed = {
        name: Registered(name, factory, "paperdesk", _versions("paperdesk", *libraries))
        for name, (factory, libraries) in own.items()
    }
    for point in entry_points(group=group):
        known = listed.get(point.name)
        if known is not None and known.factory == point.value:
            continue
        package = _distribution(point)
        if known is not None:
            raise InputError(
                f"the packages {known.distribution} and {package} both register the {what} {point.name!r}; uninstall "
                "one of them"
            )
        listed[point.name] = Registered(point.name, point.value, package, _versions(package))
    return tuple(listed[name] for name in sorted(listed))


def factory_of(name: str, among: Sequence[Registered], what: str, extra: str) -> Any:
    """The function that opens what is named.

    Args:
        name: of one of them.
        among: all of the kind.
        what: they are called, for messages.
        extra: of PaperDesk that has what its own ones need.

    Raises:
        InputError: there is none of this name, or what it needs is not installed.
    """
    listed = {row.name: row for row in among}
    if name not in listed:
        raise InputError(f"there is no {what} {name!r}; choose from {', '.join(listed)}")
    found = listed[name]
    module, _, attribute = found.factory.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        package = f"paperdesk[{extra}]" if found.distribution == "paperdesk" else found.distribution
        raise InputError(
            f"the {what} {name!r} cannot be loaded ({error}); install it by pip install '{package}'"
        ) from error


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
