"""The generated market: six invented companies and an index fund, three years of trading, nothing to remember.

Everything is drawn from one seed: business quarters (`process`), their filings (`statements`) and releases (`prose`),
and prices (`prices`) on the real sessions of XNYS from 2021 to 2023. The dates are a calendar only; no event of those
years is in the data, so a language model cannot know what happens next.

One company pays quarterly dividends (BRQL), one splits its shares 3:1 inside the window (TRVX, 2023-06-12), one is
listed late (MELQ, 2022-06-15), and one release appears twice (ZEPL).

What can be earned here is planted and known. A quarter's surprise (standard normal, unknown before the release) moves
the price at once by `REACTION` = 3.5 % per standard deviation, which nobody can catch, and then by `DRIFT` = 2 % in all
over the following `DRIFT_SESSIONS` = 40 sessions, which a careful reader can. The rest of a share's return against the
fund has a standard deviation of about 9.5 % over 40 sessions, so even the surprise itself, which no agent sees, would
correlate with it at only 0.2. Nothing else in the data foretells a return, but for the states of the market.
"""

from datetime import date

import numpy as np
import pandas as pd

from ...clock import TradingCalendar
from ..dataset import fingerprinted
from ..records import Company, Dataset, Document
from .cast import CAST, INDEX_TICKER, CompanyPlan
from .prices import DRIFT, DRIFT_SESSIONS, REACTION, draw_factors, draw_track, index_track, stack
from .process import Quarter, simulate
from .prose import reissue, releases
from .reporting import Report, schedule
from .statements import facts

__all__ = [
    "CAST",
    "DRIFT",
    "DRIFT_SESSIONS",
    "FIRST",
    "INDEX_TICKER",
    "LAST",
    "REACTION",
    "WINDOW",
    "business",
    "generate",
]

FIRST, LAST = date(2021, 1, 4), date(2023, 12, 29)
"""First and last session."""
WINDOW = (date(2023, 1, 3), date(2023, 12, 29))
FIRST_BUSINESS_YEAR = 2019
"""Quarters begin earlier than prices, so that the first filings have a year before."""
NOTE = (
    "Generated demo market: six invented companies in three sectors and an index fund of them, 2021 to 2023 by the"
    " calendar only, with a mild planted drift after earnings surprises."
)

# one independent stream per purpose and company: adding a company leaves the others as they are
_FACTORS, _BUSINESS, _TIMES, _PROSE, _PRICES, _INDEX = range(6)


def _stream(seed: int, purpose: int, ticker: str = "") -> np.random.Generator:
    return np.random.default_rng([seed, purpose, *ticker.encode()])


def _calendar() -> TradingCalendar:
    # the days around are needed for "the session after" at both ends
    return TradingCalendar("XNYS", date(2020, 12, 1), date(2024, 1, 31))


def business(plan: CompanyPlan, seed: int = 7) -> tuple[tuple[Quarter, ...], tuple[Report, ...]]:
    """What is true of a company: all its quarters, and those of them that become known within the market.

    Agents never see this (it names the surprises); tests and evaluations of the planted edge do.
    """
    quarters = simulate(plan, FIRST_BUSINESS_YEAR, LAST.year, _stream(seed, _BUSINESS, plan.ticker))
    reports = schedule(quarters, _calendar(), _stream(seed, _TIMES, plan.ticker))
    known = tuple(report for report in reports if (plan.listed or FIRST) <= report.announced and report.filed < LAST)
    return quarters, known


def generate(seed: int = 7) -> Dataset:
    """The generated market.

    Args:
        seed: draws everything; the shipped demo uses 7.
    """
    calendar = _calendar()
    sessions = calendar.sessions(FIRST, LAST)
    factors = draw_factors(sorted({plan.sector for plan in CAST}), len(sessions), _stream(seed, _FACTORS))
    tracks, frames, documents = [], [], []
    for plan in CAST:
        quarters, reports = business(plan, seed)
        tracks.append(draw_track(plan, factors, quarters, reports, sessions, _stream(seed, _PRICES, plan.ticker)))
        frames.append(facts(plan, quarters, reports, calendar))
        documents += releases(plan, quarters, reports, calendar, _stream(seed, _PROSE, plan.ticker))
    documents.append(_repeated(documents, calendar))
    tracks.append(index_track(tracks, _stream(seed, _INDEX)))
    bars = stack([*(plan.ticker for plan in CAST), INDEX_TICKER], tracks, sessions)
    known = pd.concat(frames, ignore_index=True).sort_values("available_at", kind="stable", ignore_index=True)
    texts = tuple(sorted(documents, key=lambda document: (document.published_at, document.id)))
    dataset = Dataset(
        name="generated",
        note=NOTE,
        generated=True,
        calendar="XNYS",
        bars=bars,
        companies={plan.ticker: Company(plan.ticker, plan.name, plan.industry, plan.sector) for plan in CAST},
        facts=known,
        documents=texts,
        benchmark=INDEX_TICKER,
        window=WINDOW,
    )
    return fingerprinted(dataset)


def _repeated(documents: list[Document], calendar: TradingCalendar) -> Document:
    """The repeat of ZEPL's first earnings release in the window."""
    plan = next(plan for plan in CAST if plan.ticker == "ZEPL")
    original = next(
        document
        for document in documents
        if document.ticker == plan.ticker and document.published_at.date() >= WINDOW[0] and "Outlook." in document.body
    )
    return reissue(plan, original, calendar)
