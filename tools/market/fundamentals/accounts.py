"""All versions of the figures of one concept, and the quarters that follow from them by subtraction.

A running total is reduced by the part that was known when it was filed, else by the first that was filed after it.
Pairing the newest of both would mix a restated part with a total as first filed.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import accumulate, chain
from typing import NamedTuple

from .concepts import ConceptKind, ConceptUnit
from .figures import GAP_DAYS, Figure, combined, months_of, nearest

_DAY = timedelta(days=1)


class Version(NamedTuple):
    """A figure as one filing gave it, or as two of them give it by subtraction."""

    figure: Figure
    """In the shares of the filing's day; for a difference, as if no split lay between its filings."""
    sessions_before: int
    """How many sessions of the market lie on or before the (earlier) day of filing."""
    total: "Version | None" = None
    part: "Version | None" = None
    """What a difference is made of; None for a figure as filed."""


Versions = dict[date, list[Version]]
"""By last day; each list in the order in which its versions became known."""


class Account:
    """All versions of all figures of one concept.

    Args:
        versions: as filed, in the order in which they became known.
        kind: whether periods may be subtracted.
        unit: whether splits change it.
    """

    def __init__(self, versions: Sequence[Version], kind: ConceptKind, unit: ConceptUnit) -> None:
        self.kind = kind
        self.unit = unit
        self.levels: Versions = {}
        self.spans: dict[date, dict[date, list[Version]]] = {}
        """Periods as filed, by last and first day."""
        self.quarters: Versions = {}
        """The last known version of a list is the one that counts."""
        self.years: Versions = {}
        """Twelve months as filed."""
        self.rests: Versions = {}
        """What is left of a year after its first months."""
        for version in versions:
            start, end = version.figure.start, version.figure.end
            if start is None:
                self.levels.setdefault(end, []).append(version)
            else:
                self.spans.setdefault(end, {}).setdefault(start, []).append(version)
        for end, starts in self.spans.items():
            for months, filed in ((3, self.quarters), (12, self.years)):
                if found := [rows for start, rows in starts.items() if months_of(start, end) == months]:
                    # One list is as it came; several have to be merged.
                    filed[end] = sorted(chain(*found), key=_known) if len(found) > 1 else found[0]
        self.days = tuple(sorted({version.figure.end for version in versions}))
        if kind == "flow":
            self._subtract()
        self._known_from = [version.figure.available_at for version in versions]
        self._newest = list(accumulate((version.figure.end for version in versions), max))

    def newest(self, as_of: datetime) -> date | None:
        """The last day of the newest period that was known."""
        known = bisect_right(self._known_from, as_of)
        return self._newest[known - 1] if known else None

    def _subtract(self) -> None:
        by_start: dict[date, list[list[Version]]] = {}
        for starts in self.spans.values():
            for start, versions in starts.items():
                by_start.setdefault(start, []).append(versions)
        quarters: Versions = {}
        for start, totals in by_start.items():
            # The exact start last, which wins where two parts differ by days and are known alike.
            near = [day for day in nearest(start, GAP_DAYS) if day in by_start]
            parts = [versions for day in reversed(near) for versions in by_start[day]]
            for versions in totals:
                self._reduce(versions, parts, quarters)
        for rests in (*quarters.values(), *self.rests.values()):
            rests.sort(key=_known)
        for end, rests in quarters.items():
            # What was filed as a quarter stands above any difference, from its filing on.
            filed = self.quarters.get(end, [])
            earlier = [rest for rest in rests if not filed or rest.figure.available_at < filed[0].figure.available_at]
            self.quarters[end] = earlier + filed

    def _reduce(self, totals: Sequence[Version], parts: Iterable[Sequence[Version]], quarters: Versions) -> None:
        whole = totals[0].figure
        is_year = whole.months == 12
        for versions in parts:
            first = versions[0].figure.end
            if first >= whole.end:
                continue
            start = first + _DAY
            months = months_of(start, whole.end)
            if is_year or months == 3:
                rests = [_rest(total, versions, start) for total in totals]
                if months == 3:
                    quarters.setdefault(whole.end, []).extend(rests)
                if is_year:
                    self.rests.setdefault(whole.end, []).extend(rests)


def _known(version: Version) -> tuple[datetime, datetime]:
    total = version.total or version
    return version.figure.available_at, total.figure.available_at


def _rest(total: Version, parts: Sequence[Version], start: date) -> Version:
    """A running total minus its part, as that was known when the total was filed."""
    whole = total.figure
    part = next((row for row in reversed(parts) if row.figure.available_at <= whole.available_at), parts[0])
    figure = combined(whole.value - part.figure.value, (whole, part.figure), start, whole.end)
    return Version(figure, min(total.sessions_before, part.sessions_before), total, part)
