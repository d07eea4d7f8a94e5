"""What code can check about a signal: one small function per rule, signal and evidence in, findings out."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from ...tools.evidence import Evidence
from ...tools.measures import MEASURES
from ..analyst import directional
from ..signals import Claim, Finding, Signal
from .figures import unsupported_figures

Cited = Mapping[str, Evidence]
"""The evidence that the analyst was given, by id."""

OPPOSED = 0.1
"""A figure whose reading leans this far against a claim contradicts it."""

STALE_AFTER = {"indicator": timedelta(days=7), "ratio": timedelta(days=200), "passage": timedelta(days=200)}
"""How old each kind of evidence may be at the decision."""

STALE_MEASURES = {"tone": timedelta(days=120)}
"""Measures that age otherwise than their kind: a release stays the latest one for a quarter."""

INSTRUCTION = re.compile(
    r"\b(ignore|disregard|forget)\b.{0,40}\b(previous|prior|above|earlier|all)\b.{0,40}\b(instructions?|rules?|prompts?)\b"
    r"|\b(system|developer) (prompt|message)\b|\byou (must|are now|should) (buy|sell|answer|respond|act)\b"
    r"|\bas an? (ai|language model|assistant)\b|<\|?im_(start|end)\|?>|\[/?inst\]",
    re.I | re.S,
)
"""Text in a document that speaks to a model instead of to investors."""


def evidence_exists(signal: Signal, evidence: Cited) -> Iterator[Finding]:
    """A claim may only cite what the analyst was given."""
    for claim in signal.claims:
        if claim.evidence not in evidence:
            yield _finding("evidence_exists", "fatal", f"{claim.alias} cites evidence that was never gathered", claim)


def known_in_time(signal: Signal, evidence: Cited) -> Iterator[Finding]:
    """Evidence must have been known at the decision and must still be fresh."""
    for claim, cited in _cited(signal, evidence):
        if cited.available_at > signal.as_of:
            yield _finding("known_in_time", "fatal", f"{claim.alias} became known only after the decision", claim)
        limit = STALE_MEASURES.get(cited.measure, STALE_AFTER.get(cited.kind))
        if limit is not None and signal.as_of - cited.available_at > limit:
            message = f"{claim.alias} is older than {limit.days} days"
            yield _finding("staleness", "objection", message, claim, expected=f"<= {limit.days} days")


def right_company(signal: Signal, evidence: Cited) -> Iterator[Finding]:
    """Evidence about one company supports nothing about another."""
    for claim, cited in _cited(signal, evidence):
        if cited.ticker != signal.ticker:
            message = f"{claim.alias} is about {cited.ticker}, not {signal.ticker}"
            yield _finding("right_company", "fatal", message, claim, expected=signal.ticker, found=cited.ticker)


def figures_match(signal: Signal, evidence: Cited) -> Iterator[Finding]:
    """Every number written in a claim is one that its evidence shows."""
    for claim, cited in _cited(signal, evidence):
        for figure in unsupported_figures(claim.text, [cited]):
            message = f"{claim.alias} does not show {figure.text}"
            expected = (
                MEASURES[cited.measure].show(cited.value) if cited.value is not None else "a figure of the passage"
            )
            yield _finding("figures_match", "objection", message, claim, expected=expected, found=figure.text)
    cited_all = [e for _, e in _cited(signal, evidence)]
    for figure in unsupported_figures(signal.rationale, cited_all):
        yield Finding(
            rule="figures_match",
            severity="objection",
            message=f"no cited evidence shows {figure.text}",
            found=figure.text,
        )


def direction_agrees(signal: Signal, evidence: Cited) -> Iterator[Finding]:
    """A figure that leans one way cannot be said to support the other."""
    for claim, cited in _cited(signal, evidence):
        lean = directional(cited)
        if lean is None or claim.supports == "hold":
            continue
        if (claim.supports == "buy" and lean < -OPPOSED) or (claim.supports == "sell" and lean > OPPOSED):
            shown = MEASURES[cited.measure].show(cited.value or 0.0)
            word = "sell" if lean < 0 else "buy"
            message = f"{claim.alias} ({shown}) speaks for {word}, not for {claim.supports}"
            yield _finding("direction_agrees", "objection", message, claim, expected=word, found=claim.supports)


def stance_follows(signal: Signal, evidence: Cited) -> Iterator[Finding]:
    """A stance to buy or sell needs more claims for it than against it."""
    side = {"buy": "buy", "strong_buy": "buy", "sell": "sell", "strong_sell": "sell"}.get(signal.stance)
    if side is None:
        return
    other = "sell" if side == "buy" else "buy"
    count = sum((c.supports == side) - (c.supports == other) for c in signal.claims)
    if count <= 0:
        message = f"the claims do not support {signal.stance.replace('_', ' ')}"
        yield Finding(rule="stance_follows", severity="objection", message=message, expected=side, found=other)


def no_instructions(signal: Signal, evidence: Cited) -> Iterator[Finding]:
    """A cited document that talks to the model is no evidence."""
    for claim, cited in _cited(signal, evidence):
        if cited.text and (match := INSTRUCTION.search(cited.text)):
            message = f"{claim.alias} contains text that reads like an instruction"
            yield _finding("no_instructions", "objection", message, claim, found=match.group(0)[:80])


def nothing_left_out(signal: Signal, evidence: Cited) -> Iterator[Finding]:
    """Evidence that did not fit the mind's context is named."""
    if signal.left_out:
        message = f"the context had no room for {', '.join(signal.left_out)}"
        yield Finding(rule="nothing_left_out", severity="note", message=message, found=str(len(signal.left_out)))


CHECKS: tuple[Callable[[Signal, Cited], Iterator[Finding]], ...] = (
    evidence_exists,
    known_in_time,
    right_company,
    figures_match,
    direction_agrees,
    stance_follows,
    no_instructions,
    nothing_left_out,
)
"""All checks, in the order in which their findings are listed."""


def _cited(signal: Signal, evidence: Cited) -> Iterator[tuple[Claim, Evidence]]:
    for claim in signal.claims:
        if claim.evidence in evidence:
            yield claim, evidence[claim.evidence]


def _finding(rule: str, severity: str, message: str, claim: Claim, expected: str = "", found: str = "") -> Finding:
    return Finding.model_validate(
        {
            "rule": rule,
            "severity": severity,
            "message": message,
            "claim": claim.alias,
            "evidence": claim.evidence,
            "expected": expected,
            "found": found,
        }
    )
