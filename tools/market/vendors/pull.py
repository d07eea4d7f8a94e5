"""Pulling a market from vendors into a folder in the tidy format: resumable, and whole or not at all.

The work is cut into units of (vendor, kind, symbol). Each finished one is kept in `OUT/.pull`; when all are there, the
tables are written and checked aside and then moved to their place, the prices last. A process that dies anywhere
leaves a folder that the same command continues, and that opens as no market before it is complete. A market that was
pulled without a last day is brought up to date in the same way; until the new one is whole, the old one stays.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np

from ...clock import TradingCalendar
from ..dataset import open_dataset
from .assemble import assemble
from .errors import IncompletePull, PullRefused, UnknownSymbol, VendorError, VendorSchemaError, VendorUnavailable
from .manifest import FILE as MANIFEST
from .manifest import Manifest, PullRequest, Skipped
from .plan import Unit, last_day, plan, units_of
from .protocol import Clock, Piece, Vendor
from .rows import check_piece
from .store import PullFolder

_PATIENCE = 3
"""Units in a row that a vendor may leave unanswered before it is asked no more."""


@dataclass(frozen=True)
class Progress:
    """One step of a pull."""

    done: int
    """Units that need no more work."""
    total: int
    state: Literal["asking", "kept", "fetched", "skipped", "failed", "writing", "finished"]
    """`kept`: was there from an earlier attempt; `writing`: all units are there."""
    vendor: str = ""
    kind: str = ""
    symbol: str = ""


Report = Callable[[Progress], None]
"""Is told of each step."""


def pull(
    request: PullRequest,
    out: Path,
    vendors: Sequence[Vendor],
    *,
    clock: Clock,
    report: Report = lambda progress: None,
) -> Manifest:
    """Pull a market into a folder, or continue an earlier attempt.

    Args:
        request: what to pull.
        out: the folder; new, empty, or of an earlier attempt at the same request.
        vendors: open, those of `request.vendors` in that order; the caller closes them.
        clock: the time now, UTC.
        report: is told of each step.

    Returns:
        The manifest, which lies in the folder too. A folder that is complete already is not asked for again.

    Raises:
        InputError: no vendor gives what is asked for, or no session has closed yet.
        PullRefused: the folder belongs to something else, another pull is writing to it, or the disk is full.
        IncompletePull: some units failed; the others are kept.
        VendorRefused: a vendor does not serve us; what was fetched before is kept.
        DataError: what the vendors gave breaks a rule of the format.
    """
    return _pull(request, out, vendors, clock, report, renew=False)


def pulled(out: Path) -> Manifest:
    """What a folder holds that is to be brought up to date.

    Raises:
        PullRefused: it holds no finished pull, or one to a fixed last day, or was changed since, or is being written.
    """
    finished = None
    if (out / MANIFEST).is_file():
        with PullFolder(out) as folder:
            finished = folder.finished()
            if finished is not None:
                folder.forget(finished.end)
    if finished is None:
        raise PullRefused(f"{out} holds no market that was pulled to its end; make one with `paperdesk markets pull`")
    if finished.request.end is not None:
        raise PullRefused(
            f"{out} was pulled to {finished.request.end}; pull without --to what is to be kept up to date"
        )
    return finished


def update(
    out: Path,
    manifest: Manifest,
    vendors: Sequence[Vendor],
    *,
    clock: Clock,
    report: Report = lambda progress: None,
) -> tuple[Manifest, bool]:
    """Bring a pulled market up to the last session that has closed.

    Everything is asked for again, since figures of before may have been corrected, and takes the place of the old when
    it is whole. Nothing is asked where every instrument that traded the session before has a bar of the last one.

    Args:
        out: the folder of a finished pull without a fixed last day.
        manifest: what it holds, of `pulled`.
        vendors: open, those of its request in that order; the caller closes them.
        clock: the time now, UTC.
        report: is told of each step.

    Returns:
        The manifest, and whether it is a new one.

    Raises:
        PullRefused: the folder is not as the manifest says, another pull is writing to it, or the disk is full.
        IncompletePull, VendorRefused, DataError: as `pull`; the folder stays as it was, and the next call goes on.
    """
    day = last_day(manifest.request, clock())
    if not _lacks(out, day):
        return manifest, False
    manifest = _pull(manifest.request, out, vendors, clock, report, renew=True)
    if manifest.end < day:  # that was what an earlier attempt had begun
        manifest = _pull(manifest.request, out, vendors, clock, report, renew=True)
    return manifest, True


def _lacks(out: Path, day: date) -> bool:
    """Whether bars of a day may have come since: an instrument has one of the session before and none of this one."""
    bars = open_dataset(out).bars
    if bars.sessions[-1] < day:
        return True
    closes = bars.close[-2:]
    return bool(len(closes) == 2 and (np.isnan(closes[1]) & ~np.isnan(closes[0])).any())


def _pull(
    request: PullRequest, out: Path, vendors: Sequence[Vendor], clock: Clock, report: Report, *, renew: bool
) -> Manifest:
    """`pull`; with `renew`, what is finished already is asked for again."""
    now = clock()
    with PullFolder(out) as folder:
        finished = folder.finished()
        if finished is not None and finished.request.content != request.content:
            raise PullRefused(
                f"{out} holds the finished pull of something else ({_title(finished.request)}); name another folder"
            )
        if finished is not None and not renew:
            folder.clean()
            return finished
        end = last_day(request, now)
        plan(request, vendors, end)  # what cannot be done is refused before anything is written
        with _writing(out):
            end, started_at = folder.begin(request.frame, end, now)
        units = plan(request, vendors, end)
        calendar = TradingCalendar(request.calendar, request.start, end)
        missing = _fetch_all(units, folder, calendar, request, report)
        report(Progress(len(units), len(units), "writing"))
        with _writing(out):
            manifest = assemble(request, units_of(units, missing), missing, folder, end, started_at, clock)
            folder.clean()
    report(Progress(len(units), len(units), "finished"))
    return manifest


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    """Turn a failure to write, such as a full disk, into what a person can do about it."""
    try:
        yield
    except OSError as error:
        raise PullRefused(
            f"{out} cannot be written ({error.strerror or error}); make room and run the same command again, what was "
            "fetched is kept"
        ) from error


def _fetch_all(
    units: Sequence[Unit], folder: PullFolder, calendar: TradingCalendar, request: PullRequest, report: Report
) -> tuple[Skipped, ...]:
    """Fetch what is not kept yet; returns what was left out, which is nothing unless the request allows it."""
    skipped: list[Skipped] = []
    failed: list[tuple[Unit, VendorError]] = []
    silent: dict[str, int] = {}
    priceless: set[str] = set()
    for number, unit in enumerate(units):
        vendor, asked = unit.vendor.name, unit.request

        def told(
            state: Literal["asking", "kept", "fetched", "skipped", "failed"], done: int, unit: Unit = unit
        ) -> None:
            report(Progress(done, len(units), state, unit.vendor.name, unit.request.kind, unit.request.symbol))

        if asked.kind != "series" and asked.symbol in priceless:
            told("skipped", number + 1)
            continue
        if folder.load(vendor, asked) is not None:
            told("kept", number + 1)
            continue
        told("asking", number)
        try:
            piece = _fetch(unit, silent, calendar)
            with _writing(folder.out):
                folder.store(vendor, asked, piece)
        except (UnknownSymbol, VendorSchemaError) as error:
            # A market without its benchmark would be another market, so that one is never left out.
            if request.skip_missing and asked.symbol != request.benchmark:
                skipped.append(Skipped(vendor=vendor, kind=asked.kind, symbol=asked.symbol, reason=str(error)))
                priceless.update([asked.symbol] if asked.kind == "prices" else [])
                told("skipped", number + 1)
                continue
            failed.append((unit, error))
        except VendorUnavailable as error:
            failed.append((unit, error))
        else:
            told("fetched", number + 1)
            continue
        told("failed", number + 1)
    if failed:
        raise _incomplete(failed, len(units))
    if priceless.issuperset(request.tickers):
        raise IncompletePull(f"no ticker has prices ({skipped[0].reason}); check the tickers, the dates and the vendor")
    return tuple(skipped)


def _fetch(unit: Unit, silent: dict[str, int], calendar: TradingCalendar) -> Piece:
    """Ask the vendor, unless it has not answered for a while."""
    name = unit.vendor.name
    if silent.get(name, 0) >= _PATIENCE:
        raise VendorUnavailable(f"{name} was not asked any more after {_PATIENCE} failures in a row; try again later")
    try:
        piece = unit.vendor.fetch(unit.request)
    except VendorUnavailable:
        silent[name] = silent.get(name, 0) + 1
        raise
    silent[name] = 0
    check_piece(name, unit.request, piece, calendar)
    return piece


def _incomplete(failed: Sequence[tuple[Unit, VendorError]], total: int) -> IncompletePull:
    by_kind: dict[str, list[str]] = {}
    for unit, _ in failed:
        by_kind.setdefault(f"{unit.request.kind} from {unit.vendor.name}", []).append(unit.request.symbol)
    lacking = ", ".join(f"{kind} for {' '.join(symbols)}" for kind, symbols in by_kind.items())
    if any(isinstance(error, VendorUnavailable) for _, error in failed):
        remedy = "run the same command again later"
    elif all(isinstance(error, UnknownSymbol) for _, error in failed):
        remedy = "correct the names, or give --skip-missing"
    else:
        remedy = "try another vendor for them, or an update of PaperDesk"
    reason = str(failed[0][1]).partition(";")[0]
    return IncompletePull(
        f"{len(failed)} of {total} parts are missing: {lacking} (the first because {reason}); what is there is kept, "
        f"{remedy}"
    )


def _title(request: PullRequest) -> str:
    until = f" to {request.end}" if request.end is not None else ""
    return f"{', '.join(request.tickers)} from {request.start}{until} by {', '.join(request.vendors)}"
