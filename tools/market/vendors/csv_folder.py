"""A folder with one CSV file per ticker, such as people download from vendors, as a vendor of prices."""

import csv
import hashlib
import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Literal

from ...errors import InputError
from .errors import UnknownSymbol, VendorSchemaError
from .protocol import Kind, Piece, Request, Row, Source, VendorSettings

_SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "date": ("date", "day", "timestamp", "<date>"),
    "open": ("open", "<open>"),
    "high": ("high", "<high>"),
    "low": ("low", "<low>"),
    "close": ("close", "close*", "last", "close/last", "<close>"),
    "volume": ("volume", "vol", "<vol>"),
    "dividend": ("dividend", "dividends", "dividend amount"),
    "split": ("split", "splits", "stock splits", "split ratio"),
}
"""Our column, and what headers call it, in lower case. `adj close` is none of them: it is adjusted for dividends."""
_NEEDED = ("date", "open", "high", "low", "close", "volume")
_DATES = ("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d")
_ABSENT = frozenset({"", "null", "nan", "na", "n/a", "-"})
_ENDINGS = (".csv", ".txt")


@dataclass(frozen=True)
class _Bar:
    day: date
    open: float
    high: float
    low: float
    close: float
    volume: float
    dividend: float
    split: float


class CsvFolder:
    """The vendor `csv`.

    Args:
        folder: holds `AAPL.csv`, `MSFT.csv`, ...; letters of either case, `.txt` too.
        settings: its clock stamps the sources.
        prices: what the files show: adjusted for splits (and for nothing else), or as traded on the day.
    """

    name = "csv"
    provides: frozenset[Kind] = frozenset({"prices"})
    options = frozenset({"prices"})

    def __init__(
        self,
        folder: Path,
        settings: VendorSettings,
        prices: Literal["split_adjusted", "as_traded"] = "split_adjusted",
    ) -> None:
        if not folder.is_dir():
            raise InputError(f"there is no folder {folder}; name the one that holds a CSV file per ticker")
        self._folder = folder
        self._clock = settings.clock
        self._as_traded = prices == "as_traded"

    def close(self) -> None:
        """Nothing is open."""

    def fetch(self, request: Request) -> Piece:
        """The bars of one ticker, adjusted for the splits up to the request's end.

        Raises:
            UnknownSymbol: there is no file of this ticker, or no row in these dates.
            VendorSchemaError: the file cannot be read; the message names file, line and column.
        """
        if request.kind != "prices":
            raise UnknownSymbol(f"csv has no {request.kind}; choose another vendor for them")
        path = self._find(request.symbol)
        raw = path.read_bytes()
        bars = sorted(_read(path.name, raw), key=lambda bar: bar.day)
        twice = next((b.day for a, b in pairwise(bars) if a.day == b.day), None)
        if twice is not None:
            raise VendorSchemaError(f"{path.name} has two rows for {twice}; keep only one")
        rows = self._rows(bars, request)
        if not rows:
            raise UnknownSymbol(f"{path.name} has no prices from {request.start} to {request.end}; check the dates")
        source = Source(url=path.name, sha256=hashlib.sha256(raw).hexdigest(), bytes=len(raw), fetched_at=self._clock())
        return Piece(rows=rows, sources=(source,))

    def _find(self, symbol: str) -> Path:
        found = sorted(
            path
            for path in self._folder.iterdir()
            if path.suffix.lower() in _ENDINGS and path.stem.upper() in (symbol.upper(), f"{symbol.upper()}.US")
        )
        if not found:
            raise UnknownSymbol(f"{self._folder.name} holds no {symbol}.csv; add it or leave out {symbol}")
        if len(found) > 1:
            names = " and ".join(path.name for path in found)
            raise VendorSchemaError(f"{self._folder.name} holds {names}; keep only one file per ticker")
        return found[0]

    def _rows(self, bars: list[_Bar], request: Request) -> tuple[Row, ...]:
        """The tidy rows of the dates asked for.

        With S(t) the product of splits after t in the whole file: a file that is adjusted was divided by S(t), also by
        splits after the request's end, which are undone here; one as traded is divided by those up to the end.
        """
        rows: list[Row] = []
        factor = 1.0
        for bar in reversed(bars):
            inside = request.start <= bar.day <= request.end
            if inside:
                rows.append(_scaled(bar, request.symbol, factor))
            if bar.split > 0 and (bar.day > request.end) != self._as_traded:
                factor *= 1.0 / bar.split if self._as_traded else bar.split
        return tuple(reversed(rows))


def _scaled(bar: _Bar, ticker: str, factor: float) -> Row:
    """A tidy row; prices and dividends times `factor`, volume divided by it."""
    return {
        "date": bar.day.isoformat(),
        "ticker": ticker,
        "open": bar.open * factor,
        "high": bar.high * factor,
        "low": bar.low * factor,
        "close": bar.close * factor,
        "volume": bar.volume / factor,
        "dividend": bar.dividend * factor,
        "split": 0.0 if bar.split == 1.0 else bar.split,
    }


def _read(name: str, raw: bytes) -> Iterable[_Bar]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise VendorSchemaError(f"{name} is no UTF-8 text ({error.reason}); save it again as UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    columns = _columns(name, [cell.strip().lower() for cell in next(reader, [])])
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        where = f"{name}, line {reader.line_num}"
        if len(cells) <= max(columns.values()):
            raise VendorSchemaError(f"{where} has {len(cells)} cells, fewer than the header; correct it")
        row = {column: cells[place].strip() for column, place in columns.items()}
        prices = [row[column] for column in ("open", "high", "low", "close")]
        if all(cell.lower() in _ABSENT for cell in prices):
            # Such a day has no row in the tidy format, so what happened on it would be lost.
            for column, nothing in (("dividend", (0.0,)), ("split", (0.0, 1.0))):
                if _number(where, column, row.get(column, ""), empty=0.0) not in nothing:
                    raise VendorSchemaError(f"{where} has a {column} and no prices; move it to the next session")
            continue
        yield _Bar(
            day=_day(where, row["date"]),
            open=_number(where, "open", row["open"]),
            high=_number(where, "high", row["high"]),
            low=_number(where, "low", row["low"]),
            close=_number(where, "close", row["close"]),
            volume=_number(where, "volume", row["volume"], empty=0.0),
            dividend=_number(where, "dividend", row.get("dividend", ""), empty=0.0),
            split=_ratio(where, row.get("split", "")),
        )


def _delimiter(text: str) -> str:
    header = text.split("\n", 1)[0]
    return max((",", ";", "\t"), key=header.count)


def _columns(name: str, header: list[str]) -> dict[str, int]:
    """Where each of our columns stands."""
    columns = {}
    for column, spellings in _SPELLINGS.items():
        places = [place for place, cell in enumerate(header) if cell in spellings]
        if len(places) > 1:
            raise VendorSchemaError(f"{name} has two columns for {column}; keep only one")
        if places:
            columns[column] = places[0]
    missing = [column for column in _NEEDED if column not in columns]
    if missing:
        raise VendorSchemaError(f"{name} has no column {missing[0]}; its header needs {', '.join(_NEEDED)}")
    return columns


def _day(where: str, cell: str) -> date:
    # Vendors that give a time give midnight with it.
    text = cell.split("T")[0].split(" ")[0]
    for form in _DATES:
        try:
            if form == _DATES[0] and len(text) == 10:
                return date.fromisoformat(text)  # ten times as fast, and the usual form
            return datetime.strptime(text, form).date()  # noqa: DTZ007 (a date has no zone)
        except ValueError:
            continue
    raise VendorSchemaError(f"{where}, column date: {cell!r} is no date; write it as YYYY-MM-DD")


def _number(where: str, column: str, cell: str, *, empty: float | None = None) -> float:
    if cell.lower() in _ABSENT and empty is not None:
        return empty
    try:
        value = float(cell.replace(",", "").removeprefix("$"))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise VendorSchemaError(f"{where}, column {column}: {cell!r} is no number; correct it or remove the row")
    return value


def _ratio(where: str, cell: str) -> float:
    """New shares per old from `10`, `10:1` or `10/1`; 0 for none."""
    for sign in (":", "/"):
        if sign in cell:
            new, _, old = cell.partition(sign)
            below = _number(where, "split", old)
            if below > 0:
                return _number(where, "split", new) / below
    return _number(where, "split", cell, empty=0.0)


def open_vendor(settings: VendorSettings) -> CsvFolder:
    """The entry point `csv`; `csv.prices` among the options is `split_adjusted` or `as_traded`.

    Raises:
        InputError: no folder is set, or it is not there; the option has another value.
    """
    if settings.csv_folder is None:
        raise InputError("the vendor csv reads files of yours; name their folder by --csv-folder")
    prices = settings.options.get("csv.prices", "split_adjusted")
    match prices:
        case "split_adjusted" | "as_traded":
            return CsvFolder(settings.csv_folder, settings, prices)
    raise InputError(f"csv.prices cannot be {prices!r}; choose split_adjusted or as_traded")
