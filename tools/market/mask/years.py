"""The years in a text: where they stand, in which spelling, and the same spelling of a later year.

A shift by 28 years, or a multiple, leaves weekdays and leap days where they were, so a date keeps its month and day and
only its year changes. What merely looks like a year (an amount, a count, a telephone number, the year of an old act) is
told apart by what stands before and after it. Years in words (twenty twenty-four) are not recognised.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from .edits import Edit


class Year(NamedTuple):
    """A year in a text: its digits stand at `start:end`."""

    start: int
    end: int
    year: int
    """In full; two digits are taken for 20xx."""
    two_digits: bool


_REACH = 28
"""Characters before and after a number that can tell what it is."""
_OLD_ACTS = 2000
"""The Exchange Act of 1934 and its like are law, not news."""

_NUMBER = re.compile(r"\d+")
_MONTH = r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)[a-z]*\.?"
_COUNTED = (
    r"(?:million|billion|trillion|thousand|hundred|units?|shares?|employees|people|persons|basis|bps|bp|stores?|sites?|"
    r"square|sq|acres|miles|km|points?|customers?|members?|patients|users|items|pages|votes|patents|locations|"
    r"countries|hours|minutes|times|dollars|cents|euros|USD|GPUs?|CPUs?|MW|GW|kW|MHz|GHz|GB|TB|clinics|branches|"
    r"aircraft|vehicles)\b"
)
_ADDED = r"(?:(?:more|new|additional|total|net|active|further|full-time|company|retail|common|American|other)\s)?"

_PERIOD = r"(?:\b(?:FY|CY|F)\s?|(?<![\w.])(?:[1-4]\s?Q|Q[1-4]|[12]H|H[12]|[369]M)\s?)"
_DATED = re.compile(
    rf"(?:{_MONTH}\s?(?:\d{{1,2}}(?:st|nd|rd|th)?,?\s?)?,?\s?|\b(?:[Ff]iscal|[Yy]ear|since|ended|ending)\s|{_PERIOD}"
    r"|(?<!\d)\d{1,2}([/.-])\d{1,2}\1|(?<![\d-])(?:19|20)\d\d\s?[-\u2013/]\s?)$"
)
_NO_YEAR_BEFORE = re.compile(
    r"(?:[$€£¥]\s?\|?\s?\(?\s?|[#.,+%*]|\d[-\u2011.]|\w"
    r"|\b(?:Section|Rules?|Item|Exhibit|No\.|Number|Note|Suite|Room|Form|Model|Part|Release)\s#?)$"
)
_NO_YEAR_AFTER = re.compile(
    r"[.,]\d|\d|%(?! [Cc]hange)|\s%|[-\u2013](?!(?:19|20)\d\d(?!\d))\d{3}|_"
    r"|(?!s\b|[EFA]\b|YTD|Q[1-4]|H[12]|T\d\d:|[A-Z][a-z])[^\W\d_]"
)
_COUNTED_AFTER = re.compile(rf"\s{_ADDED}{_COUNTED}")
_SHORT_BEFORE = re.compile(
    r"(?:\b(?:FY|CY|F)\s?['\u2019]?|\b[Ff](?:iscal|ISCAL)(?: [Yy]ear| YEAR)?\s['\u2019]?"
    r"|(?<![\w.])(?:(?:[1-4]\s?[Qq]|[12]H|[369]M|Q[1-4])\s?['\u2019]?|H[12]\s?['\u2019])"
    rf"|{_MONTH}\s?[-'\u2019]|(?<![\w'\u2019])['\u2019]|(?<![\d/])\d{{1,2}}/\d{{1,2}}/)$"
)
_SHORT_AFTER = re.compile(r"(?:(?![\w%\u2019'])|['\u2019]s?\b|(?:E|F|A|H|YTD|Q\d)\b)(?![.,/]\d|\s%|-\d)")
_RANGE_BEFORE = re.compile(r"(?<![\w$.,])(?P<first>(?:19|20)\d\d)\s?[-\u2013/]\s?$")
_HINTS = frozenset("FYQHMqyfhml/'\u2019-\u2013 ")
"""A two-digit year stands after one of these."""


def years(text: str) -> Iterator[Year]:
    """The years in a text, in order; amounts, counts and numbers of other things left out."""
    for match in _NUMBER.finditer(text):
        start, end = match.span()
        size = end - start
        if size == 4:
            digits = text[start:end]
            if digits[:2] in {"19", "20"} and _is_year(text, start, end):
                yield Year(start, end, int(digits), False)
        elif size == 2 or size == 3:
            # the third digit is a footnote's mark: FY241, 3Q241
            if start and text[start - 1] in _HINTS and (year := _short_year(text, start, end)) is not None:
                yield Year(start, start + 2, year, True)
        elif size == 5:
            if text[start : start + 2] == "20" and _is_year_with_mark(text, start, end):
                yield Year(start, start + 4, int(text[start : start + 4]), False)
        elif size == 8 and _is_compact_date(text, start, end):
            yield Year(start, start + 4, int(text[start : start + 4]), False)


def year_edits(text: str, shift: int) -> Iterator[Edit]:
    """Each year of a text, `shift` years later, in the same spelling."""
    for year in years(text):
        later = year.year + shift
        yield Edit(year.start, year.end, f"{later % 100:02d}" if year.two_digits else str(later))


def _is_year(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - _REACH) : start], text[end : end + _REACH]
    if _NO_YEAR_AFTER.match(after):
        return False
    if _DATED.search(before):
        return True
    if int(text[start:end]) < _OLD_ACTS and before.endswith("Act of "):
        return False
    return not _NO_YEAR_BEFORE.search(before) and not _COUNTED_AFTER.match(after)


def _is_year_with_mark(text: str, start: int, end: int) -> bool:
    """Whether five digits are a year and a footnote's mark, as slides turned into text have them."""
    if text[end - 1] == "0" or text[end : end + 1].isalnum():
        return False
    return bool(_DATED.search(text[max(0, start - _REACH) : start]))


def _is_compact_date(text: str, start: int, end: int) -> bool:
    """Whether eight digits are a date such as 20240331."""
    century, month, day = text[start : start + 2], int(text[start + 4 : start + 6]), int(text[start + 6 : end])
    inside = (text[start - 1 : start] + text[end : end + 1]).replace("_", "")
    if century not in {"19", "20"} or not 1 <= month <= 12 or not 1 <= day <= 31:
        return False
    return not any(sign.isalnum() or sign in "$.," for sign in inside.removesuffix("."))


def _short_year(text: str, start: int, end: int) -> int | None:
    before, after = text[max(0, start - _REACH) : start], text[end : end + 4]
    if not _SHORT_AFTER.match(after):
        return None
    value = int(text[start : start + 2])
    if _SHORT_BEFORE.search(before):
        return 2000 + value
    span = _RANGE_BEFORE.search(before)
    # 2023-24 is two years, 2010-11 can be a month
    if span and end - start == 2 and value > 12 and value == (int(span["first"]) + 1) % 100:
        return int(span["first"]) + 1
    return None
