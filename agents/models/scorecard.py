"""The mind without a model: documented points for evidence. The ablation, and the fast path.

Every directional figure has a reading in [-1, 1] (`tools.measures`). The lean of a question is the mean over kinds of
evidence of the mean reading within the kind, so that seven price figures do not drown two filings:

    s = mean_k( mean_{i in k} r_i )

Each option j has a centre c_j on the same axis, and the distribution is a discretised normal around the lean whose
variance adds the readings' own disagreement (the squared standard error of their mean) to a fixed width:

    p_j ~ exp( -(s - c_j)^2 / (2 w^2) ),   w^2 = 0.2^2 + var(r) / n

- `stance`: strong_sell -0.8, sell -0.4, hold 0, buy 0.4, strong_buy 0.8.
- `posture`: defensive -0.5, neutral 0, aggressive 0.5.
- `risk`: cut -0.5, trim -0.2, accept 0.2; the figures are those of a portfolio, bearish is what worries.
- `support`: contradicted -0.5, unclear 0, supported 0.5; the axis is the agreement of the cited evidence with the
  stance under judgement: s for a buy, -s for a sell, 0.5 - |s| for a hold.

Claims name the strongest figures in the direction of the best option (for a hold: the weakest figures).

Where the answer is a choice among what is listed (`debate`, `call`, and what follows `risk`), the field `evidence`
takes the strongest figure that is allowed, and every other field the first of its values or shapes: the desk lists what
matters most first.
"""

from collections import defaultdict
from collections.abc import Mapping
from math import fsum
from typing import Any, NamedTuple

import numpy as np

from ...tools.frozen import content_hash
from ...tools.measures import MEASURES
from .core import Answer, Failure, Fingerprint, ModelInputError, Question, Reply, Request
from .distribution import best, softmax
from .schemas import Either, List, Record, Shape, Words, shape_of, violation

VERSION = 1
WIDTH = 0.2
CENTRES: dict[str, dict[str, float]] = {
    "stance": {"strong_sell": -0.8, "sell": -0.4, "hold": 0.0, "buy": 0.4, "strong_buy": 0.8},
    "posture": {"defensive": -0.5, "neutral": 0.0, "aggressive": 0.5},
    "risk": {"cut": -0.5, "trim": -0.2, "accept": 0.2},
    "support": {"contradicted": -0.5, "unclear": 0.0, "supported": 0.5},
}
"""Where each option lies on its task's axis."""
HOLD_BAND = 0.2
"""A figure whose reading is within this of 0 speaks for a hold."""


CHOICES = frozenset({"debate", "call"})
"""Tasks whose answer is an object of enumerations, with nothing to score."""

NO_DIRECTION = Failure(kind="no_evidence", reason="There is no evidence with a direction.")


class Reading(NamedTuple):
    """How one piece of evidence leans."""

    alias: str
    kind: str
    value: float


def readings(question: Question) -> list[Reading]:
    """The directional evidence of a question, by alias, in order."""
    found = []
    for i, evidence in enumerate(question.evidence, 1):
        measure = MEASURES.get(evidence.measure)
        if measure is not None and measure.directional and evidence.value is not None:
            found.append(Reading(f"E{i}", evidence.kind, measure.reading(evidence.value)))
    return found


def lean(found: list[Reading]) -> float:
    """Mean over kinds of the mean reading within the kind, in [-1, 1]; `found` is not empty."""
    by_kind: defaultdict[str, list[float]] = defaultdict(list)
    for reading in found:
        by_kind[reading.kind].append(reading.value)
    return fsum(fsum(values) / len(values) for values in by_kind.values()) / len(by_kind)


def distribution(score: float, variance: float, centres: Mapping[str, float]) -> dict[str, float]:
    """The discretised normal around `score`; `variance` is that of the lean, beside the fixed width."""
    width = WIDTH**2 + variance
    weights = softmax([-((score - centre) ** 2) / (2 * width) for centre in centres.values()])
    return dict(zip(centres, weights.tolist(), strict=True))


def agreement(stance: str, score: float) -> float:
    """How far a lean agrees with a stance, in [-1, 1].

    Raises:
        ModelInputError: the stance is not one of the five.
    """
    if stance not in CENTRES["stance"]:
        raise ModelInputError(
            f"The scorecard cannot judge the stance {stance!r}: name one of {', '.join(CENTRES['stance'])}."
        )
    centre = CENTRES["stance"][stance]
    return 0.5 - abs(score) if centre == 0 else score * float(np.sign(centre))


class Scorecard:
    """Points for evidence, in microseconds."""

    def __init__(self) -> None:
        self._fingerprint = Fingerprint(
            backend="scorecard",
            name="scorecard",
            digest=content_hash([[m.name, m.bearish, m.bullish] for m in MEASURES.values()]),
            settings={"version": VERSION, "width": WIDTH, "hold_band": HOLD_BAND},
        )

    @property
    def fingerprint(self) -> Fingerprint:
        """Its digest covers the measures' table; no training, so no cutoff."""
        return self._fingerprint

    def answer(self, request: Request) -> Reply:
        """Points for each question.

        Raises:
            ModelInputError: a task or option without a documented formula, or a schema other than claims.
        """
        if request.task in CHOICES and not request.options:
            chosen = (_choice(q, request.schemas_of(i).get("")) for i, q in enumerate(request.questions))
            return Reply(answers=tuple(chosen))
        known = CENTRES.get(request.task)
        if known is None:
            raise ModelInputError(f"The scorecard has no formula for {request.task!r}: use a model for this task.")
        strange = [option for option in request.options if option not in known]
        if strange:
            raise ModelInputError(
                f"The scorecard has no formula for the option {strange[0]!r} of {request.task}: use a model."
            )
        centres = {option: known[option] for option in request.options or known}
        return Reply(
            answers=tuple(
                _answer(request.task, question, centres, request.schemas_of(i))
                for i, question in enumerate(request.questions)
            )
        )

    def close(self) -> None:
        """Nothing is held."""


Schemas = Mapping[str, dict[str, Any]]
"""By option."""


def _answer(task: str, question: Question, centres: Mapping[str, float], schemas: Schemas) -> Answer:
    found = readings(question)
    if not found:
        return Answer(ticker=question.ticker, failure=NO_DIRECTION)
    score = lean(found)
    variance = float(np.var([reading.value for reading in found])) / len(found)
    axis = agreement(question.stance, score) if task == "support" else score
    probabilities = distribution(axis, variance, centres)
    claims = None
    if schemas:
        option = best(probabilities)
        schema = schemas[option if option in schemas else ""]
        side = float(np.sign(centres[option]))
        claims, failure = chosen_from(schema, found, side) if task == "risk" else claims_for(schema, found, side)
        if failure:
            return Answer(ticker=question.ticker, failure=Failure(kind="unsupported", reason=failure))
    return Answer(ticker=question.ticker, probabilities=probabilities, raw=probabilities, object=claims)


def _choice(question: Question, schema: dict[str, Any] | None) -> Answer:
    chosen, failure = chosen_from(schema or {}, readings(question))
    if failure:
        return Answer(ticker=question.ticker, failure=Failure(kind="unsupported", reason=failure))
    return Answer(ticker=question.ticker, object=chosen)


def chosen_from(
    schema: dict[str, Any], found: list[Reading], side: float = 0.0
) -> tuple[dict[str, Any] | None, str | None]:
    """The first value of every enumeration, of `evidence` the strongest figure; or why there is no such object.

    With a `side` (-1 or 1) the strongest in its direction.
    """
    shape = shape_of(schema)
    if not isinstance(shape, Record):
        return None, "The scorecard can only choose among listed values; use a model for this schema."
    chosen: dict[str, Any] = {}
    for name, listed in shape.fields:
        usable = [reading for reading in found if isinstance(listed, Words) and reading.alias in listed.values]
        if name == "evidence" and usable:
            chosen[name] = max(usable, key=lambda r: r.value * side if side else abs(r.value)).alias
        else:
            chosen[name] = _first(listed)
        if chosen[name] is None:
            return None, f"The scorecard cannot choose `{name}`, which is no enumeration; use a model for this schema."
    return chosen, None


def _first(shape: Shape) -> Any:
    """The first value or shape of what is listed; None where something is to be written freely."""
    match shape:
        case Words(values):
            return values[0]
        case Either(shapes):
            return _first(shapes[0])
        case Record(fields):
            chosen = {name: _first(listed) for name, listed in fields}
            return None if None in chosen.values() else chosen
        case _:
            return None


def claims_for(schema: dict[str, Any], found: list[Reading], side: float) -> tuple[dict[str, Any] | None, str | None]:
    """The strongest figures in the direction of `side` (-1, 0 or 1), as an object of the schema; or why there is none.

    The schema must be `{"claims": [{"evidence": <aliases>, "supports": <words>, ...}]}`; other text fields stay empty.
    """
    shape = shape_of(schema)
    match shape:
        case Record(fields=(("claims", List(item=Record(fields=fields), maximum=maximum)),)):
            parts = dict(fields)
        case _:
            return None, "The scorecard can only fill a list of claims; use a model for this schema."
    aliases, words = parts.get("evidence"), parts.get("supports")
    if not isinstance(aliases, Words) or not isinstance(words, Words):
        return None, "The scorecard needs claims with `evidence` and `supports` as enumerations."
    usable = [reading for reading in found if reading.alias in aliases.values]
    ranked = sorted(usable, key=lambda r: -r.value * side if side else abs(r.value))
    chosen = [{"evidence": r.alias, "supports": _supports(r.value, words.values)} for r in ranked[:maximum]]
    others = {name: "" for name in parts if name not in ("evidence", "supports")}
    claims = {"claims": [{**one, **others} for one in chosen]}
    fault = violation(shape, claims)
    return (None, f"The scorecard cannot fill this schema: {fault}.") if fault else (claims, None)


def _supports(reading: float, words: tuple[Any, ...]) -> str:
    """What a figure speaks for, in the schema's own words."""
    if abs(reading) <= HOLD_BAND and "hold" in words:
        return "hold"
    return "buy" if reading > 0 else "sell"
