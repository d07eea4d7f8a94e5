"""What a market holds, in figures: for `paperdesk markets describe`."""

from collections import Counter
from datetime import date

import numpy as np

from ..frozen import Frozen
from .view import Market


class Instrument(Frozen):
    """One company or fund."""

    ticker: str
    name: str
    sector: str
    """Empty if the market does not say, and for what is no company."""
    is_company: bool
    first_price: date | None
    """None if it never traded."""
    last_price: date | None
    missing_share: float
    """Share of the sessions between its first and last price on which it did not trade, 0 to 1."""
    delisted: bool
    """Whether its prices end before the market does."""
    splits: int
    dividends: int
    facts: int
    filings: int
    documents: int


class Description(Frozen):
    """A market in figures."""

    name: str
    note: str
    generated: bool
    fingerprint: str
    calendar: str
    first_session: date
    last_session: date
    sessions: int
    window: tuple[date, date]
    benchmark: str | None
    instruments: tuple[Instrument, ...]
    """Companies in the market's order, then the others."""
    facts: int
    """Figures from filings, each filing's counted."""
    filings: int
    documents: int
    missing_share: float
    """Over all instruments, as for each of them."""
    splits: int
    delisted: tuple[str, ...]
    """Instruments whose prices end before the market does."""
    series: tuple[str, ...]
    """Series of the economy."""

    def rows(self) -> tuple[tuple[str, str], ...]:
        """The market as label and text, for printing; `instruments` is a table of its own."""
        companies = [row for row in self.instruments if row.is_company]
        sectors = sorted({row.sector for row in companies if row.sector})
        return (
            ("Name", self.name),
            ("Note", self.note),
            ("Kind", "generated" if self.generated else "data"),
            ("Fingerprint", self.fingerprint),
            ("Sessions", f"{self.sessions:,} of {self.calendar}, {self.first_session} to {self.last_session}"),
            ("Window", f"{self.window[0]} to {self.window[1]}"),
            ("Companies", f"{len(companies)}, sectors: {', '.join(sectors) or 'none'}"),
            ("Benchmark", self.benchmark or "none"),
            ("Missing bars", f"{self.missing_share:.2%}"),
            ("Splits", str(self.splits)),
            ("Delisted", ", ".join(self.delisted) or "none"),
            ("Filings", f"{self.filings:,} with {self.facts:,} figures"),
            ("Documents", f"{self.documents:,}"),
            ("Series", ", ".join(self.series) or "none"),
        )


def describe(market: Market) -> Description:
    """Count what a market holds, future included: for people who choose one, never for an agent."""
    dataset = market.dataset
    bars, sessions = dataset.bars, dataset.bars.sessions
    traded = np.isfinite(bars.close)
    figures = Counter(dataset.facts["ticker"])
    filings = Counter(dataset.facts.drop_duplicates(["ticker", "accession"])["ticker"])
    documents = Counter(document.ticker for document in dataset.documents)
    others = [name for name in bars.tickers if name not in dataset.companies]
    instruments, missing, expected = [], 0, 0
    for ticker in (*market.tickers, *others):
        j = bars.column(ticker)
        days = np.flatnonzero(traded[:, j])
        span = int(days[-1] - days[0] + 1) if len(days) else 0
        missing, expected = missing + span - len(days), expected + span
        company = dataset.companies.get(ticker)
        instruments.append(
            Instrument(
                ticker=ticker,
                name=company.name if company else ticker,
                sector=company.sector if company else "",
                is_company=company is not None,
                first_price=sessions[days[0]] if span else None,
                last_price=sessions[days[-1]] if span else None,
                missing_share=(span - len(days)) / span if span else 0.0,
                delisted=bool(span) and int(days[-1]) < len(sessions) - 1,
                splits=int((bars.split[:, j] != 1).sum()),
                dividends=int((bars.dividend[:, j] > 0).sum()),
                facts=figures[ticker],
                filings=filings[ticker],
                documents=documents[ticker],
            )
        )
    return Description(
        name=market.name,
        note=market.note,
        generated=market.generated,
        fingerprint=market.fingerprint,
        calendar=dataset.calendar,
        first_session=sessions[0],
        last_session=sessions[-1],
        sessions=len(sessions),
        window=market.window,
        benchmark=market.benchmark,
        instruments=tuple(instruments),
        facts=len(dataset.facts),
        filings=sum(row.filings for row in instruments),
        documents=len(dataset.documents),
        missing_share=missing / expected if expected else 0.0,
        splits=sum(row.splits for row in instruments),
        delisted=tuple(row.ticker for row in instruments if row.delisted),
        series=tuple(sorted(dataset.series["series"].unique())),
    )
