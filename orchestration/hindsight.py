"""Looking back: signals whose horizon has passed become outcomes, and outcomes say what each analyst counts for."""

from datetime import date
from math import isfinite, sqrt

import pandas as pd

from ..memory.journal.events import AgentsWeighed, SignalResolved
from ..memory.outcome import Outcome
from ..tools.measures import MEASURES
from ..tools.regime import Regime
from .context import DeskContext, OpenSignal
from .state import DeskState

RISK_SESSIONS, LEAST_SESSIONS = 252, 60
"""Past sessions from which the usual size of an excess return is taken, and the least of them."""
LEANS = 0.2
"""A reading within this of 0 speaks for a hold."""


def resolve(desk: DeskContext, state: DeskState) -> None:
    """Scores the signals whose horizon has passed by now against what happened: for calibration, and as lessons."""
    view = desk.market.view(state["as_of"])
    position = {day: i for i, day in enumerate(view.sessions)}
    returns = view.returns(desk.universe, len(view.sessions))
    excess = returns.sub(returns.mean(axis=1), axis=0)
    waiting: list[OpenSignal] = []
    for item in desk.open_signals:
        signal = item.signal
        first = position[item.session] + 1
        last = first + signal.horizon_days
        if last > len(returns):
            waiting.append(item)
            continue
        growth = (1 + returns.iloc[first:last]).prod(min_count=signal.horizon_days) - 1
        gained = float(growth[signal.ticker] - growth.mean())
        usual = usual_size(excess[signal.ticker], first, signal.horizon_days)
        if not isfinite(gained) or not usual > 0:
            continue  # not traded over the whole horizon, or too young to have a usual size: nothing to learn
        seat = (signal.agent, signal.ticker)
        outcome = Outcome(
            agent=signal.agent,
            model=desk.model,
            regime=item.regime,
            ticker=signal.ticker,
            market=desk.market.fingerprint,
            issued_on=item.session,
            available_at=desk.close_of(view.sessions[last - 1]),
            horizon_days=signal.horizon_days,
            stance=signal.stance,
            probabilities={str(name): p for name, p in signal.probabilities.items()},
            score=signal.score,
            reasons=item.reasons,
            excess=gained,
            surprise=gained / usual,
            weight=fresh_part(position, desk.last_issued.get(seat), item.session, signal.horizon_days)
            * (1 - 1 / int(growth.count())),
        )
        desk.last_issued[seat] = item.session
        learn(desk, outcome)
        desk.journal.append(
            SignalResolved(
                decision=state["decision"],
                agent=signal.agent,
                ticker=signal.ticker,
                issued_in=item.decision,
                outcome=outcome,
            )
        )
    desk.open_signals = waiting


def learn(desk: DeskContext, *outcomes: Outcome) -> None:
    """Outcomes into the desk's memory; each counts from its own time on."""
    desk.calibration.add(*outcomes)
    desk.experience.learn(*outcomes)


def weigh(desk: DeskContext, state: DeskState, found: Regime | None) -> None:
    """What each analyst counts for in this decision, on record with the figures that it rests on."""
    regime = found.name if found else "unknown"
    agents = [role.name for role in desk.analysts]
    records = desk.calibration.records(agents, desk.model, regime, state["as_of"])
    desk.weighed = {record.agent: record for record in records}
    desk.journal.append(AgentsWeighed(decision=state["decision"], records=list(records)))


def usual_size(excess: pd.Series, first: int, horizon_days: int) -> float:
    """Standard deviation of an excess return over a horizon, from the daily ones before row `first`; NaN if too few."""
    past = excess.iloc[max(0, first - RISK_SESSIONS) : first].dropna()
    return float(past.std()) * sqrt(horizon_days) if len(past) >= LEAST_SESSIONS else float("nan")


def fresh_part(position: dict[date, int], before: date | None, now: date, horizon_days: int) -> float:
    """The part of a horizon that does not lie in the one of the signal before it on the same name."""
    return 1.0 if before is None else min(1.0, (position[now] - position[before]) / horizon_days)


def leans_of(figures: dict[str, float]) -> dict[str, str]:
    """By measure, the side that its figure speaks for; those without a direction are left out."""
    readings = {name: MEASURES[name].reading(value) for name, value in figures.items() if MEASURES[name].directional}
    return {name: "hold" if abs(r) <= LEANS else "buy" if r > 0 else "sell" for name, r in readings.items()}
