"""The companies of the generated market: who they are and how their business and their shares behave.

All names are invented. A later market with N companies is another tuple of `CompanyPlan`; nothing else knows these six.
"""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class SplitPlan:
    """A share split: `ratio` new shares for one old share before the open of `effective` (or the next session)."""

    effective: date
    ratio: int


@dataclass(frozen=True)
class CompanyPlan:
    """The constants of one company. Money in USD, rates as fractions."""

    ticker: str
    name: str
    sector: str
    industry: str
    filer_id: str
    """Ten digits, the first part of its accession numbers."""
    city: str
    chief: str
    product: str
    market_served: str
    # business
    quarterly_revenue: float
    """Expected revenue of the first simulated quarter."""
    growth: float
    """Expected yearly growth of revenue."""
    seasonality: tuple[float, float, float, float]
    """Factors of the calendar quarters; mean about 1."""
    gross_margin: float
    operating_margin: float
    revenue_risk: float
    """Standard deviation of a quarter's shock to log revenue."""
    margin_risk: float
    """Standard deviation of a quarter's shock to the operating margin."""
    tax_rate: float
    debt: float
    fiscal_year_end_month: int
    """3, 6, 9 or 12."""
    # shares
    shares: float
    """Diluted shares in the terms of the first session."""
    earnings_multiple: float
    """First price over expected yearly earnings per share."""
    beta: float
    specific_risk: float
    """Daily standard deviation of what market and sector do not explain."""
    listed: date | None = None
    """First session; None: listed before the data starts."""
    split: SplitPlan | None = None
    payout: float = 0.0
    """Share of earnings paid as quarterly dividends."""


CAST: tuple[CompanyPlan, ...] = (
    CompanyPlan(
        ticker="BRQL", name="Brequill Machinery", sector="Industrials", industry="Specialty machinery",
        filer_id="0009900101", city="Toledo", chief="Marit Osgood", product="gear presses",
        market_served="rail and mining workshops", quarterly_revenue=1.24e9, growth=0.04,
        seasonality=(0.95, 1.02, 1.00, 1.03), gross_margin=0.36, operating_margin=0.15, revenue_risk=0.022,
        margin_risk=0.009, tax_rate=0.24, debt=1.9e9, fiscal_year_end_month=12, shares=1.56e8,
        earnings_multiple=15.0, beta=0.85, specific_risk=0.010, payout=0.38,
    ),
    CompanyPlan(
        ticker="OSTW", name="Ostwick Tools", sector="Industrials", industry="Tools and hardware",
        filer_id="0009900202", city="Duluth", chief="Henrik Vale", product="cordless cutters",
        market_served="building contractors", quarterly_revenue=4.6e8, growth=0.02,
        seasonality=(0.90, 1.08, 1.06, 0.96), gross_margin=0.31, operating_margin=0.08, revenue_risk=0.030,
        margin_risk=0.012, tax_rate=0.25, debt=8.2e8, fiscal_year_end_month=9, shares=6.1e7,
        earnings_multiple=13.0, beta=1.10, specific_risk=0.014,
    ),
    CompanyPlan(
        ticker="VYDN", name="Vydane Diagnostics", sector="Health", industry="Medical instruments",
        filer_id="0009900303", city="Madison", chief="Odile Brandt", product="blood analysers",
        market_served="hospital laboratories", quarterly_revenue=7.8e8, growth=0.08,
        seasonality=(0.98, 0.99, 1.00, 1.03), gross_margin=0.58, operating_margin=0.20, revenue_risk=0.020,
        margin_risk=0.010, tax_rate=0.19, debt=6.0e8, fiscal_year_end_month=12, shares=1.18e8,
        earnings_multiple=24.0, beta=0.75, specific_risk=0.011,
    ),
    CompanyPlan(
        ticker="MELQ", name="Melquist Pharma", sector="Health", industry="Pharmaceuticals",
        filer_id="0009900404", city="Raleigh", chief="Tomas Erlund", product="inhaled therapies",
        market_served="asthma clinics", quarterly_revenue=1.9e8, growth=0.18,
        seasonality=(1.04, 0.98, 0.96, 1.02), gross_margin=0.71, operating_margin=0.12, revenue_risk=0.045,
        margin_risk=0.022, tax_rate=0.16, debt=2.4e8, fiscal_year_end_month=12, shares=7.4e7,
        earnings_multiple=22.0, beta=0.95, specific_risk=0.019, listed=date(2022, 6, 15),
    ),
    CompanyPlan(
        ticker="TRVX", name="Trevaux Semiconductors", sector="Technology", industry="Semiconductors",
        filer_id="0009900505", city="Boise", chief="Ines Calloway", product="power-control chips",
        market_served="makers of electric drives", quarterly_revenue=1.05e9, growth=0.14,
        seasonality=(0.96, 0.97, 1.02, 1.05), gross_margin=0.52, operating_margin=0.25, revenue_risk=0.040,
        margin_risk=0.016, tax_rate=0.15, debt=7.5e8, fiscal_year_end_month=6, shares=8.8e7,
        earnings_multiple=26.0, beta=1.35, specific_risk=0.016, split=SplitPlan(date(2023, 6, 12), 3),
    ),
    CompanyPlan(
        ticker="ZEPL", name="Zephlor Software", sector="Technology", industry="Application software",
        filer_id="0009900606", city="Provo", chief="Dana Whitlock", product="scheduling software",
        market_served="freight and parcel carriers", quarterly_revenue=3.1e8, growth=0.12,
        seasonality=(0.97, 0.99, 1.00, 1.04), gross_margin=0.74, operating_margin=0.17, revenue_risk=0.025,
        margin_risk=0.014, tax_rate=0.20, debt=1.5e8, fiscal_year_end_month=12, shares=9.5e7,
        earnings_multiple=28.0, beta=1.20, specific_risk=0.015,
    ),
)  # fmt: skip

INDEX_TICKER = "HXSI"
"""The index fund: an equal-weighted, daily rebalanced fund of the companies, dividends reinvested, without a fee."""
