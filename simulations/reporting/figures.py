"""What the report counts over a whole session, from the reading model's series and nothing else."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations, pairwise
from math import fsum

import numpy as np
from numpy.typing import NDArray

from ...agents.signals import Signal, Stance
from ...memory.calibration import AgentRecord
from ...memory.journal.rows import Row
from ..evaluation.figures import cvar
from ..reading import Decision
from ..reading.series import Bar, Outcome, Trade

STILL = 1e-12
"""Scores that differ by less do not vary."""
_SIDES: dict[str, tuple[Stance, ...]] = {
    "buy": ("buy", "strong_buy"),
    "hold": ("hold",),
    "sell": ("sell", "strong_sell"),
}


@dataclass(frozen=True)
class Traded:
    """What one decision traded."""

    number: int
    """From 0."""
    day: date
    turnover: float
    """Purchases and sales over equity at the decision."""
    costs: float
    """Commission and slippage, in money."""
    fills: int


@dataclass(frozen=True)
class Tail:
    """What one decision foretold of bad days, and the days that came until the next one."""

    number: int
    """From 0."""
    day: date
    foretold: float
    """CVaR of a day's loss in the proposal, a part of equity."""
    returns: tuple[tuple[date, float], ...]
    """Of each day on which it was in force."""

    @property
    def worst(self) -> float | None:
        """The largest loss of a day; None where no day came."""
        return max((-value for _, value in self.returns), default=None)

    @property
    def beyond(self) -> int:
        """Days that lost more than was foretold."""
        return sum(-value > self.foretold for _, value in self.returns)


@dataclass(frozen=True)
class Followed:
    """What followed the signals of one agent that pointed the same way."""

    agent: str
    side: str
    """`buy`, `hold` or `sell`, the strong stances included."""
    signals: int
    mean: float
    """Mean return over the horizon beyond the universe's mean."""
    above: float
    """Share of them that did better than the universe's mean."""


@dataclass(frozen=True)
class Agreement:
    """How far two agents say the same of the same names."""

    one: str
    other: str
    pairs: int
    """Names and decisions of which both spoke."""
    same_side: float
    """Share of them in which both pointed the same way."""
    correlation: float | None
    """Of their scores (Pearson); None where one of them does not vary."""


@dataclass(frozen=True)
class Rule:
    """How often a rule found something."""

    name: str
    severity: str
    found: int
    about: int
    """Statements or orders with such a finding."""
    example: str


def traded_of(decisions: Sequence[Decision], trades: Iterable[Trade]) -> list[Traded]:
    """What each decision traded, in order."""
    by_decision: defaultdict[int | None, list[Trade]] = defaultdict(list)
    for trade in trades:
        by_decision[trade.decision].append(trade)
    found = []
    for told in decisions:
        own, equity = by_decision[told.number], told.opened["portfolio"]["equity"]
        turnover = fsum(trade.value for trade in own) / equity if equity else 0.0
        found.append(Traded(told.number, told.day, turnover, fsum(trade.costs for trade in own), len(own)))
    return found


def tails_of(decisions: Sequence[Decision], bars: Sequence[Bar]) -> list[Tail]:
    """The days of each decision whose proposal foretells a CVaR (none does where its limits conflict), beside it."""
    days: defaultdict[int | None, list[tuple[date, float]]] = defaultdict(list)
    for before, bar in pairwise(bars):
        days[bar.decision].append((bar.day, bar.equity / before.equity - 1 if before.equity else 0.0))
    return [
        Tail(told.number, told.day, float(told.proposal["cvar"]), tuple(days[told.number]))
        for told in decisions
        if told.proposal is not None and told.proposal["cvar"] is not None
    ]


def realised_cvar(tails: Iterable[Tail]) -> float | None:
    """CVaR at 95 % of the days that came; None where there were fewer than twenty."""
    returns = np.array([value for tail in tails for _, value in tail.returns])
    return float(cvar(returns[None, :])[0]) if len(returns) >= 20 else None


def side_of(stance: str) -> str:
    """Which way a stance points."""
    return next(side for side, stances in _SIDES.items() if stance in stances)


def followed_by(decisions: Iterable[Decision], outcomes: Iterable[Outcome]) -> list[Followed]:
    """What followed the signals whose horizon has passed, by agent and by the way their last statement pointed."""
    stances = {
        (statement.agent, statement.ticker, told.number): statement.stance
        for told in decisions
        for move in told.moves
        for statement in move.statements
        if not statement.abstained
    }
    groups: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for outcome in outcomes:
        stance = stances.get((outcome.agent, outcome.ticker, outcome.issued_in))
        if stance is not None:
            groups[outcome.agent, side_of(stance)].append(outcome.outcome)
    agents = dict.fromkeys(agent for agent, _ in groups)
    return [
        Followed(agent, side, len(values), fsum(values) / len(values), sum(v > 0 for v in values) / len(values))
        for agent in agents
        for side in _SIDES
        if (values := groups.get((agent, side)))
    ]


def agreements_of(decisions: Iterable[Decision]) -> list[Agreement]:
    """All pairs of agents that spoke of the same names, on their last statements."""
    said: defaultdict[str, dict[tuple[int, str], float]] = defaultdict(dict)
    sides: dict[tuple[str, int, str], str] = {}
    for told in decisions:
        for move in told.moves:
            for statement in move.statements:
                if not statement.abstained:
                    said[statement.agent][told.number, move.ticker] = Signal.model_validate(statement.signal).score
                    sides[statement.agent, told.number, move.ticker] = side_of(statement.stance)
    found = []
    for one, other in combinations(said, 2):
        shared = [key for key in said[one] if key in said[other]]
        if shared:
            same = sum(sides[one, *key] == sides[other, *key] for key in shared) / len(shared)
            left, right = (np.array([said[agent][key] for key in shared]) for agent in (one, other))
            found.append(Agreement(one, other, len(shared), same, _correlation(left, right)))
    return found


def records_of(rows: Iterable[Row]) -> list[AgentRecord]:
    """The latest record of each analyst (`agent_weighed`)."""
    latest = {str(row.agent): row.document["record"] for row in rows}
    return [AgentRecord.model_validate(record) for record in latest.values()]


def rules_of(documents: Iterable[Sequence[dict[str, str]]]) -> list[Rule]:
    """Findings by rule, the most frequent first.

    Args:
        documents: the findings of each statement or order.
    """
    found: Counter[tuple[str, str]] = Counter()
    about: Counter[tuple[str, str]] = Counter()
    example: dict[tuple[str, str], str] = {}
    for findings in documents:
        keys = [(finding["rule"], finding["severity"]) for finding in findings]
        found.update(keys)
        about.update(set(keys))
        for key, finding in zip(keys, findings, strict=True):
            example.setdefault(key, finding["message"])
    order = sorted(found, key=lambda key: (-found[key], key))
    return [Rule(*key, found[key], about[key], example[key]) for key in order]


def _correlation(left: NDArray[np.float64], right: NDArray[np.float64]) -> float | None:
    if len(left) < 3 or min(np.ptp(left), np.ptp(right)) <= STILL:
        return None
    return float(np.corrcoef(left, right)[0, 1])
