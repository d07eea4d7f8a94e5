"""The business behind the statements, for all companies at once: revenue, margins and a balance sheet by quarters.

Log revenue grows with `growth / 4`, a season's factor, shocks that persist for a while, and `FORESIGHT` of the gap
between the company's market value and its fair one: what the market pays for comes, so that prices and earnings stay
together for decades although neither foretells a return (most news that moves a share is about its cash flow: Campbell
and Shiller 1988, Vuolteenaho 2002). The operating margin returns to its mean. What the guidance of the quarter before
did not say, `0.5 z_revenue + sqrt(0.75) z_margin`, is the surprise: standard normal, and nothing foretells it.
"""

from dataclasses import dataclass

import numpy as np

from ..generated.process import (
    DEPRECIATION,
    GROWTH_PERSISTENCE,
    INTEREST_RATE,
    MARGIN_PERSISTENCE,
    PAYABLES,
    REVENUE_PART,
)
from .cast import Cast, Vector
from .factors import Matrix
from .plan import LaboratoryPlan
from .streams import BUSINESS, stream
from .timetable import NEVER, Timetable

FORESIGHT = 0.12
"""Share of the log gap between market and fair value that turns into revenue within a quarter."""
FORESIGHT_LIMIT = 0.12
"""Log revenue, either way."""
DIVIDEND_LIMIT = 0.02
"""Most that a quarter's dividend takes of the price."""
FIXED_ASSETS = 2.0
"""Over a quarter's usual revenue."""


@dataclass(frozen=True)
class Business:
    """What the books hold; Q quarters by N companies, whole thousands of USD where nothing else is said."""

    revenue: Matrix
    """As restated, where it was."""
    overstated: Matrix
    """By how much revenue, and its cost, were higher as first filed; 0 almost everywhere."""
    cost_of_revenue: Matrix
    """As restated."""
    operating_income: Matrix
    interest: Matrix
    income_tax: Matrix
    net_income: Matrix
    operating_cash_flow: Matrix
    capital_expenditure: Matrix
    dividend_per_share: Matrix
    """Paid in this quarter, USD per share of the first session."""
    payables: Matrix
    equity: Matrix
    fixed_assets: Matrix
    guided_revenue: Matrix
    """What the release of the quarter before said to expect, USD."""
    guided_margin: Matrix
    """Operating margin, likewise."""
    surprise: Matrix
    """Standard deviations."""

    @property
    def first_revenue(self) -> Matrix:
        """Revenue as released and first filed."""
        return self.revenue + self.overstated


def thousands(amount: Matrix) -> Matrix:
    """Rounded to whole thousands of USD."""
    return np.asarray(np.round(amount / 1000.0) * 1000.0, dtype=np.float64)


class Books:
    """Closes one quarter after the other.

    Args:
        plan: the seed.
        cast: the companies.
        table: which quarters are amended, and in which a dividend can be paid.
    """

    def __init__(self, plan: LaboratoryPlan, cast: Cast, table: Timetable) -> None:
        self._cast, self._table = cast, table
        shape = (len(table.quarters), len(cast))
        # (Q, N, 5): shocks to revenue, margin, cash flow, cost, and the size of a restatement
        draws = [stream(plan.seed, BUSINESS, n).standard_normal((shape[0], 5)) for n in range(len(cast))]
        self._shocks = np.stack(draws, axis=1)
        surprise = REVENUE_PART * self._shocks[:, :, 0] + np.sqrt(1 - REVENUE_PART**2) * self._shocks[:, :, 1]
        columns = {name: np.zeros(shape) for name in Business.__dataclass_fields__ if name != "surprise"}
        self.business = Business(**columns, surprise=surprise)
        self._level = np.log(cast.revenue)
        self._growth_shock = np.zeros(len(cast))
        self._margin_gap = np.zeros(len(cast))
        self._equity = thousands(cast.revenue * 4 * 0.9)
        self._dividend = np.zeros(len(cast))
        self._foresight = np.zeros(len(cast))
        self._start = thousands(cast.revenue * cast.operating_margin * (1 - cast.tax_rate))

    def fair_value(self) -> Vector:
        """Log of the fair market value, USD: multiple times a usual year's earnings at the present level."""
        cast = self._cast
        earnings = 4 * (np.exp(self._level) * cast.operating_margin - cast.debt * INTEREST_RATE / 4)
        # a company that shrank below its interest is still worth a part of its revenue
        earnings = np.maximum(earnings, np.exp(self._level) * cast.operating_margin) * (1 - cast.tax_rate)
        return np.asarray(np.log(earnings * cast.multiple), dtype=np.float64)

    def foresee(self, gap: Vector) -> None:
        """The log gap between market and fair value at a quarter's end, which the next quarter begins to close."""
        self._foresight = np.clip(FORESIGHT * gap, -FORESIGHT_LIMIT, FORESIGHT_LIMIT)

    def declare(self, quarter: int, price: Vector | None = None) -> Vector:
        """Dividends per share of the first session within `quarter`, from what was earned before it.

        Args:
            quarter: the one in which they are paid.
            price: the last close, of which a dividend is `DIVIDEND_LIMIT` at most.
        """
        earned = self.business.net_income[max(0, quarter - 4) : quarter].mean(axis=0) if quarter else self._start
        new = np.round(self._cast.payout * earned / self._cast.shares, 2)
        # never lowered a little, only cut when earnings no longer carry half of it
        kept = np.where(new < 0.5 * self._dividend, np.maximum(new, 0.0), np.maximum(new, self._dividend))
        if price is not None:
            kept = np.minimum(kept, np.floor(100 * DIVIDEND_LIMIT * price) / 100)
        self._dividend = kept
        self.business.dividend_per_share[quarter] = np.where(self._table.ex_dividend[quarter] < NEVER, kept, 0.0)
        return np.asarray(self.business.dividend_per_share[quarter])

    def close(self, quarter: int) -> None:
        """Fill the rows of one quarter, once its dividends are declared."""
        cast, book = self._cast, self.business
        shock = self._shocks[quarter].T
        season = cast.seasonality[quarter % 4]
        drift = self._level + cast.growth / 4 + self._foresight
        book.guided_revenue[quarter] = np.exp(drift + GROWTH_PERSISTENCE * self._growth_shock) * season
        book.guided_margin[quarter] = cast.operating_margin + MARGIN_PERSISTENCE * self._margin_gap
        self._growth_shock = GROWTH_PERSISTENCE * self._growth_shock + cast.revenue_risk * shock[0]
        self._level = drift + self._growth_shock
        self._margin_gap = MARGIN_PERSISTENCE * self._margin_gap + cast.margin_risk * shock[1]

        revenue = thousands(np.exp(self._level) * season)
        cost = revenue - thousands(revenue * (cast.gross_margin + 0.6 * self._margin_gap + 0.004 * shock[3]))
        amended = self._table.amended[quarter] < NEVER
        over = np.where(amended, thousands(revenue * (0.01 + 0.02 * np.abs(shock[4]))), 0.0)
        operating_income = thousands(revenue * (cast.operating_margin + self._margin_gap))
        interest = thousands(cast.debt * INTEREST_RATE / 4)
        tax = thousands(np.maximum(0.0, (operating_income - interest) * cast.tax_rate))
        net_income = operating_income - interest - tax
        self._equity = self._equity + net_income - thousands(book.dividend_per_share[quarter] * cast.shares)
        book.revenue[quarter], book.overstated[quarter], book.cost_of_revenue[quarter] = (
            revenue - over,
            over,
            cost - over,
        )
        book.operating_income[quarter], book.interest[quarter] = operating_income, interest
        book.income_tax[quarter], book.net_income[quarter] = tax, net_income
        book.operating_cash_flow[quarter] = net_income + thousands(revenue * (DEPRECIATION + 0.015 * shock[2]))
        book.capital_expenditure[quarter] = thousands(revenue * DEPRECIATION)
        book.payables[quarter] = thousands(PAYABLES * revenue)
        book.equity[quarter] = self._equity
        book.fixed_assets[quarter] = thousands(FIXED_ASSETS * np.exp(self._level))
