"""The tone of a text by a small finance lexicon: transparent, fast, and honest about how little it knows.

The word lists are PaperDesk's own, chosen for company announcements. A word counts once per occurrence; a negation
within the three words before it turns its sign ("not profitable", "without a loss"). Tone is the balance
    tone = (P - N) / (P + N + SMOOTHING),
in [-1, 1] (the polarity of Das and Chen 2007 with smoothing), so a single word in a long text does not make it extreme.
Tables and figures have no tone.
"""

import re
from datetime import timedelta
from functools import lru_cache
from typing import NamedTuple

from ..evidence import Evidence
from ..market.documents import collapse
from ..market.view import MarketView
from ..measures import MEASURES

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

_WORD = re.compile(r"[a-z]+(?:[-'][a-z]+)*")
_SENTENCE_END = re.compile(r"[.!?;:]\s|\n")


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
    """The positive and the negative words of a text; lines of tables are left out."""
    positive = negative = 0
    for sentence in _SENTENCE_END.split(text.replace("\u2019", "'").lower()):
        if "|" in sentence:
            continue
        words = _WORD.findall(sentence)
        for i, word in enumerate(words):
            if word not in POSITIVE and word not in NEGATIVE:
                continue
            turned = any(before in NEGATIONS for before in words[max(0, i - NEGATION_REACH) : i])
            if (word in POSITIVE) != turned:
                positive += 1
            else:
                negative += 1
    return Count(positive, negative)


def latest_tone(view: MarketView, ticker: str, since_days: int = 100) -> Evidence | None:
    """The tone of a company's newest telling document, or None where none appeared in the last `since_days`.

    A document with fewer than `TELLING_WORDS` counted words is passed over. A repeat of an earlier document is not
    news: it counts as of its first appearance.

    Raises:
        InputError: unknown ticker.
    """
    oldest = view.as_of - timedelta(days=since_days)
    telling = [
        row
        for row in collapse(view.documents(ticker))
        if row.published_at >= oldest and sum(count(row.text)) >= TELLING_WORDS
    ]
    if not telling:
        return None
    newest = telling[-1]
    return Evidence.of(
        id=f"{ticker}/tone/{newest.id}",
        kind="indicator",
        measure="tone",
        ticker=ticker,
        as_of=view.as_of,
        available_at=newest.published_at,
        period=f"release of {newest.published_at:%Y-%m-%d}",
        value=tone_of(newest.text),
        unit=MEASURES["tone"].unit,
        source=newest.id,
    )
