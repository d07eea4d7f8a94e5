"""The comparison: what it reads, how it splits, what it says, and what it refuses."""

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.simulations.sentiment_comparison import open_classifier, print_comparison
from paperdesk.tools.errors import DataError, InputError
from paperdesk.tools.sentiment.classifier import CLASSES
from paperdesk.tools.sentiment.comparison import ClassFrequencies, Contender, Fitted, compare
from paperdesk.tools.sentiment.embedding import EmbeddingClassifier
from paperdesk.tools.sentiment.labelled import Labelled, examples, read_labelled, split
from paperdesk.tools.sentiment.lexicon import LexiconClassifier


def ticks() -> Iterator[float]:
    """A clock on which every reading is two seconds after the last."""
    now = 0.0
    while True:
        yield now
        now += 2.0


def written(folder: Path, labelled: Labelled) -> Path:
    path = folder / "labelled.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("source", "label", "text"))
        rows.writerows(("own", label, text) for text, label in zip(labelled.texts, labelled.labels, strict=True))
    return path


# labelled texts


def test_a_file_is_read_as_it_was_written(tmp_path: Path, sayings: Labelled) -> None:
    found = read_labelled(written(tmp_path, sayings))
    assert (found.texts, found.labels, found.name) == (sayings.texts, sayings.labels, "labelled.csv")
    assert found.sha256 == sayings.sha256


def test_labels_in_capitals_and_repeats_are_taken_care_of(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('\ufefftext,label\n"Good,\nvery good", Positive\nBad,NEGATIVE\nBad ,negative\n', encoding="utf-8")
    found = read_labelled(path)
    assert found.texts == ("Good,\nvery good", "Bad")
    assert found.labels == ("positive", "negative")
    assert found.repeats == 1


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("text,class\na,positive\n", "has no column 'label' but text, class"),
        ("sentence,label\na,positive\n", "has no column 'text'"),
        (
            "text,label\na,positive\nb,bullish\n",
            "row 3 has the label 'bullish'; use one of negative, neutral, positive",
        ),
        ("text,label\na,positive\n  ,negative\n", "row 3 has no text"),
        ("text,label\nnan,positive\n", "row 2 has no text"),
        ("text,label\na,\n", "row 2 has the label ''"),
        ("text,label\na,NaN\n", "row 2 has the label 'NaN'"),
        ("text,label\na\n", "row 2 has the label ''"),
        ("text,label\na,positive\nb,neutral\na,negative\n", "row 4 calls negative what row 2 calls positive"),
        ("text,label\na,positive,more,and more\nb,neutral\n", "cannot be read as CSV .* 4"),
        # every row has a comma too many: no cell may be taken for an index
        ("text,label\nsales rose, a lot,positive\nsales fell, a lot,negative\n", "cannot be read as CSV .* 3"),
        ('text,label\n"a,positive\n', "cannot be read as CSV|has the label"),
        ("", "cannot be read as CSV"),
        ("text,text,label\na,b,positive\n", "has the column 'text' twice"),
        ("text,label\n", "at least"),
    ],
)
def test_a_bad_file_is_refused_with_its_row(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises((DataError, InputError), match=told) as refused:
        compare([], read_labelled(path), timer=ticks().__next__)
    assert "\n" not in str(refused.value)
    assert "bad.csv" in str(refused.value)


def test_a_seed_below_zero_is_refused() -> None:
    with pytest.raises(InputError, match="the seed cannot be -1"):
        compare([], examples(), timer=ticks().__next__, seed=-1)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"text,label\n\xff\xfe,positive\n")
    with pytest.raises(DataError, match="cannot be read as CSV"):
        read_labelled(tmp_path / "x.csv")
    with pytest.raises(DataError, match="cannot be read as CSV"):
        read_labelled(tmp_path / "none.csv")


def test_the_examples_are_balanced() -> None:
    own = examples()
    assert {label: own.labels.count(label) for label in CLASSES} == dict.fromkeys(CLASSES, 60)
    assert own.repeats == 0


@given(st.lists(st.sampled_from(CLASSES), min_size=1, max_size=200), st.integers(0, 99))
def test_parts_are_disjoint_whole_and_balanced(labels: list[str], seed: int) -> None:
    shares = (0.5, 0.2, 0.3)
    parts = split(labels, shares, np.random.default_rng(seed))
    assert sorted(row for part in parts for row in part) == list(range(len(labels)))
    for share, part in zip(shares, parts, strict=True):
        for name in CLASSES:
            assert abs(sum(labels[row] == name for row in part) - share * labels.count(name)) <= 1
    assert parts == split(labels, shares, np.random.default_rng(seed))


def test_shares_that_are_none_are_refused() -> None:
    for shares in ((), (0.5, 0.6), (1.0, 0.0)):
        with pytest.raises(InputError, match="positive shares of sum 1"):
            split(["neutral"], shares, np.random.default_rng(0))


# the comparison


def test_contenders_are_judged_on_the_same_unseen_texts(sayings: Labelled, embedding: EmbeddingClassifier) -> None:
    handed: list[tuple[str, ...]] = []

    def fit(texts: Sequence[str], labels: Sequence[str]) -> EmbeddingClassifier:
        handed.append(tuple(texts))
        return EmbeddingClassifier.fit(texts, labels)

    contenders: list[Contender] = [LexiconClassifier(), embedding, Fitted("own", fit)]
    found = compare(contenders, sayings, timer=ticks().__next__, seed=4)
    names = [result.classifier for result in found.results]
    assert names == ["majority class", "lexicon", "embedding", "embedding, fitted"]
    assert (found.fitted_on, found.calibrated_on, found.judged_on) == (45, 18, 27)
    assert len(handed[0]) == 45
    for result in found.results:
        assert result.items_per_second == 27 / 2
        for kind in (result.before, result.after):
            assert np.sum(kind.confusion, axis=1).tolist() == [9, 9, 9]
            assert kind.accuracy == pytest.approx(np.trace(kind.confusion) / 27)
        assert result.calibration.texts == 18
        assert result.calibration.log_loss_after <= result.calibration.log_loss_before
    baseline, *others = found.results
    assert baseline.before.accuracy == pytest.approx(1 / 3)
    assert baseline.before.log_loss == pytest.approx(np.log(3))
    assert baseline.before.brier == pytest.approx(2 / 3)
    assert all(other.before.accuracy > baseline.before.accuracy + 0.2 for other in others)
    assert all(other.after.log_loss < baseline.after.log_loss for other in others)
    again = compare(contenders[:2], sayings, timer=ticks().__next__, seed=4)
    assert again.results == found.results[:3]
    assert compare(contenders[:1], sayings, timer=ticks().__next__, seed=5).results[1] != found.results[1]


def test_releases_of_a_generated_market_are_read_better_than_guessed(releases: Labelled) -> None:
    found = compare([LexiconClassifier()], releases, timer=ticks().__next__)
    baseline, lexicon = found.results
    assert lexicon.after.accuracy > baseline.after.accuracy + 3 * found.accuracy_error
    assert lexicon.after.log_loss < 0.8 < baseline.after.log_loss


def test_the_baseline_knows_frequencies_only() -> None:
    baseline = ClassFrequencies.fit(["a", "b", "c", "d"], ["neutral", "neutral", "positive", "negative"])
    assert baseline.predict(["x", ""]).tolist() == [[0.25, 0.5, 0.25]] * 2


def test_a_head_is_not_judged_on_what_it_was_fitted_to(embedding: EmbeddingClassifier) -> None:
    with pytest.raises(InputError, match=r"embedding was fitted to 90 of the 90 texts .* compare embedding:fit"):
        compare([embedding], examples(), timer=ticks().__next__)
    fitted = Fitted("embedding:fit", EmbeddingClassifier.fit)
    assert len(compare([fitted], examples(), timer=ticks().__next__).results) == 2


def test_too_few_texts_are_refused(sayings: Labelled) -> None:
    some = sayings.rows([*range(20), *range(30, 90)])
    with pytest.raises(InputError, match=r"sayings has 20 negative, 30 neutral, 30 positive; .* at least 25"):
        compare([LexiconClassifier()], some, timer=ticks().__next__)


# the command


def test_the_command_prints_a_table(tmp_path: Path, sayings: Labelled, capsys: pytest.CaptureFixture[str]) -> None:
    found = print_comparison(written(tmp_path, sayings), ["lexicon", "lexicon:fit", "embedding", "lexicon"])
    said = capsys.readouterr()
    assert [result.classifier for result in found.results] == ["majority class", "lexicon", "lexicon:fit", "embedding"]
    for name in ("majority class", "lexicon:fit", "embedding", "macro-F1", "Brier", "items/s"):
        assert name in said.out
    assert f"{found.results[1].after.brier:.3f}" in said.out
    assert "lexicon: 90 texts" in said.err


def test_the_command_writes_json(tmp_path: Path, sayings: Labelled, capsys: pytest.CaptureFixture[str]) -> None:
    found = print_comparison(written(tmp_path, sayings), ["lexicon"], json=True, method="temperature", seed=2)
    read = json.loads(capsys.readouterr().out)
    assert read["results"][1]["after"]["accuracy"] == found.results[1].after.accuracy
    assert read["results"][1]["calibration"]["method"] == "temperature"
    assert (read["seed"], read["judged_on"]) == (2, 27)


def test_specs_open_what_they_name(tmp_path: Path, embedding: EmbeddingClassifier) -> None:
    embedding.save(tmp_path / "mine")
    named = {"lexicon": "lexicon", "embedding": "embedding", f"embedding:{tmp_path}/mine": "embedding:mine"}
    for spec, name in named.items():
        with open_classifier(spec) as found:
            assert found.name == name


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("vader", "there is no classifier 'vader'; name lexicon"),
        ("prompt:", "there is no classifier"),
        ("embedding:", "there is no classifier"),
        ("embedding:fit", "there is no classifier"),
        ("embedding:nowhere", "cannot be read"),
        ("prompt:nothing", "no model 'nothing'"),
        ("transformers:x#LABEL_0", "the labels in 'transformers:x#LABEL_0' cannot be read"),
    ],
)
def test_a_spec_that_names_nothing_is_refused(spec: str, told: str) -> None:
    with pytest.raises(InputError, match=told), open_classifier(spec):
        pass


@pytest.mark.slow
def test_a_transformers_folder_is_compared(tmp_path: Path, tiny: Path, sayings: Labelled) -> None:
    spec = f"transformers:{tiny}"
    other = f"{spec}#Positive=negative,negative=neutral,neutral=positive"
    found = print_comparison(written(tmp_path, sayings), [spec, other])
    first, second = found.results[1:]
    assert first.fingerprint != second.fingerprint
    # the same model under other names of its labels: the columns are another order of the same numbers
    assert np.array_equal(np.array(first.before.confusion)[:, [2, 0, 1]], np.array(second.before.confusion))
