"""The auditor's eye for numbers."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.agents.auditor.figures import figures_in, unsupported_figures
from paperdesk.tools.evidence import Evidence
from paperdesk.tools.measures import MEASURES

NOW = datetime(2024, 3, 28, 20, tzinfo=UTC)


def figure(measure: str, value: float) -> Evidence:
    return Evidence.of(
        id=f"AURX/{measure}",
        kind="indicator",
        measure=measure,
        ticker="AURX",
        as_of=NOW,
        available_at=NOW,
        period="now",
        value=value,
        unit=MEASURES[measure].unit,
        source="prices",
    )


def passage(text: str) -> Evidence:
    return Evidence.of(
        id="AURX/passage",
        kind="passage",
        measure="passage",
        ticker="AURX",
        as_of=NOW,
        available_at=NOW,
        period="now",
        text=text,
        source="doc",
    )


def test_reads_signs_units_and_thousands() -> None:
    found = figures_in("E3 rose 12.4% to $1,250.5 million, RSI \u22123 and 7 percent")
    assert [f.value for f in found] == pytest.approx([0.124, 1_250.5e6, -3, 0.07])
    assert [f.percent for f in found] == [True, False, False, True]


def test_the_alias_is_no_figure() -> None:
    assert figures_in("E12 and E3") == ()


@pytest.mark.parametrize("text", ["revenue grew +12.4%", "up 12.4 %", "up 12%", "+12.40%"])
def test_accepts_the_figure_as_evidence_shows_it(text: str) -> None:
    assert unsupported_figures(text, [figure("revenue_growth_yoy", 0.124)]) == ()


@pytest.mark.parametrize(
    "text",
    ["grew 12.5%", "grew 14.2%", "fell -12.4%", "grew 12.4", "grew 0.124", "grew 124%", "grew 12.4 million"],
)
def test_refuses_wrong_value_sign_unit_and_scale(text: str) -> None:
    assert len(unsupported_figures(text, [figure("revenue_growth_yoy", 0.124)])) == 1


def test_a_loss_cannot_be_told_without_its_sign() -> None:
    assert unsupported_figures("3-month return of 12.4%", [figure("momentum_3m", -0.124)]) != ()


def test_numbers_in_the_name_of_the_measure_are_allowed() -> None:
    assert unsupported_figures("3-month return: +7.1%", [figure("momentum_3m", 0.071)]) == ()
    assert len(unsupported_figures("6-month return: +7.1%", [figure("momentum_3m", 0.071)])) == 1


def test_a_passage_supports_the_figures_it_contains_and_no_others() -> None:
    quoted = passage("Revenue was $4,120 million, up 7.5% from a year ago.")
    assert unsupported_figures("revenue of $4,120 million, up 7.5%", [quoted]) == ()
    assert len(unsupported_figures("revenue of $4,210 million", [quoted])) == 1


DIRECTIONAL = sorted(name for name, m in MEASURES.items() if m.directional)


@given(st.sampled_from(DIRECTIONAL), st.floats(-5, 5, allow_nan=False))
def test_what_a_measure_prints_is_always_accepted(measure: str, value: float) -> None:
    shown = f"{MEASURES[measure].label}: {MEASURES[measure].show(value)}"
    assert unsupported_figures(shown, [figure(measure, value)]) == ()


@given(st.sampled_from(DIRECTIONAL), st.floats(-2, 2), st.floats(0.15, 3))
def test_a_figure_that_is_off_is_always_refused(measure: str, value: float, factor: float) -> None:
    wrong = value + factor * (1 if MEASURES[measure].unit == "fraction" else 100)
    text = MEASURES[measure].show(wrong)
    assert len(unsupported_figures(text, [figure(measure, value)])) == 1
