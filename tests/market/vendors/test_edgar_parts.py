"""EDGAR's answers become rows and texts: periods, tags, times and words."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from paperdesk.tools.market.vendors.edgar.facts import fact_rows
from paperdesk.tools.market.vendors.edgar.submission import parse_submission
from paperdesk.tools.market.vendors.edgar.text import LIMIT, capped, headline_of, items_of, readable
from paperdesk.tools.market.vendors.errors import VendorSchemaError

ALWAYS = (date(2000, 1, 1), date(2030, 1, 1))


def fact(value: float, end: str, accession: str, filed: str, start: str | None = None, **more: Any) -> dict[str, Any]:
    period = {"start": start} if start else {}
    return {**period, "end": end, "val": value, "accn": accession, "filed": filed, "form": "10-Q", **more}


def answer(**tags: list[dict[str, Any]]) -> dict[str, Any]:
    return {"cik": 1, "entityName": "ACME", "facts": {"us-gaap": {t: {"units": {"USD": v}} for t, v in tags.items()}}}


def values(rows: list[dict[str, Any]], *keys: str) -> list[tuple[Any, ...]]:
    return [tuple(row[key] for key in keys) for row in rows]


def test_the_period_is_the_facts_own_and_not_the_filings() -> None:
    # both columns of one 10-Q carry the filing's fy and fp
    content = answer(
        Revenues=[
            fact(90.0, "2023-03-31", "0001-24-1", "2024-05-02", "2023-01-01", fy=2024, fp="Q1"),
            fact(120.0, "2024-03-31", "0001-24-1", "2024-05-02", "2024-01-01", fy=2024, fp="Q1"),
        ]
    )
    rows = fact_rows(content, "ACME", *ALWAYS)
    assert values(rows, "concept", "period_start", "period_end", "value", "accession", "accepted_at") == [
        ("Revenue", "2023-01-01", "2023-03-31", 90.0, "0001-24-1", None),
        ("Revenue", "2024-01-01", "2024-03-31", 120.0, "0001-24-1", None),
    ]


def test_within_a_filing_the_preferred_tag_counts_and_nothing_is_added_up() -> None:
    content = answer(
        RevenueFromContractWithCustomerExcludingAssessedTax=[
            fact(80.0, "2024-03-31", "0001-24-1", "2024-05-02", "2024-01-01"),
            fact(70.0, "2023-12-31", "0001-24-0", "2024-02-02", "2023-10-01"),
        ],
        Revenues=[fact(120.0, "2024-03-31", "0001-24-1", "2024-05-02", "2024-01-01")],
    )
    assert values(fact_rows(content, "ACME", *ALWAYS), "value", "filed") == [
        (70.0, "2024-02-02"),
        (120.0, "2024-05-02"),
    ]


def test_an_amendment_is_a_later_row_of_the_same_period() -> None:
    content = answer(
        NetIncomeLoss=[
            fact(10.0, "2024-03-31", "0001-24-1", "2024-05-02", "2024-01-01"),
            fact(8.0, "2024-03-31", "0001-24-9", "2024-08-20", "2024-01-01", form="10-Q/A"),
        ]
    )
    rows = fact_rows(content, "ACME", *ALWAYS)
    assert values(rows, "value", "filed", "form") == [(10.0, "2024-05-02", "10-Q"), (8.0, "2024-08-20", "10-Q/A")]
    assert len(fact_rows(content, "ACME", date(2000, 1, 1), date(2024, 8, 19))) == 1


def test_what_a_filing_contradicts_is_left_out_and_a_rounding_is_not() -> None:
    period = ("2024-03-31", "0001-24-1", "2024-05-02", "2024-01-01")
    contradictory = answer(NetIncomeLoss=[fact(10.0, *period), fact(12.0, *period)])
    assert fact_rows(contradictory, "ACME", *ALWAYS) == []
    rounded = answer(NetIncomeLoss=[fact(1_234_000_000.0, *period), fact(1_234_123_000.0, *period)])
    assert values(fact_rows(rounded, "ACME", *ALWAYS), "value") == [(1_234_123_000.0,)]


def test_a_balance_sheet_figure_has_no_start_and_an_impossible_one_is_no_row() -> None:
    content = answer(
        Assets=[fact(500.0, "2024-03-31", "0001-24-1", "2024-05-02"), fact(1.0, "2024-06-30", "x", "2024-05-02")]
    )
    assert values(fact_rows(content, "ACME", *ALWAYS), "period_start", "period_end") == [(None, "2024-03-31")]


def test_other_currencies_are_left_out() -> None:
    content = {"facts": {"us-gaap": {"Assets": {"units": {"EUR": [fact(5.0, "2024-03-31", "a", "2024-05-02")]}}}}}
    assert fact_rows(content, "ACME", *ALWAYS) == []


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"facts": []},
        {"facts": {"us-gaap": {"Assets": {"units": {"USD": [{"end": "2024-03-31"}]}}}}},
        {"facts": {"us-gaap": {"Assets": {"units": {"USD": [fact(1.0, "31/03/2024", "a", "2024-05-02")]}}}}},
        {"facts": {"us-gaap": {"Assets": {"units": {"USD": {"a": 1}}}}}},
    ],
    ids=["empty", "list", "no value", "other dates", "other shape"],
)
def test_a_changed_answer_is_refused(content: dict[str, Any]) -> None:
    with pytest.raises(VendorSchemaError, match=r"companyfacts of ACME are not in the expected form \(.*\); update"):
        fact_rows(content, "ACME", *ALWAYS)


def submission(stamp: str, body: str = "<p>Item 2.02 Results</p>") -> str:
    return (
        f"<SEC-DOCUMENT>\n<SEC-HEADER>\n<ACCEPTANCE-DATETIME>{stamp}\nCONFORMED SUBMISSION TYPE:\t8-K\n"
        "ITEM INFORMATION:\t\tResults of Operations and Financial Condition\n"
        "ITEM INFORMATION:\t\tFinancial Statements and Exhibits\n</SEC-HEADER>\n"
        f"<DOCUMENT>\n<TYPE>8-K\n<SEQUENCE>1\n<TEXT>\n{body}\n</TEXT>\n</DOCUMENT>\n</SEC-DOCUMENT>\n"
    )


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("20240308160500", datetime(2024, 3, 8, 21, 5, tzinfo=UTC)),  # Friday, standard time
        ("20240311160500", datetime(2024, 3, 11, 20, 5, tzinfo=UTC)),  # Monday, daylight time
        ("20241101155500", datetime(2024, 11, 1, 19, 55, tzinfo=UTC)),
        ("20241104155500", datetime(2024, 11, 4, 20, 55, tzinfo=UTC)),
        ("20241103013000", datetime(2024, 11, 3, 6, 30, tzinfo=UTC)),  # an hour that comes twice: the later one
    ],
)
def test_the_time_of_acceptance_is_new_yorks_clock(stamp: str, expected: datetime) -> None:
    found = parse_submission(submission(stamp), "0001-24-1")
    assert found.accepted_at == expected
    assert found.items == ("Results of Operations and Financial Condition", "Financial Statements and Exhibits")


@pytest.mark.parametrize("text", ["", "<html>busy</html>", submission("20241301250000"), submission("2024")])
def test_a_filing_without_a_time_or_documents_is_refused(text: str) -> None:
    with pytest.raises(VendorSchemaError, match="0001-24-1"):
        parse_submission(text, "0001-24-1")


def test_html_becomes_lines_and_tables_become_rows() -> None:
    markup = """<?xml version="1.0"?><html><head><title>x</title><style>p{}</style></head><body>
      <p>Revenue <b>rose</b>
         by&nbsp;12 per cent.</p><!-- note --><script>alert(1)</script>
      <table><tr><td>Revenue</td><td>$</td><td>1,204</td><td></td><td>$</td><td>(1,075</td><td>)</td></tr>
      <tr><td>Margin</td><td>12</td><td>%</td></tr></table>
      <div>One<br/>Two</div></body></html>"""
    assert readable(markup).splitlines() == [
        "Revenue rose by 12 per cent.",
        "Revenue | $1,204 | $(1,075)",
        "Margin | 12%",
        "One",
        "Two",
    ]


def test_plain_text_keeps_its_lines() -> None:
    assert readable("ACME  reports\n\n\t profit < loss ") == "ACME reports\nprofit < loss"


def test_the_cover_and_the_signature_are_no_part_of_the_items() -> None:
    text = "FORM 8-K\n(212) 555-0100\nItem 2.02 Results of Operations.\nToday ACME reported.\nSIGNATURE\nJ. Doe"
    assert items_of(text) == "Item 2.02 Results of Operations.\nToday ACME reported."
    assert items_of("No items here") == "No items here"


def test_the_headline_is_the_first_line_that_reads_like_one() -> None:
    release = (
        "Exhibit 99.1\nFOR IMMEDIATE RELEASE\nContact: Jane Doe, +1 212 555 0100\nACME Corp.\n"
        "ACME Reports Results for the First Quarter\nBoston, May 2"
    )
    assert headline_of(release) == "ACME Reports Results for the First Quarter"
    assert headline_of("Exhibit 99.1\nACME") is None


def test_a_long_text_is_cut_and_says_so() -> None:
    assert capped("a" * LIMIT) == "a" * LIMIT
    assert capped("a" * (LIMIT + 1234)).endswith("a\n[cut: 1,234 more characters]")
