"""How long an evidence pack takes: 100 companies at one date, never asked before, out of ten years of data.

The market has the size of a real one and meaningless figures: daily bars with splits and dividends, 39 quarterly
filings of 25 concepts a company, 100 releases a company. It is open and its passages are indexed before the clock
starts, as in a session; `first` is the first pack of the process, which arranges prices and filings by company.
"""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any

import numpy as np

from paperdesk.tools.clock import TradingCalendar
from paperdesk.tools.evidence_pack import QUERY, evidence_pack
from paperdesk.tools.indicators import indicators
from paperdesk.tools.market.bars import Bars
from paperdesk.tools.market.dataset import facts_frame
from paperdesk.tools.market.documents.search import search_many
from paperdesk.tools.market.fundamentals import ratios
from paperdesk.tools.market.records import FACT_COLUMNS, Company, Dataset, Document
from paperdesk.tools.market.view import Market, MarketView
from paperdesk.tools.sentiment.lexicon import latest_tone

FIRST, LAST = date(2014, 1, 2), date(2023, 12, 29)
COMPANIES, QUARTERS, DOCUMENTS, DATES = 100, 40, 100, 25
FLOWS = (
    *("Revenue", "CostOfRevenue", "GrossProfit", "OperatingIncome", "NetIncome", "OperatingCashFlow"),
    *("CapitalExpenditure", "SharesDiluted", "EPSDiluted", "ResearchAndDevelopment", "IncomeTax", "InterestExpense"),
    *("Depreciation", "StockCompensation", "DividendsPaid", "SharesRepurchased"),
)
LEVELS = (
    *("Assets", "Liabilities", "Equity", "AssetsCurrent", "LiabilitiesCurrent", "Cash", "Inventory", "Receivables"),
    "LongTermDebt",
)
WORDS = (
    *("the", "the", "the", "of", "of", "and", "and", "to", "in", "for", "with", "on", "from", "quarter", "year"),
    *("company", "revenue", "income", "results", "sales", "demand", "orders", "growth", "increased", "decreased"),
    *("higher", "lower", "strong", "weak", "record", "decline", "improved", "guidance", "segment", "products"),
    *("services", "costs", "cash", "flow", "share", "dividend", "market", "region", "pricing", "inventory"),
    *("operations", "reported", "compared", "period", "net", "operating", "gross", "adjusted", "per", "diluted"),
    *("margin", "outlook", "expects", "customers", "investment", "backlog", "currency", "exchange", "supply"),
)


def market(rng: np.random.Generator) -> Market:
    """The synthetic market."""
    calendar = TradingCalendar("XNYS", FIRST, LAST)
    sessions = calendar.sessions(FIRST, LAST)
    names = tuple(f"C{i:03d}" for i in range(COMPANIES))
    return Market(
        Dataset(
            name="benchmark",
            note="Random numbers in the shape of a market.",
            generated=True,
            calendar="XNYS",
            bars=_bars(sessions, (*names, "INDEX"), rng),
            companies={name: Company(name, f"Company {name}") for name in names},
            facts=facts_frame(_facts(names, calendar, rng)),
            documents=_documents(names, sessions, rng),
            benchmark="INDEX",
        )
    )


def _bars(sessions: tuple[date, ...], tickers: tuple[str, ...], rng: np.random.Generator) -> Bars:
    shape = (len(sessions), len(tickers))
    common = rng.normal(0.0003, 0.01, (len(sessions), 1))
    split = np.where(rng.random(shape) < 0.0005, 2.0, 1.0)
    close = 50 * np.exp(np.cumsum(common + rng.normal(0, 0.015, shape), axis=0)) / np.cumprod(split, axis=0)
    return Bars(
        sessions=sessions,
        tickers=tickers,
        open=close,
        high=close * 1.01,
        low=close * 0.99,
        close=close,
        volume=np.round(rng.lognormal(14, 0.5, shape)),
        dividend=np.where(rng.random(shape) < 0.005, 0.005 * close, 0.0),
        split=split,
    )


def _facts(names: tuple[str, ...], calendar: TradingCalendar, rng: np.random.Generator) -> dict[str, list[Any]]:
    """Quarters, running totals of the fiscal year, and each again in the filing a year later, as filings have them."""
    columns: dict[str, list[Any]] = {name: [] for name in FACT_COLUMNS}
    for i, ticker in enumerate(names):
        for number in range(QUARTERS - 1):
            year, quarter = FIRST.year + number // 4, number % 4
            filed = _first_of(year, quarter + 1) + timedelta(days=20 + i % 15)
            known = calendar.open_of(calendar.next_session(filed))
            for back in (0, 1):
                end = _first_of(year - back, quarter + 1) - timedelta(days=1)
                starts = {_first_of(year - back, quarter), date(year - back, 1, 1)}
                # a fourth quarter is never filed
                flows = [(name, start) for name in FLOWS for start in (starts if quarter < 3 else {min(starts)})]
                for concept, start in flows + [(name, None) for name in LEVELS]:
                    months = 3 if start is None else 3 * (1 + quarter) if start.month == 1 else 3
                    value = float(rng.lognormal(18, 0.1)) * (months / 3)
                    form = "10-K" if quarter == 3 else "10-Q"
                    accession = f"{i:010d}-{year}-{quarter}"
                    row = (ticker, concept, start, end, value, "USD", filed, known, accession, form)
                    for name, cell in zip(FACT_COLUMNS, row, strict=True):
                        columns[name].append(cell)
    return columns


def _first_of(year: int, quarter: int) -> date:
    return date(year + quarter // 4, 3 * (quarter % 4) + 1, 1)


def _documents(names: tuple[str, ...], sessions: tuple[date, ...], rng: np.random.Generator) -> tuple[Document, ...]:
    """Releases of about 300 words in sentences, each with figures of its own."""
    documents = []
    for name in names:
        for i, row in enumerate(np.sort(rng.choice(len(sessions), DOCUMENTS, replace=False))):
            picks, figures = rng.integers(0, len(WORDS), (20, 15)), rng.integers(1, 999, 20)
            body = " ".join(
                f"{' '.join(WORDS[k] for k in line)} {figure}.".capitalize()
                for line, figure in zip(picks, figures, strict=True)
            )
            moment = datetime.combine(sessions[row], datetime.min.time(), UTC) + timedelta(hours=21, minutes=5)
            documents.append(Document(f"{name}-{i}", name, moment, "8-K", f"{name} reports {i}", body))
    return tuple(sorted(documents, key=lambda document: (document.published_at, document.id)))


def measure() -> list[dict[str, Any]]:
    """A row per part of the pack and one for the whole: milliseconds for all companies at one new date."""
    rng = np.random.default_rng(1)
    whole = market(rng)
    sessions = whole.dataset.bars.sessions
    moments = [whole.calendar.close_of(sessions[row]) for row in rng.choice(np.arange(500, 2500), 6 * DATES, False)]
    began = time.perf_counter()
    search_many(whole.view(moments[0]), whole.tickers, QUERY)  # builds the index or opens it
    rows: list[dict[str, Any]] = [{"step": "index", "ms": round(1e3 * (time.perf_counter() - began))}]
    rows.append(_row("first", whole, moments[:1], lambda view: evidence_pack(view, view.tickers)))
    parts: dict[str, Callable[[MarketView], object]] = {
        "ratios": lambda view: [ratios(view, name) for name in view.tickers],
        "tone": lambda view: [latest_tone(view, name) for name in view.tickers],
        "search": lambda view: search_many(view, view.tickers, QUERY),
        "indicators": lambda view: [indicators(view, name) for name in view.tickers],
        "pack": lambda view: evidence_pack(view, view.tickers),
    }
    for number, (name, part) in enumerate(parts.items(), 1):
        rows.append(_row(name, whole, moments[number * DATES : (number + 1) * DATES], part))
    items = sum(len(pack) for pack in evidence_pack(whole.view(moments[0]), whole.tickers).values())
    return [*rows, {"step": "size", "evidence": items, "companies": COMPANIES, "sessions": len(sessions)}]


def _row(step: str, whole: Market, moments: list[datetime], work: Callable[[MarketView], object]) -> dict[str, Any]:
    times = []
    for moment in moments:
        began = time.perf_counter()
        work(whole.view(moment))
        times.append(1e3 * (time.perf_counter() - began))
    return {"step": step, "ms": round(median(times), 1), "worst_ms": round(max(times), 1), "dates": len(times)}
