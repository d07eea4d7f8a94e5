"""What a pull has to ask whom."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ...clock import TradingCalendar
from ...errors import InputError
from .manifest import PullRequest, Skipped
from .protocol import Kind, Request, Vendor

SETTLED_MINUTES = 30
"""A session's bar counts as final so long after its close."""
_PER_TICKER: tuple[Kind, ...] = ("companies", "fundamentals", "documents")


@dataclass(frozen=True)
class Unit:
    """One question to one vendor."""

    vendor: Vendor
    request: Request


def plan(request: PullRequest, vendors: Sequence[Vendor], end: date) -> tuple[Unit, ...]:
    """The units of a pull: prices of all instruments first, then the rest.

    Raises:
        InputError: none of the vendors gives prices, or series where series are asked for; or the dates are out of
            order.
    """
    if [vendor.name for vendor in vendors] != list(request.vendors):
        raise InputError("the open vendors are not those of the request; open them by its names and in their order")
    if end < request.start:
        raise InputError(f"no session from {request.start} on has closed yet; choose an earlier start")

    def units(kind: Kind, symbols: Iterable[str], *, from_all: bool = False) -> Iterator[Unit]:
        able = [vendor for vendor in vendors if kind in vendor.provides]
        for symbol in symbols:
            for vendor in able if from_all else able[:1]:
                yield Unit(vendor, Request(kind=kind, symbol=symbol, start=request.start, end=end))

    instruments = (*request.tickers, *([request.benchmark] if request.benchmark is not None else []))
    prices, series = tuple(units("prices", instruments)), tuple(units("series", request.series))
    if not prices:
        raise InputError(f"no prices come from {' or '.join(request.vendors)}; add a vendor such as yahoo")
    if request.series and not series:
        raise InputError(f"no series come from {' or '.join(request.vendors)}; add a vendor such as fred")
    others = (unit for kind in _PER_TICKER for unit in units(kind, request.tickers, from_all=kind == "documents"))
    return (*prices, *others, *series)


def units_of(units: Sequence[Unit], missing: Sequence[Skipped]) -> tuple[Unit, ...]:
    """Those that were not left out; nothing of a ticker without prices."""
    gone = {(row.vendor, row.kind, row.symbol) for row in missing}
    priceless = {row.symbol for row in missing if row.kind == "prices"}
    return tuple(
        unit
        for unit in units
        if (unit.vendor.name, unit.request.kind, unit.request.symbol) not in gone
        and (unit.request.kind == "series" or unit.request.symbol not in priceless)
    )


def last_day(request: PullRequest, now: datetime) -> date:
    """The last session that is asked for and has settled."""
    settled = now - timedelta(minutes=SETTLED_MINUTES)
    # A week before the start holds a session of any exchange, so that there is a last one.
    calendar = TradingCalendar(request.calendar, min(request.start, settled.date()) - timedelta(days=31), now.date())
    last = calendar.last_closed(settled)
    return min(last, request.end) if request.end is not None else last
