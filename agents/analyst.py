"""The analyst: one function for all roles.

For every ticker it states a stance (scored by its mind, one forward pass for all tickers of the role) and claims
(generated under a grammar whose only evidence names are the ones in the prompt). The figures in the rationale come
from the evidence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ..tools.evidence import Evidence
from ..tools.measures import MEASURES
from ..tools.regime import Regime
from .evidence_text import alias_of, evidence_block, shown
from .models.core import Answer, Question, Reply, Request
from .roles import Role, prompt_of
from .signals import STANCES, Claim, Direction, Finding, Signal, Stance, abstention, uncertainty_of

MAX_CLAIMS = 2
"""Claims per signal: enough to be checked, few enough for a small model to keep apart."""


class Mind(Protocol):
    """Whoever answers requests and journals them."""

    @property
    def key(self) -> str:
        """Key of the mind's fingerprint."""
        ...

    def answer(self, request: Request) -> Reply:
        """The answers to a request, in the order of its questions."""
        ...


@dataclass(frozen=True)
class Brief:
    """What an analyst has in front of it for one ticker."""

    ticker: str
    company: str
    evidence: tuple[Evidence, ...]
    missing: str = ""
    """Why evidence is absent, where it is."""
    objections: tuple[Finding, ...] = ()
    """The auditor's objections to the signal of the round before."""

    def citable(self) -> tuple[str, ...]:
        """Aliases that a claim may name: those without an objection, or all if every one has been objected to."""
        barred = {finding.claim for finding in self.objections}
        aliases = tuple(alias_of(i) for i in range(len(self.evidence)))
        return tuple(a for a in aliases if a not in barred) or aliases


SIDES: dict[Stance, tuple[Direction, ...]] = {
    "strong_sell": ("sell",),
    "sell": ("sell",),
    "hold": ("buy", "sell", "hold"),
    "buy": ("buy",),
    "strong_buy": ("buy",),
}
"""What a claim may support after each stance: the reasons given for a stance are reasons for it."""


def claims_schema(aliases: Sequence[str], sides: Sequence[Direction]) -> dict[str, Any]:
    """The JSON schema of an analyst's reasons: bounded, flat, enums only.

    Held to the stance by the grammar, all that is left to the model is which evidence it cites; whether that evidence
    speaks for the stance is the auditor's business. (Left free, SmolLM2 repeats the direction of the example.)
    """
    claim = {
        "type": "object",
        "properties": {
            "supports": {"type": "string", "enum": list(sides)},
            "evidence": {"type": "string", "enum": list(aliases)},
        },
        "required": ["supports", "evidence"],
        "additionalProperties": False,
    }
    claims = {"type": "array", "items": claim, "minItems": 1, "maxItems": min(MAX_CLAIMS, len(aliases))}
    return {"type": "object", "properties": {"claims": claims}, "required": ["claims"], "additionalProperties": False}


def analyse(
    role: Role,
    briefs: Sequence[Brief],
    *,
    mind: Mind,
    as_of: datetime,
    regime: str,
    seed: int,
    round_: int = 0,
    market: Regime | None = None,
) -> tuple[Signal, ...]:
    """One signal per brief, in order; a ticker whose evidence is missing abstains without asking the mind.

    `regime` is the state of the market in words; `market`, where it is known, chooses the role's guidance for it.
    """
    askable = [b for b in briefs if not _unaskable(role, b)]
    answers: dict[str, Answer] = {}
    if askable:
        reply = mind.answer(_request(role, askable, prompt_of(role.name).prefix_in(regime, market), seed))
        answers = {answer.ticker: answer for answer in reply.answers}
    return tuple(
        _signal(role, brief, answers.get(brief.ticker), mind_key=mind.key, as_of=as_of, round_=round_)
        for brief in briefs
    )


def _unaskable(role: Role, brief: Brief) -> str:
    """Why the role cannot say anything about this ticker; empty if it can."""
    if role.needs and not any(e.kind == role.needs for e in brief.evidence):
        return brief.missing or f"no {role.needs} evidence"
    return ""


def _request(role: Role, briefs: Sequence[Brief], prefix: str, seed: int) -> Request:
    prompt = prompt_of(role.name)
    return Request(
        role=role.name,
        task="stance",
        system=prompt.system.template,
        prefix=prefix,
        questions=tuple(
            Question(
                ticker=brief.ticker,
                text=prompt.question.substitute(
                    name=brief.company,
                    ticker=brief.ticker,
                    evidence=evidence_block(brief.evidence),
                    objections=_objections(brief),
                ),
                evidence=brief.evidence,
            )
            for brief in briefs
        ),
        options=STANCES,
        content_free=prompt.question.substitute(name="Company", ticker="N/A", evidence="E1 N/A", objections=""),
        schema_after=tuple(
            {stance: claims_schema(brief.citable(), sides) for stance, sides in SIDES.items()} for brief in briefs
        ),
        lead_in="\n",
        seed=seed,
    )


def _objections(brief: Brief) -> str:
    if not brief.objections:
        return ""
    return "\nThe auditor objects: " + " ".join(f"{finding.message}." for finding in brief.objections)


def _signal(role: Role, brief: Brief, answer: Answer | None, *, mind_key: str, as_of: datetime, round_: int) -> Signal:
    reason = _unaskable(role, brief)
    if answer is None or answer.failure or not answer.probabilities or answer.object is None:
        why = reason or (answer.failure.reason if answer and answer.failure else "the mind gave no usable answer")
        return abstention(role.name, brief.ticker, as_of, role.horizon_days, mind_key, round_, why)
    probabilities: dict[Stance, float] = {name: answer.probabilities[name] for name in STANCES}
    stance = max(STANCES, key=lambda name: probabilities[name])
    claims = _claims(brief, answer.object)
    return Signal(
        agent=role.name,
        ticker=brief.ticker,
        as_of=as_of,
        stance=stance,
        probabilities=probabilities,
        confidence=probabilities[stance],
        uncertainty=uncertainty_of(probabilities),
        horizon_days=role.horizon_days,
        claims=claims,
        rationale=rationale_of(stance, claims),
        round=round_,
        model=mind_key,
    )


def _claims(brief: Brief, document: Mapping[str, Any]) -> tuple[Claim, ...]:
    """The claims of a generated object; the same evidence named twice counts once."""
    by_alias = {alias_of(i): e for i, e in enumerate(brief.evidence)}
    claims: dict[str, Claim] = {}
    for item in document["claims"]:
        alias, supports = item["evidence"], item["supports"]
        evidence = by_alias[alias]
        text = f"{shown(evidence)} ({alias}) supports {supports}"
        claims.setdefault(alias, Claim(alias=alias, evidence=evidence.id, supports=supports, text=text))
    return tuple(claims.values())


def rationale_of(stance: Stance, claims: Sequence[Claim]) -> str:
    """The reasons as one sentence; every figure in it is printed from the evidence."""
    return f"{stance.replace('_', ' ')}: " + "; ".join(claim.text for claim in claims) + "."


def directional(evidence: Evidence) -> float | None:
    """How a figure leans by itself, in [-1, 1]; None for text and for measures without direction."""
    measure = MEASURES[evidence.measure]
    return measure.reading(evidence.value) if evidence.value is not None and measure.directional else None
