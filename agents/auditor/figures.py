"""Every number in a text must be one that its evidence shows.

A number is taken as written: sign, digits, unit. It is accepted when the cited evidence prints the same figure (to
half a unit of the last digit written), when the passage it cites contains it, or when it belongs to the name of the
measure ("3-month return") or to the evidence's alias ("E3").
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ...tools.evidence import Evidence
from ...tools.measures import MEASURES

_NUMBER = re.compile(
    r"(?<![\w.])([+\-\u2212]?)\$?(\d[\d,]*(?:\.\d+)?)\s?(%|percent\b|per cent\b|bn\b|billion\b|m\b|million\b)?", re.I
)
_ALIAS = re.compile(r"\bE\d+\b")
_SPAN = re.compile(r"\b(\d+)[- ](day|session|month|quarter|year)s?\b", re.I)
_SCALES = {"bn": 1e9, "billion": 1e9, "m": 1e6, "million": 1e6}


@dataclass(frozen=True)
class Figure:
    """A number as written in a text."""

    text: str
    value: float
    """With its sign and scale; per cent as fractions."""
    percent: bool
    tolerance: float
    """Half a unit of the last digit written, in the units of `value`."""
    signed: bool
    """Whether a sign was written."""


def figures_in(text: str) -> tuple[Figure, ...]:
    """All numbers of a text, aliases (`E3`) left out."""
    found = []
    for match in _NUMBER.finditer(_ALIAS.sub(" ", text)):
        sign, digits, unit = match.group(1), match.group(2).rstrip(","), (match.group(3) or "").lower()
        percent = unit in {"%", "percent", "per cent"}
        scale = 0.01 if percent else _SCALES.get(unit, 1.0)
        decimals = len(digits.partition(".")[2])
        value = float(digits.replace(",", "")) * scale * (-1 if sign in {"-", "\u2212"} else 1)
        found.append(Figure(match.group(0).strip(), value, percent, 0.5 * 10**-decimals * scale, bool(sign)))
    return tuple(found)


def unsupported_figures(text: str, cited: Iterable[Evidence]) -> tuple[Figure, ...]:
    """The numbers of `text` that none of the cited evidence shows."""
    cited = tuple(cited)
    spans = {span for evidence in cited for span in _spans_in(MEASURES[evidence.measure].label)}
    told = _SPAN.sub(lambda match: " " if _span_of(match) in spans else match.group(0), text)
    return tuple(f for f in figures_in(told) if not any(_shows(evidence, f) for evidence in cited))


def _span_of(match: re.Match[str]) -> tuple[str, str]:
    return match.group(1), match.group(2).lower()


def _spans_in(label: str) -> set[tuple[str, str]]:
    """The lengths of time in the name of a measure: (3, month) in `3-month return`."""
    return {_span_of(match) for match in _SPAN.finditer(label)}


def _shows(evidence: Evidence, figure: Figure) -> bool:
    measure = MEASURES[evidence.measure]
    if evidence.value is None:
        return any(_same(figure, part) for part in figures_in(evidence.text or ""))
    if figure.percent != (measure.unit == "fraction"):
        return False
    if measure.signed and not figure.signed and evidence.value < 0:
        return False
    slack = figure.tolerance * (1 + 1e-9) + 1e-12
    return abs(figure.value - evidence.value) <= slack


def _same(figure: Figure, other: Figure) -> bool:
    return (
        figure.percent == other.percent
        and abs(abs(figure.value) - abs(other.value)) <= min(figure.tolerance, other.tolerance)
        and (figure.value < 0) == (other.value < 0)
    )
