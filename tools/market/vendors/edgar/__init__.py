"""SEC EDGAR: who the companies are, the figures of their filings, and the texts of their 8-K reports.

Read straight from the SEC's public files (`companyfacts`, `submissions`, and each 8-K's full text), with a declared
user agent and at most `REQUESTS_PER_SECOND`, as the SEC asks. An 8-K's time comes from the header of the filing itself.
"""

import os
import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from ..errors import UnknownSymbol, VendorRefused, VendorSchemaError
from ..http import Answer, Http
from ..protocol import Kind, Piece, Request, Row, Source, VendorSettings
from .facts import fact_rows
from .submission import Submission, parse_submission
from .text import capped, headline_of, items_of, readable

USER_AGENT_VARIABLE = "PAPERDESK_SEC_USER_AGENT"
"""Environment variable: who asks, as the SEC wants it, e.g. `Jane Doe jane@example.org`."""
REQUESTS_PER_SECOND = 8.0
"""The SEC allows ten."""
LOOK_BACK_DAYS = 1100
"""Filings so much earlier than the request's start are taken too: growth and running totals need two years before."""

_WWW, _DATA = "https://www.sec.gov", "https://data.sec.gov"
_MAIL = re.compile(r"\S+@\S+\.\S+")


class _Filing(NamedTuple):
    """A row of the list of filings."""

    accession: str
    form: str
    filed: date


class Edgar:
    """The vendor `edgar`.

    Raises:
        VendorRefused: `PAPERDESK_SEC_USER_AGENT` does not say who asks.
    """

    name = "edgar"
    provides: frozenset[Kind] = frozenset({"companies", "fundamentals", "documents"})

    def __init__(self, settings: VendorSettings) -> None:
        agent = os.environ.get(USER_AGENT_VARIABLE, "").strip()
        if not _MAIL.search(agent):
            raise VendorRefused(
                f"the SEC serves only those who say who they are; set {USER_AGENT_VARIABLE} to your name and"
                " mail address"
            )
        self._www = settings.base_url("edgar.www", _WWW)
        self._data = settings.base_url("edgar", _DATA)
        self._http = Http(
            settings,
            self.name,
            requests_per_second=REQUESTS_PER_SECOND,
            headers={"User-Agent": agent},
            refusal=f"check that {USER_AGENT_VARIABLE} holds your name and mail address, and wait ten minutes",
        )
        self._ciks: tuple[dict[str, int], Source] | None = None

    def fetch(self, request: Request) -> Piece:
        """Companies, fundamentals or documents of one ticker.

        Raises:
            VendorError: see `Vendor.fetch`.
        """
        cik, source = self._cik(request.symbol)
        match request.kind:
            case "companies":
                return self._company(request.symbol, cik, source)
            case "fundamentals":
                return self._fundamentals(request, cik, source)
            case "documents":
                return self._documents(request, cik, source)
            case _:
                raise UnknownSymbol(f"edgar has no {request.kind}; choose another vendor for them")

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _cik(self, ticker: str) -> tuple[int, Source]:
        """The SEC's number of a company."""
        if self._ciks is None:
            answer = self._http.get(f"{self._www}/files/company_tickers.json", check_json=True)
            try:
                # several classes of shares have one number; a ticker has one company
                by_ticker = {_plain(row["ticker"]): int(row["cik_str"]) for row in answer.json().values()}
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise _changed("list of tickers", error) from error
            self._ciks = by_ticker, answer.source
        by_ticker, source = self._ciks
        if _plain(ticker) not in by_ticker:
            raise UnknownSymbol(f"EDGAR lists no company with the ticker {ticker}; check it, or pull it without edgar")
        return by_ticker[_plain(ticker)], source

    def _company(self, ticker: str, cik: int, source: Source) -> Piece:
        answer = self._submissions(cik)
        content = answer.json()
        try:
            row: Row = {
                "ticker": ticker,
                "name": str(content["name"]),
                "industry": str(content["sicDescription"] or ""),
            }
        except (KeyError, TypeError) as error:
            raise _changed(f"submissions of {ticker}", error) from error
        return Piece(rows=(row,), sources=(source, answer.source))

    def _fundamentals(self, request: Request, cik: int, source: Source) -> Piece:
        url = f"{self._data}/api/xbrl/companyfacts/CIK{cik:010d}.json"
        # A company that never filed in XBRL has no facts, which is no error.
        answer = self._http.get(url, accept=(404,), check_json=True)
        if answer.status == 404:
            return Piece(rows=(), sources=(source, answer.source))
        since = request.start - timedelta(days=LOOK_BACK_DAYS)
        rows = fact_rows(answer.json(), request.symbol, since, request.end)
        return Piece(rows=tuple(rows), sources=(source, answer.source))

    def _documents(self, request: Request, cik: int, source: Source) -> Piece:
        sources = [source]
        rows: list[Row] = []
        for filing in self._filings(request, cik, sources):
            folder = filing.accession.replace("-", "")
            answer = self._http.get(f"{self._www}/Archives/edgar/data/{cik}/{folder}/{filing.accession}.txt")
            rows.append(_document_row(request.symbol, filing, parse_submission(_text(answer.body), filing.accession)))
            sources.append(answer.source)
        rows.sort(key=lambda row: (str(row["published_at"]), str(row["id"])))
        return Piece(rows=tuple(rows), sources=tuple(sources))

    def _submissions(self, cik: int) -> Answer:
        return self._http.get(f"{self._data}/submissions/CIK{cik:010d}.json", check_json=True)

    def _filings(self, request: Request, cik: int, sources: list[Source]) -> list[_Filing]:
        """The 8-K reports filed in the request's dates, the oldest first."""
        answer = self._submissions(cik)
        sources.append(answer.source)
        try:
            filings = answer.json()["filings"]
            found = list(_listed(filings["recent"]))
            for older in filings["files"]:
                if date.fromisoformat(older["filingTo"]) >= request.start:
                    more = self._http.get(f"{self._data}/submissions/{older['name']}", check_json=True)
                    sources.append(more.source)
                    found += _listed(more.json())
        except (KeyError, TypeError, ValueError) as error:
            raise _changed(f"submissions of {request.symbol}", error) from error
        wanted = {
            each.accession: each
            for each in found
            if each.form in {"8-K", "8-K/A"} and request.start <= each.filed <= request.end
        }
        return sorted(wanted.values(), key=lambda each: (each.filed, each.accession))


def open_vendor(settings: VendorSettings) -> Edgar:
    """The factory that the entry point names."""
    return Edgar(settings)


def _listed(block: Mapping[str, Any]) -> Iterator[_Filing]:
    columns = (block["accessionNumber"], block["form"], block["filingDate"])
    return (_Filing(a, form, date.fromisoformat(day)) for a, form, day in zip(*columns, strict=True))


def _document_row(ticker: str, filing: _Filing, submission: Submission) -> Row:
    main = next((part.content for part in submission.parts if part.type.startswith("8-K")), "")
    release = next((part.content for part in submission.parts if part.type.upper() in {"EX-99.1", "EX-99"}), "")
    told, released = items_of(readable(main)), readable(release)
    headline = headline_of(released) or f"{ticker}: {'; '.join(submission.items) or filing.form}"
    return {
        "id": f"sec-{filing.accession}",
        "ticker": ticker,
        "published_at": submission.accepted_at.isoformat(),
        "source": f"SEC EDGAR {filing.form}",
        "headline": headline,
        "body": capped(f"{told}\n\nPress release (exhibit 99.1)\n{released}" if released else told),
    }


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:  # filings of the 2000s are in Windows' Latin
        return body.decode("cp1252", errors="replace")


def _plain(ticker: str) -> str:
    """BRK-B, BRK.B and brk/b are one share."""
    return re.sub(r"[./]", "-", ticker.strip().upper())


def _changed(what: str, error: Exception) -> VendorSchemaError:
    return VendorSchemaError(
        f"EDGAR's {what} are not in the expected form ({type(error).__name__}: {error}); update PaperDesk or report it"
    )
