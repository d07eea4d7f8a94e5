"""Writing a `Dataset` as a folder in the tidy format (docs/data-format.md): the opposite of `open_dataset`."""

import csv
import gzip
import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import DataError
from .bars import Bars
from .dataset import available_at, fingerprinted, open_dataset
from .draft import new_folder
from .frames import canonical_order
from .records import Dataset
from .relations.records import Link

Form = Literal["csv", "parquet"]
"""What the tables of a folder are written as; texts are always `.jsonl.gz`."""

FACT_FILE_COLUMNS = (
    "ticker",
    "concept",
    "period_start",
    "period_end",
    "value",
    "unit",
    "filed",
    "accepted_at",
    "accession",
    "form",
)
"""Columns of a fundamentals file; one that is written from a `Dataset` may have `sequence` as well."""
_TIMES = frozenset({"accepted_at", "available_at", "until"})
"""Columns of UTC times; the others that hold datetime64 are dates."""
_LINK_TEXTS = ("ticker", "kind", "other", "source")
_SPECIAL = r"[\",\r\n]"
_EXACT_INTEGERS = 2.0**53


def write_dataset(dataset: Dataset, folder: Path, form: Form = "parquet") -> None:
    """Write a market as a folder that opens to the same content, and the same fingerprint.

    Prices are written as traded. The same dataset gives the same bytes. The folder appears in one step, after it has
    been opened again and compared: a crash leaves nothing, or a hidden folder beside it that the next writing removes.

    Args:
        dataset: the market.
        folder: is made; may exist if it is empty.
        form: of the tables.

    Raises:
        InputError: the folder exists and holds something, or cannot be written.
        DataError: the format cannot say what the dataset holds (such as a dividend on a day without trade).
    """
    with new_folder(folder) as draft:
        _refuse_unsayable(dataset)
        draft.mkdir()
        _write_files(dataset, draft, form)
        _compare(dataset, draft)


def _refuse_unsayable(dataset: Dataset) -> None:
    """Refuse what has no place in the format, by its cause; `_compare` catches whatever else does not survive."""
    bars = dataset.bars
    halted = np.isnan(bars.close)
    lost = halted & ((bars.split != 1) | (bars.dividend != 0) | (bars.volume != 0))
    if lost.any():
        row, column = (int(places[0]) for places in np.nonzero(lost))
        raise DataError(
            f"{bars.tickers[column]} has a split, a dividend or a volume on {bars.sessions[row]} without a price; "
            "move it to a session with a trade"
        )
    for company in dataset.companies.values():
        if bool(company.industry) != bool(company.sector):
            raise DataError(f"{company.ticker} has only one of industry and sector; give both or neither")


def _write_files(dataset: Dataset, folder: Path, form: Form) -> None:
    tables = {"prices": _price_columns(dataset.bars), "companies": _company_columns(dataset)}
    if len(dataset.facts):
        tables["fundamentals"] = _fact_columns(dataset)
    if len(dataset.series):
        tables["series"] = _series_columns(dataset.series)
    if dataset.relations:
        tables["relations"] = _relation_columns(dataset.relations)
    for stem, columns in tables.items():
        (_write_csv if form == "csv" else _write_parquet)(folder / f"{stem}.{form}", columns)
    if dataset.documents:
        lines = (
            {
                "id": row.id,
                "ticker": row.ticker,
                "published_at": row.published_at.isoformat().replace("+00:00", "Z"),
                "source": row.source,
                "headline": row.headline,
                "body": row.body,
            }
            for row in dataset.documents
        )
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        # mtime 0: equal texts are equal bytes, whenever they were written.
        (folder / "documents.jsonl.gz").write_bytes(gzip.compress(text.encode(), compresslevel=3, mtime=0))
    (folder / "market.toml").write_text("".join(_toml_lines(dataset)), encoding="utf-8")


def _toml_lines(dataset: Dataset) -> Iterable[str]:
    yield f"name = {_toml_text(dataset.name)}\n"
    yield f"note = {_toml_text(dataset.note)}\n"
    yield f"calendar = {_toml_text(dataset.calendar)}\n"
    yield f"benchmark = {_toml_text(dataset.benchmark or '')}\n"
    if dataset.window is not None:
        yield f"window = [{dataset.window[0]}, {dataset.window[1]}]\n"
    yield 'prices = "as_traded"\n'
    if dataset.bars.tickers != tuple(sorted(dataset.bars.tickers)):
        yield f"instruments = [{', '.join(_toml_text(name) for name in dataset.bars.tickers)}]\n"
    if dataset.generated:
        yield "generated = true\n"


def _toml_text(text: str) -> str:
    # A JSON text is a TOML text but for DEL, which TOML wants escaped.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _price_columns(bars: Bars) -> dict[str, Any]:
    """One row per trade, instrument by instrument."""
    columns, rows = np.nonzero(np.isfinite(bars.close.T))
    days = np.array(bars.sessions, dtype="datetime64[D]")
    numbers = {
        name: getattr(bars, name)[rows, columns]
        for name in ("open", "high", "low", "close", "volume", "dividend", "split")
    }
    numbers["split"] = np.where(numbers["split"] == 1, 0.0, numbers["split"])
    return {"date": days[rows], "ticker": np.array(bars.tickers, dtype=object)[columns], **numbers}


def _company_columns(dataset: Dataset) -> dict[str, Any]:
    rows = list(dataset.companies.values())
    columns = {
        name: np.array([getattr(row, name) for row in rows], dtype=object)
        for name in ("ticker", "name", "industry", "sector")
    }
    if any(row.aliases for row in rows):
        columns["aliases"] = np.array(["; ".join(row.aliases) for row in rows], dtype=object)
    return columns


def _fact_columns(dataset: Dataset) -> dict[str, Any]:
    """The facts as filed; `accepted_at` only where it is not what the day of filing says anyway."""
    facts = dataset.facts
    columns: dict[str, Any] = {}
    for name in FACT_FILE_COLUMNS:
        if name == "accepted_at":
            known = facts["available_at"].dt.tz_convert(None).to_numpy("datetime64[us]")
            filed = facts["filed"].to_numpy("datetime64[D]")
            columns[name] = np.where(known == available_at(filed, dataset.calendar), np.datetime64("NaT"), known)
        elif name in ("period_start", "period_end", "filed"):
            columns[name] = facts[name].to_numpy("datetime64[D]")
        elif name == "value":
            columns[name] = facts[name].to_numpy(np.float64)
        else:
            columns[name] = facts[name].to_numpy(object)
    if not np.array_equal(canonical_order(facts), np.arange(len(facts))):
        columns["sequence"] = np.arange(len(facts), dtype=np.float64)
    return columns


def _series_columns(series: pd.DataFrame) -> dict[str, Any]:
    return {
        "series": series["series"].to_numpy(object),
        "date": series["date"].to_numpy("datetime64[D]"),
        "value": series["value"].to_numpy(np.float64),
        "available_at": series["available_at"].dt.tz_convert(None).to_numpy("datetime64[us]"),
    }


def _relation_columns(relations: tuple[Link, ...]) -> dict[str, Any]:
    def moments(times: Iterable[datetime | None]) -> NDArray[np.datetime64]:
        return np.array([time.replace(tzinfo=None) if time else "NaT" for time in times], dtype="datetime64[us]")

    texts = {name: np.array([getattr(row, name) for row in relations], dtype=object) for name in _LINK_TEXTS}
    known, until = moments(row.available_at for row in relations), moments(row.until for row in relations)
    return {**texts, "available_at": known, "until": until}


def _write_parquet(path: Path, columns: dict[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {name: pa.array(values, from_pandas=True) for name, values in columns.items()}
    for name in _TIMES & arrays.keys():
        arrays[name] = arrays[name].cast(pa.timestamp("us", "UTC"))
    pq.write_table(pa.table(arrays), path, compression="zstd")


def _write_csv(path: Path, columns: dict[str, Any]) -> None:
    """A CSV file; a float is written in the fewest digits that mean the very same double."""
    import pyarrow as pa
    from pyarrow import compute
    from pyarrow import csv as arrow_csv

    table = pa.table({name: pa.array(_spelled(name, values)) for name, values in columns.items()})
    texts = [column for column in table.columns if pa.types.is_string(column.type)]
    if not any(compute.any(compute.match_substring_regex(column, _SPECIAL)).as_py() for column in texts):
        arrow_csv.write_csv(table, path, arrow_csv.WriteOptions(quoting_style="none", quoting_header="none"))
        return
    # pyarrow quotes every text or none; names of companies want quotes only where they hold a comma.
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _spelled(name: str, values: Any) -> Any:
    """A column as CSV shows it: times as text, whole numbers without point or exponent."""
    import pyarrow as pa
    from pyarrow import compute

    if name in _TIMES:
        seconds = values.astype("datetime64[s]")
        whole = bool((seconds == values)[~np.isnat(values)].all())
        texts = np.datetime_as_string(seconds if whole else values).astype(object) + "Z"
        return np.where(np.isnat(values), "", texts)
    if values.dtype.kind != "f":
        return values
    # The sign of a negative zero would be lost in an integer.
    whole = (values == np.rint(values)) & (np.abs(values) < _EXACT_INTEGERS) & ~((values == 0) & np.signbit(values))
    integers = pa.array(np.where(whole, values, 0).astype(np.int64)).cast(pa.string())
    return compute.if_else(pa.array(whole), integers, pa.array(values).cast(pa.string()))


def _compare(dataset: Dataset, draft: Path) -> None:
    """Open what has been written: it must be the very dataset."""
    expected = dataset.fingerprint or fingerprinted(dataset).fingerprint
    try:
        read = open_dataset(draft)
    except DataError as error:
        raise DataError(f"the market {dataset.name} breaks a rule of the format: {error}") from error
    labels = (dataset.name, dataset.note, dataset.generated)
    if read.fingerprint != expected or (read.name, read.note, read.generated) != labels:
        where = next(iter(_differences(dataset, read)), "the fingerprint it was given")
        raise DataError(
            f"the market {dataset.name} would not read back as it is: {where} differs; "
            "bring it into the form that docs/data-format.md describes"
        )


def _differences(one: Dataset, other: Dataset) -> Iterable[str]:
    for name in ("name", "note", "generated", "calendar", "benchmark", "window", "companies", "documents", "relations"):
        if getattr(one, name) != getattr(other, name):
            yield name
    for name in ("sessions", "tickers"):
        if getattr(one.bars, name) != getattr(other.bars, name):
            yield f"bars.{name}"
    for name in ("open", "high", "low", "close", "volume", "dividend", "split"):
        if not np.array_equal(getattr(one.bars, name), getattr(other.bars, name), equal_nan=True):
            yield f"bars.{name}"
    for table in ("facts", "series"):
        rows, others = getattr(one, table), getattr(other, table)
        for name in rows.columns:
            if not rows[name].equals(others[name].astype(rows[name].dtype)):
                yield f"{table}.{name}"
