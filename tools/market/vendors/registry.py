"""Finding vendors by name: PaperDesk's own, and those that other packages register."""

from collections.abc import Sequence
from contextlib import ExitStack
from importlib import import_module
from typing import get_type_hints

from ...errors import InputError
from ...registered import Own, Registered, factory_of, registered
from .errors import VendorRefused
from .protocol import ENTRY_POINTS, KINDS, Kind, Vendor, VendorSettings

_HERE = "paperdesk.tools.market.vendors"
_OWN: Own = {
    "yahoo": (f"{_HERE}.yahoo:open_vendor", ("yfinance",)),
    "edgar": (f"{_HERE}.edgar:open_vendor", ("httpx", "lxml")),
    "alpaca": (f"{_HERE}.alpaca:open_vendor", ("httpx",)),
    "fred": (f"{_HERE}.fred:open_vendor", ("httpx",)),
    "csv": (f"{_HERE}.csv_folder:open_vendor", ()),
}


def list_vendors() -> tuple[Registered, ...]:
    """All vendors that can be named, by name.

    Raises:
        InputError: two packages register the same name.
    """
    return registered(ENTRY_POINTS, _OWN, "vendor")


def open_vendors(names: Sequence[str], settings: VendorSettings) -> tuple[Vendor, ...]:
    """Open vendors, in this order; the caller closes them.

    Raises:
        InputError: a name is unknown or given twice, what it needs is not installed, or it has no such option.
        VendorRefused: a vendor lacks its key or user agent.
    """
    if len(set(names)) != len(names):
        raise InputError(f"a vendor is named twice in {', '.join(names)}; name each once")
    with ExitStack() as opened:
        vendors = []
        for name in names:
            try:
                vendor = _open(name, settings)
            except VendorRefused as error:
                others = [other for other in names if other != name]
                hint = f", or do without it: {' '.join(f'--vendor {other}' for other in others)}" if others else ""
                raise VendorRefused(f"{error}{hint}") from error
            opened.callback(vendor.close)
            vendors.append(vendor)
        _refuse_unknown_options(vendors, settings)
        opened.pop_all()
        return tuple(vendors)


def promised(listed: Registered) -> tuple[Kind, ...]:
    """The kinds that a vendor says it provides, as far as its factory's annotation tells without opening it."""
    module, _, attribute = listed.factory.partition(":")
    try:
        hints = get_type_hints(getattr(import_module(module), attribute))
    except (ImportError, AttributeError, NameError, TypeError):
        return ()
    provides: frozenset[Kind] = getattr(hints.get("return"), "provides", frozenset())
    return tuple(kind for kind in KINDS if kind in provides)


def versions_of(vendor: Vendor) -> dict[str, str]:
    """What to write down about the software of an open vendor; empty where nobody registered its name."""
    found = next((row for row in list_vendors() if row.name == vendor.name), None)
    return dict(found.versions) if found is not None else {}


def _refuse_unknown_options(vendors: Sequence[Vendor], settings: VendorSettings) -> None:
    """Options of vendors that are not open now stay: a pull keeps them when its vendors change."""
    for vendor in vendors:
        known = sorted(f"{vendor.name}.{option}" for option in getattr(vendor, "options", ()))
        for key in settings.options:
            if key.partition(".")[0] == vendor.name and key not in known:
                choice = f"choose from {', '.join(known)}" if known else "leave it out"
                raise InputError(f"the vendor {vendor.name!r} has no option {key!r}; {choice}")


def _open(name: str, settings: VendorSettings) -> Vendor:
    among = list_vendors()
    vendor = factory_of(name, among, "vendor", "markets")(settings)
    if not isinstance(vendor, Vendor) or vendor.name != name or not vendor.provides <= set(KINDS):
        factory = next(row.factory for row in among if row.name == name)
        raise InputError(
            f"what {factory} opens is no vendor {name!r}; it needs name, provides, fetch and close as in "
            "docs/vendors.md"
        )
    return vendor
