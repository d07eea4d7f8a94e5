"""The book of outcomes: who said what, what followed, and what that was worth as far as was known at a time.

Every question names a time, and only outcomes that were available then answer it: outcomes of earlier sessions, which
may lie in this session's future, pass through the same door as its own.
"""

from collections.abc import Hashable, Iterable, Sequence
from datetime import UTC, datetime

import numpy as np

from ..outcome import DIRECTIONS, Outcome, directional
from . import agreement, scores
from .record import AgentRecord
from .shrinkage import agent_skill, bounded, regime_skill

ALL = "all"
"""In place of a regime: all of them together."""

Mind = tuple[str, str]
"""(agent, model): whose record it is."""


class Calibration:
    """Outcomes by agent and mind."""

    def __init__(self) -> None:
        self._rows: dict[Mind, list[Outcome]] = {}
        self._keys: set[Hashable] = set()

    def add(self, *outcomes: Outcome) -> None:
        """Put outcomes into the book; one that it already holds counts once."""
        for outcome in outcomes:
            if outcome.key() not in self._keys:
                self._keys.add(outcome.key())
                self._rows.setdefault((outcome.agent, outcome.model), []).append(outcome)

    def minds(self) -> tuple[Mind, ...]:
        """Whose outcomes are in it, in alphabetical order."""
        return tuple(sorted(self._rows))

    def known(self, mind: Mind, as_of: datetime) -> list[Outcome]:
        """The outcomes that were available at a time, in an order that later ones do not change."""
        rows = [row for row in self._rows.get(mind, ()) if row.available_at <= as_of]
        return sorted(rows, key=lambda row: (row.available_at.astimezone(UTC), *map(str, row.key())))

    def records(self, agents: Sequence[str], model: str, regime: str, as_of: datetime) -> tuple[AgentRecord, ...]:
        """What the agents of one desk are worth in a regime at a time, in order."""
        known = [self.known((agent, model), as_of) for agent in agents]
        found = [record_of(agent, model, regime, rows) for agent, rows in zip(agents, known, strict=True)]
        # who has no weight cannot take any from others
        voices = [i for i, record in enumerate(found) if record.weight > 0]
        left = agreement.discounts([_said(known[i]) for i in voices])
        for i, discount in zip(voices, left, strict=True):
            found[i] = found[i].model_copy(update={"discount": discount, "weight": found[i].weight * discount})
        return tuple(found)


def record_of(agent: str, model: str, regime: str, rows: Sequence[Outcome]) -> AgentRecord:
    """The record of an agent from its known outcomes, before agreement with others is taken into account.

    Args:
        agent: who.
        model: with which mind.
        regime: for which state of the market; `ALL` for the agent as such.
        rows: its outcomes in all regimes.
    """
    cells = {name: _cell(row for row in rows if row.regime == name) for name in sorted({r.regime for r in rows})}
    overall = agent_skill((ic, count) for ic, count, _ in cells.values() if ic is not None)
    ic, count, number = _cell(rows) if regime == ALL else cells.get(regime, (None, 0.0, 0))
    skill = overall if regime == ALL or ic is None else regime_skill(ic, count, overall)
    blank = AgentRecord(agent=agent, model=model, regime=regime, skill=skill, weight=bounded(skill))
    if not rows:
        return blank
    every, independent, _ = _cell(rows)
    bounds = None if every is None else scores.interval(every, independent)
    probabilities = np.array([directional(row.probabilities) for row in rows])
    came = np.array([DIRECTIONS.index(row.came) for row in rows])
    confidence, hit = scores.foretold(probabilities, came)
    bins = scores.reliability(probabilities, came)
    return blank.model_copy(
        update={
            "outcomes": len(rows),
            "independent": independent,
            "ic": every,
            "ic_low": bounds[0] if bounds else None,
            "ic_high": bounds[1] if bounds else None,
            "regime_outcomes": number,
            "regime_independent": count,
            "regime_ic": ic,
            "brier": scores.brier(probabilities, came),
            "ece": scores.calibration_error(bins),
            "confidence": float(confidence.mean()),
            "hit_rate": float(hit.mean()),
            "bins": bins,
            "deflation": scores.deflation(confidence, hit, np.array([row.weight for row in rows])),
        }
    )


def _cell(rows: Iterable[Outcome]) -> tuple[float | None, float, int]:
    """Information coefficient, outcomes as if independent, and outcomes."""
    held = list(rows)
    said = np.array([row.score for row in held])
    ic = scores.information_coefficient(said, np.array([row.surprise for row in held]))
    return ic, sum(row.weight for row in held), len(held)


def _said(rows: Iterable[Outcome]) -> dict[Hashable, tuple[float, float]]:
    return {(row.market, row.ticker, row.issued_on): (row.score, row.weight) for row in rows}
