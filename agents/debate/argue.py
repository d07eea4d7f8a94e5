"""One debater speaks: a point on every board on which it has something to answer and something to answer it with.

All that its mind chooses is which point it answers and with which figure. Both are enumerations of what exists, so a
point cannot name an id that is not on the board, and cannot invent a figure.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ...tools.evidence import Evidence
from ...tools.frozen import Frozen
from ...tools.measures import MEASURES
from ...tools.regime import Regime
from ..analyst import Mind
from ..evidence_text import alias_of, evidence_block
from ..models.core import Answer, Question, Request
from ..seats import Debater
from .board import Board, Move, Point, figures, moves, point_of


class Silence(Frozen):
    """A debater has nothing to say on a ticker, and why."""

    agent: str
    ticker: str
    round: int
    reason: str


class Ground(Frozen):
    """What a debater has before it on one ticker."""

    ticker: str
    company: str
    board: Board
    evidence: tuple[Evidence, ...]
    """What the desk's analysts were shown; each piece once."""


def turn_schema(allowed: Sequence[Move], count: int) -> dict[str, Any]:
    """The JSON schema of a turn: which point is answered and how, and by which of `count` figures."""
    return {
        "type": "object",
        "properties": {
            "move": {"type": "string", "enum": [move.words for move in allowed]},
            "evidence": {"type": "string", "enum": [alias_of(i) for i in range(count)]},
        },
        "required": ["move", "evidence"],
        "additionalProperties": False,
    }


def argue(
    debater: Debater,
    grounds: Sequence[Ground],
    *,
    mind: Mind,
    regime: str,
    market: Regime | None,
    seed: int,
    round_: int,
) -> tuple[Point | Silence, ...]:
    """One point or silence per ticker, in order; without a move or a figure the mind is not asked.

    Args:
        debater: who speaks.
        grounds: what lies before it, one per ticker.
        mind: who thinks.
        regime: the state of the market in words.
        market: the state of the market, where it is known.
        seed: of the request.
        round_: of the debate, from 1.
    """
    usable: dict[str, tuple[tuple[Move, ...], tuple[Evidence, ...]]] = {}
    for ground in grounds:
        by_id = {e.id: e for e in ground.evidence}
        allowed = moves(ground.board, debater.name, debater.side, round_, by_id)
        usable[ground.ticker] = allowed, figures(ground.evidence, ground.board, debater.side)
    asked = [ground for ground in grounds if all(usable[ground.ticker])]
    answers: dict[str, Answer] = {}
    if asked:
        request = _request(debater, asked, usable, debater.prompt.prefix_in(regime, market), seed)
        answers = {answer.ticker: answer for answer in mind.answer(request).answers}
    return tuple(
        _said(debater, ground, *usable[ground.ticker], answers.get(ground.ticker), round_) for ground in grounds
    )


def _request(
    debater: Debater,
    asked: Sequence[Ground],
    usable: Mapping[str, tuple[tuple[Move, ...], tuple[Evidence, ...]]],
    prefix: str,
    seed: int,
) -> Request:
    questions, schemas = [], []
    for ground in asked:
        allowed, known = usable[ground.ticker]
        by_id = {e.id: e for e in ground.evidence}
        text = debater.prompt.ask(
            name=ground.company,
            ticker=ground.ticker,
            claims="\n".join(_line(move.point, by_id.get(move.point.evidence)) for move in allowed),
            evidence=evidence_block(known),
        )
        questions.append(Question(ticker=ground.ticker, text=text, evidence=known))
        schemas.append(turn_schema(allowed, len(known)))
    return Request.model_validate(
        {
            "role": debater.name,
            "task": "debate",
            "system": debater.prompt.system.template,
            "prefix": prefix,
            "questions": tuple(questions),
            "schema": tuple(schemas),
            "seed": seed,
        }
    )


def _line(point: Point, evidence: Evidence | None) -> str:
    """A point in a prompt: what it speaks for and its figure; of a document only that it is one."""
    if evidence is None or evidence.value is None:
        return f"{point.alias} {point.side}, a document"
    measure = MEASURES[evidence.measure]
    return f"{point.alias} {point.side}, {measure.brief or measure.label} {measure.show_briefly(evidence.value)}"


def _said(
    debater: Debater,
    ground: Ground,
    allowed: Sequence[Move],
    known: Sequence[Evidence],
    answer: Answer | None,
    round_: int,
) -> Point | Silence:
    if answer is None or answer.failure or answer.object is None:
        if not allowed:
            reason = "nothing is left to answer"
        elif not known:
            reason = f"no figure that nobody has named speaks for {debater.side}"
        else:
            reason = answer.failure.reason if answer and answer.failure else "the mind gave no usable answer"
        return Silence(agent=debater.name, ticker=ground.ticker, round=round_, reason=reason)
    move = {move.words: move for move in allowed}[answer.object["move"]]
    figure = {alias_of(i): e for i, e in enumerate(known)}[answer.object["evidence"]]
    return point_of(ground.board, debater.name, debater.side, move, figure, round_)
