"""What `paperdesk markets` prints: lists, defects, descriptions and passages, on standard output."""

import shlex
from collections import Counter
from datetime import date, datetime, time
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ..tools.errors import InputError
from ..tools.market.check import check_folder
from ..tools.market.describe import Description, describe
from ..tools.market.documents.reader import Passage, open_passage, span_named
from ..tools.market.folder.defects import Check, Defect
from ..tools.market.vendors.manifest import Manifest
from ..tools.market.view import Market, open_market
from .market_commands import Listing, list_markets
from .pages import facts, print_json, print_tables

SHOWN = 20
"""Defects of one kind and file that are printed unless all are asked for."""
DEFECTIVE = 3
"""Exit code of a check that found an error."""


def print_listing(*, json: bool) -> None:
    """The markets and vendors that can be named."""
    listing = list_markets()
    if json:
        print_json(listing)
        return
    print_tables(_markets(listing), "", _vendors(listing))


def print_manifest(manifest: Manifest, folder: Path, *, json: bool) -> None:
    """What a pull brought: to standard error, or with `json` the manifest to standard output."""
    if json:
        print_json(manifest)
        return
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    rows: Counter[str] = Counter()
    for piece in manifest.pieces:
        rows[piece.request.kind] += piece.rows
    console.print(f"until {manifest.end}: " + ", ".join(f"{count:,} rows of {kind}" for kind, count in rows.items()))
    for skipped in manifest.skipped:
        console.print(f"left out: {escape(skipped.symbol)}, {skipped.kind} ({escape(skipped.reason)})", style="yellow")
    if manifest.warnings:
        console.print(f"{_counted(len(manifest.warnings), 'warning')} of `paperdesk markets check`", style="yellow")
    console.print(f"ready: paperdesk run --market {escape(shlex.quote(str(folder)))}")


def print_check(folder: Path, *, everything: bool, json: bool) -> int:
    """Every defect of a folder; the exit code (0 opens, 3 does not).

    Args:
        folder: in the tidy format.
        everything: print all defects of a kind, not the first `SHOWN`.
        json: print JSON, which always holds all.

    Raises:
        InputError: there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}; name one that holds prices.csv")
    check = check_folder(folder)
    if json:
        print_json(check)
    else:
        _print_defects(check, everything)
    return DEFECTIVE if check.errors else 0


def print_description(source: str, seed: int, *, json: bool) -> None:
    """A market in figures.

    Raises:
        InputError: there is no such market.
    """
    description = describe(open_market(source, seed))
    if json:
        print_json(description)
        return
    print_tables(facts(description.rows()), "", _instruments(description))


def print_passage(source: str, name: str, seed: int, as_of: date | None, *, json: bool) -> None:
    """A passage in its document, marked, with what stands around it.

    Args:
        source: the market.
        name: an evidence id or DOCUMENT:START-END.
        seed: of a generated market.
        as_of: the day at whose close it is read; the last of the market by default.
        json: print JSON.

    Raises:
        InputError: there is no such market or passage.
        LookAheadError: the document was published later.
    """
    market = open_market(source, seed)
    view = market.view(moment_of(market, as_of))
    passage = open_passage(view, span_named(view, name))
    if json:
        print_json(passage)
    else:
        _print_marked(passage)


def moment_of(market: Market, day: date | None) -> datetime:
    """The close of a day, or its end where it is no session; without a day, the close of the market's last session.

    Raises:
        InputError: the day lies outside of the market.
    """
    sessions = market.dataset.bars.sessions
    if day is None:
        return market.calendar.close_of(sessions[-1])
    if not sessions[0] <= day <= sessions[-1]:
        raise InputError(f"{day} lies outside of {market.name}; choose a day from {sessions[0]} to {sessions[-1]}")
    if market.calendar.is_session(day):
        return market.calendar.close_of(day)
    # whatever had come by the end of a day without trade
    return datetime.combine(day, time.max, tzinfo=market.calendar.open_of(sessions[0]).tzinfo)


def _markets(listing: Listing) -> Table:
    table = Table("Market", "", "About", box=None, pad_edge=False, title="Markets", title_justify="left")
    for row in listing.markets:
        table.add_row(escape(row.name), row.kind, escape(row.about) if row.ready else f"[dim]{escape(row.about)}[/dim]")
    return table


def _vendors(listing: Listing) -> Table:
    table = Table("Vendor", "Provides", "About", box=None, pad_edge=False, title="Vendors", title_justify="left")
    for row in listing.vendors:
        about = escape(row.about)
        table.add_row(escape(row.name), ", ".join(row.provides), about if row.ready else f"[dim]{about}[/dim]")
    return table


def _print_defects(check: Check, everything: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    seen: Counter[tuple[str, str]] = Counter()
    for defect in check.defects:
        seen[defect.file, defect.kind] += 1
        if everything or seen[defect.file, defect.kind] <= SHOWN:
            console.print(_line(defect))
    hidden = {key: count - SHOWN for key, count in seen.items() if count > SHOWN and not everything}
    for (file, kind), count in hidden.items():
        console.print(f"        and {count:,} more of kind {kind} in {escape(file)} (--all shows them)", style="dim")
    rows = ", ".join(f"{name} {count:,}" for name, count in check.files.items()) or "nothing"
    counts = f"{_counted(len(check.errors), 'error')}, {_counted(len(check.warnings), 'warning')}"
    console.print(f"{counts}; rows read: {escape(rows)}")
    console.print("it cannot be opened" if check.errors else "it can be opened", style="bold")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _line(defect: Defect) -> Text:
    style = "red" if defect.severity == "error" else "yellow"
    return Text.assemble((f"{defect.severity:<8}", style), defect.sentence)


def _instruments(description: Description) -> Table:
    columns = ("Ticker", "Name", "Sector", "From", "To", "Gaps", "Splits", "Figures", "Texts")
    table = Table(*columns, box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for column in table.columns:
        column.overflow = "fold"
    for column in table.columns[3:5]:
        column.min_width = len("2024-12-31")
    for column in table.columns[5:]:
        column.justify, column.no_wrap = "right", True
    for row in description.instruments:
        table.add_row(
            escape(row.ticker),
            escape(row.name),
            escape(row.sector),
            str(row.first_price or "never"),
            f"{row.last_price or ''}{' (gone)' if row.delisted else ''}",
            f"{row.missing_share:.2%}",
            str(row.splits),
            f"{row.facts:,}",
            f"{row.documents:,}",
        )
    return table


def _print_marked(passage: Passage) -> None:
    console = Console(highlight=False)
    console.soft_wrap = not console.is_terminal
    console.print(Text(passage.headline, style="bold"))
    published = f"{passage.published_at:%Y-%m-%d %H:%M} UTC"
    console.print(
        f"{escape(passage.document)}, {escape(passage.source or 'no source')}, published {published}", style="dim"
    )
    console.print()
    opening, closing = ("", "") if console.is_terminal else (">>>", "<<<")
    console.print(Text.assemble(passage.before, (f"{opening}{passage.text}{closing}", "bold reverse"), passage.after))
