"""Times as a text names them: days, months, quarters, years, lengths, and what something is compared with."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?|July?|Aug(?:ust|\.)?|Sept?(?:ember|\.)?"
)
_MONTH += r"|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
_YEAR = r"(?:19|20)\d\d"
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "final": 4, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}
_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "nine": 9, "ten": 10, "twelve": 12, "a": 1}
_FISCAL = r"(?:\s+(?:of\s+)?(?:the\s+)?(?P<fiscal>fiscal|fy)?\s*(?:year\s+)?)?"
_PATTERN = re.compile(
    rf"(?P<iso>{_YEAR}-\d\d-\d\d)"
    rf"|(?P<mdy>\b{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+{_YEAR})?\b)"
    rf"|(?P<dmy>\b\d{{1,2}}\s+{_MONTH}(?:\s+{_YEAR})?\b)"
    rf"|(?P<my>\b{_MONTH},?\s+{_YEAR}\b)"
    rf"|(?P<quarter>\b(?:Q(?P<q>[1-4])|(?P<qa>[1-4])Q|(?P<qw>first|second|third|fourth|final|1st|2nd|3rd|4th)[\s-]+(?:fiscal\s+)?quarter)"
    rf"{_FISCAL}(?:'?(?P<qy>{_YEAR}|(?<=')\d\d|(?<=FY)\d\d|(?<=[1-4]Q)\d\d))?\b)"
    rf"|(?P<year>\b(?:(?P<fy>fiscal(?:\s+year)?|FY)\s?)?(?P<y>{_YEAR}|(?<=FY)\d\d)(?![\d,]*\s?(?:%|million|billion|shares|employees|MW|dollars))\b)"
    r"|(?P<yoy>\byear[\s-](?:over|on|to)[\s-]year\b|\bYoY\b|\ba\s+year\s+(?:ago|earlier|before)\b|\b(?:from|over|than|versus|to|with|in)\s+(?:the\s+)?"
    r"(?:last|prior|previous|preceding)[\s-]year\b|\bprior[\s-]year\b|\bsame\s+(?:quarter|period)\s+(?:of\s+|in\s+)?(?:a|the|last|one)?\s*"
    r"(?:prior\s+|previous\s+)?year(?:\s+(?:ago|before|earlier))?\b|\byear[\s-]ago\b|\bthe\s+year\s+before\b)"
    r"|(?P<qoq>\bsequential(?:ly)?\b|\bquarter[\s-](?:over|on)[\s-]quarter\b|\bQoQ\b|\b(?:from|over|than|versus|to|with)\s+(?:the\s+)?"
    r"(?:last|prior|previous|preceding)[\s-]quarter\b|\b(?:prior|previous)[\s-]quarter\b|\ba\s+quarter\s+(?:ago|earlier|before)\b)"
    r"|(?P<mom>\bmonth[\s-](?:over|on)[\s-]month\b|\bMoM\b|\b(?:from|over|than)\s+(?:the\s+)?(?:last|prior|previous)[\s-]month\b)"
    r"|(?P<span>\b(?P<n>\d{1,3}|one|two|three|four|five|six|nine|ten|twelve)[\s-]+(?P<u>day|session|week|month|quarter|year)s?\b)"
    r"|(?P<ttm>\b(?:TTM|LTM|trailing[\s-]twelve[\s-]months?|full[\s-]year|annual(?:ly|i[sz]ed)?|yearly|(?<!\bend\s)(?:of|in|for|over|during)\s+(?:the\s+)?"
    r"(?:past\s+|last\s+|latest\s+|whole\s+|fiscal\s+)?year)\b)"
    r"|(?P<one>\b(?:quarterly|(?<!\bend\s)(?:of|in|for|over|during)\s+(?:the\s+)?(?:past\s+|last\s+|latest\s+|most\s+recent\s+|current\s+|reported\s+)?quarter)\b)"
    r"|(?P<monthly>\b(?:monthly|(?:over|during|in)\s+(?:the\s+)?(?:past|last|latest)\s+month)\b)"
    r"|(?P<weekly>\b(?:weekly|(?:over|during|in)\s+(?:the\s+)?(?:past|last|latest)\s+week)\b)",
    re.I,
)

Kind = Literal["day", "month", "quarter", "year", "span", "base"]


@dataclass(frozen=True)
class Period:
    """A time that a text names."""

    text: str
    start: int
    end: int
    kind: Kind
    year: int | None = None
    """None where none is written."""
    number: int = 0
    """Month of the year, quarter of the year, or for a `span` its sessions (21 a month)."""
    day: date | None = None
    """Of a `day` with a year."""
    base: str = ""
    """Of a comparison: `yoy`, `qoq`, `mom`."""
    fiscal: bool = False

    @property
    def key(self) -> tuple[object, ...]:
        """What two mentions of the same time share."""
        return (self.kind, self.year, self.number, self.day, self.base)


SESSIONS = {"day": 1.0, "session": 1.0, "week": 5.0, "month": 21.0, "quarter": 63.0, "year": 252.0}
"""Sessions of the exchange by unit of time; a number of days is taken for sessions, as charts do."""


def periods_in(text: str) -> tuple[Period, ...]:
    """All times that a text names, in order."""
    return tuple(_period(match) for match in _PATTERN.finditer(text))


def blanked(text: str, periods: tuple[Period, ...]) -> str:
    """The text with its times blanked out, every other character in its place."""
    for period in periods:
        text = text[: period.start] + " " * (period.end - period.start) + text[period.end :]
    return text


def _period(match: re.Match[str]) -> Period:
    text, start, end = match.group(0), match.start(), match.end()
    read = next(reader for name, reader in _READERS.items() if match[name])
    return Period(text=text, start=start, end=end, **read(match))


Fields = dict[str, Any]


def _iso(match: re.Match[str]) -> Fields:
    try:
        day = date.fromisoformat(match["iso"])
    except ValueError:
        return {"kind": "day", "number": -1}  # no such day: nothing can show it
    return {"kind": "day", "day": day, "year": day.year, "number": day.month}


def _written_day(match: re.Match[str]) -> Fields:
    words = re.findall(r"[A-Za-z]+|\d+", match.group(0))
    month = next(_month_of(word) for word in words if word[0].isalpha() and _month_of(word))
    numbers = [int(word) for word in words if word.isdigit()]
    year = next((n for n in numbers if n > 99), None)
    number = next((n for n in numbers if n <= 99), 0)
    if year is None:
        return {"kind": "day", "number": month * 100 + number}
    try:
        return {"kind": "day", "day": date(year, month, number), "year": year, "number": month}
    except ValueError:
        return {"kind": "day", "number": -1}


def _month_year(match: re.Match[str]) -> Fields:
    words = re.findall(r"[A-Za-z]+|\d+", match.group(0))
    return {"kind": "month", "number": _month_of(words[0]), "year": int(words[-1])}


def _quarter(match: re.Match[str]) -> Fields:
    number = int(match["q"] or match["qa"] or _ORDINALS[match["qw"].lower()])
    fiscal = match["fiscal"] is not None or "fiscal" in match.group(0).lower()
    return {"kind": "quarter", "number": number, "year": _year_of(match["qy"]), "fiscal": fiscal}


def _year(match: re.Match[str]) -> Fields:
    return {"kind": "year", "year": _year_of(match["y"]), "fiscal": match["fy"] is not None}


def _span(match: re.Match[str]) -> Fields:
    number = int(match["n"]) if match["n"].isdigit() else _NUMBERS[match["n"].lower()]
    return {"kind": "span", "number": round(number * SESSIONS[match["u"].lower()])}


def _year_of(written: str | None) -> int | None:
    return None if written is None else int(written) + (2000 if len(written) == 2 else 0)


def _month_of(word: str) -> int:
    short = word.lower()[:3]
    return _MONTHS.index(short) + 1 if short in _MONTHS else 0


_READERS: dict[str, Callable[[re.Match[str]], Fields]] = {
    "iso": _iso,
    "mdy": _written_day,
    "dmy": _written_day,
    "my": _month_year,
    "quarter": _quarter,
    "year": _year,
    "yoy": lambda _: {"kind": "base", "base": "yoy"},
    "qoq": lambda _: {"kind": "base", "base": "qoq"},
    "mom": lambda _: {"kind": "base", "base": "mom"},
    "span": _span,
    "ttm": lambda _: {"kind": "span", "number": 252},
    "one": lambda _: {"kind": "span", "number": 63},
    "monthly": lambda _: {"kind": "span", "number": 21},
    "weekly": lambda _: {"kind": "span", "number": 5},
}
