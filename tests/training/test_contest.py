"""A challenger that is no better is not found to be better, and the days are what counts, not the questions."""

from datetime import date, timedelta

import numpy as np
import pytest

from paperdesk.agents.signals import STANCES
from paperdesk.simulations.training.contest import gain_of, refuse_few_days
from paperdesk.simulations.training.exercises import Exercise, Sheet, TooLittleData

SHEET = Sheet("a", "s", "p", STANCES)


def exam(days: int, per_day: int, span: int = 1) -> list[Exercise]:
    begin = date(2030, 1, 1)
    return [
        Exercise(SHEET, f"{day}-{i}", (1.0, 0, 0, 0, 0), begin + timedelta(day), begin + timedelta(day + span), "g")
        for day in range(days)
        for i in range(per_day)
    ]


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    asked, rng = exam(60, 3), np.random.default_rng(0)
    found = [gain_of(asked, np.repeat(rng.normal(size=60), 3) + rng.normal(size=180)) for _ in range(150)]
    missed = sum(gain is not None and (gain.better or gain.worse) for gain in found)
    # 150 tries at 95 %, with a bootstrap of 60 days: 7.5 expected, somewhat more in small samples
    assert 2 <= missed <= 20


def test_a_real_gain_is_found() -> None:
    gain = gain_of(exam(60, 3), np.random.default_rng(1).normal(0.5, 1, 180))
    assert gain is not None
    assert gain.better
    assert not gain.worse
    assert gain.low < gain.gain < gain.high


def test_questions_of_one_day_are_one_piece_of_news() -> None:
    rng = np.random.default_rng(2)
    each = rng.normal(size=40)
    one, many = gain_of(exam(40, 1), each), gain_of(exam(40, 25), np.repeat(each, 25))
    assert one is not None
    assert many is not None
    assert (many.low, many.high) == pytest.approx((one.low, one.high))


def test_blocks_are_as_long_as_outcomes() -> None:
    differences = np.random.default_rng(3).normal(size=90)
    short, long = gain_of(exam(90, 1), differences), gain_of(exam(90, 1, span=15), differences)
    assert short is not None
    assert long is not None
    assert short.block < long.block == 15


def test_what_was_not_answered_is_in_no_figure_and_few_days_decide_nothing() -> None:
    differences = np.full(60, np.nan)
    differences[:30] = 1.0
    gain = gain_of(exam(60, 1), differences)
    assert gain is not None
    assert (gain.days, gain.gain, gain.low, gain.high) == (30, 1.0, 1.0, 1.0)
    differences[10:] = np.nan
    assert gain_of(exam(60, 1), differences) is None
    with pytest.raises(TooLittleData, match="questions of 19 days and 20 are needed"):
        refuse_few_days(exam(19, 9))
