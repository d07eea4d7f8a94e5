"""The momentum analyst of `calibration` with SmolLM2's mind: what does its own record earn it?

Whole sessions with a model take long, and weights do not change what is said: so SmolLM2 is asked for the stances
alone, on the evidence that the scorecard's sessions had, decision by decision; what followed is known from those
sessions, and the record is made of both as in a session. Each seed is run with the edge and without.

`PAPERDESK_CALIBRATION=FILE` keeps every row there as it comes, and goes on from those that are there.
`python -m benchmarks calibration_smollm2` draws docs/images/calibration_smollm2.png too.
"""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from paperdesk.agents.analyst import SIDES, Brief, analyse
from paperdesk.agents.models.core import ModelCore, Reply, Request
from paperdesk.agents.models.open import open_model
from paperdesk.agents.roles import Role, read_role
from paperdesk.agents.signals import Signal
from paperdesk.memory.calibration import AgentRecord, Calibration
from paperdesk.memory.calibration.shrinkage import PRIOR_IC
from paperdesk.memory.outcome import Outcome
from paperdesk.tools.indicators import indicators
from paperdesk.tools.market.view import Market

from .calibration import NOTHING, ROLES, STRENGTH, YEARS, Curve, Run, draw_curves, market_of, session
from .desk_requests import stance_only
from .kept_rows import KeptRows

SEEDS = 20
AGENT = "momentum_analyst"
MODEL = "smollm2"
MINDS = {"smollm2": ("SmolLM2", "#c0504d"), "scorecard": ("scorecard", "#2f5d8a")}
IMAGE = Path(__file__).parents[1] / "docs" / "images" / "calibration_smollm2.png"


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
    """A row per seed and market; the picture is drawn."""
    kept = KeptRows("PAPERDESK_CALIBRATION")
    rows = kept.rows
    done = {(row["edge"], row["seed"]) for row in rows}
    core = open_model(MODEL)
    for seed in range(1, SEEDS + 1):
        for edge in ("momentum", NOTHING):
            if (edge, seed) in done:
                continue
            kept.add(row_of(session("scorecard", YEARS, edge, seed), core))
            sys.stderr.write(f"{edge}, seed {seed}: weight {rows[-1]['smollm2_weight']}\n")
    core.close()
    draw(rows)
    return [*summaries(rows), *({k: v for k, v in row.items() if not k.endswith("_weights")} for row in rows)]


def summaries(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row per edge and mind over all seeds."""
    found = []
    for edge in ("momentum", NOTHING):
        for mind in MINDS:
            some = [row for row in rows if row["edge"] == edge]
            ics = np.array([row[f"{mind}_ic"] for row in some])
            final = np.array([row[f"{mind}_weight"] for row in some])
            covered = [row[f"{mind}_ic_low"] <= 0 <= row[f"{mind}_ic_high"] for row in some]
            found.append(
                {
                    "edge": edge,
                    "mind": mind,
                    "seeds": len(some),
                    "ic_mean": round(float(ics.mean()), 4),
                    "ic_sd": round(float(ics.std(ddof=1)), 4),
                    "interval_covers_0": round(float(np.mean(covered)), 3),
                    "weight_mean": round(float(final.mean()), 4),
                    "weight_low": round(float(np.quantile(final, 0.1)), 4),
                    "weight_high": round(float(np.quantile(final, 0.9)), 4),
                    "above_prior": round(float((final > PRIOR_IC).mean()), 3),
                    "no_weight": round(float((final == 0).mean()), 3),
                    "brier": round(float(np.mean([row[f"{mind}_brier"] for row in some])), 3),
                    "ece": round(float(np.mean([row[f"{mind}_ece"] for row in some])), 3),
                }
            )
    return found


def draw(rows: list[dict[str, Any]], path: Path = IMAGE) -> None:
    """What each mind in the analyst's seat earns."""
    curves = {
        edge: [
            Curve(label, colour, np.array([row[f"{mind}_weights"] for row in rows if row["edge"] == edge]))
            for mind, (label, colour) in MINDS.items()
        ]
        for edge in (NOTHING, "momentum")
    }
    draw_curves(curves, path, width=8)


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
    place = list(ROLES).index(AGENT)
    last, scorecard = records[-1], run.records[-1][place]
    return {
        "edge": run.edge,
        "strength": STRENGTH if run.edge != NOTHING else 0.0,
        "seed": run.seed,
        "outcomes": last.outcomes,
        **{f"smollm2_{name}": value for name, value in told(last).items()},
        **{f"scorecard_{name}": value for name, value in told(scorecard).items()},
        "smollm2_weights": [round(record.weight, 4) for record in records],
        "scorecard_weights": [round(row[place].weight, 4) for row in run.records],
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
