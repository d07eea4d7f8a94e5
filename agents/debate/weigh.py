"""What a debate comes to: how much of each claim its attackers left, after their own were answered.

Strengths follow DF-QuAD (Rago, Toni, Aurisicchio and Baroni 2016, "Discontinuity-free decision support with
quantitative argumentation debates", equations 1 to 3). A point begins with the reading of its figure, s0 in [0, 1]. Its
attackers together have the strength a = 1 - prod(1 - s_i), its supporters b likewise, and

    s = s0 - s0 (a - b)          where a >= b
    s = s0 + (1 - s0) (b - a)    otherwise.

A point answers one that stood there before it, so the last is settled first. A claim of an analyst has lost
max(0, a - b), whatever its own figure is; and a signal keeps of its confidence

    1 - AT_MOST * mean over its claims of what they have lost.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from math import fsum, prod

from ...tools.evidence import Evidence
from ...tools.frozen import Frozen
from .board import Board, Point, strength

AT_MOST = 0.25
"""The largest part of a signal's confidence that a debate can take."""


class Outcome(Frozen):
    """The end of the debate on one ticker."""

    ticker: str
    strengths: dict[str, float]
    """Of the debaters' points that stood, by id, in [0, 1]."""
    lost: dict[str, float]
    """Part of each analysts' claim that was refuted, by id, in [0, 1]."""
    factors: dict[str, float]
    """What is left of the confidence of each analyst's signal, in [1 - AT_MOST, 1]: a debate can only lower it."""


def weighed(board: Board, evidence: Mapping[str, Evidence]) -> Outcome:
    """The outcome on a board.

    Args:
        board: claims, and the points that stood the audit; each answers one before it.
        evidence: by id.
    """
    pulls: dict[str, dict[str, list[float]]] = defaultdict(lambda: {"attacks": [], "supports": []})
    strengths: dict[str, float] = {}
    for point in reversed([p for p in board if p.round]):
        own = _own(point, evidence)
        against, beside = _together(pulls[point.id]["attacks"]), _together(pulls[point.id]["supports"])
        settled = own - own * (against - beside) if against >= beside else own + (1 - own) * (beside - against)
        strengths[point.id] = settled
        pulls[point.answers][point.how or "supports"].append(settled)
    claims = [point for point in board if not point.round]
    lost = {p.id: max(0.0, _together(pulls[p.id]["attacks"]) - _together(pulls[p.id]["supports"])) for p in claims}
    by_agent: dict[str, list[float]] = defaultdict(list)
    for claim in claims:
        by_agent[claim.agent].append(lost[claim.id])
    return Outcome(
        ticker=board[0].ticker,
        strengths=dict(reversed(strengths.items())),
        lost=lost,
        factors={agent: 1 - AT_MOST * fsum(shares) / len(shares) for agent, shares in by_agent.items()},
    )


def _own(point: Point, evidence: Mapping[str, Evidence]) -> float:
    return strength(evidence[point.evidence], "buy" if point.side == "buy" else "sell")


def _together(strengths: Iterable[float]) -> float:
    """1 - prod(1 - s): the probabilistic sum, which no order changes but for rounding; 0 of none."""
    return 1 - prod(1 - value for value in sorted(strengths))
