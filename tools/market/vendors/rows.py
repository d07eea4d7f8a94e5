"""The border between vendors and us: what a piece must hold before it is kept.

The whole folder is checked once more when it is put together (`check_folder`); this is the part that can be said of one
piece, so that a defect names its symbol at once.
"""

import math
from collections.abc import Mapping
from datetime import date, datetime

from ...clock import TradingCalendar
from ..folder.cells import HALF_CHARACTER
from .errors import VendorSchemaError
from .protocol import Kind, Piece, Request, Row

_TEXTS: Mapping[Kind, tuple[str, ...]] = {
    "prices": (),
    "companies": ("ticker", "name"),
    "fundamentals": ("ticker", "concept", "accession"),
    "series": ("series",),
    "documents": ("id", "ticker", "headline"),
}
_DATES: Mapping[Kind, tuple[str, ...]] = {
    "prices": ("date",),
    "companies": (),
    "fundamentals": ("period_end", "filed"),
    "series": ("date",),
    "documents": (),
}
_TIMES: Mapping[Kind, tuple[str, ...]] = {
    "prices": (),
    "companies": (),
    "fundamentals": ("accepted_at",),
    "series": ("available_at",),
    "documents": ("published_at",),
}
_BAR = ("open", "high", "low", "close")
_SLACK = 5e-4
"""Relative room of an open or close beyond high and low, as in the format."""


def check_piece(vendor: str, request: Request, piece: Piece, calendar: TradingCalendar) -> None:
    """Refuse a piece that is not in the form of its kind.

    Raises:
        VendorSchemaError: the message names the row and the field.
    """
    key = "series" if request.kind == "series" else "ticker"
    before: date | None = None
    for number, row in enumerate(piece.rows, start=1):
        where = f"{vendor}, {request.kind} of {request.symbol}, row {number}"
        if row.get(key) != request.symbol:
            raise _refuse(where, key, f"{row.get(key)!r} is not what was asked for")
        for name in _TEXTS[request.kind]:
            text = row.get(name)
            if not isinstance(text, str) or not text.strip():
                raise _refuse(where, name, f"{text!r} is no text")
        for name, value in row.items():
            if isinstance(value, str) and HALF_CHARACTER.search(value):
                raise _refuse(where, name, "it holds half a character (a lone surrogate)")
        for name in _DATES[request.kind]:
            _day(where, name, row)
        for name in _TIMES[request.kind]:
            _moment(where, name, row, optional=name == "accepted_at")
        if request.kind == "prices":
            before = _check_bar(where, row, request, before, calendar)
        elif "value" in row or request.kind in ("fundamentals", "series"):
            _number(where, "value", row)
    if request.kind == "companies" and len(piece.rows) != 1:
        raise VendorSchemaError(
            f"{vendor} gave {len(piece.rows)} companies for {request.symbol}; report it, or use another vendor"
        )
    if request.kind == "prices" and not piece.rows:
        raise VendorSchemaError(f"{vendor} gave no prices for {request.symbol} and no reason; report it")


def _check_bar(where: str, row: Row, request: Request, before: date | None, calendar: TradingCalendar) -> date:
    day = _day(where, "date", row)
    if not request.start <= day <= request.end:
        raise _refuse(where, "date", f"{day} was not asked for")
    if before is not None and day <= before:
        raise _refuse(where, "date", f"{day} comes after {before}")
    if not calendar.is_session(day):
        raise _refuse(where, "date", f"{day} is no session of {calendar.name}")
    values = {name: _number(where, name, row) for name in _BAR}
    for name, value in values.items():
        if value <= 0:
            raise _refuse(where, name, f"{value:g} on {day} is not above zero")
    for name in ("volume", "dividend", "split"):
        if _number(where, name, row) < 0:
            raise _refuse(where, name, f"{row[name]} on {day} is negative")
    low, high = values["low"], values["high"]
    if high < low:
        raise _refuse(where, "high", f"{high:g} on {day} is below the low")
    for name in ("open", "close"):
        if not low * (1 - _SLACK) <= values[name] <= high * (1 + _SLACK):
            raise _refuse(where, name, f"{values[name]:g} on {day} lies outside of low and high")
    return day


def _day(where: str, name: str, row: Row) -> date:
    try:
        return date.fromisoformat(str(row.get(name)))
    except ValueError:
        raise _refuse(where, name, f"{row.get(name)!r} is no date") from None


def _moment(where: str, name: str, row: Row, *, optional: bool) -> None:
    if optional and row.get(name) in (None, ""):
        return
    try:
        moment = datetime.fromisoformat(str(row.get(name)))
    except ValueError:
        raise _refuse(where, name, f"{row.get(name)!r} is no time") from None
    if moment.tzinfo is None:
        raise _refuse(where, name, f"{row.get(name)!r} has no zone")


def _number(where: str, name: str, row: Row) -> float:
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _refuse(where, name, f"{value!r} is no number")
    return float(value)


def _refuse(where: str, name: str, problem: str) -> VendorSchemaError:
    return VendorSchemaError(
        f"{where}, field {name}: {problem}; choose other dates or another vendor, or leave it out by --skip-missing"
    )
