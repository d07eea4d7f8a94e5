"""The momentum analyst of `calibration` with SmolLM2's mind: what does its own record earn it?

Whole sessions with a model take long, and weights do not change what is said: so SmolLM2 is asked for the stances
alone, on the evidence that the scorecard's sessions had, decision by decision; what followed is known from those
sessions, and the record is made of both as in a session. Seeds come one after the other, the market with the edge and
then the one without, until `MINUTES` are over.
"""

import time
from datetime import datetime
from typing import Any

from paperdesk.agents.analyst import SIDES, Brief, analyse
from paperdesk.agents.models.core import ModelCore, Reply, Request
from paperdesk.agents.models.open import open_model
from paperdesk.agents.roles import Role, read_role
from paperdesk.agents.signals import Signal
from paperdesk.memory.calibration import AgentRecord, Calibration
from paperdesk.memory.outcome import Outcome
from paperdesk.tools.indicators import indicators
from paperdesk.tools.market.view import Market

from .calibration import NOTHING, ROLES, STRENGTH, YEARS, Run, market_of, session
from .desk_requests import stance_only

MINUTES = 20.0
AGENT = "momentum_analyst"
MODEL = "smollm2"


class StancesAlone:
    """A mind that is asked for stances only; the one reason is the one piece of evidence."""

    def __init__(self, core: ModelCore) -> None:
        self._core = core
        self.key = core.fingerprint.key()

    def answer(self, request: Request) -> Reply:
        """The stances, each with a reason that code gives."""
        answers = []
        for answer in self._core.answer(stance_only(request)).answers:
            best = max(answer.probabilities, key=lambda name: answer.probabilities[name])
            claim = {"supports": next(iter(SIDES[best])), "evidence": "E1"}  # type: ignore[index]
            answers.append(answer.model_copy(update={"object": {"claims": [claim]}}))
        return Reply(answers=tuple(answers))


def measure() -> list[dict[str, Any]]:
    """A row per seed and market."""
    began = time.monotonic()
    core = open_model(MODEL)
    rows: list[dict[str, Any]] = []
    seed = 0
    while time.monotonic() - began < MINUTES * 60:
        seed += 1
        for edge in ("momentum", NOTHING):
            rows.append(row_of(session("scorecard", YEARS, edge, seed), core))
    core.close()
    return rows


def row_of(run: Run, core: ModelCore) -> dict[str, Any]:
    """What the record of SmolLM2 in the analyst's seat comes to, beside that of the scorecard."""
    role = read_role(AGENT, ROLES)
    said = stances(role, run, StancesAlone(core))
    calibration = Calibration()
    for outcome in run.outcomes:
        signal = said.get((outcome.ticker, outcome.issued_on.isoformat()))
        if outcome.agent == AGENT and signal is not None:
            calibration.add(spoken_by(signal, outcome))
    records = [calibration.records((AGENT,), MODEL, regime, as_of)[0] for as_of, regime in run.opened]
    last, scorecard = records[-1], run.records[-1][list(ROLES).index(AGENT)]
    return {
        "edge": run.edge,
        "strength": STRENGTH if run.edge != NOTHING else 0.0,
        "seed": run.seed,
        "outcomes": last.outcomes,
        **{f"smollm2_{name}": value for name, value in told(last).items()},
        **{f"scorecard_{name}": value for name, value in told(scorecard).items()},
    }


def told(record: AgentRecord) -> dict[str, float | None]:
    """The figures of a record."""
    names = ("ic", "ic_low", "ic_high", "brier", "ece", "deflation", "weight")
    values = {name: getattr(record, name) for name in names}
    return {name: None if value is None else round(value, 3) for name, value in values.items()}


def spoken_by(signal: Signal, outcome: Outcome) -> Outcome:
    """What followed, after what this mind said."""
    probabilities = {str(name): p for name, p in signal.probabilities.items()}
    said = {"model": MODEL, "stance": signal.stance, "probabilities": probabilities, "score": signal.score}
    return Outcome.model_validate(outcome.model_dump() | said)


def stances(role: Role, run: Run, mind: StancesAlone) -> dict[tuple[str, str], Signal]:
    """What the mind says of every company at every decision, by ticker and day."""
    market = Market(market_of(YEARS, run.edge, run.seed).dataset)
    found: dict[tuple[str, str], Signal] = {}
    for as_of, regime in run.opened:
        for signal in at(role, market, as_of, regime, mind):
            if not signal.abstained:
                found[signal.ticker, as_of.date().isoformat()] = signal
    return found


def at(role: Role, market: Market, as_of: datetime, regime: str, mind: StancesAlone) -> tuple[Signal, ...]:
    """One decision."""
    view = market.view(as_of)
    briefs = [
        Brief(ticker, company.name, role.sees(indicators(view, ticker))) for ticker, company in market.companies.items()
    ]
    return analyse(role, briefs, mind=mind, as_of=as_of, regime=regime, seed=0)
