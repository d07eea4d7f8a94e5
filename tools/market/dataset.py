"""Reading a market folder into a `Dataset`; the format is documented in docs/data-format.md."""

import hashlib
import tomllib
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ValidationError

from ..clock import TradingCalendar
from ..errors import DataError, InputError
from ..frozen import Frozen, canonical_json
from .bars import Bars
from .check import Table, check_prices, find_lines, find_table, read_lines, read_table
from .records import FACT_COLUMNS, Company, Dataset, Document

_PRICE_COLUMNS = ("date", "ticker", "open", "high", "low", "close", "volume")
_FACT_REQUIRED = ("ticker", "concept", "period_end", "value", "filed", "accession")
_FACT_OPTIONAL = ("period_start", "unit", "form", "accepted_at")


class MarketFile(Frozen):
    """The optional `market.toml` of a folder."""

    name: str | None = None
    """What people call this market; the folder's name by default."""
    note: str | None = None
    """One sentence: which years, where from."""
    calendar: str = "XNYS"
    """An `exchange_calendars` name."""
    benchmark: str | None = None
    """Ticker of the benchmark; by default the only instrument that is no company, if there is one."""
    window: tuple[date, date] | None = None
    """Recommended session window; earlier data is look-back history."""
    prices: Literal["split_adjusted", "as_traded"] = "split_adjusted"
    """Whether the prices file is adjusted for splits (most vendors) or shows what was printed on the day."""


def open_dataset(folder: Path) -> Dataset:
    """Read and check a folder in the tidy format.

    Args:
        folder: holds `prices` and, if there are any, `companies`, `fundamentals`, `news`/`documents`, `market.toml`.

    Returns:
        The market as traded: split-adjusted files are turned back, because a level that is adjusted for a future
        split looks ahead, and because a ledger has to live through the split itself.

    Raises:
        DataError: a defect; the message names file, line and column.
    """
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}; name a folder that holds prices.csv")
    settings = _read_market_file(folder)
    prices_path = find_table(folder, "prices")
    if prices_path is None:
        raise DataError(f"{folder} holds no prices.csv, prices.csv.gz or prices.parquet; add one")
    bars = _read_bars(read_table(prices_path, _PRICE_COLUMNS, ("dividend", "split")), settings)
    companies = _read_companies(folder, bars.tickers)
    dataset = Dataset(
        name=settings.name or folder.resolve().name,
        note=settings.note or f"Data from the folder {folder.resolve().name}.",
        generated=False,
        calendar=settings.calendar,
        bars=bars,
        companies=companies,
        facts=_read_facts(folder, settings.calendar, set(bars.tickers)),
        documents=_read_documents(folder, set(bars.tickers)),
        benchmark=_benchmark(settings, bars.tickers, companies),
        window=_window(settings, bars.sessions),
    )
    return fingerprinted(dataset)


def empty_facts() -> pd.DataFrame:
    """A facts frame without rows, for a market without filings."""
    return facts_frame({name: [] for name in FACT_COLUMNS})


def facts_frame(columns: dict[str, list[object]]) -> pd.DataFrame:
    """A facts frame with the dtypes of `FACT_COLUMNS`, sorted by the time at which each fact became known.

    Args:
        columns: every one of `FACT_COLUMNS`; dates as `date` or None, `available_at` as aware datetimes.
    """
    frame = pd.DataFrame({name: pd.Series(columns[name], dtype=object) for name in FACT_COLUMNS})
    for name in ("period_start", "period_end", "filed"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[us]")
    frame["available_at"] = pd.to_datetime(frame["available_at"], utc=True).astype("datetime64[us, UTC]")
    frame["value"] = frame["value"].astype("float64")
    for name in ("ticker", "concept", "unit", "accession", "form"):
        frame[name] = frame[name].astype("str")
    keys = ["available_at", "filed", "ticker", "concept", "period_end", "period_start", "accession"]
    return frame.sort_values(keys, kind="stable", na_position="first").reset_index(drop=True)


def fingerprinted(dataset: Dataset) -> Dataset:
    """The same dataset with its `fingerprint`: sha256 over all content but the market's name and note.

    The digest covers little-endian bytes of the arrays and canonical JSON of the rest, so it depends on neither the
    file format, nor the platform.
    """
    digest = hashlib.sha256()
    bars = dataset.bars
    header = {
        "calendar": dataset.calendar,
        "benchmark": dataset.benchmark,
        "window": [day.isoformat() for day in dataset.window] if dataset.window else None,
        "sessions": [day.isoformat() for day in bars.sessions],
        "tickers": list(bars.tickers),
        "companies": {key: [row.name, row.industry, row.sector] for key, row in dataset.companies.items()},
    }
    digest.update(canonical_json(header).encode())
    for matrix in (bars.open, bars.high, bars.low, bars.close, bars.volume, bars.dividend, bars.split):
        digest.update(np.ascontiguousarray(matrix, dtype="<f8").tobytes())
    for name in FACT_COLUMNS:
        column = dataset.facts[name]
        if pd.api.types.is_datetime64_any_dtype(column.dtype):
            naive = column.dt.tz_convert(None) if name == "available_at" else column
            digest.update(naive.to_numpy(dtype="datetime64[us]").astype("<i8").tobytes())
        elif name == "value":
            digest.update(column.to_numpy(dtype="<f8").tobytes())
        else:
            digest.update(canonical_json(column.tolist()).encode())
    for row in dataset.documents:
        fields = [row.id, row.ticker, row.published_at.isoformat(), row.source, row.headline, row.body]
        digest.update(canonical_json(fields).encode())
    return replace(dataset, fingerprint=digest.hexdigest())


def _read_market_file(folder: Path) -> MarketFile:
    path = folder / "market.toml"
    if not path.is_file():
        return MarketFile()
    try:
        return MarketFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"market.toml is no TOML ({error}); correct it") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        known = ", ".join(MarketFile.model_fields)
        raise DataError(f"market.toml, key {key}: {first['msg']}; the keys are {known}") from None


def _read_bars(table: Table, settings: MarketFile) -> Bars:
    if len(table) == 0:
        raise DataError(f"{table.file} has no rows; add the daily bars")
    days = [day for day in table.dates("date") if day is not None]
    tickers = tuple(sorted(set(table.texts("ticker"))))
    values = {name: table.numbers(name) for name in _PRICE_COLUMNS[2:]}
    values["dividend"] = table.numbers("dividend", empty=0.0)
    values["split"] = table.numbers("split", empty=0.0)
    check_prices(table, values, days)
    try:
        sessions = TradingCalendar(settings.calendar, min(days), max(days)).sessions(min(days), max(days))
    except InputError as error:
        raise DataError(f"{table.file}: {error}") from error
    row_of = {day: i for i, day in enumerate(sessions)}
    stray = next((i for i, day in enumerate(days) if day not in row_of), None)
    if stray is not None:
        problem = (
            f"{days[stray]} is no session of {settings.calendar}; remove the row or name the calendar in market.toml"
        )
        raise table.refuse(stray, "date", problem)
    column_of = {name: i for i, name in enumerate(tickers)}
    rows = np.array([row_of[day] for day in days])
    columns = np.array([column_of[name] for name in table.columns["ticker"]])
    shape = (len(sessions), len(tickers))

    def grid(name: str, absent: float) -> NDArray[np.float64]:
        matrix = np.full(shape, absent)
        matrix[rows, columns] = values[name]
        return matrix

    split = grid("split", 1.0)
    split[split == 0] = 1.0
    bars = Bars(
        sessions=sessions,
        tickers=tickers,
        open=grid("open", np.nan),
        high=grid("high", np.nan),
        low=grid("low", np.nan),
        close=grid("close", np.nan),
        volume=grid("volume", 0.0),
        dividend=grid("dividend", 0.0),
        split=split,
    )
    return bars if settings.prices == "as_traded" else _as_traded(bars)


def _as_traded(bars: Bars) -> Bars:
    """Undo the adjustment for splits: a price before a 10:1 split is ten times what the adjusted file says."""
    # later[t] = product of the splits effective after session t, which is what the vendor divided by.
    later = np.ones_like(bars.split)
    later[:-1] = np.cumprod(bars.split[:0:-1], axis=0)[::-1]
    return replace(
        bars,
        open=bars.open * later,
        high=bars.high * later,
        low=bars.low * later,
        close=bars.close * later,
        volume=bars.volume / later,
        dividend=bars.dividend * later,
    )


def _read_companies(folder: Path, tickers: tuple[str, ...]) -> dict[str, Company]:
    path = find_table(folder, "companies")
    if path is None:
        return {name: Company(ticker=name, name=name) for name in tickers}
    table = read_table(path, ("ticker", "name"), ("industry", "sector"))
    fields = (table.texts("ticker"), table.texts("name"), table.columns["industry"], table.columns["sector"])
    companies: dict[str, Company] = {}
    for row, (ticker, name, industry, sector) in enumerate(zip(*fields, strict=True)):
        if ticker in companies:
            raise table.refuse(row, "ticker", f"{ticker} has a second row; keep only one")
        if ticker not in tickers:
            raise table.refuse(row, "ticker", f"{ticker} has no prices; add them or remove the row")
        companies[ticker] = Company(ticker, name, industry=industry or sector, sector=sector or industry)
    if not companies:
        raise DataError(f"{table.file} has no rows; add the companies or remove the file")
    return companies


def _benchmark(settings: MarketFile, tickers: tuple[str, ...], companies: dict[str, Company]) -> str | None:
    if settings.benchmark is not None:
        if settings.benchmark not in tickers:
            raise DataError(
                f"market.toml, key benchmark: {settings.benchmark} has no prices; name one of {', '.join(tickers)}"
            )
        return settings.benchmark
    candidates = [name for name in tickers if name not in companies]
    return candidates[0] if len(candidates) == 1 else None


def _window(settings: MarketFile, sessions: tuple[date, ...]) -> tuple[date, date] | None:
    if settings.window is None:
        return None
    start, end = settings.window
    if not sessions[0] <= start < end <= sessions[-1]:
        raise DataError(
            f"market.toml, key window: {start} to {end} is not within the prices; "
            f"choose dates from {sessions[0]} to {sessions[-1]}"
        )
    return start, end


def _read_facts(folder: Path, calendar: str, tickers: set[str]) -> pd.DataFrame:
    path = find_table(folder, "fundamentals")
    if path is None:
        return empty_facts()
    table = read_table(path, _FACT_REQUIRED, _FACT_OPTIONAL)
    filed = [day for day in table.dates("filed") if day is not None]
    ends = [day for day in table.dates("period_end") if day is not None]
    starts = table.dates("period_start", optional=True)
    accepted = table.moments("accepted_at")
    for row, (start, end, day) in enumerate(zip(starts, ends, filed, strict=True)):
        if day < end:
            raise table.refuse(row, "filed", f"{day} is before the period's end {end}; correct one of them")
        if start is not None and start >= end:
            raise table.refuse(
                row, "period_start", f"{start} is not before the period's end {end}; correct one of them"
            )
        moment = accepted[row]
        if moment is not None and moment.date() < end:
            raise table.refuse(
                row, "accepted_at", f"{moment.date()} is before the period's end {end}; correct one of them"
            )
    columns: dict[str, list[object]] = {
        "ticker": list(table.texts("ticker")),
        "concept": list(table.texts("concept")),
        "period_start": list(starts),
        "period_end": list(ends),
        "value": list(table.numbers("value")),
        "unit": list(table.columns["unit"]),
        "filed": list(filed),
        "available_at": list(_available(filed, accepted, calendar)),
        "accession": list(table.texts("accession")),
        "form": list(table.columns["form"]),
    }
    frame = facts_frame(columns)
    # Filings of companies that the prices file does not know cannot be traded on.
    return frame[frame["ticker"].isin(tickers)].reset_index(drop=True)


def _available(filed: Sequence[date], accepted: Sequence[datetime | None], calendar: str) -> list[datetime]:
    """When each fact became known: its acceptance, else the open of the first session after the day of filing."""
    if not filed:
        return []
    exchange = TradingCalendar(calendar, min(filed), max(filed) + timedelta(days=31))
    sessions = exchange.sessions(exchange.start, exchange.end)
    opens = {day: exchange.open_of(sessions[bisect_right(sessions, day)]) for day in set(filed)}
    return [moment or opens[day] for day, moment in zip(filed, accepted, strict=True)]


def _read_documents(folder: Path, tickers: set[str]) -> tuple[Document, ...]:
    documents: dict[str, Document] = {}
    for stem in ("news", "documents"):
        path = find_lines(folder, stem)
        for line in read_lines(path) if path is not None else ():
            document = Document(
                id=line.text("id"),
                ticker=line.text("ticker"),
                published_at=line.moment("published_at"),
                source=line.text("source", default=""),
                headline=line.text("headline"),
                body=line.text("body", default=""),
            )
            if document.id in documents:
                raise line.refuse("id", f"{document.id} is used twice; give each document its own")
            if document.ticker in tickers:
                documents[document.id] = document
    return tuple(sorted(documents.values(), key=lambda row: (row.published_at, row.id)))
