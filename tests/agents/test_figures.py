"""The auditor's eye for numbers, times, directions and names."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.agents.auditor.binding import Frame, misreadings
from paperdesk.agents.auditor.figures import figures_in
from paperdesk.agents.auditor.periods import blanked, periods_in
from paperdesk.agents.auditor.register import Register, Split
from paperdesk.tools.evidence import Evidence
from paperdesk.tools.market.names import Directory
from paperdesk.tools.market.records import Company
from paperdesk.tools.measures import MEASURES

NOW = datetime(2024, 5, 28, 20, tzinfo=UTC)
COMPANIES = {
    "AURX": Company("AURX", "Aurex Industries Inc"),
    "JPM": Company("JPM", "JPMORGAN CHASE & CO", aliases=("Chase Bank",)),
    "T": Company("T", "Telo Corp"),
}
REGISTER = Register(Directory(COMPANIES), {"AURX": (Split(date(2024, 5, 1), 4.0),)})


def evidence(measure: str, value: float | None, period: str = "now", text: str | None = None) -> Evidence:
    return Evidence.of(
        id=f"AURX/{measure}",
        kind="passage" if text else "indicator",
        measure=measure,
        ticker="AURX",
        as_of=NOW,
        available_at=NOW,
        period=period,
        value=value,
        text=text,
        unit=MEASURES[measure].unit,
        source="prices",
    )


def wrong(text: str, *cited: Evidence) -> list[str]:
    return [found.rule for found in misreadings(text, cited, Frame("AURX", NOW, 21, REGISTER))]


GROWTH = evidence("revenue_growth_yoy", 0.124, "quarter to 2024-03-31")
RELEASE = evidence(
    "passage",
    None,
    text="Revenue for the third quarter rose 7.5% from a year ago to $4,120.5 million, while the net loss was $(0.12)"
    " per share.",
)


def test_reads_signs_units_and_thousands() -> None:
    found = figures_in(
        "rose 12.4% to $1,250.5 million, RSI \u22123, 7 percent, 30 bps, 3.2x, $2.5bn, the 10-K and an H100"
    )
    assert [f.value for f in found] == pytest.approx([0.124, 1_250.5e6, 3, 0.07, 0.003, 3.2, 2.5e9])
    assert [f.unit for f in found] == ["percent", "money", "plain", "percent", "points", "multiple", "money"]
    assert [f.sign for f in found] == [0, 0, -1, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("2024-03-31", "day"),
        ("March 31, 2024", "day"),
        ("31 March 2024", "day"),
        ("March 2024", "month"),
        ("Q1 2024", "quarter"),
        ("1Q24", "quarter"),
        ("third quarter of fiscal 2024", "quarter"),
        ("FY24", "year"),
        ("12 months", "span"),
        ("year over year", "base"),
        ("from the previous quarter", "base"),
    ],
)
def test_reads_times_and_takes_none_of_them_for_a_number(text: str, kind: str) -> None:
    found = periods_in(f"Sales ({text}) were fine")
    assert [time.kind for time in found] == [kind]
    assert figures_in(blanked(text, periods_in(text))) == ()


@pytest.mark.parametrize(
    "text",
    [
        "revenue growth +12.4%",
        "grew 12.4 %",
        "up 12%",
        "+12.40%",
        "revenue rose 12.4 percent in the quarter to 2024-03-31 from a year ago",
        "up 12% in Q1 2024, year over year",
        "an increase of 12.4% in the quarter ended March 31, 2024",
    ],
)
def test_accepts_the_figure_as_evidence_shows_it(text: str) -> None:
    assert wrong(text, GROWTH) == []


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("grew 12.5%", "figures_match"),
        ("grew 14.2%", "figures_match"),
        ("grew 124%", "figures_match"),
        ("growth of -12.4%", "signs_match"),
        ("fell 12.4%", "direction_words"),
        ("grew 12.4", "units_match"),
        ("grew 12.4 million", "units_match"),
        ("grew 12.4 basis points", "units_match"),
        ("grew 3.1%", "split_adjusted"),
        ("grew 12.4% sequentially", "periods_match"),
        ("grew 12.4% over 12 months", "periods_match"),
        ("grew 12.4% in Q2 2024", "periods_match"),
        ("grew 12.4% in the quarter to 2023-03-31", "periods_match"),
        ("revenue is falling", "direction_words"),
        ("a weak figure", "direction_words"),
        ("JPMorgan Chase grew 12.4%", "right_company"),
        ("JPM grew 12.4%", "right_company"),
        ("Chase Bank grew 12.4%", "right_company"),
        ("Nuvo Systems Inc. grew 12.4%", "right_company"),
    ],
)
def test_refuses_what_evidence_does_not_show(text: str, rule: str) -> None:
    assert wrong(text, GROWTH) == [rule]


def test_a_level_does_not_show_a_change() -> None:
    debt = evidence("liabilities_to_assets", 0.31, "at 2024-03-31")
    assert wrong("debt is 31.0%", debt) == []
    assert wrong("debt rose to 31.0%", debt) == ["direction_words"]


def test_a_loss_cannot_be_told_without_its_sign() -> None:
    falling = evidence("momentum_3m", -0.124)
    assert wrong("3-month return of 12.4%", falling) == ["signs_match"]
    assert wrong("fell 12.4% over 3 months", falling) == []
    assert wrong("3-month return of -12.4%", falling) == []


def test_numbers_in_the_name_of_the_measure_are_allowed() -> None:
    assert wrong("3-month return: +7.1%", evidence("momentum_3m", 0.071)) == []
    assert wrong("6-month return: +7.1%", evidence("momentum_3m", 0.071)) == ["periods_match"]
    assert wrong("RSI 74, above 70", evidence("rsi_14", 74.2)) == []
    assert wrong("RSI 74, above 60", evidence("rsi_14", 74.2)) == ["figures_match"]


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("revenue rose 7.5% to $4,120.5 million", []),
        ("revenue of $4.1 billion, up 8% from a year ago", []),
        ("a net loss of $0.12 per share", []),
        ("revenue of $4,210.5 million", ["figures_match"]),
        ("revenue of $4,120.52 million", ["figures_match"]),
        ("revenue of $4,120.5 billion", ["units_match"]),
        ("revenue fell 7.5%", ["direction_words"]),
        ("revenue changed by -7.5%", ["signs_match"]),
        ("up 7.5% in the second quarter", ["periods_match"]),
    ],
)
def test_a_passage_supports_what_it_says_and_nothing_else(text: str, rules: list[str]) -> None:
    assert wrong(text, RELEASE) == rules


def test_a_one_letter_ticker_and_small_letters_are_no_names() -> None:
    assert Directory(COMPANIES).named_in("T he chase for telo, ALL of it, EPS and CEO") == ()
    assert [name.ticker for name in Directory(COMPANIES).named_in("Telo and Aurex")] == ["T", "AURX"]


SIGNED = sorted(name for name, m in MEASURES.items() if m.directional)


@given(st.sampled_from(SIGNED), st.floats(-5, 5, allow_nan=False))
def test_what_a_measure_prints_is_always_accepted(measure: str, value: float) -> None:
    shown = f"{MEASURES[measure].label}: {MEASURES[measure].show(value)}"
    assert wrong(shown, evidence(measure, value)) == []


@given(st.sampled_from(SIGNED), st.floats(-2, 2), st.floats(0.15, 3))
def test_a_figure_that_is_off_is_always_refused(measure: str, value: float, factor: float) -> None:
    off = value + factor * (1 if MEASURES[measure].unit == "fraction" else 100)
    assert wrong(MEASURES[measure].show(off), evidence(measure, value)) != []
