"""Looking back: signals whose horizon has passed become outcomes, and outcomes say what each analyst counts for."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, datetime
from math import isfinite, sqrt

import numpy as np
from numpy.typing import NDArray

from ..memory.journal.events import AgentWeighed, SignalResolved
from ..memory.outcome import Outcome
from ..tools.market.view import MarketView
from ..tools.measures import MEASURES
from ..tools.regime import Regime
from .context import DeskContext, OpenSignal
from .state import DeskState

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

RISK_SESSIONS, LEAST_SESSIONS = 252, 60
"""Past sessions from which the usual size of an excess return is taken, and the least of them."""
LEANS = 0.2
"""A reading within this of 0 speaks for a hold."""


@dataclass(frozen=True)
class Passed:
    """What happened to all names of the universe over one horizon; all arrays are (N,)."""

    gained: Vector
    """Return less the mean of the universe; NaN where a name was not traded throughout."""
    usual: Vector
    """Usual size of such a return by what was known before it: daily standard deviation times the root of the horizon;
    NaN where too little was known."""
    names: int
    """Names that were traded throughout."""
    known_at: datetime
    """Close of its last session (UTC)."""


def resolve(desk: DeskContext, state: DeskState) -> None:
    """Scores the signals whose horizon has passed by now against what happened: for calibration, and as lessons."""
    view = desk.view(state["as_of"])
    place = {ticker: i for i, ticker in enumerate(desk.universe)}
    found: dict[tuple[date, int], Passed | None] = {}
    waiting: list[OpenSignal] = []
    for item in desk.open_signals:
        signal, over = item.signal, (item.session, item.signal.horizon_days)
        if over not in found:
            found[over] = passed(desk, view, *over)
        happened = found[over]
        if happened is None:
            waiting.append(item)
            continue
        if signal.ticker not in place:
            continue  # no longer on the desk's list: there is nothing to compare it with
        gained, usual = float(happened.gained[place[signal.ticker]]), float(happened.usual[place[signal.ticker]])
        if not isfinite(gained) or not usual > 0:
            continue  # not traded over the whole horizon, or too young to have a usual size: nothing to learn
        seat = (signal.agent, signal.ticker)
        fresh = fresh_part(view, desk.last_issued.get(seat), *over)
        outcome = Outcome(
            agent=signal.agent,
            model=item.model,
            regime=item.regime,
            ticker=signal.ticker,
            market=desk.market_key,
            issued_on=item.session,
            available_at=happened.known_at,
            horizon_days=signal.horizon_days,
            stance=signal.stance,
            probabilities={str(name): p for name, p in signal.probabilities.items()},
            score=signal.score,
            reasons=item.reasons,
            excess=gained,
            surprise=gained / usual,
            weight=fresh * (1 - 1 / happened.names),
        )
        desk.last_issued[seat] = item.session
        learn(desk, outcome)
        desk.journal.append(
            SignalResolved(
                decision=state["decision"],
                agent=signal.agent,
                ticker=signal.ticker,
                issued_in=item.decision,
                score=outcome.score,
                outcome=outcome.excess,
                record=outcome,
            )
        )
    desk.open_signals = waiting


def passed(desk: DeskContext, view: MarketView, session: date, horizon_days: int) -> Passed | None:
    """What happened over the horizon that began after a session; None while it has not passed."""
    first = bisect_right(view.sessions, session)
    last = first + horizon_days
    if last > len(view.sessions):
        return None
    start = max(0, first - RISK_SESSIONS)
    returns = view.return_rows(desk.universe, len(view.sessions) - start)[: last - start]
    growth = np.prod(1 + returns[first - start :], axis=0) - 1
    there = np.isfinite(growth)
    names = int(there.sum())
    gained = growth - growth[there].mean() if names else np.full_like(growth, np.nan)
    usual = deviation(returns[: first - start]) * sqrt(horizon_days)
    return Passed(gained, usual, names, desk.close_of(view.sessions[last - 1]))


def deviation(past: Matrix) -> Vector:
    """(N,) standard deviation of each name's daily return less that of the universe, NaN where too little is known.

    What numpy's `nanmean` and `nanstd` come to, in a quarter of their time.

    Args:
        past: (T, N) daily returns, NaN where a name was not traded.
    """
    known = np.isfinite(past)
    count = known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):  # of a name that never traded
        # a session on which nobody trades has no mean, and nothing takes it off
        mean = np.where(known, past, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        excess = np.where(known, past - mean[:, None], 0.0)
        off = np.where(known, excess - excess.sum(axis=0) / count, 0.0)
        usual: Vector = np.sqrt((off * off).sum(axis=0) / (count - 1))
    usual[count < LEAST_SESSIONS] = np.nan
    return usual


def learn(desk: DeskContext, *outcomes: Outcome) -> None:
    """Outcomes into the desk's memory, if it has one; each counts from its own time on."""
    if "memory" in desk.settings.ablate:
        return
    desk.calibration.add(*outcomes)
    desk.experience.learn(*outcomes)


def weigh(desk: DeskContext, state: DeskState, found: Regime | None) -> None:
    """What each analyst counts for in this decision, on record with the figures that it rests on."""
    regime = found.name if found else "unknown"
    agents = [role.name for role in desk.analysts]
    records = desk.calibration.records(agents, desk.model, regime, state["as_of"])
    desk.weighed = {record.agent: record for record in records}
    for record in records:
        desk.journal.append(AgentWeighed(decision=state["decision"], agent=record.agent, record=record))


def fresh_part(view: MarketView, before: date | None, now: date, horizon_days: int) -> float:
    """The part of a horizon that does not lie in the one of the signal before it on the same name."""
    if before is None:
        return 1.0
    return min(1.0, (bisect_right(view.sessions, now) - bisect_right(view.sessions, before)) / horizon_days)


def leans_of(figures: dict[str, float]) -> dict[str, str]:
    """By measure, the side that its figure speaks for; those without a direction are left out."""
    readings = {name: MEASURES[name].reading(value) for name, value in figures.items() if MEASURES[name].directional}
    return {name: "hold" if abs(r) <= LEANS else "buy" if r > 0 else "sell" for name, r in readings.items()}
