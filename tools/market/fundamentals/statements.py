"""The statements of one company as they were known at a view's time: quarters, twelve months, levels, growth.

Filings give quarters, running totals of the fiscal year (6, 9, 12 months), and balance-sheet figures at a day. A
fourth quarter is never filed, nor is a quarter of a cash-flow statement: both are the difference of two running
totals. The newest filing wins for a concept and period; a restatement counts from its own filing on. Nothing is filled
or carried forward: what cannot be had from exactly the periods it names is absent.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import cached_property
from math import fsum, isfinite

import pandas as pd

from ...errors import InputError
from ..view import MarketView
from .accounts import Account, Version
from .concepts import CONCEPTS
from .figures import GAP_DAYS, Figure, combined, months_of, nearest
from .ledger import Ledger, ledger

PRICE_SESSIONS = 5
"""A last trade longer ago than so many sessions (a halt, a delisting) is no price any more."""

_DAY = timedelta(days=1)
_YEAR = timedelta(days=365)
_YEAR_REACH = 8
"""How far from 365 days the ends of two comparable periods may lie: 357 to 373, which takes in 52 and 53 weeks."""


def quotient(top: Figure | None, bottom: Figure | None, end: date) -> Figure | None:
    """The quotient of two figures, absent where either is, or where the base is not above zero."""
    if top is None or bottom is None or bottom.value <= 0:
        return None
    return combined(top.value / bottom.value, (top, bottom), None, end)


class Statements:
    """The figures of one company that were known; made by `statements`.

    Concepts go by their canonical names (`fundamentals.concepts.CONCEPTS`); other names that the company filed serve
    as well. A name that is neither is refused, so that a slip of the pen is not taken for an absent figure.
    """

    def __init__(self, view: MarketView, ticker: str) -> None:
        view.company(ticker)
        self.view = view
        self.ticker = ticker
        self._ledger = ledger(view._market, ticker)
        self._stop = len(view.sessions)
        self._computed = self._ledger.computed(view.as_of, self._stop)

    def __repr__(self) -> str:
        return f"Statements({self.ticker!r}, {self.view.as_of.isoformat()})"

    @property
    def concepts(self) -> tuple[str, ...]:
        """The concepts of which at least one figure was known, by canonical name."""
        accounts = ((name, self._ledger.account(name)) for name in self._ledger.concepts())
        return tuple(name for name, account in accounts if account is not None and account.newest(self.view.as_of))

    def newest(self, concept: str) -> date | None:
        """The last day of the newest period of a concept that was known, of whatever length; None without any."""
        account = self._account(concept)
        return None if account is None else account.newest(self.view.as_of)

    def quarter(self, concept: str, end: date) -> Figure | None:
        """The quarter that ends on a day: as filed, else the difference of two running totals."""
        account = self._account(concept)
        return None if account is None else self._newest(account, account.quarters.get(end, ()))

    def quarters(self, concept: str) -> dict[date, Figure]:
        """All discrete quarters, by last day, ascending; a quarter that cannot be had is left out."""
        return self._each(concept, lambda day: self.quarter(concept, day))

    def trailing(self, concept: str, end: date) -> Figure | None:
        """The twelve months to a day: a fiscal year as filed, else four consecutive quarters, else two running totals.

        The last is the rest of the year before (the year minus its own running total) plus this year's running total:
        some retailers report quarters of 12 and 16 weeks, and some cash-flow statements lack a running total.
        """
        return self.once("trailing", concept, end, self._twelve_months)

    def trailings(self, concept: str) -> dict[date, Figure]:
        """All sums of twelve months, by last day, ascending."""
        return self._each(concept, lambda day: self.trailing(concept, day))

    def level(self, concept: str, day: date) -> Figure | None:
        """A balance-sheet figure at a day."""
        account = self._account(concept)
        return None if account is None else self._newest(account, account.levels.get(day, ()))

    def levels(self, concept: str) -> dict[date, Figure]:
        """All balance-sheet figures of a concept, by day, ascending."""
        return self._each(concept, lambda day: self.level(concept, day))

    def average(self, concept: str, end: date) -> Figure | None:
        """A mean over a period that ends on a day (a share count): the newest filing's, over the shortest such period.

        Means are not additive, so none is ever computed from others.
        """
        return self.once("average", concept, end, self._average)

    def once(self, what: str, of: str, end: date, find: Callable[[str, date], Figure | None]) -> Figure | None:
        """`find(of, end)`, which depends on filings and splits alone: kept until another one becomes known."""
        key = (what, of, end)
        if key not in self._computed:
            self._computed[key] = find(of, end)
        return self._computed[key]

    @property
    def state(self) -> tuple[Ledger, tuple[int, int]]:
        """What all figures but prices are a function of: the company's filings and splits, and how many are known."""
        return self._ledger, self._ledger.state(self.view.as_of, self._stop)

    def year_before(self, end: date, find: Callable[[date], Figure | None]) -> Figure | None:
        """What `find` gives for the day nearest to a year before `end`, 52 and 53 weeks included; None without any."""
        for day in nearest(end - _YEAR, _YEAR_REACH):
            if (figure := find(day)) is not None:
                return figure
        return None

    def growth(self, concept: str, end: date) -> Figure | None:
        """A quarter over the same quarter a year before, minus 1; absent where that one was not above zero."""
        before = self.year_before(end, lambda day: self.quarter(concept, day))
        return _growth(self.quarter(concept, end), before, end)

    def trailing_growth(self, concept: str, end: date) -> Figure | None:
        """Twelve months over the twelve months before, minus 1; absent where those were not above zero."""
        before = self.year_before(end, lambda day: self.trailing(concept, day))
        return _growth(self.trailing(concept, end), before, end)

    def level_growth(self, concept: str, day: date) -> Figure | None:
        """A balance-sheet figure over that of a year before, minus 1; absent where that one was not above zero."""
        before = self.year_before(day, lambda earlier: self.level(concept, earlier))
        return _growth(self.level(concept, day), before, day)

    @cached_property
    def price(self) -> Figure | None:
        """The last close in the shares of the view's session; None without a trade in `PRICE_SESSIONS` sessions."""
        for row in range(self._stop - 1, max(-1, self._stop - 1 - PRICE_SESSIONS), -1):
            close = float(self._ledger.close[row])
            if isfinite(close):
                day = self.view.sessions[row]
                value = close / self._ledger.new_shares(row + 1, self._stop)
                return Figure(value, None, day, self.view.calendar.close_of(day), "prices")
        return None

    def table(self, concept: str) -> pd.DataFrame:
        """A concept for people: one row per day, the oldest first.

        Returns:
            Indexed by `end`. For a flow: quarter, quarter_growth, twelve_months, twelve_months_growth, available_at,
            source, derived (the last three of the quarter, else of the twelve months). For a level or an average:
            value, growth (levels only), available_at, source, derived. Absent figures are NaN.
        """
        account = self._account(concept)
        flow = account is not None and account.kind == "flow" and bool(account.spans)
        rows = {}
        for day in account.days if account is not None else ():
            cells, origin = self._flow_cells(concept, day) if flow else self._level_cells(concept, day)
            if origin is not None:
                value = {name: float("nan") if cell is None else cell.value for name, cell in cells.items()}
                rows[day] = (*value.values(), origin.available_at, origin.source, origin.derived)
        names = ("quarter", "quarter_growth", "twelve_months", "twelve_months_growth") if flow else ("value", "growth")
        index = pd.DatetimeIndex(list(rows), name="end", dtype="datetime64[us]")
        columns = [*names, "available_at", "source", "derived"]
        return pd.DataFrame(list(rows.values()), index=index, columns=columns)

    def _flow_cells(self, concept: str, day: date) -> tuple[dict[str, Figure | None], Figure | None]:
        quarter, year = self.quarter(concept, day), self.trailing(concept, day)
        growth, year_growth = self.growth(concept, day), self.trailing_growth(concept, day)
        return {"quarter": quarter, "growth": growth, "year": year, "year_growth": year_growth}, quarter or year

    def _level_cells(self, concept: str, day: date) -> tuple[dict[str, Figure | None], Figure | None]:
        value = self.level(concept, day) or self.average(concept, day)
        return {"value": value, "growth": self.level_growth(concept, day)}, value

    def _account(self, concept: str) -> Account | None:
        account = self._ledger.account(concept)
        if concept in CONCEPTS:
            return account
        # A name that was filed only later is as unknown as one that never was.
        if account is None or account.newest(self.view.as_of) is None:
            raise InputError(
                f"{self.ticker} has filed nothing named {concept!r} by {self.view.as_of:%Y-%m-%d}; "
                f"choose from {', '.join(self.concepts) or 'nothing: no filing is known'}"
            )
        return account

    def _each(self, concept: str, find: Callable[[date], Figure | None]) -> dict[date, Figure]:
        account = self._account(concept)
        found = {day: find(day) for day in account.days} if account is not None else {}
        return {day: figure for day, figure in found.items() if figure is not None}

    def _newest(self, account: Account, versions: Sequence[Version]) -> Figure | None:
        """The last of these versions that was known."""
        as_of = self.view.as_of
        for version in reversed(versions):
            if version.figure.available_at <= as_of:
                return self._ledger.figure(account, version, self._stop)
        return None

    def _average(self, concept: str, end: date) -> Figure | None:
        account = self._account(concept)
        if account is None:
            return None
        spans = sorted(account.spans.get(end, {}).items(), reverse=True)
        known = [figure for _, versions in spans if (figure := self._newest(account, versions)) is not None]
        # The shortest comes first, and `max` keeps the first of equals.
        return max(known, key=lambda figure: (figure.available_at, figure.source), default=None)

    def _twelve_months(self, concept: str, end: date) -> Figure | None:
        account = self._account(concept)
        if account is None or account.kind == "average":
            return None
        year = self._newest(account, account.years.get(end, ()))
        return year or self._four_quarters(account, end) or self._rolled(account, end)

    def _four_quarters(self, account: Account, end: date) -> Figure | None:
        chain: list[Figure] = []
        day = end
        while len(chain) < 4:
            quarter = self._newest(account, account.quarters.get(day, ()))
            if quarter is None and chain:
                # The first quarter has to end on the very day; the ones before may leave a gap of days.
                near = (self._newest(account, account.quarters.get(other, ())) for other in nearest(day, GAP_DAYS))
                quarter = next((found for found in near if found is not None), None)
            if quarter is None or quarter.start is None:
                return None
            chain.append(quarter)
            day = quarter.start - _DAY
        return combined(fsum([quarter.value for quarter in chain]), chain, chain[-1].start, end)

    def _rolled(self, account: Account, end: date) -> Figure | None:
        """The rest of the year before plus this year's running total."""
        for start, versions in sorted(account.spans.get(end, {}).items()):
            running = self._newest(account, versions)
            if running is None or running.months == 12:
                continue
            for day in nearest(start - _DAY, GAP_DAYS):
                fitting = [
                    row
                    for row in account.rests.get(day, ())
                    if row.figure.start and months_of(row.figure.start, end) == 12
                ]
                if (rest := self._newest(account, fitting)) is not None:
                    return combined(fsum((rest.value, running.value)), (rest, running), rest.start, end)
        return None


def _growth(now: Figure | None, before: Figure | None, end: date) -> Figure | None:
    ratio = quotient(now, before, end)
    return None if ratio is None else ratio._replace(value=ratio.value - 1)


def statements(view: MarketView, ticker: str) -> Statements:
    """The statements of a company as they were known at the view's time.

    Args:
        view: what is known.
        ticker: a company.

    Raises:
        InputError: there is no such company.
    """
    return Statements(view, ticker)
