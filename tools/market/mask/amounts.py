"""The amounts of money in a text, multiplied by a factor and printed with as many digits as before.

An amount is what a currency sign or a word for money says it is, and a number in a table of money: one with a currency
sign in it, or that is headed "in millions". Rows of shares, employees, rates and percentages are left as they are.
Numbers in running text without either (slides turned into text) are not recognised.
"""

import re
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext

from .edits import Edit
from .years import years

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
_SCALE = r"(?:thousand|million|billion|trillion|bn|mm|[KMBT])"
_AMOUNT = re.compile(
    rf"[$€£¥]\s?\(?\s?-?(?P<first>{_NUMBER})"
    rf"(?:\s?{_SCALE}\b)?(?:\s?(?:-|\u2013|\u2014|to|and|or)\s?(?P<last>{_NUMBER})(?=\s?(?:{_SCALE}|per\s\w*\s?share)\b))?"
)
_IN_WORDS = re.compile(
    rf"(?P<number>\d[\d,]{{0,20}}(?:\.\d{{1,9}})?)\s(?:{_SCALE}\s)?(?:(?:U\.?S\.?|Canadian)\s)?(?:dollars|cents|euros|USD|EUR|GBP)\b"
)
_CELL = re.compile(rf"[\s$€£¥(\u2013-]*(?P<number>{_NUMBER})[\s)]*(?:\(\d\))?\s*")
_MONEY_TABLE = re.compile(r"[$€£¥]|\bin (?:millions|thousands|billions)\b|\bUSD\b", re.IGNORECASE)
_PER_SHARE = re.compile(r"\bper\b.*\bshare\b|\bEPS\b|\bdividends?\b", re.IGNORECASE)
_COUNTED = re.compile(
    r"^\W*(?:weighted|shares|number|average (?:number|shares|common)|basic shares|diluted shares|headcount|employees)|"
    r"\bshares (?:outstanding|used|repurchased|issued|authorized)\b|\bshares\s*(?:\(|$)",
    re.IGNORECASE,
)
_RATE = re.compile(
    r"%|\b(?:percent\w*|ratio|rate|margin|yield|growth|basis points|bps|days|employees|headcount|customers|members|"
    r"units|multiple|leverage|people|stores|return on|effective tax|change in)\b",
    re.IGNORECASE,
)
_CONTEXT_LINES = 4
"""Lines above a table in which its unit can be said."""


def scaled(number: str, factor: float, *, whole: bool = False) -> str:
    """A printed number times a factor, with the decimals it had, and as many more as it lost digits before the point.

    Args:
        number: digits with or without thousands separators and decimals.
        factor: greater than 0.
        whole: print a number without decimals without any, however few digits are left.
    """
    value = Decimal(number.replace(",", ""))
    decimals = len(number.partition(".")[2])
    result = value * Decimal(repr(factor))
    if not (whole and not decimals) and result:
        # a leading zero is no digit, so 0.5 times 0.3 keeps one digit more
        lost = value.adjusted() - result.adjusted()
        decimals += max(0, lost)
    grouped = "," in number or value < 1000
    with localcontext(Context(rounding=ROUND_HALF_EVEN)):  # whatever another library has set for the thread
        return f"{result:{',' if grouped else ''}.{decimals}f}"


def amount_edits(text: str, factor: float) -> Iterator[Edit]:
    """Each amount of money in a text times the factor."""
    for match in _AMOUNT.finditer(text):
        for name in ("first", "last"):
            if match[name] is not None:
                yield Edit(*match.span(name), scaled(match[name], factor, whole="," in match[name]))
    for match in _IN_WORDS.finditer(text):
        if text[match.start() - 1 : match.start()] not in {*"$€£¥.,"}:
            yield Edit(*match.span("number"), scaled(match["number"], factor))
    if "|" in text:
        yield from _table_edits(text, factor)


def _table_edits(text: str, factor: float) -> Iterator[Edit]:
    calendar = {year.start for year in years(text)}
    context: list[str] = []
    of_money, counted, place = False, False, 0
    for line in text.splitlines(keepends=True):
        start, place = place, place + len(line)
        if not line.strip():
            continue
        if "|" not in line:
            context = [*context[-_CONTEXT_LINES + 1 :], line]
            of_money = counted = False
            continue
        of_money = of_money or bool(_MONEY_TABLE.search(line)) or any(_MONEY_TABLE.search(row) for row in context)
        label, *cells = line.rstrip("\n").split("|")
        numbered = any(any(sign.isdigit() for sign in cell) for cell in cells)
        if not numbered and label.strip():
            counted = bool(_COUNTED.search(label)) and not label.lower().startswith(("earnings", "net income"))
        if of_money and numbered and _is_money(label, counted):
            yield from _row_edits(line, start, factor, calendar)


def _is_money(label: str, counted: bool) -> bool:
    if _PER_SHARE.search(label):
        return not _COUNTED.match(label)
    return not (_COUNTED.search(label) or _RATE.search(label) or counted)


def _row_edits(line: str, start: int, factor: float, calendar: set[int]) -> Iterator[Edit]:
    offset = start + len(line.split("|", 1)[0]) + 1
    cells = line.rstrip("\n").split("|")[1:]
    for i, cell in enumerate(cells):
        match = _CELL.fullmatch(cell)
        beside = cells[i + 1].strip() if i + 1 < len(cells) else ""
        if match is not None and not beside.startswith("%") and offset + match.start("number") not in calendar:
            number = scaled(match["number"], factor, whole=True)
            yield Edit(offset + match.start("number"), offset + match.end("number"), number)
        offset += len(cell) + 1
