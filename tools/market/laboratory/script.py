"""Which sentences each earnings release uses, and the tone that a lexicon reads from them without rendering a text.

A lexicon counts words sentence by sentence, so the counts of a release are the sums over its sentences, and those of a
sentence depend on the template and on whether figures rose or fell, not on the figures. That makes the tone of 200
markets a matter of seconds; a test holds it equal to the tone of the rendered texts.
"""

import string
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from . import wording
from .factors import Matrix
from .streams import SCRIPT, stream
from .world import World

Choice = NDArray[np.int64]

_SLOTS: dict[str, int] = {
    "headline": len(wording.HEADLINES),
    "lead": len(wording.LEADS),
    "revenue": len(wording.REVENUES),
    "revenue_phrase": 3,
    "income": len(wording.INCOMES),
    "income_phrase": 3,
    "margin": len(wording.MARGINS),
    "cash": len(wording.CASH),
    "dividend": len(wording.DIVIDENDS),
    "quote": len(wording.QUOTES[0]),
    "outlook": len(wording.OUTLOOKS[0]),
    "guidance": len(wording.GUIDANCE),
    "detail": len(wording.DETAILS),
    "order": 6,
    "speaker": 3,
}


@dataclass(frozen=True)
class Script:
    """The sentence chosen for every slot of every release; (Q, N) each."""

    headline: Choice
    lead: Choice
    revenue: Choice
    revenue_phrase: Choice
    income: Choice
    income_phrase: Choice
    margin: Choice
    cash: Choice
    dividend: Choice
    quote: Choice
    outlook: Choice
    guidance: Choice
    detail: Choice
    order: Choice
    speaker: Choice
    revenue_state: Choice
    """Index into `wording.STATES`."""
    income_state: Choice
    margin_state: Choice


def write_script(world: World) -> Script:
    """Choose the sentences of all releases."""
    quarters, companies = world.quote_mood.shape
    u = np.stack([stream(world.plan.seed, SCRIPT, n).random((quarters, len(_SLOTS))) for n in range(companies)], axis=1)
    chosen = {name: (u[:, :, k] * size).astype(np.int64) for k, (name, size) in enumerate(_SLOTS.items())}
    business = world.business
    revenue = business.first_revenue
    margin, margin_before = margins(world)
    return Script(
        **chosen,
        revenue_state=_states(revenue, year_before(business.revenue)),
        income_state=_states(business.net_income, year_before(business.net_income)),
        margin_state=np.select([margin > margin_before, margin < margin_before], [0, 1], 2),
    )


def year_before(values: Matrix) -> Matrix:
    """(Q, N) each quarter's figure of four quarters before; NaN for the first four."""
    earlier = np.full_like(values, np.nan)
    earlier[4:] = values[:-4]
    return earlier


def margins(world: World) -> tuple[Matrix, Matrix]:
    """Operating margin as released, now and a year before: in per cent, with the one decimal that is printed."""
    business = world.business
    now = np.round(100 * business.operating_income / business.first_revenue, 1)
    before = np.round(100 * year_before(business.operating_income / business.revenue), 1)
    return now, before


def _states(now: Matrix, before: Matrix) -> Choice:
    """Index into `wording.STATES`: up, down, level, or other where a rate has no meaning."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = now / before - 1
        meaningful = (now > 0) & (before > 0)
    return np.select([~meaningful, np.abs(rate) < 0.0005, rate > 0], [3, 2, 0], 1)


def release_tone(world: World, script: Script) -> Matrix:
    """(Q, N) tone of every release by the lexicon, as `tone_of` reads it from the text without hostile sentences."""
    # Imported here: sentiment reads documents, and reads views of markets.
    from ...sentiment.lexicon import SMOOTHING

    positive, negative = (np.zeros(world.quote_mood.shape) for _ in range(2))
    for part in _counts(world, script):
        positive += part[..., 0]
        negative += part[..., 1]
    return np.asarray((positive - negative) / (positive + negative + SMOOTHING), dtype=np.float64)


def _counts(world: World, script: Script) -> list[NDArray[np.int64]]:
    """(Q, N, 2) words of each slot, positive and negative."""
    moods = (-2, -1, 0, 1, 2)
    quotes = np.array([[_count(text) for text in wording.QUOTES[mood]] for mood in moods])
    outlooks = np.array([[_count(text) for text in wording.OUTLOOKS[mood]] for mood in moods])
    changed = {name: _changed(getattr(wording, name.upper() + "S"), name) for name in ("revenue", "income")}
    verbs = [wording.MARGIN_VERBS[state] for state in wording.STATES]
    margin = np.array([[_count(text, margin_verb=verb) for verb in verbs] for text in wording.MARGINS])
    return [
        _table(wording.HEADLINES)[script.headline],
        _table(wording.LEADS)[script.lead],
        changed["revenue"][script.revenue, script.revenue_state, script.revenue_phrase],
        changed["income"][script.income, script.income_state, script.income_phrase],
        margin[script.margin, script.margin_state],
        _table(wording.DETAILS)[script.detail],
        quotes[world.quote_mood + 2, script.quote],
        outlooks[world.outlook_mood + 2, script.outlook],
    ]


def _table(templates: Sequence[str]) -> NDArray[np.int64]:
    return np.array([_count(text) for text in templates])


def _changed(templates: Sequence[str], name: str) -> NDArray[np.int64]:
    """(templates, states, phrases, 2)."""
    return np.array(
        [
            [
                [_count(text, **{f"{name}_change": phrase}) for phrase in wording.PHRASES[state]]
                for state in wording.STATES
            ]
            for text in templates
        ]
    )


class _Neutral(dict[str, str]):
    """Gives a word without tone for every field that is not set."""

    def __missing__(self, key: str) -> str:
        return "x"


def _count(template: str, **fields: str) -> tuple[int, int]:
    from ...sentiment.lexicon import count

    text = string.Formatter().vformat(string.Formatter().vformat(template, (), _Neutral(fields)), (), _Neutral())
    found = count(text)
    return found.positive, found.negative
