"""The companies of a laboratory: who they are, how their business and their shares behave."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .names import Identity, Namer
from .plan import LaboratoryPlan
from .streams import CHARACTER, NAMES, stream

Vector = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Cast:
    """The constants of N companies; arrays of length N, money in USD, rates as fractions."""

    identities: tuple[Identity, ...]
    sector: Numbers
    """Index of its sector factor."""
    # business
    revenue: Vector
    """Expected revenue of the first simulated quarter, without season."""
    growth: Vector
    """Expected yearly growth of revenue."""
    seasonality: NDArray[np.float64]
    """(4, N) factors of the calendar quarters; mean 1."""
    gross_margin: Vector
    operating_margin: Vector
    revenue_risk: Vector
    """Standard deviation of a quarter's shock to log revenue."""
    margin_risk: Vector
    """Standard deviation of a quarter's shock to the operating margin."""
    tax_rate: Vector
    debt: Vector
    payout: Vector
    """Share of earnings paid as dividends; 0: pays none."""
    year_end_month: Numbers
    """Last month of the fiscal year: 3, 6, 9 or 12."""
    # shares
    shares: Vector
    """Diluted shares in the terms of the first session."""
    multiple: Vector
    """Fair market value over expected yearly earnings."""
    first_gap: Vector
    """Log of the market value over the fair one at the first session."""
    beta: Vector
    risk: Vector
    """Daily standard deviation of what market and sector do not explain, without earnings days."""
    split_price: Vector
    """Price from which the company splits its shares, USD."""
    # habits
    morning: NDArray[np.bool_]
    """Publishes results before the open, not after the close."""
    dividend_day: Numbers
    """Number of the session, in a quarter's last month, without dividend."""
    listed: Vector
    """Quantile of its listing within the market; below 0: listed all along."""
    leaves: Vector
    """Years from the first session to its delisting; infinite: never."""

    def __len__(self) -> int:
        return len(self.identities)


def draw_cast(plan: LaboratoryPlan) -> Cast:
    """The companies of a plan; the n-th is the same in every plan with this seed and these sectors."""
    namer = Namer(lambda number: stream(plan.seed, NAMES, number), plan.sectors)
    identities = tuple(namer.next(number) for number in range(plan.companies))
    rows = [_character(plan, stream(plan.seed, CHARACTER, number)) for number in range(plan.companies)]
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    columns["seasonality"] = columns["seasonality"].T
    sector = np.arange(plan.companies, dtype=np.int64) % plan.sectors
    return Cast(identities=identities, sector=sector, **columns)


def _character(plan: LaboratoryPlan, rng: np.random.Generator) -> dict[str, object]:
    """The constants of one company; every number is drawn whether or not it is used, so that switches do not shift."""
    z = rng.standard_normal(6)
    u = rng.random(12)
    seasons = 1 + np.array([-1.0, 0.2, 0.1, 0.7]) * 0.06 * rng.standard_normal() + 0.02 * rng.standard_normal(4)
    seasons = np.clip(seasons, 0.8, 1.2)
    revenue = float(np.clip(np.exp(np.log(8e8) + 1.1 * z[0]), 4e7, 2e10))
    operating_margin = 0.05 + 0.20 * float(u[0])
    growth = 0.01 + 0.10 * float(u[1])
    multiple = float(np.clip(12.5 + 55 * growth + 2.5 * z[1], 9.0, 30.0))
    tax_rate = 0.15 + 0.10 * float(u[2])
    debt = revenue * (0.2 + 1.6 * float(u[3]))
    earnings = 4 * (revenue * operating_margin - debt * 0.05 / 4) * (1 - tax_rate)
    price = float(np.exp(np.log(48.0) + 0.6 * z[2]))
    leaves = -np.log(1 - float(u[4])) / plan.delistings if plan.delistings > 0 else np.inf
    return {
        "revenue": revenue,
        "growth": growth,
        "seasonality": seasons / seasons.mean(),
        "gross_margin": operating_margin + 0.12 + 0.35 * float(u[5]),
        "operating_margin": operating_margin,
        "revenue_risk": 0.018 + 0.022 * float(u[6]),
        "margin_risk": 0.010 + operating_margin * (0.05 + 0.07 * float(u[7])),
        "tax_rate": tax_rate,
        "debt": debt,
        "payout": 0.2 + 0.3 * float(u[8]) if growth < 0.06 else 0.0,
        "year_end_month": int(np.array([12, 12, 12, 12, 9, 6, 3])[int(rng.integers(7))]),
        "shares": float(np.round(earnings * multiple / price, -5)),
        "multiple": multiple,
        "first_gap": 0.25 * float(z[3]),
        "beta": float(np.clip(1 + 0.28 * z[4], 0.35, 1.9)),
        "risk": float(np.clip(0.0118 * np.exp(0.30 * z[5]), 0.006, 0.03)),
        "split_price": 180.0 + 400.0 * float(u[9]),
        "morning": bool(u[10] < 0.35),
        "dividend_day": int(rng.integers(4, 16)),
        "listed": float(0.6 * u[11] / plan.late_listings) if u[11] < plan.late_listings else -1.0,
        "leaves": float(leaves),
    }
