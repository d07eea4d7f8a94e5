"""What stays with an adapter is a sample of all that was put in, whatever the order and however often."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.agents.signals import STANCES
from paperdesk.simulations.training.exercises import Exercise, Sheet
from paperdesk.simulations.training.kept import KEPT_FILE, Damaged, Kept, read_kept, sampled, write_kept

DAY = date(2030, 1, 1)
SHEETS = (Sheet("a", "s", "p", STANCES, "\n", "N/A"), Sheet("b", "s", "p", ("no", "yes")))


def exercise(number: int, sheet: int = 0) -> Exercise:
    options = len(SHEETS[sheet].options)
    target = tuple(float(i == number % options) for i in range(options))
    return Exercise(SHEETS[sheet], f"t{number}", target, DAY + timedelta(number), DAY + timedelta(number + 9), "g", 0.5)


@given(st.lists(st.integers(0, 60)), st.lists(st.integers(0, 60)), st.integers(0, 30))
def test_the_sample_of_a_whole_follows_from_those_of_its_parts(one: list[int], two: list[int], most: int) -> None:
    first, second = [exercise(n) for n in one], [exercise(n) for n in two]
    whole = sampled([*first, *second], most)
    assert whole == sampled([*sampled(second, most), *sampled(first, most)], most)
    assert len(whole) == min(most, len({*one, *two}))


def test_old_and_new_are_kept_alike() -> None:
    kept: list[Exercise] = []
    for period in range(10):
        kept = sampled([*kept, *(exercise(period * 500 + n) for n in range(500))], 400)
    counts = [sum(e.text in {f"t{period * 500 + n}" for n in range(500)} for e in kept) for period in range(10)]
    # 400 draws over ten periods: 40 each, standard deviation 6
    assert min(counts) > 40 - 4 * 6
    assert max(counts) < 40 + 4 * 6


def test_what_was_written_is_read_and_what_was_changed_is_refused(tmp_path: Path) -> None:
    kept = Kept([exercise(1), exercise(2, 1)], [exercise(3)])
    digest = write_kept(tmp_path, kept)
    assert read_kept(tmp_path, digest) == kept
    assert write_kept(tmp_path, kept) == digest, "equal exercises make equal files"
    write_kept(tmp_path, Kept([exercise(1)], []))
    with pytest.raises(Damaged, match="is not the file that was written"):
        read_kept(tmp_path, digest)
    (tmp_path / KEPT_FILE).unlink()
    with pytest.raises(Damaged, match="is missing"):
        read_kept(tmp_path, digest)
