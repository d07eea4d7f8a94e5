"""All texts of a laboratory: earnings releases, routine releases, repeats, late copies, hostile insertions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from ..generated.reporting import accession
from ..records import Document
from . import noise_texts, wording
from .filings import earnings_per_share, fiscal_quarters, liabilities
from .script import Script, margins, write_script, year_before
from .streams import COPIES, HOSTILE, LINKS, ROUTINE, stream
from .timetable import NEVER, moment
from .world import World

SOURCE = "PaperDesk laboratory newswire"
LATE_SOURCE = "PaperDesk laboratory digest"
LEAVING_NOTICE = 30
"""Sessions from the notice of a delisting to the last session."""
_ORDINALS = ("", "first", "second", "third", "fourth")
_PLACES = ("Arvenholm", "Bristowe", "Calderport", "Dunmarsh", "Elvaston", "Farrowdale", "Gantry Bay", "Holmestad")
_PEOPLE = ("Ada Renmark", "Bo Tessel", "Cora Vint", "Edo Marlin", "Fia Ostrand", "Gil Haverin", "Ida Polk")


@dataclass(frozen=True)
class Texts:
    """Documents in the order of publication, with what is true of them."""

    documents: tuple[Document, ...]
    earnings: dict[str, tuple[int, int]]
    """By id of an original earnings release: its quarter and company."""
    near_duplicates: dict[str, str]
    """Id of the repeat by ... id of the original."""
    late_copies: dict[str, str]
    hostile: tuple[str, ...]
    """Ids, copies of hostile originals included."""
    links: dict[str, tuple[str, str]]
    """What which other company is, by id of the release that says so; copies apart."""


def write_texts(world: World, progress: Callable[[str], None] | None = None) -> Texts:
    """Render every text.

    Args:
        world: what happened.
        progress: told now and then how far it is.
    """
    author = _Author(world, write_script(world))
    for number in range(len(world.cast)):
        author.company(number)
        if progress is not None and number % 25 == 24:
            progress(f"texts of {number + 1} of {len(world.cast)} companies")
    return author.finished()


def tenths(amount: float) -> float:
    """Millions with one decimal, rounded as arrays are, so that texts and arrays hold one number."""
    return round(float(amount) / 1e6 * 10) / 10


def million(amount: float) -> str:
    """`$1,234.5 million`."""
    return f"{'-' if amount < 0 else ''}${abs(tenths(amount)):,.1f} million"


def dollars(amount: float) -> str:
    """`$1.05`, `-$0.10`."""
    return f"{'-' if amount < 0 else ''}${abs(amount):.2f}"


def long_day(day: date) -> str:
    """`March 31, 2024`."""
    return f"{day:%B} {day.day}, {day.year}"


class _Author:
    """Writes the texts of one company after the other."""

    def __init__(self, world: World, script: Script) -> None:
        self._world, self._script = world, script
        self._margins = margins(world)
        book = world.business
        self._revenue_before = year_before(book.revenue)
        self._income_before = year_before(book.net_income)
        gross, owed = book.revenue - book.cost_of_revenue, liabilities(world)
        self._columns = (
            ("Revenue", book.first_revenue, book.revenue),
            ("Gross profit", gross, gross),
            ("Operating income", book.operating_income, book.operating_income),
            ("Net income", book.net_income, book.net_income),
            ("Total assets", owed + book.equity, owed + book.equity),
            ("Total liabilities", owed, owed),
        )
        self._fiscal = fiscal_quarters(world)
        self._factor = world.shares_per_first
        self._documents: list[Document] = []
        self._earnings: dict[str, tuple[int, int]] = {}
        self._near: dict[str, str] = {}
        self._late: dict[str, str] = {}
        self._hostile: list[str] = []
        self._links: dict[str, tuple[str, str]] = {}

    def finished(self) -> Texts:
        ordered = sorted(self._documents, key=lambda document: (document.published_at, document.id))
        copies = self._near | self._late
        # a copy of a hostile text is hostile, too
        marked = set(self._hostile)
        hostile = tuple(row.id for row in ordered if row.id in marked or copies.get(row.id) in marked)
        return Texts(tuple(ordered), self._earnings, self._near, self._late, hostile, self._links)

    def company(self, number: int) -> None:
        """All texts of one company."""
        table = self._world.table
        earnings, busy = [], set[int]()
        for quarter in np.nonzero(table.announced[:, number] < NEVER)[0].tolist():
            document = self._earnings_release(quarter, number)
            self._earnings[document.id] = (quarter, number)
            busy.add(int(table.announced[quarter, number]))
            earnings.append(document)
        earnings = self._with_hostile(self._with_links(earnings, number), 2 * number)
        routine = self._with_hostile(list(self._routine(number, busy)), 2 * number + 1)
        self._documents += [*earnings, *routine, *self._copies(earnings, number)]

    def _earnings_release(self, quarter: int, number: int) -> Document:
        world, pick = self._world, self._script
        who = world.cast.identities[number]
        words = self._words(quarter, number)

        def say(slot: str, texts: tuple[str, ...]) -> str:
            return str(texts[getattr(pick, slot)[quarter, number]]).format_map(words)

        mood, outlook = int(world.quote_mood[quarter, number]), int(world.outlook_mood[quarter, number])
        figures = [say("revenue", wording.REVENUES), say("income", wording.INCOMES), say("margin", wording.MARGINS)]
        order = _ORDERS[int(pick.order[quarter, number])]
        cash = say("cash", wording.CASH) if words["cash"] >= 0 else wording.CASH_USED.format_map(words)
        if words["paid"] > 0:
            cash = f"{cash} {say('dividend', wording.DIVIDENDS)}"
        quote = _spoken(say("quote", wording.QUOTES[mood]), who.chief, who.name, int(pick.speaker[quarter, number]))
        parts = [
            say("lead", wording.LEADS),
            " ".join(figures[i] for i in order),
            quote,
            f"{cash} {say('detail', wording.DETAILS)}",
            f"Outlook. {say('outlook', wording.OUTLOOKS[outlook])}",
            say("guidance", wording.GUIDANCE),
            self._table(quarter, number),
            wording.ABOUT.format_map(words),
        ]
        if order[0] == 1:
            parts[1], parts[2] = parts[2], parts[1]
        session = int(world.table.announced[quarter, number])
        morning = bool(world.cast.morning[number])
        return Document(
            id=f"pr-{accession(who.filer_id, world.table.day(session), 0)}",
            ticker=who.ticker,
            published_at=moment(world.table, session, int(world.table.minutes[quarter, number]), morning),
            source=SOURCE,
            headline=say("headline", wording.HEADLINES),
            body="\n\n".join(parts),
        )

    def _words(self, quarter: int, number: int) -> dict[str, Any]:
        """Everything that a sentence of an earnings release may name."""
        world, book = self._world, self._world.business
        table, who = world.table, world.cast.identities[number]
        at = (quarter, number)
        factor = self._factor[table.announced[at], number]
        shares = world.cast.shares[number] * factor
        income, income_before = float(book.net_income[at]), float(self._income_before[at])
        revenue, revenue_before = float(book.first_revenue[at]), float(self._revenue_before[at])
        end = table.quarters[quarter][1]
        fiscal = int(self._fiscal[at])
        year = end.year if end.month <= world.cast.year_end_month[number] else end.year + 1
        pick = self._script
        changes = {
            "revenue_change": _change(revenue, revenue_before, pick.revenue_state[at], pick.revenue_phrase[at]),
            "income_change": _change(income, income_before, pick.income_state[at], pick.income_phrase[at]),
            "margin_verb": wording.MARGIN_VERBS[wording.STATES[pick.margin_state[at]]],
        }
        paid = float(np.round(book.dividend_per_share[at] / factor, 4))
        return changes | {
            "name": who.name,
            "CITY": who.city.upper(),
            "ticker": who.ticker,
            "industry": who.industry.lower(),
            "product": who.product,
            "market": who.market_served,
            "ordinal": _ORDINALS[fiscal],
            "Ordinal": _ORDINALS[fiscal].title(),
            "next_ordinal": _ORDINALS[fiscal % 4 + 1],
            "year": year,
            "year_before": year - 1,
            "end": long_day(end),
            "revenue": million(revenue),
            "income": million(income),
            "operating_income": million(float(book.operating_income[at])),
            "eps": dollars(float(earnings_per_share(income, shares))),
            "eps_before": dollars(float(earnings_per_share(income_before, shares))),
            "margin": f"{self._margins[0][at]:.1f}%",
            "margin_before": f"{self._margins[1][at]:.1f}%",
            "cash": float(book.operating_cash_flow[at]),
            "cash_flow": million(float(book.operating_cash_flow[at])),
            "cash_used": million(-float(book.operating_cash_flow[at])),
            "capital_expenditure": million(float(book.capital_expenditure[at])),
            "paid": paid,
            "dividend": f"${paid:.4f}".removesuffix("00") if paid else "",
            "guided_revenue": million(float(book.guided_revenue[quarter + 1, number])),
            "guided_margin": f"{np.round(100 * book.guided_margin[quarter + 1, number], 1):.1f}%",
        }

    def _table(self, quarter: int, number: int) -> str:
        end, before = (self._world.table.quarters[q][1] for q in (quarter, quarter - 4))
        rows = [f"(in millions of USD) | {end:%b} {end.year} | {before:%b} {before.year}"]
        for label, now, then in self._columns:
            rows.append(f"{label} | {tenths(now[quarter, number]):,.1f} | {tenths(then[quarter - 4, number]):,.1f}")
        return "\n".join(rows)

    def _routine(self, number: int, busy: set[int]) -> Iterator[Document]:
        """Releases without content, on sessions without results; and the notice of a delisting."""
        table, who = self._world.table, self._world.cast.identities[number]
        rng = stream(self._world.plan.seed, ROUTINE, number)
        chances = rng.random(table.count)
        last = int(table.last[number])
        leaving = last - LEAVING_NOTICE if last < table.count - 1 else -1
        for session in np.nonzero(chances < self._world.plan.distractors / 252)[0].tolist():
            choice, place, person = (int(rng.integers(len(row))) for row in (noise_texts.ROUTINE, _PLACES, _PEOPLE))
            count, years, members = (int(rng.integers(*span)) for span in ((12, 90), (2, 9), (7, 14)))
            minutes = int(rng.integers(10, 91))
            if not table.listed[number] < session <= last or session in busy or session == leaving:
                continue
            words = {
                "name": who.name,
                "chief": who.chief,
                "product": who.product,
                "Product": who.product.title(),
                "market": who.market_served,
                "Market": who.market_served.title(),
                "place": _PLACES[place],
                "person": _PEOPLE[person],
                "count": count,
                "years": years,
                "members": members,
            }
            yield self._notice(number, session, minutes, noise_texts.ROUTINE[choice], words)
        if leaving > table.listed[number]:
            words = {"name": who.name, "ticker": who.ticker, "day": long_day(table.day(last))}
            yield self._notice(number, leaving, 20, noise_texts.LEAVING, words)

    def _notice(
        self, number: int, session: int, minutes: int, text: tuple[str, str], words: dict[str, Any]
    ) -> Document:
        table, who = self._world.table, self._world.cast.identities[number]
        return Document(
            id=f"pr-{accession(who.filer_id, table.day(session), 2)}",
            ticker=who.ticker,
            published_at=moment(table, session, minutes, morning=False),
            source=SOURCE,
            headline=text[0].format_map(words),
            body=f"{who.city.upper()} - {who.name} ({who.ticker}). {text[1].format_map(words)}",
        )

    def _copies(self, earnings: list[Document], number: int) -> Iterator[Document]:
        """Repeats within days by the company itself, and late copies by another source."""
        world, who = self._world, self._world.cast.identities[number]
        rng = stream(world.plan.seed, COPIES, number)
        for original in earnings:
            near, late = rng.random(2)
            quarter, _ = self._earnings[original.id]
            announced = int(world.table.announced[quarter, number])
            soon, later = announced + int(rng.integers(1, 5)), announced + int(rng.integers(3, 10))
            if near < world.plan.near_duplicates and soon < world.table.count:
                copy = replace(
                    original,
                    id=f"pr-{accession(who.filer_id, world.table.day(soon), 3)}",
                    published_at=moment(world.table, soon, 15, morning=False),
                    headline=f"Corrected: {original.headline}",
                )
                self._near[copy.id] = original.id
                yield copy
            if late < world.plan.late_copies and later < world.table.count:
                copy = replace(
                    original,
                    id=f"dg-{accession(who.filer_id, world.table.day(later), 4)}",
                    published_at=moment(world.table, later, 25, morning=False),
                    source=LATE_SOURCE,
                    body=f"{original.body}\n\nCarried by the digest as first released on {_stamp(original)}.",
                )
                self._late[copy.id] = original.id
                yield copy

    def _with_links(self, documents: list[Document], number: int) -> list[Document]:
        """The same releases, some of them with a sentence about an earlier company of the list."""
        if number == 0 or not self._world.plan.links:
            return documents
        rng, identities = stream(self._world.plan.seed, LINKS, number), self._world.cast.identities
        who, written = identities[number], []
        for document in documents:
            chance, other = rng.random(), identities[int(rng.integers(number))]
            kind, sentence = noise_texts.LINKS[int(rng.integers(len(noise_texts.LINKS)))]
            if chance < self._world.plan.links:
                said = sentence.format(name=who.name, product=who.product, other=other.name)
                document = replace(document, body=document.body.replace("\n\n", f"\n\n{said} ", 1))
                self._links[document.id] = (kind, other.ticker)
            written.append(document)
        return written

    def _with_hostile(self, documents: list[Document], number: int) -> list[Document]:
        """The same texts, some of them with a paragraph that addresses its reader as an instruction."""
        rng = stream(self._world.plan.seed, HOSTILE, number)
        written = []
        for document in documents:
            chance, place = rng.random(2)
            sentence = noise_texts.HOSTILE[int(rng.integers(len(noise_texts.HOSTILE)))]
            if chance < self._world.plan.hostile:
                paragraphs = document.body.split("\n\n")
                who = self._world.cast.identities[number // 2]
                paragraphs.insert(1 + int(place * len(paragraphs)), sentence.format(ticker=who.ticker, name=who.name))
                document = replace(document, body="\n\n".join(paragraphs))
                self._hostile.append(document.id)
            written.append(document)
        return written


_ORDERS = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (0, 1, 2), (2, 0, 1), (1, 2, 0))
"""Of the sentences about revenue, income and margin."""


def _spoken(quote: str, chief: str, name: str, way: int) -> str:
    if way == 0:
        return f'"{quote}," said {chief}, chief executive of {name}.'
    if way == 1:
        return f'{chief}, chief executive, commented: "{quote}."'
    return f'"{quote}," {chief} told shareholders.'


def _change(now: float, before: float, state: int, phrase: int) -> str:
    """How a figure stands to the year before, in the wording chosen."""
    text = wording.PHRASES[wording.STATES[state]][phrase]
    rate = f"{abs(now / before - 1):.1%}" if before else ""
    return text.format(rate=rate, before=million(before))


def _stamp(document: Document) -> str:
    return long_day(document.published_at.date())
