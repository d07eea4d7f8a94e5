"""How long fields take on this machine: 24 sessions one after another and side by side, and the whole study of us8."""

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from joblib.externals.loky import get_reusable_executor

from paperdesk.simulations.config import SessionConfig
from paperdesk.simulations.evaluation.session_report import Settings
from paperdesk.simulations.evaluation.trials import VARIABLE
from paperdesk.simulations.field.member import Task, run_task
from paperdesk.simulations.field.plan import Field, Member, Status, study_of
from paperdesk.simulations.field.processes import Processes
from paperdesk.simulations.field.report import evaluate_field
from paperdesk.simulations.field.runner import Runner, run_field

US8 = Path(__file__).parents[1] / "../shared/data/us8"
SESSIONS = 24


class InTurn:
    """Sessions one after another in this process, as a loop would run them."""

    about = "a loop in one process"

    def run(self, beside: Sequence[Task], alone: Sequence[Task]) -> Iterator[tuple[str, Status]]:
        """Results as they come."""
        yield from map(run_task, (*beside, *alone))


def sweep() -> Field:
    """Sessions that differ in the market's seed."""
    configs = [SessionConfig(model="scorecard", market_seed=seed) for seed in range(SESSIONS)]
    members = [Member(name=f"{c.market_seed:02d}", role="variant", about="", config=c) for c in configs]
    return Field(title="24 sessions", members=tuple(members))


def timed(field: Field, runner: Runner, judge: bool) -> dict[str, Any]:
    """A row: how long the field took, with processes that have yet to start."""
    get_reusable_executor().shutdown(wait=True)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ[VARIABLE] = str(Path(scratch) / "trials.db")
        began = time.monotonic()
        done = run_field(field, Path(scratch) / "field", runner, tell=lambda *_: None)
        if failed := [s.error for s in done.status.values() if s.state != "done"]:
            raise RuntimeError(failed[0])
        ran = time.monotonic() - began
        if judge:
            evaluate_field(done, Path(scratch) / "field", Settings(), lambda _: None)
        return {
            "field": field.title,
            "sessions": len(field.members),
            "how": runner.about,
            "run_s": round(ran, 1),
            "judged_s": round(time.monotonic() - began - ran, 1) if judge else None,
        }


def measure() -> list[dict[str, Any]]:
    """A row per field and way of running it; `speedup` is that of two processes."""
    loop, one, two = (timed(sweep(), runner, judge=False) for runner in (InTurn(), Processes(1), Processes(2)))
    rows = [row | {"speedup": round(row["run_s"] / two["run_s"], 2)} for row in (loop, one, two)]
    if US8.is_dir():
        config = SessionConfig(
            market=str(US8.resolve()), model="scorecard", start=date(2024, 1, 2), end=date(2025, 8, 8)
        )
        study = study_of(config, ablations=True, placebos=True, repeats=5)
        rows.append(timed(study.model_copy(update={"title": "study of us8, scorecard"}), Processes(2), judge=True))
    return rows
