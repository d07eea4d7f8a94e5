"""Quarters as filed: 10-Q and 10-K facts in `FACT_COLUMNS`, with the habits of real filings.

- A 10-Q gives the quarter and, for the income statement, also the year to date; cash flow is year to date only.
- A 10-K gives the year only: the fourth quarter is never filed.
- Each figure stands beside the same period of the year before.
- Per-share figures and share counts are in the shares of the filing's day, the year-ago column restated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import pandas as pd

from ...clock import TradingCalendar
from ..records import FACT_COLUMNS
from .cast import CompanyPlan
from .process import Quarter
from .reporting import Report, accession

_INCOME = {
    "Revenue": "revenue",
    "CostOfRevenue": "cost_of_revenue",
    "GrossProfit": "gross_profit",
    "OperatingIncome": "operating_income",
    "InterestExpense": "interest",
    "IncomeTax": "income_tax",
    "NetIncome": "net_income",
}
_CASH_FLOW = {"OperatingCashFlow": "operating_cash_flow", "CapitalExpenditure": "capital_expenditure"}
_BALANCE = {"Assets": "assets", "Liabilities": "liabilities", "Equity": "equity"}


@dataclass(frozen=True)
class _Filing:
    """What all facts of one filing share."""

    ticker: str
    filed: date
    available_at: datetime
    accession: str
    form: str
    shares_per_first: int
    """Shares on the filing's day for one share of the first session."""

    def row(self, concept: str, start: date | None, end: date, value: float, unit: str) -> tuple[object, ...]:
        what = (self.ticker, concept, start, end, float(value), unit)
        return (*what, self.filed, self.available_at, self.accession, self.form)


def earnings_per_share(net_income: float, shares: float, shares_per_first: int) -> float:
    """Diluted earnings per share as filed, in cents precision."""
    return round(net_income / (shares * shares_per_first), 2)


def split_factor(plan: CompanyPlan, day: date) -> int:
    """Shares on `day` for one share of the first session."""
    return plan.split.ratio if plan.split is not None and day >= plan.split.effective else 1


def _span(filing: _Filing, quarters: Sequence[Quarter], concepts: dict[str, str]) -> list[tuple[object, ...]]:
    """Sums of `concepts` over consecutive quarters, one row each."""
    start, end = quarters[0].start, quarters[-1].end
    return [
        filing.row(concept, start, end, sum(getattr(quarter, name) for quarter in quarters), "USD")
        for concept, name in concepts.items()
    ]


def _per_share(filing: _Filing, quarters: Sequence[Quarter]) -> list[tuple[object, ...]]:
    start, end = quarters[0].start, quarters[-1].end
    shares = quarters[-1].shares
    net_income = sum(quarter.net_income for quarter in quarters)
    eps = earnings_per_share(net_income, shares, filing.shares_per_first)
    rows = [
        filing.row("EPSDiluted", start, end, eps, "USD/shares"),
        filing.row("SharesDiluted", start, end, shares * filing.shares_per_first, "shares"),
    ]
    dividend = sum(quarter.dividend_per_share for quarter in quarters)
    if dividend > 0:
        rows.append(
            filing.row("DividendsPerShare", start, end, round(dividend / filing.shares_per_first, 4), "USD/shares")
        )
    return rows


def _column(filing: _Filing, year_to_date: Sequence[Quarter]) -> list[tuple[object, ...]]:
    """One column of a filing: the periods that end with the last of these quarters."""
    rows = _span(filing, year_to_date, _INCOME | _CASH_FLOW) + _per_share(filing, year_to_date)
    if filing.form == "10-Q" and len(year_to_date) > 1:
        rows += _span(filing, year_to_date[-1:], _INCOME) + _per_share(filing, year_to_date[-1:])
    return rows


def facts(
    plan: CompanyPlan, quarters: Sequence[Quarter], reports: Sequence[Report], calendar: TradingCalendar
) -> pd.DataFrame:
    """The facts of one company's filings, columns `FACT_COLUMNS`, in the order of filing."""
    rows: list[tuple[object, ...]] = []
    by_period = {(quarter.fiscal_year, quarter.fiscal_quarter): quarter for quarter in quarters}
    for report in reports:
        quarter = report.quarter
        filing = _Filing(
            ticker=plan.ticker,
            filed=report.filed,
            available_at=calendar.open_of(calendar.next_session(report.filed)),
            accession=accession(plan.filer_id, report.filed, 1),
            form="10-K" if quarter.fiscal_quarter == 4 else "10-Q",
            shares_per_first=split_factor(plan, report.filed),
        )
        for year in (quarter.fiscal_year - 1, quarter.fiscal_year):
            periods = [(year, number) for number in range(1, quarter.fiscal_quarter + 1)]
            if all(period in by_period for period in periods):
                rows += _column(filing, [by_period[period] for period in periods])
        rows += [
            filing.row(concept, None, quarter.end, getattr(quarter, name), "USD") for concept, name in _BALANCE.items()
        ]
    frame = pd.DataFrame(rows, columns=list(FACT_COLUMNS))
    for name in ("period_start", "period_end", "filed"):
        frame[name] = pd.to_datetime(frame[name])
    frame["available_at"] = pd.to_datetime(frame["available_at"], utc=True)
    return frame
