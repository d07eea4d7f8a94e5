"""The portfolio manager: audited signals become views, a mind sets the posture, Mean-CVaR sets the weights.

Views follow Grinold (1994): alpha = IC x volatility x score, per session over the signal's horizon, summed over agents
with the weights that their records earn (`memory.calibration`).
They are added to a reference return that rewards each name for the tail risk it adds to the equally weighted universe,
so that a desk without views holds something close to that universe instead of betting on past means.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum, sqrt

import numpy as np
from pydantic import Field

from ..memory.calibration import AgentRecord
from ..memory.calibration.scores import CHANCE
from ..memory.outcome import directional
from ..tools.evidence import Evidence
from ..tools.frozen import Frozen
from ..tools.optimizer.scenarios import Scenarios
from .analyst import Mind
from .evidence_text import evidence_block
from .models.core import Question, Request
from .roles import PORTFOLIO_MANAGER, prompt_of
from .signals import AuditReport, Signal

SESSIONS_PER_YEAR = 252

POSTURES: dict[str, float] = {"defensive": 2.0, "neutral": 1.0, "aggressive": 0.5}
"""What each posture multiplies the risk aversion by: the whole room that the mind has."""


class Posture(Frozen):
    """How much risk the desk takes at this decision."""

    name: str
    probabilities: dict[str, float] = Field(default_factory=dict)
    note: str = ""
    """Why it is neutral although nobody said so, where that is the case."""

    @property
    def factor(self) -> float:
        """Multiplier of the risk aversion: the probability-weighted mean over postures."""
        if not self.probabilities:
            return POSTURES[self.name]
        return fsum(factor * self.probabilities[name] for name, factor in POSTURES.items())


class View(Frozen):
    """What the desk expects of one name beyond its reference return."""

    ticker: str
    alpha: float
    """Return per session."""
    parts: dict[str, float]
    """Contribution of each agent."""


class Proposal(Frozen):
    """Target weights and all that led to them."""

    weights: dict[str, float]
    cash: float
    """Share of equity left in cash."""
    posture: Posture
    risk_aversion: float
    views: tuple[View, ...]
    reference: dict[str, float] = Field(default_factory=dict)
    """Return per session that the tail risk of each considered name deserves, before any view."""
    expected_return: float | None = None
    """Per session; None where the optimizer found nothing and the desk stays as it is."""
    cvar: float | None = None
    """Conditional value at risk per session of the proposed weights over the scenarios."""
    turnover: float = 0.0
    """Sum of absolute weight changes."""
    binding: tuple[str, ...] = ()
    """What stood in the way, in words, with what one more unit of room would be worth."""
    excluded: dict[str, str] = Field(default_factory=dict)
    """Names that could not be considered, and why."""
    rationale: str


def posture_of(evidence: Sequence[Evidence], *, mind: Mind, seed: int) -> Posture:
    """The mind's posture given evidence on the market; neutral, with a note, where it gives none."""
    if not evidence:
        return Posture(name="neutral", note="no evidence on the market")
    prompt = prompt_of(PORTFOLIO_MANAGER)
    text = prompt.ask(evidence=evidence_block(evidence))
    answer = mind.answer(
        Request(
            role=PORTFOLIO_MANAGER,
            task="posture",
            system=prompt.system.template,
            prefix=prompt.prefix.template,
            questions=(Question(ticker="PORTFOLIO", text=text, evidence=tuple(evidence)),),
            options=tuple(POSTURES),
            content_free=prompt.ask(evidence="E1 N/A"),
            seed=seed,
        )
    ).answers[0]
    if answer.failure:
        return Posture(name="neutral", note=f"no posture: {answer.failure.reason}")
    return Posture(name=max(POSTURES, key=lambda name: answer.probabilities[name]), probabilities=answer.probabilities)


def views_of(
    signals: Sequence[Signal],
    reports: Mapping[tuple[str, str], AuditReport],
    records: Mapping[str, AgentRecord],
    volatility: Mapping[str, float],
) -> tuple[View, ...]:
    """Alpha = sum over agents of IC x volatility x sqrt(h) x score / h, for signals that passed and are heard.

    Args:
        signals: the last statement of each agent on each ticker.
        reports: their audits, by (agent, ticker); the confidence factor scales the score.
        records: by agent, what its voice counts for; a weight of 0 is that of nobody.
        volatility: standard deviation of the return of one session, by ticker.
    """
    parts: dict[str, dict[str, float]] = {}
    for signal in signals:
        if signal.abstained or signal.ticker not in volatility:
            continue
        report = reports[signal.agent, signal.ticker]
        record = records[signal.agent]
        if report.verdict != "pass" or unheard(signal, record):
            continue
        scale = record.weight * volatility[signal.ticker] * sqrt(signal.horizon_days) / signal.horizon_days
        score = signal.score * report.confidence_factor * record.deflation
        parts.setdefault(signal.ticker, {})[signal.agent] = scale * score
    return tuple(View(ticker=t, alpha=fsum(p.values()), parts=p) for t, p in sorted(parts.items()))


def unheard(signal: Signal, record: AgentRecord) -> str:
    """Why a signal makes no view although it passed the audit; empty where it makes one."""
    if record.weight <= 0:
        return "its record earns no weight"
    confidence = max(directional(signal.probabilities)) * record.deflation
    if confidence <= CHANCE:
        return f"its confidence, by its record {confidence:.0%}, is no better than chance"
    return ""


def told(record: AgentRecord) -> str:
    """What an agent's voice counts for, in a sentence."""
    who = record.agent.replace("_", " ")
    if record.ic is None:
        return f"The {who} has no record yet and counts with the prior's {record.weight:.3f}."
    bounds = "" if record.ic_low is None else f" [{record.ic_low:+.2f}, {record.ic_high:+.2f}]"
    regime = "" if record.regime_ic is None else f" ({record.regime_ic:+.2f} when {record.regime})"
    counts = "no weight" if record.weight <= 0 else f"weight {record.weight:.3f}"
    deflated = f", confidence x {record.deflation:.2f}" if record.deflation < 0.995 else ""
    shared = f" (agreement with others takes {1 - record.discount:.0%})" if record.discount < 0.995 else ""
    return (
        f"The {who}'s IC is {record.ic:+.3f}{bounds}{regime} after {record.outcomes} outcomes "
        f"({record.independent:.0f} as if independent): {counts}{shared}{deflated}."
    )


def figures_of(record: AgentRecord) -> str:
    """The other figures of a record that has outcomes."""
    return (
        f"Brier score {record.brier:.3f} (0.667 knows nothing), calibration error {record.ece:.3f}: sure "
        f"{record.confidence:.0%}, right {record.hit_rate:.0%}; skill {record.skill:+.3f} after shrinkage"
    )


@dataclass(frozen=True)
class Reference:
    """What a desk without views would think: returns under which the equally weighted universe is optimal."""

    returns: np.ndarray
    """(N,) expected return per session."""
    risk_aversion: float
    """The lambda that goes with them."""


def reference_of(scenarios: Scenarios, beta: float, premium: float) -> Reference:
    """The returns that tail risk deserves, and the risk aversion implied by them.

    The equally weighted universe earns `premium` a year; each name earns in proportion to its part of that portfolio's
    CVaR, its mean loss over the portfolio's worst 1 - beta of scenarios (Rockafellar, Uryasev and Zabarankin 2006,
    "Master funds in portfolio analysis with general deviation measures": betas in units of CVaR). With lambda =
    premium / CVaR the gradient of mu'w - lambda CVaR(w) vanishes there, as reverse optimization does with variance
    (Black and Litterman 1992).
    """
    returns = scenarios.returns
    market = returns.mean(axis=1)
    tail = np.argsort(market, kind="stable")[: max(1, round((1 - beta) * len(market)))]
    loss = -returns[tail].mean(axis=0)
    cvar = float(loss.mean())
    daily = premium / SESSIONS_PER_YEAR
    if cvar <= 0:  # the worst scenarios are gains: no risk to price
        return Reference(np.full(len(loss), daily), 0.0)
    return Reference(daily * loss / cvar, daily / cvar)
