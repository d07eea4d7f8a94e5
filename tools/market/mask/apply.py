"""A data set with what identifies it replaced: in prices, filings, texts, ids, times, everywhere at once."""

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from ...errors import InputError
from ..bars import Bars
from ..dataset import fingerprinted
from ..records import Company, Dataset, Document
from ..relations.records import Link
from .amounts import amount_edits
from .edits import Edit, apply
from .identity import Identity, identity_of
from .invent import draw, invented_id, invented_tickers, level_factor
from .key import CYCLE_YEARS, MASKABLE, MaskKey, What
from .names import Names, Reading
from .years import year_edits, years

LATEST_YEAR = 2098
"""The cycle of weekdays breaks in 2100, and a calendar reaches a month beyond the last bar."""
_ROOM_YEARS = 18
"""A shift by two cycles is chosen only where the data may still grow by so many years."""
_MONEY = re.compile(r"[A-Z]{3}(?:\s?/\s?shares?)?", re.IGNORECASE)
_NO_MONEY = re.compile(r"shares|ratio|count|number|employees|percent|rate$", re.IGNORECASE)


@dataclass(frozen=True)
class Masked:
    """A masked data set, what it was made from, and the key between the two."""

    dataset: Dataset
    key: MaskKey
    original: Dataset


def mask(dataset: Dataset, what: frozenset[What], seed: int) -> Masked:
    """The data set with names, dates or levels replaced, the same for the same seed.

    A row or document is masked by itself and by static tables, so that masking what was known at a time gives what
    was known at that time of the masked data set.

    Args:
        dataset: any market.
        what: at least one of `MASKABLE`.
        seed: of everything that is invented.

    Raises:
        InputError: nothing or something unknown is to be masked, or the dates cannot be moved within 2098.
    """
    if not what or not what <= set(MASKABLE):
        raise InputError(f"a mask of {', '.join(sorted(what)) or 'nothing'} was asked for; name {', '.join(MASKABLE)}")
    work = _Work(dataset, what, seed)
    masked = replace(
        dataset,
        name=f"masked-{'-'.join(name for name in MASKABLE if name in what)}",
        note=_note(dataset, what),
        calendar=f"{dataset.calendar}+{work.years}y" if work.years else dataset.calendar,
        bars=work.bars(dataset.bars),
        companies={work.tickers[name]: work.company(row) for name, row in dataset.companies.items()},
        facts=work.facts(dataset.facts),
        documents=tuple(work.document(row) for row in dataset.documents),
        benchmark=work.tickers[dataset.benchmark] if dataset.benchmark else None,
        window=(dataset.window[0] + work.shift, dataset.window[1] + work.shift) if dataset.window else None,
        series=work.moved(dataset.series),
        relations=tuple(work.link(row) for row in dataset.relations),
    )
    return Masked(fingerprinted(masked), work.key(), dataset)


def _note(dataset: Dataset, what: frozenset[What]) -> str:
    replaced = " and ".join(name for name in MASKABLE if name in what)
    kind = "a generated market" if dataset.generated else "a real market"
    return f"Masked: {replaced} of {kind} are replaced by invented ones, so that nothing can be known from memory."


class _Work:
    """The tables of one masking."""

    def __init__(self, dataset: Dataset, what: frozenset[What], seed: int) -> None:
        self.what, self.seed = what, seed
        self.years = _shift_years(dataset, seed) if "dates" in what else 0
        instruments = dataset.bars.tickers
        self.identity: Identity = identity_of(dataset)
        if "names" in what:
            self.tickers = invented_tickers(instruments, seed, {name.upper() for name in self.identity.words})
        else:
            self.tickers = {name: name for name in instruments}
        self.names = Names(self.identity, self.tickers, seed)
        self.factors = {name: level_factor(name, seed) if "levels" in what else 1.0 for name in instruments}
        self.opaque = bool(what & {"names", "dates"})
        self._companies: dict[str, str] = {}
        self._documents: dict[str, str] = {}
        self._filings: dict[str, str] = {}
        self.shift: timedelta = self.key().shift

    def key(self) -> MaskKey:
        return MaskKey(
            what=tuple(name for name in MASKABLE if name in self.what), seed=self.seed, years=self.years,
            tickers=self.tickers, companies=self._companies, words=dict(sorted(self.names.replaced.items())),
            factors=self.factors, documents=self._documents, filings=self._filings,
        )  # fmt: skip

    def company(self, company: Company) -> Company:
        name = self.names.company_name(company.name) if "names" in self.what else company.name
        if company.name == company.ticker:
            name = self.tickers[company.ticker]
        self._companies[company.ticker] = name
        return Company(self.tickers[company.ticker], name, company.industry, company.sector)

    def bars(self, bars: Bars) -> Bars:
        factors = np.array([self.factors[name] for name in bars.tickers])
        return replace(
            bars,
            sessions=tuple(day + self.shift for day in bars.sessions),
            tickers=tuple(self.tickers[name] for name in bars.tickers),
            open=bars.open * factors,
            high=bars.high * factors,
            low=bars.low * factors,
            close=bars.close * factors,
            # so that the value traded, and with it what can be bought in a session, stays what it was
            volume=bars.volume / factors,
            dividend=bars.dividend * factors,
        )

    def facts(self, facts: pd.DataFrame) -> pd.DataFrame:
        masked = self.moved(facts)
        # concepts and units repeat, so money is judged once per pair
        pairs = facts[["concept", "unit"]].drop_duplicates().itertuples(index=False)
        money = {(concept, unit) for concept, unit in pairs if _is_money(str(concept), str(unit))}
        factor = facts["ticker"].map(self.factors).to_numpy(np.float64)
        in_money = np.array([pair in money for pair in zip(facts["concept"], facts["unit"], strict=True)], dtype=bool)
        masked["value"] = np.where(in_money, facts["value"] * factor, facts["value"])
        masked["ticker"] = facts["ticker"].map(self.tickers).astype("str")
        if self.opaque:
            self._filings |= {name: invented_id("filing", name, self.seed) for name in facts["accession"].unique()}
            masked["accession"] = facts["accession"].map(self._filings).astype("str")
        return masked

    def moved(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame with its dates and times moved."""
        moved = frame.copy()
        for name in frame.columns:
            if self.shift and pd.api.types.is_datetime64_any_dtype(frame[name].dtype):
                moved[name] = (frame[name] + pd.Timedelta(self.shift)).astype(frame[name].dtype)
        return moved

    def document(self, row: Document) -> Document:
        reading = Reading(row.text) if "names" in self.what else None
        if self.opaque:
            self._documents[row.id] = invented_id("doc", row.id, self.seed)
        return Document(
            id=self._documents.get(row.id, row.id),
            ticker=self.tickers[row.ticker],
            published_at=row.published_at + self.shift,
            source=self.text(row.source, row.ticker, reading),
            headline=self.text(row.headline, row.ticker, reading),
            body=self.text(row.body, row.ticker, reading),
        )

    def link(self, row: Link) -> Link:
        return row.model_copy(
            update={
                "ticker": self.tickers[row.ticker],
                "other": self.tickers[row.other],
                "available_at": row.available_at + self.shift,
                "until": row.until + self.shift if row.until else None,
                # where it is from may name anything; a free text is not worth the risk
                "source": "" if self.opaque else row.source,
            }
        )

    def text(self, text: str, ticker: str, reading: Reading | None) -> str:
        """A masked text of a company's document."""
        edits: list[Edit] = []
        if "dates" in self.what:
            edits += year_edits(text, self.years)
        elif "levels" in self.what:
            # a year is no amount, wherever it stands
            edits += [Edit(year.start, year.end, text[year.start : year.end]) for year in years(text)]
        if "levels" in self.what:
            edits += amount_edits(text, self.factors[ticker])
        if reading is not None:
            edits += self.names.edits(text, reading)
        return apply(text, edits)


def _is_money(concept: str, unit: str) -> bool:
    return bool(_MONEY.fullmatch(unit)) if unit else not _NO_MONEY.search(concept)


def _shift_years(dataset: Dataset, seed: int) -> int:
    """One cycle or two, by seed; judged by the first session, which later data cannot change."""
    first: date = dataset.bars.sessions[0]
    cycles = 1 + draw(seed, "years") % 2
    if first.year + cycles * CYCLE_YEARS > LATEST_YEAR - _ROOM_YEARS:
        cycles = 1
    shift = cycles * CYCLE_YEARS
    last = dataset.bars.sessions[-1]
    if last.year + shift > LATEST_YEAR:
        raise InputError(
            f"{dataset.name} ends on {last}, and {shift} years later no calendar repeats; mask names and levels only"
        )
    return shift
