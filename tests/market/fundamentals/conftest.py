"""Real filings, and filings made up row by row."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest

from paperdesk.tools.clock import TradingCalendar
from paperdesk.tools.market.bars import Bars
from paperdesk.tools.market.records import FACT_COLUMNS, Company, Dataset
from paperdesk.tools.market.view import Market, open_market

FIRST, LAST = date(2021, 1, 4), date(2025, 12, 31)


class Fact(NamedTuple):
    """One row of a made-up filing; dates as ISO text."""

    concept: str
    start: str
    """Empty for a balance-sheet figure."""
    end: str
    value: float
    filed: str
    accepted_at: datetime | None = None
    unit: str = "USD"


MakeMarket = Callable[..., Market]


@cache
def _calendar() -> TradingCalendar:
    return TradingCalendar("XNYS", FIRST, date(2026, 1, 31))


@cache
def _open_after(filed: date) -> datetime:
    return _calendar().open_of(_calendar().next_session(filed))


@cache
def _bars(splits: tuple[tuple[str, float], ...], halted_from: str) -> Bars:
    sessions = tuple(_calendar().sessions(FIRST, LAST))
    shape = (len(sessions), 1)
    split = np.ones(shape)
    for day, ratio in splits:
        split[sessions.index(date.fromisoformat(day)), 0] = ratio
    walk = np.random.default_rng(3).normal(0.0003, 0.01, shape)
    close = 200 * np.exp(np.cumsum(walk, axis=0)) / np.cumprod(split, axis=0)
    if halted_from:
        close[[day >= date.fromisoformat(halted_from) for day in sessions]] = np.nan
    volume = np.where(np.isfinite(close), 1e6, 0.0)
    return Bars(sessions, ("ACME",), close, close, close, close, volume, np.zeros(shape), split)


def _frame(facts: Sequence[Fact]) -> pd.DataFrame:
    rows: list[tuple[Any, ...]] = []
    for fact in facts:
        filed = date.fromisoformat(fact.filed)
        known = fact.accepted_at or _open_after(filed)
        period = fact.start or None, fact.end
        source = f"filing-{fact.filed}"
        rows.append(("ACME", fact.concept, *period, float(fact.value), fact.unit, filed, known, source, "10-Q"))
    frame = pd.DataFrame(rows, columns=list(FACT_COLUMNS))
    for name in ("period_start", "period_end", "filed"):
        frame[name] = pd.to_datetime(frame[name])
    frame["available_at"] = pd.to_datetime(frame["available_at"], utc=True)
    return frame.sort_values("available_at", kind="stable").reset_index(drop=True)


def _make(facts: Sequence[Fact], splits: dict[str, float] | None = None, halted_from: str = "") -> Market:
    return Market(
        Dataset(
            name="made up",
            note="",
            generated=True,
            calendar="XNYS",
            bars=_bars(tuple((splits or {}).items()), halted_from),
            companies={"ACME": Company("ACME", "Acme")},
            facts=_frame(facts),
            documents=(),
        )
    )


@pytest.fixture(scope="session")
def make_market() -> MakeMarket:
    """A market of one company, ACME, with these facts, splits by day, and no trades from a day on."""
    return _make


def _quarter_ends() -> list[tuple[str, str]]:
    return [
        (f"{year}-{first}", f"{year}-{last}")
        for year in (2021, 2022, 2023, 2024)
        for first, last in (("01-01", "03-31"), ("04-01", "06-30"), ("07-01", "09-30"), ("10-01", "12-31"))
    ]


@pytest.fixture(scope="session")
def complete() -> tuple[Fact, ...]:
    """Sixteen quarters of a company that files everything: each figure once, whole numbers, constant shares.

    The income statement by quarter and year to date, cash flow year to date only, no fourth quarter.
    """
    facts = []
    for i, (start, end) in enumerate(_quarter_ends()):
        year, number = end[:4], i % 4
        filed = f"{int(year) + 1}-02-20" if number == 3 else f"{year}-{('05', '08', '11')[number]}-05"
        quarters = range(i - number, i + 1)
        flows = {
            "Revenue": lambda q: 1000 + 20 * q,
            "CostOfRevenue": lambda q: 600 + 10 * q,
            "GrossProfit": lambda q: 400 + 10 * q,
            "OperatingIncome": lambda q: 200 + 6 * q,
            "NetIncome": lambda q: 150 + 4 * q,
            "EPSDiluted": lambda q: 2 + q,
            "OperatingCashFlow": lambda q: 180 + 3 * q,
            "CapitalExpenditure": lambda q: 50 + q,
        }
        for concept, value in flows.items():
            cash = concept in ("OperatingCashFlow", "CapitalExpenditure")
            unit = "USD/shares" if concept == "EPSDiluted" else "USD"
            total = sum(value(q) for q in quarters)
            facts.append(Fact(concept, f"{year}-01-01", end, total, filed, unit=unit))
            if number in (1, 2) and not cash:
                facts.append(Fact(concept, start, end, value(i), filed, unit=unit))
        facts.append(Fact("SharesDiluted", f"{year}-01-01", end, 50, filed, unit="shares"))
        levels = {
            "Assets": 5000 + 50 * i,
            "Liabilities": 3000 + 20 * i,
            "Equity": 2000 + 30 * i,
            "CurrentAssets": 1500 + 9 * i,
            "CurrentLiabilities": 900 + 5 * i,
        }
        facts += [Fact(concept, "", end, amount, filed) for concept, amount in levels.items()]
    return tuple(facts)


@pytest.fixture(scope="session")
def real(us8: Path) -> Market:
    """Seven companies and their filings of 2018 to 2025."""
    return open_market(us8)
