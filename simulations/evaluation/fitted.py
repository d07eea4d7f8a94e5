"""What the desk fits to the past, judged where it was not fitted: the regime, and a probability for each agent's score.

Two ways to cut: walk forward, as the desk itself goes (each part by what had ended before it), and combinatorial
purged cross-validation (each part by all the others, less what overlaps; Lopez de Prado 2018, chapters 7 and 12). A
gain is what the fit adds to knowing only the average of its own training set; at 0 or below, nothing was learnt.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from ...tools.hidden_markov import filtered, likeliest, log_densities, stationary
from ...tools.regime import MINIMUM, STILL, WINDOW
from .document import Fitted
from .figures import Estimate
from .metrics import DegenerateTrack, EvaluationError
from .record import SessionRecord
from .resampling import block_length, interval, stationary_places
from .skill import LEAST_DECISIONS, Judged, decisions_of, judged_of
from .splits import Spans, Split, combinatorial, walk_forward

Vector = NDArray[np.float64]
PARTS, TESTED = 5, 1
"""Parts of combinatorial splits, and how many are judged at a time."""
QUARTER = 63
"""Sessions of a part, walking forward: the desk fits the regime anew each quarter."""
Cut = Callable[[Spans], Iterator[Split]]


def fitted_of(record: SessionRecord, draws: int, seed: int) -> tuple[Fitted, ...]:
    """A row for the regime where the market's history allows a fit, and one per agent whose outcomes do."""
    rows = [_regime(record, draws, seed)]
    for agent in dict.fromkeys(signal.agent for signal in record.signals):
        rows.append(_probability(record, agent, draws, seed))
    return tuple(row for row in rows if row.walk_forward is not None or row.combinatorial is not None)


def _regime(record: SessionRecord, draws: int, seed: int) -> Fitted:
    """Log density of each session's market return by two states, less that by one normal distribution.

    Both are fitted to the same returns, and foretell a session from the ones before it (Hamilton 1989). A training set
    around a test is read as one series: that is one transition too many in hundreds.
    """
    sessions = record.market.dataset.bars.sessions
    first, last = sessions.index(record.days[0]), sessions.index(record.days[-1])
    returns = record.market.market_returns[max(0, first - WINDOW) : last + 1]
    returns = returns[np.isfinite(returns)]
    begins = len(returns) - len(record.days)
    spans = Spans(np.arange(len(returns)), np.arange(len(returns)) + 1)

    def gains(cut: Cut, since: int, window: int) -> Estimate | None:
        found = np.full(len(returns), np.nan)
        for split in _splits(cut, spans):
            train = split.train[-window:]
            if len(train) >= MINIMUM and split.test[0] >= since and np.ptp(returns[train]) > STILL:
                found[split.test] = regime_gains(returns, Split(train, split.test), seed)
        return _of_sessions(found[np.isfinite(found)], draws, seed)

    return Fitted(
        what="regime",
        measure="log density of a session's market return",
        walk_forward=gains(lambda cut: walk_forward(cut, max(2, len(returns) // QUARTER)), begins, WINDOW),
        combinatorial=gains(lambda cut: combinatorial(cut, PARTS, TESTED, embargo=1), 0, len(returns)),
    )


def regime_gains(returns: Vector, split: Split, seed: int) -> Vector:
    """(test,) log density by two states less that by one normal distribution, both fitted to the training returns.

    Where the training set ends right before the test, the belief there goes on; elsewhere it starts from how often each
    state comes.
    """
    train, test = returns[split.train], returns[split.test]
    model = likeliest(train, np.random.default_rng(seed)).model
    follows = split.train[-1] + 1 == split.test[0]
    belief = filtered(model, train)[-1] if follows else stationary(model)
    mean, variance = train.mean(), train.var()
    one = -0.5 * (np.log(2 * np.pi * variance) + (test - mean) ** 2 / variance)
    gains: Vector = log_densities(model, belief, test) - one
    return gains


def _of_sessions(gains: Vector, draws: int, seed: int) -> Estimate | None:
    if not len(gains):
        return None
    try:
        places = stationary_places(len(gains), draws, block_length(gains), np.random.default_rng(seed))
        low, high = interval(gains[places].mean(axis=1))
    except DegenerateTrack:
        return Estimate(value=float(gains.mean()))
    return Estimate(value=float(gains.mean()), low=low, high=high)


def _probability(record: SessionRecord, agent: str, draws: int, seed: int) -> Fitted:
    """Brier score of always saying how often a rise came, less that of a probability fitted to the scores."""
    judged = judged_of(record, agent)
    horizon = next(s.signal["horizon_days"] for s in record.signals if s.agent == agent)
    place = {day: i for i, day in enumerate(record.days)}
    first = np.array([place[record.window.decisions[d]] for d in judged.decision], dtype=np.int64)
    order = np.argsort(first, kind="stable")
    spans, judged = Spans(first[order], first[order] + horizon), judged[order]
    blocks = max(1.0, horizon * len(record.window.decisions) / len(record.window.sessions))

    def gains(cut: Cut) -> Estimate | None:
        found = np.full(len(spans), np.nan)
        if len(np.unique(first)) >= 2 * PARTS:
            for split in _splits(cut, spans):
                found[split.test] = probability_gains(judged, split)
        return _of_decisions(found, judged.decision, blocks, draws, seed)

    return Fitted(
        what=f"probability of {agent.replace('_', ' ')}",
        measure="Brier score",
        walk_forward=gains(lambda cut: walk_forward(cut, PARTS)),
        combinatorial=gains(lambda cut: combinatorial(cut, PARTS, TESTED)),
    )


def probability_gains(judged: Judged, split: Split) -> Vector:
    """(test,) squared error of the training set's share of rises less that of a logistic regression (Platt 1999).

    NaN where the training set holds one kind of outcome only.
    """
    from sklearn.linear_model import LogisticRegression

    rose = (judged.outcome > 0).astype(float)
    if len(np.unique(rose[split.train])) < 2:
        return np.full(len(split.test), np.nan)
    model = LogisticRegression().fit(judged.score[split.train, None], rose[split.train])
    foretold = model.predict_proba(judged.score[split.test, None])[:, 1]
    error = np.square(foretold - rose[split.test])
    gain: Vector = np.square(rose[split.train].mean() - rose[split.test]) - error
    return gain


def _of_decisions(gains: Vector, decisions: NDArray[np.int64], blocks: float, draws: int, seed: int) -> Estimate | None:
    known = np.isfinite(gains)
    groups = decisions_of(decisions[known])
    gains = gains[known]
    if not groups:
        return None
    if len(groups) < LEAST_DECISIONS:
        return Estimate(value=float(gains.mean()))
    places = stationary_places(len(groups), draws, blocks, np.random.default_rng(seed))
    sums = np.array([gains[rows].sum() for rows in groups])
    counts = np.array([len(rows) for rows in groups])
    low, high = interval(sums[places].sum(axis=1) / counts[places].sum(axis=1))
    return Estimate(value=float(gains.mean()), low=low, high=high)


def _splits(cut: Cut, spans: Spans) -> Iterable[Split]:
    """The splits; none where there is too little to cut."""
    try:
        return list(cut(spans))
    except EvaluationError:
        return []
