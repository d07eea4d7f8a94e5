"""Quarters as filed, for all companies at once: 10-Q and 10-K facts in `FACT_COLUMNS`, with the habits of real filings.

- A 10-Q gives the quarter and, for the income statement, also the year to date; cash flow is year to date only.
- A 10-K gives the year only: the fourth quarter is never filed.
- Each flow stands beside the same period of the year before, restated if it was.
- Per-share figures and share counts are in the shares of the filing's day, the year-ago column too.
- A restatement is a filing of its own (10-Q/A, 10-K/A): revenue and its cost fall by the same amount.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ..frames import facts_frame
from ..generated.reporting import accession
from .factors import Matrix
from .timetable import NEVER
from .world import World

Index = NDArray[np.int64]


@dataclass(frozen=True)
class _Filings:
    """F filings; arrays of length F."""

    company: Index
    quarter: Index
    session: Index
    """Number of the session of filing."""
    fiscal_quarter: Index
    amendment: NDArray[np.bool_]
    shares_per_first: NDArray[np.float64]


class _Rows:
    """Collects facts by columns."""

    def __init__(self) -> None:
        self.filing: list[Index] = []
        self.concept: list[Index] = []
        self.first: list[Index] = []
        self.last: list[Index] = []
        self.value: list[NDArray[np.float64]] = []
        self.names: list[tuple[str, str]] = []

    def add(self, name: str, unit: str, filing: Index, first: Index, last: Index, value: NDArray[np.float64]) -> None:
        """Facts of one concept; `first` is the first quarter of the period, -1 for a balance-sheet figure."""
        if (name, unit) not in self.names:
            self.names.append((name, unit))
        self.filing.append(filing)
        self.concept.append(np.full(len(filing), self.names.index((name, unit))))
        self.first.append(first)
        self.last.append(last)
        self.value.append(value)


def earnings_per_share(net_income: ArrayLike, shares: ArrayLike) -> Matrix:
    """Diluted earnings per share as filed and released: in cents."""
    return np.asarray(np.round(np.divide(net_income, shares), 2), dtype=np.float64)


def fiscal_quarters(world: World) -> Index:
    """(Q, N) fiscal quarter 1..4 of each calendar quarter."""
    months = np.array([end.month for _, end in world.table.quarters])
    past = (months[:, None] - world.cast.year_end_month) % 12
    return np.where(past == 0, 4, past // 3)


def write_filings(world: World) -> pd.DataFrame:
    """All facts, in the order of becoming known."""
    filings = _all_filings(world)
    rows = _Rows()
    for back in (0, 4):
        _flows(world, filings, rows, back)
    _balance(world, filings, rows)
    return _frame(world, filings, rows)


def _all_filings(world: World) -> _Filings:
    table = world.table
    parts = []
    for amendment, sessions in ((False, table.filed), (True, table.amended)):
        quarter, company = np.nonzero(sessions < NEVER)
        parts.append((company, quarter, sessions[quarter, company], np.full(len(company), amendment)))
    company, quarter, session, amended = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    shares = np.where(session >= 0, world.shares_per_first[np.maximum(session, 0), company], 1.0)
    return _Filings(company, quarter, session, fiscal_quarters(world)[quarter, company], amended, shares)


def _flows(world: World, filings: _Filings, rows: _Rows, back: int) -> None:
    """The periods that end with the filing's quarter, or (`back` 4) with the one a year before."""
    business = world.business
    everything = np.arange(len(filings.company))
    quarterly = everything[(filings.fiscal_quarter > 1) & (filings.fiscal_quarter < 4)]
    # what the first filing of a quarter still overstates: no other column contains it
    over = np.where(filings.amendment | (back > 0), 0.0, business.overstated[filings.quarter, filings.company])
    for name, values, overstated in _concepts(world):
        running = np.vstack([np.zeros(len(world.cast)), np.cumsum(values, axis=0)])
        for selected, single in ((everything, False), (quarterly, True)):
            if single and name in _YEAR_TO_DATE_ONLY:
                continue
            company, last = filings.company[selected], filings.quarter[selected] - back
            first = last if single else last + 1 - filings.fiscal_quarter[selected]
            amount = running[last + 1, company] - running[first, company] + overstated * over[selected]
            rows.add(name, "USD", selected, first, last, amount)
            if name == "NetIncome":
                _per_share(world, filings, rows, selected, (first, last, amount))


def _per_share(
    world: World,
    filings: _Filings,
    rows: _Rows,
    selected: Index,
    period: tuple[Index, Index, NDArray[np.float64]],
) -> None:
    first, last, net_income = period
    company, factor = filings.company[selected], filings.shares_per_first[selected]
    shares = world.cast.shares[company] * factor
    rows.add("EPSDiluted", "USD/shares", selected, first, last, earnings_per_share(net_income, shares))
    rows.add("SharesDiluted", "shares", selected, first, last, np.round(shares))
    running = np.vstack([np.zeros(len(world.cast)), np.cumsum(world.business.dividend_per_share, axis=0)])
    paid = np.round((running[last + 1, company] - running[first, company]) / factor, 4)
    payers = paid > 0
    rows.add("DividendsPerShare", "USD/shares", selected[payers], first[payers], last[payers], paid[payers])


_YEAR_TO_DATE_ONLY = frozenset({"OperatingCashFlow", "CapitalExpenditure"})


def _concepts(world: World) -> Iterator[tuple[str, Matrix, float]]:
    """Flows: name, (Q, N) amounts as restated, and 1 where an overstatement is part of it."""
    book = world.business
    yield "Revenue", book.revenue, 1.0
    yield "CostOfRevenue", book.cost_of_revenue, 1.0
    yield "GrossProfit", book.revenue - book.cost_of_revenue, 0.0
    yield "OperatingExpenses", book.revenue - book.cost_of_revenue - book.operating_income, 0.0
    yield "OperatingIncome", book.operating_income, 0.0
    yield "InterestExpense", book.interest, 0.0
    yield "PretaxIncome", book.operating_income - book.interest, 0.0
    yield "IncomeTax", book.income_tax, 0.0
    yield "NetIncome", book.net_income, 0.0
    yield "OperatingCashFlow", book.operating_cash_flow, 0.0
    yield "CapitalExpenditure", book.capital_expenditure, 0.0


def liabilities(world: World) -> Matrix:
    """(Q, N) debt and payables, USD."""
    return np.asarray(np.round(world.cast.debt / 1000) * 1000 + world.business.payables, dtype=np.float64)


def _balance(world: World, filings: _Filings, rows: _Rows) -> None:
    book = world.business
    owed = liabilities(world)
    assets = owed + book.equity
    levels = {
        "Assets": assets,
        "CurrentAssets": assets - np.minimum(book.fixed_assets, np.round(0.7 * assets / 1000) * 1000),
        "CurrentLiabilities": book.payables,
        "LongTermDebt": owed - book.payables,
        "Liabilities": owed,
        "Equity": book.equity,
    }
    everything = np.arange(len(filings.company))
    none = np.full(len(everything), -1)
    for name, values in levels.items():
        rows.add(name, "USD", everything, none, filings.quarter, values[filings.quarter, filings.company])


def _frame(world: World, filings: _Filings, rows: _Rows) -> pd.DataFrame:
    """The facts as a frame; `first` of -1 leads to the NaT at the end of the starts."""
    table = world.table
    filing, concept = np.concatenate(rows.filing), np.concatenate(rows.concept)
    first, last = np.concatenate(rows.first), np.concatenate(rows.last)
    starts = np.array([start for start, _ in table.quarters] + ["NaT"], dtype="datetime64[us]")
    ends = np.array([end for _, end in table.quarters], dtype="datetime64[us]")
    days = [table.day(int(session)) for session in filings.session]
    opens = [table.calendar.open_of(table.day(int(session) + 1)).replace(tzinfo=None) for session in filings.session]
    filed, available = np.array(days, dtype="datetime64[us]"), np.array(opens, dtype="datetime64[us]")
    who = world.cast.identities
    numbers = [accession(who[c].filer_id, day, 1) for c, day in zip(filings.company, days, strict=True)]
    kinds = np.where(filings.fiscal_quarter == 4, 2, 0) + filings.amendment
    texts: dict[str, tuple[list[str], Index]] = {
        "ticker": ([one.ticker for one in who], filings.company[filing]),
        "concept": ([name for name, _ in rows.names], concept),
        "unit": ([unit for _, unit in rows.names], concept),
        "accession": (numbers, filing),
        "form": (["10-Q", "10-Q/A", "10-K", "10-K/A"], kinds[filing]),
    }
    columns: dict[str, object] = {
        name: np.array(labels, dtype=object)[codes] for name, (labels, codes) in texts.items()
    }
    columns |= {
        "period_start": starts[first],
        "period_end": ends[last],
        "value": np.concatenate(rows.value),
        "filed": filed[filing],
        "available_at": available[filing],
    }
    return facts_frame(columns)
