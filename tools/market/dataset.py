"""Opening a market folder as a `Dataset`; the format is documented in docs/data-format.md."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from ..frozen import canonical_json
from . import cache
from .check import Inspection, inspect_folder
from .folder.defects import Findings
from .folder.documents import DocumentRows
from .folder.facts import FactRows, available_at
from .folder.prices import to_bars
from .folder.series import SeriesRows
from .folder.settings import MarketFile, read_settings
from .frames import FACT_COLUMNS, SERIES_COLUMNS, empty_facts, empty_series, facts_frame, series_frame
from .records import Company, Dataset, Document

__all__ = ["assembled", "available_at", "empty_facts", "facts_frame", "fingerprinted", "open_dataset", "series_frame"]


def open_dataset(folder: Path) -> Dataset:
    """Read and check a folder in the tidy format.

    The parsed content is kept in the user's cache, by the bytes of the files, so that the second time is quick.

    Args:
        folder: holds `prices` and, if there are any, `companies`, `fundamentals`, `news`/`documents`, `series`,
            `relations`, `market.toml`.

    Returns:
        The market as traded: split-adjusted files are turned back, because a level that is adjusted for a future
        split looks ahead, and because a ledger has to live through the split itself.

    Raises:
        DataError: a defect, the first error that `check_folder` finds; the message names file, line and column.
    """
    key = cache.key_of(folder)
    kept = cache.load(key) if key is not None else None
    if kept is not None:
        return _labelled(kept, folder)
    inspection = inspect_folder(folder)
    inspection.findings.raise_first()
    dataset = assembled(inspection)
    # A file that was replaced while it was read must not be kept under the key of the file before.
    if key is not None and cache.key_of(folder) == key:
        cache.store(key, dataset)
    return _labelled(dataset, folder)


def _labelled(dataset: Dataset, folder: Path) -> Dataset:
    """The dataset with its name and note, which may come from the name of the folder instead of its content."""
    settings = read_settings(folder, Findings()) or MarketFile()
    name = folder.resolve().name
    return replace(dataset, name=settings.name or name, note=settings.note or f"Data from the folder {name}.")


def fingerprinted(dataset: Dataset) -> Dataset:
    """The same dataset with its `fingerprint`: sha256 over all content but the market's name and note.

    The digest covers little-endian bytes of the arrays and canonical JSON of the rest, so it depends on neither the
    file format, nor the platform. Series, relations and aliases count where there are any.
    """
    digest = hashlib.sha256()
    bars = dataset.bars
    header = {
        "calendar": dataset.calendar,
        "benchmark": dataset.benchmark,
        "window": [day.isoformat() for day in dataset.window] if dataset.window else None,
        "sessions": [day.isoformat() for day in bars.sessions],
        "tickers": list(bars.tickers),
        "companies": {
            key: [row.name, row.industry, row.sector, *([list(row.aliases)] if row.aliases else [])]
            for key, row in dataset.companies.items()
        },
    }
    digest.update(canonical_json(header).encode())
    for matrix in (bars.open, bars.high, bars.low, bars.close, bars.volume, bars.dividend, bars.split):
        digest.update(np.ascontiguousarray(matrix, dtype="<f8").tobytes())
    _digest_frame(digest, dataset.facts, FACT_COLUMNS)
    for row in dataset.documents:
        fields = [row.id, row.ticker, row.published_at.isoformat(), row.source, row.headline, row.body]
        digest.update(canonical_json(fields).encode())
    if len(dataset.series):
        _digest_frame(digest, dataset.series, SERIES_COLUMNS)
    for link in dataset.relations:
        until = link.until.isoformat() if link.until else ""
        told = [link.ticker, link.kind, link.other, link.available_at.isoformat(), until, link.source]
        digest.update(canonical_json(told).encode())
    return replace(dataset, fingerprint=digest.hexdigest())


def _digest_frame(digest: "hashlib._Hash", frame: pd.DataFrame, columns: tuple[str, ...]) -> None:
    for name in columns:
        column = frame[name]
        if pd.api.types.is_datetime64_any_dtype(column.dtype):
            naive = column.dt.tz_convert(None) if name == "available_at" else column
            digest.update(naive.to_numpy(dtype="datetime64[us]").astype("<i8").tobytes())
        elif name == "value":
            digest.update(column.to_numpy(dtype="<f8").tobytes())
        else:
            digest.update(canonical_json(column.tolist()).encode())


def assembled(inspection: Inspection) -> Dataset:
    """The dataset of an inspection without error."""
    settings, prices = inspection.settings, inspection.prices
    if settings is None or prices is None:
        raise AssertionError("an inspection without settings or prices has an error")
    bars = to_bars(prices, settings)
    companies = inspection.companies or {name: Company(ticker=name, name=name) for name in bars.tickers}
    return fingerprinted(
        Dataset(
            name=settings.name or "",
            note=settings.note or "",
            generated=settings.generated,
            calendar=settings.calendar,
            bars=bars,
            companies=companies,
            facts=_facts(inspection.facts, settings.calendar, bars.tickers),
            documents=_documents(inspection.documents, frozenset(bars.tickers)),
            series=_series(inspection.series),
            relations=inspection.relations,
            benchmark=_benchmark(settings, bars.tickers, companies),
            window=settings.window,
        )
    )


def _benchmark(settings: MarketFile, tickers: tuple[str, ...], companies: dict[str, Company]) -> str | None:
    if settings.benchmark is not None:
        return settings.benchmark or None
    candidates = [name for name in tickers if name not in companies]
    return candidates[0] if len(candidates) == 1 else None


def _facts(rows: FactRows | None, calendar: str, tickers: tuple[str, ...]) -> pd.DataFrame:
    """The figures of tickers with prices; those of others cannot be traded on."""
    if rows is None:
        return empty_facts()
    usual = available_at(rows.filed, calendar)
    known = frozenset(tickers)
    kept = np.array([name in known for name in rows.tickers.vocabulary], dtype=bool)[rows.tickers.codes]
    available = np.where(np.isnat(rows.accepted), usual, rows.accepted)
    columns = {
        "ticker": rows.tickers.texts[kept],
        "concept": rows.concepts.texts[kept],
        "period_start": rows.starts[kept],
        "period_end": rows.ends[kept],
        "value": rows.values[kept],
        "unit": rows.units.texts[kept],
        "filed": rows.filed[kept],
        "available_at": available[kept],
        "accession": rows.accessions.texts[kept],
        "form": rows.forms.texts[kept],
    }
    return facts_frame(columns, sequence=rows.sequence[kept])


def _documents(files: tuple[DocumentRows, ...], tickers: frozenset[str]) -> tuple[Document, ...]:
    kept = [document for rows in files for document in rows.documents if document.ticker in tickers]
    return tuple(sorted(kept, key=lambda row: (row.published_at, row.id)))


def _series(rows: SeriesRows | None) -> pd.DataFrame:
    if rows is None:
        return empty_series()
    return series_frame(
        {"series": rows.names.texts, "date": rows.days, "value": rows.values, "available_at": rows.available}
    )
