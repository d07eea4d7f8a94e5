"""What a figure was computed from: the filing's own figures, the closes it looked back over."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from ...tools.evidence import Evidence
from ...tools.indicators import SOURCE as PRICES

if TYPE_CHECKING:
    from ...tools.market.view import MarketView

LOOK_BACK = 252
"""Closes shown of an indicator: a year, the longest that one looks back."""


@dataclass(frozen=True)
class FiledFact:
    """A figure as it stands in a filing."""

    concept: str
    period_start: date | None
    """None for a figure of one day, such as a balance."""
    period_end: date
    value: float
    unit: str
    form: str
    filed: date


@dataclass(frozen=True)
class Close:
    """A closing price in the shares of the decision's day."""

    day: date
    price: float


def filing_of(view: "MarketView", evidence: Evidence) -> list[FiledFact]:
    """The figures of the filing that a ratio was computed from, the period's own first; empty for other evidence."""
    if evidence.kind != "ratio":
        return []
    facts = view.facts(evidence.ticker)
    rows = facts[facts["accession"] == evidence.source].to_dict("records")
    found = [
        FiledFact(
            concept=str(row["concept"]),
            period_start=None if row["period_start"] != row["period_start"] else _day(row["period_start"]),
            period_end=_day(row["period_end"]),
            value=float(row["value"]),
            unit=str(row["unit"]),
            form=str(row["form"]),
            filed=_day(row["filed"]),
        )
        for row in rows
    ]
    return sorted(
        found,
        key=lambda fact: (
            fact.period_end.isoformat() not in evidence.period,
            -fact.period_end.toordinal(),
            fact.concept,
            fact.period_start or date.min,
        ),
    )


def closes_of(view: "MarketView", evidence: Evidence) -> list[Close]:
    """The closes of the year that an indicator of prices looked back over; empty for other evidence."""
    if evidence.kind != "indicator" or evidence.source != PRICES:
        return []  # the tone of a release is an indicator too
    past = view.arrays(evidence.ticker, LOOK_BACK)
    closes = zip(past.rows.tolist(), past.close.tolist(), strict=True)
    return [Close(view.sessions[row], price) for row, price in closes if price == price]


def _day(value: object) -> date:
    return value.date() if hasattr(value, "date") else date.fromisoformat(str(value)[:10])
