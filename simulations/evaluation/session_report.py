"""The evaluation of one finished session: figures with intervals, opponents, luck, lottery, agents, and a judgement.

The judgement is deliberately hard to earn. The desk's choice of names counts as skill (`SKILLED`) only where all of
these hold: what it earned beyond the mean random account with its own turnover has a deflated Sharpe ratio above 95 %,
the trials on that market counted; its interval leaves 0 out; and no more than 5 % of the random accounts earned
more. Their Sharpe ratios are told, and decide nothing: what a desk holds more of than they do, market or single names,
is risk that the first two count.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from ...agents.models.served.access import Access
from .attribution import attribution_of
from .baselines import Track, benchmark_curve, buy_and_hold, equal_weight, follow
from .chance import random_track, trades_by_decision
from .document import Comparison, Lottery, Luck, SessionReport, TrackReport, Traded
from .exchange import exchanges_of
from .figures import FIGURES, Estimate, against, annual_return, estimate, residual
from .figures import sharpe as annual_sharpe
from .fitted import fitted_of
from .luck import deflated_sharpe, expected_best, minimum_track_length, moments_of, probabilistic_sharpe
from .metrics import SESSIONS_PER_YEAR, DegenerateTrack, daily_returns
from .record import SessionRecord
from .resampling import Places, block_length, interval, stationary_places
from .skill import skills_of
from .strategies import strategies, targets_of
from .trials import Trial
from .words import findings

Vector = NDArray[np.float64]
Curves = dict[str, tuple[float, ...]]
SKILLED = 0.95
"""Deflated probability, and share of random accounts that earned less, from which the choice of names is skill."""
ROOT_YEAR = sqrt(SESSIONS_PER_YEAR)
POINTS = 260
"""Of a curve in a report."""


@dataclass(frozen=True)
class Settings:
    """How much computing an evaluation does."""

    draws: int = 2000
    """Resampled histories behind every interval."""
    accounts: int = 100
    """Random accounts."""
    seed: int = 0
    exchange: int = 0
    """Decisions at which the mind is asked again with the evidence of names exchanged; 0 opens no mind."""
    access: Access | None = None
    """How a model server may be used for that."""


def opponents_of(record: SessionRecord) -> list[tuple[Track, str]]:
    """Every baseline with what it does: on the desk's ledger, at its costs and decision times."""
    accounts, universe, decisions = record.open_account, record.window.universe, record.window.decisions
    found = [
        (equal_weight(accounts, universe, decisions), "equal parts, restored once a month"),
        (buy_and_hold(accounts, universe, decisions), "equal parts at the first decision, then nothing more"),
    ]
    if record.window.benchmark is not None:
        found.append((benchmark_curve(accounts, record.window.benchmark, decisions), "the benchmark, bought once"))
    for rule in strategies(record.market, record.config.beta):
        track = follow(rule.name, accounts, universe, decisions, targets_of(rule, record.market, universe))
        found.append((track, rule.about))
    return found


def lottery_tracks(record: SessionRecord, count: int, seed: int) -> list[Track]:
    """Random accounts with the desk's turnover; none where the desk never traded."""
    if not record.fills:
        return []
    equity = {bar.session: bar.equity for bar in record.bars}
    trades = trades_by_decision(record.fills, record.window.decisions, equity)
    # One stream each: an account does not change with how many are drawn.
    streams = np.random.SeedSequence(seed).spawn(count)
    return [
        random_track(
            record.open_account, record.window.universe, trades, record.config.max_weight, np.random.default_rng(stream)
        )
        for stream in streams
    ]


def evaluate_session(record: SessionRecord, trials: Sequence[Trial] | None, settings: Settings) -> SessionReport:
    """The evaluation of a session.

    Args:
        record: the session.
        trials: all trials on its market, this one included; None where nobody counted.
        settings: how much computing.

    Raises:
        EvaluationError: the session is too short to say anything about.
    """
    opponents = opponents_of(record)
    lots = lottery_tracks(record, settings.accounts, settings.seed)
    places = histories(record.returns, settings)
    tracks = [
        _track(record.track, "the desk", places, float(record.exposure.mean())),
        *(_track(track, about, places) for track, about in opponents),
    ]
    level = 1 - 0.05 / len(opponents)
    comparisons = [_comparison(record.returns, track, places, level) for track, _ in opponents]
    luck = luck_of(record.returns, trials)
    lottery = lottery_of(record.returns, lots, trials, places)
    curves, days = _curves(record, [track for track, _ in opponents], lots)
    report = SessionReport(
        session=str(record.folder),
        head=record.head,
        market=record.market.name,
        market_fingerprint=record.market.fingerprint,
        generated=record.market.generated,
        mind=record.mind.name,
        desk=record.config.desk,
        start=record.window.sessions[0],
        end=record.window.sessions[-1],
        sessions=len(record.bars),
        decisions=len(record.window.decisions),
        contamination=record.contamination,
        tracks=tuple(tracks),
        comparisons=tuple(comparisons),
        luck=luck,
        lottery=lottery,
        skills=skills_of(record, settings.draws // 4, settings.seed),
        attribution=attribution_of(record, settings.draws, settings.seed),
        fitted=fitted_of(record, settings.draws // 4, settings.seed),
        exchanges=exchanges_of(record, settings.exchange, settings.access) if settings.exchange else (),
        trials=tuple(trials or ()),
        tried=(),
        survived=(),
        failed=(),
        curves=curves,
        curve_days=days,
    )
    tried, survived, failed = findings(report)
    return report.model_copy(update={"tried": tried, "survived": survived, "failed": failed})


def evaluate_lottery(record: SessionRecord, trials: Sequence[Trial] | None, settings: Settings) -> Lottery | None:
    """The desk among random accounts, alone: what tells skill in names from luck; None where it never traded."""
    lots = lottery_tracks(record, settings.accounts, settings.seed)
    return lottery_of(record.returns, lots, trials, histories(record.returns, settings))


def histories(returns: Vector, settings: Settings) -> Places:
    """The resampled histories behind every interval of a track."""
    rng = np.random.default_rng(settings.seed)
    return stationary_places(len(returns), settings.draws, _length(returns), rng)


def _length(returns: Vector) -> float:
    """Block length for a track; 1 where it never moved and dependence does not arise."""
    try:
        return block_length(returns)
    except DegenerateTrack:
        return 1.0


def _returns(track: Track) -> Vector:
    return daily_returns(track.equity).to_numpy(dtype=float)


def _track(track: Track, about: str, places: Places, exposure: float | None = None) -> TrackReport:
    returns = _returns(track)
    figures: dict[str, Estimate | None] = {}
    for figure in FIGURES:
        try:
            figures[figure.name] = estimate(figure.compute, returns, places)
        except DegenerateTrack:
            figures[figure.name] = None
    years, mean = len(returns) / SESSIONS_PER_YEAR, float(track.equity.mean())
    traded = Traded(
        turnover=track.trading.traded / mean / years,
        cost_drag_bps=track.trading.costs / mean / years * 1e4,
        costs=track.trading.costs,
        fills=track.trading.fills,
        exposure=exposure,
    )
    return TrackReport(name=track.name, about=about, figures=figures, traded=traded)


def _comparison(desk: Vector, opponent: Track, places: Places, level: float) -> Comparison:
    other = _returns(opponent)
    difference = desk - other
    drawn = difference[places].mean(axis=1) * SESSIONS_PER_YEAR
    low, high = interval(drawn)
    excess = Estimate(value=float(difference.mean() * SESSIONS_PER_YEAR), low=low, high=high)
    alpha: Estimate | None = None
    beta: Estimate | None = None
    with suppress(DegenerateTrack):  # an opponent that does not move has neither
        alpha, beta = against(desk, other, places)
    lowest, highest = interval(drawn, level)
    verdict = "better" if lowest > 0 else "worse" if highest < 0 else "not told apart"
    return Comparison(opponent=opponent.name, excess=excess, alpha=alpha, beta=beta, verdict=verdict)


def search_of(observations: int, trials: Sequence[Trial] | None) -> tuple[int, float]:
    """How many trials, and the standard deviation of their Sharpe ratios (per session).

    With fewer than two known ratios the spread is that of trials without skill over a record as long as this one.
    """
    if not trials:
        return 1, 0.0
    # Trials that came to the very same are one result: their number must not make the spread look small.
    known = sorted({trial.sharpe for trial in trials if trial.sharpe is not None})
    spread = float(np.std(known, ddof=1)) if len(known) > 1 else 1 / sqrt(observations - 1)
    return len(trials), spread


def luck_of(returns: Vector, trials: Sequence[Trial] | None) -> Luck | None:
    """How much of the Sharpe ratio is luck; None where there is none to speak of."""
    try:
        found = moments_of(returns)
        count, spread = search_of(found.observations, trials)
        best = expected_best(count, spread)
        luck = Luck(
            sharpe=found.sharpe * ROOT_YEAR,
            observations=found.observations,
            skew=found.skew,
            kurtosis=found.kurtosis,
            probabilistic=probabilistic_sharpe(found),
            trials=None if trials is None else count,
            spread=spread * ROOT_YEAR,
            best_by_luck=best * ROOT_YEAR,
            deflated=deflated_sharpe(found, count, spread),
            needed_sessions=None,
        )
    except DegenerateTrack:
        return None
    try:
        return luck.model_copy(update={"needed_sessions": minimum_track_length(found, best)})
    except DegenerateTrack:
        return luck


def lottery_of(desk: Vector, lots: Sequence[Track], trials: Sequence[Trial] | None, places: Places) -> Lottery | None:
    """The desk among random accounts; None without any, or where the desk never moved."""
    if not lots:
        return None
    matrix = np.array([_returns(track) for track in lots])
    returns, sharpes = annual_return(matrix), annual_sharpe(matrix)
    own = desk[None, :]
    try:
        alpha, _ = against(desk, matrix.mean(axis=0), places)
        found = moments_of(residual(desk, matrix.mean(axis=0)))
        count, spread = search_of(found.observations, trials)
        deflated = deflated_sharpe(found, count, spread)
    except DegenerateTrack:
        return None
    rank_return = float((returns < annual_return(own)[0]).mean())
    rank_sharpe = float((sharpes < annual_sharpe(own)[0]).mean())
    outside = alpha.low is not None and alpha.low > 0
    years = matrix.shape[1] / SESSIONS_PER_YEAR
    return Lottery(
        accounts=len(lots),
        turnover=float(np.mean([track.trading.traded / track.equity.mean() / years for track in lots])),
        returns=_spread(returns),
        sharpes=_spread(sharpes),
        rank_return=rank_return,
        rank_sharpe=rank_sharpe,
        alpha=alpha,
        deflated=deflated,
        skilled=deflated > SKILLED and outside and rank_return >= SKILLED,
    )


def _spread(values: Vector) -> tuple[float, float, float]:
    low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
    return float(low), float(middle), float(high)


def _curves(
    record: SessionRecord, opponents: Sequence[Track], lots: Sequence[Track]
) -> tuple[Curves, tuple[date, ...]]:
    count = len(record.bars)
    places = np.unique(np.linspace(0, count - 1, min(POINTS, count)).round().astype(int))
    curves: Curves = {}
    for track in (record.track, *opponents):
        values = track.equity.to_numpy(dtype=float)
        curves[track.name] = tuple(float(f"{v:.5g}") for v in (values / values[0])[places])
    if lots:
        paths = np.array([t.equity.to_numpy(dtype=float) / t.equity.iloc[0] for t in lots])[:, places]
        for name, share in (("random, 5 %", 0.05), ("random, 95 %", 0.95)):
            curves[name] = tuple(float(f"{v:.5g}") for v in np.quantile(paths, share, axis=0))
    return curves, tuple(record.days[i] for i in places)
