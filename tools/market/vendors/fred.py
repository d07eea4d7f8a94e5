"""FRED: macroeconomic series with their vintages, so that a revised figure is known only from its revision on."""

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from .errors import UnknownSymbol, VendorRefused, VendorSchemaError
from .http import Http
from .protocol import Kind, Piece, Request, Row, Source, VendorSettings

KEY_VARIABLE = "FRED_API_KEY"
"""Environment variable of the key."""
LOOK_BACK_DAYS = 400
"""Observations so much older than the request's start are taken too, for changes over a year."""
_API = "https://api.stlouisfed.org"
_CENTRAL = ZoneInfo("America/Chicago")
_VINTAGE_DAYS = 1400
"""Days of vintages per request: FRED refuses more than 2,000 vintages at once, and a series has one a day at most."""
_LIMIT = 100_000
_REQUESTS_PER_SECOND = 2.0
_ABSENT = "."


class Fred:
    """The vendor `fred`.

    Raises:
        VendorRefused: the environment holds no key.
    """

    name = "fred"
    provides: frozenset[Kind] = frozenset({"series"})

    def __init__(self, settings: VendorSettings) -> None:
        self._key = os.environ.get(KEY_VARIABLE, "")
        if not self._key:
            raise VendorRefused(f"FRED serves holders of a (free) key only; set {KEY_VARIABLE}")
        self._base = settings.base_url("fred", _API)
        self._http = Http(
            settings, self.name, requests_per_second=_REQUESTS_PER_SECOND, refusal=f"check {KEY_VARIABLE}"
        )

    def fetch(self, request: Request) -> Piece:
        """One series: a row per observation and vintage in which its value changed.

        FRED names the day of a vintage and no hour: a value counts as known from the end of that day in St. Louis.
        Values that stood when the request starts count as known from then on.

        Raises:
            VendorError: see `Vendor.fetch`.
        """
        if request.kind != "series":
            raise UnknownSymbol(f"fred has no {request.kind}; choose another vendor for them")
        sources: list[Source] = []
        known: dict[date, float] = {}
        rows: list[Row] = []
        for vintage, day, value in self._vintages(request, sources):
            if known.get(day) != value:
                known[day] = value
                rows.append(
                    {
                        "series": request.symbol,
                        "date": day.isoformat(),
                        "value": value,
                        "available_at": _end_of(vintage).isoformat(),
                    }
                )
        if not rows:
            raise UnknownSymbol(
                f"FRED has no values of {request.symbol} from {request.start} to {request.end}; check the dates"
            )
        return Piece(rows=tuple(rows), sources=tuple(sources))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _vintages(self, request: Request, sources: list[Source]) -> Iterator[tuple[date, date, float]]:
        """(day of the vintage, day observed, value) in the order of the vintages."""
        first = request.start
        while first <= request.end:
            last = min(first + timedelta(days=_VINTAGE_DAYS), request.end)
            yield from sorted(self._window(request, first, last, sources))
            first = last + timedelta(days=1)

    def _window(
        self, request: Request, first: date, last: date, sources: list[Source]
    ) -> Iterator[tuple[date, date, float]]:
        offset = 0
        while True:
            answer = self._http.get(
                f"{self._base}/fred/series/observations",
                params={
                    "series_id": request.symbol,
                    "file_type": "json",
                    "realtime_start": first.isoformat(),
                    "realtime_end": last.isoformat(),
                    "observation_start": (request.start - timedelta(days=LOOK_BACK_DAYS)).isoformat(),
                    "observation_end": request.end.isoformat(),
                    "limit": _LIMIT,
                    "offset": offset,
                },
                secrets={"api_key": self._key},
                accept=(400,),
                check_json=True,
            )
            sources.append(answer.source)
            content = answer.json()
            if answer.status == 400:
                raise _refusal(request.symbol, content)
            try:
                rows = content["observations"]
                yield from (_observed(row) for row in rows if row["value"] != _ABSENT)
                count = int(content["count"])
            except (KeyError, TypeError, ValueError) as error:
                raise VendorSchemaError(
                    f"FRED's observations of {request.symbol} are not in the expected form "
                    f"({type(error).__name__}: {error}); update PaperDesk or report it"
                ) from error
            offset += len(rows)
            if offset >= count or not rows:
                return


def open_vendor(settings: VendorSettings) -> Fred:
    """The factory that the entry point names."""
    return Fred(settings)


def _observed(row: Mapping[str, Any]) -> tuple[date, date, float]:
    return date.fromisoformat(row["realtime_start"]), date.fromisoformat(row["date"]), float(row["value"])


def _refusal(series: str, content: Any) -> Exception:
    """FRED says 400 to an unknown series, to a wrong key and to a wrong request, and tells them apart in words."""
    words = str(content.get("error_message", "")) if isinstance(content, dict) else ""
    if "api_key" in words:
        return VendorRefused(f"FRED refused the key; check {KEY_VARIABLE}")
    if "does not exist" in words:
        return UnknownSymbol(f"FRED has no series {series}; check its name")
    return VendorSchemaError(f"FRED refused the request for {series} ({words.rstrip('.')}); report it")


def _end_of(day: date) -> datetime:
    """The midnight that ends a day in St. Louis, UTC."""
    return datetime.combine(day + timedelta(days=1), time(), _CENTRAL).astimezone(UTC)
