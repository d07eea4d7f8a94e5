"""What every classifier keeps, on the two that need no model; the lexicon's and the embedding's own ways."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paperdesk.tools.errors import InputError
from paperdesk.tools.market.view import Market, open_market
from paperdesk.tools.sentiment import lexicon
from paperdesk.tools.sentiment.classifier import CLASSES, Probabilities, SentimentClassifier, tones
from paperdesk.tools.sentiment.embedding import CARD, WEIGHTS, EmbeddingClassifier
from paperdesk.tools.sentiment.labelled import Labelled, examples
from paperdesk.tools.sentiment.lexicon import NEGATIONS, NEGATIVE, POSITIVE, LexiconClassifier, count, latest_tone

FOREIGN = "\U0001f680 \u4e2d\u6587 \u0130stanbul caf\u00e9"
STRANGE = ["", " \n\t", FOREIGN, "growth " * 20_000, "|", "\x00", "\ud7ff\u2028"]


@pytest.fixture(params=["lexicon", "embedding"])
def classifier(request: pytest.FixtureRequest, embedding: EmbeddingClassifier) -> SentimentClassifier:
    return LexiconClassifier() if request.param == "lexicon" else embedding


def test_any_text_has_a_distribution(classifier: SentimentClassifier) -> None:
    found = classifier.predict(STRANGE)
    assert found.shape == (len(STRANGE), 3)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-12)
    assert (found > 0).all()
    assert classifier.predict([]).shape == (0, 3)
    assert classifier.classes == CLASSES == ("negative", "neutral", "positive")


def test_a_text_is_judged_alone_to_the_last_bit(classifier: SentimentClassifier, sayings: Labelled) -> None:
    together = classifier.predict(sayings.texts)
    backwards = classifier.predict(sayings.texts[::-1])
    alone = np.vstack([classifier.predict([text]) for text in sayings.texts])
    assert np.array_equal(together, backwards[::-1])
    assert np.array_equal(together, alone)


def test_plain_sentences_are_told_apart(classifier: SentimentClassifier, sayings: Labelled) -> None:
    truth = np.array([CLASSES.index(label) for label in sayings.labels])
    assert accuracy(classifier.predict(sayings.texts), truth) > 0.6
    balance = tones(classifier.predict(sayings.texts))
    assert balance[truth == 2].mean() > balance[truth == 1].mean() > balance[truth == 0].mean()


def accuracy(found: Probabilities, truth: np.ndarray) -> float:
    return float((found.argmax(axis=1) == truth).mean())


# the lexicon


def slow_count(text: str) -> tuple[int, int]:
    """The count by its definition, word by word."""
    positive = negative = 0
    for sentence in re.split(r"[.!?;:]\s|\n", text.replace("\u2019", "'").lower()):
        if "|" in sentence:
            continue
        words = re.findall(r"[a-z]+(?:[-'][a-z]+)*", sentence)
        for i, word in enumerate(words):
            if word in POSITIVE | NEGATIVE:
                turned = any(before in NEGATIONS for before in words[max(0, i - 3) : i])
                positive += (word in POSITIVE) != turned
                negative += (word in POSITIVE) == turned
    return positive, negative


WORDS = ["strong", "weak", "write-down", "not", "isn\u2019t", "the", "K", "\u212a", "\u0130", "\u00e9"]
PARTS = [*WORDS, *" .!?;:\n\t\r|-'_9\u00a0\u2028\x1c"]


@given(st.lists(st.sampled_from(PARTS), max_size=20).map("".join))
def test_the_fast_count_is_the_count(text: str) -> None:
    assert count(text) == slow_count(text)


def test_the_fast_count_is_the_count_on_releases(releases: Labelled) -> None:
    assert [count(text) for text in releases.texts] == [slow_count(text) for text in releases.texts]
    assert sum(map(sum, map(count, releases.texts))) > 500


def test_a_balanced_text_is_neither_good_nor_bad() -> None:
    negative, neutral, positive = LexiconClassifier().predict(
        ["Growth was strong.", "The office opens.", "Losses fell hard."]
    )
    assert neutral[0] == neutral[2]
    assert positive[2] < 0.1 < 0.5 < negative[2]
    cautious = LexiconClassifier(neutral=3.0).predict(["The office opens."])
    assert cautious[0, 1] == pytest.approx(np.exp(3) / (np.exp(3) + 2))


def test_the_lexicon_s_defaults_are_the_fit_to_the_examples() -> None:
    shipped, own = LexiconClassifier(), examples()
    fitted = LexiconClassifier.fit(own.texts, own.labels)
    assert (round(fitted.slope, 1), round(fitted.neutral, 1)) == (shipped.slope, shipped.neutral)
    assert fitted.fingerprint != shipped.fingerprint == LexiconClassifier(name="other").fingerprint


# the embedding


def test_the_shipped_head_is_the_fit_to_the_examples(embedding: EmbeddingClassifier, sayings: Labelled) -> None:
    own = examples()
    fitted = EmbeddingClassifier.fit(own.texts, own.labels, data=own.name)
    for name in ("data", "data_sha256", "texts", "seed", "strength", "embedding"):
        assert getattr(fitted.card, name) == getattr(embedding.card, name), name
    assert fitted.card.accuracy == pytest.approx(embedding.card.accuracy, abs=0.02)
    np.testing.assert_allclose(fitted.predict(sayings.texts), embedding.predict(sayings.texts), atol=1e-3)


def test_a_head_comes_back_from_its_folder(tmp_path: Path, sayings: Labelled) -> None:
    head = EmbeddingClassifier.fit(sayings.texts, sayings.labels, seed=3)
    head.save(tmp_path / "deep" / "head")
    again = EmbeddingClassifier.load(tmp_path / "deep" / "head")
    assert again.fingerprint == head.fingerprint
    assert again.name == "embedding:head"
    assert np.array_equal(again.predict(STRANGE), head.predict(STRANGE))
    assert again.has_seen(f" {sayings.texts[0]}\n")
    assert not again.has_seen("something else")
    assert sorted(path.name for path in (tmp_path / "deep" / "head").iterdir()) == [CARD, WEIGHTS]


def test_a_damaged_head_is_refused(tmp_path: Path, embedding: EmbeddingClassifier) -> None:
    with pytest.raises(InputError, match=r"card\.json cannot be read"):
        EmbeddingClassifier.load(tmp_path)
    embedding.save(tmp_path)
    content = (tmp_path / WEIGHTS).read_bytes()
    (tmp_path / WEIGHTS).write_bytes(content[:-1])
    with pytest.raises(InputError, match="does not match its card"):
        EmbeddingClassifier.load(tmp_path)
    (tmp_path / WEIGHTS).write_bytes(content)
    card = (tmp_path / CARD).read_text(encoding="utf-8")
    (tmp_path / CARD).write_text(card.replace("wordllama", "otherllama"), encoding="utf-8")
    with pytest.raises(InputError, match="fitted to otherllama"):
        EmbeddingClassifier.load(tmp_path)
    (tmp_path / CARD).write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="no card of a head"):
        EmbeddingClassifier.load(tmp_path)


def test_a_head_needs_some_texts_of_each_class() -> None:
    with pytest.raises(InputError, match="at least 5 texts of each class, not 1 negative, 0 neutral, 1 positive"):
        EmbeddingClassifier.fit(["bad", "good"], ["negative", "positive"])
    with pytest.raises(InputError, match="one label for each text"):
        EmbeddingClassifier.fit(["bad"], [])
    with pytest.raises(InputError, match="'bullish' is no sentiment"):
        EmbeddingClassifier.fit(["up"], ["bullish"])


# the desk's evidence


@pytest.fixture(scope="module")
def market() -> Market:
    return open_market("generated")


class Counting(LexiconClassifier):
    """A lexicon that says how often it was asked."""

    asked = 0

    def predict(self, texts: Sequence[str]) -> Probabilities:
        type(self).asked += 1
        return super().predict(texts)


def test_another_classifier_gives_the_tone_of_the_same_document(market: Market, embedding: EmbeddingClassifier) -> None:
    view = market.view(market.calendar.close_of(market.window[1]))
    plain, other = latest_tone(view, "OSTW"), latest_tone(view, "OSTW", classifier=embedding)
    assert plain is not None
    assert other is not None
    assert plain.model_dump(exclude={"value", "hash"}) == other.model_dump(exclude={"value", "hash"})
    text = next(d.text for d in market.dataset.documents if d.id == plain.source)
    assert plain.value == count(text).tone
    assert other.value == pytest.approx(float(tones(embedding.predict([text]))[0]))
    assert plain.value != other.value


def test_a_document_is_judged_once_by_a_classifier(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Counting(slope=1.25), Counting(slope=1.5)
    view = market.view(market.calendar.close_of(market.window[1]))
    values = [latest_tone(view, "OSTW", classifier=one).value for one in (first, first, second, Counting(slope=1.25))]
    assert Counting.asked == 2
    assert values[0] == values[1] == values[3] != values[2]
    monkeypatch.setattr(lexicon, "_TONES_KEPT", 1)
    latest_tone(view, "ZEPL", classifier=first)
    assert len(lexicon._TONES) == 1
