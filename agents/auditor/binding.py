"""A text against the evidence it cites: whether each number, time, direction and name in it is one that is shown there.

The tolerance is what the text itself claims: half a unit of the last digit written. A passage must show the number with
at least as many digits; a figure must agree in value, unit and sign, whether the sign is written or said ("fell").
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Literal

from ...tools.evidence import Evidence
from ...tools.measures import MEASURES, Measure
from .directions import Turn, leans_in, turn_of, turns_in
from .figures import Figure, Unit, figures_in
from .periods import Period, blanked, periods_in
from .register import Register

Rule = Literal[
    "figures_match", "units_match", "signs_match", "direction_words", "split_adjusted", "periods_match", "right_company"
]
OPPOSED = 0.1
"""A figure whose reading leans this far against a word or a claim contradicts it."""

_UNITS: dict[str, frozenset[Unit]] = {
    "fraction": frozenset({"percent"}),
    "ratio": frozenset({"plain", "multiple"}),
    "index": frozenset({"plain"}),
    "usd": frozenset({"money"}),
}
_MAGNITUDES = frozenset({"drawdown_12m", "max_drawdown_12m"})
"""Measures that are below zero by their name, so that the sign may be left out."""
_LEVELS = {"rsi_14": (30.0, 50.0, 70.0)}
"""Marks with which a figure is usually compared; they may be named as such without being evidence."""
_COMPARED = re.compile(r"\b(?:above|below|over|under|than|of|at|near|threshold|mark|level)\s*$", re.I)
_PER_SHARE = re.compile(r"\b(?:per|a) (?:\w+ )?share\b|\bEPS\b|\bdividends?\b|\bshare price\b", re.I)
_TABLE_SCALE = re.compile(r"\bin (thousand|million|billion)s\b", re.I)
_AHEAD = re.compile(r"\b(?:next|coming|following|ahead|horizon of)\s*$", re.I)
_LONGER = re.compile(r"[A-Za-z]{4,}")
BESIDE = 40
"""Characters before a number, and half as many after it, whose words tell what it is a number of."""
TELLING = 2
"""So many more words shared with the surroundings of another number of the passage, and the number is taken for that
one's."""
_RANK: tuple[Rule, ...] = ("split_adjusted", "signs_match", "direction_words", "units_match", "figures_match")
"""What is the matter with a number, the nearest to being right first."""


@dataclass(frozen=True)
class Misreading:
    """Something in a text that the cited evidence does not show."""

    rule: Rule
    found: str
    expected: str
    evidence: str
    """Id of the piece of evidence that comes nearest; empty where none does."""


@dataclass(frozen=True)
class Frame:
    """What the text is about."""

    ticker: str
    as_of: datetime
    horizon_days: int
    register: Register


@dataclass(frozen=True)
class Quoted:
    """A passage, read once."""

    figures: tuple[Figure, ...]
    turns: tuple[Turn | None, ...]
    """The word for a direction that goes with each figure."""
    per_share: tuple[bool, ...]
    words: tuple[frozenset[str], ...]
    """Those around each figure."""
    periods: tuple[Period, ...]
    signs: frozenset[int]
    """Directions of all words in it."""
    scale: float
    """Of the bare numbers of a table `in millions`; 1 elsewhere."""


@lru_cache(maxsize=4096)
def quoted(text: str) -> Quoted:
    """The numbers, times and directions of a passage."""
    times = periods_in(text)
    bare = blanked(text, times)
    found, turns = figures_in(bare), turns_in(bare)
    table = _TABLE_SCALE.search(text)
    return Quoted(
        figures=found,
        turns=tuple(turn_of(bare, f.start, f.end, turns) for f in found),
        per_share=tuple(bool(_PER_SHARE.search(bare[max(0, f.start - 60) : f.end + 40])) for f in found),
        words=tuple(_words_around(bare, f) for f in found),
        periods=times,
        signs=frozenset(turn.sign for turn in turns),
        scale={"thousand": 1e3, "million": 1e6, "billion": 1e9}[table[1].lower()] if table else 1.0,
    )


def _words_around(text: str, figure: Figure) -> frozenset[str]:
    """The longer words beside a number: what it is a number of."""
    before, after = text[max(0, figure.start - BESIDE) : figure.start], text[figure.end : figure.end + BESIDE // 2]
    return frozenset(word.lower() for word in _LONGER.findall(f"{before} {after}"))


def misreadings(text: str, cited: Sequence[Evidence], frame: Frame) -> Iterator[Misreading]:
    """Everything in a text that the cited evidence does not show, in the order: times, numbers, directions, names.

    Args:
        text: a sentence or a part of one, without aliases and quotations.
        cited: what it rests on.
        frame: whom and when it is about.
    """
    times = periods_in(text)
    for time in times:
        if not any(_shows_time(evidence, time, text, frame) for evidence in cited):
            yield Misreading("periods_match", time.text, _times_of(cited), cited[0].id if len(cited) == 1 else "")
    bare = blanked(text, times)
    for evidence in cited:
        bare = _without_label(bare, MEASURES[evidence.measure])
    found, turns = figures_in(bare), turns_in(bare)
    for figure in found:
        yield from _misread_figure(figure, turn_of(bare, figure.start, figure.end, turns), bare, cited, frame)
    if len(cited) == 1:
        yield from _misread_words(bare, found, turns, cited[0])
    yield from _misread_names(text, cited, frame)


def _misread_figure(
    figure: Figure, turn: Turn | None, text: str, cited: Sequence[Evidence], frame: Frame
) -> Iterator[Misreading]:
    worst: tuple[int, Rule, Evidence] | None = None
    for evidence in cited:
        rule = (
            _against_passage(figure, turn, text, evidence, frame)
            if evidence.value is None
            else _against_value(figure, turn, text, evidence, evidence.value, frame)
        )
        if rule is None:
            return
        rank = _RANK.index(rule)
        if worst is None or rank < worst[0]:
            worst = (rank, rule, evidence)
    if worst is None:
        yield Misreading("figures_match", figure.text, "no figure without evidence", "")
    else:
        yield Misreading(worst[1], figure.text, _shown(worst[2]), worst[2].id)


def _against_value(
    figure: Figure, turn: Turn | None, text: str, evidence: Evidence, value: float, frame: Frame
) -> Rule | None:
    """What is wrong with a number that rests on a figure; None if nothing is."""
    measure = MEASURES[evidence.measure]
    slack = figure.tolerance * (1 + 1e-9) + 1e-12
    units = _UNITS.get(measure.unit, frozenset[Unit]())
    if measure.name == "margin_change_yoy":
        units = units | {"points"}  # a difference of margins is one of percentage points
    if figure.unit in units and figure.scale == 1 and abs(figure.value - abs(value)) <= slack:
        return None if abs(value) <= slack else _sign_of_value(figure, turn, measure, value)
    if (
        figure.unit in units
        and _COMPARED.search(text[: figure.start])
        and figure.value in _LEVELS.get(measure.name, ())
    ):
        return None
    printed = abs(value) * (100 if measure.unit == "fraction" else 1)
    digits = figure.tolerance * figure.coefficient / figure.value if figure.value else 0.5
    if abs(figure.coefficient - printed) <= digits * (1 + 1e-9) + 1e-12:
        return "units_match"
    if figure.unit in units and any(
        abs(figure.value - abs(value) * factor) <= max(slack, 0.005 * abs(value) * factor)
        for split in frame.register.splits.get(evidence.ticker, ())
        for factor in (split.ratio, 1 / split.ratio)
    ):
        return "split_adjusted"
    return "figures_match"


def _sign_of_value(figure: Figure, turn: Turn | None, measure: Measure, value: float) -> Rule | None:
    wanted = 1 if value > 0 else -1
    if not measure.signed and wanted > 0:
        # the measure is a level: that it rose or fell is not shown by it
        if figure.sign < 0:
            return "signs_match"
        return "direction_words" if turn is not None and turn.change else None
    if figure.sign and figure.sign != wanted:
        return "signs_match"
    if turn is not None:
        return None if turn.sign == wanted else "direction_words"
    if figure.sign or wanted > 0 or figure.enclosed or measure.name in _MAGNITUDES:
        return None
    return "signs_match"


def _against_passage(figure: Figure, turn: Turn | None, text: str, evidence: Evidence, frame: Frame) -> Rule | None:
    """What is wrong with a number that rests on a passage; None if nothing is."""
    passage = quoted(evidence.text or "")
    ratio = frame.register.ratio_since(evidence.ticker, evidence.available_at.date())
    near_share = bool(_PER_SHARE.search(text[max(0, figure.start - 60) : figure.end + 40]))
    best: Rule = "figures_match"
    around = _words_around(text, figure)
    shared = [len(around & words) for words in passage.words]
    for i, other in enumerate(passage.figures):
        per_share = ratio != 1 and other.unit == "money" and (passage.per_share[i] or near_share)
        rule = _against_figure(figure, turn, other, passage.turns[i], passage.scale, ratio if per_share else 1.0)
        if rule is None and shared[i] + TELLING <= max(
            (shared[k] for k, rival in enumerate(passage.figures) if rival.unit == other.unit), default=0
        ):
            continue  # the words beside it are those of another number
        if rule is None:
            return None
        if _RANK.index(rule) < _RANK.index(best):
            best = rule
    return best


def _against_figure(
    figure: Figure, turn: Turn | None, other: Figure, word: Turn | None, table: float, ratio: float
) -> Rule | None:
    """What is wrong with a number that rests on another one, which counts `ratio` times today's shares."""
    value, exact = other.value, other.tolerance
    if table != 1 and other.unit == "plain" and other.scale == 1 and figure.scale != 1:
        value, exact = value * table, exact * table
    elif figure.unit != other.unit and not (
        figure.unit == "plain" and other.unit == "money" and figure.scale == other.scale != 1
    ):
        return "units_match" if abs(figure.coefficient - other.coefficient) <= 1e-9 else "figures_match"
    if ratio != 1 and abs(figure.value - value / ratio) <= figure.tolerance * (1 + 1e-9):
        return None
    # not finer than what is shown: further digits would be invented
    if abs(figure.value - value) > figure.tolerance * (1 + 1e-9) or figure.tolerance < exact * 0.999:
        return "units_match" if abs(figure.coefficient - other.coefficient) <= 1e-9 else "figures_match"
    if ratio != 1:
        return "split_adjusted"
    below = other.sign < 0 or other.enclosed
    if figure.sign:
        down = below or (word is not None and word.sign < 0)
        if (figure.sign < 0 and not down) or (
            figure.sign > 0 and (other.sign < 0 or (word is not None and word.sign < 0))
        ):
            return "signs_match"
    elif other.sign < 0 and not figure.enclosed and (turn is None or turn.sign > 0):
        return "signs_match"
    if turn is not None and word is not None and turn.sign != word.sign and turn.change == word.change:
        return "direction_words"
    return None


def _misread_words(
    text: str, found: Sequence[Figure], turns: Sequence[Turn], evidence: Evidence
) -> Iterator[Misreading]:
    """Directions that are said without a number, against the one piece of evidence."""
    free = [turn for turn in turns if not found]
    if evidence.value is None:
        signs = quoted(evidence.text or "").signs
        for turn in free:
            if signs and turn.sign not in signs:
                yield Misreading("direction_words", turn.text, _shown(evidence), evidence.id)
        return
    measure = MEASURES[evidence.measure]
    sign = (evidence.value > 0) - (evidence.value < 0)
    for turn in free:
        if (sign and turn.sign != sign) if measure.signed else turn.change:
            yield Misreading("direction_words", turn.text, _shown(evidence), evidence.id)
    for word, lean in leans_in(text):
        if measure.directional and measure.reading(evidence.value) * lean < -OPPOSED:
            yield Misreading("direction_words", word, _shown(evidence), evidence.id)


def _misread_names(text: str, cited: Sequence[Evidence], frame: Frame) -> Iterator[Misreading]:
    named = frame.register.directory.named_in(text)
    own = {name.text for name in named if name.ticker == frame.ticker}
    quoted_words = " ".join(evidence.text for evidence in cited if evidence.text).lower()
    for name in named:
        if name.ticker != frame.ticker and name.text not in own and name.text.lower() not in quoted_words:
            yield Misreading("right_company", name.text, frame.ticker, "")


def _shows_time(evidence: Evidence, time: Period, text: str, frame: Frame) -> bool:
    if time.kind == "span" and time.number == frame.horizon_days and _AHEAD.search(text[: time.start]):
        return True
    if evidence.value is None:
        return _passage_shows_time(evidence, time, frame)
    measure = MEASURES[evidence.measure]
    spans, ends = _told(evidence.measure, evidence.period)
    if time.kind == "span":
        return time.number in spans
    if time.kind == "base":
        return time.base == "yoy" and (measure.name.endswith("_yoy") or measure.name.startswith("revenue_growth"))
    if time.fiscal:
        return False  # figures know no fiscal calendar
    if time.kind == "quarter":
        return any((end.month + 2) // 3 == time.number and time.year in (None, end.year) for end in ends)
    return _is_one_of(time, (*ends, evidence.available_at.date(), frame.as_of.date()))


def _passage_shows_time(evidence: Evidence, time: Period, frame: Frame) -> bool:
    published = evidence.available_at.date()
    shown = quoted(evidence.text or "").periods
    if time.kind == "span":
        return any(p.kind == "span" and p.number == time.number for p in shown)
    if time.kind == "base":
        return any(p.kind == "base" and p.base == time.base for p in shown)
    if time.kind == "quarter":
        years = {None, published.year, published.year - (time.number == 4)}
        return any(
            p.kind == "quarter"
            and p.number == time.number
            and (p.year == time.year or (p.year is None and time.year in years) or time.year is None)
            for p in shown
        )
    if time.kind == "year":
        return time.year == published.year or any(p.year == time.year for p in shown)
    if time.kind == "day" and time.day is None:
        return any(
            p.kind == "day" and (p.number == time.number or _month_day(p.day) == time.number) for p in shown
        ) or (time.number in (_month_day(published), _month_day(frame.as_of.date())))
    days = tuple(p.day for p in shown if p.day is not None)
    months = {(p.year, p.number) for p in shown if p.kind == "month"}
    return _is_one_of(time, (*days, published, frame.as_of.date())) or (
        time.kind == "month" and (time.year, time.number) in months
    )


def _is_one_of(time: Period, days: Sequence[date]) -> bool:
    if time.kind == "year":
        return any(day.year == time.year for day in days)
    if time.kind == "month":
        return any((day.year, day.month) == (time.year, time.number) for day in days)
    if time.day is None:
        return any(_month_day(day) == time.number for day in days)
    return time.day in days


def _month_day(day: date | None) -> int:
    return 0 if day is None else day.month * 100 + day.day


@lru_cache(maxsize=4096)
def _told(measure: str, period: str) -> tuple[frozenset[int], tuple[date, ...]]:
    """The lengths of time (sessions) and the days that a figure's own name and period tell."""
    row = MEASURES[measure]
    times = periods_in(f"{row.label}; {row.meaning}; {period}")
    spans = frozenset(time.number for time in times if time.kind == "span")
    return spans, tuple(time.day for time in times if time.day is not None)


@lru_cache(maxsize=256)
def _label(label: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(label)}\b", re.I)


def _without_label(text: str, measure: Measure) -> str:
    """The text without the measure's own names, whose words tell no direction (`drawdown`, `gross margin`)."""
    for name in (measure.label, measure.brief):
        if name:
            text = _label(name).sub(lambda match: " " * len(match.group(0)), text)
    return text


def _shown(evidence: Evidence) -> str:
    measure = MEASURES[evidence.measure]
    return measure.show(evidence.value) if evidence.value is not None else "what the passage says"


def _times_of(cited: Sequence[Evidence]) -> str:
    return "; ".join(evidence.period for evidence in cited[:3])
