"""The decimal numerals between two bounds, as a tree of digits.

A numeral is an optional minus, an integer part without leading zeros, and up to so many digits after a point. Bounds
are compared digit by digit: beside a bound the next digit is bounded too, and once a numeral has left both bounds any
digit may follow. A numeral may end after any digit of its fraction, because what is left off is zeros.
"""

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

DIGITS = "0123456789"


class Run(NamedTuple):
    """`minimum` to `maximum` digits of a set."""

    digits: str
    minimum: int
    maximum: int


class Fork(NamedTuple):
    """One of several numerals' ends."""

    branches: tuple[tuple["Part", ...], ...]


Part = str | Run | Fork
"""A part of a numeral: text as it stands, a run of digits, or a fork."""


def numerals(low: Decimal, high: Decimal, places: int) -> Fork:
    """All numerals from `low` to `high` with at most `places` digits after the point; there must be one."""
    first = int(low.scaleb(places).to_integral_value(ROUND_CEILING))
    last = int(high.scaleb(places).to_integral_value(ROUND_FLOOR))
    branches: list[tuple[Part, ...]] = []
    if first < 0:
        branches += [("-", *branch) for branch in _magnitudes(max(1, -last), -first, places)]
    if last >= 0:
        branches += _magnitudes(max(0, first), last, places)
    return Fork(tuple(branches))


def _magnitudes(first: int, last: int, places: int) -> list[tuple[Part, ...]]:
    """Numerals of the units from `first` to `last`, by the number of digits before the point."""
    branches = []
    for whole in range(1, max(len(str(last)) - places, 1) + 1):
        low = max(first, 10 ** (whole - 1 + places) if whole > 1 else 0)
        high = min(last, 10 ** (whole + places) - 1)
        if low <= high:
            width = whole + places
            branches.append(_whole(str(low).zfill(width), str(high).zfill(width), whole))
    return branches


def _whole(low: str, high: str, left: int) -> tuple[Part, ...]:
    """Digits from `low` to `high`, of which `left` come before the point."""
    if left:
        return _digit(low, high, lambda low, high: _whole(low, high, left - 1))
    return _fraction(low, high, ".")


def _fraction(low: str, high: str, point: str = "") -> tuple[Part, ...]:
    """What may follow in the fraction, or nothing where nothing is within the bounds."""
    if not low:
        return ()
    if low == "0" * len(low) and high == "9" * len(high):
        more: tuple[Part, ...] = (Run(DIGITS, 1, len(low)),)
    else:
        more = _digit(low, high, _fraction)
    more = (point, *more) if point else more
    return (Fork(((), more)),) if low == "0" * len(low) else more


def _digit(low: str, high: str, then: Callable[[str, str], tuple[Part, ...]]) -> tuple[Part, ...]:
    """One digit, then what may follow it."""
    rest = len(low) - 1
    zeros, nines = "0" * rest, "9" * rest
    if low[0] == high[0]:
        return (low[0], *then(low[1:], high[1:]))
    begin = int(low[0]) + (low[1:] != zeros)
    end = int(high[0]) - (high[1:] != nines)
    branches: list[tuple[Part, ...]] = []
    if begin > int(low[0]):
        branches.append((low[0], *then(low[1:], nines)))
    if begin <= end:
        branches.append((Run(DIGITS[begin : end + 1], 1, 1), *then(zeros, nines)))
    if end < int(high[0]):
        branches.append((high[0], *then(zeros, high[1:])))
    return (Fork(tuple(branches)),)
