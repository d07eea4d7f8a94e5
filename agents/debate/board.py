"""The board of a debate: claims with ids, and the points that answer them.

On a ticker's board stand first the claims of the signals that passed the audit, then what the debaters make of them.
Every point answers one that stands there before it, by id, and rests on one figure. So a board is a tree whose roots
are analysts' claims, and it can only grow by what exists.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from ...tools.evidence import Evidence
from ...tools.frozen import Frozen
from ..analyst import directional
from ..evidence_text import shown
from ..seats import Side
from ..signals import AuditReport, Direction, Signal

How = Literal["supports", "attacks"]

SPEAKS = 0.1
"""A figure speaks for a side from this reading on; below, it speaks for nobody (see `auditor.binding.OPPOSED`)."""

MOST_FIGURES = 5
"""Figures that a debater is shown at once: a small mind keeps few apart."""


class Point(Frozen):
    """One claim on a board: an analyst's, or a debater's answer to one."""

    id: str
    """Stable and readable: `ZEPL/technical_analyst/E1`, `ZEPL/bull/1`."""
    alias: str
    """Its name in prompts (`C3`): its place on the board, from 1."""
    agent: str
    ticker: str
    side: Direction
    """What it speaks for."""
    evidence: str
    """Id of the `Evidence` it rests on."""
    round: int = 0
    """0 for an analyst's claim, then the round of the debate."""
    how: How | None = None
    """What a debater's point does to the one that it answers; None for an analyst's claim."""
    answers: str = ""
    """Id of the point that it answers."""
    text: str
    """The sentence, its figure printed from the evidence."""


Board = tuple[Point, ...]
"""The points on one ticker, in the order in which they were made."""


class Move(NamedTuple):
    """Something that a debater may do: answer one point."""

    how: How
    point: Point

    @property
    def words(self) -> str:
        """As a mind writes it: `attack C3`."""
        return f"{self.how.removesuffix('s')} {self.point.alias}"


def opened(signals: Iterable[Signal], reports: Mapping[tuple[str, str], AuditReport]) -> dict[str, Board]:
    """The boards as the debate finds them, by ticker: the claims of signals that passed the audit."""
    boards: dict[str, list[Point]] = {}
    for signal in signals:
        report = reports.get((signal.agent, signal.ticker))
        if signal.abstained or report is None or report.verdict != "pass":
            continue
        board = boards.setdefault(signal.ticker, [])
        board += [
            Point(
                id=f"{signal.ticker}/{signal.agent}/{claim.alias}",
                alias=f"C{len(board) + place}",
                agent=signal.agent,
                ticker=signal.ticker,
                side=claim.supports,
                evidence=claim.evidence,
                text=claim.text,
            )
            for place, claim in enumerate(signal.claims, 1)
        ]
    return {ticker: tuple(board) for ticker, board in sorted(boards.items())}


def moves(board: Board, agent: str, side: Side, round_: int, evidence: Mapping[str, Evidence]) -> tuple[Move, ...]:
    """What a debater may do in a round, attacks first, then the point with the strongest figure first.

    What the other side has said and it has not answered yet comes before everything else; where nothing of that kind
    is left, it is an analysts' claim that it has not answered yet. So every round after the opening is a reply wherever
    there is something to reply to, and nobody argues with himself. Points of the same round cannot be answered in it:
    both sides see the same board, and it decides nothing who speaks first.
    """
    answered = {point.answers for point in board if point.agent == agent}
    others = [p for p in board if p.agent != agent and p.id not in answered and p.round < round_]
    replies = [p for p in others if p.round and p.side != side]
    open_ = replies or [p for p in others if not p.round]
    found = [Move("supports" if p.side == side else "attacks", p) for p in open_]
    return tuple(sorted(found, key=lambda m: (m.how == "supports", -_size(evidence.get(m.point.evidence)))))


def figures(shown_to_desk: Iterable[Evidence], board: Board, side: Side) -> tuple[Evidence, ...]:
    """The figures that a side may put forward, the strongest first.

    A figure speaks once for a side, whoever names it: the debate brings what has not been said. Text is not among them:
    debaters never read documents.
    """
    named = {point.evidence for point in board if point.side == side}
    usable = {e.id: e for e in shown_to_desk if e.id not in named and strength(e, side) > SPEAKS}
    return tuple(sorted(usable.values(), key=lambda e: -strength(e, side))[:MOST_FIGURES])


def strength(evidence: Evidence, side: Side) -> float:
    """How strongly a figure speaks for a side, in [0, 1]; 0 where it speaks against it, or has no direction."""
    lean = directional(evidence) or 0.0
    return max(0.0, lean if side == "buy" else -lean)


def point_of(board: Sequence[Point], agent: str, side: Side, move: Move, evidence: Evidence, round_: int) -> Point:
    """The point that a move with a figure makes on a board."""
    ticker = move.point.ticker
    return Point(
        id=f"{ticker}/{agent}/{1 + sum(p.agent == agent for p in board)}",
        alias=f"C{len(board) + 1}",
        agent=agent,
        ticker=ticker,
        side=side,
        evidence=evidence.id,
        round=round_,
        how=move.how,
        answers=move.point.id,
        text=sentence(evidence, side),
    )


def sentence(evidence: Evidence, side: Side) -> str:
    """What a point says; its figure is printed from the evidence."""
    return f"{shown(evidence)} speaks for {side}"


def _size(evidence: Evidence | None) -> float:
    return abs(directional(evidence) or 0.0) if evidence is not None else 0.0
