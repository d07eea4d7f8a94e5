"""Ratios from filings as evidence, each of the newest known period and from exactly the periods it names.

| measure | formula |
| --- | --- |
| `revenue_growth_yoy`, `earnings_growth_yoy` | quarter over the same quarter a year before, minus 1 |
| `revenue_growth_ttm` | revenue of 12 months over that of the 12 months before, minus 1 |
| `gross_margin_ttm` | gross profit (where it is not filed: revenue minus its cost) over revenue, 12 months |
| `operating_margin_ttm`, `net_margin_ttm` | operating income, net income over revenue, 12 months |
| `margin_change_yoy` | net margin of the quarter minus that of the same quarter a year before |
| `roe_ttm` | net income of 12 months over equity at their end |
| `roa_ttm` | net income of 12 months over the mean of assets at their end and a year before |
| `liabilities_to_assets`, `liabilities_to_equity` | of one and the same day |
| `current_ratio` | current assets over current liabilities of one and the same day |
| `cash_conversion` | operating cash flow over net income, 12 months |
| `accruals_ttm` | (net income - operating cash flow) of 12 months over the mean of assets, as in `roa_ttm` |
| `earnings_yield`, `price_to_earnings` | diluted earnings per share of 12 months over the last close, and its inverse |
| `free_cash_flow_yield` | (operating cash flow - capital expenditure) of 12 months over market capitalisation |
| `price_to_sales` | market capitalisation over revenue of 12 months |

Market capitalisation is the last close times the mean diluted shares of the newest filed period that ends with the
twelve months. Everything per share is in the shares of the view's session. A ratio is about the newest period of which
any of its inputs is known: where one of the others is missing for that very period, or the base is not above zero, the
ratio is absent, and no older one stands in for it.

Accruals: Sloan 1996, with the figures of the cash-flow statement (Hribar and Collins 2002).
"""

from collections.abc import Callable
from datetime import date, timedelta
from math import fsum, nan
from typing import Literal, NamedTuple
from weakref import WeakKeyDictionary

from ...evidence import Evidence, FigureRow
from ...measures import MEASURES
from ..view import MarketView
from .figures import Figure, combined
from .ledger import Ledger
from .statements import Statements, quotient

STALE_DAYS = 200
"""A figure whose period ended longer ago than this is left out: two quarterly reports have been missed since."""


def _margin(books: Statements, end: date) -> Figure | None:
    return quotient(books.quarter("NetIncome", end), books.quarter("Revenue", end), end)


def _margin_change(books: Statements, end: date) -> Figure | None:
    now, before = _margin(books, end), books.year_before(end, lambda day: _margin(books, day))
    return None if now is None or before is None else _difference(now, before, end)


def _difference(first: Figure, second: Figure, end: date) -> Figure:
    return combined(first.value - second.value, (first, second), None, end)


def _trailing(top: str, bottom: str) -> "Formula":
    return lambda books, end: quotient(books.trailing(top, end), books.trailing(bottom, end), end)


def _level(top: str, bottom: str) -> "Formula":
    return lambda books, end: quotient(books.level(top, end), books.level(bottom, end), end)


def _gross_margin(books: Statements, end: date) -> Figure | None:
    revenue, profit = books.trailing("Revenue", end), books.trailing("GrossProfit", end)
    cost = books.trailing("CostOfRevenue", end)
    if profit is None and revenue is not None and cost is not None:
        profit = _difference(revenue, cost, end)
    return quotient(profit, revenue, end)


def _return_on_equity(books: Statements, end: date) -> Figure | None:
    return quotient(books.trailing("NetIncome", end), books.level("Equity", end), end)


def _mean_assets(books: Statements, end: date) -> Figure | None:
    now = books.level("Assets", end)
    before = books.year_before(end, lambda day: books.level("Assets", day))
    return (
        None
        if now is None or before is None
        else combined(fsum((now.value, before.value)) / 2, (now, before), None, end)
    )


def _return_on_assets(books: Statements, end: date) -> Figure | None:
    return quotient(books.trailing("NetIncome", end), _mean_assets(books, end), end)


def _accruals(books: Statements, end: date) -> Figure | None:
    income, cash = books.trailing("NetIncome", end), books.trailing("OperatingCashFlow", end)
    return (
        None
        if income is None or cash is None
        else quotient(_difference(income, cash, end), _mean_assets(books, end), end)
    )


class Priced(NamedTuple):
    """A ratio of the last close to filed figures, before the close is put in."""

    filed: Figure
    """When those figures were known; its source is the newest filing, for the measure names the price. No value."""
    value: Callable[[float], float]
    """Of the close."""

    def at(self, price: Figure) -> Figure:
        """The ratio at a last close."""
        known = max(self.filed.available_at, price.available_at)
        return Figure(self.value(price.value), None, self.filed.end, known, self.filed.source, derived=True)


def _priced(end: date, value: Callable[[float], float], *filed: Figure) -> Priced:
    return Priced(combined(nan, filed, None, end), value)


def _earnings_yield(books: Statements, end: date) -> Priced | None:
    earnings = books.trailing("EPSDiluted", end)
    return None if earnings is None else _priced(end, lambda close: earnings.value / close, earnings)


def _price_to_earnings(books: Statements, end: date) -> Priced | None:
    earnings = books.trailing("EPSDiluted", end)
    if earnings is None or earnings.value <= 0:
        return None
    return _priced(end, lambda close: close / earnings.value, earnings)


def _price_to_sales(books: Statements, end: date) -> Priced | None:
    revenue, shares = books.trailing("Revenue", end), books.average("SharesDiluted", end)
    # Filings hold share counts of zero, which would make the company worth nothing and cheap.
    if revenue is None or shares is None or revenue.value <= 0 or shares.value <= 0:
        return None
    return _priced(end, lambda close: close * shares.value / revenue.value, revenue, shares)


def _free_cash_flow_yield(books: Statements, end: date) -> Priced | None:
    cash, spent = books.trailing("OperatingCashFlow", end), books.trailing("CapitalExpenditure", end)
    shares = books.average("SharesDiluted", end)
    # A payment is positive; a source that writes payments as negative amounts would double them here.
    if cash is None or spent is None or spent.value < 0 or shares is None or shares.value <= 0:
        return None
    free = _difference(cash, spent, end)
    return _priced(end, lambda close: free.value / (close * shares.value), free, shares)


Formula = Callable[[Statements, date], Figure | Priced | None]
Period = Literal["quarter to", "12 months to", "at"]


class Ratio(NamedTuple):
    """One row: a measure and how it is had."""

    measure: str
    inputs: tuple[str, ...]
    """The concepts whose newest period it is about."""
    period: Period
    """How that period reads."""
    find: Formula
    priced: bool = False
    """Whether the last close is one of its inputs."""

    def formula(self, books: Statements, end: date) -> Figure | None:
        """Its figure for the period that ends on a day."""
        found = self.find(books, end)
        if isinstance(found, Priced):
            return None if books.price is None else found.at(books.price)
        return found


RATIOS: tuple[Ratio, ...] = (
    Ratio("revenue_growth_yoy", ("Revenue",), "quarter to", lambda books, end: books.growth("Revenue", end)),
    Ratio("revenue_growth_ttm", ("Revenue",), "12 months to", lambda books, end: books.trailing_growth("Revenue", end)),
    Ratio("earnings_growth_yoy", ("NetIncome",), "quarter to", lambda books, end: books.growth("NetIncome", end)),
    Ratio("gross_margin_ttm", ("Revenue",), "12 months to", _gross_margin),
    Ratio(
        "operating_margin_ttm", ("OperatingIncome", "Revenue"), "12 months to", _trailing("OperatingIncome", "Revenue")
    ),
    Ratio("net_margin_ttm", ("NetIncome", "Revenue"), "12 months to", _trailing("NetIncome", "Revenue")),
    Ratio("margin_change_yoy", ("NetIncome", "Revenue"), "quarter to", _margin_change),
    Ratio("roe_ttm", ("NetIncome", "Equity"), "12 months to", _return_on_equity),
    Ratio("roa_ttm", ("NetIncome", "Assets"), "12 months to", _return_on_assets),
    Ratio("liabilities_to_assets", ("Liabilities", "Assets"), "at", _level("Liabilities", "Assets")),
    Ratio("liabilities_to_equity", ("Liabilities", "Equity"), "at", _level("Liabilities", "Equity")),
    Ratio(
        "current_ratio", ("CurrentAssets", "CurrentLiabilities"), "at", _level("CurrentAssets", "CurrentLiabilities")
    ),
    Ratio(
        "cash_conversion",
        ("OperatingCashFlow", "NetIncome"),
        "12 months to",
        _trailing("OperatingCashFlow", "NetIncome"),
    ),
    Ratio("accruals_ttm", ("NetIncome", "OperatingCashFlow", "Assets"), "12 months to", _accruals),
    Ratio("earnings_yield", ("EPSDiluted",), "12 months to", _earnings_yield, priced=True),
    Ratio("price_to_earnings", ("EPSDiluted",), "12 months to", _price_to_earnings, priced=True),
    Ratio("price_to_sales", ("Revenue", "SharesDiluted"), "12 months to", _price_to_sales, priced=True),
    Ratio(
        "free_cash_flow_yield",
        ("OperatingCashFlow", "CapitalExpenditure", "SharesDiluted"),
        "12 months to",
        _free_cash_flow_yield,
        priced=True,
    ),
)
"""All ratios, in the order of `tools.measures`: those of a price come last."""

_INPUTS = frozenset(concept for ratio in RATIOS for concept in ratio.inputs)


def ratios(view: MarketView, ticker: str) -> list[Evidence]:
    """The ratio measures of a company as known at the view's time.

    Args:
        view: what is known.
        ticker: a company.

    Returns:
        One `Evidence` per ratio that can be computed for the newest known period, which ended within `STALE_DAYS` of
        the session; in the order of `tools.measures`. Its source is the newest filing among its inputs.

    Raises:
        InputError: there is no such company.
    """
    books = Statements(view, ticker)
    oldest = view.session - timedelta(days=STALE_DAYS + 1)
    known = _known(books)
    found = [item.at(view.as_of) for end, item in known.filed if end > oldest]
    if (price := books.price) is None:
        return found
    day = str(price.end)
    priced = [(row, ratio.at(price)) for row, ratio in known.priced if ratio.filed.end > oldest]
    # the price makes it another figure every day, so its day names it
    rows = [
        FigureRow(f"{row.id}{day}", row.measure, figure.available_at, f"{row.period}{day}", figure.value, *row[5:])
        for row, figure in priced
    ]
    return found + Evidence.figures("ratio", ticker, view.as_of, rows)


class _Known(NamedTuple):
    """What is known of a company's ratios until it files again or splits its shares."""

    filed: tuple[tuple[date, Evidence], ...]
    """The last day of the period, and the evidence as it was gathered first."""
    priced: tuple[tuple[FigureRow, Priced], ...]
    """Rows without value, and without the day of the price at the end of `id` and `period`."""


_KNOWN: WeakKeyDictionary[Ledger, dict[tuple[int, int], _Known]] = WeakKeyDictionary()
"""By company and how much is known: a decision asks for what only a new filing or split changes."""
_STATES_KEPT = 4
"""Of each company; views of other times that take turns need one each."""


def _known(books: Statements) -> _Known:
    company, state = books.state
    kept = _KNOWN.setdefault(company, {})
    if (known := kept.get(state)) is None:
        known = _found(books)
        for oldest in list(kept)[: 1 - _STATES_KEPT]:
            kept.pop(oldest, None)
        kept[state] = known
    return known


def _found(books: Statements) -> _Known:
    newest = {concept: books.newest(concept) for concept in _INPUTS}
    filed, priced = [], []
    for ratio in RATIOS:
        # Only the newest period: an older figure would hide that the newest one is missing or has no meaning.
        end = max([day for concept in ratio.inputs if (day := newest[concept]) is not None], default=None)
        match None if end is None else ratio.find(books, end):
            case Figure() as figure:
                filed.append((figure.end, _row(books, ratio, figure, str(figure.end), "")))
            case Priced() as waiting:
                priced.append((_row(books, ratio, waiting.filed, "", ", price of "), waiting))
    evidence = Evidence.figures("ratio", books.ticker, books.view.as_of, (row for _, row in filed))
    return _Known(tuple(zip((end for end, _ in filed), evidence, strict=True)), tuple(priced))


def _row(books: Statements, ratio: Ratio, figure: Figure, day: str, priced: str) -> FigureRow:
    return FigureRow(
        id=f"{books.ticker}/{ratio.measure}/{day}",
        measure=ratio.measure,
        available_at=figure.available_at,
        period=f"{ratio.period} {figure.end}{priced}",
        value=figure.value,
        unit=MEASURES[ratio.measure].unit,
        source=figure.source,
    )
