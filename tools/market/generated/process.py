"""The business behind the statements: revenue, margins and a balance sheet, quarter by quarter.

Log revenue grows with drift `growth / 4`, a season's factor, and shocks that persist for a while; the operating margin
returns to its mean. What neither persistence nor season foretells, `0.5 z_revenue + sqrt(0.75) z_margin`, is the
quarter's `surprise`: standard normal, unpredictable, and the one thing that also moves the share price.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from .cast import CompanyPlan

GROWTH_PERSISTENCE = 0.4
"""How much of a shock to growth returns in the next quarter."""
MARGIN_PERSISTENCE = 0.7
REVENUE_PART = 0.5
"""Weight of the revenue shock in the surprise; the margin shock has sqrt(1 - REVENUE_PART^2)."""
INTEREST_RATE = 0.05
DEPRECIATION = 0.04
"""Of revenue, and likewise the capital expenditure that replaces it."""
PAYABLES = 0.55
"""Liabilities other than debt, over a quarter's revenue."""


@dataclass(frozen=True)
class Quarter:
    """One quarter of one company; money in whole USD (thousands), shares in the terms of the first session."""

    start: date
    end: date
    fiscal_year: int
    fiscal_quarter: int
    revenue: int
    cost_of_revenue: int
    operating_income: int
    interest: int
    income_tax: int
    net_income: int
    operating_cash_flow: int
    capital_expenditure: int
    dividend_per_share: float
    """Cash paid in this quarter, USD per share."""
    liabilities: int
    equity: int
    shares: int
    surprise: float

    @property
    def gross_profit(self) -> int:
        """Revenue less its cost."""
        return self.revenue - self.cost_of_revenue

    @property
    def assets(self) -> int:
        """Liabilities plus equity: the balance sheet closes by construction."""
        return self.liabilities + self.equity


def quarter_bounds(year: int, number: int) -> tuple[date, date]:
    """First and last day of calendar quarter 1..4 of a year."""
    start = date(year, 3 * number - 2, 1)
    following = date(year + 1, 1, 1) if number == 4 else date(year, 3 * number + 1, 1)
    return start, following - timedelta(days=1)


def fiscal_period(end: date, year_end_month: int) -> tuple[int, int]:
    """Fiscal year (named after the calendar year in which it ends) and fiscal quarter 1..4 of a period's end."""
    past_year_end = (end.month - year_end_month) % 12
    year = end.year if end.month <= year_end_month else end.year + 1
    return year, past_year_end // 3 or 4


def _thousands(amount: float) -> int:
    return round(amount / 1000.0) * 1000


def simulate(plan: CompanyPlan, first_year: int, last_year: int, rng: np.random.Generator) -> tuple[Quarter, ...]:
    """All quarters of the calendar years `first_year..last_year`, in order."""
    level, growth_shock, margin_gap = float(np.log(plan.quarterly_revenue)), 0.0, 0.0
    equity = _thousands(plan.quarterly_revenue * 4 * 0.9)
    earned: list[float] = [plan.quarterly_revenue * plan.operating_margin * (1 - plan.tax_rate)]
    dividend = 0.0
    quarters = []
    for year in range(first_year, last_year + 1):
        for number in range(1, 5):
            z_revenue, z_margin, z_cash, z_cost = (float(z) for z in rng.standard_normal(4))
            growth_shock = GROWTH_PERSISTENCE * growth_shock + plan.revenue_risk * z_revenue
            level += plan.growth / 4 + growth_shock
            margin_gap = MARGIN_PERSISTENCE * margin_gap + plan.margin_risk * z_margin
            revenue = _thousands(float(np.exp(level)) * plan.seasonality[number - 1])
            gross_margin = plan.gross_margin + 0.6 * margin_gap + 0.004 * z_cost
            operating_income = _thousands(revenue * (plan.operating_margin + margin_gap))
            interest = _thousands(plan.debt * INTEREST_RATE / 4)
            tax = _thousands(max(0.0, (operating_income - interest) * plan.tax_rate))
            net_income = operating_income - interest - tax
            # the dividend follows last year's earnings and is never cut
            dividend = max(dividend, round(plan.payout * float(np.mean(earned[-4:])) / plan.shares, 2))
            equity += net_income - _thousands(dividend * plan.shares)
            earned.append(net_income)
            start, end = quarter_bounds(year, number)
            fiscal_year, fiscal_quarter = fiscal_period(end, plan.fiscal_year_end_month)
            quarters.append(
                Quarter(
                    start=start,
                    end=end,
                    fiscal_year=fiscal_year,
                    fiscal_quarter=fiscal_quarter,
                    revenue=revenue,
                    cost_of_revenue=revenue - _thousands(revenue * gross_margin),
                    operating_income=operating_income,
                    interest=interest,
                    income_tax=tax,
                    net_income=net_income,
                    operating_cash_flow=net_income + _thousands(revenue * (DEPRECIATION + 0.015 * z_cash)),
                    capital_expenditure=_thousands(revenue * DEPRECIATION),
                    dividend_per_share=dividend,
                    liabilities=_thousands(plan.debt + PAYABLES * revenue),
                    equity=equity,
                    shares=int(plan.shares),
                    surprise=REVENUE_PART * z_revenue + float(np.sqrt(1 - REVENUE_PART**2)) * z_margin,
                )
            )
    return tuple(quarters)
