"""Yahoo's daily prices, dividends, splits, names and sectors, by way of yfinance.

Yahoo adjusts prices for every split up to today, so that a level of 2019 knows about a split of 2020. `fetch` asks for
all splits up to now and undoes those after the request's end: the rows are adjusted for the splits among them alone.
"""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from .errors import UnknownSymbol, VendorError, VendorRefused, VendorSchemaError, VendorUnavailable
from .plan import SETTLED_MINUTES
from .protocol import Kind, Piece, Request, Row, VendorSettings
from .yahoo_session import YahooSession

if TYPE_CHECKING:
    import pandas as pd

_SUMMARY = "https://query2.finance.yahoo.com/v10/finance/quoteSummary"
_PRICES = ("Open", "High", "Low", "Close")


class Yahoo:
    """The vendor `yahoo`.

    Args:
        settings: `options["yahoo.currency"]` is the currency that all prices must be in, USD by default.
    """

    name = "yahoo"
    provides: frozenset[Kind] = frozenset({"prices", "companies"})
    options = frozenset({"currency"})

    def __init__(self, settings: VendorSettings) -> None:
        import yfinance

        if settings.cache_folder is not None:
            yfinance.set_tz_cache_location(str(settings.cache_folder))
        self._clock = settings.clock
        self._timeout_s = settings.timeout_s
        self._currency = settings.options.get("yahoo.currency", "USD")
        self._session = YahooSession(settings)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def fetch(self, request: Request) -> Piece:
        """Prices or the company of one ticker.

        Raises:
            VendorError: see `Vendor.fetch`.
        """
        self._session.begin()
        with self._failing_loudly(request.symbol):
            match request.kind:
                case "prices":
                    rows = self._prices(request)
                case "companies":
                    rows = (self._company(request.symbol),)
                case _:
                    raise UnknownSymbol(f"yahoo has no {request.kind}; choose another vendor for them")
        return Piece(rows=rows, sources=tuple(self._session.sources))

    @contextmanager
    def _failing_loudly(self, symbol: str) -> Iterator[None]:
        """Let yfinance raise instead of log, and turn what it raises into our errors."""
        import yfinance
        from curl_cffi.requests.exceptions import RequestException
        from yfinance.data import YfData
        from yfinance.exceptions import YFException, YFRateLimitError

        hidden = yfinance.config.debug.hide_exceptions
        yfinance.config.debug.hide_exceptions = False
        YfData.cache_get.cache_clear()  # an answer from memory would have no source
        try:
            with warnings.catch_warnings():
                # yfinance 1.7 calls pandas in ways that 3.1 deprecates.
                for category in (DeprecationWarning, FutureWarning):
                    warnings.filterwarnings("ignore", category=category, module=r"yfinance\.")
                yield
        except VendorError:
            raise
        except YFRateLimitError as error:
            raise VendorUnavailable("yahoo wants fewer requests; try again later, what was fetched is kept") from error
        except (YFException, RequestException, LookupError, TypeError, ValueError, AttributeError) as error:
            raise self._explained(symbol, error) from error
        finally:
            yfinance.config.debug.hide_exceptions = hidden

    def _explained(self, symbol: str, error: Exception) -> VendorError:
        """What an error of yfinance's means, by the answer it came from."""
        if self._session.status in (401, 403):
            return VendorRefused(
                f"yahoo refused {symbol} (status {self._session.status}); wait an hour, or use another vendor"
            )
        problem = self._session.chart.get("error")
        if problem:
            return UnknownSymbol(f"yahoo has nothing for {symbol} ({problem['description']}); check ticker and dates")
        if self._session.chart:
            result = self._session.chart["result"][0]
            if not result["indicators"]["quote"][0]:
                return UnknownSymbol(f"yahoo has no prices of {symbol} in these dates; check ticker and dates")
        return VendorSchemaError(
            f"yfinance could not read the answer about {symbol} ({type(error).__name__}: {error}); update yfinance, or "
            "use another vendor"
        )

    def _prices(self, request: Request) -> tuple[Row, ...]:
        now = self._clock().astimezone(UTC)
        frame = self._history(request.symbol, request.start, now.date() + timedelta(days=2))
        meta = self._session.chart["result"][0]["meta"]
        if meta["currency"] != self._currency:
            raise VendorSchemaError(
                f"yahoo quotes {request.symbol} in {meta['currency']} and not in {self._currency}; pull only symbols "
                "of one currency, which the option yahoo.currency names"
            )
        open_day = _open_day(meta, now)
        rows, pending = _bars(frame, request.symbol)
        kept = [row for row in rows if request.start <= row[0] <= request.end and row[0] != open_day]
        later = pending * math.prod(
            float(row["split"] or 1) for day, row in rows if day > request.end or day == open_day
        )
        if not kept:
            raise UnknownSymbol(
                f"yahoo has no prices of {request.symbol} from {request.start} to {request.end}; check ticker and dates"
            )
        return tuple(_undone(row, later) for _, row in kept)

    def _history(self, symbol: str, start: date, end: date) -> "pd.DataFrame":
        import yfinance

        ticker = yfinance.Ticker(symbol, session=self._session)
        frame: pd.DataFrame = ticker.history(
            start=start.isoformat(),
            end=end.isoformat(),
            interval="1d",
            auto_adjust=False,
            actions=True,
            keepna=True,
            timeout=self._timeout_s,
        )
        return frame

    def _company(self, symbol: str) -> Row:
        """Name, industry and sector; the last two stay empty where Yahoo does not tell them."""
        from curl_cffi.requests.exceptions import HTTPError
        from yfinance.data import YfData

        facts: dict[str, Any] = {}
        try:
            # Ticker.info would ask three times for much more, and fail with each of the three.
            answer = YfData(session=self._session).get_raw_json(
                f"{_SUMMARY}/{quote(symbol)}", params={"modules": "assetProfile,quoteType", "formatted": "false"}
            )
            for module in answer["quoteSummary"]["result"][0].values():
                facts.update(module)
        except HTTPError:
            facts.clear()  # Yahoo shows profiles to some and not to others; the name comes with the prices
        name = facts.get("longName") or facts.get("shortName")
        if not name:
            today = self._clock().date()
            self._history(symbol, today - timedelta(days=10), today + timedelta(days=2))
            meta = self._session.chart["result"][0]["meta"]
            name = meta.get("longName") or meta.get("shortName") or symbol
        return {
            "ticker": symbol,
            "name": str(name),
            "industry": str(facts.get("industry") or ""),
            "sector": str(facts.get("sector") or ""),
        }


def _bars(frame: "pd.DataFrame", symbol: str) -> tuple[list[tuple[date, Row]], float]:
    """Tidy rows as Yahoo adjusted them; what fell on a day without trade moves to the next trade.

    Returns:
        Day and row of each bar; new shares per old of splits after the last bar, which have adjusted it too.
    """
    rows: list[tuple[date, Row]] = []
    cash, split = 0.0, 1.0
    for stamp, bar in zip(frame.index, frame.to_dict("records"), strict=True):
        day = stamp.date()
        cash += bar["Dividends"] + bar.get("Capital Gains", 0.0)
        split *= bar["Stock Splits"] or 1.0
        absent = [name for name in _PRICES if bar[name] is None or math.isnan(bar[name])]
        if len(absent) == len(_PRICES):
            continue
        if absent:
            raise VendorSchemaError(
                f"yahoo has no {absent[0].lower()} of {symbol} on {day} but other prices; choose other dates or "
                "another vendor"
            )
        row: Row = {
            "date": day.isoformat(),
            "ticker": symbol,
            **{name.lower(): float(bar[name]) for name in _PRICES},
            "volume": float(bar["Volume"]),
            "dividend": float(cash),
            "split": 0.0 if split == 1.0 else float(split),
        }
        rows.append((day, row))
        cash, split = 0.0, 1.0
    return rows, split


def _open_day(meta: dict[str, Any], now: datetime) -> date | None:
    """The exchange's present day, if its session has not settled yet: its bar is no bar."""
    today = now.astimezone(ZoneInfo(meta["exchangeTimezoneName"])).date()
    end = meta.get("currentTradingPeriod", {}).get("regular", {}).get("end")
    if end is None:
        return today
    close = datetime.fromtimestamp(end, UTC)
    if close.astimezone(ZoneInfo(meta["exchangeTimezoneName"])).date() != today:
        return today if close < now else None
    return None if now >= close + timedelta(minutes=SETTLED_MINUTES) else today


def _undone(row: Row, later: float) -> Row:
    """A row without the adjustment for splits of `later` new shares per old after the last row."""
    if later == 1.0:
        return row
    scaled: Row = {name: float(row[name] or 0.0) * later for name in ("open", "high", "low", "close", "dividend")}
    return {**row, **scaled, "volume": float(row["volume"] or 0.0) / later}


def open_vendor(settings: VendorSettings) -> Yahoo:
    """The entry point `yahoo`."""
    return Yahoo(settings)
