"""Ways of asking compared on the same questions: bare, with examples, corrected or not, with and without the adapter.

The questions are those that a scorecard session of the desk puts to its analysts on a generated market with all edges
planted, whose truth is known (seed 901, in no training). Examples, by likeness or by time, are earlier questions of the
same market whose answer was known by then. Corrected is the desk's own way: the distribution is divided by that after a
content-free question with the same examples before it (Zhao et al. 2021, "Calibrate before use"); with an adapter the
desk does not correct. The gain is the mean difference of Brier scores from the desk's way without examples and adapter,
with its interval by days.
`PAPERDESK_PROMPTING` is the number of questions of each analyst (200 by default), `PAPERDESK_ADAPTER` an adapter's file
(the one that comes with PaperDesk by default, where there is one).
"""

import os
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.solved_examples import By, examples_for, with_examples
from paperdesk.agents.models.adapters import ADAPTER_FILE, SHIPPED
from paperdesk.agents.models.files.places import find_file
from paperdesk.agents.models.llama_cpp import LlamaCpp
from paperdesk.simulations.training.contest import gain_of
from paperdesk.simulations.training.examination import figures
from paperdesk.simulations.training.exercises import Exercise, requests_of, targets_of
from paperdesk.simulations.training.market_exercises import ALL_EDGES, laboratory_exercises
from paperdesk.tools.market.laboratory import LaboratoryPlan

COUNT = int(os.environ.get("PAPERDESK_PROMPTING", "200"))
EXAMPLES = 4
AGENTS = ("fundamental_analyst", "technical_analyst")
PROMPTS = ("bare", "likeness", "time")
PLAN = LaboratoryPlan(companies=8, years=6, seed=901, edges=dict(ALL_EDGES))
Matrix = NDArray[np.float64]


def adapter_file() -> Path | None:
    """The adapter to be compared with the bare model; None where there is none."""
    path = Path(os.environ.get("PAPERDESK_ADAPTER") or SHIPPED / ADAPTER_FILE)
    return path if path.is_file() else None


def measure() -> list[dict[str, Any]]:
    """A row for each agent and way of asking."""
    pool = laboratory_exercises(PLAN, say=say)
    half = sorted({exercise.day for exercise in pool})[len({exercise.day for exercise in pool}) // 2]
    adapter = adapter_file()
    rows: list[dict[str, Any]] = []
    for agent in AGENTS:
        known = [exercise for exercise in pool if exercise.sheet.agent == agent]
        # as often as they are right, so that most frequent answers are what they are for the desk
        late = [exercise for exercise in known if exercise.day >= half]
        exam = [late[i] for i in np.random.default_rng(1).permutation(len(late))[:COUNT]]
        rows += rows_of(agent, exam, known, [None] if adapter is None else [None, adapter])
    return rows


def rows_of(
    agent: str, exam: Sequence[Exercise], pool: Sequence[Exercise], adapters: Sequence[Path | None]
) -> list[dict[str, Any]]:
    """The ways of asking one agent's questions."""
    right, rank = targets_of(exam), np.array([exercise.rank for exercise in exam])
    said: dict[tuple[str, str, str], Matrix] = {}
    base = find_file("smollm2")
    assert base is not None  # comes with the package
    for adapter in adapters:
        with closing(LlamaCpp(base, adapter=adapter)) as mind:
            for prompt in PROMPTS:
                before, after = distributions(mind, asked_by(prompt, exam, pool))
                name = "with" if adapter else "without"
                said[name, prompt, "no"] = before
                if not adapter:  # who wears one is not corrected
                    said[name, prompt, "yes"] = after
                say(f"{agent}, {name} the adapter, {prompt}: done")
    reference = losses(said["without", "bare", "yes"], right)
    rows = []
    for (name, prompt, corrected), found in said.items():
        there = np.isfinite(found).all(axis=1)
        of = figures(found[there], right[there], rank[there], abstained=int((~there).sum()))
        gain = gain_of(exam, reference - losses(found, right))
        shown = {key: getattr(of, key) for key in ("accuracy", "majority", "brier", "base_brier", "ece", "ic")}
        rows.append(
            {"agent": agent, "adapter": name, "examples": prompt, "corrected": corrected, "questions": of.exercises}
            | {key: None if value is None else round(value, 3) for key, value in shown.items()}
            | (
                {}
                if gain is None
                else {"gain": round(gain.gain, 3), "low": round(gain.low, 3), "high": round(gain.high, 3)}
            )
        )
    return rows


def asked_by(prompt: str, exam: Sequence[Exercise], pool: Sequence[Exercise]) -> list[Exercise]:
    """The questions as they are put."""
    if prompt == "bare":
        return list(exam)
    by: By = "likeness" if prompt == "likeness" else "time"
    return [with_examples(one, examples_for(one, pool, EXAMPLES, by)) for one in exam]


def distributions(mind: LlamaCpp, exam: Sequence[Exercise]) -> tuple[Matrix, Matrix]:
    """(n, options) the mind's distributions before and after the correction; NaN where it abstained."""
    raw = np.full((len(exam), len(exam[0].sheet.options)), np.nan)
    corrected = raw.copy()
    for request, places in requests_of(exam):
        for place, answer in zip(places, mind.answer(request).answers, strict=True):
            if answer.failure is None:
                raw[place] = [answer.raw[option] for option in request.options]
                corrected[place] = [answer.probabilities[option] for option in request.options]
    return raw, corrected


def losses(found: Matrix, right: Matrix) -> Matrix:
    """(n,) Brier scores."""
    return np.asarray(((found - right) ** 2).sum(axis=1))


def say(text: str) -> None:
    """On standard error."""
    sys.stderr.write(f"{text}\n")
