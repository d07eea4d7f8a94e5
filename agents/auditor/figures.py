"""Numbers as they are written in a text: value, unit, sign, and how exactly they are meant.

A figure is meant to half a unit of the last digit written: `12.4%` says anything from 12.35 % to 12.45 %. Times
(`periods`) and aliases (`E3`) are no figures; they are taken out before.
"""

import re
from dataclasses import dataclass
from typing import Literal

Unit = Literal["percent", "points", "multiple", "money", "plain"]
"""`points` are percentage points (basis points too), `multiple` is `3.2x`, `plain` everything without a unit."""

_NUMBER = re.compile(
    r"(?<![\w.,])(?P<open>\()?(?P<sign>[+\-\u2212\u2013])?(?P<money>(?:US|C|A)?[$\u20ac\u00a3\u00a5]\s?)?"
    r"(?P<inner>[-\u2212(])?"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"(?:[\s-]?(?P<word>thousand|million|billion|trillion|mn|bn|tn)\b|(?P<letter>[kmbKMBT])\b)?"
    r"(?:[\s-]?(?P<unit>%|percentage points?\b|per cent\b|percent\b|pp\b|basis points?\b|bps?\b|x\b|times\b"
    r"|dollars?\b|USD\b|euros?\b))?",
)
_NO_FIGURE = re.compile(r"^-?[A-Za-z]")
"""What may not follow: the digits belong to a name (`10-K`, `H100`)."""
_SCALES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "million": 1e6, "b": 1e9, "bn": 1e9, "billion": 1e9}
_SCALES |= {"t": 1e12, "tn": 1e12, "trillion": 1e12}
_UNITS: dict[str, tuple[Unit, float]] = {
    "%": ("percent", 0.01),
    "percent": ("percent", 0.01),
    "per cent": ("percent", 0.01),
    "percentage point": ("points", 0.01),
    "pp": ("points", 0.01),
    "basis point": ("points", 1e-4),
    "bp": ("points", 1e-4),
    "x": ("multiple", 1.0),
    "time": ("multiple", 1.0),
    "dollar": ("money", 1.0),
    "usd": ("money", 1.0),
    "euro": ("money", 1.0),
}


@dataclass(frozen=True)
class Figure:
    """A number as written in a text."""

    text: str
    start: int
    """Where it stands in the text it was read from."""
    end: int
    coefficient: float
    """The digits as a number, without sign, scale and unit."""
    value: float
    """Magnitude in units of 1: `12%` is 0.12, `$1.2 billion` is 1.2e9, `30 bps` is 0.003."""
    tolerance: float
    """Half a unit of the last digit written, in the units of `value`."""
    unit: Unit
    scale: float
    """Of the words for it: 1e6 for `million`."""
    sign: int
    """+1 or -1 where one is written, else 0."""
    enclosed: bool
    """Whether it stands between brackets, which can be the sign of accountants."""

    @property
    def percent(self) -> bool:
        """Whether it is written in per cent."""
        return self.unit == "percent"


def figures_in(text: str) -> tuple[Figure, ...]:
    """All numbers of a text, in order. Times and aliases are taken for numbers: blank them out before."""
    found = []
    for match in _NUMBER.finditer(text):
        unit, scale = match["unit"], match["word"] or match["letter"]
        if unit is None and _NO_FIGURE.match(text[match.end() : match.end() + 2]):
            continue
        kind, factor = _unit_of(unit)
        if match["money"]:
            kind = "money"
        scale_factor = _SCALES[scale.lower()] if scale else 1.0
        digits = match["digits"]
        coefficient = float(digits.replace(",", ""))
        sign = match["sign"] or (match["inner"] if match["inner"] in ("-", "\u2212") else None)
        found.append(
            Figure(
                text=match.group(0).strip(" ("),
                start=match.start(),
                end=match.end(),
                coefficient=coefficient,
                value=coefficient * scale_factor * factor,
                tolerance=0.5 * 10.0 ** -len(digits.partition(".")[2]) * scale_factor * factor,
                unit=kind,
                scale=scale_factor,
                sign=0 if sign is None else 1 if sign == "+" else -1,
                # `(27.5%)` is a negative number; in `(27.5%, E3)` the bracket only holds an aside
                enclosed=(bool(match["open"]) or match["inner"] == "(")
                and ")" in text[match.start() : match.end() + 2],
            )
        )
    return tuple(found)


def _unit_of(written: str | None) -> tuple[Unit, float]:
    if written is None:
        return "plain", 1.0
    word = written.lower()
    return _UNITS[word] if word in _UNITS else _UNITS[word.removesuffix("s")]
