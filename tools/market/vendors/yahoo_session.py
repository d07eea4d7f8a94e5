"""The HTTP session that yfinance works through: paced, retried, checked, and able to go to another address.

yfinance names Yahoo's hosts in many places, takes any text for an answer, and logs a changed answer where it should
fail. So the border is here: each data answer is recorded as a source, and its fields are checked before yfinance reads
them.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from curl_cffi import requests as curl
from curl_cffi.requests import exceptions

from .errors import VendorSchemaError
from .patience import Passing, Patience, is_passing
from .protocol import Source, VendorSettings

REQUESTS_PER_SECOND = 2.0
"""Yahoo publishes no limit; at this pace it has not complained."""
_CHART, _SUMMARY = "/v8/finance/chart/", "/v10/finance/quoteSummary/"
_SECRETS = frozenset({"crumb"})


class YahooSession(curl.Session[curl.Response]):
    """A curl_cffi session for yfinance.

    Args:
        settings: pace, timeout, retries, clock; `base_urls["yahoo"]` stands in for every host of Yahoo's.
    """

    def __init__(self, settings: VendorSettings) -> None:
        super().__init__(impersonate="chrome")
        self.sources: list[Source] = []
        """Data answers since the last `begin`."""
        self.status = 0
        """Of the last data answer."""
        self.chart: Mapping[str, Any] = {}
        """Content of the last answer with prices: `chart` of the JSON."""
        self._settings = settings
        self._base = settings.base_urls.get("yahoo", "").rstrip("/")
        self._patience = Patience(settings, "yahoo", REQUESTS_PER_SECOND)

    def begin(self) -> None:
        """Forget what was answered so far."""
        self.sources, self.status, self.chart = [], 0, {}

    # yfinance calls get and post, which are this with a method.
    def request(self, method: Any, url: str, *args: Any, **options: Any) -> curl.Response:
        """Send a request; see curl_cffi.

        Raises:
            VendorUnavailable: data could not be had, also after retries.
            VendorSchemaError: an answer with prices lacks a field.
        """
        options["timeout"] = self._settings.timeout_s
        send: Callable[..., curl.Response] = super().request
        path = urlsplit(url).path
        address = f"{self._base}{path}" if self._base else url
        if not path.startswith((_CHART, _SUMMARY)):
            # Cookies and crumbs: yfinance does without where they cannot be had.
            return send(method, address, *args, **options)
        shown = _shown(url, options.get("params"))
        return self._patience.ask(shown, lambda: self._data(shown, lambda: send(method, address, *args, **options)))

    def _data(self, shown: str, send: Callable[[], curl.Response]) -> curl.Response:
        """One attempt at an answer that counts."""
        try:
            response = send()
        except exceptions.RequestException as error:
            raise Passing(f"the connection failed: {type(error).__name__}") from None
        self.status = int(response.status_code)
        if is_passing(self.status):
            raise Passing(f"status {self.status}", response.headers.get("Retry-After"))
        body = bytes(response.content)
        try:
            content = json.loads(body)
        except ValueError:
            raise Passing("the answer is no complete JSON") from None
        if _CHART in urlsplit(shown).path and self.status not in (401, 403):
            self.chart = checked_chart(content, shown)
        self.sources.append(
            Source(
                url=shown,
                sha256=hashlib.sha256(body).hexdigest(),
                bytes=len(body),
                fetched_at=self._settings.clock(),
            )
        )
        return response


def checked_chart(content: Any, shown: str) -> Mapping[str, Any]:
    """The `chart` of an answer, if it says why there is nothing or has the fields that are read from it.

    Raises:
        VendorSchemaError: the message names the field that is absent or odd.
    """
    chart: Mapping[str, Any] = _field(content, "chart", dict, shown)
    if chart.get("error"):
        _field(_field(chart, "error", dict, shown), "description", str, shown)
        return chart
    results = _field(chart, "result", list, shown)
    result: Any = results[0] if results else None
    meta: Mapping[str, Any] = _field(result, "meta", dict, shown)
    for name in ("currency", "exchangeTimezoneName", "instrumentType"):
        _field(meta, name, str, shown)
    quotes = _field(_field(result, "indicators", dict, shown), "quote", list, shown)
    if not quotes or not quotes[0]:
        return chart  # no bars in these dates
    days = _field(result, "timestamp", list, shown)
    for name in ("open", "high", "low", "close", "volume"):
        values = _field(quotes[0], name, list, shown)
        if len(values) != len(days) or not all(_is_number_or_none(value) for value in values):
            raise _changed(name, shown)
    events = result.get("events", {})
    for kind, names in (("dividends", ("date", "amount")), ("splits", ("date", "numerator", "denominator"))):
        for event in (events.get(kind) or {}).values():
            for name in names:
                if not _is_number_or_none(_field(event, name, (int, float), shown)):
                    raise _changed(name, shown)
            if event.get("currency", meta["currency"]) not in ("", meta["currency"]):
                raise VendorSchemaError(
                    f"yahoo answered {shown} with dividends in {event['currency']} for prices in {meta['currency']}; "
                    "use another vendor for this symbol"
                )
    return chart


def _field(value: Any, name: str, kind: type | tuple[type, ...], shown: str) -> Any:
    found = value.get(name) if isinstance(value, dict) else None
    if not isinstance(found, kind):
        raise _changed(name, shown)
    return found


def _is_number_or_none(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _changed(name: str, shown: str) -> VendorSchemaError:
    return VendorSchemaError(
        f"yahoo answered {shown} in a form that is not known (field {name}); update yfinance, or use another vendor"
    )


def _shown(url: str, params: Any) -> str:
    """The address without the session's crumb."""
    pairs = {name: value for name, value in dict(params or {}).items() if name not in _SECRETS}
    return f"{url.rstrip('?')}?{urlencode(pairs)}" if pairs else url
