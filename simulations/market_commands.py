"""`paperdesk markets pull`, `update` and `list`."""

import calendar as months
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ..memory.journal.store import wall_clock
from ..tools.errors import InputError, PaperDeskError
from ..tools.frozen import Frozen
from ..tools.market.vendors.manifest import DEFAULT_VENDORS, Manifest, PullRequest
from ..tools.market.vendors.manifest import FILE as MANIFEST
from ..tools.market.vendors.protocol import Clock, Sleep, Vendor, VendorSettings
from ..tools.market.vendors.pull import Progress as Step
from ..tools.market.vendors.pull import Report, pull, pulled, update
from ..tools.market.vendors.registry import list_vendors, open_vendors, promised
from ..tools.market.vendors.store import WORKING
from ..tools.market.view import BUILT_IN
from ..tools.user_cache import cache_is_on, cache_root
from .console import Interrupted

_NEEDS = {"us-tech": "bokeh_sampledata", "sp20": "skfolio"}
"""What a built-in market is read from."""
_ABOUT = {
    "generated": "invented companies with prices, filings and news, made from a seed; needs nothing",
    "us-tech": "AAPL, GOOG, IBM and MSFT, prices 2000 to 2013",
    "sp20": "20 large US companies and the S&P 500, closes 1990 to 2022",
}


class ListedMarket(Frozen):
    """A market that can be named."""

    name: str
    kind: Literal["built-in", "pulled", "unfinished"]
    ready: bool
    about: str


class ListedVendor(Frozen):
    """A vendor that can be named."""

    name: str
    provides: tuple[str, ...]
    ready: bool
    about: str
    """Versions of its software, or what it lacks."""


class Listing(Frozen):
    """What `paperdesk markets list` shows."""

    markets: tuple[ListedMarket, ...]
    vendors: tuple[ListedVendor, ...]


def pull_command(
    tickers: Sequence[str],
    start: str,
    out: Path,
    *,
    end: str | None = None,
    vendors: Sequence[str] = DEFAULT_VENDORS,
    series: Sequence[str] = (),
    benchmark: str | None = None,
    calendar: str = "XNYS",
    csv_folder: Path | None = None,
    options: Sequence[str] = (),
    name: str | None = None,
    form: str = "parquet",
    skip_missing: bool = False,
    base_urls: Mapping[str, str] | None = None,
    sleep: Sleep = time.sleep,
) -> Manifest:
    """Pull a market into a folder; a moving bar goes to standard error.

    Args:
        tickers: the companies; letters become capitals.
        start: `2022`, `2022-06` or `2022-06-01`.
        out: the folder; the same command continues what was begun there.
        end: likewise, inclusive (`2023` is its last day); by default the last session that has closed.
        vendors: names, the preferred first.
        series: of a vendor such as fred.
        benchmark: a further ticker of which only prices are pulled.
        calendar: of the exchange.
        csv_folder: of the vendor csv.
        options: `vendor.name=value` each.
        name: of the market; the folder's by default.
        form: `parquet` or `csv`.
        skip_missing: leave out what a vendor does not have.
        base_urls: other addresses, by vendor.
        sleep: how to wait between requests.

    Returns:
        The manifest.

    Raises:
        InputError: an option cannot be; see `pull` for the rest.
        Interrupted: Ctrl-C; the message says how to go on.
    """
    request = _request(
        tickers=tuple(ticker.upper() for ticker in tickers),
        start=first_day(start),
        end=last_day(end) if end is not None else None,
        benchmark=benchmark.upper() if benchmark is not None else None,
        series=tuple(series),
        vendors=tuple(vendors),
        calendar=calendar,
        options=_options(options),
        skip_missing=skip_missing,
        name=name,
        form=form,
    )
    with _asking(request, out, csv_folder, base_urls, wall_clock, sleep) as (opened, report):
        return pull(request, out, opened, clock=wall_clock, report=report)


def update_command(
    out: Path,
    *,
    csv_folder: Path | None = None,
    base_urls: Mapping[str, str] | None = None,
    clock: Clock = wall_clock,
    sleep: Sleep = time.sleep,
) -> tuple[Manifest, bool]:
    """Bring a pulled market up to date; a moving bar goes to standard error.

    Args:
        out: the folder of a finished pull without a last day.
        csv_folder: of the vendor csv.
        base_urls: other addresses, by vendor.
        clock: the time now, UTC.
        sleep: how to wait between requests.

    Returns:
        The manifest, and whether it is a new one.

    Raises:
        InputError: see `update`.
        Interrupted: Ctrl-C; the message says how to go on.
    """
    manifest = pulled(out)
    with _asking(manifest.request, out, csv_folder, base_urls, clock, sleep) as (opened, report):
        return update(out, manifest, opened, clock=clock, report=report)


@contextmanager
def _asking(
    request: PullRequest,
    out: Path,
    csv_folder: Path | None,
    base_urls: Mapping[str, str] | None,
    clock: Clock,
    sleep: Sleep,
) -> Iterator[tuple[Sequence[Vendor], Report]]:
    """The vendors of a request, open, and what is told of each step."""
    settings = VendorSettings(
        clock=clock,
        csv_folder=csv_folder,
        cache_folder=cache_root() / "vendors" if cache_is_on() else None,
        options=request.options,
        base_urls=base_urls or {},
        sleep=sleep,
    )
    try:
        with ExitStack() as stack:
            opened = open_vendors(request.vendors, settings)
            for vendor in opened:
                stack.callback(vendor.close)
            yield opened, stack.enter_context(_bar())
    except KeyboardInterrupt:
        raise Interrupted(
            f"Interrupted: what was fetched is kept in {shlex.quote(str(out))}, the same command continues from here."
        ) from None


def list_markets(folder: Path = Path()) -> Listing:
    """The markets that come with PaperDesk, those pulled into folders within `folder`, and the vendors."""
    built_in = [
        ListedMarket(
            name=name,
            kind="built-in",
            ready=(ready := name not in _NEEDS or find_spec(_NEEDS[name]) is not None),
            about=_ABOUT[name] if ready else f"{_ABOUT[name]}; needs pip install 'paperdesk[markets]'",
        )
        for name in BUILT_IN
    ]
    return Listing(markets=(*built_in, *_pulled(folder)), vendors=tuple(_vendors()))


def first_day(text: str) -> date:
    """The first day of a year, a month or a day, such as `2022`, `2022-06`, `2022-06-01`.

    Raises:
        InputError: it is none of them.
    """
    return _period(text)[0]


def last_day(text: str) -> date:
    """The last day of a year, a month or a day.

    Raises:
        InputError: it is none of them.
    """
    return _period(text)[1]


def _period(text: str) -> tuple[date, date]:
    parts = text.split("-")
    try:
        if len(parts) <= 3 and len(parts[0]) == 4:
            year, *rest = (int(part) for part in parts)
            first = date(year, rest[0] if rest else 1, rest[1] if len(rest) > 1 else 1)
            last_month = rest[0] if rest else 12
            days = rest[1] if len(rest) > 1 else months.monthrange(year, last_month)[1]
            return first, date(year, last_month, days)
    except ValueError:
        pass
    raise InputError(f"{text!r} is no date; write 2022, 2022-06 or 2022-06-01")


def _request(**fields: object) -> PullRequest:
    try:
        return PullRequest.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        problem = first["msg"].removeprefix("Value error, ")
        raise InputError(f"{where}: {problem}; correct it" if where else problem) from None


def _options(pairs: Sequence[str]) -> dict[str, str]:
    options = {}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or "." not in key or not value:
            raise InputError(f"{pair!r} is no option; write vendor.name=value, such as alpaca.feed=iex")
        options[key] = value
    return options


@contextmanager
def _bar() -> "Iterator[_Report]":
    """A bar on standard error; where that is no terminal, a line per finished tenth."""
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield _Report(console, bar)


class _Report:
    """Shows the steps of a pull."""

    def __init__(self, console: Console, bar: Progress) -> None:
        self._console = console
        self._bar = bar
        self._task = bar.add_task("asking", total=None)
        self._tenth = 0

    def __call__(self, step: Step) -> None:
        what = f"{step.kind} of {step.symbol} from {step.vendor}" if step.symbol else step.state
        self._bar.update(self._task, description=what, completed=step.done, total=step.total)
        if step.state in ("skipped", "failed"):
            self._console.print(f"  {step.state}: {what}", style="yellow", markup=False, soft_wrap=True)
        tenth = 10 * step.done // step.total
        if not self._console.is_terminal and tenth > self._tenth:
            self._tenth = tenth
            self._console.print(f"  {step.done} of {step.total} parts", markup=False)


def _pulled(folder: Path) -> Iterator[ListedMarket]:
    for path in sorted(folder.glob(f"*/{MANIFEST}")):
        try:
            manifest = Manifest.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            continue  # another program's manifest.json
        asked = manifest.request
        yield ListedMarket(
            name=str(path.parent),
            kind="pulled",
            ready=any(path.parent.glob("prices.*")),
            about=f"{', '.join(asked.tickers)} from {asked.start} to {manifest.end} by {', '.join(asked.vendors)}",
        )
    for path in sorted(folder.glob(f"*/{WORKING}/request.json")):
        yield ListedMarket(
            name=str(path.parents[1]),
            kind="unfinished",
            ready=False,
            about="a pull that was not finished; the same command continues it",
        )


def _vendors() -> Iterator[ListedVendor]:
    settings = VendorSettings(clock=wall_clock)
    for listed in list_vendors():
        about, ready = ", ".join(f"{name} {version}" for name, version in listed.versions.items()), True
        try:
            for vendor in open_vendors([listed.name], settings):
                vendor.close()
        except PaperDeskError as error:
            about, ready = str(error), False
        yield ListedVendor(name=listed.name, provides=promised(listed), ready=ready, about=about)
