"""The momentum analyst of `calibration` with SmolLM2's mind: what does its own record earn it?

Whole sessions with a model take long, and weights do not change what is said: so SmolLM2 is asked for the stances
alone, on the evidence that the scorecard's sessions had, decision by decision; what followed is known from those
sessions, and the record is made of both as in a session. Each seed is run with the edge and without; SmolLM2 is asked
as it is, and with the adapter that comes along, which learnt to read the same figure for the technical analyst.

`PAPERDESK_CALIBRATION=FILE` keeps every row there as it comes, and goes on from those that are there.
`python -m benchmarks calibration_smollm2` draws docs/images/calibration_smollm2.png too.
"""

import sys
from collections.abc import Mapping
from contextlib import ExitStack, closing
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from paperdesk.agents.analyst import SIDES, Brief, analyse
from paperdesk.agents.models.adapters import ADAPTER_FILE, EVERYONE, SHIPPED, Adapters
from paperdesk.agents.models.core import ModelCore, Reply, Request
from paperdesk.agents.models.digest import file_digest
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
ASKED: Mapping[str, Adapters] = {"smollm2": {}, "adapted": {EVERYONE: SHIPPED / ADAPTER_FILE}}
MINDS = {
    "smollm2": ("SmolLM2", "#c0504d"),
    "adapted": ("SmolLM2 with its adapter", "#d99a2b"),
    "scorecard": ("scorecard", "#2f5d8a"),
}
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
    kept, adapter = KeptRows("PAPERDESK_CALIBRATION"), file_digest(SHIPPED / ADAPTER_FILE)
    found = {(row["edge"], row["seed"]): row for row in kept.rows}  # the last row of each is the fullest
    with ExitStack() as stack:
        cores = {name: stack.enter_context(closing(open_model(MODEL, adapters=worn))) for name, worn in ASKED.items()}
        for edge, seed in product(("momentum", NOTHING), range(1, SEEDS + 1)):
            row = found.get((edge, seed), {})
            asked = [name for name in ASKED if f"{name}_weight" not in row]
            if row.get("adapter", adapter) != adapter:
                asked = [*asked, "adapted"]
            if asked:
                run = session("scorecard", YEARS, edge, seed)
                row = found[edge, seed] = (
                    row | row_of(run, {name: cores[name] for name in asked}) | {"adapter": adapter}
                )
                kept.add(row)
                weights = ", ".join(f"{name} {row[f'{name}_weight']}" for name in MINDS)
                sys.stderr.write(f"{edge}, seed {seed}: weights {weights}\n")
    rows = list(found.values())
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


def row_of(run: Run, cores: Mapping[str, ModelCore]) -> dict[str, Any]:
    """What the records of minds in the analyst's seat come to, beside that of the scorecard."""
    place = list(ROLES).index(AGENT)
    records = {name: records_of(run, core) for name, core in cores.items()}
    records["scorecard"] = [row[place] for row in run.records]
    row: dict[str, Any] = {
        "edge": run.edge,
        "strength": STRENGTH if run.edge != NOTHING else 0.0,
        "seed": run.seed,
        "outcomes": records["scorecard"][-1].outcomes,
    }
    for mind, some in records.items():
        row |= {f"{mind}_{name}": value for name, value in told(some[-1]).items()}
        row[f"{mind}_weights"] = [round(record.weight, 4) for record in some]
    return row


def records_of(run: Run, core: ModelCore) -> list[AgentRecord]:
    """The analyst's record at every decision of a session, had this mind spoken in it."""
    said = stances(read_role(AGENT, ROLES), run, StancesAlone(core))
    calibration = Calibration()
    for outcome in run.outcomes:
        signal = said.get((outcome.ticker, outcome.issued_on.isoformat()))
        if outcome.agent == AGENT and signal is not None:
            calibration.add(spoken_by(signal, outcome))
    return [calibration.records((AGENT,), MODEL, regime, as_of)[0] for as_of, regime in run.opened]


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
