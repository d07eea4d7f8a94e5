"""A vendor for tests of the pull, written against the contract as a plug-in would be."""

import hashlib
from collections.abc import Mapping
from datetime import date

from paperdesk.tools.market.vendors.errors import UnknownSymbol, VendorError
from paperdesk.tools.market.vendors.protocol import KINDS, Kind, Piece, Request, Row, Source

from .loopback import FakeTime

SESSIONS = tuple(date(2024, 6, day) for day in (5, 6, 7, 10, 11, 12, 13, 14))
_Key = tuple[Kind, str]


def bar(ticker: str, day: date, close: float) -> Row:
    return {
        "date": day.isoformat(),
        "ticker": ticker,
        "open": close - 0.5,
        "high": close + 1.0,
        "low": close - 1.0,
        "close": close,
        "volume": 1000.0,
        "dividend": 0.0,
        "split": 0.0,
    }


class Shop:
    """Sells everything.

    `fails` holds errors by (kind, symbol): an unknown symbol stays unknown, any other error passes after the first
    time. `changes` holds fields of the first row.
    """

    def __init__(
        self,
        time: FakeTime,
        *,
        name: str = "shop",
        provides: frozenset[Kind] = frozenset(KINDS),
        fails: Mapping[_Key, VendorError] | None = None,
        changes: Mapping[_Key, Row] | None = None,
    ) -> None:
        self.name = name
        self.provides = provides
        self.asked: list[_Key] = []
        self._time = time
        self._fails = dict(fails or {})
        self._changes = dict(changes or {})

    def close(self) -> None:
        return

    def fetch(self, request: Request) -> Piece:
        key = (request.kind, request.symbol)
        self.asked.append(key)
        if key in self._fails:
            raise self._fails[key] if isinstance(self._fails[key], UnknownSymbol) else self._fails.pop(key)
        rows = self._rows(request)
        rows[0] = {**rows[0], **self._changes.get(key, {})}
        source = Source(
            url=f"{self.name}://{request.kind}/{request.symbol}",
            sha256=hashlib.sha256(repr(rows).encode()).hexdigest(),
            bytes=len(repr(rows)),
            fetched_at=self._time.clock(),
        )
        return Piece(rows=tuple(rows), sources=(source,))

    def _rows(self, request: Request) -> list[Row]:
        symbol = request.symbol
        match request.kind:
            case "prices":
                days = [day for day in SESSIONS if request.start <= day <= request.end]
                if not days:
                    raise UnknownSymbol(f"shop has no prices of {symbol}; check the dates")
                return [bar(symbol, day, 100.0 + place) for place, day in enumerate(days)]
            case "companies":
                return [{"ticker": symbol, "name": f"{symbol.title()} Inc.", "industry": "Widgets", "sector": "Things"}]
            case "fundamentals":
                return [
                    {
                        "ticker": symbol,
                        "concept": "Revenue",
                        "period_start": "2024-01-01",
                        "period_end": "2024-03-31",
                        "value": 1000.0,
                        "unit": "USD",
                        "filed": "2024-05-02",
                        "accepted_at": "2024-05-02T20:05:00Z",
                        "accession": f"{symbol}-24-1",
                        "form": "10-Q",
                    }
                ]
            case "documents":
                prefix = "" if self.name == "shop" else f"{self.name}-"
                return [
                    {
                        "id": f"{prefix}{symbol}-1",
                        "ticker": symbol,
                        "published_at": "2024-06-06T20:05:00+00:00",
                        "source": "8-K",
                        "headline": f"{symbol} sells more",
                        "body": "Revenue rose.",
                    }
                ]
            case "series":
                return [{"series": symbol, "date": "2024-06-05", "value": 4.25, "available_at": "2024-06-07T05:00:00Z"}]
