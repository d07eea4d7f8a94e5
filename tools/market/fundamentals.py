"""Ratios from filings, each from exactly the periods it names, or not at all.

Filings give quarters, running totals of the fiscal year (6, 9, 12 months), and balance-sheet figures at a day. A
fourth quarter is never filed, nor is a quarter of a cash-flow statement: both are the difference of two running
totals. Nothing is filled: a ratio whose inputs are not all there, or whose base is not above zero, is absent.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import fsum

import pandas as pd

from ..evidence import Evidence
from ..measures import MEASURES
from .view import MarketView

STALE_DAYS = 200
"""A figure whose period ended longer ago than this is left out: two quarterly reports have been missed since."""

_MONTHS = ((80, 105, 3), (170, 200, 6), (260, 290, 9), (350, 380, 12))
"""(least days, most days, months): wide enough for quarters of 12 to 14 weeks."""
_YEAR_DAYS = (357, 378)
"""How far apart the ends of two comparable quarters lie: 52 or 53 weeks."""
_GAP_DAYS = 4
"""Fiscal calendars that end on a weekday may leave or share a few days between consecutive periods."""
_HORIZON_DAYS = 800
"""How far back inputs can lie: `STALE_DAYS`, a year for comparison, and the running totals that those are made of."""
_PER_SHARE = frozenset({"EPSDiluted"})
_CONCEPTS = frozenset(
    {"Revenue", "NetIncome", "OperatingCashFlow", "EPSDiluted", "Assets", "Liabilities", "Equity"},
)


@dataclass(frozen=True)
class Figure:
    """One amount over one period, with where it came from."""

    value: float
    start: date | None
    """None for a balance-sheet figure."""
    end: date
    available_at: datetime
    """UTC; the latest of what it was computed from."""
    source: str
    """Accession of the newest filing it was computed from."""

    @property
    def months(self) -> int | None:
        """3, 6, 9 or 12; None for a balance-sheet figure or an odd period."""
        if self.start is None:
            return None
        days = (self.end - self.start).days + 1
        return next((months for least, most, months in _MONTHS if least <= days <= most), None)


def _combined(value: float, inputs: Iterable[Figure], start: date | None, end: date) -> Figure:
    newest = max(inputs, key=lambda figure: (figure.available_at, figure.end, figure.source))
    return Figure(value, start, end, newest.available_at, newest.source)


def discrete_quarters(figures: Iterable[Figure]) -> dict[date, Figure]:
    """The quarters of one flow, by their last day: as filed, else the difference of two running totals.

    Args:
        figures: quarters and running totals of any length, at most one per period.
    """
    known = sorted(figures, key=lambda figure: (figure.available_at, figure.end))
    quarters: dict[date, Figure] = {}
    for total in known:
        for part in known:
            if total.months is None or part.months is None or total.start is None or part.start is None:
                continue
            if total.months - part.months == 3 and abs(total.start - part.start) <= timedelta(days=_GAP_DAYS):
                start = part.end + timedelta(days=1)
                quarters[total.end] = _combined(total.value - part.value, (total, part), start, total.end)
    # What was filed as a quarter stands above any difference.
    quarters.update({figure.end: figure for figure in known if figure.months == 3})
    return quarters


def year_before(quarters: dict[date, Figure], end: date) -> Figure | None:
    """The quarter that ended a year (52 or 53 weeks) before `end`."""
    least, most = _YEAR_DAYS
    near = [quarter for day, quarter in quarters.items() if least <= (end - day).days <= most]
    return min(near, key=lambda quarter: abs((end - quarter.end).days - 365), default=None)


def twelve_months(quarters: dict[date, Figure], end: date) -> Figure | None:
    """The sum of the four consecutive quarters up to `end`; None where one is missing."""
    chain: list[Figure] = []
    expected = end
    for _ in range(4):
        near = [quarter for day, quarter in quarters.items() if abs((day - expected).days) <= _GAP_DAYS]
        # The first quarter has to end on the very day; the ones before may leave a gap of days.
        quarter = (
            quarters.get(end) if not chain else min(near, key=lambda q: abs((q.end - expected).days), default=None)
        )
        if quarter is None or quarter.start is None:
            return None
        chain.append(quarter)
        expected = quarter.start - timedelta(days=1)
    return _combined(fsum(quarter.value for quarter in chain), chain, chain[-1].start, end)


class Books:
    """The figures of one company that were known, arranged by concept.

    Per-share figures are in today's shares: as filed, divided by the splits between the filing and the view.
    """

    def __init__(self, view: MarketView, ticker: str) -> None:
        self.view = view
        self.ticker = ticker
        self._flows: dict[str, list[Figure]] = {name: [] for name in _CONCEPTS}
        self._levels: dict[str, dict[date, Figure]] = {name: {} for name in _CONCEPTS}
        self._quarters: dict[str, dict[date, Figure]] = {}
        facts = view.facts(ticker)
        recent = facts["period_end"] >= pd.Timestamp(view.session - timedelta(days=_HORIZON_DAYS))
        for row in facts[recent & facts["concept"].isin(_CONCEPTS)].to_dict("records"):
            concept, end = str(row["concept"]), row["period_end"].date()
            start = None if pd.isna(row["period_start"]) else row["period_start"].date()
            value = float(row["value"])
            if concept in _PER_SHARE:
                value /= view.splits_since(ticker, row["filed"].date())
            figure = Figure(value, start, end, row["available_at"].to_pydatetime(), str(row["accession"]))
            if start is None:
                self._levels[concept][end] = figure
            else:
                self._flows[concept].append(figure)

    def quarters(self, concept: str) -> dict[date, Figure]:
        """Discrete quarters of a flow, by last day."""
        if concept not in self._quarters:
            self._quarters[concept] = discrete_quarters(self._flows[concept])
        return self._quarters[concept]

    def levels(self, concept: str) -> dict[date, Figure]:
        """A balance-sheet concept, by day."""
        return self._levels[concept]

    def trailing(self, concept: str, end: date) -> Figure | None:
        """The twelve months to `end` of a flow: four quarters, else a fiscal year as filed."""
        if (total := twelve_months(self.quarters(concept), end)) is not None:
            return total
        years = [figure for figure in self._flows[concept] if figure.months == 12 and figure.end == end]
        return max(years, key=lambda figure: figure.available_at, default=None)

    def ends(self, concept: str) -> set[date]:
        """The last days of all periods of a concept."""
        return {figure.end for figure in self._flows[concept]} | set(self._levels[concept])

    def price(self) -> Figure | None:
        """The last close in today's shares; None if it has not traded yet."""
        last = self.view.history(self.ticker, 1)
        if last.empty:
            return None
        day = last.index[-1].date()
        return Figure(float(last["close"].iloc[-1]), None, day, self.view.calendar.close_of(day), "prices")


def _quotient(top: Figure | None, bottom: Figure | None, end: date) -> Figure | None:
    """The quotient of two figures, absent where either is, or where the base is not above zero."""
    if top is None or bottom is None or bottom.value <= 0:
        return None
    return _combined(top.value / bottom.value, (top, bottom), None, end)


def _growth(books: Books, concept: str, end: date) -> Figure | None:
    quarters = books.quarters(concept)
    ratio = _quotient(quarters.get(end), year_before(quarters, end), end)
    return None if ratio is None else _combined(ratio.value - 1, (ratio,), None, end)


def _margin(books: Books, end: date) -> Figure | None:
    return _quotient(books.quarters("NetIncome").get(end), books.quarters("Revenue").get(end), end)


def _margin_change(books: Books, end: date) -> Figure | None:
    now, earlier = _margin(books, end), year_before(books.quarters("Revenue"), end)
    before = None if earlier is None else _margin(books, earlier.end)
    if now is None or before is None:
        return None
    return _combined(now.value - before.value, (now, before), None, end)


def _trailing(books: Books, top: str, bottom: str, end: date) -> Figure | None:
    return _quotient(books.trailing(top, end), books.trailing(bottom, end), end)


def _return_on_equity(books: Books, end: date) -> Figure | None:
    return _quotient(books.trailing("NetIncome", end), books.levels("Equity").get(end), end)


def _leverage(books: Books, end: date) -> Figure | None:
    return _quotient(books.levels("Liabilities").get(end), books.levels("Assets").get(end), end)


def _earnings_yield(books: Books, end: date) -> Figure | None:
    earnings, price = books.trailing("EPSDiluted", end), books.price()
    ratio = _quotient(earnings, price, end)
    # The source is the filing: the price is named by the measure itself.
    if ratio is None or earnings is None:
        return None
    return Figure(ratio.value, None, end, ratio.available_at, earnings.source)


_Attempt = Callable[[Books, date], Figure | None]

_RATIOS: tuple[tuple[str, str, str, _Attempt], ...] = (
    ("revenue_growth_yoy", "Revenue", "quarter to", lambda books, end: _growth(books, "Revenue", end)),
    ("earnings_growth_yoy", "NetIncome", "quarter to", lambda books, end: _growth(books, "NetIncome", end)),
    ("net_margin_ttm", "Revenue", "12 months to", lambda books, end: _trailing(books, "NetIncome", "Revenue", end)),
    ("margin_change_yoy", "Revenue", "quarter to", _margin_change),
    ("roe_ttm", "NetIncome", "12 months to", _return_on_equity),
    ("liabilities_to_assets", "Liabilities", "at", _leverage),
    (
        "cash_conversion",
        "OperatingCashFlow",
        "12 months to",
        lambda books, end: _trailing(books, "OperatingCashFlow", "NetIncome", end),
    ),
    ("earnings_yield", "EPSDiluted", "12 months to", _earnings_yield),
)
"""Measure, the concept whose newest period it is about, how that period reads, and how it is computed."""


def ratios(view: MarketView, ticker: str) -> list[Evidence]:
    """The ratio measures of a company as known at the view's time.

    Growth compares a quarter with the same quarter a year before; margin is net income over revenue; return on equity
    is 12-month net income over equity at the period's end; cash conversion is 12-month operating cash flow over net
    income; earnings yield is 12-month diluted earnings per share over the last close, both in today's shares.

    Args:
        view: what is known.
        ticker: a company.

    Returns:
        One `Evidence` per ratio that can be computed for the newest known period, which ended within `STALE_DAYS` of
        the session; in the order of `tools.measures`. Its source is the newest filing among its inputs.

    Raises:
        InputError: there is no such company.
    """
    view.company(ticker)
    books = Books(view, ticker)
    oldest = view.session - timedelta(days=STALE_DAYS + 1)
    evidence = []
    for measure, concept, period, attempt in _RATIOS:
        # Only the newest period: an older figure would hide that the newest one is missing or has no meaning.
        end = max(books.ends(concept), default=oldest)
        figure = attempt(books, end) if end > oldest else None
        if figure is not None:
            evidence.append(
                Evidence.of(
                    id=f"{ticker}/{measure}/{figure.end}",
                    kind="ratio",
                    measure=measure,
                    ticker=ticker,
                    as_of=view.as_of,
                    available_at=figure.available_at,
                    period=f"{period} {figure.end}",
                    value=figure.value,
                    unit=MEASURES[measure].unit,
                    source=figure.source,
                )
            )
    return evidence
