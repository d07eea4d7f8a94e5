"""The audit of a debater's point: code alone, at once, before anybody can answer it.

A point is made of enumerations, so most of this cannot happen by way of the desk's own minds; it is checked all the
same, because a point may come from elsewhere: a recorded reply, a mind of somebody else's, a mistake of ours.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from ...tools.evidence import Evidence
from ..debate.board import SPEAKS, Board, Point, sentence, strength
from ..seats import Debater
from ..signals import Finding, Rule


def objections_to(
    point: Point, board: Board, debater: Debater, evidence: Mapping[str, Evidence], as_of: datetime
) -> tuple[Finding, ...]:
    """What is wrong with a point; a point with a finding is struck and nobody may answer it.

    Args:
        point: what was said.
        board: what stood there before it.
        debater: who said it.
        evidence: what the analysts were shown on this ticker, by id.
        as_of: the decision time.
    """
    return tuple(_findings(point, board, debater, evidence, as_of))


def _findings(
    point: Point, board: Board, debater: Debater, evidence: Mapping[str, Evidence], as_of: datetime
) -> Iterator[Finding]:
    answered = next((p for p in board if p.id == point.answers), None)
    if answered is None:
        yield _finding(point, "point_answers", f"it answers {point.answers or 'nothing'}, which is not on the board")
    elif (
        answered.round >= point.round
        or answered.agent == point.agent
        or (point.how == "supports") != (answered.side == debater.side)
    ):
        yield _finding(point, "point_answers", f"it {point.how} {answered.id}, which speaks for {answered.side}")
    if any(p.id == point.id or (p.side == point.side and p.evidence == point.evidence) for p in board):
        yield _finding(point, "point_answers", f"it repeats a figure that was named for {point.side}")
    cited = evidence.get(point.evidence)
    if cited is None:
        yield _finding(point, "evidence_exists", "it rests on evidence that no analyst of this ticker was shown")
        return
    if max(cited.available_at, cited.as_of) > as_of:
        yield _finding(point, "known_in_time", "its figure became known only after the decision")
    if point.side != debater.side or strength(cited, debater.side) <= SPEAKS:
        yield _finding(point, "direction_agrees", f"its figure does not speak for {debater.side}")
    if point.text != sentence(cited, debater.side):
        yield _finding(point, "figures_match", "its sentence is not the one that its evidence gives")


def _finding(point: Point, rule: Rule, message: str) -> Finding:
    return Finding(rule=rule, severity="fatal", message=message, claim=point.alias, evidence=point.evidence)
