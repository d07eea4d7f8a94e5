"""The audit of a round of signals: code first, then a mind, then the verdict."""

from collections.abc import Mapping, Sequence

from ...tools.evidence import Evidence
from ..analyst import Mind
from ..by_hand import is_by_hand, report_on
from ..evidence_text import line
from ..models.core import Question, Request
from ..roles import AUDITOR, prompt_of
from ..signals import AuditReport, Finding, Signal
from .case import Case
from .checks import CHECKS

READINGS = ("supported", "unclear", "contradicted")
"""What the auditor's mind can say about a signal."""

SEND_BACK_ABOVE = 0.5
"""The mind sends a signal back when it gives "contradicted" more than this probability."""


def audit_signals(
    signals: Sequence[Signal], case: Case, *, mind: Mind, max_rounds: int, seed: int
) -> tuple[AuditReport, ...]:
    """One report per signal, in order; abstentions get none, because saying nothing is always allowed.

    What a person set by hand passes with a note. A signal that code has refused is not shown to the mind. The mind's
    reading multiplies the confidence by 1 - P(contradicted), which can only lower it, and may add one objection.

    Args:
        signals: statements of one round.
        case: the evidence, what each analyst was given of it, companies and splits.
        mind: whose reading of the cited evidence is asked for.
        max_rounds: revisions allowed; a signal objected to after that many is rejected.
        seed: of the request.
    """
    spoken = [signal for signal in signals if not signal.abstained and not is_by_hand(signal)]
    findings = {_key(s): tuple(f for check in CHECKS for f in check(s, case)) for s in spoken}
    sound = [s for s in spoken if not any(f.severity != "note" for f in findings[_key(s)])]
    factors, objections, notes = _read(sound, case.evidence, mind, seed) if sound else ({}, {}, {})
    return tuple(
        report_on(signal)
        if is_by_hand(signal)
        else _report(
            signal,
            findings[_key(signal)] + objections.get(_key(signal), ()) + notes.get(_key(signal), ()),
            factors.get(_key(signal), 1.0),
            max_rounds,
        )
        for signal in signals
        if not signal.abstained
    )


def pass_unread(signals: Sequence[Signal]) -> tuple[AuditReport, ...]:
    """What a desk without an auditor works with: every signal that says something passes."""
    return tuple(
        AuditReport(agent=signal.agent, ticker=signal.ticker, round=signal.round, verdict="pass")
        for signal in signals
        if not signal.abstained
    )


def _report(signal: Signal, findings: tuple[Finding, ...], factor: float, max_rounds: int) -> AuditReport:
    severities = {finding.severity for finding in findings}
    if "fatal" in severities:
        verdict = "reject"
    elif "objection" in severities:
        verdict = "revise" if signal.round < max_rounds else "reject"
    else:
        verdict = "pass"
    return AuditReport.model_validate(
        {
            "agent": signal.agent,
            "ticker": signal.ticker,
            "round": signal.round,
            "verdict": verdict,
            "findings": findings,
            "confidence_factor": factor,
        }
    )


Findings = dict[tuple[str, str], tuple[Finding, ...]]


def _read(
    signals: Sequence[Signal], evidence: Mapping[str, Evidence], mind: Mind, seed: int
) -> tuple[dict[tuple[str, str], float], Findings, Findings]:
    """The mind's reading: confidence factors, objections, notes, all by (agent, ticker)."""
    prompt = prompt_of(AUDITOR)
    cited = [tuple(evidence[claim.evidence] for claim in signal.claims) for signal in signals]
    questions = tuple(
        Question(
            ticker=signal.ticker,
            stance=signal.stance,
            text=prompt.ask(
                stance=signal.stance,
                evidence="\n".join(line(c.alias, e) for c, e in zip(signal.claims, given, strict=True)),
            ),
            evidence=given,
        )
        for signal, given in zip(signals, cited, strict=True)
    )
    reply = mind.answer(
        Request(
            role=AUDITOR,
            task="support",
            system=prompt.system.template,
            prefix=prompt.prefix.template,
            questions=questions,
            options=READINGS,
            content_free=prompt.ask(stance="N/A", evidence="E1 N/A"),
            seed=seed,
        )
    )
    factors: dict[tuple[str, str], float] = {}
    objections: Findings = {}
    notes: Findings = {}
    for signal, answer in zip(signals, reply.answers, strict=True):
        if answer.failure:
            note = Finding(
                rule="mind_reading", severity="note", message=f"the mind could not read it: {answer.failure.reason}"
            )
            notes[_key(signal)] = (note,)
            continue
        against = answer.probabilities["contradicted"]
        factors[_key(signal)] = 1.0 - against
        if against > SEND_BACK_ABOVE:
            message = f"the cited evidence reads as contradicting {signal.stance.replace('_', ' ')}"
            objections[_key(signal)] = (
                Finding(rule="mind_reading", severity="objection", message=message, found=f"{against:.2f}"),
            )
    return factors, objections, notes


def _key(signal: Signal) -> tuple[str, str]:
    return signal.agent, signal.ticker
