"""What the rules see, read from a finished market: prices, texts and filings, as a person with a parser would.

Gives the same `Seen` as `detect.seen` gives of a world; the texts are read with regular expressions and the lexicon.
"""

import re
from bisect import bisect_right
from datetime import date, datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...clock import TradingCalendar
from ..generated.process import quarter_bounds
from ..records import Dataset, Document
from .detect import EVENT_DAYS, FRESH_SESSIONS, Seen, released_surprise, total_return_index
from .factors import Matrix

_GUIDED = re.compile(r"^Guidance\..*revenue of about \$([\d,.]+) million.*margin of about (-?[\d.]+)%", re.MULTILINE)
_EARNED = re.compile(r"^Operating income \| (-?[\d,.]+) \|", re.MULTILINE)
_LONGEST_QUARTER = timedelta(days=130)
"""Between two releases of consecutive quarters."""


def read_market(dataset: Dataset) -> Seen:
    """A laboratory's market as the rules see it.

    Args:
        dataset: made by `make`, or opened from a folder that `write_laboratory` wrote.
    """
    bars = dataset.bars
    columns = [bars.column(ticker) for ticker in dataset.companies]
    close, dividend, split = (matrix[:, columns] for matrix in (bars.close, bars.dividend, bars.split))
    first, last = bars.sessions[0], bars.sessions[-1]
    calendar = TradingCalendar(dataset.calendar, first - timedelta(days=400), last + timedelta(days=31))
    closes = np.array([calendar.close_of(day).timestamp() for day in bars.sessions])
    surprise, tone = _releases(dataset, closes)
    quarters = [
        quarter_bounds(year, number) for year in range(first.year - 1, last.year + 1) for number in (1, 2, 3, 4)
    ]
    ends = np.array([end for _, end in quarters], dtype="datetime64[D]")
    days = np.array(calendar.sessions(calendar.start, calendar.end), dtype="datetime64[D]")
    offset = int(np.searchsorted(days, np.datetime64(first)))
    dates = np.searchsorted(days, ends + EVENT_DAYS) - offset
    yields = [
        _earnings_yield(filings, bars.sessions, closes, close[:, k], split[:, k])
        for k, filings in enumerate(_filings(dataset).values())
    ]
    return Seen(
        wealth=total_return_index(close, dividend, split),
        event_dates=tuple(int(t) for t in dates if 0 <= t < len(bars.sessions)),
        surprise=surprise,
        tone=tone,
        earnings_yield=np.column_stack(yields),
    )


def _releases(dataset: Dataset, closes: NDArray[np.float64]) -> tuple[Matrix, Matrix]:
    """(T, N) surprise and tone of each company's newest earnings release, while it is fresh."""
    # Imported here: sentiment and documents read views of markets.
    from ...sentiment.lexicon import tone_of
    from ..documents.duplicates import collapse

    shape = (len(closes), len(dataset.companies))
    surprise, tone = np.full(shape, np.nan), np.full(shape, np.nan)
    texts: dict[str, list[Document]] = {ticker: [] for ticker in dataset.companies}
    for document in dataset.documents:
        if _GUIDED.search(document.body):
            texts[document.ticker].append(document)
    for k, rows in enumerate(texts.values()):
        before: Document | None = None
        for document in collapse(rows):
            start = int(np.searchsorted(closes, document.published_at.timestamp()))
            fresh = slice(start, start + FRESH_SESSIONS)
            surprise[fresh, k] = _surprise(before, document)
            tone[fresh, k] = tone_of(document.text)
            before = document
    return surprise, tone


def _surprise(before: Document | None, document: Document) -> float:
    earned = _EARNED.search(document.body)
    if before is None or earned is None or document.published_at - before.published_at > _LONGEST_QUARTER:
        return np.nan
    guided = _GUIDED.search(before.body)
    if guided is None:
        return np.nan
    numbers = [np.array(float(text.replace(",", ""))) for text in (earned.group(1), *guided.groups())]
    return float(released_surprise(*numbers))


class _Filing(NamedTuple):
    """The net incomes of one filing."""

    accession: str
    filed: date
    available_at: datetime
    incomes: dict[tuple[date, date], float]
    """By first and last day."""
    shares: float


def _filings(dataset: Dataset) -> dict[str, list[_Filing]]:
    """By ticker, in the order of becoming known; amendments are left out, they do not touch net income."""
    facts = dataset.facts[dataset.facts["concept"].isin(["NetIncome", "SharesDiluted"])]
    facts = facts[~facts["form"].str.endswith("/A")]
    days = [facts[name].dt.date.tolist() for name in ("period_start", "period_end", "filed")]
    others = [facts[name].tolist() for name in ("ticker", "accession", "concept", "value", "available_at")]
    found: dict[str, dict[str, _Filing]] = {ticker: {} for ticker in dataset.companies}
    for start, end, filed, ticker, accession, concept, value, available in zip(*days, *others, strict=True):
        filing = found[ticker].setdefault(accession, _Filing(accession, filed, available, {}, np.nan))
        if concept == "NetIncome":
            filing.incomes[start, end] = value
        else:
            found[ticker][accession] = filing._replace(shares=value)
    return {ticker: list(filings.values()) for ticker, filings in found.items()}


def _trailing(filing: _Filing, years: dict[date, float]) -> float | None:
    """Net income of the twelve months to the filing's quarter: the year, or last year and the difference of parts.

    Args:
        filing: the newest one.
        years: fiscal years filed so far, by last day.
    """
    end = max(last for _, last in filing.incomes)
    start = min(first for first, last in filing.incomes if last == end)
    total = filing.incomes[start, end]
    if (end - start).days > 350:
        return total
    year_ago = (_year_before(start), _year_before(end))
    last_year = years.get(start - timedelta(days=1))
    if last_year is None or year_ago not in filing.incomes:
        return None
    return last_year + total - filing.incomes[year_ago]


def _year_before(day: date) -> date:
    # quarters end with months, of which only February varies, and no quarter ends in it
    return day.replace(year=day.year - 1)


def _earnings_yield(
    filings: list[_Filing],
    sessions: tuple[date, ...],
    closes: NDArray[np.float64],
    price: NDArray[np.float64],
    split: NDArray[np.float64],
) -> NDArray[np.float64]:
    """(T,) net income of the last twelve months over market value, from the newest filing at each close."""
    result = np.full(len(price), np.nan)
    growth = np.cumprod(split)
    years: dict[date, float] = {}
    for filing in filings:
        years |= {end: value for (start, end), value in filing.incomes.items() if (end - start).days > 350}
        trailing = _trailing(filing, years)
        if trailing is None:
            continue
        at = int(np.searchsorted(closes, filing.available_at.timestamp()))
        filed = bisect_right(sessions, filing.filed) - 1
        base = growth[filed] if filed >= 0 else 1.0
        result[at:] = trailing / (price[at:] * filing.shares * growth[at:] / base)
    return result
