"""`paperdesk sentiment releases`: how classifiers read the documents of a market, and what the share did afterwards.

Every story (near-repeats left out) is read as the desk's tone reads it: without praise and complaint about no business.
Two returns beyond the benchmark are taken: of the first session that opens after the publication, which the text itself
moves, and of the session after that one, which a desk that decides at a close could still earn. A release may repeat
what the market knew by then, so neither says who reads better; they say how much of what is read is in prices.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from ..tools.errors import InputError
from ..tools.frozen import Frozen
from ..tools.market.view import Market, open_market
from ..tools.sentiment.classifier import CLASSES, Probabilities, tones
from ..tools.sentiment.lexicon import spoken
from .evaluation.resampling import interval
from .pages import print_tables
from .sentiment_comparison import open_classifier

Vector = NDArray[np.float64]
Places = NDArray[np.int64]
DRAWS = 4000
LEAST = 20
"""Documents below which nothing is told."""


class Mean(Frozen):
    """A mean of returns with the interval that holds 95 % of resampled markets; no interval below two sessions."""

    documents: int
    value: float | None
    low: float | None
    high: float | None


Correlation = tuple[float, float, float]
"""Value, low, high."""


class OneReading(Frozen):
    """How one classifier read."""

    classifier: str
    """Its spec, for two folders may have one name."""
    fingerprint: str
    counts: dict[str, int]
    """Documents by class."""
    reaction: dict[str, Mean]
    """By class, the return of the first session after the publication."""
    later: dict[str, Mean]
    """By class, that of the session after it."""
    reaction_correlation: Correlation | None
    """Of ranks of tone and of that return (Spearman); None where all tones, or all returns, are alike."""
    later_correlation: Correlation | None


class Agreement(Frozen):
    """Two classifiers on the same documents."""

    first: str
    second: str
    same: float
    """Part of the documents that both take for the same class."""
    kappa: float
    """Agreement beyond that of two that guess as often (Cohen 1960); 0: none, 1: whole."""
    correlation: float
    """Of ranks of their tones."""


class ToneStudy(Frozen):
    """What was found."""

    market: str
    market_sha256: str
    documents: int
    left_out: int
    """Published when no further session was known, or of a company that did not trade."""
    readings: tuple[OneReading, ...]
    agreements: tuple[Agreement, ...]


def study_market(
    source: str, specs: Sequence[str], *, seed: int = 0, threads: int = 2, market: Market | None = None
) -> ToneStudy:
    """Read a market's documents by several classifiers.

    Args:
        source: of `open_market`.
        specs: of `open_classifier`.
        seed: of the resampling.
        threads: of a model in process.
        market: one that is open already, in place of `source`.

    Raises:
        InputError: there is no such market or classifier, or it has too few documents.
    """
    market = market or open_market(source)
    texts, first, columns, left_out = _documents(market)
    if len(texts) < LEAST:
        raise InputError(f"{market.name} has {len(texts)} documents, and {LEAST} are needed: take another market")
    beyond = market.total_returns - market.market_returns[:, None]
    reaction, later = beyond[first, columns], beyond[first + 1, columns]
    told = Console(stderr=True, highlight=False)
    found: dict[str, Probabilities] = {}
    readings = []
    for spec in dict.fromkeys(specs):
        told.print(f"{spec}: {len(texts)} documents", style="dim")
        with open_classifier(spec, threads=threads) as classifier:
            found[spec] = classifier.predict(texts)
            readings.append(_reading(spec, classifier.fingerprint, found[spec], first, reaction, later, seed))
    return ToneStudy(
        market=market.name,
        market_sha256=market.fingerprint,
        documents=len(texts),
        left_out=left_out,
        readings=tuple(readings),
        agreements=tuple(_agreement(*one, *other) for one, other in combinations(found.items(), 2)),
    )


def _documents(market: Market) -> tuple[list[str], Places, Places, int]:
    """Texts, the row of the first session that opens after each, and the company's column."""
    sessions, calendar = market.dataset.bars.sessions, market.calendar
    opens = np.array([calendar.open_of(day).timestamp() for day in sessions])
    view = market.view(calendar.close_of(sessions[-1]))
    texts, first, columns, left_out = [], [], [], 0
    for ticker in market.tickers:
        column, name = market.column(ticker), view.company(ticker).name
        for document in view.stories(ticker):
            row = int(np.searchsorted(opens, document.published_at.timestamp(), side="right"))
            both = market.total_returns[row : row + 2, column]
            if row == 0 or len(both) < 2 or not np.isfinite(both).all():
                left_out += 1
                continue
            texts.append(spoken(document.text, name))
            first.append(row)
            columns.append(column)
    return texts, np.array(first, dtype=np.int64), np.array(columns, dtype=np.int64), left_out


def _reading(
    spec: str,
    fingerprint: str,
    probabilities: Probabilities,
    first: Places,
    reaction: Vector,
    later: Vector,
    seed: int,
) -> OneReading:
    taken, tone = probabilities.argmax(axis=1), tones(probabilities)
    sessions, of_session = np.unique(first, return_inverse=True)
    # documents of one session share its news: sessions are resampled, not documents
    draws = np.random.default_rng(seed).integers(0, len(sessions), size=(DRAWS, len(sessions)))
    times = np.array([np.bincount(draw, minlength=len(sessions)) for draw in draws], dtype=float)[:, of_session]

    def means(returns: Vector) -> dict[str, Mean]:
        return {name: _mean(returns, taken == place, first, times) for place, name in enumerate(CLASSES)}

    return OneReading(
        classifier=spec,
        fingerprint=fingerprint,
        counts={name: int((taken == place).sum()) for place, name in enumerate(CLASSES)},
        reaction=means(reaction),
        later=means(later),
        reaction_correlation=_correlation(tone, reaction, times),
        later_correlation=_correlation(tone, later, times),
    )


def _mean(returns: Vector, of: NDArray[np.bool_], first: Places, times: Vector) -> Mean:
    count = int(of.sum())
    if len(np.unique(first[of])) < 2:
        return Mean(documents=count, value=float(returns[of].mean()) if count else None, low=None, high=None)
    weights = times[:, of]
    with np.errstate(invalid="ignore", divide="ignore"):
        drawn = (weights @ returns[of]) / weights.sum(axis=1)
    low, high = interval(drawn)
    return Mean(documents=count, value=float(returns[of].mean()), low=low, high=high)


def _correlation(tone: Vector, returns: Vector, times: Vector) -> Correlation | None:
    """Of ranks, with the interval of resampled markets; the ranks stay those of all documents."""
    x, y = _ranks(tone), _ranks(returns)
    if x.std() == 0 or y.std() == 0:
        return None

    def weighted(weights: Vector) -> Vector:
        total = weights.sum(axis=-1)
        mean_x, mean_y = (weights @ x) / total, (weights @ y) / total
        covariance = (weights @ (x * y)) / total - mean_x * mean_y
        spread = ((weights @ x**2) / total - mean_x**2) * ((weights @ y**2) / total - mean_y**2)
        with np.errstate(invalid="ignore"):  # a resampled market may hold one rank only, and then has no correlation
            found: Vector = covariance / np.sqrt(np.where(spread > 1e-12, spread, np.nan))
        return found

    low, high = interval(weighted(times))
    return float(weighted(np.ones(len(x)))), low, high


def _ranks(values: Vector) -> Vector:
    from scipy.stats import rankdata

    ranks: Vector = rankdata(values) / len(values)
    return ranks


def _agreement(first: str, one: Probabilities, second: str, other: Probabilities) -> Agreement:
    a, b = one.argmax(axis=1), other.argmax(axis=1)
    same = float((a == b).mean())
    share = [np.bincount(taken, minlength=len(CLASSES)) / len(taken) for taken in (a, b)]
    by_chance = float(share[0] @ share[1])
    x, y = _ranks(tones(one)), _ranks(tones(other))
    varies = x.std() > 0 and y.std() > 0
    return Agreement(
        first=first,
        second=second,
        same=same,
        kappa=(same - by_chance) / (1 - by_chance) if by_chance < 1 else 0.0,
        correlation=float(np.corrcoef(x, y)[0, 1]) if varies else 0.0,
    )


def print_study(study: ToneStudy) -> None:
    """The study as two tables."""
    pairs = Table("", "", "same class", "kappa", "rank correlation of tones", box=None, pad_edge=False)
    returns = Table("classifier", "class", "documents", "first session (95 %)", "session after (95 %)", box=None)
    for table, from_column in ((pairs, 2), (returns, 2)):
        for column in table.columns[from_column:]:
            column.justify = "right"
    for pair in study.agreements:
        figures = (f"{pair.same:.2f}", f"{pair.kappa:.2f}", f"{pair.correlation:+.2f}")
        pairs.add_row(pair.first, pair.second, *figures)
    for reading in study.readings:
        for name in CLASSES:
            count = f"{reading.counts[name]}"
            returns.add_row(reading.classifier, name, count, _told(reading.reaction[name]), _told(reading.later[name]))
        both = (reading.reaction_correlation, reading.later_correlation)
        correlations = ["{:+.2f} ({:+.2f} to {:+.2f})".format(*found) if found else "" for found in both]
        returns.add_row(reading.classifier, "rank correlation", f"{study.documents}", *correlations, end_section=True)
    head = f"{study.documents} documents of {study.market}, {study.left_out} left out; returns beyond the market"
    print_tables(head, pairs, returns)


def _told(mean: Mean) -> str:
    if mean.value is None:
        return ""
    if mean.low is None or mean.high is None:
        return f"{mean.value:+.2%}"
    return f"{mean.value:+.2%} ({mean.low:+.2%} to {mean.high:+.2%})"
