"""A desk's own rebalances: views, costs, caps, sectors and turnover at once; and ten thousand of them in a row.

Twenty S&P 500 shares (skfolio), 2500 sessions, lambda 0.5, costs of 10 bps, caps of 20 %, four sectors of at most 40 %,
turnover of at most 30 %, expected returns that change every time. CPU time of a rebalance includes making the problem.
One thread; the gaps are the certified ones and, every tenth time, those from the whole program through cvxpy.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paperdesk.tools.optimizer import MeanCVaR, Problem, Solution, Utility
from paperdesk.tools.optimizer.reference import CvxpyEngine
from paperdesk.tools.optimizer.scenarios import Scenarios
from paperdesk.tools.optimizer.views import View, pooled

from .optimizer import ONE_THREAD, returns_of

Vector = NDArray[np.float64]

ASSETS, SESSIONS, STEP, WINDOWS = 20, 2500, 21, 120
REBALANCES = 10_000
NAMES = tuple(f"a{place}" for place in range(ASSETS))
SECTORS = {name: f"sector {place % 4}" for place, name in enumerate(NAMES)}
CAPS = {f"sector {number}": 0.4 for number in range(4)}


def problem(window: NDArray[np.float64], expected: Vector, held: Vector, chances: Vector | None = None) -> Problem:
    """One rebalance."""
    return Problem(
        tickers=NAMES,
        scenarios=window,
        goal=Utility(0.5),
        expected_returns=expected,
        costs=np.array(0.001),
        previous_weights=held,
        caps=np.array(0.2),
        min_invested=1.0,
        sectors=SECTORS,
        sector_caps=CAPS,
        turnover_limit=0.3,
        probabilities=chances,
    )


def realistic(pool: bool) -> dict[str, Any]:
    """Median CPU time of a rebalance as the window moves by a month; views by expected returns or by pooling."""
    returns = returns_of(ASSETS, SESSIONS + STEP * (WINDOWS - 1))
    rng = np.random.default_rng(0)
    warm, whole = MeanCVaR(warm=True), MeanCVaR(engine=CvxpyEngine())
    held = np.full(ASSETS, 1 / ASSETS)
    seconds, theirs, gaps, differences = [], [], [], []
    for number in range(WINDOWS):
        window = returns[STEP * number : STEP * number + SESSIONS]
        expected = window[-252:].mean(axis=0) + rng.normal(0, 3e-4, ASSETS)
        began = time.process_time()
        if pool:
            scenarios = Scenarios(NAMES, window)
            views = [View.mean(NAMES[place], float(expected[place])) for place in (0, 7, 13)]
            scenarios = pooled(scenarios, views)
            asked = problem(window, scenarios.mean(), held, scenarios.probabilities)
        else:
            asked = problem(window, expected, held)
        found = warm.solve(asked)
        seconds.append(time.process_time() - began)
        assert isinstance(found, Solution)
        gaps.append(abs(found.relative_gap))
        if number % 10 == 9:
            began = time.process_time()
            reference = whole.solve(asked)
            theirs.append(time.process_time() - began)
            assert isinstance(reference, Solution)
            differences.append(abs(found.objective - reference.objective) / abs(reference.objective))
        held = np.array(list(found.weights.values()))
    return {
        "case": "realistic, views by entropy pooling" if pool else "realistic, views by expected returns",
        "rebalances": WINDOWS - 1,
        "cpu_ms": round(1e3 * median(seconds[1:]), 2),
        "whole_program_cpu_ms": round(1e3 * median(theirs), 1),
        "worst_gap": float(f"{max(gaps):.1e}"),
        "furthest_from_whole_program": float(f"{max(differences):.1e}"),
    }


def endurance() -> dict[str, Any]:
    """Random rebalances in a row with one optimizer: memory and gaps, early and late."""
    returns = returns_of(ASSETS, 8000)
    rng = np.random.default_rng(1)
    optimizer = MeanCVaR(warm=True)
    held, start = np.full(ASSETS, 1 / ASSETS), 0
    gaps, memory = [], []
    for _ in range(REBALANCES):
        start += int(rng.integers(0, 22))
        if start + SESSIONS // 5 > len(returns):
            start = int(rng.integers(0, 1000))
        window = returns[start : start + SESSIONS // 5]
        found = optimizer.solve(problem(window, rng.normal(5e-4, 5e-4, ASSETS), held))
        if isinstance(found, Solution):
            gaps.append(abs(found.relative_gap))
            held = np.array(list(found.weights.values()))
        memory.append(_resident_mb())
    tenth = REBALANCES // 10
    return {
        "case": "random rebalances of 20 names and 500 sessions, one after the other",
        "rebalances": REBALANCES,
        "solved": len(gaps),
        "worst_gap_first_tenth": float(f"{max(gaps[:tenth]):.1e}"),
        "worst_gap_last_tenth": float(f"{max(gaps[-tenth:]):.1e}"),
        "mb_after_first_tenth": round(memory[tenth], 1),
        "mb_at_end": round(memory[-1], 1),
    }


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


CASES = {
    "realistic": lambda: realistic(pool=False),
    "pooled": lambda: realistic(pool=True),
    "endurance": endurance,
}


def measure() -> list[dict[str, Any]]:
    """A row per case, each in a process of its own with one thread."""
    rows: list[dict[str, Any]] = []
    for name in CASES:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.optimizer_desk", name],
            env=os.environ | ONE_THREAD,
            cwd=Path(__file__).parents[1],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        rows.append(json.loads(done.stdout))
    return rows


if __name__ == "__main__":
    sys.stdout.write(json.dumps(CASES[sys.argv[1]]()) + "\n")
