"""The book: nothing later than a time has any influence on what it says at that time."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paperdesk.memory.calibration import Calibration
from paperdesk.memory.calibration.book import ALL, record_of
from paperdesk.memory.calibration.columns import Columns, row_of
from paperdesk.memory.calibration.shrinkage import BOUND, PRIOR_IC, agent_skill, regime_skill
from paperdesk.memory.outcome import Outcome, direction_of, directional

from .conftest import outcome

AGENTS = ("a", "b")
FAR = datetime(2099, 1, 1, tzinfo=UTC)

rows = st.lists(
    st.builds(
        outcome,
        st.integers(0, 400),
        agent=st.sampled_from(AGENTS),
        ticker=st.sampled_from(("AURX", "BLTN", "CRDL")),
        regime=st.sampled_from(("calm", "turbulent")),
        surprise=st.integers(-400, 400).map(lambda cents: cents / 100),
        score=st.integers(-100, 100).map(lambda cents: cents / 100),
        weight=st.sampled_from((0.33, 0.5, 1.0)),
        horizon_days=st.sampled_from((21, 63)),
    ),
    max_size=40,
)


def book(found: list[Outcome]) -> Calibration:
    calibration = Calibration()
    calibration.add(*found)
    return calibration


@given(rows, st.integers(0, 430), st.sampled_from(("calm", "turbulent", "unknown", ALL)))
@settings(max_examples=60)
def test_outcomes_of_the_future_move_nothing(found: list[Outcome], days: int, regime: str) -> None:
    as_of = datetime(2031, 1, 31, 21, tzinfo=UTC) + timedelta(days=days)
    whole, cut = book(found), book([row for row in found if row.available_at <= as_of])
    assert whole.records(AGENTS, "mind", regime, as_of) == cut.records(AGENTS, "mind", regime, as_of)


@given(rows, st.randoms(use_true_random=False))
@settings(max_examples=30)
def test_the_order_in_which_outcomes_came_in_changes_nothing(found: list[Outcome], random: Any) -> None:
    # two outcomes of one key are one outcome, and the first counts: leave no such pair
    found = list({row.key(): row for row in found}.values())
    mixed = list(found)
    random.shuffle(mixed)
    assert book(found).records(AGENTS, "mind", "calm", FAR) == book(mixed).records(AGENTS, "mind", "calm", FAR)


@given(rows, st.lists(st.integers(0, 40), max_size=5), st.sampled_from(("calm", "unknown", ALL)))
@settings(max_examples=60)
def test_a_book_that_is_asked_as_it_grows_says_what_one_written_at_once_says(
    found: list[Outcome], cuts: list[int], regime: str
) -> None:
    growing = Calibration()
    places = [0, *sorted(cuts), len(found)]
    for begin, end in pairwise(places):
        growing.add(*found[begin:end])
        growing.records(AGENTS, "mind", regime, FAR)
    assert growing.records(AGENTS, "mind", regime, FAR) == book(found).records(AGENTS, "mind", regime, FAR)
    assert growing.minds() == book(found).minds()


@given(rows)
@settings(max_examples=50)
def test_no_record_leaves_the_bounds(found: list[Outcome]) -> None:
    for record in book(found + found).records(AGENTS, "mind", "calm", FAR):
        assert 0 <= record.weight <= BOUND
        assert 0 < record.deflation <= 1
        if record.ic_low is not None and record.ic is not None and record.ic_high is not None:
            assert record.ic_low <= record.ic <= record.ic_high


def test_an_outcome_told_twice_counts_once(told: Any) -> None:
    assert book([told(0), told(0), told(1)]).records(("a",), "mind", "calm", FAR)[0].outcomes == 2


def test_an_outcome_counts_from_the_second_on_at_which_it_is_known(told: Any) -> None:
    row = told(0)
    before, then = row.available_at - timedelta(seconds=1), row.available_at
    assert book([row]).records(("a",), "mind", "calm", before)[0].outcomes == 0
    assert book([row]).records(("a",), "mind", "calm", then)[0].outcomes == 1


def test_without_a_record_the_prior_holds(told: Any) -> None:
    (record,) = Calibration().records(("anyone",), "mind", "calm", FAR)
    assert (record.weight, record.deflation, record.outcomes, record.ic) == (PRIOR_IC, 1.0, 0, None)
    constant = book([told(i, score=0.5, surprise=float(i)) for i in range(9)])
    assert constant.records(("a",), "mind", "calm", FAR)[0].weight == PRIOR_IC


def test_the_record_of_another_mind_says_nothing(told: Any) -> None:
    found = book([told(i, score=(-1) ** i * 0.5, surprise=(-1) ** i * 1.0) for i in range(50)])
    assert found.records(("a",), "another mind", "calm", FAR)[0].weight == PRIOR_IC
    assert found.records(("a",), "mind", "calm", FAR)[0].weight == BOUND


def test_one_who_is_always_wrong_is_not_heard_and_not_bet_against(told: Any) -> None:
    wrong = book([told(i, score=(-1) ** i * 0.5, surprise=-((-1) ** i) * 1.0) for i in range(50)])
    (record,) = wrong.records(("a",), "mind", "calm", FAR)
    assert record.ic == pytest.approx(-1)
    assert record.weight == 0


def test_a_regime_leans_on_the_agent_and_the_agent_on_the_prior(told: Any) -> None:
    calm = [told(i, score=(-1) ** i * 0.5, surprise=(-1) ** i + i % 3) for i in range(60)]
    wild = [told(i, score=(-1) ** i * 0.5, surprise=i % 3 - 1.0, ticker="B", regime="turbulent") for i in range(20)]
    rows = Columns.of(map(row_of, calm + wild))
    by = {name: record_of("a", "mind", name, rows) for name in ("calm", "turbulent", "unknown", ALL)}
    cells = [(by[name].regime_ic or 0, by[name].regime_independent) for name in ("calm", "turbulent")]
    assert by[ALL].skill == by["unknown"].skill == pytest.approx(agent_skill(cells))
    for (ic, count), name in zip(cells, ("calm", "turbulent"), strict=True):
        assert by[name].skill == pytest.approx(regime_skill(ic, count, by[ALL].skill))
    assert by["calm"].skill > by[ALL].skill > by["turbulent"].skill


def test_directions_are_thirds_and_strong_stances_are_of_their_side() -> None:
    assert [direction_of(x) for x in (-0.44, -0.43, 0.43, 0.44)] == ["sell", "hold", "hold", "buy"]
    five = {"strong_sell": 0.1, "sell": 0.2, "hold": 0.3, "buy": 0.15, "strong_buy": 0.25}
    assert directional(five) == pytest.approx((0.3, 0.3, 0.4))
