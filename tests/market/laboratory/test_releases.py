"""Releases: every number is the statements' own, words follow figures, copies and hostile texts are as labelled."""

import calendar
import re
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from paperdesk.tools.market.documents.duplicates import collapse
from paperdesk.tools.market.laboratory import Laboratory, LaboratoryPlan, World, make
from paperdesk.tools.market.laboratory.noise_texts import HOSTILE
from paperdesk.tools.market.laboratory.releases import LATE_SOURCE, SOURCE
from paperdesk.tools.market.records import Document
from paperdesk.tools.sentiment.lexicon import tone_of

MILLIONS = re.compile(r"(-?)\$([\d,]+\.\d) million")
DOLLARS = re.compile(r"(-?)\$(\d+\.\d{2,4})(?! million|\d|,)")
PERCENT = re.compile(r"(-?[\d.]+)%")
CELLS = re.compile(r"^([A-Z][a-z ]+) \| (-?[\d,.]+) \| (-?[\d,.]+)$", re.MULTILINE)
FLOWS = {
    "Revenue",
    "CostOfRevenue",
    "GrossProfit",
    "OperatingIncome",
    "NetIncome",
    "OperatingCashFlow",
    "CapitalExpenditure",
}
Stated = tuple[Document, dict[str, float], dict[str, float]]
LABELS = {
    "Revenue": "Revenue",
    "Gross profit": "GrossProfit",
    "Operating income": "OperatingIncome",
    "Net income": "NetIncome",
    "Total assets": "Assets",
    "Total liabilities": "Liabilities",
}


def _number(text: str) -> float:
    return float(text.replace(",", ""))


class Statements:
    """Quarters by difference, as they stood in the filings up to a day."""

    def __init__(self, facts: pd.DataFrame) -> None:
        self._rows: dict[tuple[str, date], list[tuple[str, date | None, float, date]]] = {}
        self.filed: dict[tuple[str, date], date] = {}
        days = [facts[name].dt.date.tolist() for name in ("period_start", "period_end", "filed")]
        others = [facts[name].tolist() for name in ("ticker", "concept", "value")]
        for start, end, filed, ticker, concept, value in zip(*days, *others, strict=True):
            first = None if pd.isna(start) else start
            self._rows.setdefault((ticker, end), []).append((concept, first, value, filed))
            self.filed.setdefault((ticker, end), filed)

    def quarter(self, ticker: str, end: date, filed_by: date) -> dict[str, float]:
        newest = self._newest(ticker, end, filed_by)
        before = self._newest(ticker, quarter_end(end, 1), filed_by)
        found: dict[str, float] = {}
        for concept in {concept for concept, _ in newest}:
            starts = [start for name, start in newest if name == concept and start is not None]
            start = max(starts) if starts else None
            value = newest[concept, start]
            if start is not None and (end - start).days > 100 and concept in FLOWS:
                value -= before[concept, start]
            found[concept] = value
        return found

    def _newest(self, ticker: str, end: date, filed_by: date) -> dict[tuple[str, date | None], float]:
        rows = self._rows.get((ticker, end), [])
        return {(concept, start): value for concept, start, value, filed in rows if filed <= filed_by}


def quarter_end(end: date, back: int) -> date:
    """The end of the quarter `back` quarters before the one that ends on `end`."""
    months = end.year * 12 + end.month - 1 - 3 * back
    return date(months // 12, months % 12 + 1, calendar.monthrange(months // 12, months % 12 + 1)[1])


@pytest.fixture(scope="module")
def originals(busy: Laboratory) -> list[tuple[Document, pd.Series]]:
    documents = {document.id: document for document in busy.dataset.documents}
    return [(documents[row["document"]], row) for _, row in busy.truth.releases.iterrows()]


@pytest.fixture(scope="module")
def stated(busy: Laboratory, originals: list[tuple[Document, pd.Series]]) -> list[Stated]:
    """Each release with its quarter and the one a year before, as the filing of the release's quarter has them."""
    statements = Statements(busy.dataset.facts)
    found = []
    for document, row in originals:
        end = row["period_end"].date()
        filed = statements.filed[row["ticker"], end]
        now, before = (statements.quarter(row["ticker"], quarter_end(end, back), filed) for back in (0, 4))
        found.append((document, now, before))
    return found


def test_every_number_in_a_release_is_that_of_the_filings(
    world: World, stated: list[Stated], originals: list[tuple[Document, pd.Series]]
) -> None:
    tickers = [identity.ticker for identity in world.cast.identities]
    ends = [pd.Timestamp(end) for _, end in world.table.quarters]
    checked = 0
    for (document, now, before), (_, row) in zip(stated, originals, strict=True):
        at = ends.index(row["period_end"]), tickers.index(row["ticker"])
        following = at[0] + 1, at[1]
        guided = world.business.guided_revenue[following], 100 * world.business.guided_margin[following]
        shares = world.cast.shares[at[1]] * world.shares_per_first[world.table.announced[at], at[1]]
        for label, first, second in CELLS.findall(document.body):
            assert _number(first) == pytest.approx(now[LABELS[label]] / 1e6, abs=0.0501), document.id
            assert _number(second) == pytest.approx(before[LABELS[label]] / 1e6, abs=0.0501), document.id
            checked += 2
        text = document.text.split("(in millions of USD)")[0]
        amounts = {now[name] for name in ("Revenue", "NetIncome", "OperatingIncome", "OperatingCashFlow")}
        amounts |= {before["Revenue"], before["NetIncome"], now["CapitalExpenditure"], guided[0]}
        amounts |= {-now["OperatingCashFlow"]}
        for sign, digits in MILLIONS.findall(text):
            value = _number(sign + digits) * 1e6
            assert min(abs(value - amount) for amount in amounts) <= 0.0501e6, (document.id, digits)
            checked += 1
        per_share = {now["NetIncome"] / shares, before["NetIncome"] / shares}
        per_share.add(world.business.dividend_per_share[at] * world.cast.shares[at[1]] / shares)
        for sign, digits in DOLLARS.findall(text):
            assert min(abs(_number(sign + digits) - amount) for amount in per_share) <= 0.0051, (document.id, digits)
            checked += 1
        rates = {100 * abs(now[name] / before[name] - 1) for name in ("Revenue", "NetIncome")}
        rates |= {100 * row["OperatingIncome"] / row["Revenue"] for row in (now, before)} | {guided[1]}
        for digits in PERCENT.findall(text):
            assert min(abs(float(digits) - rate) for rate in rates) <= 0.0501, (document.id, digits)
            checked += 1
    assert checked > 3000


def test_words_follow_the_figures(stated: list[Stated]) -> None:
    seen = set()
    for document, now, before in stated:
        for word, sign in (("an increase of", 1), ("up", 1), ("a rise of", 1), ("a decrease of", -1), ("down", -1)):
            pattern = rf"{word} [\d.]+% from \$([\d,]+\.\d) million"
            for base in re.findall(pattern, document.body):
                names = [name for name in ("Revenue", "NetIncome") if abs(before[name] / 1e6 - _number(base)) <= 0.051]
                assert any(np.sign(now[name] - before[name]) == sign for name in names), document.id
                seen.add(word)
        margins = [100 * row["OperatingIncome"] / row["Revenue"] for row in (now, before)]
        if "widened" in document.body:
            assert margins[0] > margins[1] - 0.001
        if "narrowed" in document.body:
            assert margins[0] < margins[1] + 0.001
    assert len(seen) == 5


def test_releases_appear_after_the_close_or_before_the_open(
    world: World, originals: list[tuple[Document, pd.Series]]
) -> None:
    exchange = world.table.calendar
    mornings = 0
    for document, row in originals:
        day = row["reacts"].date()
        session = exchange.previous_session(day)
        if document.published_at > exchange.close_of(session) and document.published_at.date() == session:
            continue
        assert exchange.open_of(day) > document.published_at
        assert document.published_at.date() == day
        mornings += 1
    assert 0.05 < mornings / len(originals) < 0.9


def test_prose_varies(originals: list[tuple[Document, pd.Series]]) -> None:
    def shape(document: Document) -> str:
        return re.sub(r"[\d.,$%]+", "#", document.body.split("\n\n")[1])[:60]

    assert len({shape(document) for document, _ in originals}) > 40
    assert len({document.headline.split(" ")[-1] for document, _ in originals}) > 5


def test_the_outlook_is_independent_of_figures_and_the_quote_is_not(plain: World) -> None:
    surprise = plain.business.surprise.ravel()
    assert abs(np.corrcoef(surprise, plain.outlook_mood.ravel())[0, 1]) < 0.05
    assert 0.5 < np.corrcoef(surprise, plain.quote_mood.ravel())[0, 1] < 0.65
    assert abs(np.corrcoef(plain.quote_mood.ravel(), plain.outlook_mood.ravel())[0, 1]) < 0.05


def test_the_lexicon_reads_the_moods_in_their_order(originals: list[tuple[Document, pd.Series]]) -> None:
    outlooks: dict[int, list[float]] = {mood: [] for mood in range(-2, 3)}
    for document, row in originals:
        paragraph = next(part for part in document.body.split("\n\n") if part.startswith("Outlook."))
        outlooks[row["outlook_mood"]].append(tone_of(paragraph))
    means = [np.mean(outlooks[mood]) for mood in range(-2, 3)]
    assert means == sorted(means)
    assert means[0] < -0.4 < means[1] < 0 <= means[2] < means[3] < means[4]
    assert means[2] == 0


def test_repeats_and_late_copies_are_as_labelled(busy: Laboratory) -> None:
    documents = {document.id: document for document in busy.dataset.documents}
    truth = busy.truth
    assert len(truth.near_duplicates) > 5
    assert len(truth.late_copies) > 5
    for copy, original in truth.near_duplicates.items():
        assert documents[copy].source == documents[original].source == SOURCE
        assert documents[copy].headline == f"Corrected: {documents[original].headline}"
        assert timedelta(hours=12) < documents[copy].published_at - documents[original].published_at < timedelta(days=9)
    for copy, original in truth.late_copies.items():
        assert documents[copy].source == LATE_SOURCE
        assert documents[copy].body.startswith(documents[original].body)
        assert 2 <= (documents[copy].published_at - documents[original].published_at).days < 17
    lost = {row.id for row in set(busy.dataset.documents) - set(collapse(busy.dataset.documents))}
    soon = {
        copy
        for copy, original in (truth.near_duplicates | truth.late_copies).items()
        if (documents[copy].published_at - documents[original].published_at).days < 14
    }
    assert lost == soon


def test_hostile_texts_are_exactly_those_named(busy: Laboratory) -> None:
    parts = [re.escape(sentence).replace(r"\{ticker\}", ".*").replace(r"\{name\}", ".*") for sentence in HOSTILE]
    pattern = re.compile("|".join(parts))
    found = {document.id for document in busy.dataset.documents if pattern.search(document.body)}
    assert found == set(busy.truth.hostile)
    count, share = len(busy.dataset.documents), len(found) / len(busy.dataset.documents)
    assert stats.binomtest(len(found), count, 0.1).pvalue > 1e-3, share
    assert not make(LaboratoryPlan(companies=4, years=2)).truth.hostile


def test_documents_stand_in_order_with_ids_of_their_own(busy: Laboratory) -> None:
    keys = [(document.published_at, document.id) for document in busy.dataset.documents]
    assert keys == sorted(keys)
    assert len({document.id for document in busy.dataset.documents}) == len(keys)
    assert not any("{" in document.text or "$-" in document.text for document in busy.dataset.documents)
