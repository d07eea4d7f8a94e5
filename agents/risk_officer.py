"""The risk officer: reads a proposal's risk, and may tighten the limits under which it is made again.

It can multiply the risk aversion by 1 or more, and lower the cap of one name below its proposed weight. There is no
word in its grammar for anything looser, and `Tightening` refuses it.
"""

from collections.abc import Mapping, Sequence
from math import fsum
from typing import Any

from pydantic import Field

from ..tools.evidence import Evidence
from ..tools.frozen import Frozen
from ..tools.regime import Regime
from ..tools.toolbox import OfPortfolio
from .analyst import Mind
from .evidence_text import alias_of, evidence_block, shown
from .models.core import Question, Request
from .seats import RiskOfficer

READINGS = ("accept", "trim", "cut")

AVERSION = {"accept": 1.0, "trim": 1.5, "cut": 2.0}
"""What each reading multiplies the risk aversion by; the mean under the mind's distribution is taken."""

KEPT = {"accept": 1.0, "trim": 0.75, "cut": 0.5}
"""What each reading leaves of the weight of the name that it points at."""

NOBODY = "none"
"""Where no single name is the trouble."""

LEAST_CAPPED = 0.01
"""Weight from which a name can be pointed at."""


class Tightening(Frozen):
    """What the risk officer made of a proposal."""

    reading: str
    probabilities: dict[str, float] = Field(default_factory=dict)
    aversion_factor: float = Field(default=1.0, ge=1, le=2)
    """Multiplier of the risk aversion."""
    caps: dict[str, float] = Field(default_factory=dict)
    """Largest weight of a name, where it is lower than the desk's own; a cap is never raised."""
    evidence: str = ""
    """Id of the figure that decided."""
    rationale: str

    @property
    def tightens(self) -> bool:
        """Whether the proposal has to be made again."""
        return self.aversion_factor > 1 or bool(self.caps)

    def applied_to(self, asked: OfPortfolio) -> OfPortfolio:
        """What the optimizer is asked under this tightening: no cap is higher, the risk aversion is no smaller."""
        caps = {name: min(cap, self.caps.get(name, cap)) for name, cap in asked.caps.items()}
        return asked.model_copy(
            update={
                "caps": caps,
                "risk_aversion": asked.risk_aversion * self.aversion_factor,
                # what is invested at least cannot be more than the caps allow
                "min_invested": min(asked.min_invested, fsum(caps.values())),
            }
        )


def reading_schema(figures: int, names: Sequence[str]) -> dict[str, Any]:
    """The JSON schema of what follows a reading: the figure that decides, and the name that weighs too much."""
    return {
        "type": "object",
        "properties": {
            "evidence": {"type": "string", "enum": [alias_of(i) for i in range(figures)]},
            "name": {"type": "string", "enum": list(names)},
        },
        "required": ["evidence", "name"],
        "additionalProperties": False,
    }


def read_risk(
    officer: RiskOfficer,
    evidence: Sequence[Evidence],
    weights: Mapping[str, float],
    *,
    mind: Mind,
    regime: str,
    market: Regime | None,
    seed: int,
) -> Tightening:
    """The officer's reading of a proposal; a mind that fails changes nothing, and that is said.

    Args:
        officer: who reads.
        evidence: figures of the proposal's risk.
        weights: proposed, by ticker.
        mind: who thinks.
        regime: the state of the market in words.
        market: the state of the market, where it is known.
        seed: of the request.
    """
    held = sorted((name for name, w in weights.items() if w >= LEAST_CAPPED), key=lambda name: (-weights[name], name))
    if not evidence or not held:
        return Tightening(reading="accept", rationale="nothing is held whose risk could be read")
    schemas = {
        reading: reading_schema(len(evidence), (NOBODY,) if reading == "accept" else (*held, NOBODY))
        for reading in READINGS
    }
    prompt = officer.prompt
    request = Request(
        role=officer.name,
        task="risk",
        system=prompt.system.template,
        prefix=prompt.prefix_in(regime, market),
        questions=(
            Question(
                ticker="PORTFOLIO",
                text=prompt.ask(evidence=evidence_block(evidence)),
                evidence=tuple(evidence),
            ),
        ),
        options=READINGS,
        content_free=prompt.ask(evidence="E1 N/A"),
        schema_after=(schemas,),
        lead_in="\n",
        seed=seed,
    )
    answer = mind.answer(request).answers[0]
    if answer.failure or answer.object is None:
        why = answer.failure.reason if answer.failure else "the mind gave no usable answer"
        return Tightening(reading="accept", rationale=f"no reading: {why}")
    reading = max(READINGS, key=lambda name: answer.probabilities[name])
    figure = {alias_of(i): e for i, e in enumerate(evidence)}[answer.object["evidence"]]
    name = answer.object["name"]
    caps = {} if reading == "accept" or name == NOBODY else {name: KEPT[reading] * weights[name]}
    factor = 1.0
    if reading != "accept":
        factor = min(2.0, max(1.0, fsum(AVERSION[r] * answer.probabilities[r] for r in READINGS)))
    return Tightening(
        reading=reading,
        probabilities=answer.probabilities,
        aversion_factor=factor,
        caps=caps,
        evidence=figure.id,
        rationale=_told(reading, figure, factor, caps),
    )


def _told(reading: str, figure: Evidence, factor: float, caps: Mapping[str, float]) -> str:
    if reading == "accept":
        return f"accept: {shown(figure)}"
    limits = [f"risk aversion x {factor:.2f}", *(f"{name} at most {cap:.1%}" for name, cap in caps.items())]
    return f"{reading}: {shown(figure)}; {', '.join(limits)}"
