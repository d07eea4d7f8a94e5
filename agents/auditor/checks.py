"""What code can check about a signal: one small function per rule, signal and case in, findings out."""

from collections.abc import Callable, Iterator
from datetime import timedelta

from ...tools.evidence import Evidence
from ...tools.market.documents.instructions import instructions_in
from ...tools.market_state import MARKET
from ...tools.measures import MEASURES
from ..analyst import STRONG, claim_text, directional, rationale_of
from ..evidence_text import shown, squeezed
from ..signals import Claim, Finding, Rule, Severity, Signal
from .binding import OPPOSED, Frame, Misreading, misreadings
from .case import Case
from .segments import Segment, segments

STALE_AFTER = {
    "indicator": timedelta(days=7),
    "ratio": timedelta(days=200),
    "passage": timedelta(days=200),
    "event": timedelta(days=400),
}
"""How old each kind of evidence may be at the decision."""

STALE_MEASURES = {"tone": timedelta(days=120)}
"""Measures that age otherwise than their kind: a release stays the latest one for a quarter."""

SHOWN_CHARACTERS = 80
"""Of a quotation in a finding."""


def evidence_exists(signal: Signal, case: Case) -> Iterator[Finding]:
    """A claim may only cite what its analyst was given."""
    given = case.given(signal)
    for claim in (*signal.claims, *signal.against):
        if claim.evidence not in case.evidence:
            message = f"{claim.alias} cites evidence that was never gathered"
            yield _finding("evidence_exists", "fatal", message, claim)
        elif (
            given is not None and claim.evidence not in given and case.evidence[claim.evidence].ticker == signal.ticker
        ):
            message = f"{claim.alias} cites evidence that this analyst was not given"
            yield _finding("evidence_exists", "fatal", message, claim)


def known_in_time(signal: Signal, case: Case) -> Iterator[Finding]:
    """Evidence must have been known at the decision."""
    for claim, cited in _cited(signal, case):
        if max(cited.available_at, cited.as_of) > signal.as_of:
            yield _finding("known_in_time", "fatal", f"{claim.alias} became known only after the decision", claim)


def staleness(signal: Signal, case: Case) -> Iterator[Finding]:
    """Evidence must still be fresh."""
    for claim, cited in _cited(signal, case):
        limit = STALE_MEASURES.get(cited.measure, STALE_AFTER.get(cited.kind))
        if limit is not None and signal.as_of - cited.available_at > limit:
            message = f"{claim.alias} is older than {limit.days} days"
            yield _finding("staleness", "objection", message, claim, expected=f"<= {limit.days} days")


def right_company(signal: Signal, case: Case) -> Iterator[Finding]:
    """Evidence about one company supports nothing about another; the market is around all of them."""
    for claim, cited in _cited(signal, case):
        if cited.ticker not in (signal.ticker, MARKET):
            message = f"{claim.alias} is about {cited.ticker}, not {signal.ticker}"
            yield _finding("right_company", "fatal", message, claim, expected=signal.ticker, found=cited.ticker)


def texts_are_shown(signal: Signal, case: Case) -> Iterator[Finding]:
    """Every number, unit, sign, time, direction and name that is written rests on what is cited.

    A sentence that is printed from its evidence, to the letter, needs no reading.
    """
    claims = (*signal.claims, *signal.against)
    own = [claim for claim in claims if not _is_printed(claim, case)]
    if not own and signal.rationale == rationale_of(signal.stance, signal.claims, signal.against):
        return
    aliases = case.aliases(signal)
    for claim in own:
        if (evidence := case.evidence.get(claim.evidence)) is not None:
            for segment in segments(claim.text, aliases, case.evidence, [evidence]):
                yield from _read(segment, signal, case, claim)
    cited = {e.id: e for _, e in _cited(signal, case)}
    told = {claim.text for claim in claims}
    for segment in segments(signal.rationale, aliases, case.evidence, tuple(cited.values())):
        if segment.text not in told:
            yield from _read(segment, signal, case, None)


def _is_printed(claim: Claim, case: Case) -> bool:
    evidence = case.evidence.get(claim.evidence)
    return evidence is not None and claim.text == claim_text(claim.alias, shown(evidence), claim.supports)


def _read(segment: Segment, signal: Signal, case: Case, claim: Claim | None) -> Iterator[Finding]:
    where = claim.alias if claim else "the rationale"
    for name in segment.unknown:
        message = f"{where} names {name}, which was never shown"
        yield _finding("evidence_exists", "fatal", message, claim, found=name)
    for quotation in segment.misquoted:
        message = f"{where} quotes what no cited passage says"
        yield _finding("quotes_match", "objection", message, claim, found=quotation[:SHOWN_CHARACTERS])
    frame = Frame(signal.ticker, signal.as_of, signal.horizon_days, case.register)
    for wrong in misreadings(segment.text, segment.cited, frame):
        severity: Severity = "fatal" if wrong.rule == "right_company" else "objection"
        yield _finding(wrong.rule, severity, _sentence(where, wrong), claim, wrong.expected, wrong.found)


def _sentence(where: str, wrong: Misreading) -> str:
    match wrong.rule:
        case "right_company":
            return f"{where} speaks of {wrong.found}, which its evidence does not name"
        case "periods_match":
            return f"{where} speaks of {wrong.found}, which is not a time of its evidence"
        case "units_match":
            return f"{where} gives {wrong.found} in another unit than its evidence"
        case "signs_match":
            return f"{where} gives {wrong.found} with another sign than its evidence"
        case "split_adjusted":
            return f"{where} gives {wrong.found} in the shares of before or after a split"
        case "direction_words":
            return f"{where} says {wrong.found}, which its evidence does not show"
        case _:
            return f"{where} says {wrong.found}, which no cited evidence shows"


def direction_agrees(signal: Signal, case: Case) -> Iterator[Finding]:
    """A figure that leans one way cannot be said to support the other."""
    for claim, cited in _cited(signal, case):
        lean = directional(cited)
        if lean is None or claim.supports == "hold":
            continue
        if (claim.supports == "buy" and lean < -OPPOSED) or (claim.supports == "sell" and lean > OPPOSED):
            figure = MEASURES[cited.measure].show(cited.value or 0.0)
            word = "sell" if lean < 0 else "buy"
            message = f"{claim.alias} ({figure}) speaks for {word}, not for {claim.supports}"
            yield _finding("direction_agrees", "objection", message, claim, expected=word, found=claim.supports)


def stance_follows(signal: Signal, case: Case) -> Iterator[Finding]:
    """A stance to buy or sell needs more claims for it than against it."""
    side = _side(signal)
    if side is None:
        return
    other = "sell" if side == "buy" else "buy"
    count = sum((c.supports == side) - (c.supports == other) for c in signal.claims)
    if count <= 0:
        message = f"the claims do not support {signal.stance.replace('_', ' ')}"
        yield _finding("stance_follows", "objection", message, None, expected=side, found=other)


def counter_evidence(signal: Signal, case: Case) -> Iterator[Finding]:
    """What speaks strongly against a stance must be named beside it."""
    side = _side(signal)
    if side is None:
        return
    sign = 1 if side == "buy" else -1
    named = {claim.evidence for claim in (*signal.claims, *signal.against)}
    for evidence in case.shown.get((signal.agent, signal.ticker), ()):
        lean = directional(evidence)
        if lean is None or sign * lean > -STRONG or evidence.id in named or evidence.id in signal.left_out:
            continue
        measure = MEASURES[evidence.measure]
        figure = f"{measure.label} {measure.show(evidence.value or 0.0)}"
        message = f"{figure} speaks against {signal.stance.replace('_', ' ')} and is not named"
        yield Finding(
            rule="counter_evidence", severity="objection", message=message, evidence=evidence.id, expected=figure
        )


def no_instructions(signal: Signal, case: Case) -> Iterator[Finding]:
    """A text that talks to a model is no evidence; neither may an analyst's own words be one."""
    for claim, cited in _cited(signal, case):
        if cited.text and (found := instructions_in(cited.text)):
            message = f"{claim.alias} contains text that reads like an instruction"
            told = squeezed(cited.text[found[0].start : found[0].end])[:SHOWN_CHARACTERS]
            yield _finding("no_instructions", "objection", message, claim, found=told)


def set_aside(signal: Signal, case: Case) -> Iterator[Finding]:
    """What was taken out of documents before they were read is named."""
    for item in case.set_aside.get((signal.agent, signal.ticker), ()):
        what = "was not read" if item.whole else "was read without the sentences in it"
        message = f"document {item.document} {what} that speak to a machine or to the reader"
        told = " ".join(squeezed(quote) for quote in item.quotes)[:SHOWN_CHARACTERS]
        yield Finding(rule="set_aside", severity="note", message=message, evidence=item.document, found=told)


def nothing_left_out(signal: Signal, case: Case) -> Iterator[Finding]:
    """Evidence that did not fit the mind's context is named."""
    if signal.left_out:
        message = f"the context had no room for {', '.join(signal.left_out)}"
        yield _finding("nothing_left_out", "note", message, None, found=str(len(signal.left_out)))


CHECKS: tuple[Callable[[Signal, Case], Iterator[Finding]], ...] = (
    evidence_exists,
    known_in_time,
    staleness,
    right_company,
    texts_are_shown,
    direction_agrees,
    stance_follows,
    counter_evidence,
    no_instructions,
    set_aside,
    nothing_left_out,
)
"""All checks, in the order in which their findings are listed."""


def _side(signal: Signal) -> str | None:
    return {"buy": "buy", "strong_buy": "buy", "sell": "sell", "strong_sell": "sell"}.get(signal.stance)


def _cited(signal: Signal, case: Case) -> Iterator[tuple[Claim, Evidence]]:
    for claim in (*signal.claims, *signal.against):
        if claim.evidence in case.evidence:
            yield claim, case.evidence[claim.evidence]


def _finding(
    rule: Rule, severity: Severity, message: str, claim: Claim | None, expected: str = "", found: str = ""
) -> Finding:
    return Finding(
        rule=rule,
        severity=severity,
        message=message,
        claim=claim.alias if claim else "",
        evidence=claim.evidence if claim else "",
        expected=expected,
        found=found,
    )
