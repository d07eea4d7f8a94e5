"""The analyst: one function for all roles.

For every ticker it states a stance (scored by its mind, one forward pass for all tickers of the role) and claims
(generated under a grammar whose only evidence names are the ones in the prompt). The figures in the rationale come
from the evidence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from random import Random
from typing import Any, Literal, Protocol, TypeVar

from ..tools.evidence import Evidence
from ..tools.measures import MEASURES
from ..tools.regime import Regime
from .evidence_text import alias_of, aliases, line, lines, shown, told
from .models.core import Answer, Question, Reply, Request
from .roles import Role
from .signals import STANCES, Claim, Direction, Finding, Signal, Stance, abstention, uncertainty_of

MAX_CLAIMS = 2
"""Claims per signal: enough to be checked, few enough for a small model to keep apart."""

T = TypeVar("T")

STRONG = 0.5
"""A figure that leans this far against a stance must be named beside it."""


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
    left_out: tuple[Evidence, ...] = ()
    """Evidence that did not fit the mind's context, the least important first to go."""

    def citable(self) -> tuple[str, ...]:
        """Aliases that a claim may name: those without an objection, or all if every one has been objected to."""
        barred, names = {finding.claim for finding in self.objections}, aliases(len(self.evidence))
        return tuple(name for name in names if name not in barred) or names if barred else names

    def shortened(self, excess_tokens: int) -> "Brief | None":
        """The brief without the last, least important, evidence; None where only one piece is left.

        A token is at least a byte, so as many bytes of evidence go as there are tokens too many, or one piece where
        that number is unknown. Where it was not enough, the mind says so again.
        """
        keep, freed = len(self.evidence), 0
        while keep > 1 and (keep == len(self.evidence) or freed < excess_tokens):
            keep -= 1
            freed += len(line(alias_of(keep), self.evidence[keep]).encode()) + 1
        if keep == len(self.evidence):
            return None
        return replace(self, evidence=self.evidence[:keep], left_out=self.evidence[keep:] + self.left_out)


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
    repeats: int = 0,
) -> tuple[Signal, ...]:
    """One signal per brief, in order; a ticker whose evidence is missing abstains without asking the mind.

    Where a prompt does not fit the mind's context, the least important evidence is left out and the mind is asked
    again; both requests are in the journal, and the signal says what was left out.

    Args:
        role: who speaks.
        briefs: what lies in front of it, one per ticker.
        mind: who thinks.
        as_of: the decision time.
        regime: the state of the market in words.
        seed: of the requests, and of the orders of evidence.
        round_: 0 for the first statement.
        market: the state of the market, where it is known; chooses the role's guidance for it.
        repeats: other orders of the evidence in which each stance is scored too.
    """
    prefix = role.prompt.prefix_in(regime, market)
    current = {brief.ticker: brief for brief in briefs}
    answers: dict[str, Answer] = {}
    asking = [brief for brief in briefs if not _unaskable(role, brief)]
    while asking:
        answers |= {a.ticker: a for a in mind.answer(_request(role, asking, prefix, seed, repeats)).answers}
        asking = []
        for ticker, answer in answers.items():
            if answer.failure and answer.failure.kind == "context":
                shorter = current[ticker].shortened(answer.failure.excess_tokens)
                if shorter is not None and not _unaskable(role, shorter):
                    current[ticker] = shorter
                    asking.append(shorter)
    mind_key = mind.key  # a hash of all that the mind is
    return tuple(
        _signal(role, brief, answers.get(brief.ticker), mind_key=mind_key, as_of=as_of, round_=round_)
        for brief in current.values()
    )


def _unaskable(role: Role, brief: Brief) -> str:
    """Why the role cannot say anything about this ticker; empty if it can."""
    if role.needs and not any(e.kind == role.needs for e in brief.evidence):
        return brief.missing or f"no {role.needs} evidence"
    return "" if brief.evidence else brief.missing or "no evidence"


def _request(role: Role, briefs: Sequence[Brief], prefix: str, seed: int, repeats: int) -> Request:
    prompt = role.prompt

    def question(brief: Brief) -> Question:
        about = {"name": brief.company, "ticker": brief.ticker, "objections": _objections(brief)}
        in_order = [told(item) for item in brief.evidence]
        text, *others = (
            prompt.ask(**about, evidence=lines(texts)) for texts in (in_order, *reorderings(in_order, repeats, seed))
        )
        return Question(ticker=brief.ticker, text=text, evidence=brief.evidence, reorderings=tuple(others))

    return Request(
        role=role.name,
        task="stance",
        system=prompt.system.template,
        prefix=prefix,
        questions=tuple(question(brief) for brief in briefs),
        options=STANCES,
        content_free=prompt.ask(name="Company", ticker="N/A", evidence="E1 N/A", objections=""),
        schema_after=tuple(_schemas(brief.citable()) for brief in briefs),
        lead_in="\n",
        seed=seed,
    )


@lru_cache(maxsize=256)
def _schemas(aliases: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """The schema of the reasons after each stance; nobody changes it, so all questions share one."""
    return {stance: claims_schema(aliases, sides) for stance, sides in SIDES.items()}


def reorderings(evidence: Sequence[T], repeats: int, seed: int) -> tuple[tuple[T, ...], ...]:
    """Other orders of the evidence: the reverse, which says most about the influence of order, then random ones.

    Aliases are given anew in each, so that an order is all that differs. One piece of evidence has no other order.
    """
    if len(evidence) < 2:
        return ()
    orders = [tuple(reversed(evidence))] if repeats else []
    if repeats > 1:
        draw = Random(seed)
        orders += [tuple(draw.sample(evidence, len(evidence))) for _ in range(repeats - 1)]
    return tuple(orders)


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
    against = counter_evidence(stance, brief.evidence)
    return Signal(
        agent=role.name,
        ticker=brief.ticker,
        as_of=as_of,
        stance=stance,
        probabilities=probabilities,
        confidence=probabilities[stance],
        uncertainty=uncertainty_of(probabilities),
        order_sensitivity=answer.order_sensitivity,
        left_out=tuple(e.id for e in brief.left_out),
        horizon_days=role.horizon_days,
        claims=claims,
        against=against,
        rationale=rationale_of(stance, claims, against),
        round=round_,
        model=mind_key,
    )


def _claims(brief: Brief, document: Mapping[str, Any]) -> tuple[Claim, ...]:
    """The claims of a generated object; the same evidence named twice counts once."""
    by_alias = dict(zip(aliases(len(brief.evidence)), brief.evidence, strict=True))
    claims: dict[str, Claim] = {}
    for item in document["claims"]:
        claims.setdefault(item["evidence"], claim_of(item["evidence"], by_alias[item["evidence"]], item["supports"]))
    return tuple(claims.values())


def claim_of(alias: str, evidence: Evidence, supports: Direction) -> Claim:
    """A claim whose sentence is printed from the evidence."""
    return Claim(
        alias=alias, evidence=evidence.id, supports=supports, text=claim_text(alias, shown(evidence), supports)
    )


def claim_text(alias: str, shown: str, supports: Direction) -> str:
    """The sentence of a claim, from what its evidence shows."""
    return f"{shown} ({alias}) supports {supports}"


def counter_evidence(stance: Stance, evidence: Sequence[Evidence]) -> tuple[Claim, ...]:
    """The figures among the evidence that speak strongly against a stance to buy or sell, the strongest first."""
    side = SIDES[stance]
    if len(side) > 1:
        return ()
    sign: Literal[1, -1] = 1 if side[0] == "buy" else -1
    other: Direction = "sell" if sign > 0 else "buy"
    leans = [(-sign * lean, i) for i, e in enumerate(evidence) if (lean := directional(e)) is not None]
    strong = sorted(((lean, i) for lean, i in leans if lean >= STRONG), key=lambda row: (-row[0], row[1]))
    return tuple(claim_of(alias_of(i), evidence[i], other) for _, i in strong)


def rationale_of(stance: Stance, claims: Sequence[Claim], against: Sequence[Claim] = ()) -> str:
    """The reasons as one sentence, then what speaks against them; every figure in it is printed from the evidence."""
    reasons = f"{stance.replace('_', ' ')}: " + "; ".join(claim.text for claim in claims) + "."
    return f"{reasons} Against it: {'; '.join(claim.text for claim in against)}." if against else reasons


def directional(evidence: Evidence) -> float | None:
    """How a figure leans by itself, in [-1, 1]; None for text and for measures without direction."""
    measure = MEASURES[evidence.measure]
    return measure.reading(evidence.value) if evidence.value is not None and measure.directional else None
