"""Putting the pieces of a pull together: tables, settings, check, manifest, publication."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path

from ...disk import file_sha256, write_whole
from ...errors import DataError
from ..check import check_folder
from ..dataset import open_dataset
from .errors import PullRefused
from .manifest import FILE as MANIFEST
from .manifest import FileRecord, Manifest, PieceRecord, PullRequest, Skipped
from .plan import Unit
from .protocol import Clock, Kind, Row
from .registry import versions_of
from .store import PullFolder
from .tables import write_lines, write_settings, write_table


def assemble(
    request: PullRequest,
    units: Sequence[Unit],
    skipped: Sequence[Skipped],
    folder: PullFolder,
    end: date,
    started_at: datetime,
    clock: Clock,
) -> Manifest:
    """Write the tables from the stored pieces, check them as a market, and publish them.

    Raises:
        DataError: what the vendors gave breaks a rule of the format; nothing is published.
        PullRefused: a piece has vanished.
    """
    draft = folder.draft()
    records: list[PieceRecord] = []
    counts = _write_tables(draft, request, units, folder, records)
    counts[write_settings(draft, _settings(request, folder.out, units, skipped, end)).name] = 0
    check = check_folder(draft)
    if check.errors:
        raise DataError(
            f"the pulled tables break {len(check.errors)} rules of the format and were not published, the first: "
            f"{check.errors[0].sentence} (or pull without this symbol)"
        )
    manifest = Manifest(
        request=request,
        end=end,
        started_at=started_at,
        finished_at=clock(),
        software={
            name: versions_of(vendor) for name, vendor in {unit.vendor.name: unit.vendor for unit in units}.items()
        },
        pieces=tuple(records),
        skipped=tuple(skipped),
        files=tuple(_file(path, counts[path.name]) for path in sorted(draft.iterdir())),
        fingerprint=open_dataset(draft).fingerprint,
        warnings=tuple(f"{count} x {kind}" for kind, count in Counter(row.kind for row in check.warnings).items()),
    )
    write_whole(draft / MANIFEST, manifest.model_dump_json(indent=1) + "\n")
    folder.publish(draft)
    return manifest


def _write_tables(
    draft: Path, request: PullRequest, units: Sequence[Unit], folder: PullFolder, records: list[PieceRecord]
) -> dict[str, int]:
    """Write every table that has rows, and a record of every piece; returns rows by file."""
    counts = {}
    for kind in ("prices", "companies", "fundamentals", "series"):
        rows = list(_rows(kind, units, folder, records))
        if kind == "companies":
            rows = _companies(rows, units, request)
        if rows:
            counts[write_table(draft, kind, rows, request.form).name] = len(rows)
    path, lines = write_lines(draft, _rows("documents", units, folder, records))
    if lines:
        counts[path.name] = lines
    else:
        path.unlink()
    return counts


def _rows(kind: Kind, units: Sequence[Unit], folder: PullFolder, records: list[PieceRecord]) -> Iterator[Row]:
    """The rows of a kind, piece after piece, of which only one is in memory."""
    for unit in _of_kind(units, kind):
        kept = folder.load(unit.vendor.name, unit.request)
        if kept is None:
            raise PullRefused(
                f"the {kind} of {unit.request.symbol} have vanished from {folder.out}; run the command again"
            )
        records.append(
            PieceRecord(
                vendor=unit.vendor.name,
                request=unit.request,
                rows=len(kept.piece.rows),
                sha256=kept.sha256,
                sources=kept.piece.sources,
            )
        )
        yield from kept.piece.rows


def _companies(rows: list[Row], units: Sequence[Unit], request: PullRequest) -> list[Row]:
    """A row for each company with prices, so that nothing but the benchmark is no company."""
    known = {row["ticker"]: row for row in rows}
    priced = [unit.request.symbol for unit in _of_kind(units, "prices") if unit.request.symbol != request.benchmark]
    return [known.get(ticker, {"ticker": ticker, "name": ticker}) for ticker in priced]


def _settings(
    request: PullRequest, out: Path, units: Sequence[Unit], skipped: Sequence[Skipped], end: date
) -> dict[str, str]:
    """The keys of market.toml."""
    vendors = list(dict.fromkeys(unit.vendor.name for unit in units))
    companies = len({unit.request.symbol for unit in _of_kind(units, "prices")} - {request.benchmark})
    note = (
        f"{companies} companies from {request.start} to {end}, pulled from {', '.join(vendors)}; chosen in hindsight, "
        "so a result here is no evidence of skill"
    )
    if skipped:
        lacking = ", ".join(f"{row.kind} of {row.symbol}" for row in skipped[:20])
        more = f" and {len(skipped) - 20} more" if len(skipped) > 20 else ""
        note += f"; left out: {lacking}{more}"
    keys = {"name": request.name or out.resolve().name, "note": f"{note}.", "calendar": request.calendar}
    return keys | ({"benchmark": request.benchmark} if request.benchmark is not None else {})


def _of_kind(units: Sequence[Unit], kind: Kind) -> Iterator[Unit]:
    return (unit for unit in units if unit.request.kind == kind)


def _file(path: Path, rows: int) -> FileRecord:
    return FileRecord(name=path.name, sha256=file_sha256(path), bytes=path.stat().st_size, rows=rows)
