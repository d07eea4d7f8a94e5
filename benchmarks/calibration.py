"""Does the analyst whose edge is planted earn weight, and nobody where nothing is?

Three specialists sit on one desk, each with one kind of evidence: past returns, earnings yield, tone of the latest
release. For each seed they run whole sessions on three markets of the laboratory: without an edge, and with the edge
that one of them reads, at three times its usual size; the tone of releases foretells nothing in any of them. What is
told are the weights that their records earned from decision to decision, and how often the 95 % interval of the
information coefficient covers 0.

`python -m benchmarks calibration` draws docs/images/calibration_weights.png too.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from paperdesk.memory.calibration import AgentRecord
from paperdesk.memory.calibration.shrinkage import PRIOR_IC
from paperdesk.memory.journal import Journal
from paperdesk.memory.journal.events import AgentWeighed, DecisionOpened, SignalResolved
from paperdesk.memory.outcome import Outcome
from paperdesk.tools.market.laboratory import Laboratory, LaboratoryPlan, make, write_laboratory
from paperdesk.tools.market.laboratory.plan import EdgeName

SEEDS = 20
COMPANIES, YEARS, STRENGTH = 12, 5, 3.0
"""Of each market; the desk works in all years but the first."""
WORKERS = 2
IMAGE = Path(__file__).parents[1] / "docs" / "images" / "calibration_weights.png"

ROLES = {
    "momentum_analyst": """+++
title = "Momentum analyst"
like = "technical_analyst"
shows = ["momentum_12_1"]
+++
""",
    "value_analyst": """+++
title = "Value analyst"
like = "fundamental_analyst"
plan = ["filing_ratios"]
shows = ["earnings_yield"]
horizon_days = 21
+++
""",
    "tone_analyst": """+++
title = "Tone analyst"
like = "news_analyst"
plan = ["release_tone"]
shows = ["tone"]
needs = ""
horizon_days = 42
+++
""",
}
"""The specialists' files."""
MATCHING: dict[str, EdgeName] = {"momentum_analyst": "momentum", "value_analyst": "value"}
"""The planted edge that each of them can see."""
NOTHING = "nothing"
PLANTED = (NOTHING, *MATCHING.values())


@dataclass(frozen=True)
class Run:
    """One session."""

    edge: str
    seed: int
    records: tuple[tuple[AgentRecord, ...], ...]
    """By decision, then by analyst."""
    opened: tuple[tuple[datetime, str], ...] = ()
    """Time and regime of each decision."""
    outcomes: tuple[Outcome, ...] = ()
    """All that became known."""

    def weights(self) -> np.ndarray:
        """(decisions, analysts)."""
        return np.array([[record.weight for record in row] for row in self.records])


def measure() -> list[dict[str, Any]]:
    """A row per edge and analyst; the picture is drawn."""
    runs = list(sessions("scorecard", range(1, SEEDS + 1), workers=WORKERS))
    draw(runs)
    return summaries(runs)


def sessions(model: str, seeds: range, *, workers: int, years: int = YEARS) -> Iterator[Run]:
    """All sessions, each on a market of its own."""
    asked = [(edge, seed) for seed in seeds for edge in PLANTED]
    # spawn: a fork would copy threads of numerical libraries in an unknown state
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for number, run in enumerate(pool.map(partial(session, model, years), *zip(*asked, strict=True)), 1):
            if os.isatty(sys.stderr.fileno()):
                sys.stderr.write(f"\rsession {number} of {len(asked)}")
            yield run


def session(model: str, years: int, edge: str, seed: int) -> Run:
    """One session on one market."""
    from paperdesk.simulations.config import SessionConfig
    from paperdesk.simulations.session import start

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_laboratory(market_of(years, edge, seed), folder / "market")
        (folder / "roles").mkdir()
        for role, text in ROLES.items():
            (folder / "roles" / f"{role}.md").write_text(text, encoding="utf-8")
        roster = folder / "specialists.toml"
        roster.write_text(f'title = "Specialists"\nanalysts = {list(ROLES)}\n', encoding="utf-8")
        config = SessionConfig(
            market=str(folder / "market"), desk=str(roster), roles=str(folder / "roles"), model=model, repeats=0
        )
        start(config, folder / "session")
        with Journal.open_readonly(folder / "session") as journal:
            events = [record.event for record in journal.events()]
    weighed = [event.record for event in events if isinstance(event, AgentWeighed)]
    opened = [event for event in events if isinstance(event, DecisionOpened)]
    return Run(
        edge,
        seed,
        records=tuple(tuple(weighed[i : i + len(ROLES)]) for i in range(0, len(weighed), len(ROLES))),
        opened=tuple((event.as_of, str(event.regime.get("name", "unknown"))) for event in opened),
        outcomes=tuple(event.record for event in events if isinstance(event, SignalResolved)),
    )


def market_of(years: int, edge: str, seed: int) -> Laboratory:
    """The market of a session."""
    planted: dict[EdgeName, float] = {name: STRENGTH for name in MATCHING.values() if name == edge}
    return make(LaboratoryPlan(companies=COMPANIES, years=years, seed=seed, edges=planted, distractors=0))


def summaries(runs: list[Run]) -> list[dict[str, Any]]:
    """A row per edge and analyst: the end of its record over seeds, and its mean weight from decision to decision."""
    rows = []
    for edge in PLANTED:
        chosen = [run for run in runs if run.edge == edge]
        for place, agent in enumerate(ROLES):
            last = [run.records[-1][place] for run in chosen]
            weights = np.array([run.weights()[:, place] for run in chosen])
            final = weights[:, -1]
            ics = np.array([record.ic for record in last if record.ic is not None])
            covered = [
                record.ic_low <= 0 <= record.ic_high
                for record in last
                if record.ic_low is not None and record.ic_high is not None
            ]
            rows.append(
                {
                    "edge": edge,
                    "analyst": agent,
                    "matching": MATCHING.get(agent) == edge,
                    "seeds": len(chosen),
                    "decisions": weights.shape[1],
                    "outcomes": round(float(np.mean([record.outcomes for record in last]))),
                    "independent": round(float(np.mean([record.independent for record in last]))),
                    "ic_mean": round(float(ics.mean()), 4),
                    "ic_sd": round(float(ics.std(ddof=1)), 4) if len(ics) > 1 else None,
                    "interval_covers_0": round(float(np.mean(covered)), 3),
                    "weight_mean": round(float(final.mean()), 4),
                    "weight_low": round(float(np.quantile(final, 0.1)), 4),
                    "weight_high": round(float(np.quantile(final, 0.9)), 4),
                    "above_prior": round(float((final > PRIOR_IC).mean()), 3),
                    "no_weight": round(float((final == 0).mean()), 3),
                    "weight_by_year": [round(float(value), 4) for value in weights.mean(axis=0)[11::12]],
                    "brier": round(float(np.mean([record.brier for record in last])), 3),
                    "ece": round(float(np.mean([record.ece for record in last])), 3),
                    "deflation": round(float(np.mean([record.deflation for record in last])), 3),
                }
            )
    return rows


def draw(runs: list[Run], path: Path = IMAGE) -> None:
    """Mean weight and its tenth to ninetieth percentile over seeds, a panel per edge."""
    colours = dict(zip(ROLES, ("#2f5d8a", "#c0504d", "#6a8a3a"), strict=True))
    curves = {
        edge: [
            Curve(
                agent.replace("_", " "),
                colours[agent],
                np.array([run.weights()[:, place] for run in runs if run.edge == edge]),
                width=2.4 if MATCHING.get(agent) == edge else 1.2,
            )
            for place, agent in enumerate(ROLES)
        ]
        for edge in PLANTED
    }
    draw_curves(curves, path, width=11)


@dataclass(frozen=True)
class Curve:
    """One line of a panel, with its band."""

    label: str
    colour: str
    weights: np.ndarray
    """(seeds, decisions)."""
    width: float = 2.0


def draw_curves(curves: dict[str, list[Curve]], path: Path, *, width: float) -> None:
    """A panel per planted edge: means over seeds, the tenth to the ninetieth percentile, the prior as a dotted line."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    mpl.rcParams.update({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False})
    figure, panels = pyplot.subplots(1, len(curves), figsize=(width, 3.8), dpi=110, sharex=True, sharey=True)
    for axes, (edge, some) in zip(panels, curves.items(), strict=True):
        for curve in some:
            months = np.arange(curve.weights.shape[1])
            low, high = np.quantile(curve.weights, [0.1, 0.9], axis=0)
            axes.fill_between(months, low, high, color=curve.colour, alpha=0.15, lw=0)
            axes.plot(months, curve.weights.mean(axis=0), color=curve.colour, lw=curve.width, label=curve.label)
        axes.axhline(PRIOR_IC, color="#8a8a8a", lw=0.8, ls=":")
        axes.set_title(f"planted: {edge.replace('_', ' ')}", loc="left", fontsize=11)
        axes.set_xlabel("decision (monthly)")
    panels[0].legend(frameon=False, fontsize=9, loc="upper left")
    panels[0].set_ylabel("weight")
    panels[0].set_ylim(0, 0.105)
    figure.tight_layout()
    figure.savefig(path, metadata={"Software": None})
    pyplot.close(figure)
