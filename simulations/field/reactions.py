"""Do the desk's decisions follow what it reads? Sessions on altered markets, compared seat by seat with the plain one.

A decision that does not move when its evidence does is memory, habit or chance, whatever its rationale says. One that
moves although its evidence is the same did not come from that evidence either. Seats are (agent, place of the ticker in
the universe, decision), so that a masked market can be compared.
"""

from math import comb

import numpy as np

from ...agents.signals import Signal
from ..evaluation.record import SessionRecord
from .document import Reaction

MOVES = 0.01
"""Difference of scores, on [-1, 1], from which a decision counts as another one."""
ENOUGH = 0.5
"""Share of signals with other evidence that must move for an agent to be called a reader of it."""
FEW = 10
"""Signals with other evidence below which nothing is said."""

Seat = tuple[str, int, int]


def scores_of(record: SessionRecord) -> dict[Seat, float]:
    """The last score of every seat; 0 where the agent abstained."""
    place = {ticker: i for i, ticker in enumerate(record.window.universe)}
    found = {}
    for event in record.signals:
        found[event.agent, place[event.ticker], event.decision or 0] = Signal.model_validate(event.signal).score
    return found


def reactions_of(name: str, base: SessionRecord, other: SessionRecord) -> list[Reaction]:
    """How each agent of the base session decided on another market.

    Args:
        name: of the placebo.
        base: the plain session.
        other: the same desk on the altered market.
    """
    plain, altered = scores_of(base), scores_of(other)
    evidence, changed = _evidence(base), _evidence(other)
    found = []
    for agent in dict.fromkeys(seat[0] for seat in plain):
        seats = [seat for seat in plain if seat[0] == agent and seat in altered]
        if not seats:
            continue
        before, after = np.array([plain[s] for s in seats]), np.array([altered[s] for s in seats])
        other_inputs = np.array([evidence.get(s) != changed.get(s) for s in seats])
        moves = np.abs(before - after) > MOVES
        moved = float(moves[other_inputs].mean()) if other_inputs.any() else None
        strayed = float(moves[~other_inputs].mean()) if not other_inputs.all() else None
        varies = np.ptp(before) > 1e-9 and np.ptp(after) > 1e-9
        found.append(
            Reaction(
                member=name,
                agent=agent,
                signals=len(seats),
                inputs_changed=float(other_inputs.mean()),
                moved=moved,
                strayed=strayed,
                correlation=float(np.corrcoef(before, after)[0, 1]) if varies else None,
                verdict=_verdict(name, int(other_inputs.sum()), moved, float(moves.mean())),
            )
        )
    return found


def _verdict(name: str, changed: int, moved: float | None, all_moved: float) -> str:
    if name in ("masked", "hostile"):  # nothing that should count has changed
        if all_moved == 0:
            return "unmoved, as it should be"
        return f"{all_moved:.0%} of its signals moved though nothing that should count had changed"
    if changed < FEW or moved is None:
        return "does not read what was changed"
    if moved < ENOUGH:
        return "hardly moves with its inputs: memory or habit"
    return "moves with its inputs"


def _evidence(record: SessionRecord) -> dict[Seat, str]:
    place = {ticker: i for i, ticker in enumerate(record.window.universe)}
    return {(agent, place[ticker], decision): said for (agent, ticker, decision), said in record.gathered.items()}


def pass_power(runs: int, passed: int) -> tuple[float, ...]:
    """pass^k for k = 1 ... runs: C(passed, k) / C(runs, k) (Yao, Shinn, Razavi and Narasimhan 2024, tau-bench)."""
    return tuple(comb(passed, k) / comb(runs, k) for k in range(1, runs + 1))
