"""The book of outcomes: who said what, what followed, and what that was worth as far as was known at a time.

Every question names a time, and only outcomes that were available then answer it: outcomes of earlier sessions, which
may lie in this session's future, pass through the same door as its own.
"""

from bisect import bisect_right
from collections.abc import Hashable, Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from ..outcome import Outcome
from . import agreement, scores
from .columns import Columns, Row, row_of, turn_of
from .record import AgentRecord
from .shrinkage import agent_skill, bounded, regime_skill

ALL = "all"
"""In place of a regime: all of them together."""

Mind = tuple[str, str]
"""(agent, model): whose record it is."""
NONE = Columns.of(())


class Calibration:
    """Outcomes by agent and mind."""

    def __init__(self) -> None:
        self._rows: dict[Mind, list[Row]] = {}
        """Those in the columns, in their order."""
        self._columns: dict[Mind, Columns] = {}
        self._fresh: dict[Mind, list[Row]] = {}
        """Those that came since."""
        self._keys: set[Hashable] = set()

    def add(self, *outcomes: Outcome) -> None:
        """Put outcomes into the book; one that it already holds counts once."""
        for outcome in outcomes:
            if (key := outcome.key()) not in self._keys:
                self._keys.add(key)
                self._fresh.setdefault((outcome.agent, outcome.model), []).append(row_of(outcome))

    def minds(self) -> tuple[Mind, ...]:
        """Whose outcomes are in it, in alphabetical order."""
        return tuple(sorted(self._rows.keys() | self._fresh.keys()))

    def known(self, mind: Mind, as_of: datetime) -> Columns:
        """The outcomes that were available at a time, in an order that later ones do not change."""
        columns = self._up_to_date(mind)
        count = bisect_right(columns.known, as_of.astimezone(UTC))
        return columns if count == len(columns) else columns.chosen(slice(count))

    def _up_to_date(self, mind: Mind) -> Columns:
        """All outcomes of a mind; what is new is put behind what is there, if it became known later, as is the rule."""
        rows, fresh = self._rows.get(mind, []), sorted(self._fresh.pop(mind, ()), key=turn_of)
        if not fresh:
            return self._columns.get(mind, NONE)
        follows = not rows or turn_of(rows[-1]) < turn_of(fresh[0])
        self._rows[mind] = rows = rows + fresh if follows else sorted(rows + fresh, key=turn_of)
        added = Columns.of(fresh if follows else rows)
        self._columns[mind] = added if not follows else self._columns.get(mind, NONE).followed_by(added)
        return self._columns[mind]

    def records(self, agents: Sequence[str], model: str, regime: str, as_of: datetime) -> tuple[AgentRecord, ...]:
        """What the agents of one desk are worth in a regime at a time, in order."""
        known = [self.known((agent, model), as_of) for agent in agents]
        found = [record_of(agent, model, regime, rows) for agent, rows in zip(agents, known, strict=True)]
        # who has no weight cannot take any from others
        voices = [i for i, record in enumerate(found) if record.weight > 0]
        left = agreement.discounts([known[i] for i in voices])
        for i, discount in zip(voices, left, strict=True):
            found[i] = found[i].model_copy(update={"discount": discount, "weight": found[i].weight * discount})
        return tuple(found)


def record_of(agent: str, model: str, regime: str, rows: Columns) -> AgentRecord:
    """The record of an agent from its known outcomes, before agreement with others is taken into account.

    Args:
        agent: who.
        model: with which mind.
        regime: for which state of the market; `ALL` for the agent as such.
        rows: its outcomes in all regimes.
    """
    every = _cell(rows)
    names = sorted(set(rows.regimes.tolist()))
    cells = {name: _cell(rows, rows.regimes == name) if len(names) > 1 else every for name in names}
    overall = agent_skill((ic, count) for ic, count, _ in cells.values() if ic is not None)
    ic, count, number = every if regime == ALL else cells.get(regime, (None, 0.0, 0))
    skill = overall if regime == ALL or ic is None else regime_skill(ic, count, overall)
    blank = AgentRecord(agent=agent, model=model, regime=regime, skill=skill, weight=bounded(skill))
    if not len(rows):
        return blank
    bounds = None if every[0] is None else scores.interval(every[0], every[1])
    confidence, hit = scores.foretold(rows.probabilities, rows.came)
    bins = scores.reliability(rows.probabilities, rows.came)
    return blank.model_copy(
        update={
            "outcomes": len(rows),
            "independent": every[1],
            "ic": every[0],
            "ic_low": bounds[0] if bounds else None,
            "ic_high": bounds[1] if bounds else None,
            "regime_outcomes": number,
            "regime_independent": count,
            "regime_ic": ic,
            "brier": scores.brier(rows.probabilities, rows.came),
            "ece": scores.calibration_error(bins),
            "confidence": float(confidence.mean()),
            "hit_rate": float(hit.mean()),
            "bins": bins,
            "deflation": scores.deflation(confidence, hit, rows.weights),
        }
    )


def _cell(rows: Columns, within: NDArray[np.bool_] | None = None) -> tuple[float | None, float, int]:
    """Information coefficient, outcomes as if independent, and outcomes: of some of the rows, or of all."""
    said, followed, weights = rows.scores, rows.surprises, rows.weights
    if within is not None:
        said, followed, weights = said[within], followed[within], weights[within]
    return scores.information_coefficient(said, followed), float(weights.sum()), len(said)
