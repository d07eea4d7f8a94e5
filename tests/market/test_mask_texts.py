"""What is a year, an amount, a name in a text, and what only looks like one."""

from dataclasses import replace
from decimal import Decimal
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.tools.market.generated import generate
from paperdesk.tools.market.mask import Identity, identity_of
from paperdesk.tools.market.mask.amounts import amount_edits, scaled
from paperdesk.tools.market.mask.edits import Edit, apply
from paperdesk.tools.market.mask.names import Names, Reading
from paperdesk.tools.market.mask.words import is_ordinary
from paperdesk.tools.market.mask.years import year_edits, years
from paperdesk.tools.market.records import Company, Dataset
from paperdesk.tools.sentiment.lexicon import NEGATIONS, NEGATIVE, POSITIVE


def later(text: str) -> str:
    return apply(text, year_edits(text, 28))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("On March 31, 2024 it rose", "On March 31, 2052 it rose"),
        ("quarter ended April 28, 2024, compared", "quarter ended April 28, 2052, compared"),
        ("Mar. 2024", "Mar. 2052"),
        ("Nov. 21, 2023―NVIDIA", "Nov. 21, 2051―NVIDIA"),
        ("2024-03-31T20:00:00+00:00", "2052-03-31T20:00:00+00:00"),
        ("3/31/2024 and 12/31/23", "3/31/2052 and 12/31/51"),
        ("31.12.2024", "31.12.2052"),
        ("fiscal 2024, Fiscal Year 2024, fiscal 24", "fiscal 2052, Fiscal Year 2052, fiscal 52"),
        ("FY24 FY2024 FY 2024 CY24", "FY52 FY2052 FY 2052 CY52"),
        ("Q1 2024, Q1'24, 1Q24, 4 Q23, 2H24", "Q1 2052, Q1'52, 1Q52, 4 Q51, 2H52"),
        ("3Q24YTD 2025E 3Q241", "3Q52YTD 2053E 3Q521"),
        ("2023-24, 2023/24, 2023-2024, 2024\u20132026", "2051-52, 2051/52, 2051-2052, 2052\u20132054"),
        ("nvda-20231121.htm", "nvda-20511121.htm"),
        ("| 2024 | 2023 |", "| 2052 | 2051 |"),
        ("(2024) and 2020s", "(2052) and 2048s"),
        ("Mar-24 and Sept '24", "Mar-52 and Sept '52"),
        ("March 31, 2024 and pages 102-109", "March 31, 2052 and pages 102-109"),
        ("\u00a9 2024 Apple. In 2024, we", "\u00a9 2052 Apple. In 2052, we"),
        ("Mar 31, 2025Dec 31, 2024", "Mar 31, 2053Dec 31, 2052"),
    ],
)
def test_years_move_in_every_spelling(text: str, expected: str) -> None:
    assert later(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2,024 units", "$2024", "$ 2,024", "$ | 2024", "2024 units", "2024 more stores", "2024 million", "1.2024",
        "2024.5", "2024%", "(408) 486-2000", "952-936-2024", "Exchange Act of 1934", "Reform Act of 1995",
        "Rule 2024", "95054-2001", "H200 and H100", "rates of 24%", "24 people", "Item 2024", "RTX2080",
        "12,2024", "0000950170-25-010484",
    ],
)  # fmt: skip
def test_numbers_that_are_no_years_stay(text: str) -> None:
    assert later(text) == text


@given(st.integers(2000, 2070), st.sampled_from(["In {}", "March 1, {}", "fiscal {}", "| {} |", "{}-03-31", "Q2 {}"]))
def test_a_moved_year_is_found_again_and_moves_back(year: int, form: str) -> None:
    text = form.format(year)
    assert [found.year for found in years(text)] == [year]
    assert [found.year for found in years(later(text))] == [year + 28]
    assert apply(later(text), year_edits(later(text), -28)) == text


def scale(text: str, factor: float) -> str:
    return apply(text, [*year_edits(text, 28), *amount_edits(text, factor)])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Revenue of $18.12 billion, up 206%", "Revenue of $9.060 billion, up 206%"),
        ("$3.71 per share on 2,024 units", "$1.86 per share on 2,024 units"),
        ("$110 million to $120 million", "$55.0 million to $60.0 million"),
        ("$1.5-2.0 billion", "$0.75-1.0 billion"),
        ("24 cents per share", "12 cents per share"),
        ("15% of 500 employees in 1.5x", "15% of 500 employees in 1.5x"),
        ("$(1,013)", "$(506)"),
    ],
)
def test_amounts_are_scaled_and_nothing_else(text: str, expected: str) -> None:
    assert scale(text, 0.5) == expected


def test_tables_of_money_are_scaled_row_by_row() -> None:
    table = (
        "(in millions, except per share)\n"
        "Quarter | 2022 | 2023\n"
        "Revenues | $76,048 | 86,310\n"
        "Growth | 1% | 13\n"
        "Net loss | (1,238) | 864\n"
        "Shares used in computing earnings per share:|\n"
        "Basic | 15,509,763 | 15,900\n"
        "Earnings per share:|\n"
        "Diluted | 1.06 | 1.64\n"
        "Number of employees | 190,234 | 182,502\n"
        "\n"
        "Exhibit list\nof this\nform\nfollows\n"
        "99.1 | Press release\n"
        "104 | 2023\n"
    )
    expected = (
        table.replace("2022 | 2023", "2050 | 2051").replace("$76,048 | 86,310", "$38,024 | 43,155")
        .replace("(1,238) | 864", "(619) | 432").replace("1.06 | 1.64", "0.530 | 0.820")
        .replace("104 | 2023", "104 | 2051")
    )  # fmt: skip
    assert scale(table, 0.5) == expected


@given(st.decimals("0.01", "99999", places=2), st.floats(0.2, 5))
def test_a_scaled_number_is_right_to_half_its_last_digit(number: Decimal, factor: float) -> None:
    printed = scaled(f"{number:,}", factor)
    exact = float(number) * factor
    decimals = len(printed.partition(".")[2])
    assert abs(float(printed.replace(",", "")) - exact) <= 0.5000001 * 10**-decimals


@given(st.text("ab ", max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(1, 5)), max_size=8))
def test_edits_never_overlap_and_leave_the_rest(text: str, places: list[tuple[int, int]]) -> None:
    edits = [Edit(start, start + size, "X" * size) for start, size in places if start + size <= len(text)]
    after = apply(text, edits)
    assert len(after) == len(text)
    assert all(a == b or b == "X" for a, b in zip(text, after, strict=True))


def market(*companies: Company) -> Dataset:
    plain = generate(7)
    tickers = tuple(company.ticker for company in companies)
    bars = replace(plain.bars.select(plain.bars.tickers[: len(tickers)], *plain.bars.sessions[:2]), tickers=tickers)
    return replace(plain, bars=bars, companies={c.ticker: c for c in companies}, documents=(), benchmark=None)


@pytest.fixture(scope="module")
def dangerous() -> Identity:
    """Tickers and names that are ordinary words."""
    return identity_of(
        market(
            Company("A", "Agilent Technologies"), Company("ALL", "Allstate Corp"), Company("T", "AT&T Inc."),
            Company("IT", "Gartner Inc"), Company("BBY", "Best Buy Co"), Company("AAPL", "Apple Inc."),
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "At ALL of IT, at T plus 2.", "It is the best buy of all.", "An apple a day", "BUY ALL", "A) B)",
        "Plan A and Vitamin A", "IT spending", "the target weight",
    ],
)  # fmt: skip
def test_ordinary_words_raise_no_alarm(dangerous: Identity, text: str) -> None:
    assert dangerous.found_in(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("AT&T (NYSE: T) fell", ["AT&T", "T"]), ("Allstate (NYSE: ALL)", ["Allstate", "ALL"]),
        ("Best Buy rose", ["Best Buy"]),
        ("BEST BUY CO., INC.", ["BEST BUY"]), ("Apple\u2019s iPhones", ["Apple", "iPhones"]), ("APPLE INC", ["APPLE"]),
        ("agilent.com", ["agilent"]), ("AAPL", ["AAPL"]), ("Tim Cook said", ["Tim Cook"]), ("$T", ["T"]),
        ("NASDAQ: AAPL", ["AAPL"]), ("Gartner's", ["Gartner"]),
    ],
)  # fmt: skip
def test_names_are_found_in_every_form(dangerous: Identity, text: str, found: list[str]) -> None:
    assert dangerous.found_in(text) == found


def test_tickers_with_a_dot_are_found_and_numbers_need_a_word_for_ticker() -> None:
    identity = identity_of(market(Company("BRK.B", "Berkshire Hathaway Inc"), Company("7203", "Toyota Motor")))
    assert identity.found_in("BRK.B rose, 7203 units were sold, (ticker: 7203)") == ["BRK.B", "7203"]
    assert identity.found_in("7203 units were sold") == []


@pytest.fixture(scope="module")
def names() -> Names:
    identity = identity_of(market(Company("NVDA", "NVIDIA CORP"), Company("JPM", "JPMORGAN CHASE & CO")))
    return Names(identity, {"NVDA": "QXKV", "JPM": "BDRT"}, 0)


def masked(names: Names, text: str) -> str:
    return apply(text, names.edits(text, Reading(text)))


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("NVIDIA (NASDAQ: NVDA) and nvidia.com", ["nvidia", "nvda"]),
        ("said Jensen Huang, founder and CEO of NVIDIA", ["jensen", "huang"]),
        ("We thank Amy E. Hood. Later Hood spoke.", ["amy", "hood"]),
        ("Mr. Cook and Ms. Friar agreed", ["cook", "friar"]),
        ("Zorvath Cook, our Chief Executive Officer", ["zorvath", "cook"]),
        (
            "at investor.nvidia.com or ir@nvidia.com, https://www.jpmorganchase.com/ir/2024/q1",
            ["nvidia", "jpmorgan", "q1"],
        ),
        ("GeForce RTX 4090, H100 and DGX", ["geforce", "rtx", "h100", "dgx"]),
        ("JPMORGAN CHASE & CO, JPMorganChase, J.P. Morgan, Chase's", ["jpmorgan", "chase", "morgan"]),
        ("SANTA CLARA, Calif.", ["santa", "clara", "calif"]),
        ("accession 0001045810-23-000225", ["0001045810", "000225"]),
    ],
)
def test_names_go(names: Names, text: str, gone: list[str]) -> None:
    after = masked(names, text).lower()
    assert not [word for word in gone if word in after]


@pytest.mark.parametrize(
    "text",
    [
        "Record Data Center revenue rose; GAAP EPS of the Company under the Securities Exchange Act of 1934.",
        "Q1 FY24 and 4Q23, 10-Q, 8-K, CET1, revenue1", "On Tuesday, May 14, 2024, in China and the U.S.",
        "Net Income | Operating Expenses | Gross Margin", "CEO, CFO and the Board of Directors",
        "FORWARD-LOOKING STATEMENTS", "We chase growth; Deleveraging and repurchasing continued.",
    ],
)  # fmt: skip
def test_the_language_of_filings_stays(names: Names, text: str) -> None:
    assert masked(names, text) == text


def test_a_word_has_one_pseudonym_in_each_case(names: Names) -> None:
    upper, title, lower = (names.pseudonym(word) for word in ("NVIDIA", "Nvidia", "nvidia"))
    assert upper == title.upper() == lower.upper()
    assert masked(names, "NVIDIA\u2019s Nvidia") == f"{upper}\u2019s {title}"


def test_a_word_that_the_document_writes_small_is_no_name(names: Names) -> None:
    assert "Zymurgy" in masked(names, "Zymurgy grew. We like zymurgy.")
    assert "Zymurgy" not in masked(names, "We like Zymurgy.")


def test_the_words_of_the_tone_lexicon_are_ordinary() -> None:
    words = {
        part for word in POSITIVE | NEGATIVE | NEGATIONS for part in word.replace("'", "-").split("-") if len(part) > 1
    }
    assert [word for word in sorted(words) if not is_ordinary(word)] == []


@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_any_text_can_be_masked(names: Names, text: str) -> None:
    edits = [*year_edits(text, 28), *amount_edits(text, 0.7), *names.edits(text, Reading(text))]
    assert apply(text, edits).count("\n") == text.count("\n")


def test_masking_a_text_takes_time_in_proportion(names: Names) -> None:
    def spent(text: str) -> float:
        began = process_time()
        list(names.edits(text, Reading(text)))
        list(year_edits(text, 28))
        list(amount_edits(text, 0.7))
        return process_time() - began

    for hostile in (
        "a" * 40_000,
        "$" * 40_000,
        "1" * 40_000,
        "1," * 20_000,
        "A." * 20_000,
        "(" * 40_000,
        "| " * 20_000,
    ):
        assert spent(hostile) < 2
