"""What the desk itself costs per decision, the mind's time taken off; and how large the state of its graph is.

A decision is all that happens from the close of a session to orders at the broker: regime, account, outcomes of old
signals, evidence of all companies by all tools, signals, audit, Mean-CVaR, pre-trade rules, submission, and the journal
of all of it on disk. Only the scorecard's answers are taken off, by a stopwatch around them; the requests to it, their
hashes and their record are overhead. `evidence_ms` is the part of gathering evidence in it: reading filings, prices and
documents as of a date never asked before.

Markets are made by the laboratory: 8 companies over five years, decided weekly for a year; 100 companies, 24 decisions.
The first four decisions are not counted: they arrange prices and filings by company, once a process. Means include the
monthly fit of the regime, medians do not. CPU time is that of all threads; wall time waits for disk and neighbours.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean, median
from typing import Any, cast

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.runtime import Runtime

from paperdesk.agents.models.core import Fingerprint, Reply, Request
from paperdesk.agents.models.scorecard import Scorecard
from paperdesk.agents.rosters import roster
from paperdesk.memory.journal import Journal
from paperdesk.orchestration import desk_nodes
from paperdesk.orchestration.checkpoints import serializer
from paperdesk.orchestration.context import DeskContext
from paperdesk.orchestration.graph import Graph, desk_of
from paperdesk.orchestration.journaled_mind import JournaledMind
from paperdesk.orchestration.market_nodes import advance
from paperdesk.orchestration.state import DeskState
from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.masking import market_of
from paperdesk.simulations.session import assemble
from paperdesk.simulations.stages import stages_of
from paperdesk.simulations.window import window_of
from paperdesk.tools.market.laboratory import LaboratoryPlan, make, write_laboratory

WARM_UP = 4
SIZES = {8: "2018-12-31", 100: "2018-06-29"}
"""Companies, and the last day of the window."""
AIMS = {8: 20, 100: 150}
"""Milliseconds per decision that were aimed at."""
STATE_AIM_KB = 200


class Stopwatch:
    """Wall and CPU time of what happens inside, added up."""

    def __init__(self) -> None:
        self.wall = self.cpu = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Counts the time of a block."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.wall += time.perf_counter() - wall
            self.cpu += time.process_time() - cpu


class TimedScorecard:
    """The scorecard with a stopwatch around it."""

    def __init__(self) -> None:
        self._core, self.watch = Scorecard(), Stopwatch()

    @property
    def fingerprint(self) -> Fingerprint:
        """The scorecard's."""
        return self._core.fingerprint

    def answer(self, request: Request) -> Reply:
        """The scorecard's answer."""
        with self.watch.running():
            return self._core.answer(request)

    def close(self) -> None:
        """Nothing is held."""


def measure() -> list[dict[str, Any]]:
    """A row per size of the universe."""
    return [_of(companies, end) for companies, end in SIZES.items()]


def _of(companies: int, end: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "market"
        write_laboratory(make(LaboratoryPlan(companies=companies, years=5, edges={"post_earnings_drift": 1.0})), place)
        config = SessionConfig.model_validate(
            {"market": str(place), "model": "scorecard", "frequency": "weekly", "start": "2018-01-02", "end": end}
        )
        mind = TimedScorecard()
        with Journal.create(Path(folder) / "session") as journal:
            desk = _desk(config, journal, mind)
            rows = list(_decisions(desk, desk_of(roster()), mind))
    rows = rows[WARM_UP:]
    row: dict[str, Any] = {"companies": companies, "decisions": len(rows)}
    for name in ("cpu_ms", "wall_ms", "evidence_ms", "mind_ms"):
        values = [row[name] for row in rows]
        row |= {name: round(median(values), 1), f"mean_{name}": round(mean(values), 1)}
    row["best_cpu_ms"] = round(min(row["cpu_ms"] for row in rows), 1)
    row["events"] = round(median(row["events"] for row in rows))
    for name in ("state_kb", "checkpoint_kb"):
        row[name] = round(max(row[name] for row in rows), 1)
    row["load_average"] = round(os.getloadavg()[0], 1)
    return row | {"aim_ms": AIMS[companies], "aim_state_kb": STATE_AIM_KB}


def _desk(config: SessionConfig, journal: Journal, mind: TimedScorecard) -> DeskContext:
    market = market_of(config)
    (stage,) = stages_of(config)
    journaled = JournaledMind(mind.fingerprint, journal, lambda: mind)
    return assemble(config, stage.roster, market, window_of(config, market), stage.policy, journaled, "overhead")


def _decisions(desk: DeskContext, graph: Graph, mind: TimedScorecard) -> Iterator[dict[str, float]]:
    state = DeskState()
    gathering = Stopwatch()
    with _timed(desk_nodes, "gather", gathering):
        while True:
            step = advance(state, Runtime(context=desk))
            if step.goto != "desk":
                return
            state = cast("DeskState", {**state, **cast("dict[str, Any]", step.update)})
            decision, before = Stopwatch(), (mind.watch.wall, mind.watch.cpu, gathering.cpu, desk.journal.count)
            with decision.running():
                state = cast("DeskState", graph.invoke(state, context=desk))
            yield {
                "cpu_ms": 1e3 * (decision.cpu - (mind.watch.cpu - before[1])),
                "wall_ms": 1e3 * (decision.wall - (mind.watch.wall - before[0])),
                "evidence_ms": 1e3 * (gathering.cpu - before[2]),
                "mind_ms": 1e3 * (mind.watch.cpu - before[1]),
                "events": desk.journal.count - before[3],
                "state_kb": bytes_of(state, JsonPlusSerializer()) / 1e3,
                "checkpoint_kb": bytes_of(state, serializer()) / 1e3,
            }


def bytes_of(state: DeskState, writer: JsonPlusSerializer) -> int:
    """Bytes of the state as a serializer writes it: each channel on its own, as in a checkpoint."""
    return sum(len(writer.dumps_typed(value)[1]) for value in state.values())


@contextmanager
def _timed(module: Any, name: str, watch: Stopwatch) -> Iterator[None]:
    """Puts a stopwatch around a function of a module for a while."""
    function: Callable[..., Any] = getattr(module, name)

    def timed(*given: Any) -> Any:
        with watch.running():
            return function(*given)

    setattr(module, name, timed)
    try:
        yield
    finally:
        setattr(module, name, function)
