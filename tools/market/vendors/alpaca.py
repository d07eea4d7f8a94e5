"""Alpaca's market data: daily bars, splits, dividends and news, for holders of a (free) key.

Three plain GET endpoints with page tokens, read by the same client as every other vendor: the broker's library passes
no timeout, waits on its own, and hides the raw answer whose hash a pull has to keep.
"""

import os
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from .edgar.text import capped, readable
from .errors import UnknownSymbol, VendorRefused, VendorSchemaError
from .http import Http
from .protocol import Kind, Piece, Request, Row, Source, VendorSettings

KEY_VARIABLE, SECRET_VARIABLE = "APCA_API_KEY_ID", "APCA_API_SECRET_KEY"
"""Environment variables of the key, as Alpaca's own tools name them."""
_DATA = "https://data.alpaca.markets"
_EASTERN = ZoneInfo("America/New_York")
_REQUESTS_PER_SECOND = 3.0
_PAGES = 10_000
"""More pages than any answer has: a server that repeats itself must not hold us for ever."""

_Path = Literal["/v2/stocks/bars", "/v1/corporate-actions", "/v1beta1/news"]


class _Actions(NamedTuple):
    """What happened to a share, by ex-date."""

    splits: dict[date, float]
    """New shares per old."""
    dividends: dict[date, float]
    """Dollars per share of that day."""


class Alpaca:
    """The vendor `alpaca`.

    Raises:
        VendorRefused: the environment holds no key.
    """

    name = "alpaca"
    provides: frozenset[Kind] = frozenset({"prices", "documents"})
    options = frozenset({"feed"})

    def __init__(self, settings: VendorSettings) -> None:
        key, secret = os.environ.get(KEY_VARIABLE, ""), os.environ.get(SECRET_VARIABLE, "")
        if not key or not secret:
            raise VendorRefused(f"Alpaca serves holders of a key only; set {KEY_VARIABLE} and {SECRET_VARIABLE}")
        self._clock = settings.clock
        self._base = settings.base_url("alpaca", _DATA)
        self._feed = settings.options.get("alpaca.feed", "sip")
        self._http = Http(
            settings,
            self.name,
            requests_per_second=_REQUESTS_PER_SECOND,
            headers={"APCA-API-KEY-ID": key, "APCA-API-SECRET-KEY": secret},
            refusal=f"check {KEY_VARIABLE} and {SECRET_VARIABLE}, and that your plan has the feed {self._feed!r}",
        )

    def fetch(self, request: Request) -> Piece:
        """Prices or documents of one ticker.

        Raises:
            VendorError: see `Vendor.fetch`.
        """
        try:
            match request.kind:
                case "prices":
                    return self._prices(request)
                case "documents":
                    return self._documents(request)
                case _:
                    raise UnknownSymbol(f"alpaca has no {request.kind}; choose another vendor for them")
        except (AttributeError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
            raise VendorSchemaError(
                f"Alpaca's {request.kind} of {request.symbol} are not in the expected form "
                f"({type(error).__name__}: {error}); update PaperDesk or report it"
            ) from error

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _prices(self, request: Request) -> Piece:
        """Bars as traded, divided by the splits that follow within the request.

        Alpaca's own adjustment also divides by splits after the request's end, which no row could tell.
        """
        sources: list[Source] = []
        bars = list(self._bars(request, sources))
        if not bars:
            raise UnknownSymbol(
                f"Alpaca has no bars of {request.symbol} from {request.start} to {request.end}; check the ticker"
            )
        actions = self._actions(request, sources)
        return Piece(rows=_split_adjusted(request.symbol, bars, actions), sources=tuple(sources))

    def _bars(self, request: Request, sources: list[Source]) -> Iterator[tuple[date, Mapping[str, Any]]]:
        """Each closed session's bar, as traded; Alpaca stamps it with the midnight of New York at which it began."""
        today = self._clock().astimezone(_EASTERN)
        # an hour after the close Alpaca's daily bar is final
        newest = today.date() if today.hour >= 17 else today.date() - timedelta(days=1)
        asked: dict[str, str | int] = {
            "symbols": request.symbol,
            "timeframe": "1Day",
            "start": f"{request.start}T00:00:00Z",
            "end": f"{min(request.end, newest)}T23:59:59Z",
            "adjustment": "raw",
            "feed": self._feed,
            "limit": 10_000,
        }
        if newest < request.start:
            return
        for page in self._pages("/v2/stocks/bars", asked, sources):
            for bar in (page["bars"] or {}).get(request.symbol, ()):
                yield _moment(bar["t"]).astimezone(_EASTERN).date(), bar

    def _actions(self, request: Request, sources: list[Source]) -> _Actions:
        asked: dict[str, str | int] = {
            "symbols": request.symbol,
            "types": "forward_split,reverse_split,cash_dividend",
            "start": request.start.isoformat(),
            "end": request.end.isoformat(),
            "limit": 1000,
        }
        splits: dict[date, float] = {}
        dividends: dict[date, float] = defaultdict(float)
        for page in self._pages("/v1/corporate-actions", asked, sources):
            found = page["corporate_actions"]
            for row in [*found.get("forward_splits", ()), *found.get("reverse_splits", ())]:
                splits[date.fromisoformat(row["ex_date"])] = float(row["new_rate"]) / float(row["old_rate"])
            for row in found.get("cash_dividends", ()):
                dividends[date.fromisoformat(row["ex_date"])] += float(row["rate"])
        return _Actions(splits, dividends)

    def _documents(self, request: Request) -> Piece:
        """News about a ticker.

        An article may be rewritten after it appeared, and only its last form can be had: it counts as known from then
        on (`updated_at`), which is late rather than early.
        """
        sources: list[Source] = []
        asked: dict[str, str | int] = {
            "symbols": request.symbol,
            "start": f"{request.start}T00:00:00Z",
            "end": f"{request.end}T23:59:59Z",
            "sort": "asc",
            "include_content": "true",
            "limit": 50,
        }
        rows: list[Row] = []
        for page in self._pages("/v1beta1/news", asked, sources):
            for article in page["news"]:
                known = max(_moment(article["created_at"]), _moment(article["updated_at"]))
                rows.append(
                    {
                        "id": f"alpaca-{request.symbol}-{article['id']}",
                        "ticker": request.symbol,
                        "published_at": known.isoformat(),
                        "source": str(article["source"]),
                        "headline": str(article["headline"]),
                        "body": capped(readable(article["content"] or article["summary"])),
                    }
                )
        rows.sort(key=lambda row: (str(row["published_at"]), str(row["id"])))
        return Piece(rows=tuple(rows), sources=tuple(sources))

    def _pages(self, path: _Path, asked: Mapping[str, str | int], sources: list[Source]) -> Iterator[Any]:
        """The pages of an answer."""
        token: str | None = None
        for _ in range(_PAGES):
            answer = self._http.get(
                self._base + path, params={**asked, **({"page_token": token} if token else {})}, check_json=True
            )
            sources.append(answer.source)
            content = answer.json()
            yield content
            following = content.get("next_page_token")
            if not following or following == token:
                return
            token = following


def open_vendor(settings: VendorSettings) -> Alpaca:
    """The factory that the entry point names."""
    return Alpaca(settings)


def _split_adjusted(ticker: str, bars: list[tuple[date, Mapping[str, Any]]], actions: _Actions) -> tuple[Row, ...]:
    """Rows of the tidy format: prices, volume and dividends in the shares of the last bar."""
    bars = sorted(bars, key=lambda item: item[0])
    days = [day for day, _ in bars]
    splits, dividends = dict.fromkeys(days, 1.0), dict.fromkeys(days, 0.0)
    # what falls on a day without trade takes effect with the next trade; a dividend is paid per share of its ex-date
    for ex_date, ratio in actions.splits.items():
        if (row := bisect_left(days, ex_date)) < len(days):
            splits[days[row]] *= ratio
    for ex_date, amount in actions.dividends.items():
        if (row := bisect_left(days, ex_date)) < len(days):
            dividends[days[row]] += amount
    later, rows = 1.0, []
    for day, bar in reversed(bars):
        rows.append(
            Row(
                date=day.isoformat(),
                ticker=ticker,
                open=float(bar["o"]) / later,
                high=float(bar["h"]) / later,
                low=float(bar["l"]) / later,
                close=float(bar["c"]) / later,
                volume=float(bar["v"]) * later,
                dividend=dividends[day] / later,
                split=0.0 if splits[day] == 1.0 else splits[day],
            )
        )
        later *= splits[day]
    return tuple(reversed(rows))


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise VendorSchemaError(f"Alpaca gave the time {text!r} without a zone; update PaperDesk or report it")
    return moment
