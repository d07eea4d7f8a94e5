"""The tone of a text by a small finance lexicon: transparent, fast, and honest about how little it knows.

The word lists are PaperDesk's own, chosen for company announcements. A word counts once per occurrence; a negation
within the three words before it turns its sign ("not profitable", "without a loss"). Tone is the balance
    tone = (P - N) / (P + N + SMOOTHING),
in [-1, 1] (the polarity of Das and Chen 2007 with smoothing), so a single word in a long text does not make it extreme.
Tables and figures have no tone.

`LexiconClassifier` turns the counts into a distribution: with the tone t,
    log P(negative) = -slope t + c,   log P(neutral) = neutral + c,   log P(positive) = slope t + c,
so that a text without counted words has the odds exp(neutral) : 1 : 1, and a tone moves the two others apart evenly.
"""

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import ClassVar, NamedTuple, Self

import numpy as np

from ..evidence import Evidence
from ..frozen import content_hash
from ..market.records import Document
from ..market.view import MarketView
from ..measures import MEASURES
from .business import without_idle_tone
from .classifier import CLASSES, Label, Probabilities, SentimentClassifier, columns_of, refuse_few, softmax, tones

SMOOTHING = 3.0
NEGATION_REACH = 3
"""Words."""
TELLING_WORDS = 2
"""Counted words below which a document says nothing about how business goes (an office opens, a proxy vote)."""

_POSITIVE = """
accelerate accelerated accelerating achieve achieved achievement advantage ahead beat beats best better boost boosted
breakthrough brisk confidence confident efficient exceed exceeded exceeding exceeds excellent exceptional expand
expanded expanding expansion favorable favourable gain gained gains great grew grow growing growth healthy high higher
improve improved improvement improvements improving increase increased increases increasing leading milestone momentum
opportunities opportunity outperform outperformed outperforming outstanding pleased profitability profitable progress
proud raise raised raises rebound record recovered recovery resilient rise risen rises rising robust rose solid
strength strengthened strong stronger strongest succeed success successful surge surged surpass surpassed upgrade
upgraded upside widened win winning
"""
_NEGATIVE = """
adverse adversely breach cancellation cancellations cautious charge charges closure closures concern concerns
contraction costly cut cuts decline declined declines declining decrease decreased decreases decreasing default
deficit delay delayed delays deteriorate deteriorated deteriorating deterioration difficult difficulties disappointed
disappointing disruption disruptions downgrade downgraded downturn drop dropped fail failed failure fall fallen
falling fell fine fines fraud headwind headwinds hurt impairment impairments inadequate inefficiencies investigation
lawsuit layoffs litigation lose loss losses lost low lower lowered lowers miss missed misses narrowed negative
pressure pressures recall recalled recession restructuring short shortage shortages shortfall slow slowdown slowed
slower sluggish soft softened softer suspend suspended suspension terminate terminated termination unable uncertain
uncertainty unfavorable unfavourable warn warned warning warns weak weaken weakened weaker weakness worse worsened
write-down write-downs
"""
_NEGATIONS = (
    "no not never none neither nor without cannot hardly fewer less isn't wasn't aren't don't doesn't didn't won't"
)

POSITIVE = frozenset(_POSITIVE.split())
"""Words of business going well."""
NEGATIVE = frozenset(_NEGATIVE.split())
"""Words of business going badly."""
NEGATIONS = frozenset(_NEGATIONS.split())
"""Words that turn the sign of a following one."""

_KIND = {**dict.fromkeys(POSITIVE, True), **dict.fromkeys(NEGATIVE, False)}

_WORD = re.compile(r"[a-z]+(?:[-'][a-z]+)*")
_FOREIGN = re.compile(r"[^\x00-\x7f]")


def _marked(character: str) -> str:
    """Letters and what can join them stay; a sentence's end becomes a full stop, any other mark an underscore."""
    if character in "abcdefghijklmnopqrstuvwxyz'-|\n":
        return character
    if character in ".!?;:":
        return "."
    return " " if character.isspace() else "_"


_MARKED = {code: _marked(chr(code)) for code in range(128)}
_SPACED = {ord("."): " ", ord("_"): " "}


class Count(NamedTuple):
    """Positive and negative words of a text, negations applied."""

    positive: int
    negative: int

    @property
    def tone(self) -> float:
        """Balance, in [-1, 1]."""
        return (self.positive - self.negative) / (self.positive + self.negative + SMOOTHING)


def tone_of(text: str) -> float:
    """Balance of positive and negative words, in [-1, 1]; 0 for a text without any of them."""
    return count(text).tone


@lru_cache(maxsize=4096)
def count(text: str) -> Count:
    """The positive and the negative words of a text; lines of tables are left out.

    A sentence ends at a line's end and at one of .!?;: before a space.
    """
    return _count(text)


@lru_cache(maxsize=4096)
def spoken(text: str, name: str = "") -> str:
    """What of a release decides its tone: all but praise and complaint about no business (`business`)."""
    return without_idle_tone(text, name, lambda sentence: sum(_count(sentence)) > 0)


def _count(text: str) -> Count:
    positive = negative = 0
    # whole-text passes in C: a regular expression over 2 kB takes longer than all the rest
    for sentence in _plain(text).translate(_MARKED).replace(". ", "\n").translate(_SPACED).split("\n"):
        if "|" in sentence:
            continue
        words = _WORD.findall(sentence) if "-" in sentence or "'" in sentence else sentence.split()
        if _KIND.keys().isdisjoint(words):
            continue
        for i, word in enumerate(words):
            if word in _KIND:
                turned = not NEGATIONS.isdisjoint(words[max(0, i - NEGATION_REACH) : i])
                if _KIND[word] != turned:
                    positive += 1
                else:
                    negative += 1
    return Count(positive, negative)


def _plain(text: str) -> str:
    """The text in lower-case ASCII; other characters become a space or a mark, as they are one or not."""
    text = text.replace("\u2019", "'")
    if not text.isascii():
        for foreign in set(_FOREIGN.findall(text)):
            # a few foreign letters have an ASCII letter in lower case
            lowered = (c if c.isascii() else " " if c.isspace() else "_" for c in foreign.lower())
            text = text.replace(foreign, "".join(lowered))
    return text.lower()


@dataclass(frozen=True)
class LexiconClassifier:
    """A distribution from counted words (see the module); the defaults are fitted to PaperDesk's own examples."""

    slope: float = 2.9
    neutral: float = 0.1
    name: str = "lexicon"
    classes: ClassVar[tuple[Label, ...]] = CLASSES

    @classmethod
    def fit(cls, texts: Sequence[str], labels: Sequence[str], name: str = "lexicon, fitted") -> Self:
        """The parameters of least mean log loss, with a wide normal prior (standard deviation 10) on both.

        Raises:
            InputError: a label is unknown, or a class has no text.
        """
        # imported here: scipy takes a moment, and the defaults need no fit
        from scipy.optimize import minimize

        refuse_few(labels, 1, "A lexicon's fit")
        balance = _balance(texts)
        truth = columns_of(labels)
        rows = np.arange(len(truth))

        def loss(parameters: np.ndarray) -> float:
            chosen = _distribution(balance, *parameters)[rows, truth]
            return float(-np.log(np.maximum(chosen, 1e-300)).mean() + (parameters**2).sum() / (200 * len(truth)))

        slope, neutral = minimize(loss, np.array([1.0, 0.0]), method="L-BFGS-B").x
        return cls(float(slope), float(neutral), name)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the word lists and the parameters."""
        words = [sorted(POSITIVE), sorted(NEGATIVE), sorted(NEGATIONS), NEGATION_REACH, SMOOTHING]
        return content_hash(["lexicon", words, self.slope, self.neutral])

    def predict(self, texts: Sequence[str]) -> Probabilities:
        """The distribution of each text, (len(texts), 3)."""
        return _distribution(_balance(texts), self.slope, self.neutral)


def _balance(texts: Sequence[str]) -> np.ndarray:
    """The tone of each text, (n,); many texts, each once, are not worth remembering."""
    return np.array([_count(text).tone for text in texts])


def _distribution(balance: np.ndarray, slope: float, neutral: float) -> Probabilities:
    return softmax(np.stack([-slope * balance, np.full(len(balance), neutral), slope * balance], axis=1))


def latest_tone(
    view: MarketView, ticker: str, since_days: int = 100, classifier: SentimentClassifier | None = None
) -> Evidence | None:
    """The tone of a company's newest telling document, or None where none appeared in the last `since_days`.

    A document with fewer than `TELLING_WORDS` counted words is passed over, whoever judges the tone. A repeat of an
    earlier document is not news: it counts as of its first appearance. Words count only in sentences about a business.

    Args:
        view: what is known.
        ticker: a company.
        since_days: how far back to look.
        classifier: gives the tone P(positive) - P(negative); without one it is the lexicon's balance of words.

    Raises:
        InputError: unknown ticker.
    """
    oldest, name = view.as_of - timedelta(days=since_days), view.company(ticker).name
    for document in reversed(view.stories(ticker, since=oldest)):
        if (tone := _told(document, name)) is not None:
            if classifier is not None:
                return _tone(document, _tone_by(classifier, _said(document, name)), view.as_of)
            return tone.at(view.as_of)
    return None


def _tone(document: Document, value: float, as_of: datetime) -> Evidence:
    return Evidence.of(
        id=f"{document.ticker}/tone/{document.id}",
        kind="indicator",
        measure="tone",
        ticker=document.ticker,
        as_of=as_of,
        available_at=document.published_at,
        period=f"release of {document.published_at:%Y-%m-%d}",
        value=value,
        unit=MEASURES["tone"].unit,
        source=document.id,
    )


@lru_cache(maxsize=4096)
def _told(document: Document, name: str) -> Evidence | None:
    """The lexicon's tone of a document at its publication; None where it says nothing about how business goes.

    It is found by the document's parts, whose hashes Python remembers.
    """
    counted = count(_said(document, name))
    return _tone(document, counted.tone, document.published_at) if sum(counted) >= TELLING_WORDS else None


def _said(document: Document, name: str) -> str:
    """What of a release decides its tone."""
    return spoken(document.text, name)


_TONES: OrderedDict[tuple[str, str], float] = OrderedDict()
"""Tones by a classifier's fingerprint and the text, the latest asked for last; it keeps no classifier alive."""
_TONES_KEPT = 4096


def _tone_by(classifier: SentimentClassifier, text: str) -> float:
    """The tone of one text, which is judged alone, so that its last digit does not depend on others."""
    key = (classifier.fingerprint, text)
    if key not in _TONES:
        _TONES[key] = float(tones(classifier.predict([text]))[0])
    _TONES.move_to_end(key)
    while len(_TONES) > _TONES_KEPT:
        _TONES.popitem(last=False)
    return _TONES[key]
