"""The vendor `edgar` against a server that answers, and fails, as the SEC's does."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from paperdesk.tools.market.vendors.edgar import USER_AGENT_VARIABLE, Edgar
from paperdesk.tools.market.vendors.errors import (
    UnknownSymbol,
    VendorError,
    VendorRefused,
    VendorSchemaError,
    VendorUnavailable,
)
from paperdesk.tools.market.vendors.protocol import Kind, Request

from .loopback import FakeTime, Loopback, Reply

TICKERS = {
    "0": {"cik_str": 42, "ticker": "ACME", "title": "ACME CORP"},
    "1": {"cik_str": 43, "ticker": "BRK-B", "title": "B"},
}
SUBMISSIONS = "/submissions/CIK0000000042.json"
FACTS = "/api/xbrl/companyfacts/CIK0000000042.json"


def filing_path(accession: str) -> str:
    return f"/Archives/edgar/data/42/{accession.replace('-', '')}/{accession}.txt"


def filing(stamp: str, *, release: str | None = None) -> Reply:
    exhibit = f"<DOCUMENT>\n<TYPE>EX-99.1\n<TEXT>\n{release}\n</TEXT>\n</DOCUMENT>\n" if release else ""
    picture = "<DOCUMENT>\n<TYPE>GRAPHIC\n<TEXT>\nbegin 644 logo.jpg\nM_]C_X\nend\n</TEXT>\n</DOCUMENT>\n"
    text = (
        f"<SEC-HEADER>\n<ACCEPTANCE-DATETIME>{stamp}\nITEM INFORMATION:\t\tOther Events\n</SEC-HEADER>\n"
        "<DOCUMENT>\n<TYPE>8-K\n<TEXT>\n<html><body><p>FORM 8-K</p><p>Item 8.01 Other Events</p><p>ACME opened a plant."
        f"</p><p>SIGNATURE</p><p>J. Doe</p></body></html>\n</TEXT>\n</DOCUMENT>\n{exhibit}{picture}"
    )
    return Reply(text.encode())


def listing(*rows: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "accessionNumber": [row[0] for row in rows],
        "form": [row[1] for row in rows],
        "filingDate": [row[2] for row in rows],
        # a Z that is not always UTC: nothing may read it
        "acceptanceDateTime": [f"{row[2]}T00:00:00.000Z" for row in rows],
    }


def submissions(recent: dict[str, Any], files: list[dict[str, Any]] | None = None) -> Reply:
    return Reply.of_json(
        {"name": "ACME CORP", "sicDescription": "Rail Works", "filings": {"recent": recent, "files": files or []}}
    )


def asked(kind: Kind, symbol: str = "ACME", start: date = date(2024, 1, 1), end: date = date(2024, 12, 31)) -> Request:
    return Request(kind=kind, symbol=symbol, start=start, end=end)


@pytest.fixture
def edgar(loopback: Loopback, fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch) -> Iterator[Edgar]:
    monkeypatch.setenv(USER_AGENT_VARIABLE, "Jane Doe jane@example.org")
    loopback.on("/files/company_tickers.json", Reply.of_json(TICKERS))
    vendor = Edgar(fake_time.settings(base_urls={"edgar": loopback.url, "edgar.www": loopback.url}))
    yield vendor
    vendor.close()


@pytest.mark.parametrize("agent", [None, "", "paperdesk"])
def test_who_does_not_say_who_he_is_is_not_served(
    agent: str | None, fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(USER_AGENT_VARIABLE, raising=False)
    if agent is not None:
        monkeypatch.setenv(USER_AGENT_VARIABLE, agent)
    with pytest.raises(VendorRefused, match=f"set {USER_AGENT_VARIABLE}"):
        Edgar(fake_time.settings())


def test_a_company_has_its_name_and_industry_and_every_request_says_who_asks(edgar: Edgar, loopback: Loopback) -> None:
    loopback.on(SUBMISSIONS, submissions(listing()))
    piece = edgar.fetch(asked("companies"))
    assert piece.rows == ({"ticker": "ACME", "name": "ACME CORP", "industry": "Rail Works"},)
    assert [source.url for source in piece.sources] == [
        f"{loopback.url}/files/company_tickers.json",
        loopback.url + SUBMISSIONS,
    ]
    assert {row.headers["user-agent"] for row in loopback.asked} == {"Jane Doe jane@example.org"}


def test_at_most_eight_requests_a_second(edgar: Edgar, loopback: Loopback, fake_time: FakeTime) -> None:
    loopback.on(SUBMISSIONS, submissions(listing()))
    began = fake_time.now
    for _ in range(16):
        edgar.fetch(asked("companies"))
    assert len(loopback.asked) == 17  # the list of tickers is asked for once
    assert (fake_time.now - began).total_seconds() >= 16 / 8.0


def test_a_ticker_is_found_in_any_spelling_and_an_unknown_one_is_named(edgar: Edgar, loopback: Loopback) -> None:
    loopback.on("/submissions/CIK0000000043.json", submissions(listing()))
    assert edgar.fetch(asked("companies", "brk.b")).rows
    with pytest.raises(UnknownSymbol, match="ticker NOPE"):
        edgar.fetch(asked("companies", "NOPE"))


def test_facts_reach_back_far_enough_for_a_year_of_comparison(edgar: Edgar, loopback: Loopback) -> None:
    def assets(filed: str) -> dict[str, Any]:
        return {"end": "2020-09-30", "val": 5.0, "accn": f"a-{filed}", "filed": filed, "form": "10-K"}

    rows = [assets(day) for day in ("2020-12-20", "2021-02-01", "2024-12-31", "2025-01-01")]
    loopback.on(FACTS, Reply.of_json({"facts": {"us-gaap": {"Assets": {"units": {"USD": rows}}}}}))
    assert [row["filed"] for row in edgar.fetch(asked("fundamentals")).rows] == ["2021-02-01", "2024-12-31"]


def test_a_company_without_facts_is_no_error(edgar: Edgar, loopback: Loopback) -> None:
    loopback.on(FACTS, Reply(b"no such key", status=404))
    assert edgar.fetch(asked("fundamentals")).rows == ()


def test_reports_are_read_with_their_own_time_and_the_older_lists_are_searched(
    edgar: Edgar, loopback: Loopback
) -> None:
    recent = listing(
        ("0001-24-000009", "8-K", "2024-11-04"), ("0001-24-000008", "10-Q", "2024-11-04"),
        ("0001-25-000001", "8-K", "2025-01-02"),
    )  # fmt: skip
    older = [
        {"name": "CIK0000000042-submissions-001.json", "filingTo": "2024-04-30"},
        {"name": "CIK0000000042-submissions-002.json", "filingTo": "2023-12-31"},
    ]
    loopback.on(SUBMISSIONS, submissions(recent, older))
    first = listing(("0001-24-000002", "8-K/A", "2024-03-08"), ("0001-23-000001", "8-K", "2023-12-30"))
    loopback.on("/submissions/CIK0000000042-submissions-001.json", Reply.of_json(first))
    release = "<p>Exhibit 99.1</p><p>ACME Opens a Plant in Ohio</p><table><tr><td>Sites</td><td>12</td></tr></table>"
    loopback.on(filing_path("0001-24-000009"), filing("20241104155500", release=release))
    loopback.on(filing_path("0001-24-000002"), filing("20240308160500"))
    piece = edgar.fetch(asked("documents"))
    assert [dict(row) for row in piece.rows] == [
        {
            "id": "sec-0001-24-000002",
            "ticker": "ACME",
            "published_at": "2024-03-08T21:05:00+00:00",
            "source": "SEC EDGAR 8-K/A",
            "headline": "ACME: Other Events",
            "body": "Item 8.01 Other Events\nACME opened a plant.",
        },
        {
            "id": "sec-0001-24-000009",
            "ticker": "ACME",
            "published_at": "2024-11-04T20:55:00+00:00",
            "source": "SEC EDGAR 8-K",
            "headline": "ACME Opens a Plant in Ohio",
            "body": "Item 8.01 Other Events\nACME opened a plant.\n\nPress release (exhibit 99.1)\nExhibit 99.1\n"
            "ACME Opens a Plant in Ohio\nSites | 12",
        },
    ]
    assert len(piece.sources) == 5


def test_old_filings_in_another_encoding_are_read(edgar: Edgar, loopback: Loopback) -> None:
    loopback.on(SUBMISSIONS, submissions(listing(("0001-24-1", "8-K", "2024-03-08"))))
    reply = filing("20240308160500", release="<p>ACME Names Ren\u00e9e Chief of the Works</p>")
    loopback.on(filing_path("0001-24-1"), Reply(reply.body.decode().encode("cp1252")))
    assert edgar.fetch(asked("documents")).rows[0]["headline"] == "ACME Names Ren\u00e9e Chief of the Works"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=403), VendorRefused),
        (Reply(status=500), VendorUnavailable),
        (Reply(status=429, headers={"Retry-After": "7"}), VendorUnavailable),
        (Reply(b'{"filings": {"recent"', cut_at=10), VendorUnavailable),
        (Reply(b'{"filings": {"recent"'), VendorUnavailable),
        (Reply(hang_up=True), VendorUnavailable),
        (Reply.of_json({"filings": []}), VendorSchemaError),
        (
            Reply.of_json({"filings": {"recent": {"accessionNumber": ["a"], "form": []}, "files": []}}),
            VendorSchemaError,
        ),
        (Reply.of_json([]), VendorSchemaError),
    ],
    ids=["403", "500", "429", "cut", "half JSON", "hang up", "list", "columns", "no object"],
)
def test_a_failing_server_is_a_typed_error_of_one_sentence(
    reply: Reply, error: type[VendorError], edgar: Edgar, loopback: Loopback
) -> None:
    loopback.on(SUBMISSIONS, reply)
    with pytest.raises(error) as caught:
        edgar.fetch(asked("documents"))
    assert "\n" not in str(caught.value)
    assert ";" in str(caught.value)


def test_a_server_that_recovers_is_asked_again_after_the_time_it_wants(
    edgar: Edgar, loopback: Loopback, fake_time: FakeTime
) -> None:
    loopback.on(SUBMISSIONS, Reply(status=429, headers={"Retry-After": "7"}), submissions(listing()))
    assert edgar.fetch(asked("companies")).rows
    assert max(fake_time.slept) >= 7.0


def test_other_kinds_are_not_its_business(edgar: Edgar) -> None:
    with pytest.raises(UnknownSymbol, match="edgar has no prices"):
        edgar.fetch(asked("prices"))
