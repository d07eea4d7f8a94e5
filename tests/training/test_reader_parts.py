"""What a reader is examined on was never learnt from: parts in time, repeats left out or refused."""

from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from paperdesk.cli import app
from paperdesk.simulations.console import Interrupted
from paperdesk.simulations.training.exercises import Leakage, OneClass, TooLittleData, TrainingError
from paperdesk.simulations.training.reader import screen
from paperdesk.simulations.training.reader.parts import (
    SHARES,
    checked,
    divided,
    parts_of,
    parts_of_file,
    parts_of_markets,
)
from paperdesk.simulations.training.reader.recipe import ReaderRecipe
from paperdesk.tools.errors import DataError, InputError
from paperdesk.tools.market.documents.duplicates import form, near_repeats, similarity
from paperdesk.tools.sentiment.classifier import Label
from paperdesk.tools.sentiment.labelled import Labelled, read_labelled

from .wordings import labelled, write

TEXT = st.text("ab c", min_size=1, max_size=30)


def test_dated_texts_are_cut_by_time(tmp_path: Path) -> None:
    parts = parts_of_file(write(tmp_path / "x.csv", labelled(400, days=100)))
    assert parts.ordered
    assert max(parts.learn.dates) < min(parts.stop.dates) <= max(parts.stop.dates) < min(parts.exam.dates)
    assert (len(parts.learn), len(parts.stop), len(parts.exam)) == (280, 60, 60)


def test_texts_without_dates_are_cut_by_lot_and_by_seed(tmp_path: Path) -> None:
    file = write(tmp_path / "x.csv", labelled(300))
    parts, again, other = parts_of_file(file), parts_of_file(file), parts_of_file(file, seed=1)
    assert not parts.ordered
    assert parts == again
    assert set(parts.exam.texts) != set(other.exam.texts)
    assert not set(parts.learn.texts) & {*parts.stop.texts, *parts.exam.texts}


@given(st.lists(st.integers(0, 40), min_size=3, max_size=60), st.permutations(SHARES))
def test_parts_in_time_never_share_a_day(days: list[int], shares: list[float]) -> None:
    dates = tuple(date.fromordinal(730000 + day) for day in sorted(days))
    texts = tuple(str(i) for i in range(len(days)))
    label: Label = "neutral"
    labels = tuple(label for _ in days)
    rows = Labelled("x", texts, labels, dates=dates)
    if len(set(days)) < 3:
        with pytest.raises(TooLittleData, match="parts in time need more"):
            divided(rows, shares, 0)
        return
    parts = divided(rows, shares, 0)
    assert [text for part in parts for text in part.texts] == list(texts)
    assert all(len(part) for part in parts)
    for one, next_one in pairwise(parts):
        assert max(one.dates) < min(next_one.dates)


def test_a_repeat_is_the_same_story_or_the_same_form() -> None:
    learnt = ["Dorvane Mills posted a wider loss of $3.2 million and cut its forecast for the year, citing weak orders"]
    texts = [
        "Halden posted a wider loss of $17 million and cut its forecast for the year, citing weak orders",
        learnt[0].replace("citing weak orders", "citing weak orders abroad"),
        "Dorvane Mills posted a profit and raised its dividend for the year as orders were strong in every region",
    ]
    assert form(texts[0]) == form(learnt[0])
    assert similarity(texts[1], learnt[0]) >= 0.8
    assert near_repeats(texts, learnt) == {0: 0, 1: 0}


@settings(deadline=None)
@given(
    st.lists(st.text("ab c", min_size=1, max_size=30), max_size=8), st.lists(st.text("ab c", max_size=30), max_size=8)
)
def test_repeats_are_those_that_comparing_every_pair_finds(texts: list[str], of: list[str]) -> None:
    found = near_repeats(texts, of)
    for place, text in enumerate(texts):
        same = [i for i, other in enumerate(of) if form(text) == form(other) or similarity(text, other) >= 0.8]
        assert (place in found) == bool(same)
        assert not same or found[place] in same


def test_repeats_in_later_parts_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = labelled(400, days=100)
    texts = list(rows.texts)
    texts[399] = texts[10] + " Tamber"  # the same but for a name, in a sentence that was learnt from
    rows = replace(rows, texts=tuple(texts), labels=(*rows.labels[:399], rows.labels[10]))
    parts = parts_of_file(write(tmp_path / "x.csv", rows))
    assert parts.repeats == (0, 1)
    assert texts[399] not in parts.exam.texts
    assert len(parts.exam) == 59


def test_files_of_their_own_may_not_repeat_what_is_learnt(tmp_path: Path) -> None:
    rows = labelled(300)
    others = labelled(80, seed=5)
    others = others.rows([i for i, text in enumerate(others.texts) if text not in rows.texts])
    learn, exam = write(tmp_path / "a.csv", rows), write(tmp_path / "b.csv", others)
    parts = parts_of(learn, exam=exam)
    assert set(parts.exam.texts) == set(read_labelled(exam).texts)
    write(exam, rows.rows(range(30)))
    with pytest.raises(Leakage, match=r"30 of the 30 texts of b.csv repeat texts learnt from .* take them out"):
        parts_of(learn, exam=exam)


def test_what_is_learnt_may_not_be_later_than_the_examination(tmp_path: Path) -> None:
    late = labelled(300, days=60)
    early = replace(labelled(90, seed=5, days=30), name="early")
    with pytest.raises(Leakage, match="reaches to 2020-02-29 and early begins on 2020-01-01"):
        checked(late, early, early, ordered=True)


def test_parts_are_ordered_only_where_all_have_dates(tmp_path: Path) -> None:
    rows = labelled(400, days=100)
    learn = write(tmp_path / "a.csv", rows.rows(range(300)))
    exam = rows.rows(range(300, 400))
    assert parts_of(learn, exam=write(tmp_path / "b.csv", exam)).ordered
    undated = replace(exam, dates=())
    assert not parts_of(learn, exam=write(tmp_path / "b.csv", undated)).ordered
    inside = replace(exam, dates=tuple(rows.dates[250 + i // 2] for i in range(100)))  # where it is stopped by
    with pytest.raises(Leakage, match=r"What it is stopped by reaches to 2020-03-15 and b.csv begins on 2020-03-03"):
        parts_of(learn, exam=write(tmp_path / "b.csv", inside))


def test_texts_of_one_template_are_told_to_leak(tmp_path: Path) -> None:
    names = [f"{a}{b}" for a in "BCDFGHKL" for b in ("arn", "elm", "ink", "oss", "unt")]
    said = {
        "negative": "{} posted a wider loss and cut its forecast.",
        "neutral": "{} will hold its annual meeting in the spring.",
        "positive": "{} posted a record profit and raised its forecast.",
    }
    rows = [(text.format(name), label) for name in names for label, text in said.items()]
    file = write(tmp_path / "x.csv", Labelled("x", tuple(t for t, _ in rows), tuple(k for _, k in rows)))  # type: ignore[misc]
    with pytest.raises(Leakage, match=r"18 of 18 texts held back repeat texts learnt from .* worded differently"):
        parts_of_file(file)


def test_too_little_and_one_class_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    write(file, labelled(45))
    with pytest.raises(TooLittleData, match=r"to learn from are 1\d negative, .* 16 of each are needed"):
        parts_of_file(file)
    rows = labelled(400)
    write(file, rows.rows([i for i, label in enumerate(rows.labels) if label == "neutral"]))
    with pytest.raises(OneClass, match="All texts to learn from are neutral"):
        parts_of_file(file)


def test_a_date_that_is_none_is_refused_with_its_row(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("text,label,date\na,neutral,2020-01-02\nb,neutral,soon\n", encoding="utf-8")
    with pytest.raises(DataError, match="row 3 has the date 'soon'; write YYYY-MM-DD"):
        read_labelled(file, dated=True)
    assert read_labelled(file).dates == ()
    file.write_text("text,label,date\na,neutral,2020-01-02 10:00\na,neutral,2019-01-02\n", encoding="utf-8")
    assert read_labelled(file, dated=True).dates == (date(2019, 1, 2),)


def test_releases_of_generated_markets_make_parts_by_time_or_by_market() -> None:
    one = parts_of_markets([3], companies=8, years=8)
    assert one.ordered
    assert max(one.learn.dates) < min(one.exam.dates)
    with pytest.raises(TooLittleData, match="name one seed, or at least three"):
        parts_of_markets([3, 4])
    with pytest.raises(Leakage, match="stands in two parts"):
        parts_of_markets([3, 4, 3])


def test_the_phrasebook_deals_its_parts_without_a_repeat(tmp_path: Path) -> None:
    parts = parts_of(600)
    assert len(parts.learn) == 600
    assert parts.repeats[1] < len(parts.exam) / 10
    with pytest.raises(TrainingError, match="leave --stop and --exam out"):
        parts_of(600, exam=tmp_path / "x.csv")


@pytest.mark.parametrize("sources", [[], ["x.csv", "--phrasebook", "600"], ["--seeds", "1", "--phrasebook", "600"]])
def test_the_command_wants_one_source(sources: list[str], tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["train", "reader", *sources, "--out", str(tmp_path / "r")])
    assert isinstance(done.exception, InputError)
    assert "one of the three" in str(done.exception)
    assert not (tmp_path / "r").exists()


def test_the_plain_command_trains_every_weight_by_the_recipe_of_that_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[ReaderRecipe]()
    monkeypatch.setattr(screen, "reader_screen", lambda parts, out, recipe, base: asked.append(recipe))
    monkeypatch.setattr(screen, "print_reader", lambda card, out, json: None)
    for more in ([], ["--mode", "lora"]):
        given = ["train", "reader", "--phrasebook", "60", "--out", str(tmp_path / "r"), *more]
        assert CliRunner().invoke(app, given).exit_code == 0
    assert asked == [ReaderRecipe.of("full"), ReaderRecipe.of("lora")]
    assert asked[0] == ReaderRecipe()
    assert asked[0].learning_rate < asked[1].learning_rate


def test_ctrl_c_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: object, **others: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(screen, "train_reader", interrupted)
    rows = labelled(300)
    parts = checked(rows.rows(range(200)), rows.rows(range(200, 250)), rows.rows(range(250, 300)), ordered=False)
    with pytest.raises(Interrupted, match=f"the same command with --out {tmp_path} goes on from the last look"):
        screen.reader_screen(lambda: parts, tmp_path, ReaderRecipe(), "minilm")
